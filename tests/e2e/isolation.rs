//! A dashboard has no way out of its frame, and no way into another's.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use serde_json::json;

use crate::support::{Admin, Console, Home, holds, turn};

#[tokio::test]
async fn two_environments_on_one_host_do_not_see_each_others_cookies() {
    let _turn = turn().await;
    let (one, two) = (Admin::start(json!({})).await, Admin::start(json!({ "prefix": "/two" })).await);
    let home = Home::new();
    let console = Console::signed_in(&home, &one).await;
    console.script("document.cookie = 'planted=by-one; path=/'").await;
    console.add_environment("Other", "TWO", &two.base_url).await;
    console.sign_in(&two.token(3600)).await;
    console.shell().await;
    console.says("[data-testid='bar-tag']", "TWO").await;
    // Whatever a page can read: no guard cookie, no session of the admin, nothing of the other environment.
    for path in ["/two/", "/two/queues"] {
        // The first dashboard is still open; this one is told by its prefix.
        holds("the second dashboard", async || {
            console.go(path).await;
            console.page().await.starts_with("/two/")
        })
        .await;
        let cookies = console.script("return document.cookie").await;
        let cookies = cookies.as_str().expect("text");
        assert!(!cookies.contains("guard") && !cookies.contains("session") && !cookies.contains("asyncz"), "{cookies}");
    }
    console.quit().await;
}

#[tokio::test]
async fn a_dashboard_has_no_ipc_and_cannot_leave() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    let found = console
        .script(
            "return [typeof window.__TAURI_INTERNALS__, typeof window.__TAURI__, typeof window.ipc, typeof window.isTauri, \
             typeof window.webkit?.messageHandlers?.ipc]",
        )
        .await;
    assert_eq!(found, json!(["undefined", "undefined", "undefined", "undefined", "undefined"]));

    // A script that wants to go elsewhere stays, and the shell asks, naming the host.
    let before = console.page().await;
    console.script("setTimeout(() => window.location.assign('https://elsewhere.example/x'), 0)").await;
    console.shell().await;
    console.says("[data-testid='panel-external-link']", "elsewhere.example").await;
    console.click("external-stay").await;
    assert_eq!(console.page().await, before, "the dashboard is still there");
    console.script("return window.open('https://elsewhere.example/y') === null").await;
    assert_eq!(console.dashboards().await, 1, "no new window");
    console.quit().await;
}

#[tokio::test]
async fn the_dashboard_reaches_loopback_whatever_the_proxy_settings_are() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    Console::signed_in(&home, &admin).await.quit().await;
    let before = admin.streams();

    // A proxy that says so when it is asked. Without WebDriver, so that the dashboard is incognito, as it really is.
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", proxy.local_addr().expect("address"));
    let (asked, was_asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in proxy.incoming().flatten() {
            let mut head = [0_u8; 256];
            let length = stream.read(&mut head).unwrap_or(0);
            let _ = asked.send(String::from_utf8_lossy(&head[..length]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 502 no\r\n\r\n");
        }
    });
    let variables = ["http_proxy", "https_proxy", "all_proxy"].map(|name| (name, address.as_str()));
    let _console = home.start_alone(&variables);
    holds("the page's own script follows the events", async || admin.streams() > before).await;
    assert_eq!(was_asked.try_iter().collect::<Vec<_>>(), Vec::<String>::new());
}
