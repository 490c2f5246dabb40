//! What the operator is told. The one place where errors and outcomes become sentences (UI.md, "Words").

mod admin;
mod held;
mod history;
mod renewal;
mod sign_in;
mod storage;
mod third_party;

use console_core::sign_in::Advice;
use console_ipc::Problem;

pub(crate) use self::{
    admin::{not_reached, outcome_problem, oversized_events, refusal, stalled, unreachable},
    held::{held_error, held_late, write_refused},
    history::history,
    renewal::{busy, ended_already, no_newer, renewal_failed},
    sign_in::{approve_first, finding, interrupted, nothing_stored, sign_in_error},
    storage::{no_keychain, settings_left_alone, vault_error},
    third_party::{kind, lost_without},
};

pub(crate) fn problem(
    code: &str,
    title: impl Into<String>,
    detail: impl Into<String>,
    advice: impl Into<String>,
) -> Problem {
    Problem { code: code.to_owned(), title: title.into(), detail: detail.into(), advice: advice.into() }
}

/// An error that says itself what to do.
pub(crate) fn advised(error: &dyn Advice) -> Problem {
    problem(error.code(), "The sign-in did not succeed", sentence(&error.to_string()), error.advice())
}

/// A `CommandError`'s problem for something that is not there any more.
pub(crate) fn no_such_environment() -> Problem {
    problem("no_such_environment", "That environment is gone", "It was removed meanwhile.", "Choose another one.")
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String =
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if !sentence.ends_with(['.', '?']) {
        sentence.push('.');
    }
    sentence
}

fn duration(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
