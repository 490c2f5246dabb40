//! The gateway before the real AsyncMQ admin from PyPI. `cargo xtask test` sets `ADMIN_PYTHON`; without it these fail.

mod support;

use console_core::{
    secrets::Secrets,
    session::{Refusal, SessionState},
    upstream::{Outcome, Reach, probe},
};
use console_gateway::GatewayEvent;
use serde_json::json;
use support::{Bench, consumer::Consumer, real::RealAdmin};

/// The value of the first attribute that begins with `before`, as it stands in the page.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

#[tokio::test]
async fn every_page_passes_with_addresses_that_lead_here_under_every_prefix() {
    for prefix in ["/asyncmq", "/ops/queues"] {
        let admin = RealAdmin::start(&json!({ "prefix": prefix }));
        let host = admin.host();
        let bench = Bench::signed_in(&admin, &json!({})).await;
        for path in [
            "/",
            "/queues",
            "/queues/emails",
            "/queues/emails/jobs?state=failed",
            "/queues/emails/jobs/receipt-1",
            "/queues/emails/dlq",
            "/queues/emails/repeatables",
            "/queues/emails/repeatables/new",
            "/workers",
            "/metrics",
            "/audit",
            "/events/history",
        ] {
            let page = bench.page("GET", &format!("{prefix}{path}"), "", "").await;
            assert_eq!(page.status, 200, "{path}");
            let text = page.text();
            for attribute in ["href=\"", "src=\"", "action=\"", "data-events-url=\""] {
                assert!(!text.contains(&format!("{attribute}http://{host}")), "{path}: {attribute} leads away");
            }
            let sheet = between(&text, "<link rel=\"stylesheet\" href=\"", "\"").expect("a stylesheet").to_owned();
            let asset = bench.fetch("GET", &sheet, "").await;
            assert_eq!(asset.status, 200, "{sheet}");
        }
        for path in ["/metrics/history", "/metrics/prometheus", "/health", "/ready"] {
            assert_eq!(bench.fetch("GET", &format!("{prefix}{path}"), "").await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn pausing_a_repeatable_sends_back_exactly_what_the_admin_rendered() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let page = bench.page("GET", "/asyncmq/queues/emails/repeatables", "", "").await.text();
    let values: Vec<String> = page
        .match_indices("name=\"job_def\" value=\"")
        .filter_map(|(at, found)| {
            Some(html_escape::decode_html_entities(between(&page[at..], found, "\"")?).into_owned())
        })
        .filter(|value| value.contains("\"key\""))
        .collect();
    let value = values.first().expect("the definition that holds the admin's own address");
    assert!(value.contains(&admin.base_url), "the payload names the admin, not this gateway: {value}");
    let paused = bench.submit("/asyncmq/queues/emails/repeatables", &[("job_def", value), ("action", "pause")]).await;
    assert_eq!((paused.status, paused.header("location")), (303, Some("/asyncmq/queues/emails/repeatables")));
    let page = bench.page("GET", "/asyncmq/queues/emails/repeatables", "", "").await.text();
    assert!(page.contains("value=\"resume\""), "the admin found the definition by what was sent back");
}

#[tokio::test]
async fn a_flash_message_survives_because_background_fetches_do_not_touch_the_jar() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let fields = [("_response", "html"), ("return_to", "/asyncmq/queues/emails/jobs?state=failed")];
    let retried = bench.submit("/asyncmq/queues/emails/jobs/receipt-1/retry", &fields).await;
    assert_eq!(retried.status, 303);
    bench.fetch("GET", "/asyncmq/metrics/history", "").await;
    let location = retried.header("location").expect("location").to_owned();
    assert!(location.starts_with("/asyncmq/"), "{location}");
    let page = bench.page("GET", &location, "", "").await.text();
    assert!(page.contains("retry completed"), "the flash message is on the next page");
    let audit = bench.page("GET", "/asyncmq/audit", "", "").await.text();
    assert!(audit.contains("job.retry") && audit.contains("receipt-1"));
}

#[tokio::test]
async fn a_token_that_the_admin_refuses_ends_the_session() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::signed_in(&admin, &json!({ "aud": "another" })).await;
    let _page = Consumer::waiting(&bench, "/asyncmq/queues?x=1").await;
    assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::Gate, .. }));
    assert_eq!(bench.gateway.take_interrupted_path().as_deref(), Some("/asyncmq/queues?x=1"));
}

#[tokio::test]
async fn who_is_no_admin_is_told_from_who_is_nobody() {
    let admin = RealAdmin::start(&json!({ "required_roles": ["operators"] }));
    for claims in [json!({ "is_admin": false }), json!({ "roles": ["readers"] })] {
        let bench = Bench::signed_in(&admin, &claims).await;
        let page = bench.page("GET", "/asyncmq/", "", "").await;
        assert!(page.status == 403 && page.text().contains("Signed in, but not allowed"), "{claims}");
        assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. }));
    }
}

#[tokio::test]
async fn the_probe_tells_an_admin_that_lets_actions_pass() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::signed_in(&admin, &json!({})).await;
    let reach = Reach::new(&bench.environment, &Secrets::default()).expect("a way");
    let authorization = bench.session.authorize().expect("active");
    let report = probe(&reach, &bench.environment, &authorization).await.expect("reaches");
    assert_eq!((report.page, report.action), (Outcome::Answered, Outcome::Answered));
}

#[tokio::test]
async fn the_native_routes_of_the_real_dashboard_are_the_consoles() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = Bench::signed_in(&admin, &json!({})).await;
    let page = bench.page("GET", "/asyncmq/", "", "").await.text();
    let logout = between(&page, "<form method=\"post\" action=\"", "\"").expect("the logout form").to_owned();
    assert_eq!(bench.page("POST", &logout, "", "").await.status, 204);
    assert_eq!(bench.report().await, GatewayEvent::SignOutRequested);
    assert_eq!(bench.page("GET", "/asyncmq/", "", "").await.status, 200, "nothing was done yet");
}
