//! What a page may load from others: the operator is asked, and nothing comes before the answer.

use std::{io::ErrorKind, net::TcpListener};

use serde_json::json;

use crate::support::{Admin, Console, FIRST_STRICT, Home, eventually, holds, turn};

/// A page's script that loads another one from elsewhere.
const LOADS: &str = "const script = document.createElement('script'); \
                     script.src = 'https://cdn.elsewhere.example/x.js'; document.body.append(script)";

/// The policies of the page on stage.
async fn policy(console: &Console) -> String {
    console.dashboard().await;
    let answer = console
        .script_async("fetch(location.href).then(it => arguments[0](it.headers.get('content-security-policy')))")
        .await;
    answer.as_str().expect("a policy").to_owned()
}

/// `cargo xtask test --full` runs this with every release that can be signed in to with a token.
#[tokio::test]
async fn a_release_that_loads_scripts_from_elsewhere_is_asked_about_by_host_and_a_newer_one_is_not() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    console.says("body", "Dashboard").await;
    console.shell().await;
    if Admin::release_line() < FIRST_STRICT {
        console.says("[data-testid='panel-third-parties']", "cdn.tailwindcss.com").await;
        console.click("third-parties-block").await;
        console.says("[data-testid='third-parties-banner']", "These pages lack").await;
        console.says("[data-testid='third-parties-banner']", "layout and colours").await;
    } else {
        holds("a live page", async || admin.streams() > 0).await;
        assert!(!console.is_there("[data-testid='panel-third-parties']").await);
    }
    console.quit().await;
}

#[tokio::test]
async fn a_script_from_elsewhere_is_asked_about_by_host_blocked_until_allowed_and_the_answer_is_kept() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    console.script(LOADS).await;
    console.shell().await;
    console.says("[data-testid='panel-third-parties']", "cdn.elsewhere.example").await;
    console.click("third-parties-block").await;
    console.says("[data-testid='third-parties-banner']", "cdn.elsewhere.example").await;
    assert!(!policy(&console).await.contains("elsewhere.example"));

    // Asked once: the page may want it as often as it likes.
    console.script(LOADS).await;
    console.script("window.sameDocument = true").await;
    console.shell().await;
    assert!(!console.is_there("[data-testid='panel-third-parties']").await);

    console.click("third-parties-open").await;
    console.css("[data-testid='third-parties'] button").await.click().await.expect("allows");
    holds("the page is loaded again", async || {
        console.dashboard().await;
        console.script("return window.sameDocument !== true").await == json!(true)
    })
    .await;
    assert!(policy(&console).await.contains("https://cdn.elsewhere.example"));
    console.quit().await;

    let console = Console::start(&home).await;
    eventually("the dashboard again", async || {
        console.dashboard().await;
        policy(&console).await.contains("https://cdn.elsewhere.example").then_some(())
    })
    .await;
    console.quit().await;
}

/// (AsyncMQ 0.10's own policy refuses it as well; the matrix runs this with older releases, too, which send none.)
#[tokio::test]
async fn a_page_reaches_no_port_of_this_computer_but_its_own() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    let neighbour = TcpListener::bind("127.0.0.1:0").expect("a port");
    neighbour.set_nonblocking(true).expect("does not wait");
    let address = neighbour.local_addr().expect("an address");
    let scan = format!(
        "const done = arguments[0]; const there = 'http://{address}/'; \
         const ways = [() => new EventSource(there), () => {{ new Image().src = there }}, \
                       () => navigator.sendBeacon(there), () => new WebSocket('ws://{address}/')]; \
         for (const way of ways) try {{ way() }} catch {{}} \
         const frame = document.createElement('iframe'); frame.src = there; document.body.append(frame); \
         fetch(there, {{ mode: 'no-cors' }}).then(() => done('reached'), () => done('refused'))"
    );
    assert_eq!(console.script_async(&scan).await, json!("refused"));
    // What the page asked for after that has come back, and so would what it asked for before.
    console.script_async("fetch(location.href).then(() => arguments[0](null))").await;
    assert_eq!(neighbour.accept().map(drop).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    console.shell().await;
    let said = console.script("return document.body.innerText").await;
    assert!(!said.as_str().expect("text").contains(&address.to_string()), "there is nothing of it to allow: {said}");
    console.quit().await;
}
