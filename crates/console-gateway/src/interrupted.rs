//! Which page did an ended session interrupt, and who brings it back?
//!
//! A page that waits ([`crate::waiting`]) goes on by itself, and must not be navigated a second time; any other has to be
//! led back. The newest interruption counts: there is one page on the screen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::route;

struct Interruption {
    path: String,
    /// Which waiting page brings it back by itself.
    waits: Option<u64>,
}

#[derive(Default)]
struct Inner {
    last: Option<Interruption>,
    waits: u64,
}

/// The interrupted page of one gateway.
#[derive(Default)]
pub(crate) struct Interrupted(Mutex<Inner>);

/// Names one waiting page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(u64);

impl Interrupted {
    /// A page that has to be led back.
    pub(crate) fn lost(&self, path_and_query: &str) {
        self.inner().last = Some(Interruption { path: route::on_this_host(path_and_query), waits: None });
    }

    /// A page that waits.
    pub(crate) fn waits(&self, path_and_query: &str) -> Wait {
        let mut inner = self.inner();
        inner.waits += 1;
        let wait = inner.waits;
        inner.last = Some(Interruption { path: route::on_this_host(path_and_query), waits: Some(wait) });
        Wait(wait)
    }

    /// The page went on, or is not on the screen any more.
    pub(crate) fn over(&self, wait: Wait) {
        let mut inner = self.inner();
        if inner.last.as_ref().is_some_and(|last| last.waits == Some(wait.0)) {
            inner.last = None;
        }
    }

    /// The page has stopped waiting: from now on it has to be led back.
    pub(crate) fn gives_up(&self, wait: Wait) {
        if let Some(last) = self.inner().last.as_mut().filter(|last| last.waits == Some(wait.0)) {
            last.waits = None;
        }
    }

    /// Takes out what has to be led back.
    pub(crate) fn take_lost(&self) -> Option<String> {
        self.inner().last.take_if(|last| last.waits.is_none()).map(|last| last.path)
    }

    /// Takes it out, whoever would bring it back.
    pub(crate) fn take(&self) -> Option<String> {
        self.inner().last.take().map(|last| last.path)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Interrupted;

    #[test]
    fn a_page_that_waits_is_not_led_back_until_it_gives_up() {
        let interrupted = Interrupted::default();
        let wait = interrupted.waits("/a");
        assert_eq!(interrupted.take_lost(), None);
        interrupted.gives_up(wait);
        interrupted.over(wait);
        assert_eq!(interrupted.take_lost().as_deref(), Some("/a"));
        assert_eq!(interrupted.take_lost(), None);
    }

    #[test]
    fn the_end_of_an_earlier_wait_takes_nothing_from_a_later_one() {
        let interrupted = Interrupted::default();
        let first = interrupted.waits("/a");
        interrupted.waits("/b");
        interrupted.over(first);
        interrupted.gives_up(first);
        assert_eq!(interrupted.take_lost(), None);
        assert_eq!(interrupted.take().as_deref(), Some("/b"));
    }
}
