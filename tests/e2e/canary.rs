//! Secrets with known values appear nowhere but in the keychain and on the wire.

use std::{fs, path::Path};

use console_testing::Server;
use serde_json::json;

use crate::support::{Admin, Console, Home, process, turn};

/// Typed where it does not belong, and refused.
const PASSWORD: &str = "canary-password-5b1f";
/// What an access proxy in front would ask for.
const HEADER: &str = "canary-header-9c3e";

#[tokio::test]
async fn a_token_a_password_and_a_cookie_are_nowhere_to_be_found() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::start(&home).await;

    console.click("first-environment").await;
    let with_password = admin.base_url.replace("http://", &format!("http://operator:{PASSWORD}@"));
    console.fill("field-base_url", &with_password).await;
    let refused = console.text("error-base_url").await;
    assert!(!refused.contains(PASSWORD), "the error repeats the password");
    console.click("cancel-environment").await;

    console.add_environment("Acme", "TEST", &admin.base_url).await;
    let wrong = admin.token_with(3600, json!({ "aud": "canary" }));
    console.fill("token-field", &wrong).await;
    console.click("sign-in").await;
    let error = console.text("sign-in-error").await;
    let token = admin.token(3600);
    console.sign_in(&token).await;
    // A form sets the admin's session cookie (a flash message), which the core's jar keeps.
    console.go("/asyncmq/queues/emails/jobs/receipt-2").await;
    console.css("details.amq-confirm summary.amq-button--primary").await.click().await.expect("opens");
    console.css("details.amq-confirm[open] button[type=submit]").await.click().await.expect("retries");
    console.says(".amq-alerts", "retry completed").await;

    let signature = |token: &str| token.rsplit('.').next().expect("three parts").to_owned();
    assert!(!error.contains(&signature(&wrong)), "an error message holds the token");
    let canaries = [PASSWORD.to_owned(), signature(&token), signature(&wrong), "asyncz_admin=".to_owned()];
    is_clean(console, &home, &canaries).await;
}

#[tokio::test]
async fn the_secrets_of_a_login_form_and_of_the_network_are_nowhere_to_be_found() {
    let _turn = turn().await;
    let users = json!([{ "id": "alice", "password": PASSWORD }]);
    let admin = Server::admin(&json!({ "backend": "login_form", "users": users }));
    let home = Home::new();
    let console = Console::start(&home).await;
    console.click("first-environment").await;
    console.fill("field-base_url", admin.text("base_url")).await;
    console.fill("field-name", "Acme").await;
    console.fill("field-tag", "TEST").await;
    console.click("look-accept").await;
    console.find("settings-login_form").await;
    console.click("network").await;
    console.fill("field-network.extra_headers", "X-Front").await;
    console.click("save-environment").await;
    console.fill("ask-header:X-Front", HEADER).await;
    console.fill("ask-user", "alice").await;
    console.fill("ask-password", &format!("{PASSWORD}-wrong")).await;
    console.click("sign-in").await;
    console.find("sign-in-error").await;
    console.fill("ask-header:X-Front", HEADER).await;
    console.fill("ask-user", "alice").await;
    console.fill("ask-password", PASSWORD).await;
    console.click("ask-remember").await;
    console.click("sign-in").await;
    console.find("bar-operator").await;
    console.dashboard().await;
    is_clean(console, &home, &[PASSWORD.to_owned(), HEADER.to_owned(), "asyncz_admin=".to_owned()]).await;
}

/// None of `canaries` is in what a page can read, in the processes, or on disk. Ends the console.
async fn is_clean(console: Console, home: &Home, canaries: &[String]) {
    let clean = |what: &str, text: &str| {
        for canary in canaries {
            assert!(!text.contains(canary.as_str()), "{canary} is in {what}");
        }
    };

    // Whatever the dashboard's page can read, and whatever the shell holds.
    for script in [
        "return document.documentElement.outerHTML",
        "return [...document.querySelectorAll('input, textarea')].map(field => field.value).join()",
        "return document.cookie",
        "return JSON.stringify([{...localStorage}, {...sessionStorage}])",
        "return JSON.stringify(performance.getEntries().map(e => e.name)) + location.href + document.referrer",
    ] {
        console.dashboard().await;
        clean("the dashboard", &console.script(script).await.to_string());
        console.shell().await;
        clean("the shell", &console.script(script).await.to_string());
    }

    // Arguments and environments of the whole process tree.
    let driver = console.driver.id().expect("runs");
    let tree = process::tree(driver);
    assert!(tree.len() >= 4, "driver, app, and WebKit's processes: {tree:?}");
    for process in &tree {
        for file in ["cmdline", "environ"] {
            let text = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
            clean(&format!("/proc/{process}/{file}"), &String::from_utf8_lossy(&text));
        }
    }
    console.quit().await;

    // Everything on disk, the most verbose log included.
    let log = fs::read_dir(home.log_dir()).expect("a log folder").count();
    assert!(log > 0, "there is a log to look at");
    let mut files = 0;
    look_through(home.path(), &mut |path, bytes| {
        files += 1;
        clean(&path.display().to_string(), &String::from_utf8_lossy(bytes));
    });
    assert!(files > 2, "the folders hold what the console wrote");
}

fn look_through(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            look_through(&path, look);
        } else if let Ok(bytes) = fs::read(&path) {
            look(&path, &bytes);
        }
    }
}
