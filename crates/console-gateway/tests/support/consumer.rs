//! An answer that goes on: a page's `EventSource`, or a page that waits.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use super::{Bench, faulty::EVENTS};

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
        assert!(page.heard.starts_with("HTTP/1.1 503") && page.heard.contains("goes on by itself"), "{}", page.heard);
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
            let more = time::timeout(Duration::from_secs(10), self.hears_more()).await;
            if !more.unwrap_or_else(|_| panic!("`{part}` did not come after: {}", self.heard)) {
                return self.heard.contains(part);
            }
        }
        true
    }

    /// Waits until every event of a round has come from now on.
    pub(crate) async fn hears_a_round(&mut self, within: Duration) {
        let missing = self.misses_of_a_round(within).await;
        assert_eq!(missing, None, "missing within {within:?} of {}", self.heard);
    }

    /// The same; which event has not come in time, or before the stream ended.
    pub(crate) async fn misses_of_a_round(&mut self, within: Duration) -> Option<&'static str> {
        let (began, until) = (self.heard.len(), time::Instant::now() + within);
        loop {
            let heard = &self.heard[began..];
            let missing = EVENTS.into_iter().find(|name| !heard.contains(&format!("event: {name}\n")))?;
            if !time::timeout_at(until, self.hears_more()).await.unwrap_or(false) {
                return Some(missing);
            }
        }
    }

    /// Reads what comes next; false when the stream has ended.
    async fn hears_more(&mut self) -> bool {
        const LAST_CHUNK: &str = "\r\n0\r\n\r\n";
        // The stream has ended; the connection may go on.
        if self.heard.ends_with(LAST_CHUNK) {
            return false;
        }
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes).await {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
                !self.heard.ends_with(LAST_CHUNK)
            }
        }
    }

    pub(crate) async fn hears(&mut self, part: &str) {
        assert!(self.reads(part).await, "the stream ended before `{part}`: {}", self.heard);
    }
}
