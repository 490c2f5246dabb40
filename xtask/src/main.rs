//! `cargo xtask demo | test | run | setup`: installs what is missing, then does it.

mod demo;
mod display;
mod gate;
mod install;
mod process;
mod step;

use std::{path::PathBuf, process::ExitCode};

use step::Failure;

const HELP: &str = "\
cargo xtask demo [--release] [--screenshot FILE]
    Two real AsyncMQ admins with live workers, and the console signed in to both.
cargo xtask run
    The console with your own environments (release build).
cargo xtask test [--full]
    The gate: formatting, lints, UI, Rust, end to end. --full adds what takes long.
cargo xtask setup
    Only installs what the others need.
";

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<ExitCode, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["demo", options @ ..] => demo::demo(&demo::Options::read(options)?),
        ["run"] => demo::run_own(),
        ["test"] => gate::test(false),
        ["test", "--full"] => gate::test(true),
        ["setup"] => install::everything().map(|()| ExitCode::SUCCESS),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(Failure::Usage(other.join(" "))),
    }
}
