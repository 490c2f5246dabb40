//! How an admitted request travels: protect, authorize, forward, outcome, rewrite (DESIGN 5.3 to 5.7).

mod support;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use console_core::{
    environment::Protection,
    session::{Change, Refusal, SessionState},
    upstream::{Outcome, UnreachableKind},
};
use console_gateway::GatewayEvent;
use futures_util::stream;
use http::StatusCode;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use support::{Admin, Bench, answer, consumer::Consumer, html, text};

fn base(admin: &Admin) -> String {
    format!("http://{}/asyncmq", admin.address)
}

#[tokio::test]
async fn a_locked_environment_refuses_every_unsafe_method_and_nothing_is_sent() {
    let admin = Admin::start(|_| text("ok")).await;
    let mut bench = Bench::with(&base(&admin), |draft| draft.protection = Protection::Locked).await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = bench.page(method, "/asyncmq/queues/emails", "", "action=pause").await;
        assert_eq!(answer.status, 403, "{method}");
        assert!(answer.text().contains("TEST is locked") && answer.text().contains("Nothing was done"), "{method}");
        assert_eq!(bench.report().await, GatewayEvent::WriteLocked);
    }
    assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.status, 200, "reading works");
    assert_eq!(admin.seen().len(), 1);
    bench.gateway.protect(Protection::Open);
    assert_eq!(bench.page("POST", "/asyncmq/queues/emails", "", "action=pause").await.status, 200);
    assert_eq!(admin.seen()[1].body, "action=pause");
}

#[tokio::test]
async fn a_script_that_asked_for_json_is_refused_in_json() {
    let admin = Admin::start(|_| text("ok")).await;
    let bench = Bench::with(&base(&admin), |draft| draft.protection = Protection::Locked).await;
    let answer = bench.fetch("POST", "/asyncmq/queues/emails/jobs/1/retry", "").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(json["ok"], false);
    assert_eq!(json["error"], "TEST is locked");
}

#[tokio::test]
async fn the_gates_redirect_ends_the_session_and_the_page_is_remembered() {
    let admin =
        Admin::start(|seen| answer(303, &[("location", &format!("/asyncmq/login?next={}", seen.target))], "")).await;
    let bench = Bench::before(&base(&admin)).await;
    let page = Consumer::waiting(&bench, "/asyncmq/queues/emails/jobs?state=failed&q=a%2Fb").await;
    assert!(page.heard.contains("Sign in to TEST"));
    assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::Gate, .. }));
    assert_eq!(
        bench.gateway.take_interrupted_path().as_deref(),
        Some("/asyncmq/queues/emails/jobs?state=failed&q=a%2Fb"),
        "the gateway's own record, not the server's lossy `next`"
    );
    Consumer::waiting(&bench, "/asyncmq/").await;
    assert_eq!(admin.seen().len(), 1, "a refused token is not sent again");
}

#[tokio::test]
async fn every_form_of_the_gates_refusal_is_understood() {
    let cases: [(u16, &'static str, &'static str); 5] = [
        (303, "location", "/asyncmq/login?next=/x"),
        (302, "location", "/login"),
        (307, "location", "/asyncmq/login/"),
        (401, "hx-redirect", "/asyncmq/login?next=/x"),
        (303, "location", "{origin}/asyncmq/login"),
    ];
    for (status, name, value) in cases {
        let admin = Admin::start(move |seen| {
            let value = value.replace("{origin}", &format!("http://{}", seen.header("host").expect("host")));
            answer(status, &[(name, &value)], "")
        })
        .await;
        let bench = Bench::before(&base(&admin)).await;
        Consumer::waiting(&bench, "/asyncmq/").await;
        let state = bench.session.state();
        assert!(matches!(state, SessionState::Refused { refusal: Refusal::Gate, .. }), "{status} {name} {value}");
    }
}

#[tokio::test]
async fn a_redirect_of_the_dashboard_is_no_refusal() {
    let admin = Admin::start(|_| answer(303, &[("location", "/asyncmq/queues/login")], "")).await;
    let bench = Bench::before(&base(&admin)).await;
    let answer = bench.page("POST", "/asyncmq/queues/login", "", "action=pause").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/asyncmq/queues/login")));
    assert!(matches!(bench.session.state(), SessionState::Active { .. }));
}

#[tokio::test]
async fn asyncmqs_own_403s_are_told_from_the_dashboards() {
    let admin = Admin::start(|seen| match seen.target.as_str() {
        "/asyncmq/a" => answer(403, &[], "Cross-origin dashboard request rejected"),
        "/asyncmq/b" => answer(403, &[("content-type", "text/html")], "<p>a 403 of some page</p>"),
        _ => answer(403, &[], "Dashboard user is not authorized"),
    })
    .await;
    let mut bench = Bench::before(&base(&admin)).await;
    let rejected = bench.page("POST", "/asyncmq/a", "", "x=1").await;
    assert!(rejected.text().contains("trusted_proxies"));
    bench.hears(GatewayEvent::Impaired(Outcome::CrossOriginRejected)).await;
    let own = bench.page("GET", "/asyncmq/b", "", "").await;
    assert_eq!((own.status, own.text().as_str()), (403, "<p>a 403 of some page</p>"));
    assert!(matches!(bench.session.state(), SessionState::Active { .. }));
    let not_allowed = bench.page("GET", "/asyncmq/c", "", "").await;
    assert!(not_allowed.text().contains("no admin claim"));
    assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. }));
}

#[tokio::test]
async fn a_403_without_a_length_is_told_apart_too_and_passes_whole() {
    let pieces = |pieces: Vec<String>| {
        let frames = pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
        let mut response = text("");
        *response.body_mut() = StreamBody::new(stream::iter(frames.collect::<Vec<_>>())).boxed_unsync();
        *response.status_mut() = StatusCode::FORBIDDEN;
        response
    };
    let long = "a 403 of some page, in pieces. ".repeat(40);
    let whole = long.clone();
    let admin = Admin::start(move |seen| match seen.target.as_str() {
        "/asyncmq/page" => {
            pieces(whole.as_bytes().chunks(100).map(|c| String::from_utf8_lossy(c).into_owned()).collect())
        }
        _ => pieces(vec!["Dashboard user ".into(), "is not authorized".into()]),
    })
    .await;
    let bench = Bench::before(&base(&admin)).await;
    let page = bench.page("GET", "/asyncmq/page", "", "").await;
    assert_eq!((page.status, page.text()), (403, long));
    assert!(bench.page("GET", "/asyncmq/x", "", "").await.text().contains("no admin claim"));
    assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. }));
}

#[tokio::test]
async fn a_proxys_own_sign_in_is_named_and_never_followed() {
    let elsewhere = Admin::start(|_| text("stolen")).await;
    let location = format!("http://localhost:{}/sign-in", elsewhere.address.port());
    let admin = Admin::start(move |_| answer(302, &[("location", &location)], "")).await;
    let mut bench = Bench::before(&base(&admin)).await;
    let page = bench.page("GET", "/asyncmq/", "", "").await;
    assert!(page.text().contains("sends you to localhost"), "{}", page.text());
    assert!(
        matches!(bench.report().await, GatewayEvent::Impaired(Outcome::SentElsewhere { host }) if host == "localhost")
    );
    assert_eq!(elsewhere.seen().len(), 0, "the credential never left the realm");
}

#[tokio::test]
async fn a_wrong_mount_prefix_is_said() {
    let admin = Admin::start(|_| answer(404, &[], "not found")).await;
    let mut bench = Bench::before(&base(&admin)).await;
    let page = bench.page("GET", "/asyncmq/", "", "").await;
    assert!(page.status == 404 && page.text().contains("mount prefix"));
    assert_eq!(bench.report().await, GatewayEvent::Impaired(Outcome::NotFoundAtBase));
    let deeper = bench.page("GET", "/asyncmq/queues/none", "", "").await;
    assert_eq!(deeper.text(), "not found", "a 404 of the dashboard is its own");
}

/// What failed, as the session has it: unreachable is not signed out.
fn unreachable(bench: &Bench) -> UnreachableKind {
    match bench.session.state() {
        SessionState::Unreachable { why, identity: Some(_), .. } => why.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unreachable_admin_is_named_and_tried_again_with_back_off() {
    let bench = Bench::before("http://127.0.0.1:1/asyncmq").await;
    let first = bench.page("GET", "/asyncmq/", "", "").await;
    assert_eq!((first.status, first.header("refresh")), (502, Some("2")));
    assert!(first.text().contains("reach TEST"));
    assert_eq!(unreachable(&bench), UnreachableKind::Connect);
    assert_eq!(bench.page("GET", "/asyncmq/", "", "").await.header("refresh"), Some("4"));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_said() {
    let bench = Bench::before("http://admin.invalid/asyncmq").await;
    assert!(bench.page("GET", "/asyncmq/", "", "").await.text().contains("does not resolve"));
    assert_eq!(unreachable(&bench), UnreachableKind::Dns);
}

#[tokio::test]
async fn only_page_requests_store_cookies_and_they_come_back() {
    let admin = Admin::start(|seen| {
        let mut response = html("<p>x</p>");
        let cookie = format!("flash={}; Path=/asyncmq; HttpOnly", seen.target.rsplit('/').next().expect("name"));
        response.headers_mut().insert("set-cookie", cookie.parse().expect("value"));
        response
    })
    .await;
    let bench = Bench::before(&base(&admin)).await;
    bench.page("GET", "/asyncmq/one", "", "").await;
    bench.fetch("GET", "/asyncmq/two", "").await;
    bench.page("GET", "/asyncmq/three", "", "").await;
    let cookies: Vec<_> = admin.seen().iter().map(|seen| seen.header("cookie").map(str::to_owned)).collect();
    assert_eq!(cookies, [None, Some("flash=one".into()), Some("flash=one".into())]);
    assert!(bench.gateway.forget_operator().is_empty(), "nothing was held");
    bench.page("GET", "/asyncmq/four", "", "").await;
    assert_eq!(admin.seen()[3].header("cookie"), None);
}

#[tokio::test]
async fn two_environments_on_one_host_do_not_see_each_others_cookies() {
    let admin = Admin::start(|_| answer(200, &[("set-cookie", "s=canary-cookie; Path=/")], "x")).await;
    let one = Bench::before(&format!("http://{}/one", admin.address)).await;
    let two = Bench::before(&format!("http://{}/two", admin.address)).await;
    one.page("GET", "/one/", "", "").await;
    one.page("GET", "/one/", "", "").await;
    two.page("GET", "/two/", "", "").await;
    let cookies: Vec<_> = admin.seen().iter().map(|seen| seen.header("cookie").is_some()).collect();
    assert_eq!(cookies, [false, true, false]);
}

#[tokio::test]
async fn another_header_and_scheme_carry_the_token_and_the_pages_own_is_dropped() {
    let admin = Admin::start(|_| text("ok")).await;
    let bench = Bench::with(&base(&admin), |draft| {
        draft.header_name = "X-Admin-Token".into();
        draft.scheme = String::new();
    })
    .await;
    bench.page("GET", "/asyncmq/", "X-Admin-Token: page\r\nAuthorization: Basic page\r\n", "").await;
    let seen = &admin.seen()[0];
    assert_eq!(seen.headers.get_all("x-admin-token").iter().collect::<Vec<_>>(), ["canary-token"]);
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn login_and_logout_are_native_when_a_person_asks_and_403_otherwise() {
    let admin = Admin::start(|_| text("reached")).await;
    let mut bench = Bench::before(&base(&admin)).await;
    for (method, target) in
        [("GET", "/asyncmq/logout"), ("POST", "/asyncmq/logout"), ("GET", "/logout"), ("POST", "/asyncmq/log%6Fut/")]
    {
        assert_eq!(bench.page(method, target, "", "").await.status, 204, "{method} {target}");
        bench.hears(GatewayEvent::SignOutRequested).await;
    }
    assert_eq!(bench.page("GET", "/asyncmq/login?next=/asyncmq/queues%3Fa%3D1", "", "").await.status, 204);
    bench.hears(GatewayEvent::SignInRequested { next: Some("/asyncmq/queues?a=1".into()) }).await;
    while bench.reports.try_recv().is_ok() {}
    for target in ["/asyncmq/logout", "/logout", "/asyncmq/login"] {
        assert_eq!(bench.fetch("GET", target, "").await.status, 403, "a fetch of {target}");
        let image = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: \
             no-cors\r\nSec-Fetch-Dest: image\r\n\r\n",
            bench.host, bench.cookie
        );
        assert_eq!(bench.send(&image).await.status, 403, "an image of {target}");
        let frame = image.replace("no-cors", "navigate").replace("image", "iframe");
        assert_eq!(bench.send(&frame).await.status, 403, "a frame of {target}");
    }
    assert!(bench.reports.try_recv().is_err(), "nobody was asked");
    assert_eq!(admin.seen().len(), 0);
}

#[tokio::test]
async fn a_next_that_a_page_made_stays_inside_the_realm() {
    let admin = Admin::start(|_| text("reached")).await;
    let mut bench = Bench::before(&base(&admin)).await;
    for next in [
        "//evil.example/",
        "https://evil.example/asyncmq/",
        "/%5Cevil.example",
        "/asyncmq/%0aX",
        "/asyncmq/%252e%252e/../x",
        "/other/",
        "/asyncmq/../other",
        "javascript:alert(1)",
        "/asyncmq/logout",
        "",
    ] {
        bench.page("GET", &format!("/asyncmq/login?next={next}"), "", "").await;
        bench.hears(GatewayEvent::SignInRequested { next: None }).await;
    }
}

#[tokio::test]
async fn a_path_that_could_be_read_as_another_host_is_returned_to_on_this_one() {
    let admin = Admin::start(|_| text("reached")).await;
    let mut bench = Bench::before(&format!("http://{}", admin.address)).await;
    bench.page("GET", "/login?next=/x/..//evil.example/", "", "").await;
    bench.hears(GatewayEvent::SignInRequested { next: None }).await;
    let entry = bench.gateway.entry(Some("//evil.example/x")).expect("ticket");
    let entered = bench.send(&format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", entry.path(), bench.host)).await;
    assert_eq!(entered.header("location"), Some("/.//evil.example/x"));
    bench.clock.advance(1_000);
    let _page = Consumer::waiting(&bench, "//evil.example/x?y").await;
    let back = bench.gateway.take_interrupted_path().expect("a page was asked for");
    let page = bench.gateway.origin().join(&back).expect("a URL");
    assert_eq!(page.as_str(), format!("http://{}//evil.example/x?y", bench.host));
}

#[tokio::test]
async fn an_expired_session_sends_nothing_and_answers_by_itself() {
    let admin = Admin::start(|_| text("reached")).await;
    let bench = Bench::before(&base(&admin)).await;
    bench.clock.advance(1_000);
    Consumer::waiting(&bench, "/asyncmq/queues?x=1").await;
    assert_eq!(bench.fetch("GET", "/asyncmq/metrics/history", "").await.status, 401);
    assert_eq!(bench.page("POST", "/asyncmq/queues/a", "", "a=1").await.status, 204, "held");
    assert_eq!(admin.seen().len(), 0);
    assert!(matches!(bench.session.state(), SessionState::Expired { .. }));
}

#[tokio::test]
async fn pages_are_rewritten_to_this_origin_and_payloads_are_not() {
    let admin = Admin::start(|seen| {
        let host = seen.header("host").expect("host");
        html(format!(
            "<link rel=stylesheet href=\"http://{host}/asyncmq/static/a.css\"><a href='http://{host}/asyncmq/?a=1&amp;b=2'>x</a>\
             <input type=hidden name=job_def value='{{\"url\":\"http://{host}/asyncmq/\"}}'><pre>http://{host}/</pre>"
        ))
    })
    .await;
    let bench = Bench::before(&base(&admin)).await;
    let page = bench.page("GET", "/asyncmq/", "", "").await.text();
    let address = admin.address;
    assert!(page.contains("href=\"/asyncmq/static/a.css\"") && page.contains("/asyncmq/?a=1&amp;b=2"), "{page}");
    assert!(page.contains(&format!("value='{{\"url\":\"http://{address}/asyncmq/\"}}'")), "{page}");
    assert!(page.contains(&format!("<pre>http://{address}/</pre>")), "{page}");
}

#[tokio::test]
async fn redirects_inside_the_realm_lead_to_this_origin() {
    let admin = Admin::start(|seen| {
        let location = format!("http://{}/asyncmq/queues?x=1", seen.header("host").expect("host"));
        answer(303, &[("location", &location)], "")
    })
    .await;
    let bench = Bench::before(&base(&admin)).await;
    let answer = bench.page("POST", "/asyncmq/queues", "", "a=1").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/asyncmq/queues?x=1")));
    assert_eq!(admin.seen()[0].header("origin"), Some(format!("http://{}", admin.address).as_str()));
}

#[tokio::test]
async fn a_body_reaches_the_admin_byte_for_byte() {
    let admin = Admin::start(|_| text("ok")).await;
    let bench = Bench::before(&base(&admin)).await;
    let body = format!("job_def=%7B%22a%22%3A+1%7D&x={}", "é&".repeat(50_000));
    bench
        .page("POST", "/asyncmq/queues/a/repeatables", "Content-Type: application/x-www-form-urlencoded\r\n", &body)
        .await;
    let seen = &admin.seen()[0];
    assert_eq!(seen.body, body.as_bytes());
    assert_eq!(seen.header("content-length"), Some(body.len().to_string().as_str()));
    assert_eq!(seen.header("transfer-encoding"), None);
}

#[tokio::test]
async fn head_not_modified_and_etags_pass_verbatim() {
    let admin = Admin::start(|seen| {
        if seen.header("if-none-match") == Some("unquoted-etag") {
            answer(304, &[("etag", "unquoted-etag")], "")
        } else {
            answer(200, &[("etag", "unquoted-etag"), ("content-type", "text/css")], "body{}")
        }
    })
    .await;
    let bench = Bench::before(&base(&admin)).await;
    let first = bench.fetch("GET", "/asyncmq/static/a.css", "").await;
    assert_eq!((first.status, first.header("etag"), first.text().as_str()), (200, Some("unquoted-etag"), "body{}"));
    let second = bench.fetch("GET", "/asyncmq/static/a.css", "If-None-Match: unquoted-etag\r\n").await;
    assert_eq!((second.status, second.body.len()), (304, 0));
}

#[tokio::test]
async fn a_proxy_that_answers_for_an_admin_that_is_away_leaves_the_page_and_is_an_outage() {
    let away = Arc::new(AtomicBool::new(false));
    let is_away = away.clone();
    let admin = Admin::start(move |_| {
        if is_away.load(Ordering::SeqCst) {
            answer(502, &[("content-type", "text/html")], "<h1>nginx</h1>")
        } else {
            html("x")
        }
    })
    .await;
    let bench = Bench::before(&base(&admin)).await;
    assert_eq!(bench.page("GET", "/asyncmq/", "", "").await.status, 200);
    away.store(true, Ordering::SeqCst);
    assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.status, 204, "the page on the screen stays");
    assert!(matches!(bench.session.state(), SessionState::Unreachable { .. }));
    // To an action it is all the answer there is, and no sign that the admin is back.
    assert_eq!(bench.page("POST", "/asyncmq/queues", "", "a=1").await.status, 502);
    assert!(matches!(bench.session.state(), SessionState::Unreachable { .. }));
    let history = bench.session.history();
    assert_eq!(
        history.iter().filter(|entry| matches!(entry.change, Change::Unreachable { .. })).count(),
        1,
        "{history:?}"
    );
    away.store(false, Ordering::SeqCst);
    assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
    assert!(matches!(bench.session.state(), SessionState::Active { .. }));
}
