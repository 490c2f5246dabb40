//! What would a browser notice of the intermediary? RFC 9110 and 9112, on real sockets on both sides.

mod bodies;
mod connections;
mod messages;
#[path = "../support/mod.rs"]
mod support;

use console_core::session::SessionState;
use support::{Bench, wire::RawAdmin};

/// Whether the session counts as one whose admin is there.
fn is_active(bench: &Bench) -> bool {
    matches!(bench.session.state(), SessionState::Active { .. })
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
