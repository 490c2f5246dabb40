//! How a request travels: admit → resolve → protect → authorize → forward → outcome → rewrite → stream (DESIGN 5).

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts, response};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Frame, Incoming};

use crate::{
    action,
    admit::{self, ENTRY_PATH},
    answer::{self, Answer, Body, BoxError, Caller},
    events,
    exchange::{self, Answered, exchange},
    gateway::{GatewayEvent, Shared},
    on_its_way::OnItsWay,
    operator::Operator,
    payload::Payload,
    places::Place,
    resolve::{self, Outside, Target},
    route::{self, Native},
    static_files::Asked,
    third_party::REPORTS_PATH,
    undone, waiting,
    wire::Shape,
};

/// Answers one request of a webview.
pub(crate) async fn handle(
    request: Request<Incoming>,
    shape: Shape,
    place: &Place,
    shared: &Arc<Shared>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let parts = Arc::new(parts);
    let caller = Caller::of(&parts.method, &parts.headers, shared.dashboard_on_screen.load(Ordering::SeqCst));
    let asked_by = Operator::of(&shared.upstream.session);
    let decided = decide(&parts, body, shape, place, asked_by.clone(), shared).await;
    let is_dashboards = decided.is_ok();
    let response = decided.unwrap_or_else(|answer| {
        if matches!(answer, Answer::Denied | Answer::Malformed | Answer::StaleTicket) {
            shared.denied.fetch_add(1, Ordering::Relaxed);
        }
        let waits = matches!(answer, Answer::NotSignedIn) && caller.can_wait();
        let page = if waits { waiting::page(&path_and_query(&parts), asked_by, shared) } else { None };
        page.unwrap_or_else(|| {
            if matches!(answer, Answer::NotSignedIn | Answer::PerhapsDone | Answer::NotAllowed)
                || caller.is_led_to_later(&answer)
            {
                undone::remember_page(&parts, shared);
            }
            answer::respond(&answer, &shared.upstream.environment, &caller)
        })
    });
    let replaces_page = response.status() != StatusCode::NO_CONTENT && !response.status().is_redirection();
    if route::is_document(&parts.headers) && replaces_page {
        shared.dashboard_on_screen.store(is_dashboards, Ordering::SeqCst);
    }
    if route::is_document(&parts.headers) && !is_dashboards && response.status() == StatusCode::NO_CONTENT {
        shared.report(GatewayEvent::PageStays);
    }
    tracing::debug!(method = %parts.method, path = parts.uri.path(), status = response.status().as_u16(), "answered");
    response
}

async fn decide(
    parts: &Arc<Parts>,
    body: Incoming,
    shape: Shape,
    place: &Place,
    asked_by: Option<Operator>,
    shared: &Arc<Shared>,
) -> Result<Response<Body>, Answer> {
    match shape {
        Shape::Sound | Shape::Chunked => {}
        Shape::Ambiguous => return Err(Answer::Malformed),
    }
    admit(parts, shared)?;
    place.becomes_known().await;
    if asks_for_websocket(&parts.headers) {
        return Err(Answer::NoWebSocket);
    }
    if parts.uri.path() == REPORTS_PATH {
        return Err(reported(parts, body, shared).await);
    }
    let target = resolve(parts, shared)?;
    protect(parts, shared)?;
    if is_event_stream(parts, &target, shared) {
        return Ok(event_stream(shared));
    }
    let payload = Payload::of(&parts.method, body, shared).await?;
    let travels = travel(parts.clone(), target, payload, asked_by, shared.clone());
    if admit::is_safe(&parts.method) {
        return travels.await;
    }
    // A write that was taken in comes to its end even if the page is left meanwhile: done, held or said, never lost.
    let on_its_way = OnItsWay::new(shared.clone());
    let to_its_end = async move {
        let answer = travels.await;
        drop(on_its_way);
        answer
    };
    tokio::spawn(to_its_end).await.unwrap_or_else(|error| {
        // What it panicked with could be anything, a secret too.
        tracing::error!(panicked = error.is_panic(), method = %parts.method, "an action was given up in the middle");
        shared.report(GatewayEvent::WriteNotDone { surely: false });
        Err(Answer::Interrupted)
    })
}

/// Steps 4 to 8.
async fn travel(
    parts: Arc<Parts>,
    target: Target,
    mut payload: Payload,
    asked_by: Option<Operator>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Answer> {
    let request = exchange::Request {
        method: &parts.method,
        url: &target.url,
        headers: &parts.headers,
        asked_by: asked_by.clone(),
    };
    let file = Asked::of(&parts.method, &parts.headers, &target, asked_by.as_ref(), &shared);
    let done = match file {
        Some(file) => file.answer(&shared).await,
        None => exchange(request, &mut payload, &shared).await,
    };
    match done {
        Ok(answered) => {
            say_refusal(&parts, &target, &payload, &answered, &shared);
            pass_on(&parts, &target, answered, &shared)
        }
        Err(not_done) => Err(undone::answer(&not_done, &parts, &target, &payload, asked_by.as_ref(), &shared)),
    }
}

fn path_and_query(parts: &Parts) -> String {
    parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Step 1. The entry route is the only one that needs no guard cookie: its ticket is the secret.
fn admit(parts: &Parts, shared: &Shared) -> Result<(), Answer> {
    let denied = |why: admit::Denied| {
        shared.denials.count(why);
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

/// A WebSocket handshake (RFC 6455 §4.1; Fetch Metadata). `AsyncMQ`'s admin has none. Without its `Upgrade` it would be a GET
/// of a page that nobody wants, and with it a way that no later step watches; so it is refused. Any other `Upgrade` is ignored,
/// as a server may (RFC 9110 §7.8), and never sent on.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let upgrades =
        headers.get_all(header::UPGRADE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    admit::text(headers, "sec-fetch-mode") == Some("websocket")
        || upgrades.into_iter().any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// A browser's report of what it blocked.
async fn reported(parts: &Parts, body: Incoming, shared: &Shared) -> Answer {
    if parts.method != Method::POST {
        return Answer::Denied;
    }
    if let Some(blocked) = shared.third_parties.report(body).await {
        shared.report(GatewayEvent::Blocked(blocked));
    }
    Answer::TakenOver
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

/// Step 3. (A write that had to wait is judged again when it is sent: [`exchange()`].)
fn protect(parts: &Parts, shared: &Shared) -> Result<(), Answer> {
    if admit::is_safe(&parts.method) || !shared.locked.load(Ordering::SeqCst) {
        return Ok(());
    }
    shared.report(GatewayEvent::WriteLocked);
    Err(Answer::Locked)
}

/// An action that the admin answered with an error is said, whatever the page makes of it: the job list of 0.8 announces success
/// without reading the answer.
fn say_refusal(parts: &Parts, target: &Target, payload: &Payload, answered: &Answered, shared: &Shared) {
    let status = answered.head.status;
    if !admit::is_safe(&parts.method) && (status.is_client_error() || status.is_server_error()) {
        let prefix = shared.upstream.environment.base_url.prefix();
        let body = payload.kept().map(Bytes::as_ref).unwrap_or_default();
        let name = action::of_request(&parts.method, target, &parts.headers, body, prefix).name;
        shared.report(GatewayEvent::WriteRefused { name, status: status.as_u16() });
    }
}

/// Steps 6 to 8, of what the admin answered.
fn pass_on(parts: &Parts, target: &Target, answered: Answered, shared: &Shared) -> Result<Response<Body>, Answer> {
    let Answered { outcome, mut head, body, epoch } = answered;
    if let Some(answer) = answer::for_outcome(&outcome) {
        return Err(answer);
    }
    if route::is_navigation(&parts.headers) {
        shared.jar.keep(epoch, &target.url, &head.headers);
    }
    shared.rewriter.response_headers(&mut head.headers);
    head.headers.append(header::CONTENT_SECURITY_POLICY, shared.third_parties.header());
    let body = if may_be_rewritten(&head) { rewrite_html(body, &mut head.headers, shared) } else { body };
    // Version and reason phrase are said of one connection by its sender (RFC 9110 §2.5, RFC 9112 §4).
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// Whether a body of this head may be HTML to rewrite. That of a HEAD is empty, but the same is said of it as of the GET's
/// (RFC 9110 §9.3.2).
fn may_be_rewritten(head: &response::Parts) -> bool {
    let without = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED, StatusCode::PARTIAL_CONTENT];
    !without.contains(&head.status) && !head.headers.get(header::CONTENT_TYPE).is_some_and(is_stream)
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
