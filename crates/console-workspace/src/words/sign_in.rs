//! What is the operator told of a sign-in?

use console_core::{environment::Environment, sign_in::SignInError, token::Finding};
use console_ipc::Problem;

use super::{advised, duration, not_reached, outcome_problem, problem, sentence};

/// Something about a token that the operator should hear before it is used.
pub(crate) fn finding(finding: Finding, server_ahead: i64) -> Problem {
    let by_whose_clock = match server_ahead {
        0 => String::new(),
        ahead if ahead > 0 => format!(" The admin's clock is {} ahead of this computer's.", duration(ahead)),
        behind => format!(" The admin's clock is {} behind this computer's.", duration(-behind)),
    };
    match finding {
        Finding::Opaque => problem(
            "opaque",
            "This is not a JWT",
            "Nothing can be read from it: who you are and when it ends stay unknown.",
            "Use it if this admin takes such tokens; otherwise copy the token again, whole.",
        ),
        Finding::NoSubject => problem(
            "no_subject",
            "The token names nobody",
            "It has no `sub` claim. AsyncMQ's JWTAuthBackend wants one unless it was told to read another claim.",
            "Use it if this admin reads the user from another claim.",
        ),
        Finding::Expired { at } => problem(
            "expired",
            "This token has expired",
            format!("Its time was up at {at}.{by_whose_clock}"),
            "Get a new token and paste it.",
        ),
        Finding::NotYetValid { at } => problem(
            "not_yet_valid",
            "This token is not valid yet",
            format!("It begins at {at}.{by_whose_clock}"),
            "Wait until then, or get another token.",
        ),
    }
}

/// The vault holds nothing that signs in.
pub(crate) fn nothing_stored() -> Problem {
    problem(
        "nothing_stored",
        "Nothing is stored that signs in here",
        "The keychain holds nothing for this environment as it is now.",
        "Sign in anew.",
    )
}

/// A task of our own ended in the middle.
pub(crate) fn interrupted() -> Problem {
    problem("interrupted", "The sign-in was interrupted", "The console could not finish it.", "Sign in again.")
}

/// Something must be approved first.
pub(crate) fn approve_first(tag: &str) -> Problem {
    problem(
        "approve_first",
        format!("{tag} wants to use something that you have not approved"),
        "Its settings name a command, a proxy or certificates that were not typed in this window.",
        "Look at them, and approve them if they are yours.",
    )
}

/// Why a sign-in failed.
pub(crate) fn sign_in_error(error: &SignInError, environment: &Environment) -> Problem {
    match error {
        SignInError::Text(error) => problem(
            "not_a_token",
            "This cannot be a token",
            sentence(&error.to_string()),
            "Copy the token and paste it again.",
        ),
        SignInError::NotValidNow { finding: found, server_ahead, .. } => finding(*found, *server_ahead),
        SignInError::NotAccepted { outcome, identity } => outcome_problem(outcome, Some(identity), environment),
        SignInError::Unreachable(why) => not_reached(why, environment),
        SignInError::Missing(what) => problem(
            "missing",
            "Something is missing",
            sentence(&format!("{what} is needed to sign in")),
            "Fill it in and sign in again.",
        ),
        SignInError::Key(error) => advised(error),
        SignInError::Endpoint(error) => advised(error),
        SignInError::Provider(error) => advised(error),
        SignInError::Login(error) => advised(error),
        SignInError::Command(error) => advised(error),
    }
}
