//! What does the token say about itself and the operator, and does it fit what is known of the admin?

use http::header;

use super::{admin::text, examination::Examination, step::Found, token::Reading};
use crate::{
    clock::UnixTime,
    sign_in::{plausible_skew, shown, shown_address},
    token::Identity,
    upstream::Outcome,
};

/// A difference between two clocks that a token's life usually bears, in seconds.
const BEARABLE_SKEW: i64 = 30;
const DAY: i64 = 24 * 60 * 60;
const HOUR: i64 = 60 * 60;
const MINUTE: i64 = 60;
/// Roles that make an admin (`asyncmq/contrib/dashboard/admin/middleware.py`).
const ADMIN_ROLES: [&str; 2] = ["admin", "asyncmq:admin"];

/// Whether the admin knows whom the credential names: yes, no, or not asked.
fn is_known(examination: &Examination<'_>) -> Option<bool> {
    match examination.known_page()? {
        Outcome::Answered | Outcome::NotAllowed | Outcome::CrossOriginRejected => Some(true),
        Outcome::GateRefused | Outcome::Unauthorized => Some(false),
        _ => None,
    }
}

/// `iss`.
pub(super) fn issuer(examination: &Examination<'_>) -> Found {
    let expected = &examination.subject.environment.expected_issuer;
    let read = |identity: &Identity| identity.issuer.iter().cloned().collect();
    compared(examination, "issuer", "iss", expected, read)
}

/// `aud`.
pub(super) fn audience(examination: &Examination<'_>) -> Found {
    let expected = &examination.subject.environment.expected_audience;
    compared(examination, "audience", "aud", expected, |identity| identity.audience.clone())
}

/// What the token says against what the environment's settings expect.
fn compared(
    examination: &Examination<'_>,
    word: &str,
    claim: &str,
    expected: &str,
    read: impl Fn(&Identity) -> Vec<String>,
) -> Found {
    let identity = match Reading::of(examination).claims() {
        Ok(identity) => identity,
        Err(skipped) => return skipped,
    };
    let says = read(&identity);
    let shown: Vec<_> = says.iter().map(|one| shown_address(one)).collect();
    let finding = match shown.as_slice() {
        [] => format!("The token names no {word} (`{claim}`)."),
        some => format!("The token's {word} (`{claim}`) is {}.", super::network::listed(some)),
    };
    let known = is_known(examination);
    if expected.is_empty() {
        let advice = format!(
            "Ask the admin's administrator, and write it into the environment's settings as the expected {word}."
        );
        return match known {
            Some(true) => Found::well(format!("{finding} The admin accepts it, or does not look.")),
            _ => Found::unknown(format!("{finding} What the admin expects cannot be told from here."), advice),
        };
    }
    if says.iter().any(|one| one == expected) {
        return Found::well(format!("{finding} That is what this environment expects."));
    }
    let finding = format!("{finding} This environment expects `{}`.", shown_address(expected));
    if known == Some(true) {
        let advice = format!("The admin accepts the token: correct the expected {word} in the environment's settings.");
        Found::warning(finding, advice)
    } else {
        Found::failed(
            finding,
            format!("Get a token for this admin, or correct the expected {word} in the environment's settings."),
        )
    }
}

/// `exp`, `nbf`, and the clocks.
pub(super) fn times(examination: &Examination<'_>) -> Found {
    let ours = examination.subject.clock.now();
    let ahead = server_ahead(examination);
    let now = ours.plus(ahead.unwrap_or(0));
    let clocks = match ahead {
        None => "The server does not tell its time.".to_owned(),
        Some(0) => "This computer's clock agrees with the server's.".to_owned(),
        Some(ahead) => {
            let way = if ahead > 0 { "behind" } else { "ahead of" };
            format!("This computer's clock is {} {way} the server's.", duration(ahead.abs()))
        }
    };
    let identity = examination.subject.signed_in.as_ref().map(|signed_in| match Reading::of(examination) {
        Reading::Jwt(identity) => *identity,
        _ => signed_in.identity.clone(),
    });
    let identity = identity.unwrap_or_default();
    if let Some(at) = identity.expires_at.filter(|at| *at <= now) {
        let ago = duration(now.seconds_since(at));
        return Found::failed(format!("The token ended {ago} ago, on {at}. {clocks}"), "Sign in again.");
    }
    if let Some(at) = identity.not_before.filter(|at| *at > now) {
        let left = duration(at.seconds_since(now));
        return Found::failed(
            format!("The token begins in {left}, on {at}. {clocks}"),
            "Wait, or have the clock of whoever issues the tokens set.",
        );
    }
    let token = match (identity.expires_at, &examination.subject.signed_in) {
        (Some(at), _) => format!("The token ends in {}. ", duration(at.seconds_since(now))),
        (None, Some(_)) => "When the credential ends cannot be told from here. ".to_owned(),
        (None, None) => String::new(),
    };
    let finding = format!("{token}{clocks}");
    match ahead {
        Some(ahead) if ahead.abs() > BEARABLE_SKEW => {
            Found::warning(finding, "Set this computer's clock, or have the server's set.")
        }
        None => Found::unknown(finding, ""),
        Some(_) => Found::well(finding),
    }
}

/// The server's clock less ours, in seconds, by the first page; `None` when it does not say, or a cache does.
fn server_ahead(examination: &Examination<'_>) -> Option<i64> {
    let page = examination.first_page.as_ref()?;
    // RFC 9111 §5.1: a cache in between answers with the date of long ago.
    if page.headers.contains_key(header::AGE) {
        return None;
    }
    let date = httpdate::parse_http_date(text(&page.headers, header::DATE)?).ok()?;
    Some(plausible_skew(UnixTime::from(date).seconds_since(page.came_at)))
}

/// `sub`.
pub(super) fn subject(examination: &Examination<'_>) -> Found {
    let identity = match Reading::of(examination).claims() {
        Ok(identity) => identity,
        Err(skipped) => return skipped,
    };
    if let Some(subject) = identity.subject.as_deref().filter(|subject| !subject.is_empty()) {
        return Found::well(format!("The token names `{}`.", shown(subject)));
    }
    let finding = "The token names nobody: it has no `sub`.";
    match is_known(examination) {
        Some(true) => Found::well(format!("{finding} The admin knows whom it is for by another claim.")),
        Some(false) => Found::failed(
            format!("{finding} AsyncMQ's own backends refuse such a token, unless the admin reads another claim."),
            "Get a token with a `sub`.",
        ),
        None => Found::warning(finding, "Get a token with a `sub`, unless the admin reads another claim."),
    }
}

/// The admin claim and the roles, and whether the admin asks for more.
pub(super) fn admin(examination: &Examination<'_>) -> Found {
    let identity = match Reading::of(examination).claims() {
        Ok(identity) => identity,
        Err(skipped) => return skipped,
    };
    let roles: Vec<_> = identity.roles.iter().map(|role| shown(role)).collect();
    let by_role = identity.roles.iter().any(|role| ADMIN_ROLES.contains(&role.as_str()));
    let is_admin = by_role || identity.admin == Some(true);
    let claim = match (identity.admin, by_role) {
        (Some(true), _) => "The token says that its operator is an admin.",
        (_, true) => "The token has a role that makes its operator an admin.",
        (Some(false), _) => "The token says that its operator is no admin.",
        (None, _) => "The token has no admin claim (`is_admin`).",
    };
    let roles = match roles.as_slice() {
        [] => " It names no roles.".to_owned(),
        some => format!(" Roles: {}.", super::network::listed(some)),
    };
    let finding = format!("{claim}{roles}");
    match examination.known_page() {
        Some(Outcome::NotAllowed) if is_admin => Found::failed(
            format!("{finding} The admin asks for a role that is not among them (`required_roles`)."),
            "Show this to the admin's administrator.",
        ),
        Some(Outcome::NotAllowed) => Found::failed(
            format!("{finding} The admin lets admins in only."),
            "Show this to the admin's administrator, or switch the account.",
        ),
        Some(Outcome::Answered) => Found::well(finding),
        _ if is_admin => Found::well(finding),
        _ => Found::warning(
            format!("{finding} AsyncMQ lets admins in only, from release 0.9, unless it is set otherwise."),
            "Show this to the admin's administrator, or switch the account.",
        ),
    }
}

/// Rounded, for a person.
fn duration(seconds: i64) -> String {
    let of = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match seconds {
        ..MINUTE => of(seconds, "second"),
        MINUTE..HOUR => of(seconds / MINUTE, "minute"),
        HOUR..DAY => of(seconds / HOUR, "hour"),
        _ => of(seconds / DAY, "day"),
    }
}
