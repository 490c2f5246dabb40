//! Sign-in methods in the window: an identity provider in the system's browser, a device code, a login form, a command
//! that must be approved first; and what the operator is told of a session.

use console_testing::{AUDIENCE, ISSUER, Server};
use serde_json::{Value, json};

use crate::support::{Browser, Console, Home, eventually, holds, turn};

/// A provider, and an admin that takes its tokens.
fn provider_and_admin(more: &Value) -> (Server, Server) {
    let configuration = console_testing::laid_over(json!({ "refresh_tokens": "always" }), more);
    let provider = Server::node("provider", "serve.mjs", &configuration);
    let admin = Server::admin(&json!({
        "algorithm": provider.text("algorithm"), "secret": provider.text("public_key_pem"),
        "audience": provider.text("resource"), "issuer": provider.text("issuer"),
    }));
    (provider, admin)
}

/// Opens the editor and types what every environment has.
async fn begin(console: &Console, base_url: &str) {
    console.shell().await;
    console.click("first-environment").await;
    console.fill("field-base_url", base_url).await;
    console.fill("field-name", "Acme").await;
    console.fill("field-tag", "TEST").await;
    console.click("protection-open").await;
}

async fn choose(console: &Console, method: &str) {
    console.click("method-chooser").await;
    console.click(&format!("method-{method}")).await;
    console.find(&format!("settings-{method}")).await;
}

async fn trust(console: &Console, ca_file: &str) {
    console.click("network").await;
    console.fill("field-network.ca_file", ca_file).await;
}

/// What the headless browser shows in the end.
fn visit(browser: &mut Server, url: &str, more: &Value) -> Value {
    let command = json!({ "visit": url, "username": "alice", "password": "correct horse" });
    browser.tell(&console_testing::laid_over(command, more));
    browser.event("a visit", |event| event["event"] == "visited")
}

#[tokio::test]
async fn an_operator_signs_in_at_an_identity_provider_in_the_systems_browser_and_stays_signed_in() {
    let _turn = turn().await;
    let (provider, admin) = provider_and_admin(&json!({ "lifetimes": { "access_token": 20 } }));
    let mut chromium = Server::node("provider", "browser.mjs", &json!({}));
    let mut home = Home::new();
    let browser = Browser::of(&mut home);
    let console = Console::start(&home).await;

    // The address is looked at first, and what it wants is proposed.
    begin(&console, admin.text("base_url")).await;
    console.says("[data-testid='look-report']", "token").await;
    choose(&console, "openid_connect").await;
    console.fill("field-sign_in.issuer", "http://id.example").await;
    console.fill("field-sign_in.client_id", "console").await;
    console.click("save-environment").await;
    console.says("[data-testid='error-sign_in.issuer']", "https").await;
    console.fill("field-sign_in.issuer", provider.text("issuer")).await;
    trust(&console, provider.text("ca_file")).await;
    console.click("save-environment").await;

    // Cancelled once: nothing waits any more, and the link leads nowhere.
    console.click("sign-in").await;
    console.find("step-browser").await;
    let abandoned = eventually("the browser", async || browser.opened().first().cloned()).await;
    console.click("sign-in-cancel").await;
    console.find("sign-in").await;
    let seen = visit(&mut chromium, &abandoned, &json!({}));
    assert!(seen["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{seen}");
    assert!(!seen["text"].to_string().contains("signed in"), "nobody answers there: {seen}");
    assert!(!console.is_there("[data-testid='bar-operator']").await, "still signed out");

    console.click("sign-in").await;
    let url = eventually("the browser again", async || browser.opened().get(1).cloned()).await;
    assert!(url.contains("code_challenge_method=S256") && url.starts_with(provider.text("issuer")), "{url}");
    let seen = visit(&mut chromium, &url, &json!({}));
    assert!(!seen.to_string().contains("code="), "the last page's address holds no code: {seen}");
    console.find("bar-operator").await;
    console.dashboard().await;
    console.says("body", "Dashboard").await;

    // The token's twenty seconds pass; the console refreshes it, and the page stays as it is.
    console.script("window.sameDocument = true").await;
    provider.event("a refresh", |event| event["event"] == "token_issued" && event["grant_type"] == "refresh_token");
    console.go("/asyncmq/workers").await;
    console.says("body", "Workers").await;
    console.quit().await;

    // A restart signs in from the keychain; a sign-out that removes tells the provider.
    let console = Console::start(&home).await;
    console.find("bar-operator").await;
    console.dashboard().await;
    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-sign-out").await;
    console.click("sign-out-remove").await;
    provider
        .event("a revocation", |event| event["event"] == "refresh_token_revoked" || event["event"] == "grant_revoked");
    console.quit().await;
}

#[tokio::test]
async fn a_device_code_is_shown_large_and_signs_in_from_another_device() {
    let _turn = turn().await;
    let (provider, admin) = provider_and_admin(&json!({}));
    let mut chromium = Server::node("provider", "browser.mjs", &json!({}));
    let home = Home::new();
    let console = Console::start(&home).await;
    begin(&console, admin.text("base_url")).await;
    choose(&console, "device_code").await;
    console.fill("field-sign_in.issuer", provider.text("issuer")).await;
    console.fill("field-sign_in.client_id", "console").await;
    trust(&console, provider.text("ca_file")).await;
    console.click("save-environment").await;
    console.click("sign-in").await;
    console.find("step-device-code").await;
    console.find("qr-code").await;
    let code = console.text("user-code").await;
    let address = console.text("verification-uri").await;
    let seen = visit(&mut chromium, address.trim(), &json!({ "user_code": code.trim() }));
    assert!(seen["pages"].to_string().contains("device"), "{seen}");
    console.find("bar-operator").await;
    console.dashboard().await;
    console.says("body", "Dashboard").await;
    console.quit().await;
}

#[tokio::test]
async fn the_admins_login_form_is_native_proposed_by_the_look_and_never_shown_as_a_page() {
    let _turn = turn().await;
    let users = json!([{ "id": "alice", "password": "correct horse", "name": "Alice" }]);
    let admin = Server::admin(&json!({ "backend": "login_form", "users": users }));
    let home = Home::new();
    let console = Console::start(&home).await;
    begin(&console, admin.text("base_url")).await;
    console.click("look-accept").await;
    console.find("settings-login_form").await;
    console.click("save-environment").await;
    console.fill("ask-user", "alice").await;
    console.fill("ask-password", "wrong").await;
    console.click("sign-in").await;
    console.says("[data-testid='sign-in-error']", "did not accept this user name and password").await;
    assert_eq!(console.find("ask-password").await.prop("value").await.expect("value").as_deref(), Some(""));
    console.fill("ask-user", "alice").await;
    console.fill("ask-password", "correct horse").await;
    console.click("sign-in").await;
    console.find("bar-operator").await;

    // An action with a flash message: the session cookie goes on as the admin says.
    console.go("/asyncmq/queues/emails/jobs/receipt-1").await;
    console.css("details.amq-confirm summary.amq-button--primary").await.click().await.expect("opens");
    console.css("details.amq-confirm[open] button[type=submit]").await.click().await.expect("retries");
    console.says(".amq-alerts", "retry completed").await;

    // What is known of the session, and never the cookie.
    console.shell().await;
    console.click("bar-operator").await;
    console.says("[data-testid='credential']", "asyncz_admin").await;
    assert!(!console.is_there("[data-testid='copy-token']").await, "there is no token to copy");
    console.click("close-panel").await;
    console.click("bar-menu").await;
    console.click("menu-sign-out").await;
    console.click("sign-out-remove").await;
    console.says("[data-testid='notice']", "would work until it ends").await;
    holds("the dashboard is gone", async || console.dashboards().await == 0).await;
    console.quit().await;
}

#[tokio::test]
async fn a_command_from_a_changed_settings_file_runs_only_after_its_words_were_approved() {
    let _turn = turn().await;
    let admin = Server::admin(&json!({}));
    let home = Home::new();
    let token = home.path().join("token");
    std::fs::write(&token, console_testing::token(600, &json!({}))).expect("writes");
    let console = Console::start(&home).await;
    begin(&console, admin.text("base_url")).await;
    choose(&console, "external_command").await;
    console.fill("field-sign_in.command", "cat").await;
    console.fill("field-sign_in.command.arguments", &token.display().to_string()).await;
    console.click("save-environment").await;
    console.click("sign-in").await;
    console.find("bar-operator").await;
    console.quit().await;

    let file = home.environments_file();
    let changed = std::fs::read_to_string(&file).expect("reads").replace("\"cat\"", "\"tac\"");
    std::fs::write(&file, changed).expect("writes");
    let console = Console::start(&home).await;
    console.find("approvals").await;
    console.says("[data-testid='approval-command']", "tac").await;
    console.says("[data-testid='approval-command']", &token.display().to_string()).await;
    assert!(!console.is_there("[data-testid='bar-operator']").await, "nothing ran");
    console.click("approve").await;
    console.find("bar-operator").await;
    console.dashboard().await;
    console.quit().await;
}

#[tokio::test]
async fn who_am_i_shows_the_claims_and_a_token_is_copied_only_after_a_word() {
    let _turn = turn().await;
    let admin = Server::admin(&json!({}));
    let home = Home::new();
    let console = Console::start(&home).await;
    console.add_environment("Acme", "TEST", admin.text("base_url")).await;
    let token = console_testing::token(600, &json!({ "roles": ["ops"] }));
    console.sign_in(&token).await;
    console.shell().await;
    console.click("bar-operator").await;
    console.find("credential").await;
    assert!(!console.is_there("[data-testid='copy-token']").await, "copying is off by default");
    console.click("close-panel").await;
    console.click("bar-menu").await;
    console.click("menu-edit").await;
    console.click("advanced").await;
    console.click("field-allow_token_copy").await;
    console.click("save-environment").await;
    console.click("bar-operator").await;
    console.says("[data-testid='claims']", AUDIENCE).await;
    console.says("[data-testid='claims']", ISSUER).await;
    console.says("[data-testid='credential']", "keychain").await;
    let signature = token.rsplit('.').next().expect("three parts");
    let page = console.script("return document.documentElement.outerHTML").await.to_string();
    assert!(!page.contains(signature), "the token is not in the shell");

    let mut clipboard = arboard::Clipboard::new().expect("a clipboard");
    clipboard.set_text("before").expect("sets");
    console.click("copy-token").await;
    console.click("copy-token-cancel").await;
    assert_eq!(clipboard.get_text().expect("text"), "before");
    console.click("copy-token").await;
    console.click("copy-token-yes").await;
    holds("the token is on the clipboard", async || clipboard.get_text().is_ok_and(|text| text == token)).await;
    // Half a minute later it is not.
    let gone = std::time::Instant::now();
    while clipboard.get_text().is_ok_and(|text| text == token) {
        assert!(gone.elapsed().as_secs() < 45, "the clipboard still has it");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    console.quit().await;
}
