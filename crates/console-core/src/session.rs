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

mod history;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use tokio::{sync::watch, time};

use crate::{
    clock::{Clock, UnixTime},
    token::Identity,
    upstream::Unreachable,
};

use self::history::History;
pub use self::history::{Change, Entry, Kept};
pub use crate::credential::{Attached, Attachment, Credential, Extras, NotAHeaderValue, cookie_header};

/// What the admin made of a credential that it did not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// AsyncMQ's gate did not accept it; the dashboard's code did not run.
    Gate,
    /// A 401 that is not the gate's: it cannot be told whether something ran before it.
    Unauthorized,
    /// Accepted, but without an admin claim, or without one of the admin's `required_roles`.
    NotAllowed,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// No credential is in use.
    SignedOut,
    /// The operator signs in. A credential in use goes on meanwhile.
    SigningIn,
    /// Requests carry a credential.
    Active {
        /// What it says about the operator.
        identity: Identity,
    },
    /// A fresh credential is being obtained without the operator.
    Renewing {
        /// Who is signed in; `None`: what was kept has not been used yet in this run.
        identity: Option<Identity>,
        /// The one in use has ended or was refused: requests wait.
        waits: bool,
    },
    /// The admin, or what renews the credential, cannot be reached. It goes on by itself.
    Unreachable {
        /// Who is signed in, where that is known.
        identity: Option<Identity>,
        /// Since when.
        since: UnixTime,
        /// What failed last.
        why: Unreachable,
    },
    /// The token's time is up.
    Expired {
        /// Who was signed in.
        identity: Identity,
        /// When it ended.
        at: UnixTime,
    },
    /// The admin did not accept the credential.
    Refused {
        /// Who the token said the operator is.
        identity: Identity,
        /// What the admin said.
        refusal: Refusal,
    },
}

impl SessionState {
    /// Somebody is signed in and goes on without doing anything: the page stays on stage.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Active { .. } | Self::Renewing { .. } | Self::Unreachable { .. })
    }

    /// Who is, or was, signed in.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::SignedOut | Self::SigningIn => None,
            Self::Active { identity } | Self::Expired { identity, .. } | Self::Refused { identity, .. } => {
                Some(identity)
            }
            Self::Renewing { identity, .. } | Self::Unreachable { identity, .. } => identity.as_ref(),
        }
    }
}

/// Counts the credentials of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

/// What one request is sent with. Values are marked sensitive and do not print.
#[derive(Clone)]
pub struct Authorization {
    /// Each replaces every header of its name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the upstream's cookie jar begins with in this generation.
    pub cookies: Arc<[(String, SecretString)]>,
    /// Which credential this is.
    pub generation: Generation,
}

impl Authorization {
    /// The `Cookie` value of a request that goes without a jar.
    pub fn cookie_header(&self) -> Option<HeaderValue> {
        cookie_header(&self.cookies)
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// There is nothing to attach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSignedIn {
    /// Only the operator can change that.
    #[error("not signed in")]
    SignedOut,
    /// A fresh credential is on its way.
    #[error("the session is being renewed")]
    Renewing,
    /// What would renew it cannot be reached.
    #[error("the session cannot be renewed now: {0}")]
    Unreachable(Unreachable),
}

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

/// How a credential ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// There was none yet.
    NotBegun,
    Expired(UnixTime),
    Refused(Refusal),
}

/// The credential, or what became of it.
enum Holding {
    Nothing,
    InUse(Attached),
    Ended(Ended),
}

/// The remote side was not reached.
struct Outage {
    since: UnixTime,
    why: Unreachable,
}

/// The facts. Where the session stands follows from them: [`Inner::state`].
struct Inner {
    generation: Generation,
    holding: Holding,
    identity: Option<Identity>,
    /// The server's clock less ours, in seconds.
    server_ahead: i64,
    /// A fresh credential can be had without the operator, as far as is known.
    renewable: bool,
    /// Which turn obtains one now.
    turn: Option<u64>,
    turns: u64,
    outage: Option<Outage>,
    signing_in: bool,
    /// When a refusal last led to a fresh credential.
    renewed_for_refusal: Option<UnixTime>,
    history: History,
}

impl Inner {
    fn state(&self) -> SessionState {
        if self.signing_in {
            return SessionState::SigningIn;
        }
        let unreachable = |outage: &Outage| SessionState::Unreachable {
            identity: self.identity.clone(),
            since: outage.since,
            why: outage.why.clone(),
        };
        match (&self.holding, &self.outage) {
            (Holding::Nothing, _) => SessionState::SignedOut,
            (Holding::InUse(_), Some(outage)) => unreachable(outage),
            (Holding::InUse(_), None) if self.turn.is_some() => {
                SessionState::Renewing { identity: self.identity.clone(), waits: false }
            }
            (Holding::InUse(_), None) => SessionState::Active { identity: self.identity.clone().unwrap_or_default() },
            (Holding::Ended(_), Some(outage)) if self.renewable => unreachable(outage),
            (Holding::Ended(_), _) if self.renewable => {
                SessionState::Renewing { identity: self.identity.clone(), waits: true }
            }
            (Holding::Ended(Ended::NotBegun), _) => SessionState::SignedOut,
            (Holding::Ended(Ended::Expired(at)), _) => {
                SessionState::Expired { identity: self.identity.clone().unwrap_or_default(), at: *at }
            }
            (Holding::Ended(Ended::Refused(refusal)), _) => {
                SessionState::Refused { identity: self.identity.clone().unwrap_or_default(), refusal: *refusal }
            }
        }
    }

    fn take_in(&mut self, fresh: Fresh) -> Generation {
        self.generation.0 += 1;
        self.holding = Holding::InUse(fresh.attached);
        self.identity = Some(fresh.identity);
        self.server_ahead = fresh.server_ahead;
        self.renewable = fresh.renewable;
        self.turn = None;
        self.generation
    }

    fn end_outage(&mut self, now: UnixTime) {
        if self.outage.take().is_some() {
            self.history.reached(now);
        }
    }
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

    /// What its clock says.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// What happened, newest first.
    pub fn history(&self) -> Vec<Entry> {
        self.inner().history.newest_first()
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

    /// The server's clock was measured anew, in seconds ahead of ours.
    pub fn measured(&self, server_ahead: i64) {
        self.change(|inner, _| inner.server_ahead = server_ahead);
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
            inner.identity = None;
            inner.renewable = false;
            inner.turn = None;
            inner.outage = None;
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
                    inner.history.add(now, Change::Refused(refusal));
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
                if let (Some(at), Holding::InUse(_)) = (due, &inner.holding) {
                    inner.history.add(now, Change::Expired);
                    inner.holding = Holding::Ended(Ended::Expired(at));
                }
            });
        }
        Some(left)
    }

    /// A fresh credential can be had without the operator; or no longer.
    pub fn set_renewable(&self, renewable: bool) {
        self.change(|inner, _| inner.renewable = renewable);
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

/// The right to obtain a fresh credential. Dropped without a word (its task died), whoever waits is told so.
pub struct RenewalTurn {
    session: Arc<Session>,
    turn: u64,
    generation: Generation,
}

impl RenewalTurn {
    /// The credential that is to be replaced.
    pub fn generation(&self) -> Generation {
        self.generation
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

    /// It may work a little later. A credential in use goes on.
    pub fn postponed(self, why: &Unreachable) -> bool {
        self.end(|inner, now| {
            if let Holding::InUse(_) = inner.holding {
                inner.history.add(now, Change::RenewalPostponed(why.kind));
            } else {
                inner.history.unreachable(now, why);
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
                inner.outage = None;
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

#[cfg(test)]
mod tests;
