//! A page's `EventSource`, as the gateway sees it.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use super::Bench;

/// One open `/events` stream, and everything that was heard on it.
pub(crate) struct Consumer {
    stream: TcpStream,
    pub(crate) heard: String,
}

impl Consumer {
    pub(crate) async fn of(bench: &Bench) -> Self {
        let mut stream = TcpStream::connect(&bench.host).await.expect("connects");
        let head = format!(
            "GET /asyncmq/events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nAccept: text/event-stream\r\nSec-Fetch-Site: \
             same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\r\n",
            bench.host, bench.cookie
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        let mut consumer = Self { stream, heard: String::new() };
        consumer.hears("\r\n\r\n").await;
        assert!(consumer.heard.starts_with("HTTP/1.1 200"), "{}", consumer.heard);
        consumer
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
