//! The one place where the gateway's own decisions become responses.

use bytes::Bytes;
use console_core::{
    environment::Environment,
    upstream::{Outcome, Unreachable},
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};

use self::words::{Words, words};
use crate::{admit::text, route, unanswered::Unanswered};

mod words;

/// Whatever can go wrong while a body is on its way.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of every response.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What the gateway says by itself.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Not one of ours: says nothing about why.
    Denied,
    /// A head that two parsers could read differently.
    Malformed,
    /// A WebSocket handshake; nothing was sent.
    NoWebSocket,
    /// An address outside the realm.
    OutsideRealm,
    /// The shell has taken it over; the page stays where it is.
    TakenOver,
    /// A used or old ticket.
    StaleTicket,
    /// A ticket was good: go to the clean address.
    Enter { cookie: String, target: String },
    /// Inside the host, above the mount prefix.
    ToBase,
    /// A body that did not come whole; nothing was sent.
    Incomplete,
    /// Nobody is signed in; nothing was done.
    NotSignedIn,
    /// The same, on a page that goes on by itself.
    Waits,
    /// A write that waits for the operator's word.
    Held { because: Because },
    /// The admin answered 401 to a write: it cannot be told whether it was carried out.
    PerhapsDone,
    /// The console itself failed while a write was on its way: it cannot be told whether it was carried out.
    Interrupted,
    /// Locked: nothing was sent.
    Locked,
    /// The operator may not use this admin.
    NotAllowed,
    /// The admin takes us for another origin.
    CrossOriginRejected,
    /// Something in front wants its own sign-in.
    SentElsewhere { host: String },
    /// Nothing at the base URL.
    NotFoundAtBase,
    /// The way is broken. `retry_after` is in seconds; what was `sent` may have been carried out.
    Unreachable { why: Unreachable, sent: bool, retry_after: u32 },
    /// What was heard of the admin is no whole answer. What was asked for may have been carried out.
    Unanswered(Unanswered),
}

/// Why a write is held.
#[derive(Debug, Clone)]
pub(crate) enum Because {
    /// The session had ended before it reached the dashboard.
    Ended,
    /// The admin answered 401, not its gate.
    PerhapsDone,
    /// The admin was not reached, and nothing was sent.
    Unreachable(Unreachable),
}

/// What kind of answer fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// It replaces a page.
    Page,
    /// A script reads it.
    Json,
    Text,
}

/// Who asked, as far as the form of the answer depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    method: Method,
    wants: Wants,
    can_wait: bool,
    page_stays: bool,
}

impl Caller {
    /// `dashboard_on_screen`: the page on the screen is the dashboard's, not one of the gateway's own.
    pub(crate) fn of(method: &Method, headers: &HeaderMap, dashboard_on_screen: bool) -> Self {
        let accept = text(headers, "accept").unwrap_or_default();
        let dest = text(headers, "sec-fetch-dest");
        let navigation = route::is_navigation(headers) || accept.starts_with("text/html");
        // The one judgement of what an admin that cannot be reached does to the screen. A page of the dashboard that
        // leads on (a click, a reload) stays, and the shell's bar says what is wrong. A first load, a navigation of the
        // shell, and the gateway's own page trying again have nothing to keep: they get the page that tries again.
        let leads_on = route::is_document(headers) && text(headers, "sec-fetch-site") == Some("same-origin");
        Self {
            can_wait: *method == Method::GET && navigation && matches!(dest, None | Some("document")),
            page_stays: *method == Method::GET && leads_on && dashboard_on_screen,
            method: method.clone(),
            wants: if navigation {
                Wants::Page
            } else if accept.contains("application/json") || dest == Some("empty") {
                Wants::Json
            } else {
                Wants::Text
            },
        }
    }

    fn is_safe(&self) -> bool {
        crate::admit::is_safe(&self.method)
    }

    /// While the admin cannot be reached the page on the screen stays, and this navigation is led to later.
    pub(crate) fn is_led_to_later(&self, answer: &Answer) -> bool {
        self.page_stays && matches!(answer, Answer::Unreachable { .. })
    }

    /// Whether a page of the gateway's own can wait in the place of what was asked for.
    pub(crate) fn can_wait(&self) -> bool {
        self.can_wait
    }
}

/// Turns a decision into a response.
pub(crate) fn respond(answer: &Answer, environment: &Environment, caller: &Caller) -> Response<Body> {
    match answer {
        Answer::TakenOver => return bare(StatusCode::NO_CONTENT),
        Answer::Enter { cookie, target } => {
            let mut response = redirect(target);
            if let Ok(cookie) = HeaderValue::from_str(cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            return response;
        }
        Answer::ToBase => return redirect(&format!("{}/", environment.base_url.prefix())),
        // The page stays as it is, typed text and all: the shell says the rest.
        Answer::Held { .. } if caller.wants == Wants::Page => return bare(StatusCode::NO_CONTENT),
        Answer::Unreachable { .. } if caller.page_stays => return bare(StatusCode::NO_CONTENT),
        _ => {}
    }
    let words = words(answer, environment, caller.is_safe());
    let mut response = if caller.wants == Wants::Page && !matches!(answer, Answer::Denied | Answer::Malformed) {
        page(words.status, format!("{}{PAGE_END}", page_beginning(&words)))
    } else if caller.wants == Wants::Json {
        let body = serde_json::json!({ "ok": false, "error": words.title, "detail": words.text });
        plain(words.status, "application/json", body.to_string())
    } else {
        plain(words.status, "text/plain; charset=utf-8", format!("{}\n{}\n", words.title, words.text))
    };
    if let Answer::Unreachable { retry_after, .. } = answer
        && caller.wants == Wants::Page
        && caller.is_safe()
    {
        // The page tries again by itself; only a safe request can.
        response.headers_mut().insert(header::REFRESH, HeaderValue::from(*retry_after));
    }
    if matches!(answer, Answer::Malformed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Which answer an outcome of the admin leads to; `None`: pass its response on.
pub(crate) fn for_outcome(outcome: &Outcome) -> Option<Answer> {
    match outcome {
        Outcome::Answered | Outcome::Forbidden => None,
        Outcome::GateRefused => Some(Answer::NotSignedIn),
        Outcome::Unauthorized => Some(Answer::PerhapsDone),
        Outcome::NotAllowed => Some(Answer::NotAllowed),
        Outcome::CrossOriginRejected => Some(Answer::CrossOriginRejected),
        Outcome::SentElsewhere { host } => Some(Answer::SentElsewhere { host: host.clone() }),
        Outcome::NotFoundAtBase => Some(Answer::NotFoundAtBase),
    }
}

/// A page that is not ended yet: its response without a body, and what the body begins with.
pub(crate) fn open_page(answer: &Answer, environment: &Environment) -> (Response<Body>, String) {
    let words = words(answer, environment, true);
    // So much that an engine shows it without waiting for more.
    let padding = format!("<!-- {} -->\n", "-".repeat(1024));
    (page(words.status, String::new()), page_beginning(&words) + &padding)
}

/// What ends a page of ours.
pub(crate) const PAGE_END: &str = "</main></body></html>";

fn page_beginning(words: &Words) -> String {
    let title = html_escape::encode_text(&words.title);
    let text = html_escape::encode_text(&words.text);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>\
         body{{margin:0;min-height:100vh;display:grid;place-items:center;font:14px/1.5 system-ui,sans-serif}}\
         main{{max-width:30rem;padding:2rem}}h1{{font-size:18px;margin:0 0 .5rem}}p{{margin:0;opacity:.8}}\
         </style></head><body><main role=\"alert\"><h1>{title}</h1><p>{text}</p>"
    )
}

fn page(status: StatusCode, html: String) -> Response<Body> {
    let mut response = plain(status, "text/html; charset=utf-8", html);
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}

fn redirect(target: &str) -> Response<Body> {
    let mut response = bare(StatusCode::SEE_OTHER);
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    own_headers(response.headers_mut());
    response
}

fn plain(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    own_headers(response.headers_mut());
    response
}

fn own_headers(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}
