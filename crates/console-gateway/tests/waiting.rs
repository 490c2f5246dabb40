//! A page that meets an ended session, or an admin that cannot be reached: it goes on by itself, or stays as it is.

mod support;

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use support::{
    Admin, Answer, Bench, answer,
    consumer::Consumer,
    html,
    owner::begin,
    real::{RealAdmin, token},
};
use tokio::time;

const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"0\">";

/// A navigation that the shell makes, or a first load: no page leads to it.
async fn first_load(bench: &Bench, target: &str) -> Answer {
    bench
        .send(&format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n\
             Sec-Fetch-Dest: document\r\n\r\n",
            bench.host, bench.cookie
        ))
        .await
}

#[tokio::test]
async fn a_page_that_waits_goes_on_by_itself_and_is_not_led_back_a_second_time() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::before(&admin.base_url).await;
    begin(&bench, &token(&json!({ "iat": 1_000, "exp": 2_000 })), false);
    let mut page = Consumer::waiting(&bench, "/asyncmq/queues?x=1").await;
    assert!(page.heard.contains("content-security-policy: default-src 'none'"), "{}", page.heard);
    assert_eq!(bench.gateway.take_return_path(), None, "it goes on by itself");
    begin(&bench, &token(&json!({})), false);
    assert_eq!(bench.gateway.take_return_path(), None);
    page.hears(REFRESH).await;
    assert!(!page.reads("never said").await, "and the page ends");
    assert_eq!(bench.gateway.take_interrupted_path(), None);
    assert_eq!(bench.page("GET", "/asyncmq/queues?x=1", "", "").await.status, 200);
}

#[tokio::test]
async fn a_page_does_not_go_on_as_somebody_else() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::before(&admin.base_url).await;
    begin(&bench, &token(&json!({ "iat": 1_000, "exp": 2_000 })), false);
    let mut page = Consumer::waiting(&bench, "/asyncmq/queues?x=1").await;
    begin(&bench, &token(&json!({ "sub": "bob" })), false);
    assert_eq!(bench.page("GET", "/asyncmq/", "", "").await.status, 200, "bob is in");
    assert_eq!(bench.gateway.take_interrupted_path().as_deref(), Some("/asyncmq/queues?x=1"), "for bob's dashboard");
    drop(bench);
    assert!(!page.reads(REFRESH).await, "it ends with the gateway");
}

#[tokio::test]
async fn only_so_many_pages_wait_and_the_others_are_led_back() {
    let admin = Admin::start(|_| html("x")).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    bench.clock.advance(10_000);
    let mut pages = Vec::new();
    for _ in 0..16 {
        pages.push(Consumer::waiting(&bench, "/asyncmq/a").await);
    }
    let page = bench.page("GET", "/asyncmq/b", "", "").await;
    assert!(page.status == 401 && page.text().contains("this page comes back"), "{}", page.text());
    assert_eq!(bench.gateway.take_return_path().as_deref(), Some("/asyncmq/b"));
    // A page that was left gives its place back as soon as that is noticed.
    drop(pages.pop());
    let again = time::timeout(Duration::from_secs(30), async {
        while !Consumer::navigates(&bench, "/asyncmq/c").await.heard.contains("goes on by itself") {
            time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(again.await.is_ok(), "the place is lost");
}

#[tokio::test]
async fn a_script_and_a_head_do_not_wait() {
    let admin = Admin::start(|_| html("x")).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    bench.clock.advance(10_000);
    assert_eq!(bench.fetch("GET", "/asyncmq/a", "").await.status, 401);
    let head = bench.page("HEAD", "/asyncmq/a", "", "").await;
    assert_eq!((head.status, head.body.len()), (401, 0));
}

#[tokio::test]
async fn a_page_on_the_screen_stays_while_the_admin_cannot_be_reached_and_a_first_load_tries_again() {
    let bench = Bench::before("http://127.0.0.1:1/asyncmq").await;
    let first = first_load(&bench, "/asyncmq/").await;
    assert_eq!((first.status, first.header("refresh")), (502, Some("2")));
    // The gateway's own page tries again: it has nothing to keep.
    let again = bench.page("GET", "/asyncmq/", "", "").await;
    assert_eq!((again.status, again.header("refresh")), (502, Some("4")));

    let admin =
        Admin::start(|seen| if seen.target == "/asyncmq/gone" { answer(407, &[], "") } else { html("the dashboard") })
            .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    assert_eq!(first_load(&bench, "/asyncmq/gone").await.status, 502);
    assert_eq!(first_load(&bench, "/asyncmq/").await.status, 200);
    let stays = bench.page("GET", "/asyncmq/gone", "", "").await;
    assert_eq!((stays.status, stays.body.len()), (StatusCode::NO_CONTENT.as_u16(), 0), "a click leaves the page");
    assert_eq!(bench.page("GET", "/asyncmq/gone", "", "").await.status, 204, "and it is still there");
    assert_eq!(bench.fetch("GET", "/asyncmq/gone", "").await.status, 502, "a script hears it");
    assert_eq!(first_load(&bench, "/asyncmq/gone").await.status, 502, "the shell's own navigation shows it");
    assert_eq!(bench.page("GET", "/asyncmq/gone", "", "").await.status, 502, "and that page tries again");
}
