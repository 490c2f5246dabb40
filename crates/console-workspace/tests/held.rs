//! Actions that met an ended session, at a real admin: done once or dropped aloud.

mod support;

use std::sync::Arc;

use console_core::sign_in::token_endpoint::TokenEndpoint;
use console_ipc::{CommandError, Method, Prompt, SessionView, StoredCredentialView};
use console_testing::{
    Server,
    fault_proxy::{Break, Fault, FaultProxy, Moment},
    token,
};
use console_workspace::StageOrder;
use serde_json::json;
use support::{Bench, MovedClock, Page, before, draft, until};

const PAUSE: (&str, &[(&str, &str)]) = ("/asyncmq/queues/emails", &[("action", "pause")]);

fn alice(life: i64) -> String {
    token(life, &json!({}))
}

/// Signed in with a token that has ended, the pause of a queue asked for after that.
async fn held(clock: Option<Arc<MovedClock>>) -> (Server, Bench) {
    let admin = Server::admin(&json!({}));
    let environment = draft(admin.text("base_url"), Method::PastedToken);
    let mut bench = match clock {
        Some(clock) => Bench::by_clock(environment, clock).await,
        None => Bench::new(environment).await,
    };
    let page = bench.enters(&[("token", &alice(3))]).await;
    bench.until("the end", |view| matches!(view.session, SessionView::Expired { .. })).await;
    let answer = page.send_form(PAUSE.0, PAUSE.1).await;
    assert_eq!(answer.status(), 204, "the page stays as it is");
    bench.until("held", |view| view.held.len() == 1).await;
    assert_eq!(bench.view().held[0].name, "Pause queue emails");
    (admin, bench)
}

/// How often the admin has paused a queue.
async fn pauses(admin: &Server) -> usize {
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = format!("{}/audit?limit=500", admin.text("base_url"));
    let answer = client.get(url).bearer_auth(alice(60)).send().await.expect("answers");
    let text = answer.text().await.expect("text");
    let (_, rows) = text.split_once("<tbody").expect("a table");
    rows.matches("queue.pause").count()
}

async fn carry_out(bench: &Bench, late_confirmed: bool) -> Result<(), CommandError> {
    let held = bench.view().held.first().map_or_else(|| "1".to_owned(), |held| held.id.clone());
    bench.workspace.held_carry_out(&bench.id, &held, late_confirmed).await
}

fn notices(bench: &Bench) -> Vec<String> {
    bench.workspace.state().notices.iter().map(|notice| notice.text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_action_is_offered_after_the_sign_in_and_done_once() {
    let (admin, mut bench) = held(None).await;
    let refused = carry_out(&bench, false).await.expect_err("nobody is signed in");
    assert_eq!(refused.problem.title, "Nothing was done");
    bench.sign_in(&[("token", &alice(600))]).await;
    assert_eq!(bench.view().held.len(), 1, "offered, not done by itself");
    assert_eq!(pauses(&admin).await, 0);
    let (first, second) = tokio::join!(carry_out(&bench, false), carry_out(&bench, false));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    bench.until("done", |view| view.held.is_empty()).await;
    assert_eq!(pauses(&admin).await, 1);
    assert!(carry_out(&bench, false).await.is_err());
    let shown = std::iter::from_fn(|| bench.orders.try_recv().ok())
        .any(|order| matches!(order, StageOrder::Navigate { .. } | StageOrder::Reload { .. }));
    assert!(shown, "the page shows what became of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_operator_an_edited_environment_and_a_sign_out_drop_it_aloud() {
    let (admin, bench) = held(None).await;
    bench.sign_in(&[("token", &token(600, &json!({ "sub": "bob", "name": "Bob" })))]).await;
    bench.until("dropped", |view| view.held.is_empty()).await;
    let said = |bench: &Bench, why: &str| {
        let told = notices(bench);
        assert!(told.iter().any(|text| text.contains("“Pause queue emails”") && text.contains(why)), "{told:?}");
    };
    said(&bench, "Another operator");
    assert_eq!(pauses(&admin).await, 0);

    let (admin, bench) = held(None).await;
    let mut edited = draft(admin.text("base_url"), Method::PastedToken);
    edited.login_path = "/sign-in".into();
    bench.workspace.environment_update(&bench.id, edited).await.expect("saves");
    said(&bench, "changed");

    let (_admin, bench) = held(None).await;
    bench.workspace.sign_out(&bench.id, false).await.expect("signs out");
    said(&bench, "signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_ten_minutes_later_it_is_asked_again() {
    let clock = Arc::new(MovedClock::default());
    let (admin, bench) = held(Some(clock.clone())).await;
    clock.move_by(601);
    bench.sign_in(&[("token", &alice(3600))]).await;
    bench.until("late", |view| view.held.first().is_some_and(|held| held.late)).await;
    let late = carry_out(&bench, false).await.expect_err("it is late");
    assert_eq!(late.problem.title, "Nothing was done yet");
    assert_eq!(pauses(&admin).await, 0);
    carry_out(&bench, true).await.expect("does it");
    assert_eq!(pauses(&admin).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_asks_first_while_something_waits() {
    let (_admin, mut bench) = held(None).await;
    assert!(!bench.workspace.may_quit());
    assert_eq!(bench.workspace.state().prompts, [Prompt::Quit]);
    bench.workspace.quit_answer(false).await.expect("stays");
    assert!(bench.workspace.state().prompts.is_empty());
    bench.workspace.quit_answer(true).await.expect("nobody asked");
    let quits = |bench: &mut Bench| {
        std::iter::from_fn(|| bench.orders.try_recv().ok()).filter(|order| *order == StageOrder::Quit).count()
    };
    assert_eq!(quits(&mut bench), 0);
    assert!(!bench.workspace.may_quit());
    bench.workspace.quit_answer(true).await.expect("quits");
    assert_eq!(quits(&mut bench), 1);
    let held = bench.view().held[0].id.clone();
    bench.workspace.held_drop(&bench.id, &held).await.expect("drops");
    assert!(bench.workspace.may_quit());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_asks_first_while_an_action_is_on_its_way() {
    let admin = Server::admin(&json!({}));
    let alice = json!([{ "id": "alice", "password": "canary-password", "name": "Alice" }]);
    let issuer = Server::issuer(&json!({ "users": alice, "lifetime": 6 }));
    let (to_admin, to_issuer) = (before(admin.text("base_url")).await, before(issuer.text("token_url")).await);
    let settings = TokenEndpoint {
        url: format!("http://{}/token", to_issuer.address()),
        refresh_url: format!("http://{}/refresh", to_issuer.address()),
        ..TokenEndpoint::default()
    };
    let base_url = format!("http://{}/asyncmq", to_admin.address());
    let mut bench = Bench::new(draft(&base_url, Method::TokenEndpoint(settings))).await;
    let page = Arc::new(bench.enters(&[("user", "alice"), ("password", "canary-password")]).await);
    assert!(bench.workspace.may_quit(), "a page is open, and nothing more");

    // The admin does it, and its answer is long in coming.
    to_admin.set_for("POST ", Fault::At(Moment::Head(0), Break::Stall)).await;
    assert_eq!(asks_before_quitting(&bench, &page, &to_admin).await, 303);
    // A renewal that it waits for is long in coming.
    to_issuer.set_for("POST /refresh", Fault::At(Moment::Asked, Break::Stall)).await;
    // The issuer ends a connection of before that is idle for five seconds.
    to_issuer.cut_all();
    bench.until("the end", |view| matches!(view.session, SessionView::Renewing { waits: true, .. })).await;
    assert_eq!(asks_before_quitting(&bench, &page, &to_issuer).await, 303);
    assert_eq!(pauses(&admin).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_whose_answer_nobody_will_hear_is_said_when_its_dashboard_ends() {
    let admin = Server::admin(&json!({}));
    let to_admin = before(admin.text("base_url")).await;
    let mut bench = Bench::new(draft(&format!("http://{}/asyncmq", to_admin.address()), Method::PastedToken)).await;
    let page = bench.enters(&[("token", &token(600, &json!({})))]).await;
    to_admin.set_for("POST ", Fault::At(Moment::Head(0), Break::Stall)).await;
    let sending = tokio::spawn(async move { page.send_form(PAUSE.0, PAUSE.1).await });
    bench.until("on its way", |view| view.on_their_way == 1).await;
    bench.workspace.sign_out(&bench.id, false).await.expect("signs out");
    let notices = bench.workspace.state().notices.clone();
    assert!(notices.iter().any(|notice| notice.text.contains("still on the way to TEST")), "{notices:?}");
    sending.abort();
    assert_eq!(pauses(&admin).await, 1, "it was done");
}

/// An action that `fault` holds up, until that is over; the answer's status.
async fn asks_before_quitting(bench: &Bench, page: &Arc<Page>, fault: &FaultProxy) -> u16 {
    let page = page.clone();
    let sent = tokio::spawn(async move { page.send_form(PAUSE.0, PAUSE.1).await.status().as_u16() });
    bench.until("on its way", |view| view.on_their_way == 1).await;
    assert!(!bench.workspace.may_quit());
    assert_eq!(bench.workspace.state().prompts, [Prompt::Quit]);
    bench.workspace.quit_answer(false).await.expect("stays");
    fault.set(Fault::None).await;
    let status = sent.await.expect("answers");
    bench.until("at its end", |view| view.on_their_way == 0).await;
    assert!(bench.workspace.may_quit());
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_of_everything_ends_every_session_and_forgets_what_is_stored_if_asked() {
    let (one, two) = (Server::admin(&json!({})), Server::admin(&json!({})));
    let mut bench = Bench::new(draft(one.text("base_url"), Method::PastedToken)).await;
    let page = bench.enters(&[("token", &alice(600))]).await;
    let second = draft(two.text("base_url"), Method::PastedToken);
    bench.workspace.environment_add(second).await.expect("adds");
    let ids: Vec<_> = bench.workspace.state().environments.iter().map(|view| view.id.clone()).collect();
    let answers = [("token".to_owned(), alice(600).into())].into();
    bench.workspace.sign_in(&ids[1], answers).await.expect("signs in");

    bench.workspace.sign_out_all_open().await.expect("asks");
    assert_eq!(bench.workspace.state().prompts, [Prompt::SignOutAll]);
    bench.workspace.sign_out_all(false).await.expect("signs out");
    let all = |what, holds: fn(&console_ipc::EnvironmentView) -> bool| {
        let workspace = bench.workspace.clone();
        async move { until(&workspace, what, |state| state.environments.iter().all(holds)).await }
    };
    all("signed out", |view| matches!(view.session, SessionView::SignedOut { .. })).await;
    all("kept", |view| view.stored_credential == StoredCredentialView::Ready).await;
    // The stage has closed the webviews, and let go of their ports.
    while bench.orders.try_recv().is_ok() {}
    assert!(page.try_get("/asyncmq/").await.is_err(), "the gateway is gone");
    bench.workspace.sign_out_all(true).await.expect("forgets");
    all("forgotten", |view| view.stored_credential == StoredCredentialView::None).await;
    assert!(bench.keychain.keys().is_empty());
}
