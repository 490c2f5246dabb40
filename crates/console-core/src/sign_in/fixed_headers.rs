//! Signs in with headers of fixed values: an admin that trusts a header (`ProxyHeaderBackend`), service tokens of an access
//! proxy.

use futures_util::future::{self, BoxFuture};
use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::{Ask, AskKind, Context, Grant, Method, SignIn, SignInError};
use crate::{
    clock::UnixTime,
    environment::{FieldError, header_name},
    secrets::Secrets,
    session::Credential,
    token::Identity,
};

/// The headers, by name; their values are in the vault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct FixedHeaders {
    /// At least one.
    pub names: Vec<String>,
}

impl FixedHeaders {
    fn grant(&self, secrets: &Secrets) -> Result<Grant, SignInError> {
        let mut headers = Vec::new();
        let mut keep = Secrets::default();
        for name in &self.names {
            let value = secrets.get(name).ok_or_else(|| SignInError::Missing(format!("a value for `{name}`")))?;
            let parsed: HeaderName =
                header_name(name).map_err(|_| SignInError::Missing(format!("a header name other than `{name}`")))?;
            headers.push((parsed, value.clone()));
            keep.set(name, value.clone());
        }
        let identity = Identity { name: Some(self.names.join(", ")), ..Identity::default() };
        Ok(Grant { credential: Credential::Headers(headers), identity, keep })
    }
}

impl SignIn for FixedHeaders {
    fn tidied(&self) -> Method {
        let names = self.names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Method::FixedHeaders(Self { names: names.collect() })
    }

    fn check(&self) -> Vec<FieldError> {
        const FIELD: &str = "sign_in.names";
        let mut errors: Vec<_> =
            self.names.iter().filter_map(|name| Some(FieldError::new(FIELD, &header_name(name).err()?))).collect();
        if self.names.is_empty() {
            errors.push(FieldError::new(FIELD, "give at least one header's name, such as X-Authenticated-User"));
        }
        let lower: Vec<_> = self.names.iter().map(|name| name.to_ascii_lowercase()).collect();
        if lower.iter().enumerate().any(|(at, name)| lower[..at].contains(name)) {
            errors.push(FieldError::new(FIELD, "give each header once"));
        }
        errors
    }

    fn asks(&self) -> Vec<Ask> {
        self.names.iter().map(|name| Ask::required(name, name, AskKind::Password)).collect()
    }

    fn obtain<'a>(&'a self, _with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(future::ready(self.grant(&secrets)))
    }

    fn restore(&self, kept: &Secrets, _now: UnixTime) -> Option<Grant> {
        self.grant(kept).ok()
    }

    fn can_renew(&self, _kept: &Secrets) -> bool {
        false
    }
}
