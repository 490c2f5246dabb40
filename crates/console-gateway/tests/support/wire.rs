//! One HTTP/1.1 connection whose bytes a test writes and reads itself: of a page to the gateway, or of the gateway to an admin
//! that no server library can be brought to be.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time,
};

use super::{Answer, Bench};

/// The bound of every wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// Of both directions of a socket, in bytes: what the kernel keeps would hide who keeps the rest.
const BUFFER: u32 = 64 * 1024;

/// One side of a connection.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    /// What was read and not taken yet.
    ahead: Vec<u8>,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    /// To a gateway, as a page.
    pub(crate) async fn to(bench: &Bench) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(BUFFER).expect("a size");
        socket.set_send_buffer_size(BUFFER).expect("a size");
        Self::new(socket.connect(bench.host.parse().expect("an address")).await.expect("connects"))
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let written = time::timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        written.expect("it takes the bytes").expect("it is open");
    }

    /// A request of the dashboard's script: guard cookie, own origin, fetch metadata.
    pub(crate) async fn ask(&mut self, bench: &Bench, method: &str, target: &str, more: &str) {
        let (host, cookie) = (&bench.host, &bench.cookie);
        self.write(format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n\
             Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n{more}\r\n"
        ))
        .await;
    }

    /// Reads on; false at the end of the connection, however it ends.
    async fn read_on(&mut self) -> bool {
        self.ahead.reserve(16 * 1024);
        let read = time::timeout(PATIENCE, self.stream.read_buf(&mut self.ahead)).await;
        let read = read.unwrap_or_else(|_| panic!("nothing came after {:?}", String::from_utf8_lossy(&self.ahead)));
        read.is_ok_and(|length| length > 0)
    }

    /// Takes what goes up to `end` and ends with it; `None`: the connection ended first.
    async fn line(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.ahead.windows(end.len()).position(|window| window == end.as_bytes()) {
                let line = self.ahead.drain(..at + end.len()).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if !self.read_on().await {
                return None;
            }
        }
    }

    /// The next head, with the empty line that ends it; `None`: the other side has closed.
    pub(crate) async fn head(&mut self) -> Option<String> {
        self.line("\r\n\r\n").await
    }

    /// The next `length` bytes; fewer when the connection ends.
    pub(crate) async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.ahead.len() < length && self.read_on().await {}
        self.ahead.drain(..length.min(self.ahead.len())).collect()
    }

    /// A chunked body, and what comes after its last chunk.
    pub(crate) async fn chunked(&mut self) -> Option<(Vec<u8>, String)> {
        let mut body = Vec::new();
        loop {
            let size = self.line("\r\n").await?;
            let size = usize::from_str_radix(size.trim(), 16).expect("the size of a chunk");
            if size == 0 {
                break;
            }
            body.extend(self.take(size).await);
            self.line("\r\n").await?;
        }
        let mut trailers = String::new();
        loop {
            let line = self.line("\r\n").await?;
            if line == "\r\n" {
                return Some((body, trailers));
            }
            trailers.push_str(&line);
        }
    }

    /// The answer to a request of this `method`, up to its own end and no further.
    pub(crate) async fn answer(&mut self, method: &str) -> Answer {
        let head = self.head().await.expect("an answer");
        let mut answer = Answer::parse(head.as_bytes());
        if method == "HEAD" || matches!(answer.status, 100 | 101 | 204 | 304) {
            answer.is_whole = true;
        } else if answer.header("transfer-encoding").is_some() {
            let body = self.chunked().await;
            answer.is_whole = body.is_some();
            answer.body = body.map(|(body, _)| body).unwrap_or_default();
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().expect("a length");
            answer.body = self.take(length).await;
            answer.is_whole = answer.body.len() == length;
        }
        answer
    }

    /// Waits until the other side has closed, whatever it still sends.
    pub(crate) async fn closed(&mut self) {
        while self.read_on().await {
            self.ahead.clear();
        }
    }

    /// Writes until the other side takes no more for a second, or `most` bytes were written. How many were.
    pub(crate) async fn write_until_it_blocks(&mut self, most: usize) -> usize {
        let piece = vec![b'x'; 64 * 1024];
        let mut written = 0;
        while written < most {
            let piece = &piece[..piece.len().min(most - written)];
            match time::timeout(Duration::from_secs(1), self.stream.write(piece)).await {
                Ok(Ok(length)) => written += length,
                Ok(Err(error)) => panic!("it was closed after {written} bytes: {error}"),
                Err(_) => break,
            }
        }
        written
    }
}

/// An admin of which a test writes every byte.
pub(crate) struct RawAdmin {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl RawAdmin {
    /// `script` has each connection from its beginning; it records the heads that it took with the second argument.
    pub(crate) async fn start<F>(script: impl Fn(Wire, Record) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let socket = TcpSocket::new_v4().expect("a socket");
        // What is accepted inherits them.
        socket.set_recv_buffer_size(BUFFER).expect("a size");
        socket.set_send_buffer_size(BUFFER).expect("a size");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let listener = socket.listen(64).expect("listens");
        let address = listener.local_addr().expect("an address");
        let (accepted, heads) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (count, record) = (accepted.clone(), Record(Arc::clone(&heads)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(Wire::new(stream), record.clone()));
            }
        });
        Self { address, accepted, heads }
    }

    /// One that gives the same answer to every request without a body, byte for byte, and keeps its connections.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |mut wire, record| {
            let answer = answer.clone();
            async move {
                while record.head(&mut wire).await.is_some() {
                    wire.write(&*answer).await;
                }
            }
        })
        .await
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/asyncmq", self.address)
    }

    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The heads that came, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("record").clone()
    }
}

/// The heads that an admin took.
#[derive(Clone)]
pub(crate) struct Record(Arc<Mutex<Vec<String>>>);

impl Record {
    /// Takes and records the next head of a connection.
    pub(crate) async fn head(&self, wire: &mut Wire) -> Option<String> {
        let head = wire.head().await?.to_lowercase();
        self.0.lock().expect("record").push(head.clone());
        Some(head)
    }
}
