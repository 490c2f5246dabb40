//! The one place where the gateway's own decisions become responses.

use bytes::Bytes;
use console_core::{
    environment::Environment,
    upstream::{Outcome, Unreachable, UnreachableKind},
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};

use crate::{admit::text, route};

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
    /// A request body without a length.
    LengthRequired,
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
    /// Nobody is signed in; nothing was sent.
    NotSignedIn,
    /// The admin refused; whether something ran is known or not.
    Refused { surely_nothing_done: bool },
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
    /// The way is broken. `retry_after` is in seconds.
    Unreachable { why: Unreachable, retry_after: u32 },
}

/// Who asked, as far as the form of the answer depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    method: Method,
    navigation: bool,
    wants_json: bool,
}

impl Caller {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let accept = text(headers, "accept").unwrap_or_default();
        Self {
            method: method.clone(),
            navigation: route::is_navigation(headers) || accept.starts_with("text/html"),
            wants_json: accept.contains("application/json") || text(headers, "sec-fetch-dest") == Some("empty"),
        }
    }

    fn is_safe(&self) -> bool {
        crate::admit::is_safe(&self.method)
    }
}

struct Words {
    status: StatusCode,
    title: String,
    text: String,
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
        _ => {}
    }
    let words = words(answer, environment, caller);
    let mut response = if caller.navigation && !matches!(answer, Answer::Denied | Answer::Malformed) {
        let mut response = plain(words.status, "text/html; charset=utf-8", page(&words));
        response.headers_mut().insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        );
        response
    } else if caller.wants_json {
        let body = serde_json::json!({ "ok": false, "error": words.title, "detail": words.text });
        plain(words.status, "application/json", body.to_string())
    } else {
        plain(words.status, "text/plain; charset=utf-8", format!("{}\n{}\n", words.title, words.text))
    };
    if let Answer::Unreachable { retry_after, .. } = answer
        && caller.navigation
        && caller.is_safe()
    {
        // The page tries again by itself; only a safe request can.
        response.headers_mut().insert(header::REFRESH, HeaderValue::from(*retry_after));
    }
    if matches!(answer, Answer::Malformed | Answer::LengthRequired) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Which answer an outcome of the admin leads to; `None`: pass its response on.
pub(crate) fn for_outcome(outcome: &Outcome) -> Option<Answer> {
    match outcome {
        Outcome::Answered | Outcome::Forbidden => None,
        Outcome::GateRefused => Some(Answer::Refused { surely_nothing_done: true }),
        Outcome::Unauthorized => Some(Answer::Refused { surely_nothing_done: false }),
        Outcome::NotAllowed => Some(Answer::NotAllowed),
        Outcome::CrossOriginRejected => Some(Answer::CrossOriginRejected),
        Outcome::SentElsewhere { host } => Some(Answer::SentElsewhere { host: host.clone() }),
        Outcome::NotFoundAtBase => Some(Answer::NotFoundAtBase),
    }
}

fn words(answer: &Answer, environment: &Environment, caller: &Caller) -> Words {
    let tag = &environment.tag;
    let write = !caller.is_safe();
    let say = |status, title: String, text: &str| Words { status, title, text: text.to_owned() };
    match answer {
        Answer::Denied => {
            say(StatusCode::FORBIDDEN, "Forbidden".into(), "This address is for the console's own window.")
        }
        Answer::StaleTicket => say(
            StatusCode::FORBIDDEN,
            "This way in was used already".into(),
            "Choose the environment in the console again.",
        ),
        Answer::Malformed => {
            say(StatusCode::BAD_REQUEST, "Bad request".into(), "The request cannot be read without doubt.")
        }
        Answer::LengthRequired => {
            say(StatusCode::LENGTH_REQUIRED, "Length required".into(), "A body needs its length.")
        }
        Answer::OutsideRealm => say(
            StatusCode::NOT_FOUND,
            format!("Not part of {tag}"),
            "This address is outside the environment's base URL. Nothing was sent. Go back, or check the base URL in the \
             environment's settings.",
        ),
        Answer::NotSignedIn | Answer::Refused { surely_nothing_done: true } if write => say(
            StatusCode::UNAUTHORIZED,
            "Nothing was done".into(),
            &format!(
                "Your session on {tag} had ended before this action reached the dashboard. Sign in and do it again."
            ),
        ),
        Answer::Refused { surely_nothing_done: false } if write => say(
            StatusCode::UNAUTHORIZED,
            "The admin answered 401".into(),
            "It cannot be told from here whether the action was carried out. Sign in and look before you do it again.",
        ),
        Answer::NotSignedIn | Answer::Refused { .. } => say(
            StatusCode::UNAUTHORIZED,
            format!("Sign in to {tag}"),
            "The session has ended. After signing in, this page comes back.",
        ),
        Answer::Locked => say(
            StatusCode::FORBIDDEN,
            format!("{tag} is locked"),
            "Nothing was done: this would have changed the remote system. Unlock the environment in the bar above, then do \
             it again.",
        ),
        Answer::NotAllowed => say(
            StatusCode::FORBIDDEN,
            "Signed in, but not allowed".into(),
            "The token is good, but it has no admin claim here, or lacks a role that this admin requires. Show its claims to \
             the administrator.",
        ),
        Answer::CrossOriginRejected => say(
            StatusCode::FORBIDDEN,
            format!("{tag} rejects actions, not pages"),
            "Nothing was done. The admin does not trust the proxy in front of it: its `trusted_proxies` setting must name \
             that proxy. Reading works.",
        ),
        Answer::SentElsewhere { host } => say(
            StatusCode::BAD_GATEWAY,
            format!("{tag} sends you to {host}"),
            "A proxy in front of the admin wants a sign-in of its own. The console does not follow it with your token.",
        ),
        Answer::NotFoundAtBase => say(
            StatusCode::NOT_FOUND,
            "Nothing is mounted here".into(),
            &format!(
                "`{}` answers 404. Check the mount prefix in the environment's settings; AsyncMQ's default is /asyncmq.",
                environment.base_url
            ),
        ),
        Answer::Unreachable { why, retry_after } => {
            let done = match (write, why.kind) {
                (
                    true,
                    UnreachableKind::Dns | UnreachableKind::Connect | UnreachableKind::Proxy | UnreachableKind::Tls,
                ) => "Nothing was done.".into(),
                (true, _) => {
                    "It cannot be told whether the action was carried out: look before you do it again.".to_owned()
                }
                (false, _) => format!("Trying again in {retry_after} s."),
            };
            let status = match why.kind {
                UnreachableKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                _ => StatusCode::BAD_GATEWAY,
            };
            say(status, format!("Can't reach {tag}"), &format!("{} {done}", why.detail))
        }
        Answer::TakenOver | Answer::Enter { .. } | Answer::ToBase => say(StatusCode::NO_CONTENT, String::new(), ""),
    }
}

fn page(words: &Words) -> String {
    let title = html_escape::encode_text(&words.title);
    let text = html_escape::encode_text(&words.text);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>\
         body{{margin:0;min-height:100vh;display:grid;place-items:center;font:14px/1.5 system-ui,sans-serif}}\
         main{{max-width:30rem;padding:2rem}}h1{{font-size:18px;margin:0 0 .5rem}}p{{margin:0;opacity:.8}}\
         </style></head><body><main role=\"alert\"><h1>{title}</h1><p>{text}</p></main></body></html>"
    )
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
