//! The admin: mount prefix, login path, health, actions, live events.

use std::sync::Mutex;

use console_core::{
    doctor::{Step, StepId, Verdict, examine},
    environment::EnvironmentDraft,
    session::Credential,
    sign_in::Method,
};
use console_testing::{Server, token};
use serde_json::{Value, json};

use crate::bed::{assert_step, by_nobody, carrying, certificates, draft, front, origin, report, trusting, with_token};

/// The tests' good token.
fn good() -> String {
    token(600, &json!({}))
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_good_front_all_is_well_and_every_step_is_shown_as_it_begins_and_as_it_ends() {
    let certificates = certificates();
    let admin = Server::admin(&json!({ "trusted_proxies": ["127.0.0.1"] }));
    let front = front(&json!({ "upstream": origin(&admin), "tls": certificates.ready["server"] }));
    let base_url = format!("{}/asyncmq", front.text("origin").replace("127.0.0.1", "localhost"));
    let subject = with_token(&EnvironmentDraft { network: trusting(&certificates), ..draft(&base_url) }, &good());
    let shown = Mutex::new(Vec::new());
    let found = examine(&subject, &mut |step: &Step| shown.lock().expect("whole").push(step.clone())).await;

    for (id, parts) in [
        (StepId::Dns, &["localhost", "127.0.0.1"][..]),
        (StepId::Tcp, &["127.0.0.1:"]),
        (StepId::Tls, &["TLS 1.3"]),
        (StepId::Http, &["HTTP/2", "nginx"]),
        (StepId::Mount, &["`/asyncmq`"]),
        (StepId::Login, &["`/asyncmq/login`"]),
        (StepId::Attachment, &["`Authorization: Bearer …`"]),
        (StepId::Token, &["JWT", "`sub`"]),
        (StepId::Algorithm, &["`HS256`"]),
        (StepId::Issuer, &["https://id.example", "expects"]),
        (StepId::Audience, &["asyncmq-admin", "expects"]),
        (StepId::Times, &["ends in", "agrees"]),
        (StepId::Subject, &["alice"]),
        (StepId::Admin, &["is an admin"]),
        (StepId::Accepted, &["The dashboard answers"]),
        (StepId::Health, &["lives"]),
        (StepId::Ready, &["InMemoryBackend"]),
        (StepId::SameOrigin, &["passes"]),
        (StepId::Events, &["next round"]),
    ] {
        assert_step(&found, id, Verdict::Well, parts);
    }
    assert_step(&found, StepId::Proxy, Verdict::Skipped, &["on this computer"]);
    assert_step(&found, StepId::Signature, Verdict::Unknown, &["cannot be told from here"]);
    assert!(found.is_well(), "{found}");
    assert_eq!(found.conclusion(), "All that can be told from here is well. Not told: Signature.");

    let text = found.to_string();
    assert!(text.contains(&format!("Acme at {base_url}")), "{text}");
    assert!(text.contains(env!("CARGO_PKG_VERSION")) && text.contains("GMT"), "{text}");
    let shown = shown.into_inner().expect("whole");
    let begun: Vec<_> = shown.iter().step_by(2).map(|step| (step.id, step.verdict)).collect();
    assert_eq!(begun, StepId::ALL.map(|id| (id, Verdict::Running)));
    let ended: Vec<_> = shown.into_iter().skip(1).step_by(2).collect();
    assert_eq!(ended, found.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_mount_prefix_names_the_right_one() {
    let admin = Server::admin(&json!({}));
    let right = admin.text("base_url");
    let found = report(&with_token(&draft(&right.replace("/asyncmq", "/elsewhere")), &good())).await;
    assert_step(&found, StepId::Mount, Verdict::Failed, &["`/elsewhere`", "404", &format!("`{right}`")]);
    assert_step(&found, StepId::Accepted, Verdict::Skipped, &["Mount prefix"]);
    let found = report(&with_token(&draft(&format!("{right}/queues")), &good())).await;
    let parts = ["mounted elsewhere", &format!("Change the base URL to `{right}`.")];
    assert_step(&found, StepId::Mount, Verdict::Failed, &parts);
    assert_step(&found, StepId::Events, Verdict::Skipped, &["Mount prefix"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_proxy_in_front_is_named() {
    let admin = Server::admin(&json!({}));
    let front = front(&json!({ "upstream": origin(&admin), "demand": { "headers": { "CF-Access": "x" } } }));
    let base_url = format!("{}/asyncmq", front.text("origin"));
    let found = report(&with_token(&draft(&base_url), &good())).await;
    assert_step(&found, StepId::Mount, Verdict::Failed, &["`team.access.example`", "extra headers"]);
    let found = report(&by_nobody(&draft(&base_url))).await;
    assert_step(&found, StepId::Mount, Verdict::Failed, &["`team.access.example`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_login_path_is_named_with_the_setting_to_change() {
    let admin = Server::admin(&json!({ "login_path": "/signin" }));
    let found = report(&by_nobody(&draft(admin.text("base_url")))).await;
    assert_step(&found, StepId::Mount, Verdict::Well, &[]);
    assert_step(&found, StepId::Login, Verdict::Failed, &["`/asyncmq/signin`", "login path", "to `/signin`"]);
    let right = EnvironmentDraft { login_path: "/signin".into(), ..draft(admin.text("base_url")) };
    let found = report(&by_nobody(&right)).await;
    assert_step(&found, StepId::Login, Verdict::Well, &["`/asyncmq/signin`"]);
    assert_step(&found, StepId::Accepted, Verdict::Skipped, &["sign in"]);
    assert_step(&found, StepId::Health, Verdict::Skipped, &["sign in"]);
    assert_step(&found, StepId::Token, Verdict::Skipped, &["sign in"]);
    assert_step(&found, StepId::Times, Verdict::Well, &["agrees"]);
    assert!(found.is_well(), "nothing failed:\n{found}");
    assert!(found.conclusion().contains("The rest was not looked at"), "{}", found.conclusion());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_admin_wants_nothing_and_one_that_is_not_says_so() {
    let open = Server::admin(&json!({ "backend": "open" }));
    let found = report(&by_nobody(&draft(open.text("base_url")))).await;
    assert_step(&found, StepId::Mount, Verdict::Well, &["dashboard"]);
    assert_step(&found, StepId::Accepted, Verdict::Well, &["anybody"]);
    assert_step(&found, StepId::Events, Verdict::Well, &[]);
    let closed = Server::admin(&json!({}));
    let draft = EnvironmentDraft { sign_in: Method::None, ..draft(closed.text("base_url")) };
    let found = report(&carrying(by_nobody(&draft), Credential::Nothing)).await;
    assert_step(&found, StepId::Accepted, Verdict::Failed, &["asks for a credential", "sign-in method"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_something_in_front_answers_in_the_dashboards_place_is_told() {
    let admin = Server::admin(&json!({ "trusted_proxies": ["127.0.0.1"] }));
    let answering = |answers: Value| {
        let front = front(&json!({ "upstream": origin(&admin), "answers": answers }));
        let subject = with_token(&draft(&format!("{}/asyncmq", front.text("origin"))), &good());
        (front, subject)
    };
    let (_front, subject) = answering(json!({ "/asyncmq/health": 500, "/asyncmq/ready": 503, "/asyncmq/events": 403 }));
    let found = report(&subject).await;
    assert_step(&found, StepId::Health, Verdict::Failed, &["500"]);
    assert_step(&found, StepId::Ready, Verdict::Failed, &["503"]);
    assert_step(&found, StepId::Events, Verdict::Failed, &["403", "/events"]);
    // As an older release does.
    let (_front, subject) = answering(json!({ "/asyncmq/health": 404, "/asyncmq/ready": 404, "/asyncmq/events": 200 }));
    let found = report(&subject).await;
    assert_step(&found, StepId::Health, Verdict::Unknown, &["0.9"]);
    assert_step(&found, StepId::Ready, Verdict::Unknown, &["0.9"]);
    assert_step(&found, StepId::SameOrigin, Verdict::Unknown, &["before 0.9"]);
    assert_step(&found, StepId::Events, Verdict::Failed, &["text/html"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_that_does_not_trust_its_proxy_is_told_the_name_of_the_setting() {
    let (certificates, admin) = (certificates(), Server::admin(&json!({})));
    let front = front(&json!({ "upstream": origin(&admin), "tls": certificates.ready["server"] }));
    let base_url = format!("{}/asyncmq", front.text("origin"));
    let subject = with_token(&EnvironmentDraft { network: trusting(&certificates), ..draft(&base_url) }, &good());
    let found = report(&subject).await;
    assert_step(&found, StepId::Accepted, Verdict::Well, &[]);
    assert_step(&found, StepId::SameOrigin, Verdict::Failed, &["rejects actions", "`trusted_proxies`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_that_holds_live_events_back_is_told_apart_from_one_that_lets_them_pass() {
    let admin = Server::admin(&json!({ "trusted_proxies": ["127.0.0.1"] }));
    let scanner = Server::python("../front/scanner.py", &json!({ "upstream": origin(&admin) }));
    let found = report(&with_token(&draft(&format!("{}/asyncmq", scanner.text("origin"))), &good())).await;
    assert_step(&found, StepId::SameOrigin, Verdict::Well, &[]);
    assert_step(&found, StepId::Events, Verdict::Failed, &["hold", "proxy_buffering off", "X-Accel-Buffering: no"]);
}
