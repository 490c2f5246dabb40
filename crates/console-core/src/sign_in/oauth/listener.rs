//! How does the provider's answer come back from the browser? (RFC 8252 §7.3)
//!
//! A listener on 127.0.0.1, open only while a sign-in waits. Whatever is not the one awaited answer gets a 4xx, changes
//! nothing and is waited on: another page, a forged or foreign `state`, a second answer. The browser is led on to an
//! address without the code, whose page holds nothing.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    task::JoinSet,
    time,
};
use url::form_urlencoded;

use super::error::ProviderError;

/// A head that takes longer is given up.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections at the same time. A browser opens a few ahead.
const MOST_CONNECTIONS: usize = 32;
/// The longest head, in bytes. Codes can be a few kilobytes.
const LARGEST_HEAD: usize = 32 * 1024;
const CALLBACK: &str = "/callback";
const DONE: &str = "/done";
const PAGE: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" \
     content=\"light dark\"><title>AsyncMQ Console</title></head><body><h1>AsyncMQ Console has the answer</h1><p>You can \
     close this page and go back to the console.</p></body></html>";

/// What the provider answered (RFC 6749 §4.1.2, RFC 9207 §2).
pub(crate) struct Answer {
    pub(crate) issuer: Option<String>,
    pub(crate) outcome: Outcome,
}

pub(crate) enum Outcome {
    /// A code, for this attempt only.
    Code(SecretString),
    /// An error code, and what the provider says of it.
    Error { error: String, said: Option<String> },
    /// Neither or both.
    Malformed,
}

/// What the connections share.
struct Desk {
    host: String,
    state: SecretString,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
    seen: Notify,
}

/// An open port. Dropping it closes the port and every connection.
pub(crate) struct Listener {
    socket: TcpListener,
    port: u16,
}

/// Waits for the one answer.
pub(crate) struct Awaited {
    answer: oneshot::Receiver<Answer>,
    desk: Arc<Desk>,
}

impl Listener {
    /// Opens one of `ports` on 127.0.0.1, or any free one where none is named.
    ///
    /// # Errors
    /// [`ProviderError::PortInUse`], [`ProviderError::NoListener`].
    pub(crate) async fn open(ports: &[u16]) -> Result<Self, ProviderError> {
        let mut failure = None;
        for port in if ports.is_empty() { &[0] } else { ports } {
            match TcpListener::bind(("127.0.0.1", *port)).await {
                Ok(socket) => {
                    let port = socket.local_addr().map(|address| address.port());
                    let port = port.map_err(|error| ProviderError::NoListener { reason: error.to_string() })?;
                    return Ok(Self { socket, port });
                }
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                Err(ProviderError::NoListener { reason: error.to_string() })
            }
            _ => Err(ProviderError::PortInUse { ports: ports.to_vec() }),
        }
    }

    /// Where the provider sends the browser back to.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{CALLBACK}", self.port)
    }

    /// Serves until it is dropped; what is awaited carries `state`.
    pub(crate) fn serve(self, state: SecretString) -> (Awaited, impl Future<Output = Infallible>) {
        let (sender, answer) = oneshot::channel();
        let desk = Arc::new(Desk {
            host: format!("127.0.0.1:{}", self.port),
            state,
            answer: Mutex::new(Some(sender)),
            seen: Notify::new(),
        });
        (Awaited { answer, desk: desk.clone() }, accept(self.socket, desk))
    }
}

impl Awaited {
    /// The answer. Never, if the listener is gone.
    pub(crate) async fn answer(&mut self) -> Answer {
        match (&mut self.answer).await {
            Ok(answer) => answer,
            Err(_) => std::future::pending().await,
        }
    }

    /// The browser has left the address with the code in it.
    pub(crate) async fn seen(&self) {
        self.desk.seen.notified().await;
    }
}

async fn accept(socket: TcpListener, desk: Arc<Desk>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors: waiting is all that helps.
            time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if connections.len() >= MOST_CONNECTIONS {
            continue;
        }
        let desk = desk.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answer = desk.handle(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(LARGEST_HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // Not the error: it may hold what was sent.
            if connection.await.is_err() {
                tracing::debug!("a connection to the sign-in's listener ended early");
            }
        });
    }
}

impl Desk {
    fn handle(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let values: Vec<_> = request.headers().get_all(header::HOST).iter().collect();
        let ours = matches!(values.as_slice(), [host] if *host == self.host.as_str());
        if !ours || request.uri().authority().is_some() {
            return refusal(StatusCode::FORBIDDEN);
        }
        if request.method() != Method::GET {
            let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED);
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
            return answer;
        }
        // A browser says what it asks for: an image, a frame or a script of some page is not the operator coming back.
        let says = |name: &str, value: &str| request.headers().get(name).is_none_or(|given| given == value);
        if !says("sec-fetch-mode", "navigate") || !says("sec-fetch-dest", "document") {
            return refusal(StatusCode::FORBIDDEN);
        }
        match request.uri().path() {
            CALLBACK => self.callback(request.uri().query().unwrap_or_default()),
            DONE => {
                self.seen.notify_one();
                answer(StatusCode::OK, PAGE)
            }
            _ => refusal(StatusCode::NOT_FOUND),
        }
    }

    fn callback(&self, query: &str) -> Response<Full<Bytes>> {
        // RFC 6749 §3.1: a parameter twice is an error.
        let all = |name: &str| -> Vec<String> {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs.filter(|(given, _)| given == name).map(|(_, value)| value.into_owned()).collect()
        };
        let one = |name: &str| <[String; 1]>::try_from(all(name)).ok().map(|[value]| value);
        let is_ours =
            one("state").is_some_and(|given| bool::from(given.as_bytes().ct_eq(self.state.expose_secret().as_bytes())));
        if !is_ours {
            return refusal(StatusCode::BAD_REQUEST);
        }
        // Taken: a second answer with the same state finds nobody.
        let waiting = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(waiting) = waiting else { return refusal(StatusCode::CONFLICT) };
        let outcome = match (all("code").as_slice(), all("error").as_slice()) {
            ([code], []) if !code.is_empty() => Outcome::Code(code.as_str().into()),
            ([], [error]) => Outcome::Error { error: error.clone(), said: one("error_description") },
            _ => Outcome::Malformed,
        };
        let (issuer, outcome) = match <[String; 1]>::try_from(all("iss")) {
            Ok([issuer]) => (Some(issuer), outcome),
            Err(none) if none.is_empty() => (None, outcome),
            Err(_) => (None, Outcome::Malformed),
        };
        // Whoever waited may have been cancelled just now.
        let _ = waiting.send(Answer { issuer, outcome });
        let mut answer = refusal(StatusCode::SEE_OTHER);
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static(DONE));
        answer
    }
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    answer(status, "")
}

fn answer(status: StatusCode, page: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(page.as_bytes())));
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests;
