use http::{HeaderMap, HeaderValue, Method, header};

use super::{Action, Asked, Object, Verb, action};

const FORM: &str = "application/x-www-form-urlencoded";

fn read(path: &str, media: &str, body: &str) -> Action {
    let mut headers = HeaderMap::new();
    if !media.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media).expect("a value"));
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    let target = format!("/asyncmq{path}");
    action(Asked {
        method: &Method::POST,
        target: &target,
        decoded: &decoded,
        headers: &headers,
        body: body.as_bytes(),
    })
}

fn named(path: &str, body: &str) -> String {
    read(path, FORM, body).name
}

#[test]
fn every_write_of_the_dashboard_has_a_name() {
    for (path, body, name) in [
        ("/queues/billing", "action=pause", "Pause queue billing"),
        ("/queues/billing", "action=resume", "Resume queue billing"),
        ("/queues/emails/jobs/7f3a/retry", "", "Retry job 7f3a in emails"),
        ("/queues/emails/jobs/7f3a/remove", "_response=html&return_to=%2Fx", "Remove job 7f3a from emails"),
        ("/queues/emails/jobs/7f3a/delete", "", "Remove job 7f3a from emails"),
        ("/queues/emails/jobs/7f3a/cancel", "", "Cancel job 7f3a in emails"),
        ("/queues/emails/jobs", "action=cancel&job_id=a", "Cancel job a in emails"),
        ("/queues/emails/jobs", "action=delete&job_id=a%2Cb%2C%2Cc", "Remove 3 jobs from emails: a, b, c"),
        ("/queues/emails/jobs", "action=retry", "Retry no job in emails"),
        ("/queues/emails/dlq", "action=retry&job_id=a", "Retry dead letter a in emails"),
        ("/queues/emails/dlq", "job_id=a&job_id=&job_id=b&action=remove", "Remove 2 dead letters from emails: a, b"),
        ("/queues/emails/dlq", "action=remove&page=2", "Remove no dead letter from emails"),
        (
            "/queues/emails/repeatables",
            "job_def=%7B%22task_id%22%3A%22t.digest%22%7D&action=pause",
            "Pause repeatable t.digest in emails",
        ),
        (
            "/queues/emails/repeatables",
            "job_def=%7B%22job_def%22%3A%7B%22id%22%3A%22d1%22%7D%7D&action=remove",
            "Remove repeatable d1 from emails",
        ),
        (
            "/queues/emails/repeatables",
            "job_def=%7B%22name%22%3A%22d%22%7D&action=resume",
            "Resume repeatable d in emails",
        ),
        (
            "/queues/emails/repeatables/new",
            "task_id=t.digest&every=60&cron=",
            "Add repeatable t.digest to emails (every 60 s)",
        ),
        (
            "/queues/emails/repeatables/new",
            "task_id=t&every=&cron=0+3+*+*+*",
            "Add repeatable t to emails (by cron 0 3 * * *)",
        ),
    ] {
        assert_eq!(named(path, body), name, "{path} {body}");
    }
}

#[test]
fn a_write_is_read_as_asyncmq_reads_it() {
    assert_eq!(named("/queues/q", "action=pause&action=resume"), "Pause queue q", "the first of two counts");
    assert_eq!(
        named("/queues/q/jobs", "action=retry&job_id=a,b&job_id=c"),
        "Retry 2 jobs in q: a, b",
        "the first field only"
    );
    assert_eq!(named("/queues/q/dlq", "action=retry&job_id=a%2Cb"), "Retry dead letter “a,b” in q", "not split");
    assert_eq!(named("/queues/q/jobs/a/%72emove", ""), "Remove job a from q", "decoded once");
    assert_eq!(named("/queues/q/jobs%2Fa%2Fretry", ""), "Retry job a in q", "an encoded slash splits a segment");
    assert_eq!(named("/queues/q/jobs/a%252Fb/retry", ""), "Retry job “a%2Fb” in q", "and is not decoded twice");
    let bulk = read("/queues/q/jobs", FORM, "action=retry&job_id=b,a").meaning.expect("known");
    assert_eq!((bulk.verb, bulk.object, bulk.queue.as_str()), (Verb::Retry, Object::Job, "q"));
    assert_eq!(bulk.subjects, ["b", "a"]);
}

#[test]
fn what_is_not_surely_understood_is_named_by_its_path() {
    for (path, media, body) in [
        ("/queues/q", FORM, "action=drain"),
        ("/queues/q", FORM, "action="),
        ("/queues/q", FORM, ""),
        ("/queues/q", "", "action=pause"),
        ("/queues/q", "application/json", "{\"action\":\"pause\"}"),
        ("/queues/q", "multipart/form-data; boundary=x", "action=pause"),
        ("/queues/q", FORM, "action=pause;action=resume"),
        ("/queues/q", FORM, "action=pausé"),
        ("/queues/q/", FORM, "action=pause"),
        ("/queues//jobs/a/retry", FORM, ""),
        ("/queues/q/jobs/a/explode", FORM, ""),
        ("/queues/q/jobs/a/retry/now", FORM, ""),
        ("/queues/q/dlq", FORM, "action=cancel&job_id=a"),
        ("/queues/q/repeatables", FORM, "action=pause&job_def=nonsense"),
        ("/queues/q/repeatables", FORM, "action=pause&job_def=%5B%5D"),
        ("/queues/q/repeatables/new", FORM, "task_id=t&every=-1"),
        ("/workers/w/stop", FORM, "a=1"),
        ("", FORM, ""),
    ] {
        let action = read(path, media, body);
        assert_eq!((action.meaning, action.name), (None, format!("POST /asyncmq{path}")), "{path} {body}");
    }
    let put = Asked {
        method: &Method::PUT,
        target: "/a/queues/q/jobs/a/retry",
        decoded: "/queues/q/jobs/a/retry",
        headers: &HeaderMap::new(),
        body: b"",
    };
    assert_eq!(action(put).name, "PUT /a/queues/q/jobs/a/retry");
}

#[test]
fn nothing_in_a_name_is_invisible_or_turns_it_around() {
    assert_eq!(named("/queues/a%E2%80%AEb", "action=pause"), "Pause queue “a\\u{202e}b”");
    assert_eq!(named("/queues/q/jobs/a%E2%80%8B/retry", ""), "Retry job “a\\u{200b}” in q");
    assert_eq!(named("/queues/q/dlq", "action=retry&job_id=a%0Ab%00"), "Retry dead letter “a\\u{a}b\\u{0}” in q");
    assert_eq!(
        named("/queues/q/dlq", "action=retry&job_id=%5Cu%7B202e%7D"),
        "Retry dead letter “\\\\u{202e}” in q",
        "one that is typed out is told from the character"
    );
    assert_eq!(named("/queues/q/dlq", "action=retry&job_id=%C2%A0"), "Retry dead letter “\\u{a0}” in q");
    assert_eq!(
        named("/queues/q/jobs/7f3a%20in%20emails/retry", ""),
        "Retry job “7f3a in emails” in q",
        "an id does not pass for our own words"
    );
    assert_eq!(named("/queues/a%E2%80%9D%20and%20“b/jobs/1/retry", ""), "Retry job 1 in “a\\u{201d} and \\u{201c}b”");
}

#[test]
fn a_long_id_is_shortened_in_its_middle_and_a_name_has_an_end() {
    let uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    assert_eq!(named(&format!("/queues/q/jobs/{uuid}/retry"), ""), format!("Retry job {uuid} in q"));
    let long = format!("begin{}end", "x".repeat(60));
    assert_eq!(
        named(&format!("/queues/q/jobs/{long}/retry"), ""),
        "Retry job beginxxxxxxxxxxxxxxx…xxxxxxxxxend (68 characters) in q"
    );
    let ids: Vec<String> = (0..50).map(|n| format!("job_id=receipt-{n:02}")).collect();
    let many = named("/queues/emails/dlq", &format!("action=retry&{}", ids.join("&")));
    assert!(many.starts_with("Retry 50 dead letters in emails: receipt-00, receipt-01, "), "{many}");
    assert!(many.ends_with(" more") && many.chars().count() <= 120, "{many}");
    let unknown = named(&format!("/x/{}", "y".repeat(500)), "");
    assert!(unknown.ends_with('…') && unknown.chars().count() == 120, "{unknown}");
}

/// A cheap stand-in for fuzz/: bytes of every kind in path and body, and what must hold of every name.
#[test]
fn whatever_bytes_come_there_is_a_name_of_one_line() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let pieces = [
        "queues",
        "/",
        "%2f",
        "jobs",
        "retry",
        "dlq",
        "action=",
        "job_id=",
        "&",
        ",",
        "%",
        "%e2%80%ae",
        "\u{202e}",
        "repeatables",
        "job_def=",
        "{\"task_id\":",
        "\"x\"}",
        "pause",
        "\\",
        "new",
        "every=",
        "9".repeat(30).leak(),
        "é",
        "\0",
    ];
    for _ in 0..20_000 {
        let mut text = || {
            (0..random() % 12)
                .map(|_| pieces[usize::try_from(random()).unwrap_or(0) % pieces.len()])
                .collect::<String>()
        };
        let (path, body) = (format!("/{}", text()), text());
        let name = named(&path, &body);
        assert!(name.chars().count() <= 120 && !name.chars().any(|c| c.is_control() || c == '\u{202e}'), "{name:?}");
    }
}
