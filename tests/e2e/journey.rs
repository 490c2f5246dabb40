//! An operator's first day.

use serde_json::json;

use crate::support::{Admin, Console, Home, eventually, holds, turn};

#[tokio::test]
async fn from_the_first_start_to_a_live_dashboard_and_a_retried_job() {
    let _turn = turn().await;
    let admin = Admin::start(json!({ "seed": "demo", "workers": true })).await;
    let home = Home::new();
    let console = Console::start(&home).await;

    // The first start teaches the next step, and wrong input is named in place.
    console.find("panel-first-run").await;
    console.click("first-environment").await;
    console.fill("field-base_url", "http://admin.example/asyncmq?x=1").await;
    console.find("error-base_url").await;
    console.click("cancel-environment").await;
    console.add_environment("Acme", "TEST", &admin.base_url).await;

    // A token for another audience is explained, with what it says, and is not kept.
    console.fill("token-field", &admin.token_with(3600, json!({ "aud": "asyncmq-staging" }))).await;
    console.click("sign-in").await;
    console.says("[data-testid='sign-in-error']", "did not accept your token").await;
    console.says("[data-testid='sign-in-error']", "asyncmq-staging").await;
    assert_eq!(console.find("token-field").await.prop("value").await.expect("value").as_deref(), Some(""));

    // An expired one is said before it is tried.
    console.fill("token-field", &admin.token(-60)).await;
    console.click("sign-in").await;
    console.says("[data-testid='sign-in-error']", "has expired").await;

    console.sign_in(&admin.token(3600)).await;
    console.shell().await;
    assert_eq!(console.text("bar-tag").await, "TEST");
    console.says("[data-testid='bar-operator']", "Alice Archer").await;

    // Live: the number of jobs changes, and the document is the same one.
    console.dashboard().await;
    console.script("window.sameDocument = true").await;
    let first = eventually("a number", async || total_jobs(&console).await).await;
    holds("a new number without a reload", async || total_jobs(&console).await.is_some_and(|now| now != first)).await;
    assert_eq!(console.script("return window.sameDocument === true").await, json!(true));

    // Retry a failed job by the page's own button; the admin's audit page has it.
    console.go("/asyncmq/queues/billing/jobs?state=failed").await;
    console.css("a.amq-button--primary[href*='/jobs/']").await.click().await.expect("inspects");
    console.says("h1, .amq-page-title", "Job").await;
    let job = console.page().await.rsplit('/').next().expect("id").to_owned();
    console.css("details.amq-confirm summary.amq-button--primary").await.click().await.expect("opens");
    console.css("details.amq-confirm[open] button[type=submit]").await.click().await.expect("retries");
    console.says(".amq-alerts", "retry completed").await;
    console.go("/asyncmq/audit").await;
    console.says("body", "job.retry").await;
    console.says("body", &job).await;

    // The dashboard's own Logout button is the native sign-out.
    console.css(".amq-sidebar-footer button[type=submit]").await.click().await.expect("logs out");
    console.shell().await;
    console.find("sign-out-remove").await;
    console.click("sign-out-remove").await;
    holds("the dashboard is gone", async || console.dashboards().await == 0).await;
    console.find("token-field").await;
    assert!(!console.is_there("[data-testid='use-stored']").await, "the token was removed");
    console.quit().await;
}

async fn total_jobs(console: &Console) -> Option<i64> {
    let text = console.script("return document.getElementById('total-jobs')?.textContent ?? ''").await;
    text.as_str()?.trim().parse().ok()
}

#[tokio::test]
async fn a_locked_environment_refuses_the_pages_own_buttons() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    console.shell().await;
    console.click("bar-protection").await;
    holds("it is locked", async || {
        console.find("bar-protection").await.attr("data-protection").await.ok().flatten().as_deref() == Some("locked")
    })
    .await;
    console.go("/asyncmq/queues/emails/jobs/receipt-1").await;
    console.css("details.amq-confirm summary.amq-button--primary").await.click().await.expect("opens");
    console.css("details.amq-confirm[open] button[type=submit]").await.click().await.expect("tries");
    console.says("body", "TEST is locked").await;
    console.says("body", "Nothing was done").await;
    console.shell().await;
    console.says("[data-testid='notice']", "locked").await;
    console.go("/asyncmq/queues/emails/jobs?state=failed").await;
    console.says("body", "receipt-1").await;
    console.quit().await;
}

#[tokio::test]
async fn every_page_of_the_dashboard_works() {
    let _turn = turn().await;
    let admin = Admin::start(json!({ "prefix": "/ops/queues" })).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    for (path, part) in [
        ("/", "Dashboard"),
        ("/queues", "emails"),
        ("/queues/emails", "emails"),
        ("/queues/emails/jobs?state=waiting", "welcome-"),
        ("/queues/emails/jobs/receipt-1", "receipt-1"),
        ("/queues/emails/dlq", "receipt-1"),
        ("/queues/emails/repeatables", "send_digest"),
        ("/queues/emails/repeatables/new", "New Repeatable"),
        ("/workers", "Workers"),
        ("/metrics", "Metrics"),
        ("/audit", "Audit"),
        ("/events/history", "Events"),
    ] {
        console.go(&format!("/ops/queues{path}")).await;
        holds(&format!("the page {path}"), async || console.page().await == format!("/ops/queues{path}")).await;
        console.says("body", part).await;
        let broken = console
            .script(
                "return [...document.styleSheets].filter(s => { try { return s.cssRules.length === 0 } catch { return true } }).length \
                 + (document.styleSheets.length === 0 ? 1 : 0)",
            )
            .await;
        assert_eq!(broken, json!(0), "{path}: a stylesheet is missing");
    }
    console.quit().await;
}
