//! How is a credential obtained? One file per method; this one is the registry.
//!
//! A sign-in goes through the same steps whatever the method:
//!
//! 1. [`SignIn::asks`] tells what the operator has to give; what the vault holds need not be typed again.
//! 2. [`SignIn::obtain`] turns the answers into a [`Grant`]: what to attach, who that is, what to keep.
//! 3. [`examine`] reads a token by the server's clock: what is fatal ends it, what is strange asks.
//! 4. [`try_at_admin`] asks the admin. Only then is anything stored, and the session begins.
//!
//! Later [`SignIn::restore`] makes the same of what was kept without asking anybody, [`SignIn::renew`] without the
//! operator, and [`SignIn::end`] tells the other side that it is over.

mod ask;
mod error;
mod trial;

pub mod client_credentials;
pub mod device_code;
pub mod external_command;
pub mod fixed_headers;
pub mod local_signing;
pub mod login_form;
pub mod none;
pub mod oauth;
pub mod openid_connect;
pub mod pasted_token;
pub mod token_endpoint;

use std::{fmt, sync::Arc};

use futures_util::future::{self, BoxFuture};
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Clock, UnixTime},
    command_line::CommandLine,
    environment::{Environment, FieldError},
    secrets::Secrets,
    session::Credential,
    token::Identity,
    upstream::Reach,
};

pub use ask::{Ask, AskKind};
pub use error::{Advice, SignInError};
pub(crate) use oauth::error::{shown, shown_address};
pub use trial::{Examined, attachment, examine, extras, plausible_skew, try_at_admin};

/// The name under which a token is kept.
pub const TOKEN: &str = "token";

/// How a credential is obtained, with the settings of that way. No secret is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(rename = "SignInMethod"))]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Method {
    /// The operator pastes a token.
    #[default]
    PastedToken,
    /// The console signs tokens itself.
    LocalSigning(local_signing::LocalSigning),
    /// A user name and a password are exchanged for a token.
    TokenEndpoint(token_endpoint::TokenEndpoint),
    /// `OpenID` Connect with the system's browser.
    #[serde(rename = "openid_connect")]
    OpenIdConnect(openid_connect::OpenIdConnect),
    /// OAuth 2.0 device authorization.
    DeviceCode(device_code::DeviceCode),
    /// OAuth 2.0 client credentials.
    ClientCredentials(client_credentials::ClientCredentials),
    /// The admin's own login form.
    LoginForm(login_form::LoginForm),
    /// Headers with fixed values.
    FixedHeaders(fixed_headers::FixedHeaders),
    /// A command prints a token.
    ExternalCommand(external_command::ExternalCommand),
    /// The admin is open.
    None,
}

impl Method {
    /// The registry: what does it.
    pub fn implementation(&self) -> &dyn SignIn {
        match self {
            Self::PastedToken => &pasted_token::PastedToken,
            Self::LocalSigning(settings) => settings,
            Self::TokenEndpoint(settings) => settings,
            Self::OpenIdConnect(settings) => settings,
            Self::DeviceCode(settings) => settings,
            Self::ClientCredentials(settings) => settings,
            Self::LoginForm(settings) => settings,
            Self::FixedHeaders(settings) => settings,
            Self::ExternalCommand(settings) => settings,
            Self::None => &none::Open,
        }
    }

    /// Its name, as the environments' file has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PastedToken => "pasted_token",
            Self::LocalSigning(_) => "local_signing",
            Self::TokenEndpoint(_) => "token_endpoint",
            Self::OpenIdConnect(_) => "openid_connect",
            Self::DeviceCode(_) => "device_code",
            Self::ClientCredentials(_) => "client_credentials",
            Self::LoginForm(_) => "login_form",
            Self::FixedHeaders(_) => "fixed_headers",
            Self::ExternalCommand(_) => "external_command",
            Self::None => "none",
        }
    }

    /// Without white space around what was typed.
    #[must_use]
    pub fn tidied(&self) -> Self {
        self.implementation().tidied()
    }
}

/// What a method works with.
pub struct Context<'c> {
    /// What the operator said about the environment.
    pub environment: &'c Environment,
    /// The ways to the admin and to the provider.
    pub reach: &'c Reach,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Shows the operator what the sign-in waits for.
    pub operator: &'c dyn Operator,
}

/// Shows the operator what a sign-in waits for. Cancelling drops the sign-in's future, and with it everything it holds.
pub trait Operator: Send + Sync {
    /// From now on it waits for this.
    fn show(&self, step: Step);
}

/// What a sign-in under way waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The operator, in the system's browser, at this address (single use, lives minutes).
    Browser {
        /// To be opened, or copied by hand.
        url: url::Url,
        /// When the console stops waiting.
        until: UnixTime,
    },
    /// The operator, on any device (RFC 8628).
    DeviceCode {
        /// To be typed there.
        user_code: String,
        /// Where to type it.
        verification_uri: url::Url,
        /// The same with the code in it, for a QR code.
        verification_uri_complete: Option<url::Url>,
        /// When the code ends.
        until: UnixTime,
    },
}

/// What a method obtained.
pub struct Grant {
    /// What is attached to every request inside the realm.
    pub credential: Credential,
    /// Who that is, and until when.
    pub identity: Identity,
    /// What the vault shall hold, whole: what was kept before and is not in here is gone.
    pub keep: Secrets,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// One method. Implemented by its settings.
pub trait SignIn: Send + Sync {
    /// The settings without white space around what was typed.
    fn tidied(&self) -> Method;

    /// All that is wrong with the settings, field by field (`sign_in.<field>`).
    fn check(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// What the operator is asked for.
    fn asks(&self) -> Vec<Ask>;

    /// Where its secrets go besides the realm: the token endpoint or the issuer.
    fn endpoint(&self) -> Option<String> {
        None
    }

    /// The command that it runs, which the operator must have approved.
    fn command(&self) -> Option<&CommandLine> {
        None
    }

    /// Obtains a credential, perhaps with the operator's help. `secrets` are the answers, over what was kept.
    ///
    /// # Errors
    /// [`SignInError`]: what happened, and what to do.
    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>>;

    /// What was kept is a credential already. Asks nobody.
    fn restore(&self, kept: &Secrets, now: UnixTime) -> Option<Grant>;

    /// Whether [`Self::renew`] can work with what was kept.
    fn can_renew(&self, kept: &Secrets) -> bool;

    /// Obtains a fresh credential from what was kept, without the operator.
    ///
    /// # Errors
    /// [`SignInError`]; [`SignInError::is_transient`] tells whether trying again may help.
    fn renew<'a>(&'a self, with: &'a Context<'a>, kept: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        self.obtain(with, kept)
    }

    /// Whether the other side is told of a sign-out that keeps what is stored, too: nothing of the session itself is.
    fn ends_always(&self) -> bool {
        false
    }

    /// Ends it at the other side: revocation, the provider's logout, the admin's. Answers what could not be done.
    fn end<'a>(&'a self, _with: &'a Context<'a>, _kept: Secrets) -> BoxFuture<'a, Vec<String>> {
        Box::pin(future::ready(Vec::new()))
    }
}
