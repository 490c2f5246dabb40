//! What came of sending one request? Steps 4 to 6 of its way: authorize, forward, outcome.
//!
//! By itself a request is sent a second time only where it surely was not carried out, or where that does no harm:
//!
//! | What happened | Safe request | Write |
//! | --- | --- | --- |
//! | AsyncMQ's gate refused: the dashboard's code did not run | once more, after a silent renewal | the same |
//! | any other 401 | the same | never |
//! | the connection broke before an answer began | once more, at once | never |
//! | no answer in time; no connection at all | never | never |
//! | an answer that is not HTTP | never | never |
//!
//! The same operator's fresh credential has to come in time, and the body has to be there still ([`Payload::kept`]).
//!
//! What the client repeats by itself, read in its source, is never a request that can have been executed: hyper-util takes
//! back only what no connection took from its queue (`retry_canceled_requests`, `TrySendError::Retryable` in
//! client/legacy/client.rs); reqwest 0.13 repeats after HTTP/2's `REFUSED_STREAM` and after a `GOAWAY` that leaves the
//! stream out (retry.rs; h2 gives that error to no other stream), which promise that it was not processed (RFC 9113 §8.7).

use std::{sync::atomic::Ordering, time::Duration};

use bytes::BytesMut;
use console_core::{
    session::{Authorization, NotSignedIn, Refusal},
    upstream::{Outcome, REFUSAL_BODY_LIMIT, Unreachable, UnreachableKind, judge, judge_forbidden},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, Method, Response, StatusCode, header, response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::{self, Instant};
use url::Url;

use crate::{
    admit,
    answer::{Body, BoxError},
    forward,
    gateway::{Shared, Trouble},
    jar::Epoch,
    operator::Operator,
    payload::Payload,
    unanswered::Unanswered,
    upload::Upload,
};

/// How long a request waits for a renewal of the session.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much of the answer to a write is waited for before it is passed on, in bytes.
const WRITE_ANSWER: usize = 64 * 1024;

/// A request that was admitted.
pub(crate) struct Request<'r> {
    pub(crate) method: &'r Method,
    pub(crate) url: &'r Url,
    /// As the page sent them.
    pub(crate) headers: &'r HeaderMap,
    /// Who asked; `None`: nobody was known yet.
    pub(crate) asked_by: Option<Operator>,
}

/// The admin, or something before it, answered.
pub(crate) struct Answered {
    pub(crate) outcome: Outcome,
    pub(crate) head: response::Parts,
    pub(crate) body: Body,
    /// Which jar its cookies belong to.
    pub(crate) epoch: Epoch,
}

/// It was not done; or that cannot be told.
#[derive(Debug, Clone)]
pub(crate) enum NotDone {
    /// Nobody is signed in (any more), and no renewal came in time. Surely nothing was done.
    Ended,
    /// A 401 that is not the gate's answered a write: it cannot be told.
    Unauthorized,
    /// No answer. Where it was `sent`, it cannot be told.
    NotReached { why: Unreachable, sent: bool },
    /// What was heard is no whole answer: it cannot be told.
    Unanswered(Unanswered),
    /// Another operator has signed in since it was asked. Surely nothing was done.
    AnotherOperator,
    /// The environment was locked before it was sent.
    Locked,
}

impl NotDone {
    /// A client's error on a way that was begun; `sent` says whether the request may have arrived.
    fn of(error: &reqwest::Error, sent: bool, shared: &Shared) -> Self {
        Unanswered::of(error).map_or_else(
            || Self::NotReached { why: Unreachable::from_error(error, shared.host()), sent },
            Self::Unanswered,
        )
    }

    /// Whether it is certain that nothing was done.
    pub(crate) fn surely(&self) -> bool {
        match self {
            Self::Unauthorized | Self::Unanswered(_) => false,
            Self::NotReached { sent, .. } => !sent,
            Self::Ended | Self::AnotherOperator | Self::Locked => true,
        }
    }
}

/// Sends `request`, and tells session and owner what was heard.
pub(crate) async fn exchange(
    request: Request<'_>,
    payload: &mut Payload,
    shared: &Shared,
) -> Result<Answered, NotDone> {
    let upload = Upload::new();
    let safe = admit::is_safe(request.method);
    let session = &shared.upstream.session;
    let mut asked_by = request.asked_by.clone();
    let (mut was_refused, mut has_broken) = (false, false);
    loop {
        let (authorization, operator) = authorized(upload.late(shared.first_byte()), shared).await?;
        if *asked_by.get_or_insert_with(|| operator.clone()) != operator {
            return Err(NotDone::AnotherOperator);
        }
        if !safe && shared.locked.load(Ordering::SeqCst) {
            return Err(NotDone::Locked);
        }
        let generation = authorization.generation;
        match send(&request, payload, &authorization, &upload, shared).await {
            Ok(answered) => {
                let refusal = match answered.outcome {
                    Outcome::GateRefused => Refusal::Gate,
                    Outcome::Unauthorized => Refusal::Unauthorized,
                    _ => {
                        tell(&answered.outcome, safe, &authorization, shared);
                        return Ok(answered);
                    }
                };
                session.refused(generation, refusal);
                if refusal == Refusal::Unauthorized && !safe {
                    return Err(NotDone::Unauthorized);
                }
                if was_refused || payload.kept().is_none() {
                    return Err(NotDone::Ended);
                }
                was_refused = true;
            }
            Err(NotDone::NotReached { why, sent: true })
                if why.kind == UnreachableKind::Broken && safe && !has_broken && payload.kept().is_some() =>
            {
                has_broken = true;
            }
            Err(not_done) => {
                if let NotDone::NotReached { why, .. } = &not_done {
                    shared.unreachable(generation, why);
                }
                return Err(not_done);
            }
        }
    }
}

/// A credential and whose it is. A renewal that is on its way is waited for.
async fn authorized(until: Instant, shared: &Shared) -> Result<(Authorization, Operator), NotDone> {
    let session = &shared.upstream.session;
    loop {
        let patience = PATIENCE.min(until.saturating_duration_since(Instant::now()));
        let authorization = session.authorization(patience).await.map_err(|error| match error {
            NotSignedIn::SignedOut | NotSignedIn::Renewing => NotDone::Ended,
            NotSignedIn::Unreachable(why) => NotDone::NotReached { why, sent: false },
        })?;
        let operator = Operator::of(session);
        // Somebody may have signed in between the two questions: then the answers do not belong together.
        if session.generation() == authorization.generation {
            return Ok((authorization, operator.unwrap_or_default()));
        }
    }
}

/// Sends it once, and judges the answer.
async fn send(
    request: &Request<'_>,
    payload: &mut Payload,
    authorization: &Authorization,
    upload: &Upload,
    shared: &Shared,
) -> Result<Answered, NotDone> {
    let Request { method, url, headers, .. } = *request;
    let (cookies, epoch) = shared.jar.cookies(url, authorization);
    let headers = forward::request_headers(method, headers, &shared.origin, url, authorization, cookies);
    let mut outgoing = shared.upstream.reach.admin(method).request(method.clone(), url.clone()).headers(headers);
    if let Some(body) = payload.outgoing(upload) {
        outgoing = outgoing.body(body);
    }
    let response: Response<reqwest::Body> = match upload.answered(outgoing.send(), shared.first_byte()).await {
        Some(Ok(response)) => response.into(),
        Some(Err(_)) if upload.broke() => return Err(NotDone::Unanswered(Unanswered::CutShort)),
        Some(Err(error)) => {
            // Whatever failed while connecting, a time-out too, came before the first byte of the request.
            return Err(NotDone::of(&error, !error.is_connect(), shared));
        }
        None => {
            let detail = format!("`{}` did not answer within {} s.", shared.host(), shared.first_byte().as_secs());
            return Err(NotDone::NotReached {
                why: Unreachable { kind: UnreachableKind::TimedOut, detail },
                sent: true,
            });
        }
    };
    if let Some(unanswered) = Unanswered::of_status(response.status()) {
        return Err(NotDone::Unanswered(unanswered));
    }
    if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && let Some(why) = Unreachable::from_status(response.status(), shared.host())
    {
        return Err(NotDone::NotReached { why, sent: false });
    }
    // What stands in front of an admin that is away answers in its place; the admin's own 503 is JSON.
    if let Some(why) = Unreachable::from_status(response.status(), shared.host())
        && !is_json(response.headers())
    {
        if admit::is_safe(method) {
            return Err(NotDone::NotReached { why, sent: true });
        }
        // To a write that is all the answer there is.
        shared.unreachable(authorization.generation, &why);
    } else {
        shared.reached();
    }
    let (head, body) = response.into_parts();
    let (outcome, body) = match judge(&shared.upstream.environment, method, url, head.status, &head.headers) {
        Outcome::Forbidden => read_forbidden(&head.headers, body).await,
        other if admit::is_safe(method) => (other, body.map_err(BoxError::from).boxed_unsync()),
        other => match read_whole(body, upload.late(shared.first_byte())).await {
            Ok(body) => (other, body),
            Err(_) if upload.broke() => return Err(NotDone::Unanswered(Unanswered::CutShort)),
            // A refusal is one, whatever became of its words. Who answers before a large upload has come often breaks off.
            Err(_) if other == Outcome::Answered && is_refusal(head.status) => {
                return Err(NotDone::Unanswered(Unanswered::BrokeOff(head.status)));
            }
            Err(error) => return Err(NotDone::of(&error, true, shared)),
        },
    };
    Ok(Answered { outcome, head, body, epoch })
}

fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// Tells session and owner of an answer that is no sign of an ended session.
fn tell(outcome: &Outcome, safe: bool, authorization: &Authorization, shared: &Shared) {
    match outcome {
        Outcome::NotAllowed => shared.upstream.session.refused(authorization.generation, Refusal::NotAllowed),
        Outcome::CrossOriginRejected | Outcome::SentElsewhere { .. } | Outcome::NotFoundAtBase => {
            shared.trouble(Trouble::Impaired(outcome.clone()));
        }
        // An action that the admin rejects stays rejected while its pages answer.
        _ if safe && shared.is_rejecting_actions() => {}
        _ => shared.trouble(Trouble::None),
    }
}

/// Reads the answer to a write, as far as it is short and comes in time. One that breaks while it is passed on would be no
/// answer at all: the page would hear of a broken connection, and nobody of the action.
async fn read_whole(body: reqwest::Body, until: Instant) -> Result<Body, reqwest::Error> {
    let mut beginning = BytesMut::new();
    let mut rest = body.into_data_stream();
    while beginning.len() < WRITE_ANSWER {
        match time::timeout_at(until, rest.next()).await {
            Ok(Some(chunk)) => beginning.extend_from_slice(&chunk?),
            Ok(None) | Err(_) => break,
        }
    }
    let whole = stream::iter([Ok(beginning.freeze())]).chain(rest.map_err(BoxError::from));
    Ok(BodyExt::boxed_unsync(StreamBody::new(whole.map_ok(Frame::data))))
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
