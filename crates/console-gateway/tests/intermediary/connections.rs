//! Connections: who may hold one.

use std::time::Duration;

use tokio::time;

use crate::{
    admin_of_pages,
    support::{Bench, wire::Wire},
};

#[tokio::test]
async fn strangers_that_hold_connections_do_not_keep_the_dashboard_out() {
    let admin = admin_of_pages().await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut known = Wire::to(&bench).await;
    known.ask(&bench, "GET", "/asyncmq/queues", "").await;
    assert_eq!(known.answer("GET").await.status, 200);
    let mut strangers = Vec::new();
    let asking = async {
        for _ in 0..300 {
            strangers.push(Wire::to(&bench).await);
        }
        assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
        known.ask(&bench, "GET", "/asyncmq/queues", "").await;
        assert_eq!(known.answer("GET").await.status, 200, "a connection that is known is nobody's to take");
    };
    time::timeout(Duration::from_secs(5), asking).await.expect("nothing of theirs is waited for");
    strangers[0].closed().await;
}

#[tokio::test]
async fn a_stranger_gets_one_answer_and_seconds_for_its_head() {
    let admin = admin_of_pages().await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut stranger = Wire::to(&bench).await;
    stranger.write(format!("GET /asyncmq/ HTTP/1.1\r\nHost: {}\r\n\r\n", bench.host)).await;
    let denied = stranger.answer("GET").await;
    assert_eq!((denied.status, denied.header("connection")), (403, Some("close")));
    stranger.closed().await;
    let mut silent = Wire::to(&bench).await;
    silent.write("GET /asyncmq/ HTTP/1.1\r\n").await;
    time::timeout(Duration::from_secs(6), silent.closed()).await.expect("a head of a stranger may take two seconds");
}

#[tokio::test]
async fn more_pages_than_strangers_may_be_there_keep_their_connections() {
    let admin = admin_of_pages().await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut pages = Vec::new();
    for _ in 0..100 {
        let mut page = Wire::to(&bench).await;
        page.ask(&bench, "GET", "/asyncmq/queues", "").await;
        assert_eq!(page.answer("GET").await.status, 200);
        pages.push(page);
    }
    for page in &mut pages {
        page.ask(&bench, "GET", "/asyncmq/queues", "").await;
        assert_eq!(page.answer("GET").await.status, 200);
    }
}
