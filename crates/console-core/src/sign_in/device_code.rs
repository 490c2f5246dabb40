//! Signs in on another device: the operator types a code there (RFC 8628).

use futures_util::future::{self, BoxFuture};
use serde::{Deserialize, Serialize};

use super::{
    Ask, AskKind, Context, Grant, Method, SignIn, SignInError,
    oauth::{CLIENT_SECRET, ClientAuthentication, ProviderError, Sends},
};
use crate::{clock::UnixTime, environment::FieldError, secrets::Secrets};

/// The provider, the client, and what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct DeviceCode {
    /// The issuer; its configuration is found below it.
    pub issuer: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// How the client proves itself; none for a public client.
    pub client_authentication: ClientAuthentication,
    /// Such as `openid`, `profile`, `offline_access`.
    pub scopes: Vec<String>,
    /// Which token goes to the admin.
    pub sends: Sends,
    /// The `audience` parameter that some providers want; empty for none.
    pub audience: String,
    /// The resource indicator (RFC 8707), an absolute URI; empty for none.
    pub resource: String,
}

impl Default for DeviceCode {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_authentication: ClientAuthentication::None,
            scopes: ["openid", "profile", "offline_access"].map(str::to_owned).to_vec(),
            sends: Sends::AccessToken,
            audience: String::new(),
            resource: String::new(),
        }
    }
}

impl SignIn for DeviceCode {
    fn tidied(&self) -> Method {
        Method::DeviceCode(self.clone())
    }

    fn check(&self) -> Vec<FieldError> {
        Vec::new()
    }

    fn asks(&self) -> Vec<Ask> {
        match self.client_authentication {
            ClientAuthentication::None => Vec::new(),
            _ => vec![Ask::required(CLIENT_SECRET, "Client secret", AskKind::Password)],
        }
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
