//! What is examined in these tests, and what is asked of a report.

use std::sync::Arc;

use console_core::{
    clock::{Clock, ManualClock, SystemClock, UnixTime},
    doctor::{Report, SignedIn, Step, StepId, Subject, Verdict, examine},
    environment::{Environment, EnvironmentDraft, EnvironmentId},
    network::Network,
    secrets::Secrets,
    session::Credential,
    sign_in::Grant,
    token::Identity,
    upstream::Reach,
};
use console_testing::{AUDIENCE, ISSUER, Server};
use serde_json::{Value, json};

/// What the admins of these tests expect.
pub(crate) fn draft(base_url: &str) -> EnvironmentDraft {
    EnvironmentDraft {
        name: "Acme".into(),
        tag: "TEST".into(),
        base_url: base_url.into(),
        expected_issuer: ISSUER.into(),
        expected_audience: AUDIENCE.into(),
        ..EnvironmentDraft::default()
    }
}

pub(crate) fn environment(draft: &EnvironmentDraft) -> Environment {
    draft.check().expect("sound settings").into_environment(EnvironmentId::random().expect("random"))
}

/// Examined by nobody.
pub(crate) fn by_nobody(draft: &EnvironmentDraft) -> Subject {
    with_network(draft, Secrets::default())
}

/// Examined by nobody, over a way with secrets.
pub(crate) fn with_network(draft: &EnvironmentDraft, network: Secrets) -> Subject {
    let environment = environment(draft);
    let reach = Reach::new(&environment, &network).expect("a way");
    Subject { environment, reach, network, signed_in: None, left_out: Vec::new(), clock: Arc::new(SystemClock) }
}

/// Examined with a token.
pub(crate) fn with_token(draft: &EnvironmentDraft, token: &str) -> Subject {
    signed_in(by_nobody(draft), token)
}

pub(crate) fn signed_in(subject: Subject, token: &str) -> Subject {
    granted(subject, Grant::token(token.to_owned().into(), None, Secrets::default()))
}

pub(crate) fn granted(subject: Subject, grant: Grant) -> Subject {
    let Grant { credential, identity, keep: kept } = grant;
    Subject { signed_in: Some(SignedIn { credential, identity, kept }), ..subject }
}

pub(crate) fn carrying(subject: Subject, credential: Credential) -> Subject {
    let signed_in = SignedIn { credential, identity: Identity::default(), kept: Secrets::default() };
    Subject { signed_in: Some(signed_in), ..subject }
}

/// A clock that is off by so many seconds, and stands still.
pub(crate) fn off_by(subject: Subject, seconds: i64) -> Subject {
    let now: UnixTime = SystemClock.now();
    Subject { clock: Arc::new(ManualClock::at(now.plus(seconds))), ..subject }
}

pub(crate) async fn report(subject: &Subject) -> Report {
    examine(subject, &mut |_: &Step| {}).await
}

pub(crate) fn step(report: &Report, id: StepId) -> &Step {
    report.steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no {} in\n{report}", id.as_str()))
}

/// The step stands so, and its finding and advice say all of `parts`.
#[track_caller]
pub(crate) fn assert_step(report: &Report, id: StepId, verdict: Verdict, parts: &[&str]) {
    let step = step(report, id);
    assert_eq!(step.verdict, verdict, "{} in\n{report}", id.as_str());
    for part in parts {
        let said = format!("{} {}", step.finding, step.advice);
        assert!(said.contains(part), "`{part}` is not in `{said}`");
    }
}

pub(crate) fn certificates() -> Server {
    Server::python("../certificates/serve.py", &json!({}))
}

pub(crate) fn front(configuration: &Value) -> Server {
    Server::python("../front/serve.py", configuration)
}

/// The origin of an admin's base URL.
pub(crate) fn origin(admin: &Server) -> String {
    admin.text("base_url").trim_end_matches("/asyncmq").to_owned()
}

/// Trusts the tests' own authority.
pub(crate) fn trusting(certificates: &Server) -> Network {
    Network { ca_file: certificates.text("ca_file").into(), ..Network::default() }
}
