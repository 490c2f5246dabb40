//! One upstream `/events` stream for every consumer of an environment (DESIGN 5.8).
//!
//! The admin lists all jobs of all queues every five seconds for each client, so there is only ever one. Whatever
//! happens upstream, a consumer holds a 200 and gets comments: any other status would end an `EventSource` for good.
//! Events carry no ids and are full snapshots, so a new consumer gets the last of each name at once.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use console_core::{
    session::{Generation, Refusal},
    upstream::{Outcome, Unreachable, judge},
};
use futures_util::{Stream, StreamExt, stream};
use http::{Method, header};
use sse_stream::{Sse, SseByteStream};
use tokio::{sync::broadcast, time};
use url::Url;

use crate::gateway::{Shared, Trouble};

/// A comment is sent when nothing else was for this long: proxies and webviews drop silent connections.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// The admin sends a round every five seconds; a stream that is silent for this long is dead.
const SILENCE: Duration = Duration::from_secs(45);
/// Waits between attempts: doubled from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

const GREETING: Bytes = Bytes::from_static(b"retry: 1000\n: the console holds this stream\n\n");
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// What consumers hear.
#[derive(Debug, Clone)]
enum Message {
    Event(Bytes),
    Cut,
}

struct Inner {
    /// The last event of each name, encoded.
    last: BTreeMap<String, Bytes>,
    running: bool,
}

/// The shared stream.
pub(crate) struct EventHub {
    inner: Mutex<Inner>,
    messages: broadcast::Sender<Message>,
}

impl EventHub {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner { last: BTreeMap::new(), running: false }),
            messages: broadcast::Sender::new(256),
        }
    }

    /// Ends every consumer's stream and forgets the last events: a sign-out, or another operator.
    pub(crate) fn cut(&self) {
        self.inner().last.clear();
        // Nobody listening is fine.
        let _ = self.messages.send(Message::Cut);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, event: &Sse) {
        let Ok(encoded) = event.clone().encode() else { return };
        let mut inner = self.inner();
        if let Some(name) = &event.event {
            inner.last.insert(name.clone(), encoded.clone());
        }
        let _ = self.messages.send(Message::Event(encoded));
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
        tokio::spawn(run(shared.clone()));
    }
    let live = stream::unfold(messages, |mut messages| async move {
        loop {
            match time::timeout(COMMENT_EVERY, messages.recv()).await {
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

/// Keeps one upstream stream as long as there are consumers.
async fn run(shared: Arc<Shared>) {
    let mut wait = BACK_OFF.0;
    let mut sessions = shared.upstream.session.subscribe();
    let mut closed = shared.closed.subscribe();
    loop {
        {
            // Under the lock, so that a consumer who subscribes now either is counted or starts a new run.
            let mut inner = shared.events.inner();
            if shared.events.messages.receiver_count() == 0 || *closed.borrow() {
                inner.running = false;
                return;
            }
        }
        // Before it is asked: a change in between is not missed.
        sessions.mark_unchanged();
        let Ok(authorization) = shared.upstream.session.authorize() else {
            tokio::select! {
                _ = sessions.changed() => {}
                _ = closed.wait_for(|closed| *closed) => {}
                () = consumers_gone(&shared) => {}
            }
            continue;
        };
        let generation = authorization.generation;
        let heard = tokio::select! {
            heard = follow(&shared, authorization) => heard,
            () = generation_over(&shared, generation) => true,
            _ = closed.wait_for(|closed| *closed) => true,
            () = consumers_gone(&shared) => true,
        };
        if heard {
            wait = BACK_OFF.0;
        } else {
            wait = (wait * 2).min(BACK_OFF.1);
        }
        tokio::select! {
            () = time::sleep(wait) => {}
            _ = closed.wait_for(|closed| *closed) => {}
            () = shared.try_now.notified() => {}
        }
    }
}

/// Follows one upstream stream to its end; whether it gave any event.
async fn follow(shared: &Arc<Shared>, authorization: console_core::session::Authorization) -> bool {
    let environment = &shared.upstream.environment;
    let url: Url = environment.base_url.join("/events");
    let generation = authorization.generation;
    // The jar's cookies go along (a session may be one of them); what the stream sets is never kept.
    let (cookies, _) = shared.jar.cookies(&url, &authorization);
    let mut request = shared
        .upstream
        .reach
        .admin()
        .get(url.clone())
        .header(header::ACCEPT, "text/event-stream")
        .header(header::CACHE_CONTROL, "no-store");
    for (name, value) in &authorization.headers {
        request = request.header(name, value);
    }
    if let Some(cookies) = cookies {
        request = request.header(header::COOKIE, cookies);
    }
    let response = match time::timeout(SILENCE, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            shared.unreachable(generation, &Unreachable::from_error(&error, shared.host()));
            return false;
        }
        Err(_) => return false,
    };
    shared.reached();
    match judge(environment, &Method::GET, &url, response.status(), response.headers()) {
        Outcome::GateRefused => {
            shared.upstream.session.refused(generation, Refusal::Gate);
            return false;
        }
        Outcome::Unauthorized => {
            shared.upstream.session.refused(generation, Refusal::Unauthorized);
            return false;
        }
        _ if !response.status().is_success() => return false,
        _ => {}
    }
    let mut events = SseByteStream::new(response.bytes_stream());
    let mut heard = false;
    while let Ok(Some(Ok(event))) = time::timeout(SILENCE, events.next()).await {
        if shared.upstream.session.generation() != generation {
            break;
        }
        if event.is_event() || event.data.is_some() {
            heard = true;
            shared.trouble(Trouble::None);
            shared.events.publish(&event);
        }
    }
    heard
}

async fn generation_over(shared: &Arc<Shared>, generation: Generation) {
    let mut sessions = shared.upstream.session.subscribe();
    loop {
        sessions.mark_unchanged();
        // Whatever the operator does meanwhile: a credential in use goes on.
        if !shared.upstream.session.authorize().is_ok_and(|now| now.generation == generation) {
            return;
        }
        if sessions.changed().await.is_err() {
            return;
        }
    }
}

/// Consumers leave without a word: hyper drops their streams when a write fails.
async fn consumers_gone(shared: &Arc<Shared>) {
    let mut look = time::interval(Duration::from_secs(1));
    loop {
        look.tick().await;
        if shared.events.messages.receiver_count() == 0 {
            return;
        }
    }
}
