//! What do the OAuth 2.0 methods share? Settings' parts, the provider's errors, and the steps of the protocol, all of it
//! by the library `openidconnect` over the environment's own client.

pub(super) mod client_proof;
pub(super) mod discovery;
pub(crate) mod error;
pub(super) mod failure;
pub(super) mod http;
pub(super) mod id_token;
pub(super) mod listener;
pub(super) mod person;
pub(super) mod preflight;
pub(super) mod settings;
pub(super) mod tokens;

use std::pin::pin;

use futures_util::future::{self, Either};
use serde::{Deserialize, Serialize};

pub(crate) use discovery::keys;
pub use error::{GrantKind, Place, ProviderError};

/// The name under which a client secret is kept.
pub(super) const CLIENT_SECRET: &str = "client_secret";
/// The name under which a client's private key is kept.
pub(super) const CLIENT_KEY: &str = "client_private_key";
/// The name under which a refresh token is kept.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
/// The name under which is kept when an access token ends, in seconds since the epoch.
pub(super) const EXPIRES_AT: &str = "expires_at";
/// The name under which the verified ID token's `sub` is kept.
pub(super) const SUBJECT: &str = "subject";
/// The name under which the operator's name is kept, as the verified ID token says it.
pub(super) const NAME: &str = "name";

/// What ends first; the other is dropped.
pub(super) async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    match future::select(pin!(one), pin!(other)).await {
        Either::Left((result, _)) | Either::Right((result, _)) => result,
    }
}

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
