//! What a browser tab loses, and the console does not: a half-typed form, an action in the middle, a page while the admin is
//! away, a session while the computer sleeps.

use std::time::Duration;

use console_testing::{Server, fault_proxy::FaultProxy, token};
use serde_json::{Value, json};

use crate::support::{Console, Home, eventually, eventually_or, holds, process, turn};

const SECRET: &str = "another secret of the admin, long enough for HS256";
const FAILED: &str = "/asyncmq/queues/emails/jobs/receipt-1";

/// The same document, and no loading overlay over it.
const AS_IT_WAS: &str = "return [window.sameDocument === true, \
                         document.getElementById('loading-overlay').classList.contains('hidden')]";

/// The port of an admin, to start another one there.
fn port(admin: &Server) -> u16 {
    url::Url::parse(admin.text("base_url")).expect("url").port().expect("port")
}

/// Takes the tokens of `console_testing::token` and no longer those of [`Server::admin`]: what the operator has is refused.
fn signed_anew(life: i64, more: &Value) -> String {
    let claims = console_testing::claims(life, more);
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("signs")
}

/// Signed in at an admin that then restarts with another secret, and a retry asked for by a press on the page's own button.
async fn held(home: &Home) -> (Console, Server) {
    let admin = Server::admin(&json!({}));
    let console = Console::start(home).await;
    console.add_environment("Acme", "TEST", admin.text("base_url")).await;
    console.sign_in(&token(3600, &json!({}))).await;
    console.go(FAILED).await;
    console.css("details.amq-confirm summary.amq-button--primary").await.click().await.expect("opens");
    console.script("window.sameDocument = true").await;
    let port = port(&admin);
    drop(admin);
    let admin = Server::admin(&json!({ "port": port, "secret": SECRET }));
    // Within the second in which nothing has noticed yet, or after it: the page sends its form either way.
    console
        .script("document.querySelector('details.amq-confirm[open] form, details.amq-confirm form').requestSubmit()")
        .await;
    console.shell().await;
    console.says("[data-testid='held-waiting']", "Retry job receipt-1 in emails").await;
    (console, admin)
}

async fn retries(admin: &Server) -> usize {
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = format!("{}/audit?limit=500", admin.text("base_url"));
    let answer = client.get(url).bearer_auth(signed_anew(60, &json!({}))).send().await.expect("answers");
    let text = answer.text().await.expect("text");
    text.split_once("<tbody").expect("a table").1.matches("job.retry").count()
}

#[tokio::test]
async fn expiry_while_a_form_is_half_typed_loses_neither_the_text_nor_the_page() {
    let _turn = turn().await;
    let admin = Server::admin(&json!({}));
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", admin.text("base_url")).await;
    console.sign_in(&token(12, &json!({}))).await;
    console.go("/asyncmq/queues/emails/jobs?state=waiting").await;
    console.css("input[name=job_id]").await.send_keys("welcome-1").await.expect("types");
    // Whatever scrolls, as far as it goes.
    let scrolled = console
        .script(
            "window.sameDocument = true;
             window.scrolled = [...document.querySelectorAll('*')].filter(one => { one.scrollTop = 60; return one.scrollTop > 0 });
             return window.scrolled.length",
        )
        .await;
    assert!(scrolled.as_u64().is_some_and(|many| many > 0), "nothing scrolls: {scrolled}");
    console.shell().await;
    console.find("token-field").await;
    console.sign_in(&token(600, &json!({}))).await;
    console.says("body", "welcome-").await;
    let left = console
        .script(
            "return [window.sameDocument === true, document.querySelector('input[name=job_id]').value,
                     window.scrolled.every(one => one.scrollTop > 0)]",
        )
        .await;
    assert_eq!(left, json!([true, "welcome-1", true]));
    console.quit().await;
}

#[tokio::test]
async fn an_action_that_the_gate_refused_waits_by_name_and_is_done_once_after_the_sign_in() {
    let _turn = turn().await;
    let home = Home::new();
    let (console, admin) = held(&home).await;
    assert_eq!(retries(&admin).await, 0);
    console.fill("token-field", &signed_anew(3600, &json!({}))).await;
    console.click("sign-in").await;
    console.says("[data-testid='held-strip']", "Retry job receipt-1 in emails").await;
    console.dashboard().await;
    assert_eq!(
        console.script(AS_IT_WAS).await,
        json!([true, true]),
        "the page survived, and does not wait for an answer"
    );
    console.shell().await;
    console.click("held-do").await;
    holds("nothing waits any more", async || !console.is_there("[data-testid='held-strip']").await).await;
    console.dashboard().await;
    console.says(".amq-alerts", "retry completed").await;
    assert_eq!(retries(&admin).await, 1);
    console.quit().await;
}

#[tokio::test]
async fn another_user_does_not_do_what_the_first_one_asked_for() {
    let _turn = turn().await;
    let home = Home::new();
    let (console, admin) = held(&home).await;
    console.fill("token-field", &signed_anew(3600, &json!({ "sub": "bob", "name": "Bob" }))).await;
    console.click("sign-in").await;
    console.says("[data-testid='notice']", "Not done on TEST").await;
    console.says("[data-testid='notice']", "Retry job receipt-1 in emails").await;
    console.says("[data-testid='bar-operator']", "Bob").await;
    assert!(!console.is_there("[data-testid='held-strip']").await);
    console.dashboard().await;
    console.says("body", "receipt-1").await;
    assert_eq!(retries(&admin).await, 0);
    console.quit().await;
}

#[tokio::test]
async fn while_the_admin_is_away_the_page_stays_and_it_comes_back_by_itself() {
    let _turn = turn().await;
    let admin = Server::admin(&json!({}));
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", admin.text("base_url")).await;
    console.sign_in(&token(3600, &json!({}))).await;
    admin.event("live", |event| event["event"] == "events_stream");
    console.script("window.sameDocument = true").await;
    // The page's own kind of stream: it must never hear of any of this.
    console
        .script("window.ended = 0; window.stream = new EventSource('/asyncmq/events'); window.stream.onerror = () => window.ended++")
        .await;
    let port = port(&admin);
    drop(admin);
    console.shell().await;
    console.says("[data-testid='bar-connection']", "Unreachable since").await;
    let admin = Server::admin(&json!({ "port": port }));
    console.shell().await;
    holds("fine again", async || !console.is_there("[data-testid='bar-connection']").await).await;
    admin.event("live again", |event| event["event"] == "events_stream");
    console.dashboard().await;
    assert_eq!(console.script(AS_IT_WAS).await, json!([true, true]), "the page stayed");
    assert_eq!(console.script("return [window.ended, window.stream.readyState]").await, json!([0, 1]));

    // A link that is pressed while the admin is away: the page stays, and is led there once it is back.
    drop(admin);
    console.shell().await;
    console.says("[data-testid='bar-connection']", "Unreachable since").await;
    console.dashboard().await;
    // (By the page's own script: WebDriver waits five minutes for a page that never comes, and then stops what loads.)
    console.script("document.querySelector(\"a[href$='/asyncmq/workers']\").click()").await;
    holds("the page stays", async || console.script(AS_IT_WAS).await == json!([true, true])).await;
    let _admin = Server::admin(&json!({ "port": port }));
    holds("the page that was asked for", async || console.page().await == "/asyncmq/workers").await;
    console.says("body", "Workers").await;
    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-history").await;
    console.says("[data-testid='history']", "unreachable").await;
    console.quit().await;
}

/// Signed in at a token endpoint whose tokens live `lifetime` seconds and whose refresh tokens work once.
async fn renewing(home: &Home, lifetime: i64) -> (Console, Server, Server) {
    let alice = json!([{ "id": "alice", "password": "correct horse", "name": "Alice" }]);
    let issuer = Server::issuer(&json!({ "users": alice, "lifetime": lifetime }));
    let admin = Server::admin(&json!({}));
    let console = Console::start(home).await;
    console.shell().await;
    console.click("first-environment").await;
    console.fill("field-base_url", admin.text("base_url")).await;
    console.fill("field-name", "Acme").await;
    console.fill("field-tag", "TEST").await;
    console.click("method-chooser").await;
    console.click("method-token_endpoint").await;
    console.find("settings-token_endpoint").await;
    console.fill("field-sign_in.url", issuer.text("token_url")).await;
    console.click("endpoint-refresh").await;
    console.fill("field-sign_in.refresh_url", issuer.text("refresh_url")).await;
    console.click("save-environment").await;
    console.fill("ask-user", "alice").await;
    console.fill("ask-password", "correct horse").await;
    console.click("sign-in").await;
    console.find("bar-operator").await;
    (console, issuer, admin)
}

#[tokio::test]
async fn a_computer_that_slept_past_the_end_of_the_token_is_signed_in_when_it_wakes() {
    let _turn = turn().await;
    let home = Home::new();
    let (console, issuer, _admin) = renewing(&home, 6).await;
    console.dashboard().await;
    console.script("window.sameDocument = true").await;
    assert!(process::signal(console.app(), "-STOP"));
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert!(process::signal(console.app(), "-CONT"));
    console.go("/asyncmq/workers").await;
    console.says("body", "Workers").await;
    console.shell().await;
    console.find("bar-operator").await;
    assert!(!console.is_there("[data-testid='sign-in']").await, "nobody is asked");
    assert!(issuer.events().iter().all(|event| event["event"] != "refused"));
    console.quit().await;
}

#[tokio::test]
async fn killed_in_the_middle_of_a_rotation_the_next_start_is_signed_in() {
    let _turn = turn().await;
    let home = Home::new();
    let (console, issuer, _admin) = renewing(&home, 4).await;
    let id = console.rail().await.remove(0).0;
    let mut console = console;
    for _ in 0..3 {
        let kept = home.stored(&id).expect("kept").secrets;
        eventually("a rotation in the keychain", async || {
            let now = home.stored(&id)?.secrets;
            (!now.is_same_as(&kept)).then_some(())
        })
        .await;
        assert!(process::signal(console.app(), "-KILL"));
        let _ = console.driver.start_kill();
        console = Console::start(&home).await;
        console.find("bar-operator").await;
        console.dashboard().await;
        console.says("body", "Dashboard").await;
    }
    assert!(issuer.events().iter().all(|event| event["event"] != "refused"));
    console.quit().await;
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_can_be_asked_without_being_signed_in() {
    let _turn = turn().await;
    let admin = Server::admin(&json!({}));
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", admin.text("base_url")).await;
    console.fill("token-field", &signed_anew(3600, &json!({}))).await;
    console.click("sign-in").await;
    console.says("[data-testid='sign-in-error']", "did not accept your token").await;
    console.click("open-doctor").await;
    console.css("[data-step='mount'][data-verdict='well']").await;
    console.css("[data-step='login'][data-verdict='well']").await;
    // What was refused is looked at, though it was not stored.
    console.css("[data-step='token'][data-verdict='well']").await;
    console.css("[data-step='accepted'][data-verdict='failed']").await;
    console.click("doctor-close").await;
    console.sign_in(&token(3600, &json!({}))).await;
    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-doctor").await;
    console.css("[data-step='accepted'][data-verdict='well']").await;
    console.css("[data-step='events'][data-verdict='well']").await;
    console.quit().await;
}

#[tokio::test]
async fn signing_out_of_everything_closes_every_dashboard_and_keeps_or_forgets_as_chosen() {
    let _turn = turn().await;
    let (one, two) = (Server::admin(&json!({})), Server::admin(&json!({})));
    let home = Home::new();
    let console = Console::start(&home).await;
    for (name, tag, admin) in [("One", "ONE", &one), ("Two", "TWO", &two)] {
        console.add_environment(name, tag, admin.text("base_url")).await;
        console.sign_in(&token(3600, &json!({}))).await;
    }
    let ids: Vec<String> = console.rail().await.into_iter().map(|(id, _)| id).collect();
    console.click("bar-menu").await;
    console.click("menu-sign-out-all").await;
    console.click("sign-out-all-forget").await;
    holds("no dashboard", async || console.dashboards().await == 0).await;
    console.shell().await;
    console.find("token-field").await;
    for id in ids {
        holds("forgotten", async || home.stored(&id).is_none()).await;
    }
    console.quit().await;
}

/// How often the shell began.
fn beginnings(home: &Home) -> usize {
    let files = std::fs::read_dir(home.log_dir()).expect("a log folder");
    let logs = files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"));
    logs.map(|log| log.matches("the shell asks what there is").count()).sum()
}

#[tokio::test]
async fn a_dashboard_and_a_shell_whose_process_was_killed_come_back_as_they_were() {
    let _turn = turn().await;
    let admin = Server::admin(&json!({}));
    let address = url::Url::parse(admin.text("base_url")).expect("url").socket_addrs(|| None).expect("address");
    let proxy = FaultProxy::before(address[0]).await.expect("a port");
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", &format!("http://{}/asyncmq", proxy.address())).await;
    console.sign_in(&token(600, &json!({}))).await;
    console.go("/asyncmq/queues/emails/jobs?state=waiting").await;
    console.dashboard_at("/asyncmq/queues/emails/jobs").await;
    console.shell().await;
    console.says("[data-testid='bar-address']", "state=waiting").await;
    let page = "GET /asyncmq/queues/emails/jobs?state=waiting";
    assert_eq!((proxy.requests(page), beginnings(&home)), (1, 1));
    // The second time it is given a breath.
    for round in 2..=3 {
        let webs = launched(console.app()).await;
        assert!(webs.len() >= 2, "the shell's and the dashboard's: {webs:?}");
        assert!(webs.into_iter().all(|web| process::signal(web, "-KILL")));
        // WebDriver ends its session when a page crashes, and sees nothing from here on.
        let loaded = || (proxy.requests(page), beginnings(&home));
        let again = async || (loaded() == (round, round)).then_some(());
        eventually_or("both are loaded again", again, async || format!("{:?}", loaded())).await;
    }
}

/// The web processes, once none of them is new: `WebKitGTK` aborts the app when one dies while it is being launched.
async fn launched(app: u32) -> Vec<u32> {
    let mut before = Vec::new();
    eventually("web processes that are all there since a while", async || {
        let now = process::running(app, "WebKitWebProcess");
        let settled = now == before;
        before.clone_from(&now);
        tokio::time::sleep(Duration::from_secs(1)).await;
        settled.then_some(now)
    })
    .await
}
