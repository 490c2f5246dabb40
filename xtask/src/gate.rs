//! The gate: what must hold before a change lands, step by step, with a table at the end.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    arguments::{FuzzOptions, TestOptions},
    audit::{self, Look, Verdict},
    display::{DisplayError, Session},
    fuzz,
    install::{self, Browser, InstallError},
    node,
    process::ProcessError,
    progress::duration,
    project::{Project, ProjectError},
    releases, soak,
};

/// The Tauri command line that packages are made with.
const TAURI_CLI: &str = "@tauri-apps/cli@2.12.5";
/// Code that is compiled for tests and measurements only; it is linted all the same.
const LINTED_FEATURES: &str =
    "asyncmq-console/automation,xtask/profile,xtask/bench,console-core/fuzzing,console-gateway/fuzzing";
/// What the Rust tests need besides: the fuzz targets' promises, tried with every seed.
pub(crate) const TESTED_FEATURES: &str = "console-core/fuzzing,console-gateway/fuzzing";
/// Rounds of the kill loop with `--full`.
const KILL_ITERATIONS: &str = "500";

/// Why the gate is closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateError {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    #[error("the gate is closed: {0}")]
    Closed(String),
}

enum Outcome {
    Passed(Duration),
    Failed(Duration, String),
    NotRun(String),
}

struct Gate<'p> {
    project: &'p Project,
    keep_going: bool,
    outcomes: Vec<(String, Outcome)>,
}

/// Runs every step; stops at the first failure unless `--keep-going`.
pub(crate) fn run(project: &Project, options: &TestOptions) -> Result<(), GateError> {
    let began = Instant::now();
    let mut gate = Gate { project, keep_going: options.keep_going, outcomes: Vec::new() };
    let done = gate.steps(options);
    gate.print(began.elapsed());
    let failed: Vec<_> = gate.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(..))).collect();
    match (done, failed.as_slice()) {
        (Err(error), []) => Err(error),
        (_, []) => Ok(()),
        (_, failed) => {
            let names: Vec<_> = failed.iter().map(|(name, _)| name.as_str()).collect();
            Err(GateError::Closed(format!("{} failed", names.join(", "))))
        }
    }
}

impl Gate<'_> {
    fn steps(&mut self, options: &TestOptions) -> Result<(), GateError> {
        let project = self.project;
        let installing = Instant::now();
        let (python, browser) = install::for_tests(project)?;
        self.outcomes.push(("install".into(), Outcome::Passed(installing.elapsed())));

        self.step("cargo fmt", project.cargo().args(["fmt", "--all", "--check"]))?;
        self.step("UI lint", &mut node::npm(project, &["run", "lint"]))?;
        self.step("UI types", &mut node::npm(project, &["run", "check"]))?;
        self.step("UI tests", &mut node::npm(project, &["test"]))?;
        // Before anything compiles the app: it holds the built UI.
        self.step("UI build", &mut node::npm(project, &["run", "build"]))?;
        match &browser {
            Browser::There => self.step("UI accessibility", &mut node::npm(project, &["run", "axe"]))?,
            Browser::Missing(why) => self.not_run("UI accessibility", why),
        }

        let lints = ["clippy", "--workspace", "--all-targets", "--features", LINTED_FEATURES];
        self.step("clippy", locked(project.cargo().args(lints)).args(["--", "-D", "warnings"]))?;

        let folder = project.folder("test")?;
        let mut session = Session::default();
        session.with_folders(&folder.join("home"));
        if cfg!(target_os = "linux") {
            project.progress.say("A private screen (Xvfb), D-Bus session and keychain (gnome-keyring) for the tests");
            session.with_screen(&folder, &project.interrupt)?;
            session.with_keychain(&folder, &project.interrupt)?;
        }
        let on = options.keep_going.then_some("--no-fail-fast");
        let rust = ["test", "--workspace", "--exclude", "asyncmq-console", "--features", TESTED_FEATURES];
        self.step("Rust tests", test_environment(&session, &python, locked(project.cargo().args(rust).args(on))))?;
        let end_to_end = ["test", "--package", "asyncmq-console", "--features", "automation"];
        self.step(
            "end to end",
            test_environment(&session, &python, locked(project.cargo().args(end_to_end).args(on))),
        )?;

        if options.full {
            self.long_steps(&session, &python)?;
        }
        Ok(())
    }

    fn long_steps(&mut self, session: &Session, python: &Path) -> Result<(), GateError> {
        let project = self.project;
        self.audit()?;
        let mut kill = project.cargo();
        locked(kill.args(["test", "--package", "console-core", "--test", "kill"]))
            .env("KILL_ITERATIONS", KILL_ITERATIONS);
        self.step("long kill loop", test_environment(session, python, &mut kill))?;
        let mut package = Command::new(if cfg!(windows) { "npx.cmd" } else { "npx" });
        package.args(["--yes", TAURI_CLI, "build"]).current_dir(&project.root);
        if cfg!(target_os = "linux") {
            // An AppImage needs tools that are downloaded while it is made.
            package.args(["--bundles", "deb,rpm"]);
        }
        self.step("packages", &mut package)?;
        self.version_matrix(session)?;
        self.fuzzing()?;
        for soak in soak::ALL {
            let mut command = soak.run(project);
            self.step(soak.name, test_environment(session, python, locked(&mut command).args(soak.options())))?;
        }
        Ok(())
    }

    fn version_matrix(&mut self, session: &Session) -> Result<(), GateError> {
        let project = self.project;
        for line in releases::lines(project)? {
            let name = format!("AsyncMQ {line}");
            let Some(python) = self.prepared(&name, releases::python(project, &line))? else { continue };
            self.step(&name, test_environment(session, &python, locked(&mut releases::test(project))))?;
            if releases::has_sign_in(&line) {
                let mut window = releases::test_in_window(project);
                locked(&mut window).args(releases::IN_WINDOW);
                self.step(&format!("{name} in the window"), test_environment(session, &python, &mut window))?;
            }
        }
        Ok(())
    }

    fn fuzzing(&mut self) -> Result<(), GateError> {
        let project = self.project;
        if let Some(why) = fuzz::unsupported() {
            self.not_run("fuzzing", why);
            return Ok(());
        }
        let Some(program) = self.prepared("fuzzing", fuzz::ensure(project))? else { return Ok(()) };
        self.step("fuzz build", &mut fuzz::build(project, &program))?;
        for target in fuzz::targets(project)? {
            let mut run = fuzz::run(project, &program, &target, FuzzOptions::default().seconds)?;
            self.step(&format!("fuzz {target}"), &mut run)?;
        }
        Ok(())
    }

    fn audit(&mut self) -> Result<(), GateError> {
        let project = self.project;
        let Some(program) = self.prepared("cargo deny", audit::ensure(project))? else { return Ok(()) };
        for look in Look::all() {
            let began = Instant::now();
            match look.take(project, &program)? {
                Verdict::Sound => self.outcomes.push((look.name(), Outcome::Passed(began.elapsed()))),
                Verdict::NotAnswered(why) => self.not_run(&look.name(), &why),
                Verdict::Wrong(why) => {
                    self.outcomes.push((look.name(), Outcome::Failed(began.elapsed(), why.clone())));
                    if !self.keep_going {
                        return Err(GateError::Closed(why));
                    }
                }
            }
        }
        Ok(())
    }

    /// What a step needs. That it cannot be had is a failure of the step.
    fn prepared<T>(&mut self, name: &str, made: Result<T, InstallError>) -> Result<Option<T>, GateError> {
        match made {
            Ok(made) => Ok(Some(made)),
            Err(InstallError::Process(ProcessError::Interrupted)) => Err(ProcessError::Interrupted.into()),
            Err(error) => {
                eprintln!("  {error}");
                self.outcomes.push((name.into(), Outcome::Failed(Duration::ZERO, error.to_string())));
                if self.keep_going { Ok(None) } else { Err(error.into()) }
            }
        }
    }

    /// Runs one step. The error ends the gate: an interruption always, a failure unless it keeps going.
    fn step(&mut self, name: &str, command: &mut Command) -> Result<(), GateError> {
        let began = Instant::now();
        let done = self.project.progress.shown(name, command, &self.project.interrupt);
        match done {
            Ok(()) => self.outcomes.push((name.into(), Outcome::Passed(began.elapsed()))),
            Err(ProcessError::Interrupted) => return Err(ProcessError::Interrupted.into()),
            Err(error) => {
                eprintln!("  {error}");
                self.outcomes.push((name.into(), Outcome::Failed(began.elapsed(), error.to_string())));
                if !self.keep_going {
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    fn not_run(&mut self, name: &str, why: &str) {
        self.outcomes.push((name.into(), Outcome::NotRun(why.to_owned())));
    }

    fn print(&self, elapsed: Duration) {
        eprintln!("\n{:<24} {:<8} {:>12}", "step", "outcome", "time");
        for (name, outcome) in &self.outcomes {
            match outcome {
                Outcome::Passed(took) => eprintln!("{name:<24} {:<8} {:>12}", "passed", duration(*took)),
                Outcome::Failed(took, why) => {
                    eprintln!("{name:<24} {:<8} {:>12}   {why}", "FAILED", duration(*took));
                }
                Outcome::NotRun(why) => eprintln!("{name:<24} {:<8} {:>12}   {why}", "not run", "–"),
            }
        }
        eprintln!("{:<24} {:<8} {:>12}", "all", "", duration(elapsed));
    }
}

/// In CI the lock file is what was reviewed.
fn locked(command: &mut Command) -> &mut Command {
    if std::env::var_os("CI").is_some() { command.arg("--locked") } else { command }
}

/// What the tests find: a screen, a bus, a keychain, folders of their own, and the admins' Python.
fn test_environment<'c>(session: &Session, python: &Path, command: &'c mut Command) -> &'c mut Command {
    session.apply(command).env("ADMIN_PYTHON", python)
}
