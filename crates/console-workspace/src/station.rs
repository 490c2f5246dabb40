//! One environment at run time: its session, its gateway, and what the shell shows of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use console_core::{
    clock::{Clock, UnixTime},
    environment::Environment,
    session::{Session, SessionState},
    sign_in::pasted_token::Candidate,
    token::Identity,
    upstream,
};
use console_gateway::Gateway;
use console_ipc::{
    ConnectionView, EnvironmentDraft, EnvironmentView, IdentityView, PageView, Problem, SessionView,
    StoredCredentialView,
};
use url::Url;

use crate::words;

/// A token that was read and waits for the operator's word.
pub(crate) struct Pending {
    pub(crate) attempt: String,
    pub(crate) candidate: Candidate,
}

/// The remote side, as last heard.
#[derive(Debug, Clone)]
pub(crate) enum Connection {
    Fine,
    Unreachable { since: UnixTime, problem: Problem },
    Impaired(Problem),
}

/// One environment at run time.
pub(crate) struct Station {
    pub(crate) environment: Environment,
    pub(crate) client: upstream::Client,
    pub(crate) session: Arc<Session>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) connection: Connection,
    pub(crate) stored: StoredCredentialView,
    pub(crate) page: Option<PageView>,
    /// Counts sign-ins: what belongs to an earlier one comes too late.
    pub(crate) sign_in_run: u64,
    /// Where the session stood before the sign-in under way.
    pub(crate) before_sign_in: Option<SessionState>,
    pub(crate) pending: Option<Pending>,
    /// Where a page wanted to go after the sign-in.
    pub(crate) next: Option<String>,
    /// Who used the dashboard that is open.
    pub(crate) operator: Option<Identity>,
    /// Why the last restore or stored sign-in failed.
    pub(crate) problem: Option<Problem>,
    pub(crate) last_opened_outside: Option<Instant>,
}

impl Station {
    pub(crate) fn new(environment: Environment, clock: Arc<dyn Clock>) -> Result<Self, upstream::ClientError> {
        Ok(Self {
            client: upstream::client(&environment)?,
            environment,
            session: Arc::new(Session::new(clock)),
            gateway: None,
            connection: Connection::Fine,
            stored: StoredCredentialView::None,
            page: None,
            sign_in_run: 0,
            before_sign_in: None,
            pending: None,
            next: None,
            operator: None,
            problem: None,
            last_opened_outside: None,
        })
    }

    /// Whether a link may open outside without asking: one at a time.
    pub(crate) fn may_open_outside(&mut self, now: Instant) -> bool {
        let quiet = self.last_opened_outside.is_none_or(|last| now.duration_since(last) > Duration::from_secs(1));
        self.last_opened_outside = Some(now);
        quiet
    }

    /// The admin's real address of a page of the gateway.
    pub(crate) fn real_address(&self, url: &Url) -> Option<Url> {
        if url.origin() != self.gateway.as_ref()?.origin().origin() || url.path().starts_with("/.console/") {
            return None;
        }
        let mut real = self.environment.base_url.as_url().clone();
        real.set_path(url.path());
        real.set_query(url.query());
        real.set_fragment(url.fragment());
        Some(real)
    }

    pub(crate) fn view(&self) -> EnvironmentView {
        EnvironmentView {
            id: self.environment.id.to_string(),
            draft: draft(&self.environment),
            session: self.session_view(),
            connection: match &self.connection {
                Connection::Fine => ConnectionView::Fine,
                Connection::Unreachable { since, problem } => {
                    ConnectionView::Unreachable { since: since.as_millis(), problem: problem.clone() }
                }
                Connection::Impaired(problem) => ConnectionView::Impaired { problem: problem.clone() },
            },
            stored_credential: self.stored.clone(),
            page: self.page.clone(),
        }
    }

    fn session_view(&self) -> SessionView {
        let tag = &self.environment.tag;
        match self.session.state() {
            SessionState::SignedOut => SessionView::SignedOut { problem: self.problem.clone() },
            SessionState::SigningIn => SessionView::SigningIn,
            SessionState::Active { identity } => SessionView::Active {
                expires_at: identity.expires_at.map(UnixTime::as_millis),
                identity: identity_view(&identity),
            },
            SessionState::Expired { identity, at } => {
                SessionView::Expired { at: at.as_millis(), identity: identity_view(&identity) }
            }
            SessionState::Refused { identity, refusal } => SessionView::Refused {
                problem: words::refusal(refusal, Some(&identity), tag),
                identity: identity_view(&identity),
            },
        }
    }
}

pub(crate) fn identity_view(identity: &Identity) -> IdentityView {
    IdentityView {
        display_name: identity.display_name().to_owned(),
        subject: identity.subject.clone(),
        issuer: identity.issuer.clone(),
        audience: identity.audience.clone(),
        roles: identity.roles.clone(),
        admin: identity.admin,
        issued_at: identity.issued_at.map(UnixTime::as_millis),
        expires_at: identity.expires_at.map(UnixTime::as_millis),
        opaque: identity.opaque,
    }
}

/// An environment as the editor shows it.
pub(crate) fn draft(environment: &Environment) -> EnvironmentDraft {
    EnvironmentDraft {
        name: environment.name.clone(),
        base_url: environment.base_url.to_string(),
        tag: environment.tag.clone(),
        accent: crate::convert::accent_view(environment.accent),
        login_path: environment.login_path.clone(),
        header_name: environment.header_name.to_string(),
        scheme: environment.scheme.clone(),
        allow_plain_http: environment.allow_plain_http,
        protection: crate::convert::protection_view(environment.protection),
    }
}
