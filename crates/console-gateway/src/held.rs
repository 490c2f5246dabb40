//! Which writes met an ended session and wait for the operator's word? (DESIGN 5, "Held writes")
//!
//! In memory only, bounded, each bound to the operator who asked for it. A write leaves by being carried out or dropped,
//! never by itself; whoever drops it gets its name, to say it aloud.

use std::{
    fmt,
    num::ParseIntError,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use console_core::{
    clock::UnixTime,
    upstream::{Outcome, Unreachable},
};
use http::{HeaderMap, HeaderName, Method, header};

use crate::{
    action::{self, Action},
    operator::Operator,
    resolve::Target,
};

/// The most writes that are held, and what their bodies have together in bytes. Each body is small enough to be kept
/// ([`crate::payload::LARGEST`]).
const MOST: usize = 20;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Names one held write of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldId(u64);

impl fmt::Display for HeldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HeldId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// A held write, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldWrite {
    /// Its name among those of this gateway.
    pub id: HeldId,
    /// What it does.
    pub action: Action,
    /// When the page asked for it.
    pub asked_at: UnixTime,
    /// A 401 that is not the gate's answered it, or its way was cut short: it may have been carried out already.
    pub perhaps_done: bool,
    /// It is on its way now.
    pub under_way: bool,
}

/// What became of a write that was carried out: the admin answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedOut {
    /// What it does.
    pub name: String,
    /// The answer's status.
    pub status: u16,
    /// Neither an error of the admin nor a refusal.
    pub ok: bool,
    /// Where the admin leads afterwards: a path and query inside the realm, to be joined to the gateway's origin.
    pub go_to: Option<String>,
    /// What the admin said, in one short line, when it is not `ok` and said it in text.
    pub said: Option<String>,
}

/// Why a held write was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeldError {
    /// Carried out or dropped already; or it was dropped while it was on its way, and nothing was done.
    #[error("this action is not held any more")]
    Gone,
    /// It is being carried out; this changes nothing about that.
    #[error("this action is being carried out already")]
    UnderWay,
    /// Still held.
    #[error("the environment is locked: unlock it first")]
    Locked,
    /// Nothing was done; still held.
    #[error("the session has ended: sign in first")]
    NotSignedIn,
    /// Nothing was done, and it was dropped.
    #[error("“{name}” was asked for by another operator, and was dropped")]
    AnotherOperator {
        /// What was dropped.
        name: String,
    },
    /// Nothing was done; still held.
    #[error("{0}")]
    Unreachable(Unreachable),
    /// The admin's gate let the operator in, and not the action. Nothing was done; still held.
    #[error("the admin does not let this action pass")]
    Rejected(Outcome),
    /// Another 401: held as perhaps done, unless it was dropped meanwhile.
    #[error("the admin answered 401: it cannot be told whether “{name}” was carried out")]
    Unauthorized {
        /// What it does.
        name: String,
    },
    /// The console itself failed while it was on its way: held as perhaps done, unless it was dropped meanwhile.
    #[error("the console failed in the middle of it: it cannot be told whether “{name}” was carried out")]
    Interrupted {
        /// What it does.
        name: String,
    },
    /// Sent, without an answer: not held any more.
    #[error("the connection broke: it cannot be told whether “{name}” was carried out; look before you do it again")]
    Unknown {
        /// What it does.
        name: String,
    },
}

/// One write, as it is sent.
pub(crate) struct Write {
    pub(crate) method: Method,
    pub(crate) target: Target,
    /// Of the page's headers those that matter; what is ours to set is not among them.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) operator: Operator,
    pub(crate) action: Action,
}

impl Write {
    /// A page's request. `prefix` is the mount prefix.
    pub(crate) fn of(
        method: &Method,
        target: &Target,
        headers: &HeaderMap,
        body: Bytes,
        operator: Operator,
        prefix: &str,
    ) -> Self {
        let action = action::of_request(method, target, headers, &body, prefix);
        let kept = headers.iter().filter(|(name, _)| matters(name));
        let headers = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { method: method.clone(), target: target.clone(), headers, body, operator, action }
    }
}

/// `Origin` is made anew when it is sent; the guard cookie and what a page claims about itself are not kept.
fn matters(name: &HeaderName) -> bool {
    [header::CONTENT_TYPE, header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT, header::REFERER].contains(name)
        || name.as_str() == "x-requested-with"
        || name.as_str().starts_with("hx-")
}

struct Entry {
    id: HeldId,
    asked_at: UnixTime,
    perhaps_done: bool,
    under_way: bool,
    write: Arc<Write>,
}

/// How a write that was under way ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Nothing was done.
    Held,
    /// Perhaps it was done.
    PerhapsDone,
    /// Done, dropped, or not to be told.
    Gone,
}

#[derive(Default)]
struct Inner {
    last_id: u64,
    /// Whoever asked is gone: nothing more is taken.
    closed: bool,
    entries: Vec<Entry>,
}

/// The writes that are held, oldest first.
#[derive(Default)]
pub(crate) struct Held(Mutex<Inner>);

impl Held {
    /// Holds `write`; its name, or `None` where there is no room: it was not taken.
    pub(crate) fn hold(&self, write: Write, asked_at: UnixTime, perhaps_done: bool) -> Option<String> {
        let mut inner = self.inner();
        let bytes: usize = inner.entries.iter().map(|entry| entry.write.body.len()).sum();
        if inner.closed || inner.entries.len() >= MOST || bytes + write.body.len() > MOST_BYTES {
            return None;
        }
        inner.last_id += 1;
        let id = HeldId(inner.last_id);
        let name = write.action.name.clone();
        inner.entries.push(Entry { id, asked_at, perhaps_done, under_way: false, write: Arc::new(write) });
        Some(name)
    }

    pub(crate) fn all(&self) -> Vec<HeldWrite> {
        let view = |entry: &Entry| HeldWrite {
            id: entry.id,
            action: entry.write.action.clone(),
            asked_at: entry.asked_at,
            perhaps_done: entry.perhaps_done,
            under_way: entry.under_way,
        };
        self.inner().entries.iter().map(view).collect()
    }

    /// Takes it up, for one at a time.
    pub(crate) fn take_up(&self, id: HeldId) -> Result<Arc<Write>, HeldError> {
        let mut inner = self.inner();
        let entry = inner.entries.iter_mut().find(|entry| entry.id == id).ok_or(HeldError::Gone)?;
        if entry.under_way {
            return Err(HeldError::UnderWay);
        }
        entry.under_way = true;
        Ok(entry.write.clone())
    }

    /// It is under way no longer; whether it is still held.
    pub(crate) fn settle(&self, id: HeldId, settled: Settled) -> bool {
        let mut inner = self.inner();
        if settled == Settled::Gone {
            inner.entries.retain(|entry| entry.id != id);
            return false;
        }
        let Some(entry) = inner.entries.iter_mut().find(|entry| entry.id == id) else { return false };
        entry.under_way = false;
        entry.perhaps_done |= settled == Settled::PerhapsDone;
        true
    }

    /// Its name, unless it is on its way: that cannot be called back.
    pub(crate) fn drop_one(&self, id: HeldId) -> Option<String> {
        let mut inner = self.inner();
        let at = inner.entries.iter().position(|entry| entry.id == id && !entry.under_way)?;
        Some(inner.entries.remove(at).write.action.name.clone())
    }

    /// Nothing more is held: whoever could be asked is gone.
    pub(crate) fn close(&self) -> Vec<String> {
        self.inner().closed = true;
        self.drop_all()
    }

    /// The names of all that were dropped. One that is on its way is not among them: whoever waits for it hears how it ends.
    pub(crate) fn drop_all(&self) -> Vec<String> {
        let entries = std::mem::take(&mut self.inner().entries);
        entries.into_iter().filter(|entry| !entry.under_way).map(|entry| entry.write.action.name.clone()).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use console_core::clock::UnixTime;
    use http::{HeaderMap, HeaderValue, Method, header};

    use super::{Held, HeldError, MOST, MOST_BYTES, Settled, Write};
    use crate::{operator::Operator, resolve::Target};

    fn write(body: usize) -> Write {
        let url = "http://a.example/asyncmq/queues/q/jobs/1/retry".parse().expect("a URL");
        let target = Target { url, decoded_path: "/asyncmq/queues/q/jobs/1/retry".into() };
        let mut headers = HeaderMap::new();
        for name in [header::COOKIE, header::AUTHORIZATION, header::ORIGIN, header::CONTENT_TYPE] {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        let body = Bytes::from(vec![b'x'; body]);
        Write::of(&Method::POST, &target, &headers, body, Operator::default(), "/asyncmq")
    }

    #[test]
    fn what_does_not_fit_is_not_taken() {
        let held = Held::default();
        for _ in 0..MOST {
            assert_eq!(held.hold(write(1), UnixTime(1), false).as_deref(), Some("Retry job 1 in q"));
        }
        assert_eq!(held.hold(write(1), UnixTime(1), false), None);
        assert_eq!(held.drop_all().len(), MOST);
        for _ in 0..2 {
            assert!(held.hold(write(MOST_BYTES / 2), UnixTime(1), false).is_some());
        }
        assert_eq!(held.hold(write(1), UnixTime(1), false), None, "no byte more");
        assert!(held.hold(write(0), UnixTime(1), false).is_some());
    }

    #[test]
    fn a_write_is_taken_up_by_one_at_a_time_and_not_dropped_meanwhile() {
        let held = Held::default();
        held.hold(write(1), UnixTime(1), false);
        let id = held.all()[0].id;
        assert!(held.take_up(id).is_ok());
        assert_eq!(held.take_up(id).err(), Some(HeldError::UnderWay));
        assert_eq!(held.drop_one(id), None);
        held.settle(id, Settled::PerhapsDone);
        assert!(held.all()[0].perhaps_done && !held.all()[0].under_way);
        assert!(held.take_up(id).is_ok());
        held.settle(id, Settled::Gone);
        assert_eq!(held.take_up(id).err(), Some(HeldError::Gone));
    }

    #[test]
    fn no_credential_and_no_guard_cookie_is_kept() {
        assert_eq!(write(1).headers.keys().collect::<Vec<_>>(), [header::CONTENT_TYPE]);
    }
}
