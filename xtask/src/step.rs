//! One step: says what it does and how long it took, and fails with the command that failed.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Why a task ended.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub(crate) enum Failure {
    #[error("`cargo xtask {0}` is not known\n\n{help}", help = super::HELP)]
    Usage(String),
    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed ({status})")]
    Command { command: String, status: String },
    #[error("`{path}` could not be used: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("system packages are missing, and this user may not install them. Run:\n\n    {0}\n")]
    Packages(String),
    #[error("{what} did not happen within {seconds} s{hint}")]
    Late { what: &'static str, seconds: u64, hint: String },
    #[error("{0}")]
    Unfit(String),
}

/// A program's words, as a person would type them.
pub(crate) fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command to its end, its output as it comes.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<Duration, Failure> {
    println!("\n── {what}\n   {}", shown(command));
    let begun = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|source| Failure::Start { command: shown(command), source })?;
    let took = begun.elapsed();
    println!("   {} in {:.1} s", if status.success() { "done" } else { "FAILED" }, took.as_secs_f64());
    if status.success() {
        Ok(took)
    } else {
        Err(Failure::Command { command: shown(command), status: status.to_string() })
    }
}

/// Runs a command quietly; whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Runs a command quietly; what it printed.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
