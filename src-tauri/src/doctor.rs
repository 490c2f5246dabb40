//! How does the doctor speak on the command line? Each step as it ends, then one line for the whole.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::Arc,
};

use console_core::{
    clock::SystemClock,
    doctor::{Case, Chosen, Step, Verdict, choose, examine},
    environment_file::EnvironmentFile,
    profile::Profile,
    vault::Vault,
};

use crate::Stop;

/// Examines what was asked for, and prints what is found. Opens no window and needs no display.
///
/// # Errors
/// [`Stop::NotWell`] when a step failed or is worth a warning, [`Stop::Choice`], [`Stop::Case`].
pub(crate) fn run(profile: &Profile, asked: &str) -> Result<(), Stop> {
    let (environments, problem) = EnvironmentFile::open(&profile.environments_file());
    if let Some(problem) = problem {
        eprintln!("asyncmq-console: {problem}");
    }
    let chosen = choose(environments.list(), asked)?;
    let (Chosen::Environment(environment) | Chosen::Address(environment)) = &chosen;
    say(&format!("{} at {}\n", environment.name, environment.base_url));
    // It outlives the runtime's turn: a keychain's connection that is dropped inside of one panics.
    let vault = Vault::platform(&profile.vault_namespace());
    tauri::async_runtime::block_on(examined(chosen, &vault))
}

async fn examined(chosen: Chosen, vault: &Vault) -> Result<(), Stop> {
    let case = Case::of(chosen, vault, Arc::new(SystemClock)).await?;
    for remark in &case.remarks {
        say(&format!("{remark}\n"));
    }
    say("\n");
    let on_terminal = io::stdout().is_terminal();
    let report = examine(&case.subject, &mut |step: &Step| print(step, on_terminal)).await;
    // The program ends right after this, without waiting for anything.
    case.end().await;
    say(&format!("\n{}\n", report.conclusion()));
    if report.is_well() { Ok(()) } else { Err(Stop::NotWell) }
}

/// A step that has ended; a terminal shows a sign before the word.
fn print(step: &Step, on_terminal: bool) {
    if step.verdict == Verdict::Running {
        return;
    }
    let sign = if on_terminal { format!("{} ", sign(step.verdict)) } else { String::new() };
    say(&format!("{sign}{step}"));
}

fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Running => '…',
        Verdict::Well => '✓',
        Verdict::Warning => '!',
        Verdict::Failed => '✗',
        Verdict::Unknown => '?',
        Verdict::Skipped => '–',
    }
}

/// Prints at once. Whoever reads may have gone away: the exit status tells all the same.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
