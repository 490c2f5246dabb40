//! The gate: what has to pass before anything lands.

use std::{
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use crate::{
    install, root,
    step::{Failure, run},
};

struct Report(Vec<(String, Duration)>);

impl Report {
    fn step(&mut self, what: &str, command: &mut Command) -> Result<(), Failure> {
        let took = run(what, command.current_dir(root()))?;
        self.0.push((what.to_owned(), took));
        Ok(())
    }

    fn print(&self, begun: Instant) {
        println!("\n── passed, in {:.0} s", begun.elapsed().as_secs_f64());
        for (what, took) in &self.0 {
            println!("   {:>6.1} s  {what}", took.as_secs_f64());
        }
    }
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(words);
    command
}

fn npm(script: &str) -> Command {
    let mut command = Command::new("npm");
    command.args(["--prefix", "ui", "run", script]);
    command
}

/// `cargo xtask test [--full]`.
pub(crate) fn test(full: bool) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let mut report = Report(Vec::new());
    install::for_tests()?;
    install::ui_packages()?;
    let python = install::python()?;
    report.step("Rust: formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    report.step("UI: lints", &mut npm("lint"))?;
    report.step("UI: types", &mut npm("check"))?;
    report.step("UI: unit tests", &mut npm("test"))?;
    report.step("UI: build", &mut npm("build"))?;
    report.step("UI: accessibility in a real browser", &mut npm("axe"))?;
    report.step(
        "Rust: lints",
        &mut cargo(&["clippy", "--workspace", "--all-targets", "--features", "automation", "--", "-D", "warnings"]),
    )?;
    let mut tests = cargo(&["test", "--workspace", "--exclude", "asyncmq-console"]);
    report.step("Rust: core, gateway, workspace", tests.env("ADMIN_PYTHON", &python))?;
    let mut e2e = cargo(&["test", "--package", "asyncmq-console", "--features", "automation"]);
    report.step("end to end: the real app, admin, keychain", e2e.env("ADMIN_PYTHON", &python))?;
    if full {
        long(&mut report, &python)?;
    }
    report.print(begun);
    Ok(ExitCode::SUCCESS)
}

/// What takes long. What does not exist yet is said, never passed over.
fn long(report: &mut Report, python: &std::path::Path) -> Result<(), Failure> {
    let mut kills = cargo(&["test", "--package", "console-core", "--test", "kill"]);
    report.step("kill -9 while writing, long", kills.env("KILL_ITERATIONS", "1000").env("ADMIN_PYTHON", python))?;
    report.step("release build", &mut cargo(&["build", "--release", "--package", "asyncmq-console"]))?;
    println!(
        "\nNot there yet, and so not run: version matrix of AsyncMQ 0.5 to 0.9, soak, fuzzing (issue 5); packaging (issue 6)."
    );
    Ok(())
}
