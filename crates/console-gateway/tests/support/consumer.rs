//! An answer that goes on: a page's `EventSource`, or a page that waits.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use super::Bench;

/// One open answer, and everything that was heard on it.
pub(crate) struct Consumer {
    stream: TcpStream,
    pub(crate) heard: String,
}

impl Consumer {
    pub(crate) async fn of(bench: &Bench) -> Self {
        let mut consumer = Self::asks(
            bench,
            "/asyncmq/events",
            "Accept: text/event-stream\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
        )
        .await;
        consumer.hears("\r\n\r\n").await;
        assert!(consumer.heard.starts_with("HTTP/1.1 200"), "{}", consumer.heard);
        consumer
    }

    /// A navigation to `target`, heard until the first words of a page of the gateway's own.
    pub(crate) async fn navigates(bench: &Bench, target: &str) -> Self {
        let mut page = Self::asks(bench, target, "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n").await;
        page.hears("</p>").await;
        page
    }

    /// The same, which meets an ended session.
    pub(crate) async fn waiting(bench: &Bench, target: &str) -> Self {
        let page = Self::navigates(bench, target).await;
        assert!(page.heard.starts_with("HTTP/1.1 401") && page.heard.contains("goes on by itself"), "{}", page.heard);
        page
    }

    async fn asks(bench: &Bench, target: &str, more: &str) -> Self {
        let mut stream = TcpStream::connect(&bench.host).await.expect("connects");
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n{more}\r\n",
            bench.host, bench.cookie
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        Self { stream, heard: String::new() }
    }

    /// Reads until `part` has come; false when the stream ended first.
    pub(crate) async fn reads(&mut self, part: &str) -> bool {
        while !self.heard.contains(part) {
            // The last chunk: the stream has ended, the connection may go on.
            if self.heard.ends_with("\r\n0\r\n\r\n") {
                return false;
            }
            let mut bytes = [0; 4096];
            let read = time::timeout(Duration::from_secs(10), self.stream.read(&mut bytes)).await;
            match read.unwrap_or_else(|_| panic!("`{part}` did not come after: {}", self.heard)) {
                Ok(0) | Err(_) => return false,
                Ok(length) => self.heard.push_str(&String::from_utf8_lossy(&bytes[..length])),
            }
        }
        true
    }

    pub(crate) async fn hears(&mut self, part: &str) {
        assert!(self.reads(part).await, "the stream ended before `{part}`: {}", self.heard);
    }
}
