//! Is a credential good? Read by the server's clock, then tried at the admin, before anything is stored.

use super::{Context, Grant, SignInError};
use crate::{
    environment::Environment,
    network::secret,
    secrets::Secrets,
    session::{Attachment, Credential, Extras, Fresh, Kept, NotAHeaderValue, Session},
    token::{Finding, Identity},
    upstream::{Outcome, ProbeReport, probe, server_time},
};

/// A credential that was read, and not yet tried.
#[derive(Debug)]
pub struct Examined {
    /// What was obtained.
    pub grant: Grant,
    /// The server's clock less ours, in seconds.
    pub server_ahead: i64,
    /// What the operator should hear first; none is fatal.
    pub findings: Vec<Finding>,
}

/// Reads what was obtained by the server's clock.
///
/// # Errors
/// [`SignInError::NotValidNow`], [`SignInError::Unreachable`].
pub async fn examine(with: &Context<'_>, grant: Grant) -> Result<Examined, SignInError> {
    let before = with.clock.now();
    let server_now = server_time(with.reach, with.environment).await?;
    let server_ahead = server_now.map_or(0, |server| plausible_skew(server.seconds_since(before)));
    let now = with.clock.now().plus(server_ahead);
    let findings = match grant.credential {
        Credential::Token(_) => grant.identity.findings(now),
        Credential::Headers(_) | Credential::Cookies(_) | Credential::Nothing => Vec::new(),
    };
    if let Some(finding) = findings.iter().copied().find(|finding| finding.is_fatal()) {
        return Err(SignInError::NotValidNow { finding, identity: Box::new(grant.identity), server_ahead });
    }
    Ok(Examined { grant, server_ahead, findings })
}

/// `Date` has whole seconds, and the answer took a moment: a difference of two seconds says nothing.
pub fn plausible_skew(seconds: i64) -> i64 {
    if seconds.abs() <= 2 { 0 } else { seconds }
}

/// Tries it at the admin.
///
/// # Errors
/// [`SignInError::NotAccepted`], [`SignInError::Unreachable`].
pub async fn try_at_admin(with: &Context<'_>, examined: &Examined) -> Result<ProbeReport, SignInError> {
    let identity = &examined.grant.identity;
    // A session of its own: the environment's is not active before the admin has said yes.
    let trial = Session::new(with.clock.clone());
    let attached = attachment(with.environment).attach(&examined.grant.credential, with.reach.extras())?;
    trial.begin(
        Fresh { attached, identity: identity.clone(), server_ahead: examined.server_ahead, renewable: false },
        Kept::Typed,
    );
    let not_accepted = |outcome| SignInError::NotAccepted { outcome, identity: Box::new(identity.clone()) };
    let authorization = trial.authorize().map_err(|_| not_accepted(Outcome::GateRefused))?;
    let report = probe(with.reach, with.environment, &authorization).await?;
    match report.page {
        Outcome::Answered => Ok(report),
        refused => Err(not_accepted(refused)),
    }
}

/// How this environment carries a token.
pub fn attachment(environment: &Environment) -> Attachment {
    Attachment {
        header_name: environment.header_name.clone(),
        scheme: environment.scheme.clone(),
        cookie_name: Some(environment.cookie_name.clone()).filter(|name| !name.is_empty()),
    }
}

/// The environment's extra headers and cookies, with the values that the vault holds.
///
/// # Errors
/// [`NotAHeaderValue`] when a value cannot stand in a header.
pub fn extras(environment: &Environment, network: &Secrets) -> Result<Extras, NotAHeaderValue> {
    let value = |beginning: &str, name: &String| network.get(&format!("{beginning}{name}")).cloned();
    let names = &environment.network;
    let headers = names.extra_headers.iter().filter_map(|name| Some((name.as_str(), value(secret::HEADER, name)?)));
    let cookies = names.extra_cookies.iter().filter_map(|name| Some((name.clone(), value(secret::COOKIE, name)?)));
    Extras::new(headers, cookies)
}

impl Grant {
    /// A token, read without trusting it. Where it does not say when it ends, `expires_at` does.
    pub fn token(token: secrecy::SecretString, expires_at: Option<crate::clock::UnixTime>, keep: Secrets) -> Self {
        let mut identity = Identity::read(&token);
        identity.expires_at = identity.expires_at.or(expires_at);
        Self { credential: Credential::Token(token), identity, keep }
    }
}
