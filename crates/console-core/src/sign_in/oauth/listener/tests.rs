//! What comes to the listener, on a real socket.

use std::{io::ErrorKind, net::TcpStream as StdStream, time::Duration};

use secrecy::ExposeSecret as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use super::{Answer, Awaited, Listener, Outcome};

const PATIENCE: Duration = Duration::from_secs(10);

struct Open {
    port: u16,
    awaited: Awaited,
    serving: JoinHandle<std::convert::Infallible>,
}

impl Open {
    async fn with_state(state: &str) -> Self {
        let listener = Listener::open(&[]).await.expect("opens");
        let port = listener.port;
        let (awaited, serving) = listener.serve(state.into());
        Self { port, awaited, serving: tokio::spawn(serving) }
    }

    /// The status of a request's answer, and the answer.
    async fn send(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("connects");
        stream.write_all(request.replace("PORT", &self.port.to_string()).as_bytes()).await.expect("sends");
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time").expect("answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer)
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n")).await
    }

    async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.awaited.answer()).await.expect("in time")
    }

    /// Nothing has come yet.
    async fn still_waits(&mut self) -> bool {
        timeout(Duration::ZERO, self.awaited.answer()).await.is_err()
    }
}

#[tokio::test]
async fn a_forged_state_another_page_and_another_method_are_answered_and_waited_on() {
    let mut open = Open::with_state("right").await;
    let cases = [
        ("no state", "GET /callback?code=x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 400),
        ("a forged state", "GET /callback?code=x&state=wrong HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 400),
        ("a longer state", "GET /callback?code=x&state=rightly HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 400),
        ("two states", "GET /callback?code=x&state=right&state=wrong HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 400),
        ("a rebinding name", "GET /callback?code=x&state=right HTTP/1.1\r\nHost: evil.example:PORT\r\n\r\n", 403),
        ("localhost", "GET /callback?code=x&state=right HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n", 403),
        ("another port", "GET /callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 403),
        ("no host", "GET /callback?code=x&state=right HTTP/1.0\r\n\r\n", 403),
        (
            "two hosts",
            "GET /callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\n\r\n",
            403,
        ),
        (
            "absolute form",
            "GET http://127.0.0.1:PORT/callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
            403,
        ),
        (
            "POST",
            "POST /callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 0\r\n\r\n",
            405,
        ),
        ("HEAD", "HEAD /callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 405),
        ("another path", "GET /callback/?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 404),
        (
            "an image of another page",
            "GET /callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nSec-Fetch-Mode: no-cors\r\n\
             Sec-Fetch-Dest: image\r\n\r\n",
            403,
        ),
        (
            "a frame of another page",
            "GET /callback?code=x&state=right HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nSec-Fetch-Mode: navigate\r\n\
             Sec-Fetch-Dest: iframe\r\n\r\n",
            403,
        ),
    ];
    for (what, request, status) in cases {
        assert_eq!(open.send(request).await.0, status, "{what}");
        assert!(open.still_waits().await, "{what} ended the sign-in");
    }
    let (status, _) = open.get("/callback?code=c0de&state=right&iss=https%3A%2F%2Fid.example").await;
    assert_eq!(status, 303);
    let answer = open.answer().await;
    assert_eq!(answer.issuer.as_deref(), Some("https://id.example"));
    let Outcome::Code(code) = answer.outcome else { panic!("a code") };
    assert_eq!(code.expose_secret(), "c0de");
}

#[tokio::test]
async fn a_state_is_taken_once() {
    let mut open = Open::with_state("right").await;
    assert_eq!(open.get("/callback?code=first&state=right").await.0, 303);
    assert_eq!(open.get("/callback?code=second&state=right").await.0, 409);
    let Outcome::Code(code) = open.answer().await.outcome else { panic!("a code") };
    assert_eq!(code.expose_secret(), "first");
}

#[tokio::test]
async fn the_browser_is_led_to_an_address_and_a_page_without_a_secret() {
    let open = Open::with_state("right").await;
    let (_, callback) = open.get("/callback?code=canary&state=right").await;
    assert!(callback.contains("\r\nlocation: /done\r\n"), "{callback}");
    let (status, done) = open.get("/done").await;
    assert_eq!(status, 200);
    for answer in [&callback, &done] {
        assert!(!answer.contains("canary") && !answer.contains("right"), "{answer}");
        for header in
            ["cache-control: no-store", "referrer-policy: no-referrer", "content-security-policy: default-src 'none'"]
        {
            assert!(answer.contains(header), "{header}: {answer}");
        }
    }
    timeout(PATIENCE, open.awaited.seen()).await.expect("the page was seen");
}

#[tokio::test]
async fn an_error_and_an_answer_that_is_neither_are_told_apart() {
    let of = async |query: &str| {
        let mut open = Open::with_state("right").await;
        assert_eq!(open.get(&format!("/callback?state=right&{query}")).await.0, 303, "{query}");
        open.answer().await.outcome
    };
    let Outcome::Error { error, said } = of("error=access_denied&error_description=not%20today").await else {
        panic!("an error");
    };
    assert_eq!((error.as_str(), said.as_deref()), ("access_denied", Some("not today")));
    for query in ["", "code=", "code=a&code=b", "code=a&error=b", "code=a&iss=x&iss=y"] {
        assert!(matches!(of(query).await, Outcome::Malformed), "{query}");
    }
}

#[tokio::test]
async fn a_listener_that_is_dropped_leaves_no_port_and_no_connection_open() {
    let open = Open::with_state("right").await;
    let mut idle = TcpStream::connect(("127.0.0.1", open.port)).await.expect("connects");
    assert_eq!(open.get("/").await.0, 404);
    open.serving.abort();
    let _ = open.serving.await;
    assert_eq!(StdStream::connect(("127.0.0.1", open.port)).expect_err("closed").kind(), ErrorKind::ConnectionRefused);
    let read = timeout(PATIENCE, idle.read(&mut [0; 1])).await.expect("in time");
    assert!(matches!(read, Ok(0) | Err(_)), "the connection is closed");
}

#[tokio::test]
async fn a_port_of_the_settings_is_used_and_one_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let taken_port = taken.local_addr().expect("address").port();
    let free = Listener::open(&[]).await.expect("opens").port;
    assert_eq!(Listener::open(&[taken_port, free]).await.expect("opens").port, free);
    let error = Listener::open(&[taken_port]).await.err().expect("in use");
    assert_eq!(error.to_string(), format!("port {taken_port} on 127.0.0.1 is in use by another program"));
}
