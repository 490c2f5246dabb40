//! What does a page show that met an ended session? A small page of the gateway's own that goes on by itself.
//!
//! Its head and first bytes are there at once (`WKWebView` gives up on a request without a head after 60 s); its body stays
//! open, with comments, until a credential of the same operator is in use. Then a `meta refresh` ends it, which needs no
//! script: the page is asked for again where it was.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use console_core::session::{Session, SessionState};
use futures_util::{Stream, StreamExt as _, stream};
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{self, Instant},
};

use crate::{
    answer::{self, Answer, Body, PAGE_END},
    gateway::Shared,
    interrupted::Wait,
    operator::Operator,
};

/// How many pages wait at the same time.
const MOST: usize = 16;
/// How long one waits.
const PATIENCE: Duration = Duration::from_mins(10);
/// A comment is sent this often: a page that was left is noticed when a write fails.
const COMMENT_EVERY: Duration = Duration::from_secs(10);

const COMMENT: Bytes = Bytes::from_static(b"<!-- -->\n");
const GO_ON: &str = "<meta http-equiv=\"refresh\" content=\"0\">";

/// The places for waiting pages.
pub(crate) fn places() -> Semaphore {
    Semaphore::new(MOST)
}

/// The page for a navigation to `path_and_query`; `None` when too many wait already.
pub(crate) fn page(path_and_query: &str, asked_by: Option<Operator>, shared: &Arc<Shared>) -> Option<Response<Body>> {
    let place = shared.waiting.clone().try_acquire_owned().ok()?;
    let wait = shared.interrupted.waits(path_and_query);
    let waiting = Waiting {
        session: shared.upstream.session.clone(),
        asked_by,
        closed: shared.closed.subscribe(),
        until: Instant::now() + PATIENCE,
        link: format!(
            "<p><a href=\"{}\">Load this page again</a></p>",
            html_escape::encode_double_quoted_attribute(path_and_query)
        ),
        record: Record { shared: shared.clone(), wait },
        _place: place,
    };
    let (mut response, beginning) = answer::open_page(&Answer::Waits, &shared.upstream.environment);
    let body = stream::iter([Bytes::from(beginning)]).chain(rest(waiting)).map(|bytes| Ok(Frame::data(bytes)));
    *response.body_mut() = StreamBody::new(body).boxed_unsync();
    Some(response)
}

/// The record of the interruption ends with the page, however it ends.
struct Record {
    shared: Arc<Shared>,
    wait: Wait,
}

impl Drop for Record {
    fn drop(&mut self) {
        self.shared.interrupted.over(self.wait);
    }
}

struct Waiting {
    session: Arc<Session>,
    asked_by: Option<Operator>,
    closed: watch::Receiver<bool>,
    until: Instant,
    link: String,
    record: Record,
    _place: OwnedSemaphorePermit,
}

/// What comes after the beginning, to the end of the page or of the gateway.
fn rest(waiting: Waiting) -> impl Stream<Item = Bytes> {
    stream::unfold(Some(waiting), |waiting| async {
        let mut waiting = waiting?;
        match waiting.next().await {
            Next::Comment => Some((COMMENT, Some(waiting))),
            Next::Last(words) => Some((Bytes::from(words + PAGE_END), None)),
            Next::Nothing => None,
        }
    })
}

enum Next {
    Comment,
    Last(String),
    Nothing,
}

impl Waiting {
    async fn next(&mut self) -> Next {
        let mut sessions = self.session.subscribe();
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => Next::Nothing,
            () = is_back(&self.session, self.asked_by.as_ref(), &mut sessions) => Next::Last(GO_ON.to_owned()),
            () = time::sleep_until((Instant::now() + COMMENT_EVERY).min(self.until)) => {
                if Instant::now() < self.until {
                    return Next::Comment;
                }
                self.record.shared.interrupted.gives_up(self.record.wait);
                let minutes = PATIENCE.as_secs() / 60;
                Next::Last(format!("<p>It has waited for {minutes} minutes, and stopped.</p>{}", self.link))
            }
        }
    }
}

/// Waits until requests of the same operator can be sent.
async fn is_back(session: &Session, asked_by: Option<&Operator>, sessions: &mut watch::Receiver<SessionState>) {
    loop {
        sessions.mark_unchanged();
        let same = || asked_by.is_none_or(|by| Operator::of(session).as_ref() == Some(by));
        if session.authorize().is_ok() && same() {
            return;
        }
        if sessions.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
