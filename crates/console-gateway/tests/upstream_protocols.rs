//! Over which connections is an admin reached? HTTP/1.1 and HTTP/2 through a real nginx with TLS, IPv4 and IPv6.

mod support;

use std::{
    convert::Infallible,
    fs, future,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use console_core::{
    environment::Environment,
    secrets::Secrets,
    upstream::{CONNECT_TIMEOUT, Reach, Unreachable, UnreachableKind},
};
use console_gateway::Pace;
use console_testing::Server;
use futures_util::{future::join_all, stream};
use http::{Method, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};
use support::{Admin, Answer, Bench, Body, answer, environment, real::RealAdmin};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    time::{self, Instant},
};

/// An admin behind nginx with TLS, and a certificate of a private authority.
struct Behind {
    front: Server,
    certificates: Server,
    _admin: RealAdmin,
}

impl Behind {
    fn nginx(more: &Value) -> Self {
        let admin = RealAdmin::start(&json!({ "trusted_proxies": ["127.0.0.1"] }));
        let hosts = json!({ "hosts": ["127.0.0.1", "::1", "admin.test"] });
        let certificates = Server::python("../certificates/serve.py", &hosts);
        let upstream = format!("http://{}", admin.host());
        let configuration = json!({ "upstream": upstream, "tls": certificates.ready["server"] });
        let front = Server::python("../front/serve.py", &console_testing::laid_over(configuration, more));
        Self { front, certificates, _admin: admin }
    }

    fn base_url(&self) -> String {
        format!("{}/asyncmq", self.front.text("origin"))
    }

    fn port(&self) -> u16 {
        self.front.text("origin").rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// An environment that trusts the authority.
    fn environment(&self, base_url: &str) -> Environment {
        environment(base_url, |draft| self.certificates.text("ca_file").clone_into(&mut draft.network.ca_file))
    }

    async fn bench(&self) -> (Bench, Reach) {
        let environment = self.environment(&self.base_url());
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        (gateway(environment, reach.clone()).await, reach)
    }

    /// What nginx says about the next request for `path`.
    fn saw(&self, path: &str) -> Seen {
        let event = self.front.event(path, |event| event["path"] == path);
        let text = |key: &str| event[key].as_str().expect("text").to_owned();
        Seen {
            protocol: text("protocol"),
            session: text("session"),
            connection: event["connection"].as_u64().expect("a number"),
        }
    }
}

/// How a request came.
#[derive(Debug)]
struct Seen {
    protocol: String,
    /// `r`: its connection's TLS session was resumed.
    session: String,
    connection: u64,
}

async fn gateway(environment: Environment, reach: Reach) -> Bench {
    let bench = Bench::of(environment, reach, Pace::default()).await;
    bench.sign_in_really(&json!({}));
    bench
}

async fn get(bench: &Bench, path: &str) -> Answer {
    let answer = bench.page("GET", path, "", "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_over_http2_and_twenty_at_once_are_one_connection() {
    let behind = Behind::nginx(&json!({}));
    let (bench, _) = behind.bench().await;
    get(&bench, "/asyncmq/").await;
    let first = behind.saw("/asyncmq/");
    join_all((0..20).map(|_| get(&bench, "/asyncmq/queues"))).await;
    for _ in 0..20 {
        let seen = behind.saw("/asyncmq/queues");
        assert_eq!((seen.protocol.as_str(), seen.connection), ("HTTP/2.0", first.connection));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_keep_their_connection_over_http1() {
    let behind = Behind::nginx(&json!({ "http2": false }));
    let (bench, reach) = behind.bench().await;
    get(&bench, "/asyncmq/").await;
    let first = behind.saw("/asyncmq/");
    for _ in 0..5 {
        get(&bench, "/asyncmq/queues").await;
        let seen = behind.saw("/asyncmq/queues");
        assert_eq!((seen.protocol.as_str(), seen.connection), ("HTTP/1.1", first.connection));
    }
    reach.reconnect();
    get(&bench, "/asyncmq/queues").await;
    assert_ne!(behind.saw("/asyncmq/queues").connection, first.connection);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_resumes_the_tls_session_for_a_write_and_after_all_was_forgotten() {
    for http2 in [true, false] {
        let behind = Behind::nginx(&json!({ "http2": http2 }));
        let (bench, reach) = behind.bench().await;
        get(&bench, "/asyncmq/").await;
        let first = behind.saw("/asyncmq/");
        assert_eq!(first.session, ".", "a whole handshake");
        // It has a connection of its own. What it is answered says that the admin's gate let it through.
        assert_eq!(bench.page("POST", "/asyncmq/health", "", "a=b").await.status, 405);
        let write = behind.saw("/asyncmq/health");
        assert_eq!((write.session.as_str(), write.connection != first.connection), ("r", true), "HTTP/2: {http2}");
        reach.reconnect();
        get(&bench, "/asyncmq/").await;
        let anew = behind.saw("/asyncmq/");
        assert_eq!((anew.session.as_str(), anew.connection != first.connection), ("r", true), "HTTP/2: {http2}");
    }
}

/// The part of the next test that runs in a process whose platform trusts other authorities.
const BASE_URL: &str = "CONSOLE_TEST_BASE_URL";
const AUTHORITY: &str = "CONSOLE_TEST_AUTHORITY";
/// Where OpenSSL, and with it the console on Linux, looks for the platform's authorities.
const PLATFORM: &str = "SSL_CERT_FILE";

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_the_platform_trusts_since_is_trusted_after_a_reconnect() {
    if let (Ok(base_url), Ok(authority), Ok(platform)) =
        (std::env::var(BASE_URL), std::env::var(AUTHORITY), std::env::var(PLATFORM))
    {
        return trusts_what_the_platform_trusts(&base_url, &authority, &platform).await;
    }
    let behind = Behind::nginx(&json!({}));
    let folder = tempfile::tempdir().expect("a folder");
    let platform = folder.path().join("authorities.pem");
    let stranger = behind.certificates.ready["stranger"]["ca_file"].as_str().expect("a path");
    fs::copy(stranger, &platform).expect("copies");
    let name = "an_authority_that_the_platform_trusts_since_is_trusted_after_a_reconnect";
    let ran = Command::new(std::env::current_exe().expect("this test"))
        .args([name, "--exact"])
        .envs([(BASE_URL, behind.base_url().as_str()), (AUTHORITY, behind.certificates.text("ca_file"))])
        .env(PLATFORM, platform)
        .output()
        .expect("runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    behind.saw("/asyncmq/");
}

async fn trusts_what_the_platform_trusts(base_url: &str, authority: &str, platform: impl AsRef<Path>) {
    let environment = environment(base_url, |_| ());
    let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
    let ask = || reach.request(Method::GET, environment.base_url.join("/")).send();
    let kind = |error: reqwest::Error| Unreachable::from_error(&error, "nginx").kind;
    assert_eq!(ask().await.map_err(kind).expect_err("a stranger"), UnreachableKind::Tls);
    fs::copy(authority, platform).expect("copies");
    assert_eq!(ask().await.map_err(kind).expect_err("not read again"), UnreachableKind::Tls);
    reach.reconnect();
    ask().await.expect("trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_at_an_ipv6_address_is_reached_and_its_pages_lead_here() {
    let behind = Behind::nginx(&json!({ "host": "::1" }));
    assert!(behind.base_url().starts_with("https://[::1]:"));
    let (bench, _) = behind.bench().await;
    let page = get(&bench, "/asyncmq/").await.text();
    assert!(page.contains("/asyncmq/static/") && !page.contains("[::1]"), "{page}");
    assert_eq!(behind.saw("/asyncmq/").protocol, "HTTP/2.0");
}

/// Looks every name up at these addresses, in this order.
struct Addresses(Vec<SocketAddr>);

impl Resolve for Addresses {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(future::ready(Ok(addresses)))
    }
}

/// An address that never answers: its queue is full, and nobody accepts.
struct Silent {
    address: SocketAddr,
    _queue: (TcpListener, Vec<TcpStream>),
}

impl Silent {
    async fn at(port: u16) -> Self {
        let address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        let socket = TcpSocket::new_v6().expect("IPv6");
        socket.bind(address).expect("free");
        let listener = socket.listen(1).expect("listens");
        let address = listener.local_addr().expect("an address");
        let mut waiting = Vec::new();
        while let Ok(connected) = time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await {
            waiting.push(connected.expect("connects"));
            assert!(waiting.len() < 64, "it takes whoever comes");
        }
        Self { address, _queue: (listener, waiting) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_address_that_never_answers_does_not_keep_from_the_ipv4_address() {
    let behind = Behind::nginx(&json!({}));
    let silent = Silent::at(behind.port()).await;
    let environment = behind.environment(&format!("https://admin.test:{}/asyncmq", behind.port()));
    let addresses = Addresses(vec![silent.address, (Ipv4Addr::LOCALHOST, behind.port()).into()]);
    let reach = Reach::resolving(&environment, &Secrets::default(), Arc::new(addresses)).expect("a way");
    let bench = gateway(environment, reach).await;
    let began = Instant::now();
    get(&bench, "/asyncmq/").await;
    assert!(began.elapsed() < CONNECT_TIMEOUT, "{:?}", began.elapsed());
    // nginx listens at the IPv4 address only.
    behind.saw("/asyncmq/");
}

#[tokio::test]
async fn connecting_takes_ten_seconds_at_most() {
    let silent = Silent::at(0).await;
    let environment = environment("https://admin.test/asyncmq", |_| ());
    let addresses = Addresses(vec![silent.address]);
    let reach = Reach::resolving(&environment, &Secrets::default(), Arc::new(addresses)).expect("a way");
    time::pause();
    let began = Instant::now();
    let error = reach.request(Method::GET, environment.base_url.join("/")).send().await.expect_err("no answer");
    assert_eq!(Unreachable::from_error(&error, "admin.test").kind, UnreachableKind::TimedOut);
    assert!((10..12).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_may_take_as_long_to_begin_as_the_environment_says() {
    // It is connected to, and nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/asyncmq", silent.local_addr().expect("an address"));
    let bench = Bench::with(&base_url, |draft| draft.network.first_byte_seconds = 1).await;
    let answer = bench.page("GET", "/asyncmq/", "", "").await;
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("did not answer within 1 s"), "{}", answer.text());
}

/// An answer whose second half comes when it is told.
fn in_halves(then: oneshot::Receiver<()>) -> Response<Body> {
    let frame = |text: &'static str| Ok::<_, Infallible>(Frame::data(Bytes::from_static(text.as_bytes())));
    let halves = stream::unfold((0, Some(then)), move |(half, then)| async move {
        match half {
            0 => Some((frame("first half"), (1, then))),
            1 => {
                then?.await.ok()?;
                Some((frame("second half"), (2, None)))
            }
            _ => None,
        }
    });
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(halves)));
    response.headers_mut().insert("content-type", "text/csv".parse().expect("value"));
    response
}

#[tokio::test]
async fn an_answer_that_has_begun_may_take_all_the_time_in_the_world() {
    let (go_on, then) = oneshot::channel();
    let then = std::sync::Mutex::new(Some(then));
    let admin = Admin::start(move |_| in_halves(then.lock().expect("lock").take().expect("asked once"))).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut page = TcpStream::connect(&bench.host).await.expect("connects");
    let head = format!(
        "GET /asyncmq/export HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n",
        bench.host, bench.cookie
    );
    page.write_all(head.as_bytes()).await.expect("writes");
    reads(&mut page, "first half").await;
    time::pause();
    time::advance(Duration::from_hours(3)).await;
    go_on.send(()).expect("the admin waits");
    reads(&mut page, "second half").await;
}

async fn reads(page: &mut TcpStream, part: &str) {
    let mut heard = String::new();
    let mut bytes = [0; 4096];
    while !heard.contains(part) {
        let length = page.read(&mut bytes).await.expect("reads");
        assert_ne!(length, 0, "it ended before `{part}`: {heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
}

#[tokio::test]
async fn an_answer_with_many_headers_is_an_answer() {
    let names: Vec<&'static str> = (0..150).map(|n| &*format!("x-{n}").leak()).collect();
    let headers: Vec<_> = names.iter().map(|name| (*name, "value")).collect();
    let admin = Admin::start(move |_| answer(200, &headers, "page")).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    assert_eq!(get(&bench, "/asyncmq/").await.header("x-149"), Some("value"));
}
