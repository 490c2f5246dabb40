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

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use console_core::{
        clock::SystemClock,
        environment::{EnvironmentDraft, EnvironmentId},
        secrets::Secrets,
        session::Session,
        upstream::Reach,
    };
    use http_body_util::BodyExt as _;
    use tokio::{sync::mpsc, time::Instant};

    use super::page;
    use crate::gateway::{Gateway, Upstream};

    #[tokio::test(start_paused = true)]
    async fn after_ten_minutes_it_says_so_and_offers_itself_again() {
        let draft = EnvironmentDraft {
            name: "Test".into(),
            base_url: "https://a.example/asyncmq".into(),
            tag: "TEST".into(),
            ..EnvironmentDraft::default()
        };
        let environment = draft.check().expect("sound").into_environment(EnvironmentId::random().expect("random"));
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        let session = Arc::new(Session::new(Arc::new(SystemClock)));
        let (reports, _received) = mpsc::unbounded_channel();
        let gateway = Gateway::start(Upstream { environment, reach, session }, reports).await.expect("starts");
        let began = Instant::now();
        let response = page("/asyncmq/?a=\"><x&b", None, gateway.shared()).expect("a place");
        assert_eq!(gateway.take_return_path(), None);
        let whole = response.into_body().collect().await.expect("it ends").to_bytes();
        let text = String::from_utf8_lossy(&whole);
        assert_eq!(began.elapsed(), Duration::from_mins(10));
        assert!(text.contains("for 10 minutes, and stopped"), "{text}");
        assert!(text.contains("<a href=\"/asyncmq/?a=&quot;&gt;&lt;x&amp;b\">"), "{text}");
        assert!(text.matches("<!-- -->").count() > 50 && !text.contains("http-equiv=\"refresh\""), "{text}");
        assert_eq!(gateway.take_return_path().as_deref(), Some("/asyncmq/?a=\"><x&b"), "from now on it is led back");
    }
}
