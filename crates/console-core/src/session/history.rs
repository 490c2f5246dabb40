//! What happened to a session? Short, for a person: the newest entries, without a secret in them.

use std::collections::VecDeque;

use super::Refusal;
use crate::{
    clock::UnixTime,
    upstream::{Unreachable, UnreachableKind},
};

/// How many entries are kept.
const MOST: usize = 50;

/// Where a credential came from that began a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The operator signed in.
    Typed,
    /// The vault held it.
    Vault,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A session began.
    Began(Kept),
    /// A fresh credential took the place of the one before.
    Renewed,
    /// It could not be renewed yet. One line of why, as last met.
    RenewalPostponed(String),
    /// Without the operator there will be no fresh one. One line of why.
    RenewalFailed(String),
    /// Its time was up.
    Expired,
    /// It was not: a clock had been set, and the server's was measured anew.
    ClockCorrected,
    /// What the vault held had been renewed by another console on this computer, and was taken up.
    TakenUp,
    /// The admin did not accept it.
    Refused {
        /// What it said.
        refusal: Refusal,
        /// Whom the credential was for, as far as it said.
        audience: Vec<String>,
        /// Who issued it, as far as it said.
        issuer: Option<String>,
    },
    /// The other side could not be reached.
    Unreachable {
        /// What failed last.
        kind: UnreachableKind,
        /// When it was reached again; `None`: not yet.
        until: Option<UnixTime>,
    },
    /// It was ended here.
    SignedOut,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, or since when.
    pub at: UnixTime,
    /// What.
    pub change: Change,
}

/// The newest changes.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Entry>);

impl History {
    pub(super) fn add(&mut self, at: UnixTime, change: Change) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Entry { at, change });
    }

    /// One line per outage, however often it is met.
    pub(super) fn unreachable(&mut self, now: UnixTime, why: &Unreachable) {
        let open = self.0.iter_mut().rev().find_map(|entry| match &mut entry.change {
            Change::Unreachable { kind, until: None } => Some(kind),
            _ => None,
        });
        match open {
            Some(kind) => *kind = why.kind,
            None => self.add(now, Change::Unreachable { kind: why.kind, until: None }),
        }
    }

    /// One line for as long as nothing else happens.
    pub(super) fn postponed(&mut self, now: UnixTime, why: String) {
        match self.0.back_mut().map(|entry| &mut entry.change) {
            Some(Change::RenewalPostponed(last)) => *last = why,
            _ => self.add(now, Change::RenewalPostponed(why)),
        }
    }

    pub(super) fn reached(&mut self, now: UnixTime) {
        for entry in &mut self.0 {
            if let Change::Unreachable { until, .. } = &mut entry.change {
                until.get_or_insert(now);
            }
        }
    }

    pub(super) fn newest_first(&self) -> Vec<Entry> {
        self.0.iter().rev().cloned().collect()
    }
}
