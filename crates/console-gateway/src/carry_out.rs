//! How is a held write carried out? Once, by the operator who asked for it, with the credential of now.

use std::sync::Arc;

use bytes::Bytes;
use console_core::upstream::Outcome;
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use url::Url;

use crate::{
    exchange::{self, Answered, NotDone},
    gateway::{GatewayEvent, Shared},
    held::{CarriedOut, HeldError, HeldId, Settled, Write},
    payload::Payload,
    resolve, route,
};

/// How much of an error's text is read, in bytes, and how much of it is said, in characters.
const READ: usize = 16 * 1024;
const SAID: usize = 200;

/// Sends the write that `id` names. Once it was taken up it runs to its end, whoever waits for it.
pub(crate) async fn carry_out(id: HeldId, shared: Arc<Shared>) -> Result<CarriedOut, HeldError> {
    let write = shared.held.take_up(id)?;
    let taken_up = TakenUp { id, shared: shared.clone(), is_settled: false };
    shared.report(GatewayEvent::Held);
    let name = write.action.name.clone();
    let task = tokio::spawn(async move {
        let result = send(&write, &shared).await;
        let left = settled(&result);
        let is_held = taken_up.settle(left);
        if left == Settled::Held && !is_held { Err(HeldError::Gone) } else { result }
    });
    task.await.unwrap_or(Err(HeldError::Interrupted { name }))
}

/// A write that was taken up is settled however its task ends. Where that was not said, nobody knows what was done.
struct TakenUp {
    id: HeldId,
    shared: Arc<Shared>,
    is_settled: bool,
}

impl TakenUp {
    /// Whether it is still held.
    fn settle(mut self, left: Settled) -> bool {
        self.is_settled = true;
        self.shared.held.settle(self.id, left)
    }
}

impl Drop for TakenUp {
    fn drop(&mut self) {
        if !self.is_settled {
            self.shared.held.settle(self.id, Settled::PerhapsDone);
        }
        self.shared.report(GatewayEvent::Held);
    }
}

/// What a result leaves behind.
fn settled(result: &Result<CarriedOut, HeldError>) -> Settled {
    match result {
        Ok(_) | Err(HeldError::Gone | HeldError::AnotherOperator { .. } | HeldError::Unknown { .. }) => Settled::Gone,
        Err(HeldError::Unauthorized { .. } | HeldError::Interrupted { .. }) => Settled::PerhapsDone,
        Err(
            HeldError::UnderWay
            | HeldError::Locked
            | HeldError::NotSignedIn
            | HeldError::Unreachable(_)
            | HeldError::Rejected(_),
        ) => Settled::Held,
    }
}

async fn send(write: &Write, shared: &Shared) -> Result<CarriedOut, HeldError> {
    let name = write.action.name.clone();
    let request = exchange::Request {
        method: &write.method,
        url: &write.target.url,
        headers: &write.headers,
        asked_by: Some(write.operator.clone()),
    };
    let mut payload = Payload::whole(write.body.clone());
    let answered = match exchange::exchange(request, &mut payload, shared).await {
        Ok(answered) => answered,
        Err(NotDone::Ended) => return Err(HeldError::NotSignedIn),
        Err(NotDone::Unauthorized) => return Err(HeldError::Unauthorized { name }),
        Err(NotDone::NotReached { why, sent: false }) => return Err(HeldError::Unreachable(why)),
        Err(NotDone::NotReached { sent: true, .. } | NotDone::Unanswered(_)) => {
            return Err(HeldError::Unknown { name });
        }
        Err(NotDone::Locked) => return Err(HeldError::Locked),
        Err(NotDone::AnotherOperator) => return Err(HeldError::AnotherOperator { name }),
    };
    let Answered { outcome, mut head, body, epoch } = answered;
    if matches!(outcome, Outcome::NotAllowed | Outcome::CrossOriginRejected) {
        return Err(HeldError::Rejected(outcome));
    }
    // The flash message is for the page that `go_to` leads to.
    shared.jar.keep(epoch, &write.target.url, &head.headers);
    shared.rewriter.response_headers(&mut head.headers);
    let went_elsewhere = matches!(outcome, Outcome::SentElsewhere { .. });
    let ok = (head.status.is_success() || head.status.is_redirection()) && !went_elsewhere;
    let said = if ok { None } else { said(&head.headers, body).await };
    let go_to = go_to(head.status, &head.headers, &write.target.url, shared).filter(|_| ok);
    Ok(CarriedOut { name, status: head.status.as_u16(), ok, go_to, said })
}

/// Where a redirect leads, when that is a page inside the realm. AsyncMQ 0.6 leads to a path above its prefix.
fn go_to(status: StatusCode, headers: &HeaderMap, from: &Url, shared: &Shared) -> Option<String> {
    if !status.is_redirection() {
        return None;
    }
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    let origin = Url::parse(&shared.origin.text).ok()?;
    let url = origin.join(from.path()).ok()?.join(location).ok()?;
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let uri: Uri = path.parse().ok()?;
    let environment = &shared.upstream.environment;
    let target = resolve::resolve(&environment.base_url, &uri).ok()?;
    let is_page = url.origin() == origin.origin() && route::native(environment, &target.decoded_path).is_none();
    is_page.then(|| route::on_this_host(&path))
}

/// The error of a JSON answer, or the first line of a plain one.
async fn said(headers: &HeaderMap, body: crate::answer::Body) -> Option<String> {
    let media = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    if headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let mut text = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        let piece: Bytes = piece;
        text.extend_from_slice(&piece);
        if text.len() > READ {
            return None;
        }
    }
    let line = if media.starts_with("application/json") {
        let answer: Value = serde_json::from_slice(&text).ok()?;
        ["error", "detail", "message"].iter().find_map(|key| answer.get(*key)?.as_str().map(str::to_owned))?
    } else if media.starts_with("text/plain") {
        String::from_utf8_lossy(&text).trim().lines().next()?.to_owned()
    } else {
        return None;
    };
    let line: String = line.chars().filter(|c| !c.is_control()).take(SAID).collect();
    Some(line).filter(|line| !line.is_empty())
}
