//! Is an unreachable admin back? Asked by the gateway itself, so that it comes back with no page that asks for anything.
//!
//! The one place that tries while the session is unreachable; the live stream (`events/`) waits for what is found here.

use std::{future::pending, sync::Arc};

use console_core::{
    session::{Refusal, SessionState},
    upstream::{Outcome, Unreachable, UnreachableKind, judge},
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use http::Method;
use tokio::time::{self, Instant};

use crate::{
    gateway::{Shared, Trouble},
    own,
    pace::{BackOff, chance},
};

/// Answered without a look at the backend, and by the gate first (`asyncmq/contrib/dashboard/controllers/health.py`).
const QUESTION: &str = "/health";
/// Questions that may be under way at the same time: each waits for [`crate::Pace::patience`], and the next one does not
/// wait for it. A packet that was lost in the outage must not hold up the recovery.
const MOST_QUESTIONS: usize = 8;

/// Asks, until the gateway is closed, whenever the session is unreachable or somebody doubts.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let mut sessions = shared.upstream.session.subscribe();
    let mut closed = shared.closed.subscribe();
    let mut try_now = shared.try_now.subscribe();
    let mut doubts = shared.doubts.subscribe();
    let mut questions: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
    let mut back_off = BackOff::new(&shared.pace);
    let mut next: Option<Instant> = None;
    loop {
        sessions.mark_unchanged();
        if is_out(&shared) {
            next.get_or_insert_with(|| Instant::now() + back_off.wait(&shared.pace, Instant::now(), chance()));
        } else if next.take().is_some() {
            // What is still under way is of before, and would be late news.
            questions.clear();
            back_off.reset(&shared.pace);
        }
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            changed = sessions.changed() => if changed.is_err() { return },
            () = until(next) => {
                next = None;
                ask(&shared, &mut questions);
            }
            _ = try_now.changed() => if is_out(&shared) {
                back_off.reset(&shared.pace);
                next = None;
                ask(&shared, &mut questions);
            },
            _ = doubts.changed() => ask(&shared, &mut questions),
            Some(()) = questions.next() => {}
        }
    }
}

/// Whether the way is what is missing, and not the credential.
fn is_out(shared: &Shared) -> bool {
    let session = &shared.upstream.session;
    matches!(session.state(), SessionState::Unreachable { .. }) && session.authorize().is_ok()
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => time::sleep_until(moment).await,
        None => pending().await,
    }
}

fn ask(shared: &Arc<Shared>, questions: &mut FuturesUnordered<BoxFuture<'static, ()>>) {
    if questions.len() < MOST_QUESTIONS {
        questions.push(Box::pin(question(shared.clone())));
    }
}

/// Asks once, and tells the session what it heard.
async fn question(shared: Arc<Shared>) {
    let session = &shared.upstream.session;
    let Ok(authorization) = session.authorize() else { return };
    let (generation, answers) = (authorization.generation, shared.answers());
    let (url, request) = own::request(&shared, QUESTION, &authorization);
    let host = shared.host();
    // Not counted as a page's failure: how long a page waits is not the business of these questions.
    let not_reached = |why: Unreachable| {
        if shared.answers() == answers {
            session.unreachable(generation, &why);
        }
    };
    let response = match time::timeout(shared.pace.patience, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return not_reached(Unreachable::from_error(&error, host)),
        Err(_) => {
            // Whatever connection it was sent on, the next question takes another.
            shared.upstream.reach.reconnect();
            let detail = format!("`{host}` did not answer in time.");
            return not_reached(Unreachable { kind: UnreachableKind::TimedOut, detail });
        }
    };
    if let Some(why) = Unreachable::from_status(response.status(), host) {
        return not_reached(why);
    }
    shared.reached();
    match judge(&shared.upstream.environment, &Method::GET, &url, response.status(), response.headers()) {
        Outcome::GateRefused => session.refused(generation, Refusal::Gate),
        Outcome::Unauthorized => session.refused(generation, Refusal::Unauthorized),
        elsewhere @ Outcome::SentElsewhere { .. } => shared.trouble(Trouble::Impaired(elsewhere)),
        _ => {}
    }
}
