//! What does a page's `EventSource` hear, and when?

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder, header};
use sse_stream::SseByteStream;
use tokio::task::JoinHandle;

/// What one round of the admin's stream is made of.
pub(crate) const EVENTS: [&str; 7] =
    ["overview", "jobdist", "metrics", "queues", "workers", "latest_jobs", "latest_queues"];

/// How a page of the dashboard asks.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) client: Client,
    /// `http://127.0.0.1:<port>`.
    pub(crate) origin: String,
    /// `name=value` of the guard cookie.
    pub(crate) cookie: String,
}

impl Page {
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client
            .get(format!("{}{path}", self.origin))
            .header(header::COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin")
    }
}

#[derive(Default)]
struct Heard {
    last: BTreeMap<String, Instant>,
    events: u64,
    ended: bool,
}

/// One open stream.
pub(crate) struct Consumer {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

impl Consumer {
    pub(crate) async fn of(page: &Page) -> Result<Self, Box<dyn Error>> {
        let request = page.get("/asyncmq/events").header(header::ACCEPT, "text/event-stream");
        let response = request.send().await?.error_for_status()?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let notes = heard.clone();
        let task = tokio::spawn(async move {
            let mut events = SseByteStream::new(response.bytes_stream());
            while let Some(Ok(event)) = events.next().await {
                if let Some(name) = event.event {
                    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.last.insert(name, Instant::now());
                    notes.events += 1;
                }
            }
            notes.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        });
        Ok(Self { heard, task })
    }

    /// Whether every name was heard after `moment`.
    pub(crate) fn is_fresh_since(&self, moment: Instant) -> bool {
        EVENTS.iter().all(|name| self.has_heard(name, moment))
    }

    /// Whether `name` was heard after `moment`.
    pub(crate) fn has_heard(&self, name: &str, moment: Instant) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.last.get(name).is_some_and(|at| *at > moment)
    }

    /// Whether its stream has ended, which an `EventSource` would answer with a new request.
    pub(crate) fn has_ended(&self) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    pub(crate) fn events(&self) -> u64 {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).events
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
