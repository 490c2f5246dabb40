//! What the operator is told. The one place where errors and outcomes become sentences (UI.md, "Words").

use console_core::{
    environment::Environment,
    environment_file::EnvironmentFileError,
    session::{Change, Entry, Kept, Refusal},
    sign_in::{Advice, Method, SignInError},
    token::{Finding, Identity},
    upstream::{Outcome, Unreachable, UnreachableKind},
    vault::VaultError,
};
use console_gateway::HeldError;
use console_ipc::{HistoryView, Problem};

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

/// An error that says itself what to do.
pub(crate) fn advised(error: &dyn Advice) -> Problem {
    problem(error.code(), "The sign-in did not succeed", sentence(&error.to_string()), error.advice())
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

/// What an outcome of the admin means to the operator.
pub(crate) fn outcome_problem(outcome: &Outcome, identity: Option<&Identity>, environment: &Environment) -> Problem {
    let (tag, base_url) = (&environment.tag, &environment.base_url);
    match outcome {
        Outcome::NotAllowed => refusal(Refusal::NotAllowed, identity, environment),
        Outcome::Unauthorized => refusal(Refusal::Unauthorized, identity, environment),
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
        Outcome::GateRefused | Outcome::Answered | Outcome::Forbidden => refusal(Refusal::Gate, identity, environment),
    }
}

/// Why a session was refused.
pub(crate) fn refusal(refusal: Refusal, identity: Option<&Identity>, environment: &Environment) -> Problem {
    let who = identity.map_or("The operator", Identity::display_name);
    let tag = &environment.tag;
    match refusal {
        Refusal::NotAllowed => problem(
            "not_admin",
            "Signed in, but not allowed",
            format!("`{who}` has no admin claim here, or lacks a role that this admin requires."),
            "Show the claims to its administrator, or switch to another account.",
        ),
        Refusal::Gate | Refusal::Unauthorized => match &environment.sign_in {
            Method::LoginForm(_) => problem(
                "session_ended",
                format!("Your session on {tag} ended"),
                "The admin does not know its session cookie any more: its time was up, or the admin's secret changed.",
                "Sign in to go on where you were.",
            ),
            Method::FixedHeaders(_) => problem(
                "refused",
                format!("{tag} did not accept your headers"),
                "The admin does not say why: a wrong name and a wrong value look the same from here.",
                "Type the values again, or check the headers' names in the sign-in settings.",
            ),
            Method::None => problem(
                "refused",
                format!("{tag} is not open"),
                "It was meant to let in whoever reaches it, and asks for a sign-in.",
                "Choose a sign-in method in the environment's settings.",
            ),
            _ => {
                let (detail, advice) = token_refusal(identity, environment);
                problem("refused", format!("{tag} did not accept your token"), detail, advice)
            }
        },
    }
}

/// Ours and the token's side by side where the environment names what the admin expects; else what can be known.
fn token_refusal(identity: Option<&Identity>, environment: &Environment) -> (String, &'static str) {
    const ANOTHER: &str = "Sign in with a token for this admin.";
    if let Some(identity) = identity.filter(|identity| !identity.opaque) {
        let named = |text: &str| if text.is_empty() { "none".to_owned() } else { format!("`{text}`") };
        let audience = identity.audience.join(", ");
        let expected = &environment.expected_audience;
        if !expected.is_empty() && !identity.audience.contains(expected) {
            return (
                format!("Your token is for audience {}; this environment expects `{expected}`.", named(&audience)),
                "Use a token for that audience, or correct the expected audience in the environment's settings.",
            );
        }
        let expected = &environment.expected_issuer;
        let issuer = identity.issuer.as_deref().unwrap_or_default();
        if !expected.is_empty() && issuer != expected {
            return (
                format!("Your token is from issuer {}; this environment expects `{expected}`.", named(issuer)),
                "Use a token of that issuer, or correct the expected issuer in the environment's settings.",
            );
        }
        if !audience.is_empty() || !issuer.is_empty() {
            return (
                format!(
                    "The admin does not say why, and it cannot be told from here: a wrong signature, audience or issuer, \
                     and a user who is not active there, look the same. Your token is from {} for audience {}.",
                    named(issuer),
                    named(&audience)
                ),
                ANOTHER,
            );
        }
    }
    (
        "The admin does not say why, and it cannot be told from here: a wrong signature, audience or issuer, and a user who is \
         not active there, look the same."
            .into(),
        ANOTHER,
    )
}

/// Why the remote side cannot be reached.
pub(crate) fn unreachable(why: &Unreachable, tag: &str) -> Problem {
    problem(
        "unreachable",
        format!("Can't reach {tag}"),
        why.detail.clone(),
        match why.kind {
            UnreachableKind::Tls => {
                "If the authority is your organisation's own, name its file in the environment's network settings; else do \
                 not go on."
            }
            UnreachableKind::Proxy => "Check the proxy, its user name and its password in the network settings.",
            _ => "Check the network, the VPN and the base URL, then try again.",
        },
    )
}

/// What cannot be reached: the admin, or what renews the session.
pub(crate) fn not_reached(why: &Unreachable, environment: &Environment) -> Problem {
    let host = environment.base_url.as_url().host_str().unwrap_or_default();
    // A token endpoint or a provider is somebody else's server.
    let who = if why.detail.contains(&format!("`{host}`")) { &environment.tag } else { "the sign-in server" };
    unreachable(why, who)
}

/// The admin can be reached, and its live updates stand still.
pub(crate) fn stalled(tag: &str) -> Problem {
    problem(
        "stalled",
        format!("No live updates from {tag}"),
        "The connection is open, and nothing comes over it: the figures on the page stand still.",
        "The console opens it again by itself. If it stays so, something in between holds the stream back: the doctor tells.",
    )
}

/// What was held was asked for long ago, or was perhaps done.
pub(crate) fn held_late() -> Problem {
    problem(
        "held_late",
        "Nothing was done yet",
        "It was asked for more than ten minutes ago, or may have been done already.",
        "Look at the page, then do it all the same or drop it.",
    )
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

/// A renewal that failed for good: its one line in the history.
pub(crate) fn renewal_failed(problem: &Problem) -> String {
    problem.detail.trim_end_matches('.').to_owned()
}

/// As much as can be known of why, in a few words.
fn refused_for(refusal: Refusal, audience: &[String], issuer: Option<&str>, environment: &Environment) -> &'static str {
    let (expects_audience, expects_issuer) = (&environment.expected_audience, &environment.expected_issuer);
    match refusal {
        Refusal::NotAllowed => "no admin claim, or not a role that is asked for",
        _ if !expects_audience.is_empty() && !audience.contains(expects_audience) => "audience",
        _ if !expects_issuer.is_empty() && issuer != Some(expects_issuer) => "issuer",
        Refusal::Gate => "the admin does not say why",
        Refusal::Unauthorized => "401",
    }
}

/// A line of a session's history.
pub(crate) fn history(entry: &Entry, environment: &Environment) -> HistoryView {
    let (text, trouble) = match &entry.change {
        Change::Began(Kept::Typed) => ("signed in".to_owned(), false),
        Change::Began(Kept::Vault) => ("signed in from the keychain".to_owned(), false),
        Change::Renewed => ("renewed".to_owned(), false),
        Change::TakenUp => ("taken up: another console on this computer had renewed it".to_owned(), false),
        Change::RenewalPostponed(why) => (format!("not renewed yet: {why}"), true),
        Change::RenewalFailed(why) => (format!("can no longer be renewed: {why}"), true),
        Change::Expired => ("its time was up".to_owned(), false),
        Change::ClockCorrected => ("it goes on: a clock had been set".to_owned(), false),
        Change::Refused { refusal, audience, issuer } => {
            (format!("refused: {}", refused_for(*refusal, audience, issuer.as_deref(), environment)), true)
        }
        Change::Unreachable { kind, until: Some(until) } => {
            (format!("unreachable {}: {kind}", duration(until.seconds_since(entry.at))), true)
        }
        Change::Unreachable { kind, until: None } => (format!("unreachable: {kind}"), true),
        Change::SignedOut => ("signed out".to_owned(), false),
    };
    HistoryView { at: entry.at.as_millis(), text, trouble }
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
