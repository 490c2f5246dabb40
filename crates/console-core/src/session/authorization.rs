//! What is a request sent with, and why is there nothing?

use std::{fmt, sync::Arc};

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

use crate::{credential::cookie_header, upstream::Unreachable};

/// Counts the credentials of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub(super) u64);

/// What one request is sent with. Values are marked sensitive and do not print.
#[derive(Clone)]
pub struct Authorization {
    /// Each replaces every header of its name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the upstream's cookie jar begins with in this generation.
    pub cookies: Arc<[(String, SecretString)]>,
    /// Which credential this is.
    pub generation: Generation,
}

impl Authorization {
    /// The `Cookie` value of a request that goes without a jar.
    pub fn cookie_header(&self) -> Option<HeaderValue> {
        cookie_header(&self.cookies)
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// There is nothing to attach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSignedIn {
    /// Only the operator can change that.
    #[error("not signed in")]
    SignedOut,
    /// A fresh credential is on its way.
    #[error("the session is being renewed")]
    Renewing,
    /// What would renew it cannot be reached.
    #[error("the session cannot be renewed now: {0}")]
    Unreachable(Unreachable),
}
