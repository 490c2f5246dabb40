//! Does the gateway serve this release of AsyncMQ? Once in the gate for the newest; `cargo xtask test --full` runs it with
//! the Python of every release line in tests/admin/versions.

mod support;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use console_core::session::{Refusal, SessionState};
use lol_html::{RewriteStrSettings, element, rewrite_str};
use serde_json::{Value, json};
use support::{
    Bench,
    consumer::Consumer,
    owner::begin,
    real::{self, RealAdmin},
};
use url::Url;

/// Every page, and the release line that has it first.
const PAGES: [(u32, &str); 15] = [
    (5, "/"),
    (5, "/queues"),
    (5, "/queues/emails"),
    (5, "/queues/emails/jobs?state=failed"),
    (5, "/queues/emails/dlq"),
    (5, "/queues/emails/repeatables"),
    (5, "/queues/emails/repeatables/new"),
    (5, "/workers"),
    (5, "/metrics"),
    (7, "/metrics/history"),
    (7, "/audit"),
    (9, "/queues/emails/jobs/receipt-1"),
    (9, "/events/history"),
    (9, "/metrics/prometheus"),
    (9, "/health"),
];
/// 0.5 has no admin package; with it came sign-in.
const FIRST_WITH_SIGN_IN: u32 = 6;
/// From here on the admin checks `Origin` and the admin claim, and loads no script from elsewhere.
const FIRST_STRICT: u32 = 9;
/// What one round of `/events` is made of, in every release.
const EVENTS: [&str; 7] = ["overview", "jobdist", "metrics", "queues", "workers", "latest_jobs", "latest_queues"];
/// More links than any release has pages with this seed.
const MOST_LINKS: usize = 300;

/// The admin as strict as its release can be.
fn admin(line: u32) -> RealAdmin {
    let strict = line >= FIRST_STRICT;
    RealAdmin::start(&json!({
        "backend": if line < FIRST_WITH_SIGN_IN { "open" } else { "jwt" }, "require_admin": strict, "enforce_same_origin": strict,
    }))
}

/// Every attribute of a page: element, name, decoded value.
fn attributes(html: &str) -> Vec<(String, String, String)> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let note = found.clone();
    let handler = element!("*", move |element| {
        let mut found = note.lock().expect("list");
        for attribute in element.attributes() {
            let value = html_escape::decode_html_entities(&attribute.value()).into_owned();
            found.push((element.tag_name(), attribute.name(), value));
        }
        Ok(())
    });
    let settings = RewriteStrSettings::new().append_element_content_handler(handler);
    rewrite_str(html, settings).expect("parses");
    std::mem::take(&mut *found.lock().expect("list"))
}

/// Whether HTML gives an attribute's value to the URL parser, as far as the dashboards use any of them.
fn holds_url(name: &str) -> bool {
    matches!(name, "href" | "src" | "action" | "formaction" | "poster" | "srcset" | "style")
        || name.starts_with("hx-")
        || (name.starts_with("data-") && name.ends_with("-url"))
}

/// Walks what a page's links, sheets and scripts lead to inside the realm; everything must answer.
#[tokio::test]
async fn every_page_and_all_that_it_links_to_passes_and_no_address_leads_to_the_admin() {
    let line = real::release_line();
    let admin = admin(line);
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let mut waiting: VecDeque<String> =
        PAGES.iter().filter(|(first, _)| *first <= line).map(|(_, path)| format!("/asyncmq{path}")).collect();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let (mut pages, mut assets) = (0, 0);
    while let Some(path) = waiting.pop_front() {
        let is_asset = path.contains("/static/");
        let answer =
            if is_asset { bench.fetch("GET", &path, "").await } else { bench.page("GET", &path, "", "").await };
        if matches!(answer.status, 303 | 307) {
            // The prefix without its slash.
            let location = answer.header("location").expect("a location").to_owned();
            assert!(location.starts_with("/asyncmq/"), "{path} leads to {location}");
            waiting.extend(seen.insert(location.clone()).then_some(location));
            continue;
        }
        assert_eq!(answer.status, 200, "{path}");
        if !answer.header("content-type").is_some_and(|value| value.starts_with("text/html")) {
            assets += 1;
            continue;
        }
        pages += 1;
        let here = Url::parse(&format!("http://gateway.test{path}")).expect("url");
        for (tag, name, value) in attributes(&answer.text()) {
            assert!(
                !(holds_url(&name) && value.contains(admin.host())),
                "{path}: <{tag} {name}=\"{value}\"> leads away"
            );
            if !matches!(name.as_str(), "href" | "src") {
                continue;
            }
            let link = here.join(&value).expect("a URL");
            let target = link[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
            let native = link.path().ends_with("/login") || link.path().ends_with("/logout");
            if link.host() == here.host()
                && link.path().starts_with("/asyncmq")
                && !native
                && seen.insert(target.clone())
            {
                waiting.push_back(target);
            }
        }
        assert!(seen.len() < MOST_LINKS, "the walk does not end: {seen:#?}");
    }
    assert!(pages >= 9 && assets >= 3, "{pages} pages, {assets} assets: {seen:#?}");
    println!("AsyncMQ 0.{line}: {pages} pages and {assets} assets");
}

#[tokio::test]
async fn a_page_that_this_release_does_not_have_is_the_admins_own_404() {
    let line = real::release_line();
    let admin = admin(line);
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let missing = PAGES.iter().filter(|(first, _)| *first > line).map(|(_, path)| *path).chain(["/no-such-page"]);
    for path in missing {
        let answer = bench.page("GET", &format!("/asyncmq{path}"), "", "").await;
        // 0.6 to 0.8 know `POST …/{action}` only, and say so for a path that looks like it.
        assert!(matches!(answer.status, 404 | 405), "{path}: {}", answer.status);
    }
    assert!(bench.session.authorize().is_ok(), "a missing page says nothing about the session");
}

#[tokio::test]
async fn scripts_from_elsewhere_are_left_as_older_releases_write_them_and_newer_ones_have_none() {
    let line = real::release_line();
    let admin = admin(line);
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let page = bench.page("GET", "/asyncmq/", "", "").await;
    let foreign: Vec<_> = attributes(&page.text())
        .into_iter()
        .filter(|(tag, name, value)| tag == "script" && name == "src" && value.starts_with("https://"))
        .map(|(_, _, value)| value)
        .collect();
    assert_eq!(page.header("content-security-policy").is_some(), line >= FIRST_STRICT);
    if line >= FIRST_STRICT {
        assert!(foreign.is_empty(), "{foreign:?}");
    } else {
        assert!(foreign.iter().any(|source| source == "https://cdn.tailwindcss.com"), "{foreign:?}");
    }
}

#[tokio::test]
async fn two_pages_hear_every_event_over_one_upstream_stream() {
    let admin = admin(real::release_line());
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let mut consumers = [Consumer::of(&bench).await, Consumer::of(&bench).await];
    // The second round comes five seconds after the first: by then another stream would have shown itself.
    for _ in 0..2 {
        for consumer in &mut consumers {
            for name in EVENTS {
                consumer.hears(&format!("event: {name}\n")).await;
            }
            consumer.heard.clear();
        }
    }
    assert_eq!(admin.event_streams(), 1);
}

#[tokio::test]
async fn a_retry_from_the_page_reaches_the_admin() {
    let admin = admin(real::release_line());
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let dead_letters = || async { bench.page("GET", "/asyncmq/queues/emails/dlq", "", "").await.text() };
    let before = dead_letters().await;
    assert!(["receipt-1", "receipt-2", "receipt-3"].iter().all(|id| before.contains(id)));
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("action", "retry"), ("job_id", "receipt-1"), ("page", "1")])
        .finish();
    let content_type = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = bench.page("POST", "/asyncmq/queues/emails/dlq", content_type, &form).await;
    let location = answer.header("location").unwrap_or_default();
    assert!(matches!(answer.status, 302 | 303) && location.starts_with("/asyncmq/queues/emails/dlq"), "{answer:?}");
    // The dashboards' scripts retry a single job in this way.
    let answer = bench.fetch("POST", "/asyncmq/queues/emails/jobs/receipt-2/retry", "").await;
    let said: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!((answer.status, &said["ok"]), (200, &Value::Bool(true)), "{answer:?}");
    let after = dead_letters().await;
    assert!(!after.contains("receipt-1") && !after.contains("receipt-2") && after.contains("receipt-3"));
}

#[tokio::test]
async fn a_token_that_the_admin_refuses_ends_the_session_and_the_stream_stays() {
    let line = real::release_line();
    let admin = admin(line);
    let bench = Bench::signed_in(&admin, &json!({ "aud": "another" })).await;
    let mut consumer = Consumer::of(&bench).await;
    if line < FIRST_WITH_SIGN_IN {
        let page = bench.page("GET", "/asyncmq/queues?x=1", "", "").await;
        assert_eq!(page.status, 200, "an open dashboard asks nobody");
        return;
    }
    let mut page = Consumer::waiting(&bench, "/asyncmq/queues?x=1").await;
    assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::Gate, .. }));
    assert_eq!(admin.event_streams(), 0);
    begin(&bench, &real::token(&json!({})), false);
    page.hears("http-equiv=\"refresh\"").await;
    consumer.hears("event: latest_queues\n").await;
}

#[tokio::test]
async fn who_is_no_admin_is_refused_by_the_releases_that_know_the_claim() {
    let line = real::release_line();
    let admin = admin(line);
    let bench = Bench::signed_in(&admin, &json!({ "is_admin": false })).await;
    let page = bench.page("GET", "/asyncmq/", "", "").await;
    assert_eq!(page.status, if line >= FIRST_STRICT { 403 } else { 200 });
    let refused = matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. });
    assert_eq!(refused, line >= FIRST_STRICT);
}
