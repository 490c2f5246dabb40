//! What does the shell show as a whole, and how much room does it need?

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{EnvironmentView, Notice, Problem, Prompt};

/// Everything that the shell shows.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ShellState {
    /// In the order of the rail.
    pub environments: Vec<EnvironmentView>,
    /// The id of the environment on stage.
    pub selected: Option<String>,
    /// Whether secrets can be stored on this computer.
    pub keychain: KeychainView,
    /// Why the environments' file was left alone; while it is set, environments cannot be changed.
    pub settings_problem: Option<Problem>,
    /// What waits for the operator's answer, oldest first.
    pub prompts: Vec<Prompt>,
    /// What happened and needs no answer (a download was saved), newest last. Dismissed by id.
    pub notices: Vec<Notice>,
    /// Where settings and logs are, for the about panel.
    pub folders: Folders,
    /// The namespace of this run where it is not the operator's own: "development", "demo".
    pub profile: Option<String>,
}

/// Whether secrets can be stored on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum KeychainView {
    /// They can.
    Available,
    /// They cannot. With `memory_allowed` the operator agreed to go on for this run.
    Unavailable {
        /// Why, and how to fix it.
        problem: Problem,
        /// The operator agreed to keep secrets in memory for this run.
        memory_allowed: bool,
    },
}

/// Where things are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Folders {
    pub settings: String,
    pub logs: String,
    pub downloads: String,
}

/// How much of the content area the shell needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Cover {
    /// The dashboard has the whole content area.
    None,
    /// A strip under the bar, in logical pixels.
    Strip {
        /// Its height.
        height: f64,
    },
    /// The whole content area: the dashboard is hidden, its page stays alive.
    Full,
}
