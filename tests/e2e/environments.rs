//! Environments edited, removed and put in order, by what is on the screen; the file on disk agrees.

use console_core::realm::BaseUrl;
use serde_json::json;

use crate::support::{Admin, Console, Home, holds, turn};

#[tokio::test]
async fn a_credential_does_not_follow_to_a_new_address_unasked() {
    let _turn = turn().await;
    // Both would accept it.
    let (old, new) = (Admin::start(json!({})).await, Admin::start(json!({ "prefix": "/moved" })).await);
    let home = Home::new();
    let console = Console::signed_in(&home, &old).await;

    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-edit").await;
    console.fill("field-base_url", &new.base_url).await;
    console.says("[data-testid='moves-credential']", "not sent to the new one until you confirm").await;
    console.click("save-environment").await;

    // Old → new is shown, nobody is signed in, and the new admin has nothing on stage.
    console.says("[data-testid='moved-from']", &realm(&old)).await;
    console.says("[data-testid='moved-to']", &realm(&new)).await;
    console.find("token-field").await;
    assert!(!console.is_there("[data-testid='bar-operator']").await, "the credential followed");
    holds("no dashboard", async || console.dashboards().await == 0).await;
    let (id, _) = console.rail().await.remove(0);
    assert_eq!(home.stored(&id).expect("still stored").realm.to_string(), realm(&old));
    assert_eq!(written(&home, "base_url"), [new.base_url.trim_end_matches('/')]);

    // Neither does it after a restart.
    console.quit().await;
    let console = Console::start(&home).await;
    console.find("moved-confirm").await;
    assert!(!console.is_there("[data-testid='bar-operator']").await, "a restart took the credential along");
    assert_eq!(new.streams(), 0);

    console.click("moved-confirm").await;
    console.find("bar-operator").await;
    holds("the new admin's dashboard", async || console.page().await.starts_with("/moved")).await;
    console.says("body", "Dashboard").await;
    assert_eq!(home.stored(&id).expect("stored").realm.to_string(), realm(&new));
    console.quit().await;
}

#[tokio::test]
async fn what_is_edited_is_on_the_screen_and_in_the_file() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    console.script("window.sameDocument = true").await;

    // A name is only a name: the dashboard stays as it is.
    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-edit").await;
    console.fill("field-name", "Globex").await;
    console.click("save-environment").await;
    console.says("[data-testid='bar-name']", "Globex").await;
    assert_eq!(console.rail().await[0].1, "Globex");
    assert_eq!(written(&home, "name"), ["Globex"]);
    console.find("bar-operator").await;
    console.dashboard().await;
    assert_eq!(console.script("return window.sameDocument === true").await, json!(true), "the page survived");

    // What cannot be saved is said in place, and the file stays as it is.
    let before = std::fs::read(home.environments_file()).expect("reads");
    console.shell().await;
    console.click("bar-menu").await;
    console.click("menu-edit").await;
    console.fill("field-tag", "FAR TOO LONG A TAG").await;
    console.click("save-environment").await;
    console.find("error-tag").await;
    assert_eq!(std::fs::read(home.environments_file()).expect("reads"), before);
    console.click("cancel-environment").await;
    console.says("[data-testid='bar-tag']", "TEST").await;
    console.quit().await;
}

#[tokio::test]
async fn a_removed_environment_is_gone_from_the_screen_the_file_and_the_keychain() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    console.add_environment("Other", "TWO", "http://127.0.0.1:9/asyncmq").await;
    let rail = console.rail().await;
    let (removed, kept) = (&rail[0].0, &rail[1].0);
    assert!(home.stored(removed).is_some(), "the token is in the keychain");
    console.click(&format!("env-{removed}")).await;
    console.says("[data-testid='bar-tag']", "TEST").await;

    // Escape is the safe answer.
    console.click("bar-menu").await;
    console.click("menu-remove").await;
    console.find("remove-cancel").await.send_keys("\u{e00c}").await.expect("Escape");
    holds("no question", async || !console.is_there("[data-testid='panel-remove']").await).await;
    assert!(home.stored(removed).is_some(), "Escape removed the token");

    console.click("bar-menu").await;
    console.click("menu-remove").await;
    console.click("remove-confirm").await;
    holds("one item in the rail", async || console.rail().await == [(kept.clone(), "Other".to_owned())]).await;
    console.says("[data-testid='bar-tag']", "TWO").await;
    assert_eq!(written(&home, "id"), [kept.as_str()]);
    assert!(home.stored(removed).is_none(), "the token is still in the keychain");
    holds("no dashboard", async || console.dashboards().await == 0).await;
    console.quit().await;
}

#[tokio::test]
async fn the_rail_is_put_in_order_by_keyboard_and_stays_so() {
    let _turn = turn().await;
    let home = Home::new();
    let console = Console::start(&home).await;
    for (name, tag) in [("One", "ONE"), ("Two", "TWO"), ("Three", "THREE")] {
        console.add_environment(name, tag, "http://127.0.0.1:9/asyncmq").await;
    }
    let names =
        async |console: &Console| -> Vec<String> { console.rail().await.into_iter().map(|(_, name)| name).collect() };
    assert_eq!(names(&console).await, ["One", "Two", "Three"]);
    let first = console.rail().await.remove(0).0;

    // Alt with an arrow moves it; the keyboard stays with it, so that the next press moves it on.
    for expected in [["Two", "One", "Three"], ["Two", "Three", "One"]] {
        console.find(&format!("env-{first}")).await.send_keys("\u{e00a}\u{e015}").await.expect("Alt+ArrowDown");
        holds(&format!("the order {expected:?}"), async || {
            names(&console).await == expected && written(&home, "name") == expected
        })
        .await;
        let focused = console.script("return document.activeElement?.dataset?.environment ?? null").await;
        assert_eq!(focused, json!(first));
    }
    console.quit().await;

    let console = Console::start(&home).await;
    console.find(&format!("env-{first}")).await;
    assert_eq!(names(&console).await, ["Two", "Three", "One"]);
    console.quit().await;
}

#[tokio::test]
async fn a_settings_file_from_a_newer_version_is_left_alone_and_reported() {
    let _turn = turn().await;
    let home = Home::new();
    let path = home.environments_file();
    let text = "# From the future.\r\nversion = 4711\r\n\r\n[[environment]]\r\nkind = 'a thing of the future'\r\n";
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("writes");
    let console = Console::start(&home).await;
    console.says("[data-testid='panel-settings-problem']", "newer").await;
    console.says("[data-testid='panel-settings-problem']", "4711").await;
    let file = path.to_string_lossy();
    console.says("[data-testid='panel-settings-problem']", &file).await;
    let add = console.find("add-environment").await;
    assert!(!add.is_enabled().await.expect("an answer"), "an environment could be added");
    console.quit().await;

    assert_eq!(std::fs::read(&path).expect("reads"), text.as_bytes());
    let folder = std::fs::read_dir(path.parent().expect("a folder")).expect("reads");
    let names: Vec<_> = folder.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["environments.toml"], "nothing was put beside it");
}

/// One key of every environment in the file, in its order.
fn written(home: &Home, key: &str) -> Vec<String> {
    let table = home.environments();
    let environments = table["environment"].as_array().expect("a list");
    environments.iter().map(|one| one[key].as_str().expect("text").trim_end_matches('/').to_owned()).collect()
}

fn realm(admin: &Admin) -> String {
    BaseUrl::parse(&admin.base_url, false).expect("an address").realm().to_string()
}
