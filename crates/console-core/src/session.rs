//! Where does one environment's session stand, and what is attached to its requests?
//!
//! The only source of what the shell shows. A session is made of a few facts (a credential in use or how it ended, a
//! renewal under way, an outage, a sign-in under way); where it stands is derived from them in one place, and every change
//! leaves a line in its history.
//!
//! The gateway asks [`Session::authorization`] before every request and tells what it heard from the admin; it knows
//! nothing of how a token is obtained. Whoever owns the session obtains a fresh credential when [`Session::begin_renewal`]
//! gives a turn; there is never a second turn at the same time.
//!
//! A *generation* counts the credentials of this run: a refusal, or a cookie, that belongs to an earlier one is late
//! news and changes nothing.

mod authorization;
mod facts;
mod history;
mod renewal_turn;
mod state;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::{sync::watch, time};

use crate::{
    clock::{Clock, UnixTime},
    token::Identity,
    upstream::Unreachable,
};

pub use self::{
    authorization::{Authorization, Generation, NotSignedIn},
    history::{Change, Entry, Kept},
    renewal_turn::RenewalTurn,
    state::{Refusal, SessionState},
};
use self::{
    facts::{Ended, Holding, Inner, Outage},
    history::History,
};
pub use crate::credential::{Attached, Attachment, Credential, Extras, NotAHeaderValue, cookie_header};

/// A credential that begins a session, or goes on with one.
pub struct Fresh {
    /// What requests carry.
    pub attached: Attached,
    /// What it says about the operator.
    pub identity: Identity,
    /// The server's clock less ours, in seconds, from its `Date` header.
    pub server_ahead: i64,
    /// Another one can be had without the operator.
    pub renewable: bool,
}

/// A credential that was renewed because it was refused, and is refused again within this many seconds, is not renewed a
/// second time: another one would be refused, too.
const HOLDS: i64 = 30;
/// A refusal this many seconds before the end by our reckoning of the server's clock is that end.
const AROUND_THE_END: i64 = 2;

/// The live state of one environment.
pub struct Session {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    state: watch::Sender<SessionState>,
}

impl Session {
    /// Signed out.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            inner: Mutex::new(Inner {
                generation: Generation(0),
                holding: Holding::Nothing,
                lapsed: None,
                identity: None,
                server_ahead: 0,
                renewable: false,
                turn: None,
                turns: 0,
                outage: None,
                signing_in: false,
                renewed_for_refusal: None,
                history: History::default(),
            }),
            state: watch::Sender::new(SessionState::SignedOut),
        }
    }

    /// Where it stands now.
    pub fn state(&self) -> SessionState {
        self.state.borrow().clone()
    }

    /// Hears of every change.
    pub fn subscribe(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    /// What happened, newest first.
    pub fn history(&self) -> Vec<Entry> {
        self.inner().history.newest_first()
    }

    /// What time it is, by the clock that the session goes by.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// The credential in use now, counted.
    pub fn generation(&self) -> Generation {
        self.inner().generation
    }

    /// Who is, or was, signed in, whatever goes on.
    pub fn identity(&self) -> Option<Identity> {
        self.inner().identity.clone()
    }

    /// The server's clock less ours, in seconds, as last measured.
    pub fn server_ahead(&self) -> i64 {
        self.inner().server_ahead
    }

    /// The server's clock was measured anew, in seconds ahead of ours: one of the two was set. What ended by the old
    /// measure alone goes on.
    pub fn measured(&self, server_ahead: i64) {
        self.change(|inner, now| {
            inner.server_ahead = server_ahead;
            if let Holding::Ended(Ended::Expired(at)) = inner.holding
                && at > now.plus(server_ahead)
                && let Some(attached) = inner.lapsed.take()
            {
                inner.history.add(now, Change::ClockCorrected);
                inner.holding = Holding::InUse(attached);
            }
        });
        self.expire_if_due();
    }

    /// The operator signs in. A credential in use stays attached until another replaces it.
    pub fn begin_sign_in(&self) {
        self.change(|inner, _| inner.signing_in = true);
    }

    /// The sign-in was cancelled or failed: back to where the session stands without it.
    pub fn abandon_sign_in(&self) {
        self.change(|inner, _| inner.signing_in = false);
    }

    /// The operator signed in, or what the vault holds was taken up: from now on requests carry it.
    pub fn begin(&self, fresh: Fresh, kept: Kept) -> Generation {
        self.change(|inner, now| {
            inner.signing_in = false;
            inner.renewed_for_refusal = None;
            inner.end_outage(now);
            inner.history.add(now, Change::Began(kept));
            inner.take_in(fresh)
        })
    }

    /// What the vault holds signs in without the operator, but a credential has to be obtained from it first.
    pub fn begin_by_renewal(&self) {
        self.change(|inner, _| {
            inner.generation.0 += 1;
            inner.holding = Holding::Ended(Ended::NotBegun);
            inner.lapsed = None;
            inner.identity = None;
            inner.renewable = true;
            inner.turn = None;
        });
    }

    /// From now on requests carry `token`, and nothing else: [`Self::begin`] for the plain case.
    ///
    /// # Errors
    /// [`NotAHeaderValue`]; the session is as it was.
    pub fn activate(
        &self,
        attachment: &Attachment,
        token: &SecretString,
        identity: Identity,
        server_ahead: i64,
    ) -> Result<Generation, NotAHeaderValue> {
        let attached = attachment.attach(&Credential::Token(token.clone()), &Extras::default())?;
        Ok(self.begin(Fresh { attached, identity, server_ahead, renewable: false }, Kept::Typed))
    }

    /// Forgets the credential of this run. Every turn that is under way comes too late.
    pub fn sign_out(&self) {
        self.change(|inner, now| {
            let held = !matches!(inner.holding, Holding::Nothing);
            inner.generation.0 += 1;
            inner.holding = Holding::Nothing;
            inner.lapsed = None;
            inner.identity = None;
            inner.renewable = false;
            inner.turn = None;
            inner.end_outage(now);
            inner.signing_in = false;
            if held {
                inner.history.add(now, Change::SignedOut);
            }
        });
    }

    /// What to attach to a request that goes out now.
    ///
    /// # Errors
    /// [`NotSignedIn`].
    pub fn authorize(&self) -> Result<Authorization, NotSignedIn> {
        self.expire_if_due();
        let inner = self.inner();
        match &inner.holding {
            Holding::InUse(current) => Ok(Authorization {
                headers: current.headers.clone(),
                cookies: current.cookies.clone(),
                generation: inner.generation,
            }),
            Holding::Ended(_) if inner.renewable => Err(match &inner.outage {
                Some(outage) => NotSignedIn::Unreachable(outage.why.clone()),
                None => NotSignedIn::Renewing,
            }),
            Holding::Ended(_) | Holding::Nothing => Err(NotSignedIn::SignedOut),
        }
    }

    /// The same, waiting at most `patience` for a renewal that is on its way.
    ///
    /// # Errors
    /// [`NotSignedIn`]; [`NotSignedIn::Renewing`] when it was not there in time.
    pub async fn authorization(&self, patience: Duration) -> Result<Authorization, NotSignedIn> {
        let mut states = self.subscribe();
        let until = time::Instant::now() + patience;
        loop {
            states.mark_unchanged();
            match self.authorize() {
                Err(NotSignedIn::Renewing) => {}
                known => return known,
            }
            if time::timeout_at(until, states.changed()).await.is_err() {
                return Err(NotSignedIn::Renewing);
            }
        }
    }

    /// The admin did not accept the credential of `generation`. Late news of an earlier one is ignored.
    ///
    /// An operator who may not use the dashboard has a valid token: asking for another would loop (DESIGN 5.6).
    pub fn refused(&self, generation: Generation, refusal: Refusal) {
        self.change(|inner, now| {
            if inner.generation != generation || !matches!(inner.holding, Holding::InUse(_)) {
                return;
            }
            let server_now = now.plus(inner.server_ahead);
            let end = inner.identity.as_ref().and_then(|identity| identity.expires_at);
            let ended = match end {
                Some(at) if at <= server_now.plus(AROUND_THE_END) && refusal != Refusal::NotAllowed => {
                    inner.history.add(now, Change::Expired);
                    Ended::Expired(at)
                }
                _ => {
                    let again = inner.renewed_for_refusal.is_some_and(|at| now.seconds_since(at).abs() < HOLDS);
                    if again || refusal == Refusal::NotAllowed {
                        inner.renewable = false;
                    }
                    let claimed = inner.identity.as_ref();
                    let (audience, issuer) =
                        claimed.map(|claimed| (claimed.audience.clone(), claimed.issuer.clone())).unwrap_or_default();
                    inner.history.add(now, Change::Refused { refusal, audience, issuer });
                    Ended::Refused(refusal)
                }
            };
            inner.end_outage(now);
            inner.holding = Holding::Ended(ended);
        });
    }

    /// The admin could not be reached with the credential of `generation`.
    pub fn unreachable(&self, generation: Generation, why: &Unreachable) {
        self.change(|inner, now| {
            if inner.generation == generation && matches!(inner.holding, Holding::InUse(_)) {
                inner.history.unreachable(now, why);
                let since = inner.outage.as_ref().map_or(now, |outage| outage.since);
                inner.outage = Some(Outage { since, why: why.clone() });
            }
        });
    }

    /// The admin answered.
    pub fn reached(&self) {
        if self.inner().outage.is_some() {
            self.change(|inner, now| {
                // Where the credential ended it is the renewal that has to get through.
                if matches!(inner.holding, Holding::InUse(_)) {
                    inner.end_outage(now);
                }
            });
        }
    }

    /// Ends the credential when the token's time is up, by the server's clock. Returns the seconds left, if any are known.
    pub fn expire_if_due(&self) -> Option<i64> {
        let left = {
            let inner = self.inner();
            let at = inner.identity.as_ref().and_then(|identity| identity.expires_at)?;
            if !matches!(inner.holding, Holding::InUse(_)) {
                return None;
            }
            at.seconds_since(self.clock.now().plus(inner.server_ahead))
        };
        if left <= 0 {
            self.change(|inner, now| {
                let end = inner.identity.as_ref().and_then(|identity| identity.expires_at);
                let due = end.filter(|at| *at <= now.plus(inner.server_ahead));
                if let (Some(at), Holding::InUse(attached)) = (due, &inner.holding) {
                    inner.lapsed = Some(attached.clone());
                    inner.history.add(now, Change::Expired);
                    inner.holding = Holding::Ended(Ended::Expired(at));
                }
            });
        }
        Some(left)
    }

    /// A fresh credential can be had without the operator, as far as is known.
    pub fn is_renewable(&self) -> bool {
        self.inner().renewable
    }

    /// The credential has ended, and a fresh one can be had without the operator.
    pub fn waits_for_renewal(&self) -> bool {
        let inner = self.inner();
        inner.renewable && matches!(inner.holding, Holding::Ended(_))
    }

    /// A fresh credential can be had without the operator; or no longer, and a turn that is under way comes too late.
    pub fn set_renewable(&self, renewable: bool) {
        self.change(|inner, _| {
            inner.renewable = renewable;
            if !renewable {
                inner.turn = None;
            }
        });
    }

    /// A turn to obtain a fresh credential, when there is something to renew and nobody does already.
    pub fn begin_renewal(self: &Arc<Self>) -> Option<RenewalTurn> {
        self.change(|inner, _| {
            if !inner.renewable || inner.turn.is_some() || matches!(inner.holding, Holding::Nothing) {
                return None;
            }
            inner.turns += 1;
            inner.turn = Some(inner.turns);
            Some(RenewalTurn { session: self.clone(), turn: inner.turns, generation: inner.generation })
        })
    }

    /// The one place where facts change: what follows from them is published under the same lock, in order.
    fn change<T>(&self, change: impl FnOnce(&mut Inner, UnixTime) -> T) -> T {
        let mut inner = self.inner();
        let result = change(&mut inner, self.clock.now());
        let state = inner.state();
        self.state.send_if_modified(|current| {
            let changed = *current != state;
            *current = state;
            changed
        });
        result
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
