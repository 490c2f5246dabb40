//! An admin that was taken over: whatever it sends is bounded in time and memory, and the next page works.

mod support;

use std::time::Duration;

use async_compression::tokio::write::GzipEncoder;
use console_core::session::SessionState;
use console_gateway::Pace;
use support::{
    Bench,
    wire::{RawAdmin, Record, Wire},
};
use tokio::{io::AsyncWriteExt as _, time};

const MIB: usize = 1024 * 1024;
const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

/// An admin that answers `/bad` as `bad` does, and anything else well.
async fn admin<F>(bad: impl Fn(Wire) -> F + Clone + Send + 'static) -> RawAdmin
where
    F: Future<Output = ()> + Send + 'static,
{
    RawAdmin::start(move |mut wire: Wire, record: Record| {
        let bad = bad.clone();
        async move {
            while let Some(head) = record.head(&mut wire).await {
                if head.contains("/bad") {
                    return bad(wire).await;
                }
                wire.write(GOOD).await;
            }
        }
    })
    .await
}

async fn the_next_page_works(bench: &Bench) {
    assert!(matches!(bench.session.state(), SessionState::Active { .. }), "{:?}", bench.session.state());
    assert_eq!(bench.page("GET", "/asyncmq/good", "", "").await.text(), "fine");
}

/// What this process has in memory, in bytes.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("statm");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
}

#[tokio::test]
async fn an_answer_that_never_gets_to_its_end_of_head_is_given_up() {
    for drip in ["X-Another: line\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let admin = admin(move |mut wire| async move {
            wire.write(if drip.starts_with("HTTP") { "" } else { "HTTP/1.1 200 OK\r\n" }).await;
            // Until the gateway closes.
            while wire.stream.write_all(drip.as_bytes()).await.is_ok() {
                time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let pace = Pace { first_byte: Some(Duration::from_secs(1)), ..Pace::default() };
        let bench = Bench::at(pace, &admin.base_url()).await;
        let page = bench.page("GET", "/asyncmq/bad", "", "").await;
        assert_eq!(page.status, 504, "{drip:?}: {}", page.text());
        assert_eq!(bench.page("GET", "/asyncmq/good", "", "").await.text(), "fine");
    }
}

#[tokio::test]
async fn a_length_out_of_all_reason_is_a_page_that_breaks_off() {
    let admin = admin(|mut wire| async move {
        wire.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9223372036854775807\r\n\r\n<p>")
            .await;
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let page = bench.page("GET", "/asyncmq/bad", "", "").await;
    assert_eq!(page.status, 200);
    assert!(!page.is_whole, "{page:?}");
    the_next_page_works(&bench).await;
}

#[tokio::test]
async fn a_redirect_in_a_circle_is_the_browsers_to_end_and_asked_for_once() {
    let circle = "HTTP/1.1 302 Found\r\nLocation: /asyncmq/bad\r\nContent-Length: 0\r\n\r\n";
    let admin = admin(move |mut wire| async move { wire.write(circle).await }).await;
    let bench = Bench::before(&admin.base_url()).await;
    let page = bench.page("GET", "/asyncmq/bad", "", "").await;
    assert_eq!((page.status, page.header("location")), (302, Some("/asyncmq/bad")));
    assert_eq!(admin.heads().iter().filter(|head| head.contains("/bad")).count(), 1);
    the_next_page_works(&bench).await;
}

#[tokio::test]
async fn a_page_that_unpacks_to_a_quarter_of_a_gigabyte_passes_through_little_memory() {
    const WHOLE: usize = 256 * MIB;
    let mut bomb = GzipEncoder::new(Vec::new());
    bomb.write_all(b"<!doctype html><a href=\"/x\">").await.expect("packs");
    for _ in 0..WHOLE / MIB {
        bomb.write_all(&vec![b' '; MIB]).await.expect("packs");
    }
    bomb.shutdown().await.expect("packs");
    let bomb = bomb.into_inner();
    assert!(bomb.len() < MIB, "{} bytes", bomb.len());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let answer = [head.as_bytes(), &bomb].concat();
    let admin = admin(move |mut wire| {
        let answer = answer.clone();
        async move { wire.write(answer).await }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    let before = memory();
    page.ask(&bench, "GET", "/asyncmq/bad", "").await;
    assert!(page.head().await.is_some_and(|head| head.starts_with("HTTP/1.1 200")));
    let (mut came, mut most) = (0, 0);
    while came < WHOLE {
        let piece = page.take(MIB).await;
        assert!(!piece.is_empty(), "it broke off after {came}");
        came += piece.len();
        most = most.max(memory());
    }
    let grown = most.saturating_sub(before);
    assert!(grown < 64 * MIB, "{} MiB more", grown / MIB);
    the_next_page_works(&bench).await;
}
