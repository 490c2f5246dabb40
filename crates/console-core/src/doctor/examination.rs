//! What is known so far, and what does the next step do with it?

use std::net::SocketAddr;

use http::{HeaderMap, Method, StatusCode, Version, header};
use secrecy::ExposeSecret;
use tokio::time::timeout;
use url::Url;
use zeroize::Zeroizing;

use super::{
    Subject, admin, claims, credential, dashboard, events, network,
    route::Route,
    signature,
    step::{Found, Step, StepId, Verdict},
    tls, token, usable,
};
use crate::{
    clock::UnixTime,
    secrets::Secrets,
    session::{Attachment, Authorization, Credential, Fresh, Kept, Session},
    sign_in::attachment,
    token::Identity,
    upstream::{Outcome, Unreachable, UnreachableKind, outcome_of, send},
};

/// A shorter value is no secret that could be told from a word.
const SHORTEST_SECRET: usize = 6;

/// What the first page said to nobody.
pub(super) struct FirstPage {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) outcome: Outcome,
    /// Our clock when it came.
    pub(super) came_at: UnixTime,
}

impl FirstPage {
    /// Where it redirects to.
    pub(super) fn target(&self) -> Option<Url> {
        let target = self.headers.get(header::LOCATION).filter(|_| self.status.is_redirection())?;
        self.url.join(target.to_str().ok()?).ok()
    }
}

/// One run of the doctor.
pub(super) struct Examination<'s> {
    pub(super) subject: &'s Subject,
    pub(super) route: Route,
    /// Of the first host on the way.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) first_page: Option<FirstPage>,
    /// What the first page says to the credential.
    page: Option<Result<Outcome, Unreachable>>,
    /// Steps that hold up others, and why.
    stopped: Vec<(StepId, String)>,
    secrets: Vec<Zeroizing<String>>,
}

impl<'s> Examination<'s> {
    pub(super) fn new(subject: &'s Subject) -> Self {
        Self {
            subject,
            route: Route::of(&subject.environment, &subject.network),
            addresses: Vec::new(),
            first_page: None,
            page: None,
            stopped: Vec::new(),
            secrets: secrets_of(subject),
        }
    }

    /// Does one step, if what it needs is there.
    pub(super) async fn step(&mut self, id: StepId) -> Step {
        let stopped = self.stopped.iter().find(|(needed, _)| id.needs().contains(needed));
        let found = match stopped.map(|(_, why)| why.clone()) {
            Some(why) => Found::stopped(why),
            None => timeout(id.patience(), self.look(id)).await.unwrap_or_else(|_| {
                let seconds = id.patience().as_secs();
                Found::failed(format!("It did not come to an end within {seconds} seconds."), "Try again.")
            }),
        };
        let why = match found.verdict {
            Verdict::Failed => Some(format!("Not looked at, because of an earlier step: {}.", id.title())),
            _ => found.stops,
        };
        self.stopped.extend(why.map(|why| (id, why)));
        Step { id, verdict: found.verdict, finding: self.cleared(&found.finding), advice: self.cleared(&found.advice) }
    }

    async fn look(&mut self, id: StepId) -> Found {
        match id {
            StepId::Settings => usable::settings(self),
            StepId::Dns => network::names(self).await,
            StepId::Tcp => network::connections(self).await,
            StepId::Proxy => network::proxy(self).await,
            StepId::Tls => tls::certificate(self).await,
            StepId::Http => admin::http(self).await,
            StepId::Mount => admin::mount(self).await,
            StepId::Login => admin::login(self),
            StepId::Attachment => credential::attachment(self).await,
            StepId::Token => token::shape(self),
            StepId::Algorithm => token::algorithm(self),
            StepId::Signature => signature::signature(self).await,
            StepId::Issuer => claims::issuer(self),
            StepId::Audience => claims::audience(self),
            StepId::Times => claims::times(self),
            StepId::Subject => claims::subject(self),
            StepId::Admin => claims::admin(self),
            StepId::Accepted => credential::accepted(self).await,
            StepId::Health => dashboard::health(self).await,
            StepId::Ready => dashboard::ready(self).await,
            StepId::SameOrigin => dashboard::same_origin(self).await,
            StepId::Events => events::live(self).await,
        }
    }

    /// What requests carry, as this environment carries it.
    pub(super) fn authorization(&self) -> Option<Authorization> {
        self.carried_by(&attachment(&self.subject.environment))
    }

    /// What requests carry, carried in another way.
    pub(super) fn carried_by(&self, attachment: &Attachment) -> Option<Authorization> {
        let signed_in = self.subject.signed_in.as_ref()?;
        let attached = attachment.attach(&signed_in.credential, self.subject.reach.extras()).ok()?;
        // A session of its own, that takes no notice of what the token says: an expired one is tried, too.
        let trial = Session::new(self.subject.clock.clone());
        let identity = Identity::default();
        trial.begin(Fresh { attached, identity, server_ahead: 0, renewable: false }, Kept::Typed);
        trial.authorize().ok()
    }

    /// What the first page says to the credential; asked once. `None` without a credential.
    pub(super) async fn page(&mut self) -> Option<Result<Outcome, Unreachable>> {
        if self.page.is_none() {
            let authorization = self.authorization()?;
            self.page = Some(self.page_for(&authorization).await);
        }
        self.page.clone()
    }

    /// What the first page said to the credential, if that was asked.
    pub(super) fn known_page(&self) -> Option<&Outcome> {
        self.page.as_ref()?.as_ref().ok()
    }

    /// What the first page says to this.
    pub(super) async fn page_for(&self, authorization: &Authorization) -> Result<Outcome, Unreachable> {
        let Subject { environment, reach, .. } = self.subject;
        outcome_of(environment, Method::GET, "/", reach, authorization).await
    }

    /// Why there is no credential, where there is none.
    pub(super) fn no_credential(&self) -> &'static str {
        if self.subject.left_out.is_empty() {
            "There is no credential at hand: sign in in the window."
        } else {
            "No credential is sent, because of an earlier step: Settings."
        }
    }

    /// Whether the admin lets anybody in.
    pub(super) fn is_open(&self) -> bool {
        self.first_page.as_ref().is_some_and(|page| page.status.is_success())
    }

    /// Asks for something below the mount prefix, with the credential if there is one.
    pub(super) async fn ask(&self, method: Method, path: &str) -> Result<reqwest::Response, Unreachable> {
        let Subject { environment, reach, .. } = self.subject;
        send(reach, environment, method, path, self.authorization().as_ref()).await
    }

    /// Without any secret that a server may have sent back to us, or that a library may have put into its words.
    fn cleared(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"))
    }
}

/// All that must not be shown.
fn secrets_of(subject: &Subject) -> Vec<Zeroizing<String>> {
    let of = |secrets: &Secrets| secrets.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let mut secrets = of(&subject.network);
    if let Some(signed_in) = &subject.signed_in {
        match &signed_in.credential {
            Credential::Token(token) => secrets.push(token.clone()),
            Credential::Headers(headers) => secrets.extend(headers.iter().map(|(_, value)| value.clone())),
            Credential::Cookies(cookies) => secrets.extend(cookies.iter().map(|(_, value)| value.clone())),
            Credential::Nothing => {}
        }
        let hidden = |name: &str| !NOT_SECRET.contains(&name);
        secrets.extend(of(&signed_in.kept.clone().only(hidden)));
    }
    let long = secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST_SECRET);
    long.map(|secret| Zeroizing::new(secret.to_owned())).collect()
}

/// What the vault keeps beside the secrets, to be shown.
const NOT_SECRET: [&str; 4] = ["user", "subject", "name", "expires_at"];

/// What to do about a way that leads nowhere.
pub(super) fn advice_for(kind: UnreachableKind) -> &'static str {
    match kind {
        UnreachableKind::Dns => "Check the base URL, and whether a VPN must be on.",
        UnreachableKind::Connect => "Check the port in the base URL, and whether the admin runs and a VPN must be on.",
        UnreachableKind::Proxy => {
            "Check the proxy in the environment's network settings, or the system's, and its user name and password."
        }
        UnreachableKind::Tls => "Show this to the admin's administrator.",
        UnreachableKind::TimedOut => "Check whether a VPN must be on, or whether a firewall lies in between.",
        UnreachableKind::Broken => "Show this to whoever runs what stands in front of the admin.",
    }
}
