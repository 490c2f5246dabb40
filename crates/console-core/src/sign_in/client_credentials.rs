//! Signs in as a client, without a person (RFC 6749 §4.4).

use futures_util::future::{self, BoxFuture};
use serde::{Deserialize, Serialize};

use super::{
    Ask, AskKind, Context, Grant, Method, SignIn, SignInError,
    oauth::{CLIENT_KEY, CLIENT_SECRET, ClientAuthentication, ProviderError},
};
use crate::{clock::UnixTime, environment::FieldError, secrets::Secrets};

/// The provider, the client, and what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct ClientCredentials {
    /// The issuer, whose configuration names the token endpoint; empty where `token_url` is given.
    pub issuer: String,
    /// The token endpoint of a provider without discovery; empty where `issuer` is given.
    pub token_url: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// How the client proves itself; never none.
    pub client_authentication: ClientAuthentication,
    /// Such as `jobs:read`.
    pub scopes: Vec<String>,
    /// The `audience` parameter that some providers want; empty for none.
    pub audience: String,
    /// The resource indicator (RFC 8707), an absolute URI; empty for none.
    pub resource: String,
    /// The algorithm of the client's private key, for `private_key_jwt`.
    pub algorithm: String,
    /// The `kid` of that key; empty for none.
    pub key_id: String,
}

impl Default for ClientCredentials {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            token_url: String::new(),
            client_id: String::new(),
            client_authentication: ClientAuthentication::Basic,
            scopes: Vec::new(),
            audience: String::new(),
            resource: String::new(),
            algorithm: "ES256".into(),
            key_id: String::new(),
        }
    }
}

impl SignIn for ClientCredentials {
    fn tidied(&self) -> Method {
        Method::ClientCredentials(self.clone())
    }

    fn check(&self) -> Vec<FieldError> {
        Vec::new()
    }

    fn asks(&self) -> Vec<Ask> {
        vec![match self.client_authentication {
            ClientAuthentication::PrivateKeyJwt => {
                Ask::required(CLIENT_KEY, "Client's private key (PEM)", AskKind::Key)
            }
            _ => Ask::required(CLIENT_SECRET, "Client secret", AskKind::Password),
        }]
    }

    fn endpoint(&self) -> Option<String> {
        Some(self.issuer.clone())
    }

    fn obtain<'a>(&'a self, _with: &'a Context<'a>, _secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        let not_yet = ProviderError::Answer { place: "the discovery document", reason: "not asked".into() };
        Box::pin(future::ready(Err(not_yet.into())))
    }

    fn restore(&self, _kept: &Secrets, _now: UnixTime) -> Option<Grant> {
        None
    }

    fn can_renew(&self, _kept: &Secrets) -> bool {
        false
    }
}
