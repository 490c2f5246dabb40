//! What the operator is told. The one place where errors and outcomes become sentences (UI.md, "Words").

use console_core::{
    environment_file::EnvironmentFileError,
    session::Refusal,
    sign_in::pasted_token::SignInError,
    token::{Finding, Identity},
    upstream::{Outcome, Unreachable},
    vault::VaultError,
};
use console_ipc::Problem;

pub(crate) fn problem(
    code: &str,
    title: impl Into<String>,
    detail: impl Into<String>,
    advice: impl Into<String>,
) -> Problem {
    Problem { code: code.to_owned(), title: title.into(), detail: detail.into(), advice: advice.into() }
}

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

/// Why a sign-in failed.
pub(crate) fn sign_in_error(error: &SignInError, tag: &str, base_url: &str) -> Problem {
    match error {
        SignInError::Text(error) => problem(
            "not_a_token",
            "This cannot be a token",
            sentence(&error.to_string()),
            "Copy the token and paste it again.",
        ),
        SignInError::NotValidNow { finding: found, server_ahead, .. } => finding(*found, *server_ahead),
        SignInError::NotAccepted { outcome, identity } => outcome_problem(outcome, Some(identity), tag, base_url),
        SignInError::Unreachable(why) => unreachable(why, tag),
    }
}

/// What an outcome of the admin means to the operator.
pub(crate) fn outcome_problem(outcome: &Outcome, identity: Option<&Identity>, tag: &str, base_url: &str) -> Problem {
    match outcome {
        Outcome::NotAllowed => refusal(Refusal::NotAllowed, identity, tag),
        Outcome::Unauthorized => refusal(Refusal::Unauthorized, identity, tag),
        Outcome::CrossOriginRejected => problem(
            "untrusted_proxy",
            format!("{tag} rejects actions, not pages"),
            "The admin does not trust the proxy in front of it, so it takes this console for another origin. Reading works.",
            "Ask its administrator to name that proxy in the admin's `trusted_proxies` setting.",
        ),
        Outcome::SentElsewhere { host } => problem(
            "sent_elsewhere",
            format!("{tag} sends you to {host}"),
            "A proxy in front of the admin wants a sign-in of its own. Your token was not sent there.",
            "Use an address of the admin that the proxy does not guard, or ask its administrator for one.",
        ),
        Outcome::NotFoundAtBase => problem(
            "not_found_at_base",
            "Nothing is mounted there",
            format!("`{base_url}` answers 404."),
            "Check the mount prefix in the environment's settings; AsyncMQ's default is /asyncmq.",
        ),
        Outcome::GateRefused | Outcome::Answered | Outcome::Forbidden => refusal(Refusal::Gate, identity, tag),
    }
}

/// Why a session was refused.
pub(crate) fn refusal(refusal: Refusal, identity: Option<&Identity>, tag: &str) -> Problem {
    let who = identity.map_or("The operator", Identity::display_name);
    match refusal {
        Refusal::Gate | Refusal::Unauthorized => problem(
            "refused",
            format!("{tag} did not accept your token"),
            match identity.filter(|identity| !identity.audience.is_empty() || identity.issuer.is_some()) {
                Some(identity) => format!(
                    "The admin does not say why. Your token is from {} for {}; a wrong signature, audience or issuer look \
                     the same from here.",
                    identity.issuer.as_deref().map_or("no named issuer".to_owned(), |issuer| format!("`{issuer}`")),
                    if identity.audience.is_empty() {
                        "no named audience".to_owned()
                    } else {
                        format!("audience `{}`", identity.audience.join("`, `"))
                    },
                ),
                None => {
                    "The admin does not say why: a wrong signature, audience or issuer look the same from here.".into()
                }
            },
            "Sign in with a token for this admin.",
        ),
        Refusal::NotAllowed => problem(
            "not_admin",
            "Signed in, but not allowed",
            format!("`{who}` has no admin claim here, or lacks a role that this admin requires."),
            "Show the claims to its administrator, or switch to another account.",
        ),
    }
}

/// Why the remote side cannot be reached.
pub(crate) fn unreachable(why: &Unreachable, tag: &str) -> Problem {
    problem(
        "unreachable",
        format!("Can't reach {tag}"),
        why.detail.clone(),
        "Check the network, the VPN and the base URL; the console keeps trying.",
    )
}

/// Why the keychain did not do what was asked.
pub(crate) fn vault_error(error: &VaultError) -> Problem {
    problem(
        "keychain",
        "The keychain did not do it",
        sentence(&error.to_string()),
        "Unlock the keychain (on Linux: gnome-keyring or KWallet) and try again.",
    )
}

/// The environments' file was not taken in. The error itself says what to do.
pub(crate) fn settings_left_alone(error: &EnvironmentFileError) -> Problem {
    let title = match error {
        EnvironmentFileError::Newer { .. } => "The environments are from a newer version",
        EnvironmentFileError::OnlyBackup { .. } => "The environments are missing, but their backup is there",
        _ => "The environments could not be read",
    };
    problem("settings", title, sentence(&error.to_string()), "The file was left as it is.")
}

/// There is no keychain.
pub(crate) fn no_keychain(reason: &str) -> Problem {
    problem(
        "no_keychain",
        "No keychain on this computer",
        sentence(&format!("the system says: {}", reason.trim_start_matches("there is no keychain to use: "))),
        "Start or unlock the keychain (on Linux: gnome-keyring or KWallet) and look again, or go on for this run only.",
    )
}

/// A `CommandError`'s problem for something that is not there any more.
pub(crate) fn no_such_environment() -> Problem {
    problem("no_such_environment", "That environment is gone", "It was removed meanwhile.", "Choose another one.")
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
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
