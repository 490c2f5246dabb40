//! What a provider, a page or a thief can do wrong, and the sentence in which each ends: the scripted provider of
//! `tests/provider`, over real sockets. After each nothing is kept, and no port is left open.

#[path = "oauth_hostile/device.rs"]
mod device;
#[path = "oauth_hostile/later.rs"]
mod later;
#[path = "support/provider.rs"]
mod provider;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use console_core::{
    clock::{Clock as _, ManualClock, SystemClock},
    secrets::Secrets,
    sign_in::{
        Advice as _, Grant, Method, SignInError,
        client_credentials::ClientCredentials,
        oauth::{Place, ProviderError, Sends},
        openid_connect::OpenIdConnect,
    },
    upstream::UnreachableKind,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};
use url::Url;

use provider::{Bench, PlainBrowser, Server, assert_closed, browser_url, parameter, provider_error, redirect_uri};

async fn hostile(configuration: Value) -> Server {
    Server::start("hostile.mjs", &configuration).await
}

fn in_browser(server: &Server) -> OpenIdConnect {
    OpenIdConnect { issuer: server.text("issuer"), client_id: "console".into(), ..OpenIdConnect::default() }
}

fn bench(server: &Server) -> Bench {
    Bench::new(server, Method::OpenIdConnect(in_browser(server)))
}

async fn misbehave(server: &mut Server, faults: Value) {
    server.command(json!({ "faults": faults }), "faults_changed").await;
}

/// Signs in with a browser that follows wherever it is sent; the port is closed afterwards, and what is said is no secret.
async fn sign_in(bench: &Bench) -> Result<Grant, SignInError> {
    let opened = Mutex::new(None);
    let result = bench
        .obtain(Secrets::default(), async |step| {
            let url = browser_url(step);
            *opened.lock().expect("lock") = Some(url.clone());
            PlainBrowser::new().visit(url).await;
        })
        .await;
    let opened = opened.into_inner().expect("lock");
    if let Some(url) = &opened {
        assert_closed(&redirect_uri(url));
    }
    if let Err(error) = &result {
        let said = format!("{error} {error:?}");
        for secret in ["state", "nonce", "code_challenge"] {
            let secret = opened.as_ref().and_then(|url| parameter(url, secret));
            assert!(secret.is_none_or(|secret| !said.contains(&secret)), "{said}");
        }
    }
    result
}

#[tokio::test]
async fn a_provider_that_behaves_signs_in_and_every_attempt_is_bound_anew() {
    let server = hostile(json!({})).await;
    let bench = bench(&server);
    let seen = Mutex::new(Vec::new());
    for _ in 0..2 {
        let grant = bench
            .obtain(Secrets::default(), async |step| {
                let url = browser_url(step);
                let visited = PlainBrowser::new().visit(url.clone()).await;
                assert_eq!((visited.url.path(), visited.url.query(), visited.status), ("/done", None, 200));
                seen.lock().expect("lock").push(url);
            })
            .await
            .expect("a grant");
        assert_eq!(grant.identity.subject.as_deref(), Some("alice"));
        assert_eq!(grant.identity.audience, ["https://asyncmq-admin.example"]);
    }
    let seen = seen.into_inner().expect("lock");
    let of = |name| -> Vec<String> { seen.iter().map(|url| parameter(url, name).expect(name)).collect() };
    for name in ["state", "nonce", "code_challenge"] {
        let values = of(name);
        assert_ne!(values[0], values[1], "{name} is new each time");
        assert!(values[0].len() >= 22, "{name} has at least 128 bits");
    }
    assert_eq!(of("code_challenge_method"), ["S256", "S256"]);
    assert_eq!(of("response_type"), ["code", "code"]);
    for url in &seen {
        let callback = redirect_uri(url);
        assert_eq!((callback.scheme(), callback.host_str(), callback.path()), ("http", Some("127.0.0.1"), "/callback"));
    }
}

/// A fault, and whether an error is its.
type Case = (&'static str, fn(&ProviderError) -> bool);

#[tokio::test]
async fn an_id_token_that_is_not_to_be_trusted_is_refused_in_its_own_sentence() {
    let mut server = hostile(json!({})).await;
    let bench = bench(&server);
    let cases: [Case; 15] = [
        (
            "wrong_aud",
            |error| matches!(error, ProviderError::IdTokenAudience { theirs, .. } if theirs == "another-client"),
        ),
        ("wrong_azp", |error| matches!(error, ProviderError::IdTokenAudience { .. })),
        ("wrong_nonce", |error| *error == ProviderError::Nonce),
        ("no_nonce", |error| *error == ProviderError::Nonce),
        (
            "wrong_iss",
            |error| matches!(error, ProviderError::IdTokenIssuer { theirs, .. } if theirs == "https://honest.example"),
        ),
        ("no_sub", |error| matches!(error, ProviderError::IdTokenUnreadable { .. })),
        ("wrong_at_hash", |error| *error == ProviderError::AccessTokenHash),
        ("expired", |error| *error == ProviderError::IdTokenTime),
        ("future", |error| *error == ProviderError::IdTokenTime),
        ("unknown_kid", |error| *error == ProviderError::UnknownKey { key_id: "nobody-knows".into() }),
        ("bad_signature", |error| *error == ProviderError::Signature),
        ("alg_none", |error| *error == ProviderError::Algorithm { algorithm: "none".into() }),
        ("hs256_public_key", |error| *error == ProviderError::Algorithm { algorithm: "HS256".into() }),
        ("garbage", |error| matches!(error, ProviderError::IdTokenUnreadable { .. })),
        ("well", |_| true),
    ];
    for (fault, is_expected) in cases {
        misbehave(&mut server, json!({ "id_token": fault })).await;
        let result = sign_in(&bench).await;
        if fault == "well" {
            result.expect("a grant");
            continue;
        }
        let error = provider_error(result);
        assert!(is_expected(&error), "{fault}: {error}");
    }
    misbehave(&mut server, json!({ "jwks": "other_key" })).await;
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::Signature, "the same kid, another key");
    misbehave(&mut server, json!({ "jwks": "no_keys" })).await;
    assert!(matches!(provider_error(sign_in(&bench).await), ProviderError::UnknownKey { .. }));
}

#[tokio::test]
async fn a_mix_up_of_two_providers_is_refused_before_the_code_goes_anywhere() {
    let mut server = hostile(json!({ "faults": { "authorization": "wrong_iss" } })).await;
    let bench = bench(&server);
    let issuer = server.text("issuer");
    let theirs = Some("https://honest.example".to_owned());
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::MixUp { ours: issuer.clone(), theirs });
    misbehave(&mut server, json!({ "authorization": "no_iss" })).await;
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::MixUp { ours: issuer, theirs: None });
    // A provider that does not announce the parameter need not send it.
    misbehave(&mut server, json!({ "authorization": "no_iss", "discovery": "no_iss_parameter" })).await;
    sign_in(&bench).await.expect("a grant");
    // One that does not announce it and sends another's all the same is refused.
    misbehave(&mut server, json!({ "authorization": "wrong_iss", "discovery": "no_iss_parameter" })).await;
    assert!(matches!(provider_error(sign_in(&bench).await), ProviderError::MixUp { .. }));
    // Of four codes one was exchanged.
    misbehave(&mut server, json!({})).await;
    let asked = |endpoint: &str| server.passed.iter().filter(|event| event["endpoint"] == endpoint).count();
    assert_eq!(asked("token"), 1);
    assert!(asked("authorization") >= 4);
}

#[tokio::test]
async fn a_code_of_another_session_is_refused_with_and_without_the_providers_help() {
    let mut server = hostile(json!({ "faults": { "authorization": "code_injection" } })).await;
    let bench = bench(&server);
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::Nonce, "the provider checks no PKCE");
    misbehave(&mut server, json!({ "authorization": "code_injection_checked" })).await;
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::CodeRefused, "PKCE");
}

#[tokio::test]
async fn a_forged_answer_changes_nothing_and_the_right_one_still_counts() {
    let server = hostile(json!({})).await;
    let bench = bench(&server);
    let grant = bench
        .obtain(Secrets::default(), async |step| {
            let url = browser_url(step);
            let callback = redirect_uri(&url);
            let state = parameter(&url, "state").expect("a state");
            let host = format!("127.0.0.1:{}", callback.port().expect("port"));
            for (what, request) in [
                ("a forged state", format!("GET /callback?code=x&state=forged HTTP/1.1\r\nHost: {host}\r\n\r\n")),
                (
                    "a POST",
                    format!(
                        "POST /callback?code=x&state={state} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
                    ),
                ),
                (
                    "a rebinding name",
                    format!("GET /callback?code=x&state={state} HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
                ),
                ("another path", format!("GET /other?code=x&state={state} HTTP/1.1\r\nHost: {host}\r\n\r\n")),
                (
                    "a frame",
                    format!(
                        "GET /callback?code=x&state={state} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Dest: iframe\r\n\r\n"
                    ),
                ),
            ] {
                let status = send(&callback, &request).await;
                assert!((400..500).contains(&status), "{what}: {status}");
            }
            let visited = PlainBrowser::new().visit(url).await;
            assert_eq!(visited.status, 200);
            // Replayed by somebody who saw the address: the port is closing or the state is used.
            let replayed = format!("GET /callback?code=x&state={state} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            if let Ok(mut stream) = TcpStream::connect(&host).await {
                let mut answer = String::new();
                let _ = stream.write_all(replayed.as_bytes()).await;
                let _ = stream.read_to_string(&mut answer).await;
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 409"), "{answer}");
            }
        })
        .await;
    assert_eq!(grant.expect("a grant").identity.subject.as_deref(), Some("alice"));
}

async fn send(callback: &Url, request: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", callback.port().expect("port"))).await.expect("open");
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[tokio::test]
async fn a_wrong_state_from_the_provider_is_waited_out_and_a_cancelled_sign_in_closes_its_port() {
    for fault in ["wrong_state", "no_state"] {
        let server = hostile(json!({ "faults": { "authorization": fault } })).await;
        let bench = bench(&server);
        let callback = Mutex::new(None);
        let waiting = bench.obtain(Secrets::default(), async |step| {
            let url = browser_url(step);
            *callback.lock().expect("lock") = Some(redirect_uri(&url));
            assert_eq!(PlainBrowser::new().visit(url).await.status, 400);
        });
        // It goes on waiting; the operator gives up.
        assert!(time::timeout(Duration::from_secs(3), waiting).await.is_err(), "{fault}");
        assert_closed(&callback.into_inner().expect("lock").expect("a callback"));
    }
}

#[tokio::test]
async fn nobody_comes_within_five_minutes_and_that_is_said() {
    let server = hostile(json!({})).await;
    let bench = bench(&server);
    let callback = Mutex::new(None);
    let error = bench
        .obtain_whenever(Secrets::default(), async |step| {
            *callback.lock().expect("lock") = Some(redirect_uri(&browser_url(step)));
            time::pause();
            time::advance(Duration::from_secs(299)).await;
            time::resume();
            time::sleep(Duration::from_millis(50)).await;
            let port = callback.lock().expect("lock").as_ref().and_then(Url::port).expect("a port");
            assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok(), "not before the time");
            time::pause();
            time::advance(Duration::from_secs(2)).await;
            time::resume();
        })
        .await;
    assert_eq!(provider_error(error), ProviderError::TimedOut { minutes: 5 });
    assert_closed(&callback.into_inner().expect("lock").expect("a callback"));
}

#[tokio::test]
async fn a_refusal_at_the_provider_is_said_in_its_words_without_markup_that_works() {
    let mut server = hostile(json!({ "faults": { "authorization": "denied" } })).await;
    let bench = bench(&server);
    let said = "The person said no".to_owned();
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::AccessDenied { said });
    misbehave(&mut server, json!({ "authorization": "denied_with_markup" })).await;
    assert!(matches!(provider_error(sign_in(&bench).await), ProviderError::AccessDenied { .. }));
    misbehave(&mut server, json!({ "authorization": "no_code" })).await;
    assert!(matches!(provider_error(sign_in(&bench).await), ProviderError::Answer { place: Place::Authorization, .. }));
}

#[tokio::test]
async fn answers_that_are_no_answers_each_have_their_sentence_wherever_they_come() {
    let mut server = hostile(json!({})).await;
    let bench = bench(&server);
    for (endpoint, place) in [("discovery", Place::Discovery), ("jwks", Place::Keys), ("token", Place::Token)] {
        let mut of = async |fault: &str| {
            misbehave(&mut server, json!({ endpoint: fault })).await;
            sign_in(&bench).await
        };
        let found = "`text/html`".to_owned();
        assert_eq!(provider_error(of("html").await), ProviderError::NotJson { place, found });
        assert_eq!(provider_error(of("huge").await), ProviderError::TooLong { place });
        assert_eq!(provider_error(of("error").await), ProviderError::Status { place, status: 500 });
        let garbage = provider_error(of("garbage").await);
        let no_json =
            |error: &ProviderError| matches!(error, ProviderError::Answer { reason, .. } if reason == "it is no JSON");
        assert!(no_json(&garbage), "{endpoint}: {garbage}");
        let empty = provider_error(of("empty").await);
        assert!(matches!(empty, ProviderError::Answer { .. }), "{endpoint}: {empty}");
        let redirect = provider_error(of("redirect").await);
        assert_eq!(redirect, ProviderError::Redirect { place, to: "127.0.0.2".into() }, "never followed");
        for fault in ["reset", "cut"] {
            let broken = of(fault).await.expect_err("broken");
            assert!(
                matches!(&broken, SignInError::Unreachable(why) if why.kind == UnreachableKind::Broken),
                "{broken}"
            );
        }
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up_and_the_port_with_it() {
    let hangs = async |endpoint: &str| {
        let server = hostile(json!({ "faults": { endpoint: "hang" } })).await;
        let error = sign_in(&bench(&server)).await.expect_err("hangs");
        assert!(matches!(&error, SignInError::Unreachable(why) if why.kind == UnreachableKind::TimedOut), "{error}");
        assert!(error.is_transient());
    };
    tokio::join!(hangs("discovery"), hangs("jwks"), hangs("token"));
}

#[tokio::test]
async fn what_a_provider_says_about_itself_is_not_believed_blindly() {
    let mut server = hostile(json!({ "faults": { "discovery": "wrong_issuer" } })).await;
    let bench = bench(&server);
    let ours = server.text("issuer");
    let theirs = "https://honest.example".to_owned();
    let error = provider_error(sign_in(&bench).await);
    assert_eq!(error, ProviderError::IssuerMismatch { ours, theirs });
    assert!(error.advice().contains("`https://honest.example`"));
    misbehave(&mut server, json!({ "discovery": "no_s256" })).await;
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::NoPkce);
    misbehave(&mut server, json!({ "discovery": "odd_scheme" })).await;
    let url = "file:///etc/passwd".to_owned();
    let expected = ProviderError::InsecureEndpoint { place: Place::Authorization, url };
    assert_eq!(provider_error(sign_in(&bench).await), expected);
    misbehave(&mut server, json!({ "discovery": "http_endpoints" })).await;
    let error = provider_error(sign_in(&bench).await);
    assert!(matches!(error, ProviderError::InsecureEndpoint { place: Place::Token, .. }), "{error}");
}

#[tokio::test]
async fn what_the_token_endpoint_refuses_or_leaves_out_is_said() {
    let mut server = hostile(json!({})).await;
    let bench = bench(&server);
    let mut of = async |fault: &str| {
        misbehave(&mut server, json!({ "token": fault })).await;
        sign_in(&bench).await
    };
    assert_eq!(provider_error(of("invalid_grant").await), ProviderError::CodeRefused);
    assert!(matches!(provider_error(of("invalid_client").await), ProviderError::InvalidClient { .. }));
    assert_eq!(provider_error(of("no_id_token").await), ProviderError::NoIdToken);
    assert!(matches!(provider_error(of("no_access_token").await), ProviderError::Answer { place: Place::Token, .. }));
    assert_eq!(provider_error(of("wrong_token_type").await), ProviderError::TokenType { found: "mac".into() });
    of("no_lifetime").await.expect("a grant: the token itself says when it ends");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_in_minutes_and_the_provider_by_the_token_is_not_blamed() {
    for (behind, ahead) in [(true, 600), (false, -600)] {
        let server = hostile(json!({ "clock": ahead })).await;
        assert_eq!(provider_error(sign_in(&bench(&server)).await), ProviderError::ClockOff { minutes: 10, behind });
    }
    // A minute is nothing.
    let server = hostile(json!({ "clock": 40 })).await;
    sign_in(&bench(&server)).await.expect("a grant");
    // It is this computer's clock that counts, wherever it stands.
    let clock = ManualClock::at(SystemClock.now().plus(7_200));
    let server = hostile(json!({})).await;
    let bench = Bench::with_clock(&server, Method::OpenIdConnect(in_browser(&server)), Arc::new(clock));
    assert_eq!(provider_error(sign_in(&bench).await), ProviderError::ClockOff { minutes: 120, behind: false });
}

#[tokio::test]
async fn client_credentials_that_are_refused_or_answered_with_nonsense_end_in_their_sentence() {
    let mut server = hostile(json!({})).await;
    let settings = ClientCredentials {
        issuer: server.text("issuer"),
        client_id: "console".into(),
        ..ClientCredentials::default()
    };
    let bench = Bench::new(&server, Method::ClientCredentials(settings));
    let secrets = || Secrets::one("client_secret", "canary-secret".to_owned().into());
    let mut of = async |fault: &str| {
        misbehave(&mut server, json!({ "client_credentials": fault })).await;
        bench.obtain(secrets(), async |_| {}).await
    };
    let refused = provider_error(of("invalid_client").await);
    assert!(matches!(refused, ProviderError::InvalidClient { .. }), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("canary"));
    assert!(matches!(provider_error(of("html").await), ProviderError::NotJson { place: Place::Token, .. }));
    assert_eq!(provider_error(of("huge").await), ProviderError::TooLong { place: Place::Token });
    let grant = of("well").await.expect("a grant");
    assert_eq!(grant.identity.subject.as_deref(), Some("console"));
    let missing = bench.obtain(Secrets::default(), async |_| {}).await.expect_err("no secret");
    assert!(matches!(missing, SignInError::Missing(_)));
}

#[tokio::test]
async fn the_id_token_is_sent_where_the_settings_say_so() {
    let server = hostile(json!({})).await;
    let settings = OpenIdConnect { sends: Sends::IdToken, ..in_browser(&server) };
    let bench = Bench::new(&server, Method::OpenIdConnect(settings));
    let grant = sign_in(&bench).await.expect("a grant");
    assert_eq!(grant.identity.audience, ["console"]);
    assert!(grant.keep.expose("expires_at").is_none(), "the ID token says itself when it ends");
}
