//! How a request travels: admit → resolve → protect → authorize → forward → outcome → rewrite → stream (DESIGN 5).

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use console_core::{
    session::{Authorization, Generation, NotSignedIn, Refusal},
    upstream::{Outcome, REFUSAL_BODY_LIMIT, Unreachable, UnreachableKind, judge, judge_forbidden},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body::Body as _;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::time;

use crate::{
    admit::{self, ENTRY_PATH},
    answer::{self, Answer, Body, BoxError, Caller},
    events, forward,
    gateway::{GatewayEvent, Shared, Trouble},
    resolve::{self, Outside, Target},
    route::{self, Native},
    wire::Shape,
};

/// How long the head of an answer may take. (`WKWebView` gives up after 60 s by itself.)
const HEAD_WAIT: Duration = Duration::from_secs(55);
/// How long a request waits for a renewal of the session.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers one request of a webview.
pub(crate) async fn handle(request: Request<Incoming>, shape: Shape, shared: &Arc<Shared>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts.method, &parts.headers);
    let response = match decide(&parts, body, shape, shared).await {
        Ok(response) => response,
        Err(answer) => {
            if matches!(answer, Answer::Denied | Answer::Malformed | Answer::LengthRequired | Answer::StaleTicket) {
                shared.denied.fetch_add(1, Ordering::Relaxed);
            }
            answer::respond(&answer, &shared.upstream.environment, &caller)
        }
    };
    tracing::debug!(method = %parts.method, path = parts.uri.path(), status = response.status().as_u16(), "answered");
    response
}

async fn decide(parts: &Parts, body: Incoming, shape: Shape, shared: &Arc<Shared>) -> Result<Response<Body>, Answer> {
    match shape {
        Shape::Sound => {}
        Shape::Ambiguous => return Err(Answer::Malformed),
        Shape::LengthMissing => return Err(Answer::LengthRequired),
    }
    admit(parts, shared)?;
    let target = resolve(parts, shared)?;
    protect(parts, shared)?;
    if is_event_stream(parts, &target, shared) {
        return Ok(event_stream(shared));
    }
    let authorization = authorize(parts, &target, shared).await?;
    forward(parts, body, &target, authorization, shared).await
}

/// Step 1. The entry route is the only one that needs no guard cookie: its ticket is the secret.
fn admit(parts: &Parts, shared: &Shared) -> Result<(), Answer> {
    let denied = |why: admit::Denied| {
        tracing::warn!(?why, method = %parts.method, "a request was not admitted");
        Answer::Denied
    };
    admit::judge_sender(&parts.method, &parts.uri, &parts.headers, &shared.origin).map_err(denied)?;
    if let Some(ticket) = parts.uri.path().strip_prefix(ENTRY_PATH) {
        if parts.method != Method::GET {
            return Err(Answer::Denied);
        }
        let target = shared.guard.redeem(ticket, Instant::now()).ok_or(Answer::StaleTicket)?;
        return Err(Answer::Enter { cookie: shared.guard.set_cookie(), target });
    }
    admit::judge_guard(&parts.headers, &shared.guard).map_err(denied)
}

/// Step 2, and the console's own routes.
fn resolve(parts: &Parts, shared: &Shared) -> Result<Target, Answer> {
    let environment = &shared.upstream.environment;
    let decoded = resolve::decode_once(parts.uri.path()).map_err(|_| Answer::OutsideRealm)?;
    if let Some(native) = route::native(environment, &decoded) {
        if !route::is_by_person(&parts.method, &parts.headers) {
            return Err(Answer::Denied);
        }
        shared.report(match native {
            Native::SignIn => GatewayEvent::SignInRequested { next: route::safe_next(environment, parts.uri.query()) },
            Native::SignOut => GatewayEvent::SignOutRequested,
        });
        return Err(Answer::TakenOver);
    }
    if parts.uri.path() == "/" && !environment.base_url.prefix().is_empty() && parts.method == Method::GET {
        return Err(Answer::ToBase);
    }
    resolve::resolve(&environment.base_url, &parts.uri).map_err(|outside| {
        if outside == Outside::Ambiguous {
            tracing::warn!("a path that is read differently after parsing was refused");
        }
        Answer::OutsideRealm
    })
}

/// Step 3.
fn protect(parts: &Parts, shared: &Shared) -> Result<(), Answer> {
    if admit::is_safe(&parts.method) || !shared.locked.load(Ordering::SeqCst) {
        return Ok(());
    }
    shared.report(GatewayEvent::WriteRefused);
    Err(Answer::Locked)
}

/// Step 4. A renewal that is on its way is waited for.
async fn authorize(parts: &Parts, target: &Target, shared: &Shared) -> Result<Authorization, Answer> {
    match shared.upstream.session.authorization(PATIENCE).await {
        Ok(authorization) => Ok(authorization),
        Err(NotSignedIn::Unreachable(why)) => Err(not_reached(why, shared)),
        Err(NotSignedIn::SignedOut | NotSignedIn::Renewing) => {
            remember_page(parts, target, shared);
            if !admit::is_safe(&parts.method) {
                shared.report(GatewayEvent::WriteNotDone { surely: true });
            }
            Err(Answer::NotSignedIn)
        }
    }
}

/// Steps 5 to 8.
async fn forward(
    parts: &Parts,
    body: Incoming,
    target: &Target,
    authorization: Authorization,
    shared: &Arc<Shared>,
) -> Result<Response<Body>, Answer> {
    let generation = authorization.generation;
    let (cookies, epoch) = shared.jar.cookies(&target.url, &authorization);
    let headers =
        forward::request_headers(&parts.method, &parts.headers, &shared.origin, &target.url, &authorization, cookies);
    let mut request = shared.upstream.reach.admin().request(parts.method.clone(), target.url.clone()).headers(headers);
    if !body.is_end_stream() {
        request = request.body(reqwest::Body::wrap(body));
    }
    let response: Response<reqwest::Body> = match time::timeout(HEAD_WAIT, request.send()).await {
        Ok(Ok(response)) => response.into(),
        Ok(Err(error)) => return Err(unreachable(Unreachable::from_error(&error, shared.host()), generation, shared)),
        Err(_) => {
            let detail = format!("`{}` did not answer within {} s.", shared.host(), HEAD_WAIT.as_secs());
            return Err(unreachable(Unreachable { kind: UnreachableKind::TimedOut, detail }, generation, shared));
        }
    };
    if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && let Some(why) = Unreachable::from_status(response.status(), shared.host())
    {
        return Err(unreachable(why, generation, shared));
    }
    shared.reached();
    let (mut head, body) = response.into_parts();
    let judged = judge(&shared.upstream.environment, &parts.method, &target.url, head.status, &head.headers);
    let (outcome, body) = match judged {
        Outcome::Forbidden => read_forbidden(&head.headers, body).await,
        other => (other, body.map_err(BoxError::from).boxed_unsync()),
    };
    if let Some(answer) = verdict(&outcome, parts, target, &authorization, shared) {
        return Err(answer);
    }
    if route::is_navigation(&parts.headers) {
        shared.jar.keep(epoch, &target.url, &head.headers);
    }
    shared.rewriter.response_headers(&mut head.headers);
    let body = rewritten(&parts.method, head.status, &mut head.headers, body)
        .map_or_else(|body| body, |body| rewrite_html(body, &mut head.headers, shared));
    Ok(Response::from_parts(head, body))
}

/// Step 6: tells the session and the owner, and finds the answer; `None`: pass it on.
fn verdict(
    outcome: &Outcome,
    parts: &Parts,
    target: &Target,
    authorization: &Authorization,
    shared: &Shared,
) -> Option<Answer> {
    let answer = answer::for_outcome(outcome);
    let refusal = match outcome {
        Outcome::GateRefused => Some(Refusal::Gate),
        Outcome::Unauthorized => Some(Refusal::Unauthorized),
        Outcome::NotAllowed => Some(Refusal::NotAllowed),
        Outcome::CrossOriginRejected | Outcome::SentElsewhere { .. } | Outcome::NotFoundAtBase => {
            shared.trouble(Trouble::Impaired(outcome.clone()));
            None
        }
        Outcome::Answered | Outcome::Forbidden => {
            // An action that the admin rejects stays rejected while its pages answer.
            if !admit::is_safe(&parts.method) || !shared.is_rejecting_actions() {
                shared.trouble(Trouble::None);
            }
            None
        }
    };
    if let Some(refusal) = refusal {
        remember_page(parts, target, shared);
        if !admit::is_safe(&parts.method) {
            shared.report(GatewayEvent::WriteNotDone { surely: refusal != Refusal::Unauthorized });
        }
        shared.upstream.session.refused(authorization.generation, refusal);
    }
    answer
}

/// Where to return to after the sign-in: the page that was asked for, or the one that a form was on.
fn remember_page(parts: &Parts, target: &Target, shared: &Shared) {
    if !route::is_document(&parts.headers) {
        return;
    }
    if parts.method == Method::GET {
        let path = target.url.path();
        shared.return_to(&target.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")));
        return;
    }
    let referer = parts.headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    if let Some(path) = referer.and_then(|referer| referer.strip_prefix(&shared.origin.text))
        && path.starts_with('/')
    {
        shared.return_to(path);
    }
}

fn unreachable(why: Unreachable, generation: Generation, shared: &Shared) -> Answer {
    shared.unreachable(generation, &why);
    not_reached(why, shared)
}

fn not_reached(why: Unreachable, shared: &Shared) -> Answer {
    let failures = shared.failures.load(Ordering::Relaxed).clamp(1, 5);
    Answer::Unreachable { why, retry_after: (1_u32 << failures).min(30) }
}

/// Reads the beginning of a 403, which alone tells what it is; the body is whole again afterwards. A proxy in front may
/// leave out its length.
async fn read_forbidden(headers: &HeaderMap, body: reqwest::Body) -> (Outcome, Body) {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > REFUSAL_BODY_LIMIT) || headers.contains_key(header::CONTENT_ENCODING) {
        return (Outcome::Answered, body.map_err(BoxError::from).boxed_unsync());
    }
    let mut beginning = BytesMut::new();
    let mut rest = body.into_data_stream();
    let mut ended = false;
    while beginning.len() <= REFUSAL_BODY_LIMIT && !ended {
        match rest.next().await {
            Some(Ok(chunk)) => beginning.extend_from_slice(&chunk),
            Some(Err(error)) => {
                let broken = stream::iter([Ok(beginning.freeze()), Err(BoxError::from(error))]);
                return (Outcome::Answered, BodyExt::boxed_unsync(StreamBody::new(broken.map_ok(Frame::data))));
            }
            None => ended = true,
        }
    }
    let outcome = if ended { judge_forbidden(&beginning) } else { Outcome::Answered };
    let whole = stream::iter([Ok(beginning.freeze())]).chain(rest.map_err(BoxError::from));
    (outcome, BodyExt::boxed_unsync(StreamBody::new(whole.map_ok(Frame::data))))
}

/// Whether a response has an HTML body to rewrite: `Ok` hands the body over, `Err` gives it back as it is.
fn rewritten(method: &Method, status: StatusCode, headers: &mut HeaderMap, body: Body) -> Result<Body, Body> {
    let bodiless = *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let partial = status == StatusCode::PARTIAL_CONTENT;
    if bodiless || partial || headers.get(header::CONTENT_TYPE).is_some_and(is_stream) { Err(body) } else { Ok(body) }
}

fn is_stream(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"text/event-stream")
}

fn rewrite_html(body: Body, headers: &mut HeaderMap, shared: &Shared) -> Body {
    let data =
        BodyStream::new(body).try_filter_map(|frame| std::future::ready(Ok::<_, BoxError>(frame.into_data().ok())));
    match shared.rewriter.html_body(headers, data) {
        Ok(stream) => BodyExt::boxed_unsync(StreamBody::new(stream.map_ok(Frame::data).map_err(BoxError::from))),
        Err(data) => BodyExt::boxed_unsync(StreamBody::new(data.map_ok(Frame::data))),
    }
}

/// The dashboard's live updates: GET `{prefix}/events` by an `EventSource`.
fn is_event_stream(parts: &Parts, target: &Target, shared: &Shared) -> bool {
    let prefix = shared.upstream.environment.base_url.prefix();
    parts.method == Method::GET
        && target.decoded_path.strip_prefix(prefix) == Some("/events")
        && target.url.query().is_none()
        && admit::text(&parts.headers, "accept").is_some_and(|accept| accept.starts_with("text/event-stream"))
}

fn event_stream(shared: &Arc<Shared>) -> Response<Body> {
    let stream = events::subscribe(shared).map_ok(Frame::data).map_err(|never| match never {});
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(stream)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
