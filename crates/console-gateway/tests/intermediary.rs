//! What would a browser notice of the intermediary? RFC 9110 and 9112, on real sockets on both sides.

mod support;

use console_core::session::SessionState;
use support::{
    Bench,
    wire::{RawAdmin, Wire},
};

/// Whether the session counts as one whose admin is there.
fn is_active(bench: &Bench) -> bool {
    matches!(bench.session.state(), SessionState::Active { .. })
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_not_passed_on() {
    let admin =
        RawAdmin::saying("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw").await;
    let bench = Bench::before(&admin.base_url()).await;
    for (method, words) in [("GET", "protocol that nobody asked for"), ("POST", "look before you do it again")] {
        let answer = bench.page(method, "/asyncmq/queues", "", "").await;
        assert_eq!(answer.status, 502, "{method}");
        assert!(answer.text().contains(words), "{method}: {}", answer.text());
        assert_eq!(answer.header("upgrade"), None, "{method}");
    }
    assert!(is_active(&bench), "{:?}", bench.session.state());
}

#[tokio::test]
async fn an_http_1_0_admin_is_passed_on_in_our_own_version_and_words() {
    for body in ["<p>of some length", ""] {
        let admin = RawAdmin::start(move |mut wire, record| async move {
            record.head(&mut wire).await;
            // No length: the end of the connection is the end of the body.
            wire.write(format!("HTTP/1.0 200 Quite Fine\r\nContent-Type: text/plain\r\n\r\n{body}")).await;
        })
        .await;
        let bench = Bench::before(&admin.base_url()).await;
        let mut page = Wire::to(&bench).await;
        for _ in ["the first", "another on the same connection"] {
            page.ask(&bench, "GET", "/asyncmq/queues", "").await;
            let head = page.head().await.expect("an answer");
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
            assert!(head.to_lowercase().contains("transfer-encoding: chunked\r\n"), "{head}");
            let (came, _) = page.chunked().await.expect("a whole body");
            assert_eq!(came, body.as_bytes());
        }
    }
}

/// Everything that a parser refuses, and what the next page gets.
#[tokio::test]
async fn an_answer_that_is_no_http_is_one_pages_fault_and_no_outage() {
    let many = (0..200).fold(String::new(), |lines, n| lines + &format!("X-{n}: 1\r\n"));
    let cases = [
        ("no HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned()),
        ("a header bomb of many lines", format!("HTTP/1.1 200 OK\r\n{many}\r\n")),
        ("a header bomb of one line", format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(600_000))),
        ("a header that is none", "HTTP/1.1 200 OK\r\nContent Length: 1\r\n\r\nx".to_owned()),
        ("a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx".to_owned()),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy".to_owned()),
    ];
    for (name, bad) in cases {
        let admin = RawAdmin::start(move |mut wire, record| {
            let bad = bad.clone();
            async move {
                while let Some(head) = record.head(&mut wire).await {
                    let good = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
                    let answer = if head.contains("/bad") { bad.as_bytes() } else { good.as_bytes() };
                    // The gateway does not wait for the end of what it cannot understand.
                    let _ = tokio::io::AsyncWriteExt::write_all(&mut wire.stream, answer).await;
                }
            }
        })
        .await;
        let bench = Bench::before(&admin.base_url()).await;
        assert_eq!(bench.page("GET", "/asyncmq/good", "", "").await.status, 200);
        let page = bench.page("GET", "/asyncmq/bad", "", "").await;
        assert_eq!(page.status, 502, "{name}: the page says so, and is not left as it was");
        assert!(page.text().contains("The answer of TEST cannot be understood"), "{name}: {}", page.text());
        assert_eq!(page.header("refresh"), None, "{name}: asking again would not help");
        let write = bench.page("POST", "/asyncmq/bad", "", "").await;
        assert!(write.text().contains("look before you do it again"), "{name}: {}", write.text());
        assert!(is_active(&bench), "{name}: {:?}", bench.session.state());
        assert_eq!(bench.page("GET", "/asyncmq/good", "", "").await.text(), "fine", "{name}: the next page");
        let asked: Vec<_> = admin.heads().iter().filter(|head| head.contains("/bad")).cloned().collect();
        assert_eq!(asked.len(), 2, "{name}: once for each request: {asked:?}");
    }
}

#[tokio::test]
async fn an_answer_to_a_write_whose_chunks_are_none_is_no_outage() {
    let admin = RawAdmin::saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n").await;
    let bench = Bench::before(&admin.base_url()).await;
    let answer = bench.page("POST", "/asyncmq/queues", "", "").await;
    assert!(answer.status == 502 && answer.text().contains("chunks"), "{}", answer.text());
    assert!(is_active(&bench), "{:?}", bench.session.state());
}
