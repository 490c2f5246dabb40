//! Where the dashboard lies in the window.

use serde_json::json;

use crate::support::{Admin, Console, Home, holds, turn};

/// `--rail-width`, and `--bar-height` with `--accent-line`, of `ui/src/styles/tokens.css`.
const RAIL: i64 = 56;
const BAR: i64 = 42;

#[tokio::test]
async fn the_dashboard_has_exactly_what_rail_and_bar_leave_at_every_size() {
    let _turn = turn().await;
    let admin = Admin::start(json!({})).await;
    let home = Home::new();
    let console = Console::signed_in(&home, &admin).await;
    for (width, height) in [(1280, 800), (900, 600), (1001, 701), (1237, 789), (960, 640)] {
        console.shell().await.set_window_size(width, height).await.expect("resizes");
        holds(&format!("a window of {width} × {height}"), async || {
            console.shell().await;
            inner_size(&console).await == (i64::from(width), i64::from(height))
        })
        .await;
        holds(&format!("a dashboard that fits {width} × {height}"), async || {
            console.dashboard().await;
            inner_size(&console).await == (i64::from(width) - RAIL, i64::from(height) - BAR)
        })
        .await;
    }

    // A strip under the bar takes its height of the dashboard and gives it back.
    console.shell().await;
    // WebDriver's turn to the dashboard may take the keyboard's focus there, and the menu closes when the shell loses it.
    console.script("window.addEventListener('blur', event => event.stopImmediatePropagation())").await;
    console.click("bar-menu").await;
    console.find("menu-reload").await;
    let strip = console.script("return document.querySelector('.strips').offsetHeight").await;
    let strip = strip.as_i64().expect("a height");
    assert!(strip > 20, "the menu is a strip: {strip}");
    console.dashboard().await;
    holds("a dashboard below the strip", async || inner_size(&console).await == (960 - RAIL, 640 - BAR - strip)).await;
    console.shell().await;
    console.click("bar-menu").await;
    console.dashboard().await;
    holds("the whole dashboard again", async || inner_size(&console).await == (960 - RAIL, 640 - BAR)).await;
    console.quit().await;
}

async fn inner_size(console: &Console) -> (i64, i64) {
    let size = console.script("return [window.innerWidth, window.innerHeight]").await;
    (size[0].as_i64().expect("pixels"), size[1].as_i64().expect("pixels"))
}
