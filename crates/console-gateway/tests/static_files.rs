//! Which files are not asked for again, and when they are all the same. RFC 9111, before the real admin where it can show it.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use console_testing::fault_proxy::{Break, Fault, Moment};
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use support::{
    Admin, Answer, Bench, answer,
    faulty::{Faulty, until},
    real::RealAdmin,
};

const SHEET: &str = "/asyncmq/static/css/asyncmq.css";
const ASK: &str = "GET /asyncmq/static/css/asyncmq.css";

async fn sheet(bench: &Bench, more: &str) -> Answer {
    bench.fetch("GET", SHEET, more).await
}

#[tokio::test]
async fn the_next_page_waits_for_no_file_and_the_admin_is_asked_meanwhile_whether_it_is_the_same() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let (bench, proxy) = (&faulty.bench, &faulty.proxy);
    let first = sheet(bench, "").await;
    assert_eq!((first.status, proxy.requests(ASK)), (200, 1));
    // Whoever waited for the admin now would wait for long.
    proxy.set_for(ASK, Fault::At(Moment::Asked, Break::Stall)).await;
    for _ in 0..3 {
        let next = sheet(bench, "").await;
        assert_eq!((next.status, &next.body), (200, &first.body));
        assert_eq!(next.header("etag"), first.header("etag"), "as the admin wrote it");
    }
    until("it is asked about", Duration::from_secs(2), || proxy.requests(ASK) == 2).await;
    proxy.set(Fault::None).await;
    assert_eq!(proxy.requests(ASK), 2, "once for all of them");
}

#[tokio::test]
async fn a_minute_after_the_admin_confirmed_it_and_at_a_reload_a_file_is_asked_about_first() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let (bench, proxy) = (&faulty.bench, &faulty.proxy);
    let first = sheet(bench, "").await;
    bench.clock.advance(61);
    let later = sheet(bench, "").await;
    assert_eq!((proxy.requests(ASK), later.body == first.body), (2, true));
    // The admin confirmed it just now.
    bench.clock.advance(39);
    let reloaded = sheet(bench, "Cache-Control: max-age=0\r\n").await;
    assert_eq!((proxy.requests(ASK), reloaded.body == first.body), (3, true));
    let forced = sheet(bench, "Cache-Control: no-cache\r\nPragma: no-cache\r\n").await;
    assert_eq!((proxy.requests(ASK), forced.body == first.body), (4, true));
}

#[tokio::test]
async fn a_page_that_has_the_file_gets_no_body_and_a_part_or_a_head_is_the_admins_to_answer() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let bench = &faulty.bench;
    let first = sheet(bench, "").await;
    let etag = first.header("etag").expect("a validator").to_owned();
    let known = sheet(bench, &format!("If-None-Match: {etag}\r\n")).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(etag.as_str())));
    assert_eq!(sheet(bench, "If-None-Match: \"another\"\r\n").await.body, first.body);
    let asked = faulty.proxy.requests(ASK);
    sheet(bench, "Range: bytes=0-9\r\n").await;
    assert_eq!(faulty.proxy.requests(ASK), asked + 1);
    bench.fetch("HEAD", SHEET, "").await;
    assert_eq!(faulty.proxy.requests(&ASK.replacen("GET", "HEAD", 1)), 1);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_neither_passed_on_nor_kept() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    for how in [Break::Reset, Break::Close] {
        faulty.proxy.set_for(ASK, Fault::At(Moment::Body(700), how)).await;
        assert_eq!(sheet(&faulty.bench, "").await.status, 502, "{how:?}");
        faulty.proxy.set(Fault::None).await;
    }
    let whole = sheet(&faulty.bench, "").await;
    assert!(whole.status == 200 && whole.body.len() > 1_000 && whole.is_whole);
}

/// An admin whose file has a new version whenever the counter grows, answering with `headers` besides.
async fn versions(headers: &'static [(&'static str, &'static str)]) -> (Admin, Arc<AtomicU64>) {
    let version = Arc::new(AtomicU64::new(1));
    let now = version.clone();
    let admin = Admin::start(move |seen| {
        let etag = format!("v{}", now.load(Ordering::SeqCst));
        let headers: Vec<_> = headers.iter().copied().chain([("etag", etag.as_str())]).collect();
        let is_known = seen.header("if-none-match") == Some(etag.as_str());
        if is_known { answer(304, &headers, "") } else { answer(200, &headers, &etag) }
    })
    .await;
    (admin, version)
}

async fn before(admin: &Admin) -> Bench {
    Bench::before(&format!("http://{}/asyncmq", admin.address)).await
}

#[tokio::test]
async fn a_file_that_changed_is_there_for_the_page_after_the_next_and_its_validator_is_sent_as_it_came() {
    let (admin, version) = versions(&[]).await;
    let bench = before(&admin).await;
    assert_eq!(sheet(&bench, "").await.text(), "v1");
    version.store(2, Ordering::SeqCst);
    assert_eq!(sheet(&bench, "").await.text(), "v1", "at once");
    until("it was asked about", Duration::from_secs(2), || admin.seen().len() == 2).await;
    assert_eq!(admin.seen()[1].header("if-none-match"), Some("v1"));
    assert_eq!(admin.seen()[1].header("authorization"), Some("Bearer canary-token"));
    let mut shown = sheet(&bench, "").await.text();
    for _ in 0..50 {
        if shown == "v2" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        shown = sheet(&bench, "").await.text();
    }
    assert_eq!(shown, "v2");
}

#[tokio::test]
async fn what_a_file_says_about_itself_counts() {
    let cases: [(&'static [(&str, &str)], usize); 5] = [
        (&[("cache-control", "max-age=600")], 1),
        (&[("cache-control", "no-store")], 3),
        (&[("cache-control", "no-cache")], 3),
        (&[("cache-control", "max-age=0, must-revalidate")], 3),
        (&[("vary", "*")], 3),
    ];
    for (headers, expected) in cases {
        let (admin, _version) = versions(headers).await;
        let bench = before(&admin).await;
        for _ in 0..3 {
            assert_eq!(sheet(&bench, "").await.text(), "v1", "{headers:?}");
        }
        assert_eq!(admin.seen().len(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn one_operators_files_are_no_others_and_a_sign_out_forgets_them() {
    let (admin, _version) = versions(&[("cache-control", "max-age=600"), ("set-cookie", "seen=alice")]).await;
    let bench = before(&admin).await;
    let first = sheet(&bench, "").await;
    assert_eq!((first.text(), first.header("set-cookie")), ("v1".to_owned(), None));
    sheet(&bench, "").await;
    assert_eq!(admin.seen().len(), 1);
    bench.sign_in_as("bob");
    sheet(&bench, "").await;
    assert_eq!(admin.seen().len(), 2, "bob's own");
    let _ = bench.gateway.forget_operator();
    sheet(&bench, "").await;
    assert_eq!(admin.seen().len(), 3);
}

#[tokio::test]
async fn only_static_files_are_kept_and_no_error() {
    let admin = Admin::start(|seen| match seen.target.as_str() {
        "/asyncmq/static/missing.css" => answer(404, &[("cache-control", "max-age=600")], "no"),
        _ => answer(200, &[("cache-control", "max-age=600")], "yes"),
    })
    .await;
    let bench = before(&admin).await;
    for (path, asked) in [("/asyncmq/queues", 2), ("/asyncmq/static/missing.css", 4), ("/asyncmq/static/x.css?v=1", 5)]
    {
        for _ in 0..2 {
            bench.fetch("GET", path, "").await;
        }
        assert_eq!(admin.seen().len(), asked, "{path}");
    }
    bench.fetch("GET", "/asyncmq/static/x.css?v=2", "").await;
    assert_eq!(admin.seen().len(), 6, "another address, another file");
}

/// A file of `length` bytes, of which a front does not say so.
fn in_pieces(length: usize, headers: &[(&'static str, &str)]) -> http::Response<support::Body> {
    let mut response = answer(200, headers, "");
    let pieces = (0..length / 1024).map(|_| Ok(Frame::data(Bytes::from(vec![b'x'; 1024]))));
    *response.body_mut() = StreamBody::new(stream::iter(pieces.collect::<Vec<_>>())).boxed_unsync();
    response
}

#[tokio::test]
async fn a_file_whose_length_is_not_said_is_kept_too_unless_it_is_too_long() {
    const LONG: usize = 5 * 1024 * 1024;
    let admin = Admin::start(|seen| in_pieces(if seen.target.contains("long") { LONG } else { 4096 }, &[])).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let get = async |path: &str| bench.fetch("GET", path, "").await;
    for _ in 0..2 {
        let file = get("/asyncmq/static/short.js").await;
        assert_eq!((file.status, file.body.len(), file.is_whole), (200, 4096, true));
    }
    // The second is asked about beside its answer.
    until("it is asked about", Duration::from_secs(2), || admin.seen().len() == 2).await;
    for _ in 0..2 {
        let file = get("/asyncmq/static/long.js").await;
        assert_eq!((file.status, file.body.len(), file.is_whole), (200, LONG, true));
    }
    assert_eq!(admin.seen().iter().filter(|seen| seen.target.contains("long")).count(), 2, "each waited for");
}

#[tokio::test]
async fn a_file_passes_with_all_its_lines_and_an_age_beyond_reason_harms_nobody() {
    let policies = [("content-security-policy", "default-src 'self'"), ("content-security-policy", "img-src 'none'")];
    let admin = Admin::start(move |seen| {
        if seen.target.contains("twice") {
            in_pieces(1024, &policies)
        } else {
            answer(200, &[("age", "18446744073709551615"), ("cache-control", "max-age=1")], "file")
        }
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    for _ in 0..2 {
        let file = bench.fetch("GET", "/asyncmq/static/twice.svg", "").await;
        let said: Vec<_> = file.headers.iter().filter(|(name, _)| name == "content-security-policy").collect();
        assert_eq!(said.len(), 3, "both of the admin's and the console's: {said:?}");
        bench.clock.advance(5);
        assert_eq!(bench.fetch("GET", "/asyncmq/static/aged.js", "").await.text(), "file");
    }
}
