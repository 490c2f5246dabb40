//! One upstream `/events` stream for every consumer of an environment (DESIGN 5.8).
//!
//! The admin lists all jobs of all queues every five seconds for each client, so there is only ever one (two for the moment
//! in which one takes the place of the other). Whatever happens upstream, a consumer holds a 200 and gets comments: any
//! other status would end an `EventSource` for good. Events are full snapshots, so a new consumer gets the last of each name
//! at once. What is kept of them is bounded (`recent.rs`), and so is what is read of one that has not ended (`open.rs`).

mod follow;
mod open;
mod recent;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use recent::Recent;
use sse_stream::Sse;
use tokio::{sync::watch, time};

use crate::gateway::Shared;

const GREETING: Bytes = Bytes::from_static(b"retry: 1000\n: the console holds this stream\n\n");
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// The longest id of an event that is sent back to the upstream, in bytes. Servers take 4 to 8 KiB of header.
const LONGEST_ID: usize = 1024;

/// Counts the operators: what was heard for one is never told to the next.
type Epoch = u64;

struct Inner {
    recent: Recent,
    /// What the upstream calls the newest event, where it does; `AsyncMQ` does not.
    last_id: Option<String>,
    running: bool,
}

/// The shared stream.
pub(crate) struct EventHub {
    inner: Mutex<Inner>,
    /// Changed under the lock of `inner`.
    epoch: watch::Sender<Epoch>,
    /// Changes with every event and with a cut. Each consumer has a receiver, and nobody else.
    news: watch::Sender<()>,
}

impl EventHub {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner { recent: Recent::default(), last_id: None, running: false }),
            epoch: watch::Sender::new(0),
            news: watch::Sender::new(()),
        }
    }

    /// Ends every consumer's stream and the upstream's, and forgets the last events: a sign-out, or another operator.
    pub(crate) fn cut(&self) {
        let mut inner = self.inner();
        inner.recent = Recent::default();
        inner.last_id = None;
        self.epoch.send_modify(|epoch| *epoch += 1);
        self.news.send_replace(());
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
            inner.last_id = Some(id.clone()).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        }
        if event.data.is_none() {
            return;
        }
        let name = event.event.clone();
        let Ok(encoded) = (Sse { retry: None, ..event }).encode() else { return };
        inner.recent.keep(name, encoded);
        self.news.send_replace(());
    }

    /// Whether anybody listens. `false` ends the run: under the lock, so that a consumer who subscribes now either is counted
    /// or starts a new one.
    fn goes_on(&self) -> bool {
        let mut inner = self.inner();
        inner.running = self.news.receiver_count() > 0;
        inner.running
    }
}

/// A consumer's stream: the last events, then each new one, and comments in between. It ends with the operator.
pub(crate) fn subscribe(shared: &Arc<Shared>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let (news, epoch, place, start) = {
        let mut inner = shared.events.inner();
        let start = !inner.running;
        inner.running = true;
        (shared.events.news.subscribe(), *shared.events.epoch.borrow(), inner.recent.place(), start)
    };
    if start {
        tokio::spawn(follow::run(shared.clone()));
    }
    let shared = shared.clone();
    let live = stream::unfold((news, place), move |(mut news, mut place)| {
        let shared = shared.clone();
        async move {
            loop {
                // Before it is looked: what comes in between is not missed.
                news.mark_unchanged();
                {
                    let inner = shared.events.inner();
                    if *shared.events.epoch.borrow() != epoch {
                        return None;
                    }
                    if let Some(event) = inner.recent.next(&mut place) {
                        return Some((event, (news, place)));
                    }
                }
                if time::timeout(shared.pace.comment_every, news.changed()).await.is_err() {
                    return Some((COMMENT, (news, place)));
                }
            }
        }
    });
    stream::once(async { GREETING }).chain(live).map(Ok)
}
