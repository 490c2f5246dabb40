//! What is the operator asked and told?

use serde::Serialize;
use ts_rs::TS;

/// A question that waits for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Prompt {
    /// The page or the bar asked to sign out: keep the stored token, remove it, or stay.
    SignOut {
        /// Of the environment.
        environment: String,
    },
    /// The operator wants to sign out of every environment.
    SignOutAll,
    /// The window was closed while actions wait, or are on their way: what becomes of them would be lost.
    Quit,
    /// The operator wants to copy the token: a deliberate act.
    CopyToken {
        /// Of the environment.
        environment: String,
    },
    /// The page asked to sign in (`/login`), or the operator wants another account.
    SignIn {
        /// Of the environment.
        environment: String,
    },
    /// The dashboard's pages want to load from others: [`crate::EnvironmentView::third_parties`].
    ThirdParties {
        /// Of the environment.
        environment: String,
    },
    /// A page wants to open a link outside.
    OpenExternal {
        /// Answered by this id.
        id: String,
        /// Of the environment whose page asks.
        environment: String,
        /// The host to name.
        host: String,
        /// The whole address.
        url: String,
    },
}

/// Something that happened and needs no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Notice {
    /// Dismissed by this id.
    pub id: String,
    /// `download`, `refused_write`, `error`, `info`.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// The environment that it is about.
    pub environment: Option<String>,
}
