//! A computer without a keychain.

use serde_json::json;

use crate::support::{Admin, Console, Home, holds, turn};

#[tokio::test]
async fn without_a_keychain_a_token_is_kept_for_this_run_only_and_only_if_the_operator_says_so() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let mut home = Home::new();
    let nowhere = home.path().join("no-bus");
    home.set("DBUS_SESSION_BUS_ADDRESS", Some(format!("unix:path={}", nowhere.display()).into()));
    let console = Console::start(&home).await;

    console.says("[data-testid='panel-keychain']", "No keychain on this computer").await;
    console.says("[data-testid='panel-keychain']", "Nothing will be stored").await;
    console.click("keychain-retry").await;
    console.find("keychain-still-none").await;

    // Until the operator has decided there is no place to paste a token into.
    console.click("add-environment").await;
    console.fill("field-name", "Acme").await;
    console.fill("field-base_url", &admin.base_url).await;
    console.fill("field-tag", "TEST").await;
    console.click("save-environment").await;
    console.find("panel-keychain").await;
    assert!(!console.is_there("[data-testid='token-field']").await, "a token could be pasted");

    console.click("keychain-use-memory").await;
    console.says("[data-testid='token-hint']", "kept for this run only").await;
    console.sign_in(&admin.token(3600)).await;
    console.says("body", "Dashboard").await;
    console.shell().await;
    console.find("keychain-sign").await;
    let id = console.rail().await.remove(0).0;
    console.quit().await;

    // The same again: nobody is signed in, and nothing is offered.
    let console = Console::start(&home).await;
    console.click("keychain-use-memory").await;
    console.find("token-field").await;
    nobody_is_signed_in(&console).await;
    console.quit().await;

    // With the keychain: nothing found its way into it.
    home.set("DBUS_SESSION_BUS_ADDRESS", None);
    assert!(home.stored(&id).is_none(), "the keychain holds a token");
    let console = Console::start(&home).await;
    console.says("[data-testid='token-hint']", "keychain").await;
    nobody_is_signed_in(&console).await;

    // And now one is stored there.
    console.sign_in(&admin.token(3600)).await;
    assert!(home.stored(&id).is_some(), "the keychain holds the token");
    console.quit().await;
}

async fn nobody_is_signed_in(console: &Console) {
    assert!(!console.is_there("[data-testid='use-stored']").await, "a stored token is offered");
    assert!(!console.is_there("[data-testid='bar-operator']").await, "somebody is signed in");
    holds("no dashboard", async || console.dashboards().await == 0).await;
}
