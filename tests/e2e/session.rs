//! Expiry, return, restart.

use serde_json::json;

use crate::support::{Admin, Console, Home, eventually, holds, turn};

const FILTERED: &str = "/asyncmq/queues/emails/jobs?state=failed&q=&task=receipt&job_id=&sort=oldest&size=20";

#[tokio::test]
async fn a_token_that_ends_leads_to_the_native_sign_in_and_back_to_the_same_filtered_page() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", &admin.base_url).await;
    console.sign_in(&admin.token(12)).await;
    console.go(FILTERED).await;
    console.says("body", "receipt-1").await;

    // The time is up while nobody does anything: the page stays as it is under the sign-in.
    console.script("window.sameDocument = true").await;
    console.shell().await;
    console.find("token-field").await;
    console.says("[data-testid='sign-in-why'], .frame", "ended").await;
    console.sign_in(&admin.token(10)).await;
    assert_eq!(console.page().await, FILTERED);
    assert_eq!(console.script("return window.sameDocument === true").await, json!(true), "the page survived");

    // The time is up, and the page asks for another one.
    console.shell().await;
    console.find("token-field").await;
    // (What that one says while it waits is read at the gateway: WebDriver itself waits for a page that goes on loading.)
    console.go("/asyncmq/queues/emails/jobs?state=waiting&sort=oldest").await;
    console.sign_in(&admin.token(3600)).await;
    holds("the page that was asked for", async || {
        console.page().await == "/asyncmq/queues/emails/jobs?state=waiting&sort=oldest"
    })
    .await;
    console.says("body", "welcome-01").await;
    console.quit().await;
}

#[tokio::test]
async fn after_a_restart_the_operator_is_still_signed_in_from_the_keychain() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    console.quit().await;

    let console = Console::start(&home).await;
    console.find("bar-operator").await;
    console.dashboard().await;
    console.says("body", "Dashboard").await;

    // A sign-out that keeps the token: the next start does not use it by itself, and one press does.
    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-sign-out").await;
    console.click("sign-out-keep").await;
    console.find("use-stored").await;
    console.quit().await;
    let console = Console::start(&home).await;
    console.click("use-stored").await;
    console.find("bar-operator").await;
    console.dashboard().await;
    console.quit().await;
}

#[tokio::test]
async fn the_admins_logout_ends_the_session_of_its_own_environment_only() {
    let _turn = turn().await;
    let (one, two) = (Admin::start(json!({})).await, Admin::start(json!({ "prefix": "/two" })).await);
    let home = Home::new();
    let console = Console::signed_in(&home, &one).await;
    console.dashboard_at("/asyncmq").await;
    console.script("window.sameDocument = true").await;
    console.add_environment("Other", "TWO", &two.base_url).await;
    console.sign_in(&two.token(3600)).await;
    let rail = console.rail().await;
    let (first, second) = (&rail[0].0, &rail[1].0);

    console.dashboard_at("/two").await;
    console.css(".amq-sidebar-footer button[type=submit]").await.click().await.expect("logs out");
    console.shell().await;
    console.says("[data-testid='panel-sign-out']", "TWO").await;
    console.click("sign-out-remove").await;
    console.find("token-field").await;
    console.says("[data-testid='bar-tag']", "TWO").await;
    holds("one dashboard less", async || console.dashboards().await == 1).await;
    holds("the token was removed", async || home.stored(second).is_none()).await;

    // The other one goes on: signed in, its token kept, its page the same document and still live.
    assert!(home.stored(first).is_some(), "the other token is kept");
    console.shell().await;
    console.click(&format!("env-{first}")).await;
    console.find("bar-operator").await;
    console.dashboard_at("/asyncmq").await;
    assert_eq!(console.script("return window.sameDocument === true").await, json!(true), "the page survived");
    console.go("/asyncmq/queues").await;
    console.says("body", "emails").await;
    console.quit().await;
}

#[tokio::test]
async fn the_login_page_is_the_native_sign_in_and_its_next_stays_inside_the_realm() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    for (next, expected) in [("/asyncmq/workers", "/asyncmq/workers"), ("//evil.example/", "/asyncmq/workers")] {
        console.go(&format!("/asyncmq/login?next={next}")).await;
        console.shell().await;
        console.find("token-field").await;
        console.sign_in(&admin.token(3600)).await;
        holds("the page after it", async || console.page().await == expected).await;
    }
    console.quit().await;
}

#[tokio::test]
async fn an_operator_without_the_admin_claim_is_told_so_and_not_asked_in_a_loop() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", &admin.base_url).await;
    console.fill("token-field", &admin.token_with(3600, json!({ "is_admin": false }))).await;
    console.click("sign-in").await;
    console.says("[data-testid='sign-in-error']", "Signed in, but not allowed").await;
    let text = eventually("the reason", async || {
        let text = console.text("sign-in-error").await;
        text.contains("admin claim").then_some(text)
    })
    .await;
    assert!(text.contains("role"), "both possibilities are said: {text}");
    console.quit().await;
}
