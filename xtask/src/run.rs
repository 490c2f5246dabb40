//! The console with the operator's own environments.

use std::{ffi::OsString, process::Command};

use crate::{
    display,
    install::{self, InstallError},
    process::{Process, ProcessError},
    project::Project,
};

/// Why the console did not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(
        "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), and your keychain is on your desktop: start this there"
    )]
    NoDisplay,
    #[error("the console ended with {0}")]
    Ended(std::process::ExitStatus),
}

/// Builds it for real use, and runs it until its window is closed.
pub(crate) fn run(project: &Project, words: &[OsString]) -> Result<(), RunError> {
    if !display::is_there() {
        return Err(RunError::NoDisplay);
    }
    install::for_build(project)?;
    let mut build = project.cargo();
    build.args(["build", "--release", "--package", "asyncmq-console"]);
    project.progress.shown("Release build of the console (minutes the first time)", &mut build, &project.interrupt)?;
    let mut command = Command::new(project.built(true, "asyncmq-console"));
    let status = Process::start(command.args(words))?.wait(&project.interrupt)?;
    if status.success() { Ok(()) } else { Err(RunError::Ended(status)) }
}
