//! A scripted admin, a gateway in front of it, and a client that writes its bytes itself.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod consumer;
pub(crate) mod faulty;
pub(crate) mod held;
pub(crate) mod owner;
pub(crate) mod real;
pub(crate) mod wire;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use console_core::{
    clock::{ManualClock, UnixTime},
    environment::{Environment, EnvironmentDraft, EnvironmentId},
    secrets::Secrets,
    session::Session,
    sign_in::pasted_token,
    token::Identity,
    upstream::Reach,
};
use console_gateway::{Gateway, GatewayEvent, Pace, Upstream};
pub(crate) use consumer::Consumer;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use real::RealAdmin;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time,
};

/// The body of a scripted answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A request as the admin saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// A scripted admin on a loopback port. It is never the real one: only for what a real admin cannot be brought to do.
pub(crate) struct Admin {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Admin {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, record) = (Arc::new(script), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, record) = (script.clone(), record.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (script, record) = (script.clone(), record.clone());
                        async move {
                            let (parts, body) = request.into_parts();
                            let body =
                                body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                            let seen = Seen {
                                method: parts.method,
                                target: parts.uri.to_string(),
                                headers: parts.headers,
                                body,
                            };
                            record.lock().expect("record").push(seen.clone());
                            Ok::<_, Infallible>(script(&seen))
                        }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("record").clone()
    }
}

pub(crate) fn text(body: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(body.into()).boxed_unsync())
}

pub(crate) fn html(body: impl Into<Bytes>) -> Response<Body> {
    let mut response = text(body);
    response.headers_mut().insert("content-type", "text/html; charset=utf-8".parse().expect("value"));
    response
}

pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response<Body> {
    let mut response = text(body.to_owned());
    *response.status_mut() = status.try_into().expect("status");
    for (name, value) in headers {
        response.headers_mut().append(*name, value.parse().expect("value"));
    }
    response
}

/// What an operator says about the admin at `base_url`.
pub(crate) fn environment(base_url: &str, edit: impl FnOnce(&mut EnvironmentDraft)) -> Environment {
    let mut draft = EnvironmentDraft {
        name: "Test".into(),
        base_url: base_url.into(),
        tag: "TEST".into(),
        allow_plain_http: true,
        ..EnvironmentDraft::default()
    };
    edit(&mut draft);
    draft.check().expect("a sound draft").into_environment(EnvironmentId::random().expect("random"))
}

/// A gateway in front of an admin.
pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    pub(crate) session: Arc<Session>,
    pub(crate) environment: Environment,
    pub(crate) clock: ManualClock,
    pub(crate) reports: mpsc::UnboundedReceiver<GatewayEvent>,
    /// `name=value` of the guard cookie.
    pub(crate) cookie: String,
    pub(crate) host: String,
}

pub(crate) const TOKEN: &str = "canary-token";

impl Bench {
    pub(crate) async fn before(base_url: &str) -> Self {
        Self::with(base_url, |_| ()).await
    }

    pub(crate) async fn with(base_url: &str, edit: impl FnOnce(&mut EnvironmentDraft)) -> Self {
        let environment = environment(base_url, edit);
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        Self::of(environment, reach, Pace::default()).await
    }

    /// With a gateway that notices and tries again within a second or so.
    pub(crate) async fn at(pace: Pace, base_url: &str) -> Self {
        let environment = environment(base_url, |_| ());
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        Self::of(environment, reach, pace).await
    }

    pub(crate) async fn of(environment: Environment, reach: Reach, pace: Pace) -> Self {
        let clock = ManualClock::at(UnixTime(1_000));
        let session = Arc::new(Session::new(Arc::new(clock.clone())));
        let (sender, reports) = mpsc::unbounded_channel();
        let upstream = Upstream { environment: environment.clone(), reach, session: session.clone() };
        let gateway = Gateway::start_at(pace, upstream, sender).await.expect("gateway");
        let host = gateway.origin().to_string().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let mut bench = Self { gateway, session, environment, clock, reports, cookie: String::new(), host };
        bench.sign_in(TOKEN);
        bench.cookie = bench.enter(None).await;
        bench
    }

    /// Before a real admin, signed in with a token of these claims.
    pub(crate) async fn signed_in(admin: &RealAdmin, claims: &Value) -> Self {
        let bench = Self::before(&admin.base_url).await;
        bench.sign_in_really(claims);
        bench
    }

    /// With a token that a real admin takes.
    pub(crate) fn sign_in_really(&self, claims: &Value) {
        let token = real::token(claims).into();
        // The bench's clock stands in 1970: for it the token has all the time in the world.
        let identity = Identity { expires_at: None, ..Identity::read(&token) };
        self.session.activate(&pasted_token::attachment(&self.environment), &token, identity, 0).expect("activates");
    }

    pub(crate) fn sign_in(&self, token: &str) {
        self.sign_in_with(token, "alice");
    }

    /// Another operator takes the place of who was there.
    pub(crate) fn sign_in_as(&self, subject: &str) {
        self.sign_in_with(TOKEN, subject);
    }

    fn sign_in_with(&self, token: &str, subject: &str) {
        let identity =
            Identity { subject: Some(subject.into()), expires_at: Some(UnixTime(2_000)), ..Identity::default() };
        let attachment = pasted_token::attachment(&self.environment);
        self.session.activate(&attachment, &token.to_owned().into(), identity, 0).expect("activates");
    }

    /// Redeems a ticket; the guard cookie.
    pub(crate) async fn enter(&self, path: Option<&str>) -> String {
        let entry = self.gateway.entry(path).expect("ticket");
        let answer = self.send(&format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", entry.path(), self.host)).await;
        assert_eq!(answer.status, 303);
        answer.header("set-cookie").expect("cookie").split(';').next().expect("pair").to_owned()
    }

    /// Writes `head` as it stands (plus `Connection: close` where the head ends) and reads to the end.
    pub(crate) async fn send(&self, head: &str) -> Answer {
        let head = head.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
        self.send_raw(head.as_bytes()).await
    }

    pub(crate) async fn send_raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.host).await.expect("connects");
        // The gateway may answer and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "no end of the answer to {:?}", String::from_utf8_lossy(bytes));
        Answer::parse(&answer)
    }

    /// A request of the dashboard itself: guard cookie, own origin, fetch metadata of a navigation.
    pub(crate) async fn page(&self, method: &str, target: &str, more: &str, body: &str) -> Answer {
        let origin = if method == "GET" { String::new() } else { format!("Origin: http://{}\r\n", self.host) };
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        self.send(&format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n{origin}Sec-Fetch-Site: same-origin\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n{more}{length}\r\n{body}",
            self.host, self.cookie
        ))
        .await
    }

    /// A form that the dashboard's page sends.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.page("POST", path, "Content-Type: application/x-www-form-urlencoded\r\n", &body).await
    }

    /// A background request of the dashboard's script.
    pub(crate) async fn fetch(&self, method: &str, target: &str, more: &str) -> Answer {
        let origin = if method == "GET" { String::new() } else { format!("Origin: http://{}\r\n", self.host) };
        self.send(&format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n{origin}Sec-Fetch-Site: same-origin\r\n\
             Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n{more}\r\n",
            self.host, self.cookie
        ))
        .await
    }

    /// Passes over other reports until this one comes, within a bound.
    pub(crate) async fn hears(&mut self, expected: GatewayEvent) {
        let mut others = Vec::new();
        let heard = time::timeout(Duration::from_secs(10), async {
            loop {
                match self.reports.recv().await.expect("open") {
                    event if event == expected => return,
                    other => others.push(other),
                }
            }
        });
        assert!(heard.await.is_ok(), "{expected:?} did not come; these did: {others:?}");
    }

    /// The next report, within a bound.
    pub(crate) async fn report(&mut self) -> GatewayEvent {
        time::timeout(Duration::from_secs(5), self.reports.recv()).await.expect("a report").expect("open")
    }
}

/// An answer of the gateway.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether it has come to its own end: a browser shows what is cut short as broken.
    pub(crate) is_whole: bool,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { unchunk(&bytes[end..]) } else { bytes[end..].to_vec() };
        let length =
            headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
        let is_whole = if chunked {
            bytes.ends_with(b"0\r\n\r\n")
        } else {
            length.is_none_or(|length: usize| body.len() == length)
        };
        Self { status, headers, body, is_whole }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && bytes.len() >= end + 2 + size + 2) else { break };
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
    body
}
