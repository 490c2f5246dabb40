//! What is a command that the console runs for the operator? A program and its arguments, never a shell's text.

use serde::{Deserialize, Serialize};

use crate::environment::FieldError;

/// A program and its arguments. No shell reads it: `|`, `$` and quotes are ordinary characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CommandLine {
    /// A path, or a name that is looked up in `PATH`.
    pub program: String,
    /// As they are handed over, one by one.
    #[serde(default)]
    pub arguments: Vec<String>,
}

impl CommandLine {
    /// Without white space around the program's name.
    #[must_use]
    pub fn tidied(&self) -> Self {
        Self { program: self.program.trim().to_owned(), arguments: self.arguments.clone() }
    }

    /// What is wrong with it, told of `field`.
    pub fn check(&self, field: &'static str) -> Option<FieldError> {
        let strange = |text: &String| text.chars().any(char::is_control);
        if self.program.is_empty() {
            return Some(FieldError::new(field, "give the program to run"));
        }
        if strange(&self.program) || self.arguments.iter().any(strange) {
            return Some(FieldError::new(field, "leave out control characters and line breaks"));
        }
        None
    }

    /// Exactly what runs, one word a line, for the operator to approve.
    pub fn shown(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|word| format!("{word:?}"))
            .collect::<Vec<_>>()
            .join(" ")
    }
}
