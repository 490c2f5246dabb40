//! The way to the admin: name, connection, proxy, certificate, HTTP.

use std::net::TcpListener;

use console_core::{
    doctor::{StepId, Verdict},
    environment::EnvironmentDraft,
    network::Network,
    secrets::Secrets,
};
use console_testing::{Server, token};
use serde_json::json;

use crate::bed::{
    assert_step, by_nobody, certificates, draft, front, off_by, origin, report, signed_in, trusting, with_network,
};

const DAY: i64 = 24 * 60 * 60;
/// nginx answers 502 for it.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_is_the_first_to_fail_and_what_needs_it_is_not_looked_at() {
    let subject = signed_in(by_nobody(&draft("https://admin.asyncmq.invalid/asyncmq")), &token(600, &json!({})));
    let report = report(&subject).await;
    assert_step(&report, StepId::Dns, Verdict::Failed, &["`admin.asyncmq.invalid` does not resolve", "VPN"]);
    for id in [StepId::Tcp, StepId::Proxy, StepId::Tls, StepId::Http, StepId::Mount, StepId::Events] {
        assert_step(&report, id, Verdict::Skipped, &["Name resolution"]);
    }
    assert_step(&report, StepId::Subject, Verdict::Well, &["`alice`"]);
    assert!(!report.is_well());
    assert!(report.conclusion().contains("does not resolve"), "{}", report.conclusion());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nothing_listens_refuses_the_connection() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let report = report(&by_nobody(&draft(&format!("https://localhost:{free}/asyncmq")))).await;
    assert_step(&report, StepId::Dns, Verdict::Well, &["127.0.0.1"]);
    assert_step(&report, StepId::Tcp, Verdict::Failed, &["refused", &free.to_string()]);
    assert_step(&report, StepId::Tls, Verdict::Skipped, &["Connection"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_certificate_is_told_apart() {
    let certificates = certificates();
    let behind = |server: &str, network: Network| {
        let tls = server.split('/').fold(&certificates.ready, |value, key| &value[key]).clone();
        let front = front(&json!({ "upstream": NOBODY, "tls": tls }));
        let draft = EnvironmentDraft { network, ..draft(&format!("{}/asyncmq", front.text("origin"))) };
        (front, by_nobody(&draft))
    };
    for (server, network, parts) in [
        ("expired_server", trusting(&certificates), &["expired on", "renewed"][..]),
        ("other_host_server", trusting(&certificates), &["`another-host.invalid`", "not for `127.0.0.1`"]),
        ("stranger/server", trusting(&certificates), &["Strangers", "does not trust", "network settings"]),
        ("server", Network::default(), &["AsyncMQ Console tests", "does not trust"]),
    ] {
        let (_front, subject) = behind(server, network);
        let report = report(&subject).await;
        assert_step(&report, StepId::Tls, Verdict::Failed, parts);
        assert_step(&report, StepId::Http, Verdict::Skipped, &["TLS"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_within_two_weeks_is_a_warning() {
    let certificates = certificates();
    let front = front(&json!({ "upstream": NOBODY, "tls": certificates.ready["server"] }));
    let draft =
        EnvironmentDraft { network: trusting(&certificates), ..draft(&format!("{}/asyncmq", front.text("origin"))) };
    let now = report(&by_nobody(&draft)).await;
    let own = "trusted by this environment's own authorities";
    assert_step(&now, StepId::Tls, Verdict::Well, &[own, "TLS 1.3", "ALPN h2"]);
    let finding = &crate::bed::step(&now, StepId::Tls).finding;
    let days = finding.split("ends in ").nth(1).and_then(|rest| rest.split(' ').next()).expect("days");
    let days: i64 = days.parse().expect("a number");
    let late = report(&off_by(by_nobody(&draft), (days - 13) * DAY)).await;
    assert_step(&late, StepId::Tls, Verdict::Warning, &["ends in 13 days", "renewed"]);
    let earlier = report(&off_by(by_nobody(&draft), (days - 14) * DAY)).await;
    assert_step(&earlier, StepId::Tls, Verdict::Well, &["ends in 14 days"]);
    // Behind nginx is nobody.
    assert_step(&now, StepId::Http, Verdict::Failed, &["502"]);
    assert_step(&now, StepId::Mount, Verdict::Skipped, &["HTTP"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_that_speaks_no_tls_is_said_so() {
    let admin = Server::admin(&json!({}));
    let report = report(&by_nobody(&draft(&admin.text("base_url").replace("http:", "https:")))).await;
    assert_step(&report, StepId::Tls, Verdict::Failed, &["not accepted", "port"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_client_certificate_says_so_in_the_step_of_its_own() {
    let certificates = certificates();
    let mut tls = certificates.ready["server"].clone();
    tls["client_ca_file"] = certificates.ready["ca_file"].clone();
    let front = front(&json!({ "upstream": NOBODY, "tls": tls }));
    let network = trusting(&certificates);
    let report =
        report(&by_nobody(&EnvironmentDraft { network, ..draft(&format!("{}/asyncmq", front.text("origin"))) })).await;
    assert_step(&report, StepId::Tls, Verdict::Well, &["asks for a client certificate", "name a client certificate"]);
    assert_step(&report, StepId::Mount, Verdict::Failed, &["answers 400", "client certificate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_named_without_its_password_and_gone_through() {
    let certificates = certificates();
    let admin = Server::admin(&json!({ "trusted_proxies": ["127.0.0.1"] }));
    let front = front(&json!({ "upstream": origin(&admin), "tls": certificates.ready["server"] }));
    let mut proxies =
        Server::node("proxies", "serve.mjs", &json!({ "username": "alice", "password": "canary-of-the-proxy" }));
    let subject = |url: &str, password: &str| {
        let network = Network { proxy: url.into(), proxy_user: "alice".into(), ..trusting(&certificates) };
        let draft = EnvironmentDraft { network, ..draft(&format!("{}/asyncmq", front.text("origin"))) };
        with_network(&draft, Secrets::one("proxy_password", password.to_owned().into()))
    };
    let (http, socks) = (proxies.text("http_url").to_owned(), proxies.text("socks5_url").to_owned());
    for url in [http.clone(), socks.clone(), socks.replace("socks5:", "socks5h:")] {
        let found = report(&subject(&url, "canary-of-the-proxy")).await;
        assert_step(&found, StepId::Proxy, Verdict::Well, &[&url, "this environment's settings", "It leads to"]);
        assert_step(&found, StepId::Tls, Verdict::Well, &["through the proxy", "own authorities"]);
        assert_step(&found, StepId::Mount, Verdict::Well, &[]);
        assert!(!found.to_string().contains("canary"), "{found}");
    }
    for url in [&http, &socks] {
        let found = report(&subject(url, "a-wrong-canary")).await;
        assert_step(&found, StepId::Proxy, Verdict::Failed, &[url, "password"]);
        assert_step(&found, StepId::Tls, Verdict::Skipped, &["Proxy"]);
        assert!(!found.to_string().contains("canary"), "{found}");
    }
    proxies.tell(&json!({ "mode": "refuse" }));
    proxies.event("it changes", |event| event["event"] == "mode_changed");
    let found = report(&subject(&http, "canary-of-the-proxy")).await;
    assert_step(&found, StepId::Proxy, Verdict::Failed, &["did not lead to"]);
    drop(proxies);
    let found = report(&subject(&http, "canary-of-the-proxy")).await;
    assert_step(&found, StepId::Tcp, Verdict::Failed, &["refused", "It is the proxy", "this environment's settings"]);
}
