//! Where can a session stand?

use crate::{clock::UnixTime, token::Identity, upstream::Unreachable};

/// What the admin made of a credential that it did not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// AsyncMQ's gate did not accept it; the dashboard's code did not run.
    Gate,
    /// A 401 that is not the gate's: it cannot be told whether something ran before it.
    Unauthorized,
    /// Accepted, but without an admin claim, or without one of the admin's `required_roles`.
    NotAllowed,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// No credential is in use.
    SignedOut,
    /// The operator signs in. A credential in use goes on meanwhile.
    SigningIn,
    /// Requests carry a credential.
    Active {
        /// What it says about the operator.
        identity: Identity,
    },
    /// A fresh credential is being obtained without the operator.
    Renewing {
        /// Who is signed in; `None`: what was kept has not been used yet in this run.
        identity: Option<Identity>,
        /// The one in use has ended or was refused: requests wait.
        waits: bool,
    },
    /// The admin, or what renews the credential, cannot be reached. It goes on by itself.
    Unreachable {
        /// Who is signed in, where that is known.
        identity: Option<Identity>,
        /// Since when.
        since: UnixTime,
        /// What failed last.
        why: Unreachable,
    },
    /// The token's time is up.
    Expired {
        /// Who was signed in.
        identity: Identity,
        /// When it ended.
        at: UnixTime,
    },
    /// The admin did not accept the credential.
    Refused {
        /// Who the token said the operator is.
        identity: Identity,
        /// What the admin said.
        refusal: Refusal,
    },
}

impl SessionState {
    /// Somebody is signed in and goes on without doing anything: the page stays on stage.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Active { .. } | Self::Renewing { .. } | Self::Unreachable { .. })
    }

    /// Who is, or was, signed in.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::SignedOut | Self::SigningIn => None,
            Self::Active { identity } | Self::Expired { identity, .. } | Self::Refused { identity, .. } => {
                Some(identity)
            }
            Self::Renewing { identity, .. } | Self::Unreachable { identity, .. } => identity.as_ref(),
        }
    }
}
