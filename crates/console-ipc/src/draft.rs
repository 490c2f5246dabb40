//! What of an environment does the operator edit, and what is wrong with it?

use console_core::{network::Network, sign_in::Method};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Problem;

/// An environment as the operator describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EnvironmentDraft {
    /// Shown everywhere.
    pub name: String,
    /// With the mount prefix, such as `https://admin.acme.example/asyncmq`.
    pub base_url: String,
    /// At most eight characters, such as `PROD`.
    pub tag: String,
    /// One of the fixed accents.
    pub accent: Accent,
    /// Relative to the mount prefix; `/login` unless the admin was told otherwise.
    pub login_path: String,
    /// The header that carries the token.
    pub header_name: String,
    /// The word before the token; empty for none.
    pub scheme: String,
    /// The cookie that carries the token in the header's stead; empty for none.
    pub cookie_name: String,
    /// The issuer that this admin expects, where the operator knows it; empty: not known.
    pub expected_issuer: String,
    /// The audience that this admin expects, where the operator knows it; empty: not known.
    pub expected_audience: String,
    /// How a credential is obtained. No secret is in it.
    pub sign_in: Method,
    /// How the remote side is reached. No secret is in it.
    pub network: Network,
    /// Whether the token may be copied to the clipboard, after a confirmation.
    pub allow_token_copy: bool,
    /// Whether plain http outside loopback is accepted here.
    pub allow_plain_http: bool,
    /// What may change the remote system.
    pub protection: ProtectionView,
}

/// The accents that an environment can have; their colours are the UI's (light and dark).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
#[allow(missing_docs, reason = "the names are the colours")]
pub enum Accent {
    Red,
    Orange,
    Amber,
    Green,
    Teal,
    Blue,
    Violet,
    Pink,
    Slate,
}

/// What the gateway lets through to change the remote system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ProtectionView {
    /// Everything passes.
    Open,
    /// Every unsafe method is refused.
    Locked,
}

/// What is wrong with a draft, field by field; empty when it can be saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DraftReport {
    /// The errors.
    pub errors: Vec<FieldError>,
    /// The base URL as it will be stored (scheme added, slash trimmed), when it is valid.
    pub base_url: Option<String>,
    /// The realm changes and a stored token stays behind until confirmed.
    pub moves_credential: bool,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FieldError {
    /// The field's name in [`EnvironmentDraft`].
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What `environment_add` and `environment_update` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum SaveOutcome {
    /// It is on disk.
    Saved {
        /// Of the environment.
        id: String,
    },
    /// Nothing was changed.
    Invalid {
        /// Why.
        report: DraftReport,
    },
    /// Nothing was changed: the file could not be written.
    Failed {
        /// Why.
        problem: Problem,
    },
}
