//! How is an upstream stream opened, and what is heard on it?

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use console_core::{
    session::{Authorization, Generation, Refusal},
    upstream::{Outcome, Unreachable, judge},
};
use futures_util::{Stream, StreamExt};
use http::{HeaderValue, Method, header};
use sse_stream::{Sse, SseByteStream};
use tokio::{sync::watch, time::Instant};

use super::Epoch;
use crate::{
    gateway::{Shared, Trouble},
    own,
};

/// The largest event, in bytes. Until an event has ended it has to be held, whatever comes. `AsyncMQ` 0.10's largest have 110
/// bytes for each queue and 120 for each worker: room for 8,000 of them.
const LARGEST_EVENT: usize = 1024 * 1024;
const LAST_EVENT_ID: &str = "last-event-id";

/// Why a stream was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// What happened has been told: there is no way to the admin, or it answered, and not with a stream.
    Told,
    /// The connection broke, or something in between answered in the admin's place. Is it only the stream?
    Doubtful,
}

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("an event has more than {LARGEST_EVENT} bytes")]
    TooLong,
}

/// What is heard on a stream.
pub(super) enum Heard {
    /// Something: an event, a part of one, a comment.
    Bytes,
    /// A whole event.
    Event(Sse),
    /// Nothing any more.
    End {
        /// An event was too long to be held.
        too_long: bool,
    },
}

/// What passes, before it is read as events.
struct Meter {
    /// Changes with every chunk.
    bytes: watch::Sender<()>,
    /// Since the last whole event, in bytes.
    pending: AtomicUsize,
}

impl Meter {
    fn pass(&self, chunk: Result<Bytes, reqwest::Error>) -> Result<Bytes, Broken> {
        let chunk = chunk?;
        self.bytes.send_replace(());
        let pending = self.pending.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
        if ends_with_blank_line(&chunk) {
            // Comments only, perhaps: nothing is held for them.
            self.pending.store(0, Ordering::Relaxed);
        }
        if pending > LARGEST_EVENT { Err(Broken::TooLong) } else { Ok(chunk) }
    }
}

fn ends_with_blank_line(chunk: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\r", b"\n\r\n"].iter().any(|end| chunk.ends_with(end))
}

/// An open upstream stream. Dropped, its connection ends.
pub(super) struct Upstream {
    pub(super) generation: Generation,
    pub(super) epoch: Epoch,
    pub(super) since: Instant,
    events: Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>,
    meter: Arc<Meter>,
    bytes: watch::Receiver<()>,
}

impl Upstream {
    /// What comes next. Nothing is lost when it is not awaited to its end.
    pub(super) async fn hear(&mut self) -> Heard {
        tokio::select! {
            biased;
            Ok(()) = self.bytes.changed() => Heard::Bytes,
            event = self.events.next() => match event {
                Some(Ok(event)) => {
                    self.meter.pending.store(0, Ordering::Relaxed);
                    Heard::Event(event)
                }
                Some(Err(error)) => {
                    let too_long = matches!(&error, sse_stream::Error::Body(cause) if matches!(cause.downcast_ref(), Some(Broken::TooLong)));
                    tracing::warn!(%error, "the live stream broke off");
                    Heard::End { too_long }
                }
                None => Heard::End { too_long: false },
            },
        }
    }
}

/// Opens a stream for the operator of `epoch`, and tells the session what the admin made of the credential.
pub(super) async fn open(
    shared: Arc<Shared>,
    epoch: Epoch,
    authorization: Authorization,
) -> Result<Upstream, NotOpened> {
    let generation = authorization.generation;
    let (url, mut request) = own::request(&shared, "/events", &authorization);
    request = request.header(header::ACCEPT, "text/event-stream");
    if let Some(id) = shared.events.last_id().and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok()) {
        request = request.header(LAST_EVENT_ID, id);
    }
    let session = &shared.upstream.session;
    let response = request.send().await.map_err(|error| {
        let why = Unreachable::from_error(&error, shared.host());
        tracing::debug!(%why, "the live stream was not opened");
        if error.is_connect() {
            // No name, no connection, no TLS: that has nothing to do with what was asked.
            session.unreachable(generation, &why);
            return NotOpened::Told;
        }
        NotOpened::Doubtful
    })?;
    if Unreachable::from_status(response.status(), shared.host()).is_some() {
        return Err(NotOpened::Doubtful);
    }
    shared.reached();
    match judge(&shared.upstream.environment, &Method::GET, &url, response.status(), response.headers()) {
        Outcome::GateRefused => session.refused(generation, Refusal::Gate),
        Outcome::Unauthorized => session.refused(generation, Refusal::Unauthorized),
        elsewhere @ Outcome::SentElsewhere { .. } => shared.trouble(Trouble::Impaired(elsewhere)),
        // Whatever has another form (a page that a hotel's network shows) is no stream.
        _ if response.status().is_success() && is_event_stream(response.headers()) => {
            // An action that the admin rejects stays rejected while its streams answer.
            if !shared.is_rejecting_actions() {
                shared.trouble(Trouble::None);
            }
            let meter = Arc::new(Meter { bytes: watch::Sender::new(()), pending: AtomicUsize::new(0) });
            let (bytes, passing) = (meter.bytes.subscribe(), meter.clone());
            let events = SseByteStream::new(response.bytes_stream().map(move |chunk| passing.pass(chunk)));
            return Ok(Upstream { generation, epoch, since: Instant::now(), events: Box::pin(events), meter, bytes });
        }
        _ => {}
    }
    Err(NotOpened::Told)
}

fn is_event_stream(headers: &http::HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
