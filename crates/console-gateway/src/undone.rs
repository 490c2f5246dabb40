//! What becomes of a request that was not done? A write is held where that is safe, and said where it is not.

use std::sync::atomic::Ordering;

use http::{Method, header, request::Parts};

use crate::{
    admit,
    answer::{Answer, Because},
    exchange::NotDone,
    gateway::{GatewayEvent, Shared},
    held::Write,
    operator::Operator,
    payload::Payload,
    resolve::Target,
    route,
};

/// The answer to the page.
pub(crate) fn answer(
    not_done: &NotDone,
    parts: &Parts,
    target: &Target,
    payload: &Payload,
    asked_by: Option<&Operator>,
    shared: &Shared,
) -> Answer {
    if !admit::is_safe(&parts.method) {
        if let Some(because) = because(not_done)
            && let (Some(body), Some(operator)) = (payload.kept(), asked_by)
            && is_still_here(operator, shared)
        {
            let perhaps_done = matches!(because, Because::PerhapsDone);
            let prefix = shared.upstream.environment.base_url.prefix();
            let write = Write::of(&parts.method, target, &parts.headers, body.clone(), operator.clone(), prefix);
            if let Some(name) = shared.held.hold(write, shared.upstream.session.now(), perhaps_done) {
                tracing::info!(name, "an action is held");
                shared.report(GatewayEvent::Held);
                return Answer::Held { because };
            }
        }
        shared.report(match not_done {
            NotDone::Locked => GatewayEvent::WriteLocked,
            other => GatewayEvent::WriteNotDone { surely: other.surely() },
        });
    }
    match not_done {
        NotDone::Ended | NotDone::AnotherOperator => Answer::NotSignedIn,
        NotDone::Unauthorized => Answer::PerhapsDone,
        NotDone::Locked => Answer::Locked,
        NotDone::NotReached { why, sent } => {
            let failures = shared.failures.load(Ordering::Relaxed).clamp(1, 5);
            Answer::Unreachable { why: why.clone(), sent: *sent, retry_after: (1_u32 << failures).min(30) }
        }
        NotDone::Unanswered(unanswered) => Answer::Unanswered(*unanswered),
    }
}

/// Why a write that was not done may be held; `None`: it may not. What broke after it was sent is never held, because it
/// would be offered without an answer to whether it was done; what another operator asked for is dropped.
fn because(not_done: &NotDone) -> Option<Because> {
    match not_done {
        NotDone::Ended => Some(Because::Ended),
        NotDone::Unauthorized => Some(Because::PerhapsDone),
        NotDone::NotReached { why, sent: false } => Some(Because::Unreachable(why.clone())),
        NotDone::NotReached { sent: true, .. }
        | NotDone::Unanswered(_)
        | NotDone::AnotherOperator
        | NotDone::Locked => None,
    }
}

/// A write may outlive its page. After a sign-out, or when the dashboard was closed, nobody would see it among the held.
fn is_still_here(operator: &Operator, shared: &Shared) -> bool {
    !*shared.closed.borrow() && Operator::of(&shared.upstream.session).as_ref() == Some(operator)
}

/// Where to lead back to after the sign-in: the page that was asked for, or the one that a form was on, because an answer
/// of the gateway's own takes its place and does not go on by itself.
pub(crate) fn remember_page(parts: &Parts, shared: &Shared) {
    if !route::is_document(&parts.headers) {
        return;
    }
    if parts.method == Method::GET {
        if let Some(path) = parts.uri.path_and_query() {
            shared.interrupted.lost(path.as_str());
        }
        return;
    }
    let referer = parts.headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    if let Some(path) = referer.and_then(|referer| referer.strip_prefix(&shared.origin.text))
        && path.starts_with('/')
    {
        shared.interrupted.lost(path);
    }
}
