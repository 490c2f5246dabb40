//! What would a browser notice of the intermediary? RFC 9110 and 9112, on real sockets on both sides.

mod support;

use std::{sync::Arc, time::Duration};

use console_core::{environment::Protection, session::SessionState};
use console_gateway::{GatewayEvent, Pace};
use support::{
    Answer, Bench,
    faulty::until,
    wire::{PATIENCE, RawAdmin, Wire},
};
use tokio::{
    io::AsyncWriteExt as _,
    sync::mpsc,
    time::{self, Instant},
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
                    let _ = wire.stream.write_all(answer).await;
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

/// `<p>page</p>`.
const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\x29\xb0\x2b\x48\x4c\x4f\xb5\xd1\x2f\xb0\x03\x00\x68\xc5\x4d\xfb\x0b\x00\x00\x00";

/// An admin whose pages, assets and errors are what a real one's are, compressed or not.
async fn admin_of_pages() -> RawAdmin {
    RawAdmin::start(|mut wire, record| async move {
        while let Some(head) = record.head(&mut wire).await {
            let (status, fields, body): (_, _, &[u8]) = if head.contains("/static/") {
                ("200 OK", "Content-Type: text/css\r\nAccept-Ranges: bytes\r\nETag: unquoted", b"body{}")
            } else if head.contains("/none") {
                ("404 Not Found", "Content-Type: application/json", b"{\"error\":1}")
            } else if head.contains("/compressed") {
                ("200 OK", "Content-Type: text/html\r\nContent-Encoding: gzip", GZIPPED)
            } else {
                let fields = "Content-Type: text/html\r\nAccept-Ranges: bytes\r\nContent-MD5: x\r\nETag: W/\"1\"";
                ("200 OK", fields, b"<p>page</p>")
            };
            wire.write(format!("HTTP/1.1 {status}\r\n{fields}\r\nContent-Length: {}\r\n\r\n", body.len())).await;
            if !head.starts_with("head ") {
                wire.write(body).await;
            }
        }
    })
    .await
}

/// The fields of an answer that are the same each time.
fn fields(answer: &Answer) -> Vec<(String, String)> {
    let mut fields = answer.headers.clone();
    // `Transfer-Encoding` is said of a message, and a HEAD's has none (RFC 9112 §6.1).
    fields.retain(|(name, _)| !["date", "transfer-encoding"].contains(&name.as_str()));
    fields.sort();
    fields
}

#[tokio::test]
async fn head_is_answered_as_its_get_would_be_and_the_connection_goes_on() {
    let admin = admin_of_pages().await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    for target in ["/asyncmq/queues", "/asyncmq/compressed", "/asyncmq/static/a.css", "/asyncmq/none"] {
        page.ask(&bench, "GET", target, "").await;
        let get = page.answer("GET").await;
        page.ask(&bench, "HEAD", target, "").await;
        let head = page.answer("HEAD").await;
        assert_eq!((head.status, fields(&head)), (get.status, fields(&get)), "{target}");
        assert!(get.is_whole && !get.body.is_empty(), "{target}");
    }
    assert_eq!(admin.accepted(), 1, "the admin's connection goes on as well");
}

#[tokio::test]
async fn conditional_requests_are_the_admins_to_judge_and_304_has_no_body() {
    let admin = RawAdmin::start(|mut wire, record| async move {
        while let Some(head) = record.head(&mut wire).await {
            let is_known = head.contains("if-none-match: unquoted, w/\"weak\"") || head.contains("if-modified-since: ");
            wire.write(if is_known {
                // Its length is that of the page that is not sent (RFC 9110 §8.6).
                "HTTP/1.1 304 Not Modified\r\nETag: unquoted\r\nContent-Length: 11\r\nVary: Accept\r\n\r\n"
            } else if head.contains("if-match: ") {
                "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"
            } else {
                "HTTP/1.1 200 OK\r\nETag: unquoted\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n<p>page</p>"
            })
            .await;
        }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    for (condition, status) in [
        ("", 200),
        ("If-None-Match: unquoted, W/\"weak\"\r\n", 304),
        ("If-Modified-Since: Sat, 01 Jan 2022 00:00:00 GMT\r\n", 304),
        ("If-Match: \"other\"\r\n", 412),
        ("", 200),
    ] {
        page.ask(&bench, "GET", "/asyncmq/queues", condition).await;
        let answer = page.answer("GET").await;
        assert_eq!(answer.status, status, "{condition}");
        if status != 412 {
            assert_eq!(answer.header("etag"), Some("unquoted"), "{condition}");
        }
        assert_eq!(answer.header("vary"), (status == 304).then_some("Accept"), "{condition}");
    }
    assert_eq!(admin.accepted(), 1);
}

#[tokio::test]
async fn ranges_of_assets_pass_untouched_and_a_page_is_never_a_part() {
    const WHOLE: &str = "0123456789";
    let admin = RawAdmin::start(|mut wire, record| async move {
        while let Some(head) = record.head(&mut wire).await {
            let fits = !head.contains("if-range: ") || head.contains("if-range: \"1\"");
            let parts = "--x\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--x--\r\n";
            let (status, fields, body) = match () {
                () if head.contains("range: bytes=2-4") && fits => ("206 Partial Content", "Content-Range: bytes 2-4/10", "234"),
                () if head.contains("range: bytes=0-0,9-9") => {
                    ("206 Partial Content", "Content-Type: multipart/byteranges; boundary=x", parts)
                }
                () if head.contains("range: bytes=99-") => ("416 Range Not Satisfiable", "Content-Type: text/css\r\nContent-Range: bytes */10", ""),
                () => ("200 OK", "Content-Type: application/octet-stream", WHOLE),
            };
            wire.write(format!(
                "HTTP/1.1 {status}\r\n{fields}\r\nAccept-Ranges: bytes\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        }
    })
    .await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut page = Wire::to(&bench).await;
    for (range, status, content_range, body) in [
        ("Range: bytes=2-4\r\n", 206, Some("bytes 2-4/10"), "234"),
        ("Range: bytes=2-4\r\nIf-Range: \"1\"\r\n", 206, Some("bytes 2-4/10"), "234"),
        ("Range: bytes=2-4\r\nIf-Range: \"0\"\r\n", 200, None, WHOLE),
        ("Range: bytes=0-0,9-9\r\n", 206, None, "--x\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--x--\r\n"),
        ("Range: bytes=99-\r\n", 416, Some("bytes */10"), ""),
    ] {
        page.ask(&bench, "GET", "/asyncmq/static/a.bin", range).await;
        let answer = page.answer("GET").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{range}");
        assert_eq!(answer.header("content-range"), content_range, "{range}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"), "{range}");
    }
    assert_eq!(admin.accepted(), 1);
    // Parts of a page count in bytes that the page never had: it is rewritten.
    let answer = bench.page("GET", "/asyncmq/queues", "Range: bytes=2-4\r\nIf-Range: \"1\"\r\n", "").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, WHOLE));
}

#[tokio::test]
async fn a_websocket_is_refused_in_words_and_any_other_upgrade_is_ignored() {
    let admin = admin_of_pages().await;
    let bench = Bench::before(&admin.base_url()).await;
    let (host, cookie) = (&bench.host, &bench.cookie);
    let handshake = format!(
        "GET /asyncmq/ws HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n\
         Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: websocket\r\nSec-Fetch-Dest: websocket\r\n\
         Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut page = Wire::to(&bench).await;
    page.write(&handshake).await;
    let refused = page.answer("GET").await;
    assert_eq!(refused.status, 501);
    assert!(refused.text().contains("WebSocket") && refused.text().contains("Nothing was sent"), "{}", refused.text());
    assert_eq!((refused.header("upgrade"), refused.header("sec-websocket-accept")), (None, None));
    assert!(admin.heads().is_empty(), "it is no GET of a page");
    page.write(handshake.replace(cookie.as_str(), "x=y")).await;
    assert_eq!(page.answer("GET").await.status, 403, "admission comes first");
    let mut page = Wire::to(&bench).await;
    page.ask(
        &bench,
        "GET",
        "/asyncmq/queues",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    )
    .await;
    assert_eq!(page.answer("GET").await.status, 200, "RFC 9110 §7.8: a server may ignore it");
    for field in ["upgrade", "http2-settings"] {
        assert!(!admin.heads()[0].contains(field), "{}", admin.heads()[0]);
    }
}

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
            wire.write(format!(
                "HTTP/1.1 200 OK\r\nTrailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\n"
            ))
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
    let bench = Bench::at(Pace { first_byte, ..Pace::default() }, &admin.base_url()).await;
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
    let bench = Bench::at(Pace { first_byte, ..Pace::default() }, &silent.base_url()).await;
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
                let written = wire.write_until_it_blocks(&[b'x'; 64 * 1024], OFFERED).await;
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
    let written = page.write_until_it_blocks(&[b'x'; 64 * 1024], OFFERED).await;
    assert!(written < KEPT, "{written} bytes were taken in, and nobody reads them");
    go_on.send(()).expect("the admin waits");
    page.write(vec![b'x'; OFFERED - written]).await;
    assert_eq!(page.answer("POST").await.status, 200, "all of it comes when it is read");
}

#[tokio::test]
async fn strangers_that_hold_connections_do_not_keep_the_dashboard_out() {
    let admin = admin_of_pages().await;
    let bench = Bench::before(&admin.base_url()).await;
    let mut known = Wire::to(&bench).await;
    known.ask(&bench, "GET", "/asyncmq/queues", "").await;
    assert_eq!(known.answer("GET").await.status, 200);
    let mut strangers = Vec::new();
    for _ in 0..300 {
        strangers.push(Wire::to(&bench).await);
    }
    let asking = async {
        assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
        known.ask(&bench, "GET", "/asyncmq/queues", "").await;
        assert_eq!(known.answer("GET").await.status, 200, "a connection that is known is nobody's to take");
    };
    time::timeout(Duration::from_secs(5), asking).await.expect("nothing of theirs is waited for");
    // The oldest lost its place; the youngest still has it, for a head that comes soon.
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
