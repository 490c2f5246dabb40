//! What is the operator told of a session that is renewed without them?

use console_ipc::Problem;

use super::problem;

/// Another console renews the same sign-in, and does not come to an end.
pub(crate) fn busy() -> Problem {
    problem(
        "busy",
        "Another console is renewing this sign-in",
        "Another AsyncMQ Console on this computer renews it at this moment.",
        "It is tried again; close the other one if it stays so.",
    )
}

/// What renews the session gives what ends no later.
pub(crate) fn no_newer() -> Problem {
    problem(
        "no_newer",
        "The fresh token is no newer",
        "What renews this session gave a token that ends no later than the one in use.",
        "It is asked again a little later.",
    )
}

/// What renews the session gives what has ended.
pub(crate) fn ended_already() -> Problem {
    problem(
        "ended_already",
        "The fresh token has ended already",
        "What renews this session gives tokens that have ended by the admin's clock.",
        "Sign in anew; if it stays so, compare the clocks of the admin and of whoever issues the tokens, or end the cache of the \
         command that prints them.",
    )
}

/// A renewal that failed for good: its one line in the history.
pub(crate) fn renewal_failed(problem: &Problem) -> String {
    problem.detail.trim_end_matches('.').to_owned()
}
