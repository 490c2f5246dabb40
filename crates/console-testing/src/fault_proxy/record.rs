//! Which connections are open, and what was asked on them?

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Default)]
struct Inner {
    accepted: usize,
    requests: Vec<String>,
    /// The newest request of each open connection.
    open: BTreeMap<usize, String>,
}

/// What one proxy has seen.
#[derive(Default)]
pub(super) struct Record(Mutex<Inner>);

impl Record {
    /// A connection was accepted. It is open as long as the entry is kept.
    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        let mut inner = self.inner();
        inner.accepted += 1;
        let number = inner.accepted;
        inner.open.insert(number, String::new());
        Entry { record: self.clone(), number }
    }

    pub(super) fn connections(&self) -> usize {
        self.inner().open.len()
    }

    pub(super) fn accepted(&self) -> usize {
        self.inner().accepted
    }

    pub(super) fn requests(&self, beginning: &str) -> usize {
        self.inner().requests.iter().filter(|request| request.starts_with(beginning)).count()
    }

    pub(super) fn forget_requests(&self) {
        self.inner().requests.clear();
    }

    pub(super) fn open(&self, beginning: &str) -> usize {
        self.inner().open.values().filter(|request| request.starts_with(beginning)).count()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one open connection in the record.
pub(super) struct Entry {
    record: Arc<Record>,
    number: usize,
}

impl Entry {
    /// A request has begun: its first line.
    pub(super) fn asked(&self, line: &str) {
        let mut inner = self.record.inner();
        inner.requests.push(line.to_owned());
        inner.open.insert(self.number, line.to_owned());
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record.inner().open.remove(&self.number);
    }
}
