//! The OAuth methods against a certified provider (`oidc-provider` under TLS), with a real browser where a person acts.

#[path = "oauth_provider/device.rs"]
mod device;
#[path = "support/provider.rs"]
mod provider;

use std::{sync::Mutex, time::Duration};

use console_core::{
    clock::{Clock as _, SystemClock},
    secrets::Secrets,
    session::Credential,
    sign_in::{
        Advice as _, Grant, Method, SignIn as _, SignInError,
        client_credentials::ClientCredentials,
        oauth::{ClientAuthentication, Parameter, ProviderError, Sends},
        openid_connect::OpenIdConnect,
    },
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time;
use url::Url;

use provider::{Bench, PlainBrowser, Server, assert_closed, browser_url, parameter, provider_error, redirect_uri};

const RESOURCE: &str = "https://asyncmq-admin.example";

/// A provider that signs in the account of the login hint without a page.
fn by_itself() -> Value {
    json!({ "login": "auto", "consent": "auto", "refresh_tokens": "always" })
}

async fn start(configuration: Value) -> Server {
    Server::start("serve.mjs", &configuration).await
}

async fn chromium() -> Server {
    Server::start("browser.mjs", &json!({})).await
}

/// Sends the real browser to an address and through the provider's pages.
async fn send(browser: &mut Server, url: &Url, more: &Value) {
    let mut command = json!({ "visit": url.as_str(), "username": "alice", "password": "correct horse" });
    command.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
    browser.write(&command).await;
}

/// The same, and waits until no page asks for anything.
async fn visit(browser: &mut Server, url: &Url, more: &Value) -> Value {
    send(browser, url, more).await;
    browser.event("visited").await
}

fn settings(server: &Server) -> OpenIdConnect {
    OpenIdConnect {
        issuer: server.text("issuer"),
        client_id: "console".into(),
        scopes: ["openid", "offline_access", "admin"].map(str::to_owned).to_vec(),
        resource: RESOURCE.into(),
        ..OpenIdConnect::default()
    }
}

fn bench(server: &Server, settings: OpenIdConnect) -> Bench {
    Bench::new(server, Method::OpenIdConnect(settings))
}

/// Signs in at a provider that does it by itself.
async fn sign_in(bench: &Bench, secrets: Secrets) -> Result<Grant, SignInError> {
    bench
        .obtain(secrets, async |step| {
            PlainBrowser::new().visit(browser_url(step)).await;
        })
        .await
}

fn secret(server: &Server) -> Secrets {
    Secrets::one("client_secret", server.text("client_secret").into())
}

fn token(grant: &Grant) -> String {
    let Credential::Token(token) = &grant.credential else { panic!("a token") };
    token.expose_secret().to_owned()
}

fn refresh_token(kept: &Secrets) -> String {
    kept.expose("refresh_token").expect("a refresh token").to_owned()
}

/// What the admin would do: the signature by the provider's public key, the issuer and the audience.
fn verify(server: &Server, token: &str, audience: &str) -> Value {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    let (algorithm, key) = match server.text("algorithm").as_str() {
        "ES256" => (Algorithm::ES256, DecodingKey::from_ec_pem(server.text("public_key_pem").as_bytes())),
        _ => (Algorithm::RS256, DecodingKey::from_rsa_pem(server.text("public_key_pem").as_bytes())),
    };
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[server.text("issuer")]);
    jsonwebtoken::decode::<Value>(token, &key.expect("a key"), &validation).expect("verifies").claims
}

#[tokio::test]
async fn an_operator_signs_in_in_a_real_browser_and_nothing_secret_stays_in_it() {
    let (server, mut browser) = tokio::join!(start(json!({})), chromium());
    let bench = bench(&server, OpenIdConnect { prompt: "consent".into(), ..settings(&server) });
    let opened = Mutex::new(None);
    let grant = bench
        .obtain(Secrets::default(), async |step| {
            let url = browser_url(step);
            send(&mut browser, &url, &json!({})).await;
            *opened.lock().expect("lock") = Some(url);
        })
        .await
        .expect("a grant");
    let claims = verify(&server, &token(&grant), RESOURCE);
    assert_eq!((&claims["sub"], &claims["is_admin"]), (&json!("alice"), &json!(true)));
    assert_eq!(grant.identity.subject.as_deref(), Some("alice"));
    assert!(grant.identity.expires_at.expect("an end") > SystemClock.now());
    refresh_token(&grant.keep);
    let seen = browser.event("visited").await;
    let last = Url::parse(seen["url"].as_str().expect("text")).expect("an address");
    assert_eq!((last.path(), last.query(), last.fragment()), ("/done", None, None), "{seen}");
    assert_eq!(seen["pages"], json!(["login", "consent"]));
    assert!(seen["text"].as_str().expect("text").contains("AsyncMQ Console has the answer"), "{seen}");
    assert_closed(&redirect_uri(&opened.into_inner().expect("lock").expect("opened")));
    // Told to the next start without asking anybody.
    let restored = bench.environment.sign_in.implementation().restore(&grant.keep, SystemClock.now());
    assert_eq!(token(&restored.expect("restored")), token(&grant));
}

#[tokio::test]
async fn an_operator_who_refuses_is_believed() {
    let (server, mut browser) = tokio::join!(start(json!({})), chromium());
    let bench = bench(&server, settings(&server));
    let result = bench
        .obtain(Secrets::default(), async |step| {
            visit(&mut browser, &browser_url(step), &json!({ "agree": false })).await;
        })
        .await;
    assert!(matches!(provider_error(result), ProviderError::AccessDenied { .. }));
}

#[tokio::test]
async fn the_login_hint_the_prompt_and_extra_parameters_reach_the_provider() {
    let server = start(by_itself()).await;
    let bench = bench(
        &server,
        OpenIdConnect {
            login_hint: "bob".into(),
            prompt: "consent".into(),
            extra_parameters: vec![Parameter { name: "ui_locales".into(), value: "de".into() }],
            ..settings(&server)
        },
    );
    let asked = Mutex::new(None);
    let grant = bench
        .obtain(Secrets::default(), async |step| {
            let url = browser_url(step);
            *asked.lock().expect("lock") = Some(url.clone());
            PlainBrowser::new().visit(url).await;
        })
        .await
        .expect("a grant");
    assert_eq!(grant.identity.subject.as_deref(), Some("bob"));
    assert_eq!(grant.identity.admin, Some(false));
    let asked = asked.into_inner().expect("lock").expect("asked");
    for (name, value) in [
        ("scope", "openid offline_access admin"),
        ("resource", RESOURCE),
        ("prompt", "consent"),
        ("login_hint", "bob"),
        ("ui_locales", "de"),
    ] {
        let values: Vec<_> = asked.query_pairs().filter(|(given, _)| given == name).map(|(_, value)| value).collect();
        assert_eq!(values, [value], "{name}, once");
    }
}

#[tokio::test]
async fn each_refresh_token_is_used_once_and_one_that_was_used_before_ends_it_all() {
    let server = start(by_itself()).await;
    let bench = bench(&server, settings(&server));
    let first = sign_in(&bench, Secrets::default()).await.expect("a grant");
    let second = bench.renew(first.keep.clone()).await.expect("renews");
    assert_ne!(refresh_token(&first.keep), refresh_token(&second.keep), "rotated");
    assert_ne!(token(&first), token(&second));
    assert_eq!(second.identity.subject.as_deref(), Some("alice"));
    verify(&server, &token(&second), RESOURCE);
    // Somebody stole the first.
    let stolen = bench.renew(first.keep).await;
    assert_eq!(provider_error(stolen), ProviderError::RefreshRefused);
    let ours = bench.renew(second.keep).await;
    assert_eq!(provider_error(ours), ProviderError::RefreshRefused, "the provider has ended the grant");
}

#[tokio::test]
async fn signing_out_revokes_and_shows_the_providers_own_logout() {
    let mut server = start(by_itself()).await;
    let bench = bench(&server, settings(&server));
    let grant = sign_in(&bench, Secrets::default()).await.expect("a grant");
    let (notes, step) = bench.end(grant.keep.clone()).await;
    server.event("refresh_token_revoked").await;
    assert_eq!(provider_error(bench.renew(grant.keep).await), ProviderError::RefreshRefused);
    // This provider's access tokens are JWTs, which nobody can take back.
    assert!(notes.iter().all(|note| note.starts_with("The access token was not revoked: ")), "{notes:?}");
    let url = browser_url(step.expect("the provider's logout"));
    assert_eq!(parameter(&url, "client_id").as_deref(), Some("console"));
    assert_eq!(parameter(&url, "id_token_hint"), None);
    let mut browser = chromium().await;
    let seen = visit(&mut browser, &url, &json!({})).await;
    assert_eq!(seen["pages"].as_array().and_then(|pages| pages.last()), Some(&json!("signed-out")), "{seen}");
}

#[tokio::test]
async fn an_administrator_who_ends_the_grant_and_an_outage_are_told_apart() {
    let mut server = start(by_itself()).await;
    let bench = bench(&server, settings(&server));
    let kept = sign_in(&bench, Secrets::default()).await.expect("a grant").keep;
    server.command(json!({ "outage": "unavailable" }), "outage_changed").await;
    let outage = bench.renew(kept.clone()).await.expect_err("an outage");
    assert!(outage.is_transient(), "{outage}");
    server.command(json!({ "outage": "none" }), "outage_changed").await;
    server.command(json!({ "end_grants": true }), "grants_ended").await;
    let ended = bench.renew(kept).await.expect_err("ended");
    assert!(!ended.is_transient());
    assert_eq!(ended.to_string(), ProviderError::RefreshRefused.to_string());
}

#[tokio::test]
async fn the_id_token_is_sent_where_the_settings_say_so_and_es256_is_verified() {
    let mut configuration = by_itself();
    configuration["algorithm"] = json!("ES256");
    let server = start(configuration).await;
    let bench = bench(&server, OpenIdConnect { sends: Sends::IdToken, ..settings(&server) });
    let grant = sign_in(&bench, Secrets::default()).await.expect("a grant");
    assert_eq!(verify(&server, &token(&grant), "console")["sub"], "alice");
    let renewed = bench.renew(grant.keep).await.expect("renews");
    verify(&server, &token(&renewed), "console");
}

#[tokio::test]
async fn an_opaque_access_token_has_the_name_of_the_id_token() {
    let mut configuration = by_itself();
    configuration["default_resource"] = json!(false);
    let server = start(configuration).await;
    let bench = bench(
        &server,
        OpenIdConnect {
            resource: String::new(),
            scopes: vec!["openid".into(), "offline_access".into()],
            ..settings(&server)
        },
    );
    let grant = sign_in(&bench, Secrets::default()).await.expect("a grant");
    assert!(grant.identity.opaque);
    assert_eq!(grant.identity.subject.as_deref(), Some("alice"));
    assert!(grant.identity.name.is_some());
    assert!(grant.identity.expires_at.expect("an end") > SystemClock.now());
    // An opaque one can be taken back.
    assert!(bench.end(grant.keep).await.0.is_empty());
}

#[tokio::test]
async fn clients_with_a_secret_or_a_key_sign_in_and_renew() {
    let (pem, jwk) = client_key();
    let mut configuration = by_itself();
    configuration["client_jwks"] = json!({ "keys": [jwk] });
    let server = start(configuration).await;
    for (client_id, authentication, secrets) in [
        ("console-basic", ClientAuthentication::Basic, secret(&server)),
        ("console-post", ClientAuthentication::Post, secret(&server)),
        ("console-key", ClientAuthentication::PrivateKeyJwt, Secrets::one("client_private_key", pem.clone().into())),
    ] {
        let settings =
            OpenIdConnect { client_id: client_id.into(), client_authentication: authentication, ..settings(&server) };
        let bench = bench(&server, settings);
        let asked = bench.environment.sign_in.implementation().asks();
        assert!(asked.iter().all(|ask| secrets.get(&ask.key).is_some()) && asked.len() == 1, "{client_id}");
        let grant = sign_in(&bench, secrets).await.unwrap_or_else(|error| panic!("{client_id}: {error}"));
        assert!(bench.environment.sign_in.implementation().can_renew(&grant.keep), "{client_id}");
        bench.renew(grant.keep).await.unwrap_or_else(|error| panic!("{client_id}: {error}"));
    }
}

/// A P-256 key as PKCS#8 and its public JWK, made by openssl and node: the console makes none.
fn client_key() -> (String, Value) {
    let script = "const {generateKeyPairSync} = require('crypto'); \
                  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'}); \
                  console.log(JSON.stringify([privateKey.export({type: 'pkcs8', format: 'pem'}), \
                  {...publicKey.export({format: 'jwk'}), kid: 'k1', use: 'sig', alg: 'ES256'}]))";
    let made = std::process::Command::new("node").args(["-e", script]).output().expect("node runs");
    let (pem, jwk): (String, Value) = serde_json::from_slice(&made.stdout).expect("JSON");
    (pem, jwk)
}

#[tokio::test]
async fn a_client_signs_in_by_itself_by_secret_or_key() {
    let (pem, jwk) = client_key();
    let server = start(json!({ "client_jwks": { "keys": [jwk] } })).await;
    let of = |client_id: &str, client_authentication| ClientCredentials {
        issuer: server.text("issuer"),
        client_id: client_id.into(),
        client_authentication,
        scopes: vec!["admin".into()],
        resource: RESOURCE.into(),
        key_id: "k1".into(),
        ..ClientCredentials::default()
    };
    let key = Secrets::one("client_private_key", pem.into());
    for (settings, secrets) in [
        (of("console-basic", ClientAuthentication::Basic), secret(&server)),
        (of("console-post", ClientAuthentication::Post), secret(&server)),
        (of("console-key", ClientAuthentication::PrivateKeyJwt), key.clone()),
    ] {
        let bench = Bench::new(&server, Method::ClientCredentials(settings.clone()));
        let grant = bench.obtain(secrets, async |_| {}).await.unwrap_or_else(|error| panic!("{settings:?}: {error}"));
        let claims = verify(&server, &token(&grant), RESOURCE);
        assert_eq!(claims["sub"], settings.client_id.as_str());
        assert!(settings.can_renew(&grant.keep));
        let again = bench.renew(grant.keep.clone()).await.expect("repeats");
        assert_ne!(token(&grant), token(&again));
    }
    // Without discovery.
    let settings = of("console-basic", ClientAuthentication::Basic);
    let token_url = format!("{}/token", settings.issuer);
    let settings = ClientCredentials { issuer: String::new(), token_url, ..settings };
    let bench = Bench::new(&server, Method::ClientCredentials(settings.clone()));
    bench.obtain(secret(&server), async |_| {}).await.expect("a grant");
    // Wrong in each way.
    let wrong = Secrets::one("client_secret", "canary".to_owned().into());
    let error = provider_error(bench.obtain(wrong, async |_| {}).await);
    assert!(
        matches!(error, ProviderError::InvalidClient { .. }) && !format!("{error:?}").contains("canary"),
        "{error}"
    );
    let elsewhere = ClientCredentials { resource: "https://other.example".into(), ..settings };
    let error = Bench::new(&server, Method::ClientCredentials(elsewhere)).obtain(secret(&server), async |_| {}).await;
    assert!(matches!(provider_error(error), ProviderError::Target { .. }));
}

#[tokio::test]
async fn a_redirect_uri_or_a_client_that_the_provider_does_not_know_is_said_while_the_browser_shows_its_page() {
    let server = start(json!({ "fixed_redirect_uris": ["http://127.0.0.1:1/callback"] })).await;
    let of = async |client_id: &str| {
        let bench = bench(&server, OpenIdConnect { client_id: client_id.into(), ..settings(&server) });
        let url = Mutex::new(None);
        let begun = std::time::Instant::now();
        let result =
            bench.obtain(Secrets::default(), async |step| *url.lock().expect("lock") = Some(browser_url(step))).await;
        assert!(begun.elapsed() < Duration::from_secs(15), "nobody waits for what cannot come");
        let callback = redirect_uri(&url.into_inner().expect("lock").expect("shown"));
        assert_closed(&callback);
        (provider_error(result), callback)
    };
    let (error, callback) = of("console-fixed").await;
    assert_eq!(error, ProviderError::RedirectUri { redirect_uri: callback.to_string() });
    assert!(error.advice().contains(callback.as_str()), "{}", error.advice());
    assert_eq!(of("nobody").await.0, ProviderError::UnknownClient { client_id: "nobody".into() });
}

#[tokio::test]
async fn a_port_that_the_provider_insists_on_is_used_and_one_that_is_taken_is_named() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = holder.local_addr().expect("address").port();
    let mut configuration = by_itself();
    configuration["fixed_redirect_uris"] = json!([format!("http://127.0.0.1:{port}/callback")]);
    let server = start(configuration).await;
    let fixed = OpenIdConnect { client_id: "console-fixed".into(), redirect_ports: vec![port], ..settings(&server) };
    let bench = bench(&server, fixed);
    let taken = sign_in(&bench, Secrets::default()).await;
    assert_eq!(provider_error(taken), ProviderError::PortInUse { ports: vec![port] });
    drop(holder);
    sign_in(&bench, Secrets::default()).await.expect("a grant");
}

#[tokio::test]
async fn a_cancelled_sign_in_leaves_no_port_open_and_an_answer_after_it_finds_nobody() {
    let (server, mut browser) = tokio::join!(start(json!({})), chromium());
    let bench = bench(&server, settings(&server));
    let url = Mutex::new(None);
    let waiting = bench.obtain(Secrets::default(), async |step| *url.lock().expect("lock") = Some(browser_url(step)));
    assert!(time::timeout(Duration::from_secs(2), waiting).await.is_err());
    let url = url.into_inner().expect("lock").expect("shown");
    assert_closed(&redirect_uri(&url));
    let seen = visit(&mut browser, &url, &json!({})).await;
    let last = Url::parse(seen["url"].as_str().expect("text")).expect("an address");
    assert_eq!((last.host_str(), last.path()), (Some("127.0.0.1"), "/callback"), "it came back, and nobody was there");
}
