//! A session that goes on: two consoles, another computer, a clock that jumps. Real admins and issuers.

mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use console_core::{
    clock::{Clock as _, SystemClock},
    command_line::CommandLine,
    sign_in::{external_command::ExternalCommand, token_endpoint::TokenEndpoint},
    vault::{MemoryStore, SecretStore as _},
};
use console_ipc::{Method, SessionView, SignInOutcome};
use console_testing::{
    Server,
    fault_proxy::{Break, Fault, Moment},
};
use console_workspace::{StageOrder, Workspace};
use serde_json::{Value, json};
use support::{Bench, MovedClock, before, draft, eventually, start, until};

const ALICE: [(&str, &str); 2] = [("user", "alice"), ("password", "canary-password")];

/// An issuer of tokens that live `lifetime` seconds, with refresh tokens that work once.
fn issuer(lifetime: i64) -> Server {
    let alice = json!([{ "id": "alice", "password": "canary-password", "name": "Alice" }]);
    Server::issuer(&json!({ "users": alice, "lifetime": lifetime }))
}

fn by_endpoint(admin: &Server, issuer: &Server) -> console_ipc::EnvironmentDraft {
    let settings = TokenEndpoint {
        url: issuer.text("token_url").into(),
        refresh_url: issuer.text("refresh_url").into(),
        ..TokenEndpoint::default()
    };
    draft(admin.text("base_url"), Method::TokenEndpoint(settings))
}

fn is_refresh(event: &Value) -> bool {
    event["event"] == "issued" && event["grant"] == "refresh"
}

fn refused(issuer: &Server) -> usize {
    issuer.events().iter().filter(|event| event["event"] == "refused").count()
}

fn is_active(view: &console_ipc::EnvironmentView) -> bool {
    matches!(view.session, SessionView::Active { .. })
}

async fn active(workspace: &Workspace) {
    until(workspace, "signed in", |state| state.environments.iter().all(is_active)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_on_one_computer_take_turns_and_neither_ends_the_others_sign_in() {
    let (admin, issuer) = (Server::admin(&json!({})), issuer(5));
    let mut bench = Bench::new(by_endpoint(&admin, &issuer)).await;
    bench.enters(&ALICE).await;
    let (second, _orders) = bench.beside().await;
    active(&second).await;
    for _ in 0..8 {
        issuer.event("a refresh", is_refresh);
    }
    active(&bench.workspace).await;
    active(&second).await;
    assert_eq!(refused(&issuer), 0, "a refresh token was used twice");
    let told: Vec<String> = [&bench.workspace, &second]
        .iter()
        .flat_map(|console| console.state().environments[0].history.clone())
        .map(|entry| entry.text)
        .collect();
    assert!(told.iter().any(|text| text.contains("another console on this computer")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_computer_that_renews_the_same_sign_in_is_explained_once() {
    let (admin, issuer) = (Server::admin(&json!({})), issuer(6));
    let mut bench = Bench::new(by_endpoint(&admin, &issuer)).await;
    bench.enters(&ALICE).await;
    // Another computer: the same settings, a copy of what the keychain held.
    let copied = Arc::new(MemoryStore::default());
    for key in bench.keychain.keys() {
        let value = bench.keychain.read(&key).expect("reads").expect("there");
        copied.write(&key, &value).expect("writes");
    }
    let folder = tempfile::tempdir().expect("folder");
    let settings = bench.folder.path().join("config/environments.toml");
    std::fs::create_dir_all(folder.path().join("config")).expect("folder");
    std::fs::copy(settings, folder.path().join("config/environments.toml")).expect("copies");
    let (other, _orders) = start(&folder, &copied).await;
    let ended = |view: &console_ipc::EnvironmentView| match &view.session {
        SessionView::Expired { problem: Some(problem), .. } | SessionView::SignedOut { problem: Some(problem) } => {
            problem.advice.contains("another console or computer")
        }
        _ => false,
    };
    // Whichever was slower.
    let slower = tokio::select! {
        () = until(&bench.workspace, "explained", |state| state.environments.iter().any(ended)) => &bench.workspace,
        () = until(&other, "explained", |state| state.environments.iter().any(ended)) => &other,
    };
    let state = slower.state();
    let told = state.notices.iter().filter(|notice| notice.text.contains("another console or computer")).count();
    assert_eq!(told, 1, "{:?}", state.notices);
    assert!(
        state.environments[0].history.iter().any(|entry| entry.trouble && entry.text.contains("no longer be renewed"))
    );
    assert!(!state.environments[0].credential.as_ref().is_some_and(|credential| credential.renews));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_forward_or_back_costs_no_session() {
    for jump in [8 * 3600, -3600] {
        let (admin, issuer) = (Server::admin(&json!({})), issuer(8));
        let clock = Arc::new(MovedClock::default());
        let mut bench = Bench::by_clock(by_endpoint(&admin, &issuer), clock.clone()).await;
        bench.enters(&ALICE).await;
        clock.move_by(jump);
        for _ in 0..3 {
            issuer.event("a refresh", is_refresh);
        }
        bench.until("signed in", is_active).await;
        let history: Vec<_> = bench.view().history.into_iter().filter(|entry| entry.trouble).collect();
        assert!(history.is_empty(), "jump of {jump} s: {history:?}");
    }
}

/// An environment whose command runs `script` (after `sh`), which appends a line to `runs` each time.
fn by_command(admin: &Server, folder: &std::path::Path, script: &str) -> console_ipc::EnvironmentDraft {
    let file = folder.join("token.sh");
    std::fs::write(&file, format!("echo run >> {}\n{script}\n", folder.join("runs").display())).expect("writes");
    let command = CommandLine { program: "sh".into(), arguments: vec![file.display().to_string()] };
    draft(admin.text("base_url"), Method::ExternalCommand(ExternalCommand { command, timeout: 10 }))
}

fn runs(folder: &std::path::Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap_or_default().lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_requests_waited_for_keeps_the_page_of_an_operator_without_a_name() {
    let admin = Server::admin(&json!({ "backend": "open" }));
    let folder = tempfile::tempdir().expect("folder");
    let script = r#"printf '{"token": "opaque-%s", "expires_at": %s}' "$(date +%s%N)" "$(( $(date +%s) + 3600 ))""#;
    let clock = Arc::new(MovedClock::default());
    let mut bench = Bench::by_clock(by_command(&admin, folder.path(), script), clock.clone()).await;
    let SignInOutcome::NeedsConfirmation { attempt, .. } = bench.sign_in(&[]).await else { panic!("opaque") };
    assert_eq!(bench.workspace.sign_in_confirm(&bench.id, &attempt).await, Ok(SignInOutcome::SignedIn));
    bench.sees_dashboard().await;
    clock.move_by(2 * 3600);
    bench.until("renewed", |view| view.history.iter().any(|entry| entry.text == "renewed")).await;
    bench.until("signed in", is_active).await;
    let orders: Vec<_> = std::iter::from_fn(|| bench.orders.try_recv().ok()).collect();
    let anew = orders.iter().any(|order| matches!(order, StageOrder::Close { .. } | StageOrder::Open { .. }));
    assert!(!anew, "{orders:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_prints_what_it_printed_before_is_not_run_again_and_again() {
    let admin = Server::admin(&json!({}));
    let folder = tempfile::tempdir().expect("folder");
    let token = console_testing::token(25, &json!({}));
    let mut bench = Bench::new(by_command(&admin, folder.path(), &format!("echo {token}"))).await;
    bench.enters(&[]).await;
    bench.until("said", |view| view.history.iter().any(|entry| entry.text.contains("is no newer"))).await;
    bench.until("the end, explained", |view| {
        matches!(&view.session, SessionView::Expired { problem: Some(problem), .. } if problem.code == "ended_already")
    })
    .await;
    let ran = runs(folder.path());
    assert!((3..=8).contains(&ran), "ran {ran} times");
    assert!(bench.view().history.len() < 10, "{:?}", bench.view().history);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_is_kept_before_the_admin_is_asked_anything() {
    let (admin, issuer) = (Server::admin(&json!({})), issuer(10));
    let proxy = before(admin.text("base_url")).await;
    let mut settings = by_endpoint(&admin, &issuer);
    settings.base_url = format!("http://{}/asyncmq", proxy.address());
    let mut bench = Bench::new(settings).await;
    bench.enters(&ALICE).await;
    let before = bench.vault_text();
    // From now on the admin takes what it is asked and never answers.
    proxy.set(Fault::At(Moment::Accepted, Break::Stall)).await;
    proxy.cut_all();
    issuer.event("a refresh", is_refresh);
    let kept = tokio::time::timeout(Duration::from_secs(4), async {
        while bench.vault_text() == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(kept.await.is_ok(), "the only copy of the new refresh token is in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_connection_breaks_once_fails_nobody_who_waits() {
    let (admin, issuer) = (Server::admin(&json!({})), issuer(6));
    let proxy = before(issuer.text("token_url")).await;
    let settings = TokenEndpoint {
        url: format!("http://{}/token", proxy.address()),
        refresh_url: format!("http://{}/refresh", proxy.address()),
        ..TokenEndpoint::default()
    };
    proxy.set_for("POST /refresh", Fault::At(Moment::Asked, Break::Stall)).await;
    let mut bench = Bench::new(draft(admin.text("base_url"), Method::TokenEndpoint(settings))).await;
    let page = bench.enters(&ALICE).await;
    bench.until("the end", |view| matches!(view.session, SessionView::Renewing { waits: true, .. })).await;
    let waiting = page.beside();
    let answer = tokio::spawn(async move { waiting.get("/asyncmq/queues").await.status() });
    eventually("the renewal is on its way", || proxy.open("POST /refresh") == 1).await;
    proxy.cut_all();
    eventually("it is on its way again", || proxy.requests("POST /refresh") == 2).await;
    proxy.set(Fault::None).await;
    assert_eq!(answer.await.expect("joins"), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_another_network_nothing_is_sent_on_a_connection_of_before_and_the_live_stream_is_opened_anew() {
    const STREAM: &str = "GET /asyncmq/events ";
    let admin = Server::admin(&json!({}));
    let way = before(admin.text("base_url")).await;
    let mut bench = Bench::new(draft(&format!("http://{}/asyncmq", way.address()), Method::PastedToken)).await;
    let page = bench.enters(&[("token", &console_testing::token(600, &json!({})))]).await;
    let _live = page.events().await;
    eventually("the live stream", || way.open(STREAM) == 1).await;
    assert!(page.get("/asyncmq/queues").await.text().await.expect("whole").contains("</html>"));
    let (connected, open) = (way.accepted(), way.connections());
    assert!(open > 1, "one is kept for the next request");
    bench.network.send_replace(());
    eventually("a stream for another network", || way.requests(STREAM) == 2).await;
    assert_eq!(way.accepted(), connected + 1, "over a connection of its own");
    eventually("the connections of before have ended", || way.connections() == 1).await;
    assert_eq!(way.open(STREAM), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_another_network_a_renewal_that_failed_is_tried_at_once() {
    const REFRESH: &str = "POST /refresh";
    let admin = Server::admin(&json!({}));
    // As if most of the token's life were over: a renewal is due from the beginning.
    let issued = SystemClock.now().0 - 3_000;
    let alice = json!([{ "id": "alice", "password": "canary-password", "claims": { "iat": issued } }]);
    let issuer = Server::issuer(&json!({ "users": alice, "lifetime": 300 }));
    let way = before(issuer.text("token_url")).await;
    let mut settings = by_endpoint(&admin, &issuer);
    let Method::TokenEndpoint(endpoint) = &mut settings.sign_in else { panic!("by endpoint") };
    endpoint.url = format!("http://{}/token", way.address());
    endpoint.refresh_url = format!("http://{}/refresh", way.address());
    let mut bench = Bench::new(settings).await;
    way.set_for(REFRESH, Fault::At(Moment::Asked, Break::Reset)).await;
    bench.enters(&ALICE).await;
    bench.until("failed", |view| view.history.iter().any(|entry| entry.text.contains("not renewed yet"))).await;
    // The next attempt is five seconds away.
    way.set(Fault::None).await;
    bench.network.send_replace(());
    let changed = Instant::now();
    issuer.event("a refresh", is_refresh);
    assert!(changed.elapsed() < Duration::from_secs(3), "{:?}", changed.elapsed());
    bench.until("renewed", |view| view.history.iter().any(|entry| entry.text == "renewed")).await;
}
