//! What a page can reach outside of its frame: the system's browser by a person's click, the downloads folder, and no
//! device.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::support::{Admin, Console, Home, holds, turn};

/// Stands in for the system's browser: it writes down what it is asked to open.
struct Browser(PathBuf);

impl Browser {
    /// First in the path of this operator's programs.
    fn of(home: &mut Home) -> Self {
        let (folder, opened) = (home.path().join("bin"), home.path().join("opened"));
        fs::create_dir_all(&folder).expect("a folder");
        let program = folder.join("xdg-open");
        fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}'\n", opened.display())).expect("writes");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        let others = std::env::var_os("PATH").expect("PATH is set");
        let path = std::iter::once(folder).chain(std::env::split_paths(&others));
        home.set("PATH", Some(std::env::join_paths(path).expect("a path")));
        Self(opened)
    }

    fn opened(&self) -> Vec<String> {
        fs::read_to_string(&self.0).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

/// Puts a link over the page's top left corner; `id` names it.
async fn put_link(console: &Console, id: &str, attributes: &Value) {
    console.dashboard().await;
    let script = format!(
        "const link = document.createElement('a'); link.id = {id}; link.textContent = 'A link';
         for (const [name, value] of Object.entries({attributes})) link.setAttribute(name, value);
         link.style = 'position: fixed; top: 0; left: 0; z-index: 99999; padding: 8px; background: white';
         document.getElementById(link.id)?.remove(); document.body.append(link);",
        id = json!(id),
    );
    console.script(&script).await;
}

/// Clicks on it as a person does: with the mouse.
async fn press_link(console: &Console, id: &str) {
    console.css(&format!("#{id}")).await.click().await.expect("a click");
}

#[tokio::test]
async fn a_persons_click_on_a_link_outside_opens_the_browser_once_and_the_dashboard_stays() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let mut home = Home::new();
    let browser = Browser::of(&mut home);
    let console = Console::signed_in(&home, &admin).await;
    let before = console.page().await;
    console.script("window.sameDocument = true").await;

    put_link(&console, "plain", &json!({ "href": "https://docs.example/run?a=1&b='x'#top" })).await;
    press_link(&console, "plain").await;
    holds("the browser was started", async || !browser.opened().is_empty()).await;

    // Again at once: a page is no machine gun. The shell asks, naming the host.
    put_link(&console, "again", &json!({ "href": "https://again.example/" })).await;
    press_link(&console, "again").await;
    console.shell().await;
    console.says("[data-testid='panel-external-link']", "again.example").await;
    console.click("external-stay").await;
    one_second().await;

    // A new window is none: its address goes the same way.
    put_link(&console, "blank", &json!({ "href": "https://blank.example/", "target": "_blank" })).await;
    press_link(&console, "blank").await;
    holds("the browser was started again", async || browser.opened().len() > 1).await;
    assert_eq!(console.dashboards().await, 1, "no new window");

    // Nothing that is not of the web is opened, whoever presses.
    for (number, address) in
        ["mailto:oncall@acme.example", "file:///etc/passwd", "vscode://open", "javascript:void(window.touched = 1)"]
            .into_iter()
            .enumerate()
    {
        let id = format!("scheme-{number}");
        put_link(&console, &id, &json!({ "href": address })).await;
        press_link(&console, &id).await;
        console.script(&format!("document.getElementById('{id}').click()")).await;
        console.script(&format!("window.open({})", json!(address))).await;
    }
    one_second().await;

    // A click that a script makes is no person's.
    put_link(&console, "by-script", &json!({ "href": "https://by-script.example/" })).await;
    console.script("document.getElementById('by-script').click()").await;
    console.shell().await;
    console.says("[data-testid='panel-external-link']", "by-script.example").await;
    console.click("external-open").await;
    holds("what the operator agreed to was opened", async || browser.opened().len() > 2).await;
    assert_eq!(
        browser.opened(),
        ["https://docs.example/run?a=1&b=%27x%27#top", "https://blank.example/", "https://by-script.example/"],
        "each exactly once, and nothing else"
    );
    assert_eq!(console.page().await, before);
    assert_eq!(
        console.script("return window.sameDocument === true").await,
        json!(true),
        "the dashboard is still there"
    );
    console.quit().await;
}

/// The rule is about time: one link a second opens without a question.
async fn one_second() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

#[tokio::test]
async fn a_download_lands_in_the_downloads_folder_under_a_safe_name_and_is_announced() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let folder = home.path().join("Downloads of mine");
    let config = home.path().join("config");
    fs::create_dir_all(&config).expect("a folder");
    fs::write(config.join("user-dirs.dirs"), "XDG_DOWNLOAD_DIR=\"$HOME/Downloads of mine\"\n").expect("writes");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("report.csv"), "mine").expect("writes");
    let console = Console::signed_in(&home, &admin).await;
    let before = console.page().await;

    let made =
        console.script("return URL.createObjectURL(new Blob(['a,b'], { type: 'application/octet-stream' }))").await;
    let names = || -> BTreeSet<String> {
        let entries = fs::read_dir(&folder).expect("reads");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
    };
    for (number, (asked, expected)) in [
        ("report.csv", Some("report (2).csv")),
        ("report.csv", Some("report (3).csv")),
        ("con.csv", Some("_con.csv")),
        ("why?.csv", Some("why_.csv")),
        // What these are called is WebKit's affair, too, as long as nobody is deceived.
        ("../../.bashrc", None),
        (".profile", None),
        ("a\u{202e}vsc.exe", None),
    ]
    .into_iter()
    .enumerate()
    {
        let before = names();
        let id = format!("download-{number}");
        put_link(&console, &id, &json!({ "href": made, "download": asked })).await;
        press_link(&console, &id).await;
        console.shell().await;
        holds(&format!("a file for {asked:?}"), async || names().len() == before.len() + 1).await;
        let name = names().difference(&before).next().expect("a new one").clone();
        match expected {
            Some(expected) => assert_eq!(name, expected),
            None => assert!(!name.starts_with('.') && !name.contains('\u{202e}'), "{name:?} for {asked:?}"),
        }
        console.says(".strips", &format!("{name} was saved to {}.", folder.join(&name).display())).await;
        assert_eq!(fs::read_to_string(folder.join(&name)).expect("reads"), "a,b");
    }
    assert_eq!(fs::read_to_string(folder.join("report.csv")).expect("reads"), "mine", "nothing was overwritten");
    for elsewhere in [".bashrc", ".profile", "report.csv"] {
        assert!(!home.path().join(elsewhere).exists(), "{elsewhere} is in the home folder");
    }
    assert_eq!(console.page().await, before, "the dashboard is still there");
    console.quit().await;
}

#[tokio::test]
async fn a_page_gets_no_permission() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    let position = "const done = arguments[arguments.length - 1]; \
                    navigator.geolocation.getCurrentPosition(() => done('granted'), error => done(error.code))";
    // GeolocationPositionError.PERMISSION_DENIED
    assert_eq!(console.script_async(position).await, json!(1));
    let notice = "const done = arguments[arguments.length - 1]; \
                  Notification.requestPermission().then(done, error => done(error.name))";
    assert_eq!(console.script_async(notice).await, json!("denied"));
    for wanted in ["{ video: true }", "{ audio: true }"] {
        let camera = format!(
            "const done = arguments[arguments.length - 1]; \
             navigator.mediaDevices.getUserMedia({wanted}).then(() => done('granted'), error => done(error.name))"
        );
        // Without a device WebKit does not even ask (OverconstrainedError).
        let said = console.script_async(&camera).await;
        assert!(said == "NotAllowedError" || said == "OverconstrainedError", "{wanted}: {said}");
    }
    console.quit().await;
}
