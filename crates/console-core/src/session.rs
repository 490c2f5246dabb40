//! Where does one environment's session stand, and what is attached to its requests?
//!
//! The only source of what the shell shows. The gateway asks [`Session::authorize`] before every request and tells
//! [`Session::refused`] what the admin said; it knows nothing of how a token is obtained.
//!
//! A *generation* counts the credentials of this run: a refusal, or a cookie, that belongs to an earlier one is late
//! news and changes nothing.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::{
    clock::{Clock, UnixTime},
    token::Identity,
};

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

/// There is nothing to attach: the session is not active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not signed in")]
pub struct NotSignedIn;

struct Inner {
    generation: Generation,
    current: Option<Attached>,
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

    /// From now on requests carry `attached`.
    ///
    /// `server_ahead` is the server's clock less ours, in seconds, from its `Date` header.
    pub fn begin(&self, attached: Attached, identity: Identity, server_ahead: i64) -> Generation {
        let generation = {
            let mut inner = self.inner();
            inner.generation.0 += 1;
            inner.current = Some(attached);
            inner.server_ahead = server_ahead;
            inner.generation
        };
        self.state.send_replace(SessionState::Active { identity });
        generation
    }

    /// As [`Self::begin`], for a fresh credential in the place of one that ends: a sign-in under way goes on, and the state
    /// that it would come back to is answered.
    pub fn renew(&self, attached: Attached, identity: Identity, server_ahead: i64) -> Option<SessionState> {
        if *self.state.borrow() != SessionState::SigningIn {
            self.begin(attached, identity, server_ahead);
            return None;
        }
        let mut inner = self.inner();
        inner.generation.0 += 1;
        inner.current = Some(attached);
        inner.server_ahead = server_ahead;
        Some(SessionState::Active { identity })
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
        Ok(self.begin(attached, identity, server_ahead))
    }

    /// The server's clock less ours, in seconds, as measured at the last sign-in.
    pub fn server_ahead(&self) -> i64 {
        self.inner().server_ahead
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
        Ok(Authorization {
            headers: current.headers.clone(),
            cookies: current.cookies.clone(),
            generation: inner.generation,
        })
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

    use super::{Attachment, Credential, Extras, Refusal, Session, SessionState};
    use crate::{
        clock::{ManualClock, UnixTime},
        token::Identity,
    };

    fn bearer() -> Attachment {
        Attachment { header_name: AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None }
    }

    /// The value of the one header.
    fn value(session: &Session) -> http::HeaderValue {
        session.authorize().expect("attached").headers.remove(0).1
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
        assert_eq!(value(&session), "Bearer t");
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
        assert_eq!(value(&session), "Bearer two");
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

    #[test]
    fn a_token_travels_in_a_cookie_where_the_environment_names_one_with_the_extras_beside_it() {
        let attachment = Attachment { cookie_name: Some("access".into()), ..bearer() };
        let extras = Extras::new(
            [("X-Front", SecretString::from("one"))].into_iter(),
            [("front".to_owned(), SecretString::from("two"))].into_iter(),
        );
        let extras = extras.expect("values");
        let (session, _) = session();
        let token = Credential::Token(SecretString::from("t"));
        session.begin(attachment.attach(&token, &extras).expect("attaches"), until(200), 0);
        let carried = session.authorize().expect("active");
        assert_eq!(carried.cookie_header().expect("cookies"), "front=two; access=Bearer t");
        assert_eq!(carried.headers.len(), 1);
        assert_eq!((carried.headers[0].0.as_str(), &carried.headers[0].1), ("x-front", &"one".parse().expect("value")));
        let smuggling = Credential::Token(SecretString::from("t; other=1"));
        assert!(attachment.attach(&smuggling, &Extras::default()).is_err());
    }
}
