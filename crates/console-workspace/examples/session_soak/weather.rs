//! Is anything broken just now, other than a token that has ended? What the pages meet in calm weather must be well.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The weather at one moment; equal to a later one when nothing broke in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Whether nothing was broken.
    pub(crate) fn is_calm(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

/// Odd while something is broken.
#[derive(Default)]
pub(crate) struct Weather {
    changes: AtomicU64,
    /// The operator has signed out, or is about to: the page closes, and whoever asked gets no answer.
    closing: AtomicBool,
    may_end: AtomicBool,
}

impl Weather {
    pub(crate) fn now(&self) -> Moment {
        Moment(self.changes.load(Ordering::SeqCst))
    }

    pub(crate) fn is_rough(&self, rough: bool) {
        if self.now().is_calm() == rough {
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whether it was calm at `before` and is since.
    pub(crate) fn was_calm_since(&self, before: Moment) -> bool {
        before.is_calm() && self.now() == before
    }

    pub(crate) fn set_closing(&self, closing: bool) {
        self.closing.store(closing, Ordering::SeqCst);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Whether the session may end: only where the operator or the issuer has ended it.
    pub(crate) fn set_may_end(&self, may_end: bool) {
        self.may_end.store(may_end, Ordering::SeqCst);
    }

    pub(crate) fn may_end(&self) -> bool {
        self.may_end.load(Ordering::SeqCst)
    }
}
