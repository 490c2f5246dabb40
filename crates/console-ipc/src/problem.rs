//! What went wrong, and what to do next?

use serde::Serialize;
use ts_rs::TS;

/// What happened, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Problem {
    /// Stable, for tests and styling: `expired`, `refused`, `not_admin`, `no_keychain`, …
    pub code: String,
    /// One line: what happened.
    pub title: String,
    /// Where, and what is known.
    pub detail: String,
    /// What to do next.
    pub advice: String,
}

/// What a command answers when it cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CommandError {
    /// What to show.
    pub problem: Problem,
}
