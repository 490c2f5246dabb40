//! `cargo xtask`: installs what is missing, then runs the demo, the tests, a measurement, a look at the
//! dependencies or the console.

mod admin;
mod arguments;
mod audit;
mod bench;
mod colour;
mod demo;
mod display;
mod fuzz;
mod gate;
mod install;
mod machine;
mod node;
mod packages;
mod process;
mod progress;
mod project;
mod python;
#[cfg(test)]
mod records;
mod releases;
mod run;
mod screenshot;
mod soak;
mod stamp;

use std::process::ExitCode;

use arguments::{Arguments, HELP};
use process::Interrupt;
use project::Project;

/// Why the command did not do what was asked.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("{0}\n\n{HELP}")]
    Usage(#[from] arguments::UsageError),
    #[error(transparent)]
    Project(#[from] project::ProjectError),
    #[error(transparent)]
    Install(#[from] install::InstallError),
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    #[error(transparent)]
    Bench(#[from] bench::BenchError),
    #[error(transparent)]
    Gate(#[from] gate::GateError),
    #[error(transparent)]
    Fuzz(#[from] fuzz::FuzzError),
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    #[error(transparent)]
    Run(#[from] run::RunError),
    #[error("signals cannot be listened to: {0}")]
    Signals(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let done = start();
    process::end_descendants();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("\ncargo xtask: {stop}");
            ExitCode::from(if matches!(stop, Stop::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn start() -> Result<(), Stop> {
    let arguments = Arguments::read(std::env::args_os().skip(1))?;
    if matches!(arguments, Arguments::Help) {
        print!("{HELP}");
        return Ok(());
    }
    let project = Project::find(Interrupt::listen()?)?;
    match arguments {
        Arguments::Help => {}
        Arguments::Setup => install::everything(&project)?,
        Arguments::BenchStartUp => bench::start_up(&project)?,
        Arguments::Fuzz(options) => fuzz::all(&project, &options)?,
        Arguments::Audit(options) => audit::all(&project, &options)?,
        Arguments::Demo(options) => demo::run(&project, &options)?,
        Arguments::Test(options) => gate::run(&project, &options)?,
        Arguments::Run { words } => run::run(&project, &words)?,
    }
    Ok(())
}
