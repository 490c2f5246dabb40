//! What is known of a session, and what follows from it.

use super::{Fresh, Generation, Refusal, SessionState, history::History};
use crate::{clock::UnixTime, credential::Attached, token::Identity, upstream::Unreachable};

/// How a credential ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// There was none yet.
    NotBegun,
    Expired(UnixTime),
    Refused(Refusal),
}

/// The credential, or what became of it.
pub(super) enum Holding {
    Nothing,
    InUse(Attached),
    Ended(Ended),
}

/// The remote side was not reached.
pub(super) struct Outage {
    pub(super) since: UnixTime,
    pub(super) why: Unreachable,
}

/// The facts. Where the session stands follows from them: [`Inner::state`].
pub(super) struct Inner {
    pub(super) generation: Generation,
    pub(super) holding: Holding,
    /// What ended by our reckoning of the server's clock alone: taken up again when that was wrong.
    pub(super) lapsed: Option<Attached>,
    pub(super) identity: Option<Identity>,
    /// The server's clock less ours, in seconds.
    pub(super) server_ahead: i64,
    /// A fresh credential can be had without the operator, as far as is known.
    pub(super) renewable: bool,
    /// Which turn obtains one now.
    pub(super) turn: Option<u64>,
    pub(super) turns: u64,
    pub(super) outage: Option<Outage>,
    pub(super) signing_in: bool,
    /// When a refusal last led to a fresh credential.
    pub(super) renewed_for_refusal: Option<UnixTime>,
    pub(super) history: History,
}

impl Inner {
    pub(super) fn state(&self) -> SessionState {
        if self.signing_in {
            return SessionState::SigningIn;
        }
        let unreachable = |outage: &Outage| SessionState::Unreachable {
            identity: self.identity.clone(),
            since: outage.since,
            why: outage.why.clone(),
        };
        match (&self.holding, &self.outage) {
            (Holding::InUse(_), Some(outage)) => unreachable(outage),
            (Holding::InUse(_), None) if self.turn.is_some() => {
                SessionState::Renewing { identity: self.identity.clone(), waits: false }
            }
            (Holding::InUse(_), None) => SessionState::Active { identity: self.identity.clone().unwrap_or_default() },
            (Holding::Ended(_), Some(outage)) if self.renewable => unreachable(outage),
            (Holding::Ended(_), _) if self.renewable => {
                SessionState::Renewing { identity: self.identity.clone(), waits: true }
            }
            (Holding::Nothing | Holding::Ended(Ended::NotBegun), _) => SessionState::SignedOut,
            (Holding::Ended(Ended::Expired(at)), _) => {
                SessionState::Expired { identity: self.identity.clone().unwrap_or_default(), at: *at }
            }
            (Holding::Ended(Ended::Refused(refusal)), _) => {
                SessionState::Refused { identity: self.identity.clone().unwrap_or_default(), refusal: *refusal }
            }
        }
    }

    pub(super) fn take_in(&mut self, fresh: Fresh) -> Generation {
        self.generation.0 += 1;
        self.holding = Holding::InUse(fresh.attached);
        self.lapsed = None;
        self.identity = Some(fresh.identity);
        self.server_ahead = fresh.server_ahead;
        self.renewable = fresh.renewable;
        self.turn = None;
        self.generation
    }

    pub(super) fn end_outage(&mut self, now: UnixTime) {
        if self.outage.take().is_some() {
            self.history.reached(now);
        }
    }
}
