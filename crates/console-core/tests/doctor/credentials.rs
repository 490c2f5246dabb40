//! The credential: how it is carried, what it says, who signed it, what the admin makes of it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use console_core::{
    doctor::{StepId, Subject, Verdict},
    environment::EnvironmentDraft,
    network::Network,
    secrets::Secrets,
    session::Credential,
    sign_in::{
        Context, Grant, Method, Operator, SignIn as _, Step, client_credentials::ClientCredentials,
        local_signing::LocalSigning, oauth::ClientAuthentication,
    },
};
use console_testing::{AUDIENCE, ISSUER, SECRET, Server, token};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::bed::{assert_step, by_nobody, draft, granted, off_by, report, with_token};

/// Nothing answers there: what a token says is read all the same.
const NOWHERE: &str = "http://127.0.0.1:9/asyncmq";

struct Nobody;

impl Operator for Nobody {
    fn show(&self, _step: Step) {}
}

async fn obtained(subject: &Subject, secrets: Secrets) -> Grant {
    let Subject { environment, reach, clock, .. } = subject;
    let context = Context { environment, reach, clock: clock.clone(), operator: &Nobody };
    environment.sign_in.implementation().obtain(&context, secrets).await.expect("a grant")
}

/// A token of these parts, without a signature.
fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_wrong_header_is_found_to_pass_in_the_usual_one() {
    let admin = Server::admin(&json!({}));
    let wrong = EnvironmentDraft {
        header_name: "X-Admin-Token".into(),
        scheme: "Token".into(),
        ..draft(admin.text("base_url"))
    };
    let found = report(&with_token(&wrong, &token(600, &json!({})))).await;
    let parts = ["`x-admin-token: Token …`", "`Authorization: Bearer …`", "Set the header to `Authorization`"];
    assert_step(&found, StepId::Attachment, Verdict::Failed, &parts);
    let found = report(&with_token(&wrong, &token(-10, &json!({})))).await;
    assert_step(&found, StepId::Attachment, Verdict::Unknown, &["as well"]);

    let cookie = Server::admin(&json!({ "backend": "documented_jwt", "cookie": "access_token" }));
    let right = EnvironmentDraft { cookie_name: "access_token".into(), ..draft(cookie.text("base_url")) };
    let found = report(&with_token(&right, &token(600, &json!({})))).await;
    assert_step(&found, StepId::Attachment, Verdict::Well, &["cookie `access_token`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_shows_what_it_says_and_what_cannot_be_told() {
    let admin = Server::admin(&json!({ "secret": "another secret of the tests, long enough for HS256" }));
    let unset = EnvironmentDraft {
        expected_issuer: String::new(),
        expected_audience: String::new(),
        ..draft(admin.text("base_url"))
    };
    let found = report(&with_token(&unset, &token(600, &json!({ "aud": "elsewhere" })))).await;
    assert_step(&found, StepId::Accepted, Verdict::Failed, &["gate", "does not say why"]);
    assert_step(
        &found,
        StepId::Audience,
        Verdict::Unknown,
        &["`elsewhere`", "cannot be told from here", "expected audience"],
    );
    assert_step(&found, StepId::Issuer, Verdict::Unknown, &["`https://id.example`", "cannot be told from here"]);
    assert_step(&found, StepId::Attachment, Verdict::Unknown, &["cannot be told"]);
    assert_step(&found, StepId::Health, Verdict::Skipped, &["Acceptance"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_and_audience_are_compared_with_what_the_environment_expects() {
    let admin = Server::admin(&json!({}));
    let found = report(&with_token(
        &draft(admin.text("base_url")),
        &token(600, &json!({ "aud": "asyncmq-staging", "iss": "https://other.example" })),
    ))
    .await;
    assert_step(&found, StepId::Audience, Verdict::Failed, &["`asyncmq-staging`", &format!("expects `{AUDIENCE}`")]);
    assert_step(&found, StepId::Issuer, Verdict::Failed, &["`https://other.example`", &format!("expects `{ISSUER}`")]);
    let stale = EnvironmentDraft { expected_audience: "of-long-ago".into(), ..draft(admin.text("base_url")) };
    let found = report(&with_token(&stale, &token(600, &json!({})))).await;
    assert_step(&found, StepId::Audience, Verdict::Warning, &["accepts the token", "`of-long-ago`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_judged_by_the_servers_clock_and_a_clock_that_is_off_is_said() {
    let admin = Server::admin(&json!({}));
    let draft = draft(admin.text("base_url"));
    let found = report(&with_token(&draft, &token(-100, &json!({})))).await;
    assert_step(&found, StepId::Times, Verdict::Failed, &["ended 1 minute ago", "agrees"]);
    let later = console_testing::claims(600, &json!({}))["exp"].as_i64().expect("a time");
    let found = report(&with_token(&draft, &token(600, &json!({ "nbf": later - 330 })))).await;
    assert_step(&found, StepId::Times, Verdict::Failed, &["begins in 4 minutes"]);
    // Ours says that it is over; the server's does not.
    let found = report(&off_by(with_token(&draft, &token(600, &json!({}))), 3600)).await;
    assert_step(
        &found,
        StepId::Times,
        Verdict::Warning,
        &["ends in", "ahead of the server's", "Set this computer's clock"],
    );
    assert_step(&found, StepId::Accepted, Verdict::Well, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_the_token_is_for_and_what_they_may_is_read_and_compared_with_the_answer() {
    let admin = Server::admin(&json!({}));
    let nameless = report(&with_token(&draft(admin.text("base_url")), &token(600, &json!({ "sub": "" })))).await;
    assert_step(&nameless, StepId::Subject, Verdict::Failed, &["no `sub`"]);
    let no_admin = token(600, &json!({ "is_admin": false, "roles": ["viewer"] }));
    let found = report(&with_token(&draft(admin.text("base_url")), &no_admin)).await;
    assert_step(&found, StepId::Attachment, Verdict::Well, &[]);
    assert_step(&found, StepId::Admin, Verdict::Failed, &["is no admin", "`viewer`", "lets admins in only"]);
    assert_step(&found, StepId::Accepted, Verdict::Failed, &["not allowed"]);
    let strict = Server::admin(&json!({ "required_roles": ["ops"] }));
    let found = report(&with_token(&draft(strict.text("base_url")), &token(600, &json!({})))).await;
    assert_step(&found, StepId::Admin, Verdict::Failed, &["is an admin", "`required_roles`"]);
    let found = report(&with_token(&draft(NOWHERE), &no_admin)).await;
    assert_step(&found, StepId::Admin, Verdict::Warning, &["0.9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_signed_fails_and_one_that_cannot_be_read_is_said_to_be() {
    let claims = json!({ "sub": "alice" });
    let found = report(&with_token(&draft(NOWHERE), &unsigned(&json!({ "alg": "none" }), &claims))).await;
    assert_step(&found, StepId::Token, Verdict::Well, &["JWT"]);
    assert_step(&found, StepId::Algorithm, Verdict::Failed, &["`none`"]);
    assert_step(&found, StepId::Subject, Verdict::Well, &["alice"]);
    let found = report(&with_token(&draft(NOWHERE), &unsigned(&json!({ "alg": "XX9" }), &claims))).await;
    assert_step(&found, StepId::Algorithm, Verdict::Unknown, &["`XX9`"]);
    let found = report(&with_token(&draft(NOWHERE), "opaque-token")).await;
    assert_step(&found, StepId::Token, Verdict::Unknown, &["no JWT"]);
    assert_step(&found, StepId::Issuer, Verdict::Skipped, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_checked_with_the_environments_own_key() {
    let settings = LocalSigning { subject: "alice".into(), ..LocalSigning::default() };
    let draft = EnvironmentDraft { sign_in: Method::LocalSigning(settings.clone()), ..draft(NOWHERE) };
    let restored = |key: &str| {
        let kept = Secrets::one("key", key.to_owned().into());
        settings.restore(&kept, console_core::clock::UnixTime(4_000_000_000)).expect("signs")
    };
    let found = report(&granted(by_nobody(&draft), restored(SECRET))).await;
    assert_step(&found, StepId::Signature, Verdict::Well, &["own key"]);
    let mut strange = restored(SECRET);
    strange.keep = restored("another secret of the tests, long enough for HS256").keep;
    let found = report(&granted(by_nobody(&draft), strange)).await;
    assert_step(&found, StepId::Signature, Verdict::Failed, &["somebody else"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_checked_with_the_providers_keys() {
    let provider = Server::node("provider", "serve.mjs", &json!({ "algorithm": "ES256" }));
    let other = Server::node("provider", "serve.mjs", &json!({ "algorithm": "ES256" }));
    let subject = |provider: &Server| {
        let sign_in = Method::ClientCredentials(ClientCredentials {
            issuer: provider.text("issuer").into(),
            client_id: "console-basic".into(),
            client_authentication: ClientAuthentication::Basic,
            scopes: vec!["admin".into()],
            resource: provider.text("resource").into(),
            ..ClientCredentials::default()
        });
        let network = Network { ca_file: provider.text("ca_file").into(), ..Network::default() };
        by_nobody(&EnvironmentDraft { sign_in, network, ..draft(NOWHERE) })
    };
    let secret = |provider: &Server| Secrets::one("client_secret", provider.text("client_secret").to_owned().into());
    let grant = obtained(&subject(&provider), secret(&provider)).await;
    let Credential::Token(token) = &grant.credential else { panic!("a token") };
    let (signed, signature) = token.expose_secret().rsplit_once('.').expect("parts");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{signed}.{first}{}", &signature[1..]);
    let changed = Grant::token(changed.into(), None, Secrets::default());
    let elsewhere = Grant::token(token.clone(), None, Secrets::default());

    let found = report(&granted(subject(&provider), grant)).await;
    assert_step(&found, StepId::Signature, Verdict::Well, &["a key of the provider"]);
    let found = report(&granted(subject(&provider), changed)).await;
    assert_step(&found, StepId::Signature, Verdict::Failed, &["somebody else"]);
    let found = report(&granted(subject(&other), elsewhere)).await;
    assert_step(&found, StepId::Signature, Verdict::Failed, &[]);
    let (gone, grant) = (subject(&other), obtained(&subject(&other), secret(&other)).await);
    drop(other);
    let found = report(&granted(gone, grant)).await;
    assert_step(&found, StepId::Signature, Verdict::Unknown, &["could not be had"]);
}
