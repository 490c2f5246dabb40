//! Where does one environment's session stand, and what is attached to its requests?
//!
//! The only source of what the shell shows. The gateway asks [`Session::authorize`] before every request and tells
//! [`Session::refused`] what the admin said; it knows nothing of how a token is obtained.
//!
//! A *generation* counts the credentials of this run: a refusal, or a cookie, that belongs to an earlier one is late
//! news and changes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::{
    clock::{Clock, UnixTime},
    token::Identity,
};

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
    /// A credential is being tried.
    SigningIn,
    /// Requests carry a credential.
    Active {
        /// What it says about the operator.
        identity: Identity,
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

/// Counts the credentials of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

/// What one request is sent with. The value is marked sensitive and does not print.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The header's name.
    pub name: HeaderName,
    /// The header's value.
    pub value: HeaderValue,
    /// Which credential this is.
    pub generation: Generation,
}

/// There is nothing to attach: the session is not active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not signed in")]
pub struct NotSignedIn;

/// A secret that cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token holds a character that cannot stand in a header")]
pub struct NotAHeaderValue;

/// How a token becomes a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `Authorization` unless the environment names another.
    pub header_name: HeaderName,
    /// `Bearer` unless the environment names another; empty for none.
    pub scheme: String,
}

impl Attachment {
    /// The header value that carries `token`.
    ///
    /// # Errors
    /// [`NotAHeaderValue`] when the token has a character outside RFC 9110 §5.5.
    pub fn value(&self, token: &SecretString) -> Result<HeaderValue, NotAHeaderValue> {
        let text = if self.scheme.is_empty() {
            zeroize::Zeroizing::new(token.expose_secret().to_owned())
        } else {
            zeroize::Zeroizing::new(format!("{} {}", self.scheme, token.expose_secret()))
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| NotAHeaderValue)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

struct Current {
    name: HeaderName,
    value: HeaderValue,
}

struct Inner {
    generation: Generation,
    current: Option<Current>,
    /// The server's clock less ours, in seconds.
    server_ahead: i64,
}

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
            inner: Mutex::new(Inner { generation: Generation(0), current: None, server_ahead: 0 }),
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

    /// The credential in use now, counted.
    pub fn generation(&self) -> Generation {
        self.inner().generation
    }

    /// A sign-in has begun. A credential in use stays attached until another replaces it.
    pub fn begin_sign_in(&self) {
        self.state.send_replace(SessionState::SigningIn);
    }

    /// Back to `state` after a sign-in that was cancelled or failed; to an active one only if its credential is still
    /// attached.
    pub fn abandon_sign_in(&self, state: SessionState) {
        let lost = matches!(state, SessionState::Active { .. }) && self.inner().current.is_none();
        self.state.send_if_modified(|current| {
            if *current != SessionState::SigningIn {
                return false;
            }
            *current = if lost { SessionState::SignedOut } else { state };
            true
        });
    }

    /// From now on requests carry `token`.
    ///
    /// `server_ahead` is the server's clock less ours, in seconds, from its `Date` header.
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
        let value = attachment.value(token)?;
        let generation = {
            let mut inner = self.inner();
            inner.generation.0 += 1;
            inner.current = Some(Current { name: attachment.header_name.clone(), value });
            inner.server_ahead = server_ahead;
            inner.generation
        };
        self.state.send_replace(SessionState::Active { identity });
        Ok(generation)
    }

    /// Forgets the credential of this run.
    pub fn sign_out(&self) {
        {
            let mut inner = self.inner();
            inner.generation.0 += 1;
            inner.current = None;
        }
        self.state.send_replace(SessionState::SignedOut);
    }

    /// What to attach to a request that goes out now.
    ///
    /// # Errors
    /// [`NotSignedIn`] unless the session is active and the token's time is not up.
    pub fn authorize(&self) -> Result<Authorization, NotSignedIn> {
        self.expire_if_due();
        let inner = self.inner();
        let current = inner.current.as_ref().ok_or(NotSignedIn)?;
        Ok(Authorization { name: current.name.clone(), value: current.value.clone(), generation: inner.generation })
    }

    /// The admin did not accept the credential of `generation`. Late news of an earlier one is ignored.
    pub fn refused(&self, generation: Generation, refusal: Refusal) {
        {
            let mut inner = self.inner();
            if inner.generation != generation || inner.current.is_none() {
                return;
            }
            // An operator who may not use the dashboard has a valid token: asking for another would loop (DESIGN 5.6).
            inner.current = None;
        }
        let now = self.server_now();
        self.state.send_if_modified(|state| {
            let SessionState::Active { identity } = state else { return false };
            let identity = identity.clone();
            *state = match identity.expires_at {
                Some(at) if at <= now && refusal != Refusal::NotAllowed => SessionState::Expired { identity, at },
                _ => SessionState::Refused { identity, refusal },
            };
            true
        });
    }

    /// Ends the session when the token's time is up, by the server's clock. Returns the seconds left, if any are known.
    pub fn expire_if_due(&self) -> Option<i64> {
        let now = self.server_now();
        let mut left = None;
        self.state.send_if_modified(|state| {
            let SessionState::Active { identity } = state else { return false };
            let Some(at) = identity.expires_at else { return false };
            left = Some(at.seconds_since(now));
            if now < at {
                return false;
            }
            *state = SessionState::Expired { identity: identity.clone(), at };
            true
        });
        if left.is_some_and(|seconds| seconds <= 0) {
            self.inner().current = None;
        }
        left
    }

    fn server_now(&self) -> UnixTime {
        self.clock.now().plus(self.inner().server_ahead)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::header::AUTHORIZATION;
    use secrecy::SecretString;

    use super::{Attachment, Refusal, Session, SessionState};
    use crate::{
        clock::{ManualClock, UnixTime},
        token::Identity,
    };

    fn bearer() -> Attachment {
        Attachment { header_name: AUTHORIZATION, scheme: "Bearer".into() }
    }

    fn until(seconds: i64) -> Identity {
        Identity { subject: Some("alice".into()), expires_at: Some(UnixTime(seconds)), ..Identity::default() }
    }

    fn session() -> (Session, ManualClock) {
        let clock = ManualClock::at(UnixTime(100));
        (Session::new(Arc::new(clock.clone())), clock)
    }

    #[test]
    fn a_token_is_attached_until_its_time_is_up_and_not_a_second_longer() {
        let (session, clock) = session();
        assert!(session.authorize().is_err());
        session.activate(&bearer(), &SecretString::from("t"), until(110), 0).expect("activates");
        clock.advance(9);
        assert_eq!(session.authorize().expect("attached").value, "Bearer t");
        clock.advance(1);
        assert!(session.authorize().is_err());
        assert!(matches!(session.state(), SessionState::Expired { at: UnixTime(110), .. }));
    }

    #[test]
    fn expiry_is_judged_by_the_servers_clock() {
        let (session, _) = session();
        session.activate(&bearer(), &SecretString::from("t"), until(110), 20).expect("activates");
        assert!(session.authorize().is_err(), "the server is 20 s ahead");
    }

    #[test]
    fn a_late_refusal_of_an_earlier_token_changes_nothing() {
        let (session, _) = session();
        let first = session.activate(&bearer(), &SecretString::from("one"), until(200), 0).expect("activates");
        session.activate(&bearer(), &SecretString::from("two"), until(200), 0).expect("activates");
        session.refused(first, Refusal::Gate);
        assert_eq!(session.authorize().expect("still attached").value, "Bearer two");
    }

    #[test]
    fn a_refused_token_is_not_sent_again() {
        let (session, _) = session();
        let generation = session.activate(&bearer(), &SecretString::from("t"), until(200), 0).expect("activates");
        session.refused(generation, Refusal::NotAllowed);
        assert!(session.authorize().is_err());
        assert!(matches!(session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. }));
    }

    #[test]
    fn a_refusal_after_the_end_reads_as_expiry() {
        let (session, clock) = session();
        let generation = session.activate(&bearer(), &SecretString::from("t"), until(110), 0).expect("activates");
        clock.advance(10);
        session.refused(generation, Refusal::Gate);
        assert!(matches!(session.state(), SessionState::Expired { .. }));
    }

    #[test]
    fn the_attached_value_does_not_print() {
        let (session, _) = session();
        session.activate(&bearer(), &SecretString::from("canary"), until(200), 0).expect("activates");
        assert!(!format!("{:?}", session.authorize()).contains("canary"));
    }
}
