//! What does a sign-in ask the operator for?

use serde::Serialize;

/// How an answer is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// Plain text, shown while it is typed: a user name.
    Text,
    /// One hidden line.
    Password,
    /// A long text that is pasted: a token.
    Token,
    /// A text of several lines that is pasted: a private key.
    Key,
    /// A box to tick: `yes` or nothing.
    Choice,
}

/// One field of a sign-in form. The answers go to the core once, by key, and none comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
pub struct Ask {
    /// The answer's name.
    pub key: String,
    /// What stands before the field.
    pub label: String,
    /// How it is typed.
    pub kind: AskKind,
    /// A sentence below the field, or nothing.
    pub help: String,
    /// Whether the sign-in cannot go on without it.
    pub required: bool,
    /// The vault has it: leaving the field empty uses that.
    pub stored: bool,
}

impl Ask {
    /// One that must be answered.
    pub fn required(key: &str, label: &str, kind: AskKind) -> Self {
        Self { key: key.into(), label: label.into(), kind, help: String::new(), required: true, stored: false }
    }

    /// One that may stay empty.
    pub fn optional(key: &str, label: &str, kind: AskKind) -> Self {
        Self { required: false, ..Self::required(key, label, kind) }
    }

    /// With a sentence below the field.
    #[must_use]
    pub fn with_help(self, help: &str) -> Self {
        Self { help: help.into(), ..self }
    }
}
