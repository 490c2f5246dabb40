//! Where does a session stand, and what has happened to it?

use serde::Serialize;
use ts_rs::TS;

use crate::{IdentityView, Problem, StepView};

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum SessionView {
    /// No credential is in use. `problem` says why when something happened.
    SignedOut {
        /// Why, when it was not the operator's own doing.
        problem: Option<Problem>,
    },
    /// A credential is being obtained, or tried against the admin.
    SigningIn {
        /// What it waits for, when that is the operator.
        step: Option<StepView>,
    },
    /// Signed in.
    Active {
        /// What the token says about the operator.
        identity: IdentityView,
        /// `None`: the token does not say.
        expires_at: Option<f64>,
    },
    /// A fresh credential is being obtained without the operator.
    Renewing {
        /// Who is signed in.
        identity: IdentityView,
        /// When the one in use ends.
        expires_at: Option<f64>,
        /// The one in use has ended or was refused: requests wait.
        waits: bool,
    },
    /// The admin, or what renews the session, cannot be reached. It goes on by itself.
    Unreachable {
        /// Since when.
        since: f64,
        /// What failed: DNS, connect, TLS, time-out.
        problem: Problem,
        /// Who is signed in; `None`: nobody was yet in this run.
        identity: Option<IdentityView>,
        /// When the credential in use ends.
        expires_at: Option<f64>,
    },
    /// The token's time is up.
    Expired {
        /// When.
        at: f64,
        /// Who was signed in.
        identity: IdentityView,
        /// Why it was not renewed, where it could have been.
        problem: Option<Problem>,
    },
    /// The admin did not accept the credential.
    Refused {
        /// What is known about why.
        problem: Problem,
        /// Who the token said the operator is.
        identity: IdentityView,
    },
}

/// One change of a session, for a person: `renewed`, `refused: audience`.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct HistoryView {
    /// When, or since when.
    pub at: f64,
    /// One line without the time.
    pub text: String,
    /// Something went wrong.
    pub trouble: bool,
}
