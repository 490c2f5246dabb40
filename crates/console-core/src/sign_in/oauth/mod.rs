//! What do the OAuth 2.0 methods share? Settings' parts, the provider's errors, the HTTP client for the protocol library.

mod error;

use serde::{Deserialize, Serialize};

pub(crate) use error::ProviderError;

/// The name under which a client secret is kept.
pub(super) const CLIENT_SECRET: &str = "client_secret";
/// The name under which a client's private key is kept.
pub(super) const CLIENT_KEY: &str = "client_private_key";
/// The name under which a refresh token is kept.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";

/// How the client proves itself at the token endpoint (RFC 6749 §2.3, RFC 7523).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// A public client: it does not.
    #[default]
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt`.
    PrivateKeyJwt,
}

/// Which token goes to the admin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Sends {
    /// The access token.
    #[default]
    AccessToken,
    /// The ID token.
    IdToken,
}

/// A parameter that the provider wants besides the standard's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, not secret.
    pub value: String,
}
