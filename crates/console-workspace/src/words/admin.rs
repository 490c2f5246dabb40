//! What does an admin's answer mean to the operator, and why is there none?

use console_core::{
    environment::Environment,
    session::Refusal,
    sign_in::Method,
    token::Identity,
    upstream::{Outcome, Unreachable, UnreachableKind},
};
use console_ipc::Problem;

use super::problem;

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

/// The admin can be reached, and its live updates were cut off.
pub(crate) fn oversized_events(tag: &str) -> Problem {
    problem(
        "oversized_events",
        format!("The live updates of {tag} are too large"),
        "One of them has more than a megabyte: the console ended the connection, and the figures on the page stand still.",
        "The console opens it again by itself. AsyncMQ needs a tenth of that for a thousand queues: look at what the admin sends at /events.",
    )
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
