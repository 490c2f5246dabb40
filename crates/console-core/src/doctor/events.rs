//! Do live events pass whatever stands in front of the admin, one after the other and at once?
//!
//! AsyncMQ sends a round of events every five seconds (`asyncmq/contrib/dashboard/controllers/sse.py`). Something that holds
//! answers back until it has enough of them delivers nothing for long, and then much.

use std::time::Duration;

use http::{Method, header};
use reqwest::Response;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    examination::{Examination, advice_for},
    step::Found,
};
use crate::{
    sign_in::shown,
    upstream::{Outcome, Unreachable, judge},
};

/// For the head, and for the first event after it: one round and two seconds.
const FIRST: Duration = Duration::from_secs(7);
/// For the next round after the first event, which comes five seconds later where nothing collects events.
const NEXT: Duration = Duration::from_secs(9);
/// What comes sooner after the first event belongs to the same round.
const SAME_ROUND: Duration = Duration::from_secs(2);

const HELD_BACK: &str = "Have buffering switched off there: `proxy_buffering off` in nginx, or the header \
                         `X-Accel-Buffering: no`, and no compression of `text/event-stream`.";

/// Live events.
pub(super) async fn live(examination: &Examination<'_>) -> Found {
    let environment = &examination.subject.environment;
    let reach = &examination.subject.reach;
    let url = environment.base_url.join("/events");
    let request = match examination.authorization() {
        Some(authorization) => reach.authorized(Method::GET, url.clone(), &authorization),
        None => reach.request(Method::GET, url.clone()),
    };
    let host = url.host_str().unwrap_or_default();
    let begun = Instant::now();
    let request = request.header(header::ACCEPT, "text/event-stream");
    let response = match timeout(FIRST, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let why = Unreachable::from_error(&error, host);
            return Found::failed(why.detail.clone(), advice_for(&why));
        }
        Err(_) => return nothing(),
    };
    let (status, headers) = (response.status(), response.headers());
    if judge(environment, &Method::GET, &url, status, headers) != Outcome::Answered || !status.is_success() {
        let finding = format!("Live events are answered with {}.", status.as_u16());
        return Found::failed(finding, "Find out whether something in front of the admin lets `/events` pass.");
    }
    let kind = super::admin::text(headers, header::CONTENT_TYPE).unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        let finding = format!("Something answers with `{}` in the place of live events.", shown(kind));
        return Found::failed(finding, "Find out whether something in front of the admin lets `/events` pass.");
    }
    rounds(response, begun, host).await
}

async fn rounds(mut response: Response, begun: Instant, host: &str) -> Found {
    let broke = |error: reqwest::Error| {
        let why = Unreachable::from_error(&error, host);
        Found::failed(format!("The stream of live events broke. {}", why.detail), advice_for(&why))
    };
    let ended = || {
        Found::failed(
            "The stream of live events ended at once.",
            "Find out what in front of the admin ends long answers.",
        )
    };
    match timeout(FIRST, response.chunk()).await {
        Ok(Ok(Some(_))) => {}
        Ok(Ok(None)) => return ended(),
        Ok(Err(error)) => return broke(error),
        Err(_) => return nothing(),
    }
    let first = Instant::now();
    loop {
        match timeout_at(first + NEXT, response.chunk()).await {
            Ok(Ok(Some(_))) if first.elapsed() < SAME_ROUND => {}
            Ok(Ok(Some(_))) => {
                let after = first.duration_since(begun).as_secs_f64();
                return Found::well(format!(
                    "The first came after {after:.1} s, the next round {:.1} s later.",
                    first.elapsed().as_secs_f64()
                ));
            }
            Ok(Ok(None)) => return ended(),
            Ok(Err(error)) => return broke(error),
            Err(_) => {
                let finding = format!(
                    "After the first events nothing came for {} s: something in front of the admin holds them back.",
                    NEXT.as_secs()
                );
                return Found::failed(finding, HELD_BACK);
            }
        }
    }
}

fn nothing() -> Found {
    let finding = format!(
        "No live event came within {} s: something in front of the admin holds them back, or the admin is too busy.",
        FIRST.as_secs()
    );
    Found::failed(finding, HELD_BACK)
}
