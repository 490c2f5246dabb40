//! What pages may load from others, and what is told of what they may not.

mod support;

use console_core::third_party::ThirdParty;
use console_gateway::{Blocked, GatewayEvent, Kind};
use serde_json::json;
use support::{Admin, Answer, Bench, answer};

const OWN: &str = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:";

fn third_party(url: &str) -> ThirdParty {
    ThirdParty::of(&url.parse().expect("a URL")).expect("a host with a name, over TLS")
}

fn policies(answer: &Answer) -> Vec<&str> {
    let of_policy = answer.headers.iter().filter(|(name, _)| name == "content-security-policy");
    of_policy.map(|(_, value)| value.as_str()).collect()
}

async fn bench() -> (Admin, Bench) {
    let admin = Admin::start(|_| {
        answer(200, &[("content-type", "text/html"), ("content-security-policy", "default-src 'self'")], "<p>page</p>")
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    (admin, bench)
}

/// As WebKitGTK 2.50 sends it.
async fn reports(bench: &Bench, cookie: &str, site: &str, body: &str) -> u16 {
    let head = format!(
        "POST /.console/blocked HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nOrigin: null\r\nSec-Fetch-Site: {site}\r\n\
         Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty\r\nContent-Type: application/csp-report\r\n\
         Content-Length: {}\r\n\r\n{body}",
        bench.host,
        body.len()
    );
    bench.send(&head).await.status
}

fn report(uri: &str, directive: &str) -> String {
    json!({ "csp-report": { "blocked-uri": uri, "effective-directive": directive } }).to_string()
}

#[tokio::test]
async fn a_page_loads_from_its_gateway_and_from_whom_was_allowed_and_the_admins_own_policy_stays() {
    let (_admin, bench) = bench().await;
    let page = bench.page("GET", "/asyncmq/", "", "").await;
    assert_eq!(policies(&page), ["default-src 'self'", &format!("{OWN}; report-uri /.console/blocked")]);
    bench.gateway.allow([third_party("https://cdn.example/x.js")].iter());
    let page = bench.page("GET", "/asyncmq/", "", "").await;
    let allowed = format!("{OWN} https://cdn.example; report-uri /.console/blocked");
    assert_eq!(policies(&page), ["default-src 'self'", &allowed]);
}

#[tokio::test]
async fn what_a_browser_blocked_is_told_once_and_nobody_but_the_page_can_tell_it() {
    let (admin, mut bench) = bench().await;
    let script = report("https://cdn.example/x.js?secret=1", "script-src-elem");
    assert_eq!(reports(&bench, "", "same-origin", &script).await, 403, "without the guard cookie");
    let cookie = bench.cookie.clone();
    assert_eq!(reports(&bench, &cookie, "cross-site", &script).await, 403, "another page");
    assert_eq!(reports(&bench, &cookie, "same-origin", &script).await, 204);
    assert_eq!(reports(&bench, &cookie, "same-origin", &script).await, 204, "again");
    // Of what cannot be allowed nothing is told, and of what is no report neither.
    assert_eq!(reports(&bench, &cookie, "same-origin", &report("http://127.0.0.1:22/", "connect-src")).await, 204);
    assert_eq!(reports(&bench, &cookie, "same-origin", "not JSON").await, 204);
    assert_eq!(reports(&bench, &cookie, "same-origin", &"x".repeat(65 * 1024)).await, 204, "too long to be read");
    let style = report("https://cdn.example/a.css", "style-src-elem");
    assert_eq!(reports(&bench, &cookie, "same-origin", &style).await, 204);
    let told = |kind| GatewayEvent::Blocked(Blocked { third_party: third_party("https://cdn.example"), kind });
    assert_eq!(bench.report().await, told(Kind::Script));
    assert_eq!(bench.report().await, told(Kind::Style));
    assert!(admin.seen().is_empty(), "reports are the console's own");
}

#[tokio::test]
async fn a_page_that_makes_up_hosts_is_heard_a_bounded_number_of_times() {
    let (_admin, mut bench) = bench().await;
    let cookie = bench.cookie.clone();
    for number in 0..80 {
        let made_up = report(&format!("https://h{number}.example/"), "img-src");
        assert_eq!(reports(&bench, &cookie, "same-origin", &made_up).await, 204);
    }
    let mut told = 0;
    while let Ok(event) = bench.reports.try_recv() {
        told += usize::from(matches!(event, GatewayEvent::Blocked(_)));
    }
    assert_eq!(told, 64);
}
