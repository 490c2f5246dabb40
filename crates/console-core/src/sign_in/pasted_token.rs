//! Signs in with a token that the operator pasted, or one that the vault kept.
//!
//! 1. Clean the text.
//! 2. Ask the server for its time, without a credential.
//! 3. Read the token and collect the findings by that time; a fatal one ends it, others ask.
//! 4. Try the token at the admin. Only then may it be stored.

use std::fmt;

use reqwest::Client;
use secrecy::SecretString;

use crate::{
    clock::Clock,
    environment::Environment,
    session::{Attachment, NotAHeaderValue, Session},
    token::{Finding, Identity, TokenTextError, from_pasted_text},
    upstream::{Outcome, ProbeReport, Unreachable, probe, server_time},
};

/// A token that was read, and not yet tried.
pub struct Candidate {
    /// The token.
    pub token: SecretString,
    /// What it says.
    pub identity: Identity,
    /// The server's clock less ours, in seconds.
    pub server_ahead: i64,
    /// What the operator should hear first; none is fatal.
    pub findings: Vec<Finding>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("findings", &self.findings).finish_non_exhaustive()
    }
}

/// Why a token was not accepted. Never holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The text is no token.
    #[error(transparent)]
    Text(#[from] TokenTextError),
    /// The admin is bound to refuse it.
    #[error("the token is not valid now")]
    NotValidNow {
        /// Why.
        finding: Finding,
        /// What it says.
        identity: Box<Identity>,
        /// The server's clock less ours, in seconds.
        server_ahead: i64,
    },
    /// The admin was asked and did not let it in.
    #[error("the admin did not accept the token")]
    NotAccepted {
        /// What it said.
        outcome: Outcome,
        /// What the token says.
        identity: Box<Identity>,
    },
    /// The admin could not be asked.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

impl From<NotAHeaderValue> for SignInError {
    fn from(_: NotAHeaderValue) -> Self {
        Self::Text(TokenTextError::Character { position: 1 })
    }
}

/// Reads pasted text.
///
/// # Errors
/// [`SignInError::Text`], [`SignInError::NotValidNow`], [`SignInError::Unreachable`].
pub async fn read(
    client: &Client,
    environment: &Environment,
    clock: &dyn Clock,
    text: &SecretString,
) -> Result<Candidate, SignInError> {
    let token = from_pasted_text(secrecy::ExposeSecret::expose_secret(text), &environment.scheme)?;
    examine(client, environment, clock, token).await
}

/// Reads a token that is clean already, such as one from the vault.
///
/// # Errors
/// [`SignInError::NotValidNow`], [`SignInError::Unreachable`].
pub async fn examine(
    client: &Client,
    environment: &Environment,
    clock: &dyn Clock,
    token: SecretString,
) -> Result<Candidate, SignInError> {
    let identity = Identity::read(&token);
    let before = clock.now();
    let server_now = server_time(client, environment).await?;
    let server_ahead = server_now.map_or(0, |server| plausible_skew(server.seconds_since(before)));
    let now = clock.now().plus(server_ahead);
    let findings = identity.findings(now);
    if let Some(finding) = findings.iter().copied().find(|finding| finding.is_fatal()) {
        return Err(SignInError::NotValidNow { finding, identity: Box::new(identity), server_ahead });
    }
    Ok(Candidate { token, identity, server_ahead, findings })
}

/// `Date` has whole seconds, and the answer took a moment: a difference of two seconds says nothing.
fn plausible_skew(seconds: i64) -> i64 {
    if seconds.abs() <= 2 { 0 } else { seconds }
}

/// Tries `candidate` at the admin.
///
/// # Errors
/// [`SignInError::NotAccepted`], [`SignInError::Unreachable`].
pub async fn try_at_admin(
    client: &Client,
    environment: &Environment,
    clock: std::sync::Arc<dyn Clock>,
    candidate: &Candidate,
) -> Result<ProbeReport, SignInError> {
    // A session of its own: the environment's is not active before the admin has said yes.
    let trial = Session::new(clock);
    trial.activate(&attachment(environment), &candidate.token, candidate.identity.clone(), candidate.server_ahead)?;
    let not_accepted = |outcome| SignInError::NotAccepted { outcome, identity: Box::new(candidate.identity.clone()) };
    let authorization = trial.authorize().map_err(|_| not_accepted(Outcome::GateRefused))?;
    let report = probe(client, environment, &authorization).await?;
    match report.page {
        Outcome::Answered => Ok(report),
        refused => Err(not_accepted(refused)),
    }
}

/// How this environment carries a token.
pub fn attachment(environment: &Environment) -> Attachment {
    Attachment { header_name: environment.header_name.clone(), scheme: environment.scheme.clone() }
}
