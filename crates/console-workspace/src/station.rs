//! One environment at run time: its session, its gateway, and what the shell shows of it.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use console_core::{
    approval::Approval,
    clock::{Clock, UnixTime},
    environment::Environment,
    secrets::Secrets,
    session::{Credential, Session, SessionState},
    sign_in::{Ask, Examined, Step},
    third_party::ThirdParties,
    token::Identity,
    tunnel::Tunnel,
    upstream::Reach,
};
use console_gateway::{Blocked, Gateway};
use console_ipc::{
    ApprovalView, ClaimView, ConnectionView, CredentialView, EnvironmentDraft, EnvironmentView, IdentityView, PageView,
    Problem, SessionView, StepView, StoredCredentialView,
};
use tokio::sync::Notify;
use url::Url;

use crate::{doctor::Doctor, words};

/// A credential that was obtained and waits for the operator's word.
pub(crate) struct Pending {
    pub(crate) attempt: String,
    pub(crate) examined: Examined,
    pub(crate) way: Way,
}

/// How the remote side is reached with one sign-in, and what the vault keeps of that.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) reach: Reach,
    pub(crate) network: Secrets,
    /// Runs as long as somebody goes this way.
    pub(crate) _tunnel: Option<Arc<Tunnel>>,
}

/// The credential in use, as far as the shell and the renewal are concerned.
pub(crate) struct Granted {
    /// Which credential this is: what was obtained for an earlier one comes too late.
    pub(crate) run: u64,
    pub(crate) credential: Credential,
    /// What the vault holds for it.
    pub(crate) keep: Secrets,
    pub(crate) obtained_at: UnixTime,
    pub(crate) renewed_at: Option<UnixTime>,
    /// When a fresh one is to be obtained, by the server's clock; `None`: it does not end by itself.
    pub(crate) renew_at: Option<UnixTime>,
    /// The vault does not hold the newest of it yet: the keychain did not take it.
    pub(crate) unkept: bool,
}

/// What the admin did not accept, and the secrets of the way on which that was.
pub(crate) struct Tried {
    pub(crate) credential: Credential,
    pub(crate) identity: Identity,
    pub(crate) network: Secrets,
}

/// The remote side, as last heard.
#[derive(Debug, Clone)]
pub(crate) enum Connection {
    Fine,
    Stalled { since: UnixTime, problem: Problem },
    Impaired(Problem),
}

/// One environment at run time.
pub(crate) struct Station {
    pub(crate) environment: Environment,
    pub(crate) session: Arc<Session>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) connection: Connection,
    pub(crate) stored: StoredCredentialView,
    pub(crate) page: Option<PageView>,
    /// Counts sign-ins: what belongs to an earlier one comes too late.
    pub(crate) sign_in_run: u64,
    /// Ends the sign-in under way.
    pub(crate) cancel: Arc<Notify>,
    /// What the sign-in under way waits for.
    pub(crate) step: Option<Step>,
    pub(crate) pending: Option<Pending>,
    /// The way of the credential in use.
    pub(crate) way: Option<Way>,
    pub(crate) granted: Option<Granted>,
    /// When the next renewal may be tried; after a failure this grows.
    pub(crate) renew_not_before: Option<Instant>,
    pub(crate) renew_failures: u32,
    /// Requests wait since the last renewal: the pauses are those of an outage.
    pub(crate) renewal_pressed: bool,
    /// Why there is no renewal yet, where it is not that somebody was not reached.
    pub(crate) away: Option<Problem>,
    /// A page asked for the sign-in or the sign-out, and waits for what becomes of it.
    pub(crate) page_asked: bool,
    /// A navigation was answered so that the page stays: its live updates have ended.
    pub(crate) page_asleep: bool,
    /// Wakes whoever watches the session: the clock jumped, or the network is another.
    pub(crate) look: Arc<Notify>,
    /// Names of what the vault holds, for the sign-in form.
    pub(crate) known_secrets: Vec<String>,
    /// What of the environment waits for approval.
    pub(crate) approvals: Vec<Approval>,
    /// Whom its pages may load from besides the admin.
    pub(crate) third_parties: ThirdParties,
    /// What pages wanted of others since the dashboard was opened, and did not get.
    pub(crate) kept_out: BTreeSet<Blocked>,
    /// Where a page wanted to go after the sign-in.
    pub(crate) next: Option<String>,
    /// Who used the dashboard that is open.
    pub(crate) operator: Option<Identity>,
    /// Why the last restore or stored sign-in failed.
    pub(crate) problem: Option<Problem>,
    pub(crate) last_opened_outside: Option<Instant>,
    /// What the admin did not accept in the last sign-in, for the doctor; forgotten with the next one.
    pub(crate) tried: Option<Tried>,
    /// While its panel is open.
    pub(crate) doctor: Option<Doctor>,
}

impl Station {
    pub(crate) fn new(environment: Environment, clock: Arc<dyn Clock>, run: u64) -> Self {
        Self {
            environment,
            session: Arc::new(Session::new(clock)),
            gateway: None,
            connection: Connection::Fine,
            stored: StoredCredentialView::None,
            page: None,
            sign_in_run: run,
            cancel: Arc::default(),
            step: None,
            pending: None,
            way: None,
            granted: None,
            renew_not_before: None,
            renew_failures: 0,
            renewal_pressed: false,
            away: None,
            page_asked: false,
            page_asleep: false,
            look: Arc::default(),
            known_secrets: Vec::new(),
            approvals: Vec::new(),
            third_parties: ThirdParties::default(),
            kept_out: BTreeSet::new(),
            next: None,
            operator: None,
            problem: None,
            last_opened_outside: None,
            tried: None,
            doctor: None,
        }
    }

    /// What a sign-in asks for: the network's secrets, then the method's.
    fn asks(&self) -> Vec<Ask> {
        let network = self.environment.network.asks();
        let method = self.environment.sign_in.implementation().asks();
        let stored = |key: &str| {
            let key = match key {
                console_core::network::secret::CLIENT_KEY | console_core::network::secret::CLIENT_KEY_PASSWORD => {
                    console_core::network::secret::CLIENT_IDENTITY
                }
                key => key,
            };
            self.known_secrets.iter().any(|known| known == key)
        };
        network.into_iter().chain(method).map(|ask| Ask { stored: stored(&ask.key), ..ask }).collect()
    }

    fn credential_view(&self, keychain: bool) -> Option<CredentialView> {
        let granted = self.granted.as_ref()?;
        let environment = &self.environment;
        let carried_by = match &granted.credential {
            Credential::Token(_) if !environment.cookie_name.is_empty() => {
                format!("Cookie: {}", environment.cookie_name)
            }
            Credential::Token(_) if environment.scheme.is_empty() => format!("{}: …", environment.header_name),
            Credential::Token(_) => format!("{}: {} …", environment.header_name, environment.scheme),
            Credential::Headers(headers) => {
                headers.iter().map(|(name, _)| format!("{name}: …")).collect::<Vec<_>>().join(", ")
            }
            Credential::Cookies(cookies) => {
                let names: Vec<_> = cookies.iter().map(|(name, _)| name.as_str()).collect();
                format!("Cookie: {}", names.join(", "))
            }
            Credential::Nothing => "nothing".to_owned(),
        };
        let kept_in = match (granted.keep.is_empty(), keychain) {
            (true, _) => "nowhere",
            (false, true) => "keychain",
            (false, false) => "memory",
        };
        Some(CredentialView {
            carried_by,
            kept_in: kept_in.to_owned(),
            obtained_at: granted.obtained_at.as_millis(),
            renewed_at: granted.renewed_at.map(UnixTime::as_millis),
            renews: self.session.is_renewable(),
            copyable: environment.allow_token_copy && matches!(granted.credential, Credential::Token(_)),
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

    /// `keychain`: whether there is one. `now` is this computer's.
    pub(crate) fn view(&self, keychain: bool, now: UnixTime) -> EnvironmentView {
        EnvironmentView {
            id: self.environment.id.to_string(),
            draft: draft(&self.environment),
            session: self.session_view(),
            connection: match &self.connection {
                Connection::Fine => ConnectionView::Fine,
                Connection::Stalled { since, problem } => {
                    ConnectionView::Stalled { since: since.as_millis(), problem: problem.clone() }
                }
                Connection::Impaired(problem) => ConnectionView::Impaired { problem: problem.clone() },
            },
            stored_credential: self.stored.clone(),
            page: self.page.clone(),
            asks: self.asks(),
            approvals: self
                .approvals
                .iter()
                .map(|one| ApprovalView { kind: one.kind.to_owned(), shown: one.shown.clone() })
                .collect(),
            credential: self.credential_view(keychain),
            history: self.session.history().iter().map(|entry| words::history(entry, &self.environment)).collect(),
            held: self.held(now),
            on_their_way: self.on_their_way(),
            third_parties: self.third_party_views(),
            doctor: self.doctor.as_ref().map(Doctor::view),
        }
    }

    fn session_view(&self) -> SessionView {
        match self.session.state() {
            SessionState::SignedOut => SessionView::SignedOut { problem: self.problem.clone() },
            SessionState::SigningIn => SessionView::SigningIn { step: self.step.as_ref().map(step_view) },
            SessionState::Active { identity } => {
                SessionView::Active { expires_at: expires_at(&identity), identity: identity_view(&identity) }
            }
            SessionState::Renewing { identity, waits } => {
                let identity = identity.unwrap_or_default();
                SessionView::Renewing { expires_at: expires_at(&identity), identity: identity_view(&identity), waits }
            }
            SessionState::Unreachable { identity, since, why } => SessionView::Unreachable {
                since: since.as_millis(),
                problem: self.away.clone().unwrap_or_else(|| words::not_reached(&why, &self.environment)),
                expires_at: identity.as_ref().and_then(expires_at),
                identity: identity.as_ref().map(identity_view),
            },
            SessionState::Expired { identity, at } => SessionView::Expired {
                at: at.as_millis(),
                identity: identity_view(&identity),
                problem: self.problem.clone(),
            },
            SessionState::Refused { identity, refusal } => SessionView::Refused {
                problem: words::refusal(refusal, Some(&identity), &self.environment),
                identity: identity_view(&identity),
            },
        }
    }
}

fn expires_at(identity: &Identity) -> Option<f64> {
    identity.expires_at.map(UnixTime::as_millis)
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
        claims: fields(&identity.claims),
        header: fields(&identity.header),
    }
}

fn fields(map: &serde_json::Map<String, serde_json::Value>) -> Vec<ClaimView> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.iter().map(|(name, value)| ClaimView { name: name.clone(), value: text(value) }).collect()
}

fn step_view(step: &Step) -> StepView {
    match step {
        Step::Browser { url, until } => StepView::Browser { url: url.to_string(), until: until.as_millis() },
        Step::DeviceCode { user_code, verification_uri, verification_uri_complete, until } => StepView::DeviceCode {
            user_code: user_code.clone(),
            verification_uri: verification_uri.to_string(),
            verification_uri_complete: verification_uri_complete.as_ref().map(ToString::to_string),
            until: until.as_millis(),
        },
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
        cookie_name: environment.cookie_name.clone(),
        expected_issuer: environment.expected_issuer.clone(),
        expected_audience: environment.expected_audience.clone(),
        sign_in: environment.sign_in.clone(),
        network: environment.network.clone(),
        allow_token_copy: environment.allow_token_copy,
        allow_plain_http: environment.allow_plain_http,
        protection: crate::convert::protection_view(environment.protection),
    }
}
