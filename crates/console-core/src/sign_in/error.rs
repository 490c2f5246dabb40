//! Why did a sign-in not succeed? One sentence of what happened, one of what to do. Never holds a secret.

use super::{
    external_command::CommandFailure, local_signing::KeyError, login_form::LoginError, oauth::ProviderError,
    token_endpoint::EndpointError,
};
use crate::{
    session::NotAHeaderValue,
    token::{Finding, Identity, TokenTextError},
    upstream::{Outcome, Unreachable},
};

/// What to do where a refresh token is no longer good.
pub(super) const SPENT: &str = "Sign in again. Where another console or computer renews the same sign-in, each renewal ends the \
                                other's: sign in on each by itself.";

/// What to do about an error, and what to call it.
pub trait Advice: std::error::Error {
    /// Stable, for tests and styling.
    fn code(&self) -> &'static str;
    /// One sentence: what to do next.
    fn advice(&self) -> String;
    /// Whether the same may work a little later.
    fn is_transient(&self) -> bool {
        false
    }
}

/// Why a sign-in did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// What was typed is no token.
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
    #[error("the admin did not accept the credential")]
    NotAccepted {
        /// What it said.
        outcome: Outcome,
        /// What the credential says.
        identity: Box<Identity>,
    },
    /// The admin could not be asked.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The operator has to give something that is not there.
    #[error("{0} is needed to sign in")]
    Missing(String),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The token endpoint did not give a token.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The provider did not give a token, or one that is not to be trusted.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The admin's login form did not let the operator in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A command did not give a token.
    #[error(transparent)]
    Command(#[from] CommandFailure),
}

impl SignInError {
    /// Whether what renews was used up: a refresh token that rotates works once, and another console or computer may
    /// have been quicker.
    pub fn is_spent(&self) -> bool {
        matches!(
            self,
            Self::Endpoint(EndpointError::RefreshRefused { .. }) | Self::Provider(ProviderError::RefreshRefused)
        )
    }

    /// Whether the same may work a little later, without the operator.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Endpoint(error) => error.is_transient(),
            Self::Provider(error) => error.is_transient(),
            Self::Login(error) => error.is_transient(),
            Self::Command(error) => error.is_transient(),
            Self::NotValidNow { .. } | Self::NotAccepted { .. } | Self::Text(_) | Self::Missing(_) | Self::Key(_) => {
                false
            }
        }
    }
}

impl From<NotAHeaderValue> for SignInError {
    fn from(_: NotAHeaderValue) -> Self {
        Self::Text(TokenTextError::Character { position: 1 })
    }
}
