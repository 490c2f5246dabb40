//! What is the operator told of actions that were held?

use console_core::upstream::Outcome;
use console_gateway::HeldError;
use console_ipc::Problem;

use super::{problem, sentence};

/// What was held was asked for long ago, or was perhaps done.
pub(crate) fn held_late() -> Problem {
    problem(
        "held_late",
        "Nothing was done yet",
        "It was asked for more than ten minutes ago, or may have been done already.",
        "Look at the page, then do it all the same or drop it.",
    )
}

/// The admin answered an action with an error.
pub(crate) fn write_refused(tag: &str, name: &str, status: u16) -> String {
    match status {
        403 => format!("{tag} did not let you: {name}. Nothing was done (403)."),
        500.. => format!("{tag} failed at: {name} ({status}). Look before you do it again."),
        _ => format!("{tag} refused: {name} ({status})."),
    }
}

/// Why what was held was not done.
pub(crate) fn held_error(error: &HeldError, tag: &str) -> Problem {
    let (title, advice) = match error {
        HeldError::Gone => ("It does not wait any more", "It was done or dropped meanwhile: look at the page."),
        HeldError::UnderWay => ("It is on its way already", "Wait for its end."),
        HeldError::Locked => ("Nothing was done", "Unlock the environment in the bar, then do it."),
        HeldError::NotSignedIn => ("Nothing was done", "Sign in; it still waits."),
        HeldError::AnotherOperator { .. } => ("Nothing was done", "Do it on the page, if it is still wanted."),
        HeldError::Unreachable(_) => {
            ("Nothing was done", "It still waits: do it once the environment is reached again.")
        }
        HeldError::Rejected(_) => {
            ("Nothing was done", "It still waits: do it once the admin lets it pass, or drop it.")
        }
        HeldError::Unauthorized { .. } | HeldError::Interrupted { .. } | HeldError::Unknown { .. } => {
            ("It cannot be told whether it was done", "Look at the page before you do it again.")
        }
    };
    let detail = match error {
        HeldError::Rejected(Outcome::CrossOriginRejected) => {
            format!("{tag} does not trust the proxy in front of it, so it rejects actions.")
        }
        HeldError::Rejected(_) => {
            format!("{tag} does not let you do this: no admin claim, or not a role that it asks for.")
        }
        other => sentence(&other.to_string()),
    };
    problem("held", title, detail, advice)
}
