//! Whose is a request? What was asked by one operator is never sent as another.

use console_core::{session::Session, token::Identity};

/// Issuer and subject of who is signed in. A credential that names neither (an API key, a proxy's header) is an operator
/// of its own: equal to itself, different from everybody with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    issuer: Option<String>,
    subject: Option<String>,
}

impl Operator {
    /// Who is, or was, signed in; `None`: nobody yet in this run.
    pub(crate) fn of(session: &Session) -> Option<Self> {
        session.identity().map(Self::from)
    }
}

impl From<Identity> for Operator {
    fn from(identity: Identity) -> Self {
        Self { issuer: identity.issuer, subject: identity.subject }
    }
}
