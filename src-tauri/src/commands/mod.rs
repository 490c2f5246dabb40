//! IPC: decode, call the workspace, encode. One file per noun; every command is declared in `build.rs` and allowed in
//! `capabilities/shell.json`, for the shell webview only.

pub(crate) mod doctor;
pub(crate) mod environment;
pub(crate) mod prompt;
pub(crate) mod session;
pub(crate) mod shell;

use console_ipc::CommandError;

/// What every command answers.
pub(crate) type Answer<T> = Result<T, CommandError>;
