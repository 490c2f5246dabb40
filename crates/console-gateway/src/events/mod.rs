//! One upstream `/events` stream for every consumer of an environment (DESIGN 5.8).
//!
//! The admin lists all jobs of all queues every five seconds for each client, so there is only ever one (two for the moment
//! in which one takes the place of the other). Whatever happens upstream, a consumer holds a 200 and gets comments: any
//! other status would end an `EventSource` for good. Events are full snapshots, so a new consumer gets the last of each name
//! at once.

mod follow;
mod open;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use sse_stream::Sse;
use tokio::{
    sync::{broadcast, watch},
    time,
};

use crate::gateway::Shared;

const GREETING: Bytes = Bytes::from_static(b"retry: 1000\n: the console holds this stream\n\n");
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// Names whose last event is kept. `AsyncMQ` has seven.
const MOST_NAMES: usize = 64;

/// What consumers hear.
#[derive(Debug, Clone)]
enum Message {
    Event(Bytes),
    Cut,
}

/// Counts the operators: what was heard for one is never told to the next.
type Epoch = u64;

struct Inner {
    /// The last event of each name, encoded.
    last: BTreeMap<String, Bytes>,
    /// What the upstream calls the newest event, where it does; `AsyncMQ` does not.
    last_id: Option<String>,
    running: bool,
}

/// The shared stream.
pub(crate) struct EventHub {
    inner: Mutex<Inner>,
    /// Changed under the lock of `inner`.
    epoch: watch::Sender<Epoch>,
    messages: broadcast::Sender<Message>,
}

impl EventHub {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner { last: BTreeMap::new(), last_id: None, running: false }),
            epoch: watch::Sender::new(0),
            messages: broadcast::Sender::new(64),
        }
    }

    /// Ends every consumer's stream and the upstream's, and forgets the last events: a sign-out, or another operator.
    pub(crate) fn cut(&self) {
        let mut inner = self.inner();
        inner.last.clear();
        inner.last_id = None;
        self.epoch.send_modify(|epoch| *epoch += 1);
        // Nobody listening is fine.
        let _ = self.messages.send(Message::Cut);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a stream that is opened now begins after (`Last-Event-ID`).
    fn last_id(&self) -> Option<String> {
        self.inner().last_id.clone()
    }

    /// Tells the consumers what a stream of `epoch` brought. When to reconnect (`retry`) is between us and the upstream; a
    /// page that has to connect to us again finds us at once.
    fn publish(&self, epoch: Epoch, event: Sse) {
        let mut inner = self.inner();
        if *self.epoch.borrow() != epoch {
            return;
        }
        if let Some(id) = &event.id {
            inner.last_id = Some(id.clone()).filter(|id| !id.is_empty());
        }
        if event.data.is_none() {
            return;
        }
        let name = event.event.clone();
        let Ok(encoded) = (Sse { retry: None, ..event }).encode() else { return };
        if let Some(name) = name
            && (inner.last.len() < MOST_NAMES || inner.last.contains_key(&name))
        {
            inner.last.insert(name, encoded.clone());
        }
        let _ = self.messages.send(Message::Event(encoded));
    }

    /// Whether anybody listens. `false` ends the run: under the lock, so that a consumer who subscribes now either is counted
    /// or starts a new one.
    fn goes_on(&self) -> bool {
        let mut inner = self.inner();
        inner.running = self.messages.receiver_count() > 0;
        inner.running
    }
}

/// A consumer's stream: the last events, then each new one, and comments in between.
pub(crate) fn subscribe(shared: &Arc<Shared>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let (replay, messages, start) = {
        let mut inner = shared.events.inner();
        let start = !inner.running;
        inner.running = true;
        (inner.last.values().cloned().collect::<Vec<_>>(), shared.events.messages.subscribe(), start)
    };
    if start {
        tokio::spawn(follow::run(shared.clone()));
    }
    let comment_every = shared.pace.comment_every;
    let live = stream::unfold(messages, move |mut messages| async move {
        loop {
            match time::timeout(comment_every, messages.recv()).await {
                Err(_silent) => return Some((COMMENT, messages)),
                Ok(Ok(Message::Event(event))) => return Some((event, messages)),
                // A slow page missed some; each event is a full snapshot, so the next round heals it.
                Ok(Err(broadcast::error::RecvError::Lagged(_))) => {}
                Ok(Ok(Message::Cut) | Err(broadcast::error::RecvError::Closed)) => return None,
            }
        }
    });
    stream::once(async { GREETING }).chain(stream::iter(replay)).chain(live).map(Ok)
}
