//! Heads: versions, methods, conditions, ranges, upgrades, and what is no HTTP.

use tokio::io::AsyncWriteExt as _;

use crate::{
    admin_of_pages, is_active,
    support::{
        Answer, Bench,
        wire::{RawAdmin, Wire},
    },
};

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
    let many = (0..=200).fold(String::new(), |lines, n| lines + &format!("X-{n}: 1\r\n"));
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
