//! Who may obtain a fresh credential, and how it ended?

use std::sync::Arc;

use super::{
    Change, Fresh, Generation, Session,
    facts::{Ended, Holding, Inner, Outage},
};
use crate::{clock::UnixTime, upstream::Unreachable};

/// The right to obtain a fresh credential. Dropped without a word (its task died), whoever waits is told so.
pub struct RenewalTurn {
    pub(super) session: Arc<Session>,
    pub(super) turn: u64,
    pub(super) generation: Generation,
}

impl RenewalTurn {
    /// The credential that is to be replaced.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// What is renewed is what another console on this computer had stored.
    pub fn taken_up(&self) {
        self.session.change(|inner, now| inner.history.add(now, Change::TakenUp));
    }

    /// Requests carry `fresh` from now on; `false`: somebody signed in or out meanwhile, and it was not taken.
    pub fn renewed(self, fresh: Fresh) -> bool {
        self.end(|inner, now| {
            if let Holding::Ended(Ended::Refused(_)) = inner.holding {
                inner.renewed_for_refusal = Some(now);
            }
            inner.end_outage(now);
            inner.history.add(now, Change::Renewed);
            inner.take_in(fresh);
        })
    }

    /// It may work a little later. A credential in use goes on. `said` is one line of why, where it is not that somebody was
    /// not reached.
    pub fn postponed(self, why: &Unreachable, said: Option<String>) -> bool {
        self.end(|inner, now| {
            let in_use = matches!(inner.holding, Holding::InUse(_));
            match said {
                Some(said) => inner.history.postponed(now, said),
                None if in_use => inner.history.postponed(now, why.kind.to_string()),
                None => inner.history.unreachable(now, why),
            }
            if !in_use {
                let since = inner.outage.as_ref().map_or(now, |outage| outage.since);
                inner.outage = Some(Outage { since, why: why.clone() });
            }
        })
    }

    /// It will not work without the operator. A credential in use goes on to its end. `why` is one line.
    pub fn failed(self, why: String) -> bool {
        self.end(|inner, now| {
            inner.history.add(now, Change::RenewalFailed(why));
            inner.renewable = false;
            if !matches!(inner.holding, Holding::InUse(_)) {
                inner.end_outage(now);
            }
        })
    }

    /// Whether the turn still counts; then it ends with `outcome`.
    fn end(self, outcome: impl FnOnce(&mut Inner, UnixTime)) -> bool {
        self.session.change(|inner, now| {
            let counts = inner.turn == Some(self.turn) && inner.generation == self.generation;
            if counts {
                inner.turn = None;
                outcome(inner, now);
            }
            counts
        })
    }
}

impl Drop for RenewalTurn {
    fn drop(&mut self) {
        self.session.change(|inner, now| {
            if inner.turn == Some(self.turn) {
                inner.turn = None;
                inner.history.add(now, Change::RenewalFailed("it was interrupted".to_owned()));
                if !matches!(inner.holding, Holding::InUse(_)) {
                    inner.renewable = false;
                }
            }
        });
    }
}
