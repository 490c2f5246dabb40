//! How does a line of a session's history read?

use console_core::{
    environment::Environment,
    session::{Change, Entry, Kept, Refusal},
};
use console_ipc::HistoryView;

use super::duration;

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
