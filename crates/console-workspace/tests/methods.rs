//! Every sign-in method before real AsyncMQ admins and real issuers: from the operator's answers to a dashboard that
//! answers through the gateway, and from a refusal to its sentence.

mod support;

use std::{sync::Arc, time::Duration};

use console_core::{
    command_line::CommandLine,
    sign_in::{
        external_command::ExternalCommand,
        fixed_headers::FixedHeaders,
        local_signing::LocalSigning,
        login_form::LoginForm,
        token_endpoint::{Encoding, TokenEndpoint},
    },
};
use console_ipc::{EnvironmentDraft, LookReport, Method, Problem, SessionView, SignInOutcome};
use console_testing::{AUDIENCE, ISSUER, SECRET, Server, token};
use serde_json::{Value, json};
use support::{Bench, draft, start};
use tokio::time;

/// A key pair in PEM: private (PKCS#8), public.
fn key_pair(kind: &[&str]) -> (String, String) {
    let run = |arguments: &[&str], input: &str| {
        use std::io::Write as _;
        let mut child = std::process::Command::new("openssl")
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("openssl starts");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("writes");
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("PEM is text")
    };
    let private = run(&[&["genpkey"], kind].concat(), "");
    let public = run(&["pkey", "-pubout"], &private);
    (private, public)
}

fn code(problem: &Problem) -> &str {
    &problem.code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_token_in_the_header_in_another_header_and_in_a_cookie() {
    let admin = Server::admin(&json!({}));
    Bench::new(draft(admin.text("base_url"), Method::PastedToken))
        .await
        .enters(&[("token", &token(600, &json!({})))])
        .await;

    let worded = Server::admin(&json!({ "header": "X-Console", "scheme": "Token" }));
    let scheme = EnvironmentDraft {
        header_name: "X-Console".into(),
        scheme: "Token".into(),
        ..draft(worded.text("base_url"), Method::PastedToken)
    };
    Bench::new(scheme).await.enters(&[("token", &token(600, &json!({})))]).await;

    let documented =
        Server::admin(&json!({ "backend": "documented_jwt", "header": "X-Admin-Token", "cookie": "access" }));
    let header = EnvironmentDraft {
        header_name: "X-Admin-Token".into(),
        ..draft(documented.text("base_url"), Method::PastedToken)
    };
    Bench::new(header).await.enters(&[("token", &token(600, &json!({})))]).await;
    let cookie =
        EnvironmentDraft { cookie_name: "access".into(), ..draft(documented.text("base_url"), Method::PastedToken) };
    let mut bench = Bench::new(cookie).await;
    bench.enters(&[("token", &token(600, &json!({})))]).await;
    assert_eq!(bench.view().credential.expect("in use").carried_by, "Cookie: access");
    // In the wrong place it is refused, and the console says what can be known.
    let wrong = Bench::new(draft(documented.text("base_url"), Method::PastedToken)).await;
    let problem = wrong.refused(&[("token", &token(600, &json!({})))]).await;
    assert_eq!(code(&problem), "refused");
    assert!(problem.detail.contains("cannot be told from here"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expected_audience_and_issuer_are_told_side_by_side_with_the_tokens() {
    let admin = Server::admin(&json!({}));
    let expecting = EnvironmentDraft {
        expected_audience: AUDIENCE.into(),
        expected_issuer: ISSUER.into(),
        ..draft(admin.text("base_url"), Method::PastedToken)
    };
    let bench = Bench::new(expecting).await;
    let problem = bench.refused(&[("token", &token(600, &json!({ "aud": "asyncmq-staging" })))]).await;
    assert!(problem.detail.contains("`asyncmq-staging`") && problem.detail.contains("`asyncmq-admin`"), "{problem:?}");
    let problem = bench.refused(&[("token", &token(600, &json!({ "iss": "https://other.example" })))]).await;
    assert!(problem.detail.contains("`https://other.example`") && problem.detail.contains(ISSUER), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_signed_here_with_a_secret_and_with_private_keys_and_renewed_before_they_end() {
    let signing = |algorithm: &str, lifetime| {
        Method::LocalSigning(LocalSigning {
            algorithm: algorithm.into(),
            lifetime,
            subject: "alice".into(),
            name: "Alice Archer".into(),
            audience: AUDIENCE.into(),
            issuer: ISSUER.into(),
            ..LocalSigning::default()
        })
    };
    let admin = Server::admin(&json!({}));
    Bench::new(draft(admin.text("base_url"), signing("HS256", 300))).await.enters(&[("key", SECRET)]).await;
    for algorithm in ["HS384", "HS512"] {
        let secret = SECRET.repeat(2);
        let admin = Server::admin(&json!({ "algorithm": algorithm, "secret": secret }));
        Bench::new(draft(admin.text("base_url"), signing(algorithm, 300))).await.enters(&[("key", &secret)]).await;
    }
    for (algorithm, kind) in [
        ("RS256", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..]),
        ("PS256", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("ES256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("ES384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("EdDSA", &["-algorithm", "ED25519"]),
    ] {
        let (private, public) = key_pair(kind);
        let admin = Server::admin(&json!({ "algorithm": algorithm, "secret": public }));
        let mut bench = Bench::new(draft(admin.text("base_url"), signing(algorithm, 300))).await;
        bench.enters(&[("key", &private)]).await;
    }

    // The database is asked about the user of each fresh token; a restart mints one without the admin.
    let users = json!([{ "id": "alice", "name": "Alice" }]);
    let mut admin = Server::admin(&json!({ "backend": "documented_jwt_db", "users": users }));
    let mut bench = Bench::new(draft(admin.text("base_url"), signing("HS256", 30))).await;
    bench.enters(&[("key", SECRET)]).await;
    assert!(bench.view().credential.expect("in use").renews);
    let mut bench = bench.restarted().await;
    bench.sees_dashboard().await;
    bench.until("a fresh token", |view| view.credential.as_ref().is_some_and(|one| one.renewed_at.is_some())).await;

    // An operator who was made inactive is refused by the gate, and that is told, not tried for ever.
    admin.tell(&json!({ "user": { "id": "alice", "is_active": false } }));
    admin.event("the change", |event| event["event"] == "user_changed");
    let problem = bench.refused(&[("key", SECRET)]).await;
    assert_eq!(code(&problem), "refused");
    assert!(problem.detail.contains("not active"), "{problem:?}");
    admin.tell(&json!({ "user": { "id": "alice", "is_active": true, "is_admin": false } }));
    admin.event("the change", |event| event["event"] == "user_changed");
    assert_eq!(code(&bench.refused(&[("key", SECRET)]).await), "refused", "no admin in the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_sign_is_explained_and_not_stored() {
    let admin = Server::admin(&json!({}));
    let method = Method::LocalSigning(LocalSigning { subject: "alice".into(), ..LocalSigning::default() });
    let bench = Bench::new(draft(admin.text("base_url"), method)).await;
    let problem = bench.refused(&[("key", "canary-too-short")]).await;
    assert_eq!(code(&problem), "key");
    assert!(problem.detail.contains("fewer than 32"), "{problem:?}");
    assert!(!bench.vault_text().contains("canary"));
}

async fn by_endpoint(admin: &Server, issuer: &Server, edit: impl FnOnce(&mut TokenEndpoint)) -> Bench {
    let mut settings = TokenEndpoint {
        url: issuer.text("token_url").into(),
        refresh_url: issuer.text("refresh_url").into(),
        ..TokenEndpoint::default()
    };
    edit(&mut settings);
    Bench::new(draft(admin.text("base_url"), Method::TokenEndpoint(settings))).await
}

const ALICE: [(&str, &str); 2] = [("user", "alice"), ("password", "canary-password")];

fn alice() -> Value {
    json!([{ "id": "alice", "password": "canary-password", "name": "Alice" }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_and_a_password_are_exchanged_for_a_token_that_is_refreshed_with_rotation() {
    let admin = Server::admin(&json!({}));
    let issuer = Server::issuer(&json!({
        "users": alice(), "lifetime": 8, "token_at": "data.token.access", "refresh_at": "data.refresh",
        "lifetime_at": "data.ttl", "username_field": "login", "bodies": ["form"], "required_fields": { "tenant": "acme" },
    }));
    let mut bench = by_endpoint(&admin, &issuer, |settings| {
        settings.encoding = Encoding::Form;
        settings.user_field = "login".into();
        settings.extra_fields = r#"{"tenant": "acme"}"#.into();
        settings.token_path = "data.token.access".into();
        settings.refresh_token_path = "data.refresh".into();
        settings.lifetime_path = "data.ttl".into();
    })
    .await;
    bench.enters(&ALICE).await;
    assert!(!bench.vault_text().contains("canary-password"), "the password is kept only when asked");
    for _ in 0..2 {
        issuer.event("a refresh", |event| event["event"] == "issued" && event["grant"] == "refresh");
    }
    bench.until("signed in", |view| matches!(view.session, SessionView::Active { .. })).await;
    assert!(issuer.events().iter().all(|event| event["event"] != "refused"), "no refresh token is used twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_endpoint_the_exchange_is_repeated_only_with_a_kept_password() {
    let admin = Server::admin(&json!({}));
    let issuer = Server::issuer(&json!({ "users": alice(), "lifetime": 4, "refresh_at": null }));
    let no_refresh = |settings: &mut TokenEndpoint| settings.refresh_url = String::new();
    let mut bench = by_endpoint(&admin, &issuer, no_refresh).await;
    bench.enters(&ALICE).await;
    assert!(!bench.view().credential.expect("in use").renews);
    bench.until("the end", |view| matches!(view.session, SessionView::Expired { .. })).await;

    let mut bench = by_endpoint(&admin, &issuer, no_refresh).await;
    bench.enters(&[ALICE[0], ALICE[1], ("remember", "yes")]).await;
    assert!(bench.vault_text().contains("canary-password"), "as the operator said");
    issuer.events();
    issuer.event("a repeated exchange", |event| event["event"] == "issued" && event["grant"] == "password");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_endpoint_answers_instead_of_a_token_becomes_one_sentence() {
    let admin = Server::admin(&json!({}));
    let mut issuer = Server::issuer(&json!({ "users": alice() }));
    let bench = by_endpoint(&admin, &issuer, |_| ()).await;
    let problem = bench.refused(&[("user", "alice"), ("password", "wrong")]).await;
    assert!(problem.detail.contains("did not accept this user name and password"), "{problem:?}");
    for (mode, part) in [
        ("html", "instead of JSON"),
        ("garbage", "instead of JSON"),
        ("huge", "more than"),
        ("empty", "holds no text at `access_token`"),
        ("error", "answered 500"),
        ("redirect", "answered 307"),
    ] {
        issuer.tell(&json!({ "mode": mode }));
        issuer.event("the change", |event| event["event"] == "mode_changed");
        let problem = bench.refused(&ALICE).await;
        assert!(problem.detail.contains(part), "{mode}: {problem:?}");
        assert!(!format!("{problem:?}").contains("canary"));
    }
    assert!(!bench.vault_text().contains("canary"), "nothing is stored");
    assert!(matches!(bench.view().session, SessionView::SignedOut { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_hangs_can_be_cancelled_and_leaves_nothing() {
    let admin = Server::admin(&json!({}));
    let issuer = Server::issuer(&json!({ "users": alice(), "mode": "hang" }));
    let bench = by_endpoint(&admin, &issuer, |_| ()).await;
    let workspace = bench.workspace.clone();
    let id = bench.id.clone();
    let cancel = async {
        bench.until("signing in", |view| matches!(view.session, SessionView::SigningIn { .. })).await;
        workspace.sign_in_cancel(&id).await.expect("cancels");
    };
    let (outcome, ()) = tokio::join!(bench.sign_in(&ALICE), cancel);
    assert_eq!(outcome, SignInOutcome::Cancelled);
    assert!(matches!(bench.view().session, SessionView::SignedOut { .. }));
    assert!(!bench.vault_text().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admins_own_login_form_lets_in_goes_on_by_itself_and_is_told_of_the_sign_out() {
    let admin = Server::admin(&json!({ "backend": "login_form", "users": alice(), "session_seconds": 3 }));
    let mut bench = Bench::new(draft(admin.text("base_url"), Method::LoginForm(LoginForm::default()))).await;
    let problem = bench.refused(&[("user", "alice"), ("password", "wrong")]).await;
    assert_eq!(code(&problem), "login_form");
    bench.enters(&[ALICE[0], ALICE[1], ("remember", "yes")]).await;
    assert!(!bench.vault_text().contains("asyncz_admin"), "the cookie is in memory only");
    assert!(bench.view().credential.expect("in use").renews);
    // The cookie's time is up at the server; the next request is refused by the gate, and the session renewed.
    let mut restarted = bench.restarted().await;
    restarted.sees_dashboard().await;
    restarted.workspace.sign_out(&restarted.id, true).await.expect("signs out");
    // Whoever quits right after cuts nothing short.
    restarted.workspace.end().await;
    let notices = restarted.workspace.state().notices.clone();
    assert!(
        notices.iter().any(|notice| notice.text.contains("would work until it ends")),
        "the limit is said: {notices:?}"
    );
    assert!(restarted.keychain.keys().iter().all(|key| !key.contains(&restarted.id)), "nothing is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_headers_let_in_where_the_admin_trusts_them() {
    let admin = Server::admin(&json!({ "backend": "proxy_header" }));
    let method = Method::FixedHeaders(FixedHeaders { names: vec!["X-Authenticated-User".into()] });
    let mut bench = Bench::new(draft(admin.text("base_url"), method)).await;
    assert_eq!(code(&bench.refused(&[]).await), "missing");
    bench.enters(&[("X-Authenticated-User", "alice")]).await;
    bench.restarted().await.sees_dashboard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_prints_the_token_and_runs_only_once_it_was_approved() {
    let admin = Server::admin(&json!({}));
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("token.json");
    let expires = console_testing::claims(600, &json!({}))["exp"].clone();
    let printed = json!({ "token": token(600, &json!({})), "expires_at": expires });
    std::fs::write(&file, printed.to_string()).expect("writes");
    let command = CommandLine { program: "cat".into(), arguments: vec![file.display().to_string()] };
    let method = Method::ExternalCommand(ExternalCommand { command, timeout: 10 });
    let mut bench = Bench::new(draft(admin.text("base_url"), method)).await;
    assert!(bench.view().approvals.is_empty(), "what was typed in this window is approved");
    bench.enters(&[]).await;
    assert_eq!(bench.view().credential.expect("in use").kept_in, "nowhere");

    // The settings file is changed by somebody else: the exact command is shown, and nothing runs before the word.
    let settings = bench.folder.path().join("config/environments.toml");
    let text = std::fs::read_to_string(&settings).expect("reads").replace("\"cat\"", "\"tac\"");
    std::fs::write(&settings, text).expect("writes");
    let mut bench = bench.restarted().await;
    bench.until("the question", |view| !view.approvals.is_empty()).await;
    assert!(bench.view().approvals[0].shown.starts_with("\"tac\" "), "{:?}", bench.view().approvals);
    assert_eq!(code(&bench.refused(&[]).await), "approve_first");
    bench.workspace.approvals_accept(&bench.id).await.expect("approves");
    bench.sees_dashboard().await;
    bench.restarted().await.sees_dashboard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_admin_needs_nothing() {
    let admin = Server::admin(&json!({ "backend": "open" }));
    let mut bench = Bench::new(draft(admin.text("base_url"), Method::None)).await;
    bench.enters(&[]).await;
    bench.restarted().await.sees_dashboard().await;
    let guarded = Server::admin(&json!({}));
    let bench = Bench::new(draft(guarded.text("base_url"), Method::None)).await;
    assert!(bench.refused(&[]).await.title.contains("is not open"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_endpoint_does_not_get_what_was_stored_for_another() {
    let admin = Server::admin(&json!({}));
    let (first, second) = (Server::issuer(&json!({ "users": alice() })), Server::issuer(&json!({ "users": alice() })));
    let mut bench = by_endpoint(&admin, &first, |_| ()).await;
    bench.enters(&[ALICE[0], ALICE[1], ("remember", "yes")]).await;
    let moved = TokenEndpoint {
        url: second.text("token_url").into(),
        refresh_url: second.text("refresh_url").into(),
        ..TokenEndpoint::default()
    };
    let edited = draft(admin.text("base_url"), Method::TokenEndpoint(moved));
    bench.workspace.environment_update(&bench.id, edited).await.expect("answers");
    bench
        .until("the question", |view| matches!(view.stored_credential, console_ipc::StoredCredentialView::Moved { .. }))
        .await;
    assert_eq!(code(&bench.refused(&[]).await), "missing", "nothing of the stored is used");
    assert!(second.events().is_empty(), "nothing was sent there");
    bench.workspace.stored_credential_confirm(&bench.id).await.expect("confirms");
    bench.until("signed in", |view| matches!(view.session, SessionView::Active { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_an_address_tells_what_the_admin_wants() {
    let folder = tempfile::tempdir().expect("folder");
    let (workspace, _orders) = start(&folder, &Arc::default()).await;
    let look = async |url: &str| workspace.environment_look(url, false).await.expect("answers");
    let token = Server::admin(&json!({}));
    assert!(matches!(look(token.text("base_url")).await, LookReport::Token { .. }));
    let form = Server::admin(&json!({ "backend": "login_form", "users": alice() }));
    assert_eq!(
        look(form.text("base_url")).await,
        LookReport::LoginForm { user_field: "username".into(), password_field: "password".into() }
    );
    let open = Server::admin(&json!({ "backend": "open" }));
    assert_eq!(look(open.text("base_url")).await, LookReport::Open);
    let wrong = token.text("base_url").replace("/asyncmq", "/elsewhere");
    assert_eq!(look(&wrong).await, LookReport::NotFound { instead: vec![token.text("base_url").to_owned()] });
    let nothing = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address");
    assert!(matches!(look(&format!("http://{nothing}/asyncmq")).await, LookReport::Unreachable { .. }));
    assert!(matches!(look("http://admin.example/asyncmq").await, LookReport::Invalid { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_cancelled_leaves_the_vault_as_it_was_however_far_it_was() {
    let admin = Server::admin(&json!({}));
    let mut bench = Bench::new(draft(admin.text("base_url"), Method::PastedToken)).await;
    bench.enters(&[("token", &token(600, &json!({ "jti": "first" })))]).await;
    let before = bench.vault_text();
    let (workspace, id) = (bench.workspace.clone(), bench.id.clone());
    for step in 0_u64..40 {
        let pasted = token(600, &json!({ "jti": format!("later-{step}") }));
        let cancel = async {
            time::sleep(Duration::from_millis(step)).await;
            workspace.sign_in_cancel(&id).await.expect("cancels");
        };
        let answers = [("token", pasted.as_str())];
        let (outcome, ()) = tokio::join!(bench.sign_in(&answers), cancel);
        if outcome == SignInOutcome::SignedIn {
            // It was through before the word came: that is no cancelled one.
            let again = token(600, &json!({ "jti": "first" }));
            assert_eq!(bench.sign_in(&[("token", &again)]).await, SignInOutcome::SignedIn);
            continue;
        }
        assert_eq!(outcome, SignInOutcome::Cancelled);
        let settled = async {
            while bench.vault_text().contains(&pasted) {
                time::sleep(Duration::from_millis(5)).await;
            }
        };
        time::timeout(Duration::from_secs(5), settled).await.expect("a cancelled sign-in stays in the keychain");
    }
    assert!(!before.is_empty() && matches!(bench.view().session, SessionView::Active { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_when_an_address_is_edited_never_reaches_the_new_one() {
    let (old, new) = (Server::admin(&json!({})), Server::admin(&json!({ "prefix": "/moved" })));
    let mut bench = Bench::new(draft(old.text("base_url"), Method::PastedToken)).await;
    bench.enters(&[("token", &token(600, &json!({})))]).await;
    // A restart whose restore meets the edit.
    let bench = bench.restarted().await;
    let edited = draft(new.text("base_url"), Method::PastedToken);
    bench.workspace.environment_update(&bench.id, edited).await.expect("answers");
    bench
        .until("the question", |view| matches!(view.stored_credential, console_ipc::StoredCredentialView::Moved { .. }))
        .await;
    assert!(matches!(bench.view().session, SessionView::SignedOut { .. }), "{:?}", bench.view().session);
}
