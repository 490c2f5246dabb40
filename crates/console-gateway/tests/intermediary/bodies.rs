//! Bodies: chunks, trailers, `Expect`, early answers, broken and slow ones.

use std::{sync::Arc, time::Duration};

use console_core::environment::Protection;
use console_gateway::{GatewayEvent, Pace};
use tokio::{
    io::AsyncWriteExt as _,
    sync::mpsc,
    time::{self, Instant},
};

use crate::{
    is_active,
    support::{
        Answer, Bench,
        faulty::until,
        wire::{PATIENCE, RawAdmin, Wire},
    },
};

/// More than a gateway keeps of a body: it is streamed.
const LARGE: usize = 8 * 1024 * 1024;

/// Sends all of a body, and only then reads: as a browser may.
async fn uploads(bench: &Bench, target: &str) -> Answer {
    let mut page = Wire::to(bench).await;
    page.ask(bench, "POST", target, &format!("Content-Length: {LARGE}\r\n")).await;
    page.write(vec![b'x'; LARGE]).await;
    page.answer("POST").await
}

#[tokio::test]
async fn a_refusal_while_a_body_is_coming_is_read_by_the_page() {
    let admin = RawAdmin::saying("").await;
    let bench = Bench::with(&admin.base_url(), |draft| draft.protection = Protection::Locked).await;
    let locked = uploads(&bench, "/asyncmq/queues").await;
    assert!(locked.status == 403 && locked.text().contains("TEST is locked"), "{locked:?}");
    let outside = uploads(&bench, "/elsewhere").await;
    assert!(outside.status == 404 && outside.text().contains("Not part of TEST"), "{outside:?}");
    assert_eq!(admin.accepted(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_body_in_chunks_passes_whole_both_ways_and_its_trailers_are_no_fields() {
    let admin = RawAdmin::start(|mut wire, record| async move {
        while let Some(head) = record.head(&mut wire).await {
            let (body, trailers) = if head.contains("transfer-encoding: chunked") {
                wire.chunked().await.expect("a whole body")
            } else {
                (b"none".to_vec(), String::new())
            };
            assert_eq!(trailers, "");
            let (one, two) = body.split_at(1);
            wire.write("HTTP/1.1 200 OK\r\nTrailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\n")
                .await;
            wire.write([one, format!("\r\n{:x}\r\n", two.len()).as_bytes(), two].concat()).await;
            wire.write("\r\n0\r\nAuthorization: Bearer canary\r\nSet-Cookie: a=b\r\n\r\n").await;
        }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    page.ask(&bench, "GET", "/asyncmq/queues", "TE: trailers\r\nConnection: TE\r\n").await;
    let head = page.head().await.expect("an answer");
    assert!(!head.to_lowercase().contains("trailer"), "{head}");
    assert_eq!(page.chunked().await, Some((b"none".to_vec(), String::new())), "RFC 9110 §6.5.1: they may be dropped");
    // A browser sends no chunks over HTTP/1.1; what does may.
    page.ask(&bench, "POST", "/asyncmq/queues", "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n").await;
    page.write("3\r\nabc\r\n5;ext=1\r\ndefgh\r\n0\r\nX-T: 1\r\n\r\n").await;
    let answer = page.answer("POST").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "abcdefgh"));
    assert_eq!(answer.header("connection"), Some("close"), "where its end is, is not read twice");
    page.closed().await;
    assert_eq!(admin.heads().len(), 2);
    assert!(!admin.heads()[1].contains("x-t"), "{}", admin.heads()[1]);
}

#[tokio::test]
async fn nothing_is_read_behind_a_body_in_chunks() {
    let admin = RawAdmin::start(|mut wire, record| async move {
        while record.head(&mut wire).await.is_some() {
            wire.chunked().await.expect("a whole body");
            wire.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let (host, cookie) = (&bench.host, &bench.cookie);
    let behind = format!("GET /asyncmq/smuggled HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n");
    let mut page = Wire::to(&bench).await;
    let own = format!("Host: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n");
    page.write(format!(
        "POST /asyncmq/q HTTP/1.1\r\n{own}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n{behind}"
    ))
    .await;
    assert_eq!(page.answer("POST").await.status, 200);
    assert!(page.head().await.is_none(), "the connection has ended");
    assert_eq!(admin.heads().len(), 1);
}

#[tokio::test]
async fn continue_is_said_when_the_body_is_wanted_and_never_to_a_refused_one() {
    let admin = RawAdmin::start(|mut wire, record| async move {
        while let Some(head) = record.head(&mut wire).await {
            assert!(!head.contains("expect"), "it is answered here: {head}");
            let length = if head.contains("content-length: 5\r\n") { 5 } else { LARGE };
            let body = wire.take(length).await;
            wire.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len().to_string().len())).await;
            wire.write(body.len().to_string()).await;
        }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    for length in [5, LARGE] {
        let mut page = Wire::to(&bench).await;
        let expects = format!("Expect: 100-continue\r\nContent-Length: {length}\r\n");
        page.ask(&bench, "POST", "/asyncmq/queues", &expects).await;
        assert_eq!(page.answer("POST").await.status, 100, "{length} bytes");
        page.write(vec![b'x'; length]).await;
        assert_eq!(page.answer("POST").await.text(), length.to_string());
    }
    let seen = admin.heads().len();
    bench.gateway.protect(Protection::Locked);
    let mut page = Wire::to(&bench).await;
    page.ask(&bench, "POST", "/asyncmq/queues", "Expect: 100-continue\r\nContent-Length: 5\r\n").await;
    let refused = page.answer("POST").await;
    assert_eq!(refused.status, 403, "the first that is heard is the refusal");
    assert!(refused.text().contains("locked"));
    page.closed().await;
    let mut stranger = Wire::to(&bench).await;
    let host = &bench.host;
    stranger
        .write(format!("POST /asyncmq/ HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"))
        .await;
    assert_eq!(stranger.answer("POST").await.status, 403);
    assert_eq!(admin.heads().len(), seen, "nothing was sent");
}

#[tokio::test]
async fn an_admins_refusal_of_a_large_upload_is_read_by_the_page() {
    // As nginx does it: answers, closes its side, and reads on for a while.
    let admin = RawAdmin::start(|mut wire, record| async move {
        record.head(&mut wire).await;
        let refusal = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large";
        wire.write(refusal).await;
        wire.stream.shutdown().await.expect("it is open");
        wire.closed().await;
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let refused = uploads(&bench, "/asyncmq/queues").await;
    assert_eq!((refused.status, refused.text().as_str(), refused.is_whole), (413, "too large", true));
    assert!(is_active(&bench), "{:?}", bench.session.state());
}

#[tokio::test]
async fn an_admin_that_refuses_and_breaks_its_words_off_is_heard_and_is_no_outage() {
    let admin = RawAdmin::start(|mut wire, record| async move {
        record.head(&mut wire).await;
        wire.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo").await;
        wire.stream.shutdown().await.expect("it is open");
        wire.closed().await;
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let refused = uploads(&bench, "/asyncmq/queues").await;
    assert!(refused.status == 413 && refused.is_whole, "{refused:?}");
    assert!(refused.text().contains("TEST answered 413"), "{}", refused.text());
    assert!(is_active(&bench), "{:?}", bench.session.state());
}

#[tokio::test]
async fn the_wait_for_an_answer_begins_when_the_body_was_sent() {
    let first_byte = Duration::from_secs(3);
    let admin = RawAdmin::start(|mut wire, record| async move {
        while record.head(&mut wire).await.is_some() {
            let body = wire.take(LARGE).await;
            wire.write(if body.len() == LARGE { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" } else { "" }).await;
        }
    })
    .await;
    let bench = Bench::at(Pace { first_byte: Some(first_byte), ..Pace::default() }, &admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    page.ask(&bench, "POST", "/asyncmq/queues", &format!("Content-Length: {LARGE}\r\n")).await;
    let began = Instant::now();
    for piece in vec![b'x'; LARGE].chunks(LARGE / 16) {
        // A slow line: the upload alone takes longer than the answer may.
        time::sleep(first_byte / 10).await;
        page.write(piece).await;
    }
    assert!(began.elapsed() > first_byte);
    assert_eq!(page.answer("POST").await.status, 200);
    // Whole, and no answer: that is waited for so long, and no longer.
    let silent = RawAdmin::start(|mut wire, record| async move {
        record.head(&mut wire).await;
        wire.closed().await;
    })
    .await;
    let first_byte = Duration::from_millis(300);
    let bench = Bench::at(Pace { first_byte: Some(first_byte), ..Pace::default() }, &silent.base_url()).await;
    let late = uploads(&bench, "/asyncmq/queues").await;
    assert!(late.status == 504 && late.text().contains("did not answer"), "{late:?}");
}

#[tokio::test]
async fn a_page_that_breaks_off_its_upload_breaks_it_off_at_the_admin_and_is_no_outage() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let admin = RawAdmin::start(move |mut wire, record| {
        let ended = ended.clone();
        async move {
            record.head(&mut wire).await;
            ended.send(wire.take(LARGE).await.len()).expect("the test listens");
        }
    })
    .await;
    let mut bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    page.ask(&bench, "POST", "/asyncmq/queues", &format!("Content-Length: {LARGE}\r\n")).await;
    page.write(vec![b'x'; LARGE / 2]).await;
    drop(page);
    let came = time::timeout(PATIENCE, ends.recv()).await.expect("its connection ends").expect("open");
    assert!(came <= LARGE / 2, "{came}");
    bench.hears(GatewayEvent::WriteNotDone { surely: false }).await;
    assert!(is_active(&bench), "{:?}", bench.session.state());
}

#[tokio::test]
async fn a_page_that_goes_away_takes_its_request_with_it_and_a_write_comes_to_its_end() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let admin = RawAdmin::start(move |mut wire, record| {
        let ended = ended.clone();
        async move {
            let head = record.head(&mut wire).await.expect("a request");
            if head.starts_with("get /asyncmq/body") {
                wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").await;
            }
            if head.starts_with("post") {
                wire.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            }
            wire.closed().await;
            ended.send(head).expect("the test listens");
        }
    })
    .await;
    let mut bench = Bench::before(&admin.base_url()).await;
    for target in ["/asyncmq/head", "/asyncmq/body"] {
        let mut page = Wire::to(&bench).await;
        page.ask(&bench, "GET", target, "").await;
        if target.ends_with("body") {
            page.head().await.expect("an answer");
        } else {
            until("it was asked", PATIENCE, || !admin.heads().is_empty()).await;
        }
        drop(page);
        let head = time::timeout(PATIENCE, ends.recv()).await.expect("its connection ends").expect("open");
        assert!(head.starts_with(&format!("get {target}")), "{head}");
    }
    let mut page = Wire::to(&bench).await;
    page.ask(&bench, "POST", "/asyncmq/queues", "Content-Length: 0\r\n").await;
    bench.hears(GatewayEvent::OnTheirWay).await;
    drop(page);
    until("the write is done", PATIENCE, || bench.gateway.on_their_way() == 0).await;
    assert!(admin.heads().iter().any(|head| head.starts_with("post")), "on purpose: it was taken in");
    assert!(is_active(&bench));
}

/// What all that lies between may keep of a stream that nobody reads, in bytes: hyper's buffers on both sides, and the system's,
/// which Linux lets grow to 32 MiB for what comes in and 4 MiB for what goes out (`tcp_rmem`, `tcp_wmem`).
const KEPT: usize = 40 * 1024 * 1024;
/// What is offered.
const OFFERED: usize = 96 * 1024 * 1024;

#[tokio::test]
async fn a_page_that_reads_nothing_stops_the_admin() {
    for kind in ["application/octet-stream", "text/html"] {
        let (blocked, mut blocks) = mpsc::unbounded_channel();
        let admin = RawAdmin::start(move |mut wire, record| {
            let blocked = blocked.clone();
            async move {
                record.head(&mut wire).await;
                wire.write(format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {OFFERED}\r\n\r\n"))
                    .await;
                let written = wire.write_until_it_blocks(OFFERED).await;
                blocked.send(written).expect("the test listens");
                // As much as is taken; the page leaves before the end.
                let _ = wire.stream.write_all(&vec![b'x'; OFFERED - written]).await;
                wire.closed().await;
            }
        })
        .await;
        let bench = Bench::before(&admin.base_url()).await;
        let mut page = Wire::to(&bench).await;
        page.ask(&bench, "GET", "/asyncmq/endless", "").await;
        let written = time::timeout(PATIENCE * 4, blocks.recv()).await.expect("it blocks").expect("open");
        assert!(written < KEPT, "{kind}: {written} bytes were taken in, and nobody reads them");
        assert!(page.head().await.expect("an answer").starts_with("HTTP/1.1 200"), "{kind}");
        let more = written + 1024 * 1024;
        assert_eq!(page.take(more).await.len(), more, "{kind}: it goes on when it is read");
    }
}

#[tokio::test]
async fn an_admin_that_reads_nothing_stops_the_page() {
    let (go_on, goes_on) = mpsc::unbounded_channel::<()>();
    let goes_on = Arc::new(tokio::sync::Mutex::new(goes_on));
    let admin = RawAdmin::start(move |mut wire, record| {
        let goes_on = goes_on.clone();
        async move {
            record.head(&mut wire).await;
            goes_on.lock().await.recv().await;
            let mut left = OFFERED;
            while left > 0 {
                let taken = wire.take(left.min(1024 * 1024)).await.len();
                assert!(taken > 0, "{left} bytes are missing");
                left -= taken;
            }
            wire.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    page.ask(&bench, "POST", "/asyncmq/endless", &format!("Content-Length: {OFFERED}\r\n")).await;
    let written = page.write_until_it_blocks(OFFERED).await;
    assert!(written < KEPT, "{written} bytes were taken in, and nobody reads them");
    go_on.send(()).expect("the admin waits");
    page.write(vec![b'x'; OFFERED - written]).await;
    assert_eq!(page.answer("POST").await.status, 200, "all of it comes when it is read");
}
