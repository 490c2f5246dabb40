//! What does the gateway say to a person, in which status?

use console_core::{
    environment::Environment,
    upstream::{Unreachable, UnreachableKind},
};
use http::StatusCode;

use super::{Answer, Because};
use crate::unanswered::Unanswered;

/// What is said of an action of which nothing more is known.
const LOOK_FIRST: &str = "It cannot be told whether the action was carried out: look before you do it again.";

/// What is said, with which status.
pub(super) struct Words {
    pub(super) status: StatusCode,
    pub(super) title: String,
    pub(super) text: String,
}

/// The words of an answer; `safe` says whether the request was a safe one.
pub(super) fn words(answer: &Answer, environment: &Environment, safe: bool) -> Words {
    let tag = &environment.tag;
    let write = !safe;
    let say = |status, title: String, text: &str| Words { status, title, text: text.to_owned() };
    match answer {
        Answer::Denied => {
            say(StatusCode::FORBIDDEN, "Forbidden".into(), "This address is for the console's own window.")
        }
        Answer::StaleTicket => say(
            StatusCode::FORBIDDEN,
            "This way in was used already".into(),
            "Choose the environment in the console again.",
        ),
        Answer::Malformed => {
            say(StatusCode::BAD_REQUEST, "Bad request".into(), "The request cannot be read without doubt.")
        }
        Answer::NoWebSocket => say(
            StatusCode::NOT_IMPLEMENTED,
            "No WebSockets".into(),
            &format!("The console carries {tag}'s pages and event streams, and no WebSockets. Nothing was sent."),
        ),
        Answer::OutsideRealm => say(
            StatusCode::NOT_FOUND,
            format!("Not part of {tag}"),
            "This address is outside the environment's base URL. Nothing was sent. Go back, or check the base URL in the \
             environment's settings.",
        ),
        Answer::Incomplete => {
            say(StatusCode::BAD_REQUEST, "Nothing was done".into(), "The request did not come whole, and was not sent.")
        }
        Answer::NotSignedIn if write => say(
            StatusCode::UNAUTHORIZED,
            "Nothing was done".into(),
            &format!(
                "Your session on {tag} had ended before this action reached the dashboard. Sign in and do it again."
            ),
        ),
        Answer::PerhapsDone if write => say(
            StatusCode::UNAUTHORIZED,
            "The admin answered 401".into(),
            "It cannot be told from here whether the action was carried out. Sign in and look before you do it again.",
        ),
        Answer::Interrupted => {
            say(StatusCode::INTERNAL_SERVER_ERROR, "The console failed in the middle of it".into(), LOOK_FIRST)
        }
        Answer::Held { because } => held(because, tag),
        Answer::NotSignedIn | Answer::PerhapsDone => say(
            StatusCode::UNAUTHORIZED,
            format!("Sign in to {tag}"),
            "The session has ended. After signing in, this page comes back.",
        ),
        Answer::Waits => say(
            // Of a 401, WebKitGTK shows nothing before it has ended (measured with 2.50; libsoup looks for a challenge).
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Sign in to {tag}"),
            "The session has ended. This page goes on by itself once you have signed in.",
        ),
        Answer::Locked => say(
            StatusCode::FORBIDDEN,
            format!("{tag} is locked"),
            "Nothing was done: this would have changed the remote system. Unlock the environment in the bar above, then do \
             it again.",
        ),
        Answer::NotAllowed => say(
            StatusCode::FORBIDDEN,
            "Signed in, but not allowed".into(),
            "The token is good, but it has no admin claim here, or lacks a role that this admin requires. Show its claims to \
             the administrator.",
        ),
        Answer::CrossOriginRejected => say(
            StatusCode::FORBIDDEN,
            format!("{tag} rejects actions, not pages"),
            "Nothing was done. The admin does not trust the proxy in front of it: its `trusted_proxies` setting must name \
             that proxy. Reading works.",
        ),
        Answer::SentElsewhere { host } => say(
            StatusCode::BAD_GATEWAY,
            format!("{tag} sends you to {host}"),
            "A proxy in front of the admin wants a sign-in of its own. The console does not follow it with your token.",
        ),
        Answer::NotFoundAtBase => say(
            StatusCode::NOT_FOUND,
            "Nothing is mounted here".into(),
            &format!(
                "`{}` answers 404. Check the mount prefix in the environment's settings; AsyncMQ's default is /asyncmq.",
                environment.base_url
            ),
        ),
        Answer::Unreachable { why, sent, retry_after } => {
            let done = match (write, sent) {
                (true, false) => "Nothing was done.".into(),
                (true, true) => LOOK_FIRST.to_owned(),
                (false, _) => format!("Trying again in {retry_after} s."),
            };
            say(unreachable_status(why), format!("Can't reach {tag}"), &format!("{} {done}", why.detail))
        }
        Answer::Unanswered(what) => unanswered(*what, tag, write),
        Answer::TakenOver | Answer::Enter { .. } | Answer::ToBase => say(StatusCode::NO_CONTENT, String::new(), ""),
    }
}

fn unanswered(what: Unanswered, tag: &str, write: bool) -> Words {
    let not_understood = |detail| {
        let then = if write { LOOK_FIRST } else { "Other pages may work. Tell the administrator which one does not." };
        let title = format!("The answer of {tag} cannot be understood");
        (StatusCode::BAD_GATEWAY, title, format!("The admin answered, but {detail}. {then}"))
    };
    let (status, title, text) = match what {
        Unanswered::Head => not_understood("its head is not HTTP, or far too long"),
        Unanswered::Body => not_understood("its body is not divided into chunks as it says"),
        Unanswered::Switching => not_understood("it switches to a protocol that nobody asked for"),
        Unanswered::BrokeOff(status) => (
            status,
            format!("{tag} answered {status}"),
            format!("It broke off before the request and its answer were whole. {LOOK_FIRST}"),
        ),
        Unanswered::CutShort => {
            (StatusCode::BAD_REQUEST, "The request did not come whole".to_owned(), LOOK_FIRST.to_owned())
        }
    };
    Words { status, title, text }
}

fn held(because: &Because, tag: &str) -> Words {
    let offered = "The console holds this action, and offers it then.";
    let (status, title, why) = match because {
        Because::Ended => (
            StatusCode::UNAUTHORIZED,
            "Held until you have signed in".to_owned(),
            format!("Your session on {tag} had ended before it reached the dashboard."),
        ),
        Because::PerhapsDone => (
            StatusCode::UNAUTHORIZED,
            "Held until you have signed in".to_owned(),
            "The admin answered 401: it cannot be told from here whether it was carried out.".to_owned(),
        ),
        Because::Unreachable(why) => (
            unreachable_status(why),
            format!("Held until {tag} is reached"),
            format!("{} Nothing was done.", why.detail),
        ),
    };
    Words { status, title, text: format!("{why} {offered}") }
}

fn unreachable_status(why: &Unreachable) -> StatusCode {
    match why.kind {
        UnreachableKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    }
}
