//! Is there an admin behind the way, where the base URL says?

use http::{HeaderMap, Method, Version, header};
use url::Url;

use super::{
    examination::{Examination, FirstPage, advice_for},
    step::Found,
};
use crate::{
    environment::Environment,
    sign_in::{shown, shown_address},
    upstream::{Look, Outcome, Unreachable, judge, look, send},
};

/// Words in the path of a page that asks who one is.
const SIGN_IN_WORDS: [&str; 5] = ["login", "log-in", "signin", "sign-in", "auth"];

/// The first page, asked for by nobody: which version of HTTP, and what answers.
pub(super) async fn http(examination: &mut Examination<'_>) -> Found {
    let subject = examination.subject;
    let environment = &subject.environment;
    let response = match send(&subject.reach, environment, Method::GET, "/", None).await {
        Ok(response) => response,
        Err(why) => return Found::failed(why.detail.clone(), advice_for(&why)),
    };
    let url = response.url().clone();
    if let Some(why) = Unreachable::from_status(response.status(), url.host_str().unwrap_or_default()) {
        return Found::failed(why.detail.clone(), advice_for(&why));
    }
    let outcome = judge(environment, &Method::GET, &url, response.status(), response.headers());
    let page = FirstPage {
        status: response.status(),
        version: response.version(),
        headers: response.headers().clone(),
        came_at: subject.clock.now(),
        outcome,
        url,
    };
    let version = match page.version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    };
    let server = text(&page.headers, header::SERVER).map(|server| format!(" It calls itself `{}`.", shown(server)));
    let finding = format!("The server answers {} over {version}.{}", page.status.as_u16(), server.unwrap_or_default());
    examination.first_page = Some(page);
    Found::well(finding)
}

/// Whether an admin answers below the base URL. Where something in front refuses nobody, the credential may pass.
pub(super) async fn mount(examination: &mut Examination<'_>) -> Found {
    let subject = examination.subject;
    let base_url = &subject.environment.base_url;
    let Some(page) = &examination.first_page else { return Found::stopped("Nothing answered.") };
    let (status, target) = (page.status, page.target());
    let below = match base_url.prefix() {
        "" => "at the root".to_owned(),
        prefix => format!("below `{prefix}`"),
    };
    match page.outcome.clone() {
        Outcome::GateRefused => Found::well(format!("AsyncMQ's gate answers {below}.")),
        Outcome::SentElsewhere { host } => {
            let host = shown_address(&host);
            behind(examination, format!("Something in front sends to `{host}`.")).await
        }
        Outcome::NotFoundAtBase => nothing_there(examination, format!("Nothing is mounted {below}: 404.")).await,
        _ => match target {
            Some(target) => sent_on(&subject.environment, &target, &below),
            None if status.is_success() => match look(&subject.reach, &subject.environment).await {
                Ok(Look::NotFound { instead }) => {
                    instead_of(format!("Something answers {below}, and it is not AsyncMQ's dashboard."), &instead)
                }
                Ok(_) => Found::well(format!("AsyncMQ's dashboard answers {below}.")),
                Err(why) => Found::failed(why.detail.clone(), advice_for(&why)),
            },
            None => behind(examination, format!("The server answers {} {below}.", status.as_u16())).await,
        },
    }
}

/// Nobody gets as far as the admin; somebody may.
async fn behind(examination: &mut Examination<'_>, finding: String) -> Found {
    match examination.page().await {
        Some(Ok(Outcome::Answered | Outcome::NotAllowed | Outcome::GateRefused)) => {
            Found::well(format!("{finding} With the credential the admin answers."))
        }
        Some(_) => Found::failed(
            format!("{finding} With the credential it does the same."),
            "Find out what it asks for: extra headers, cookies or a client certificate in the environment's network settings.",
        ),
        None => Found::failed(
            format!("{finding} Without a credential the admin is not reached."),
            "Sign in, or set what it asks for: extra headers, cookies or a client certificate in the environment's network settings.",
        ),
    }
}

async fn nothing_there(examination: &Examination<'_>, finding: String) -> Found {
    match look(&examination.subject.reach, &examination.subject.environment).await {
        Ok(Look::NotFound { instead }) => instead_of(finding, &instead),
        Ok(_) => Found::failed(finding, "Try again: it answered otherwise a moment later."),
        Err(why) => Found::failed(finding, advice_for(&why)),
    }
}

fn instead_of(finding: String, instead: &[String]) -> Found {
    let advice = if instead.is_empty() {
        "None of the usual prefixes works either. Ask the admin's administrator for its address.".to_owned()
    } else {
        format!("Change the base URL. An admin answers at {}.", super::network::listed(instead))
    };
    Found::failed(finding, advice)
}

/// A redirect that stays on the host and does not lead to this environment's login path.
fn sent_on(environment: &Environment, target: &Url, below: &str) -> Found {
    let base_url = &environment.base_url;
    let path = shown_address(target.path());
    if base_url.as_url().scheme() == "http" && target.scheme() == "https" {
        return Found::failed(
            "The server sends on from http to https.",
            format!(
                "Change the base URL to begin with https://{}.",
                shown_address(target.host_str().unwrap_or_default())
            ),
        );
    }
    // A gate knows its own prefix: `/asyncmq/login` for a base URL that ends with `/asyncmq/x`.
    if let Some(prefix) = target.path().strip_suffix(&environment.login_path) {
        let mut theirs = base_url.as_url().clone();
        theirs.set_path(prefix);
        return Found::failed(
            format!("A gate answers {below} and sends on to `{path}`: the admin is mounted elsewhere."),
            format!("Change the base URL to `{}`.", shown_address(theirs.as_str().trim_end_matches('/'))),
        );
    }
    if is_sign_in(target) || target.path().trim_end_matches('/').starts_with(base_url.prefix()) {
        return Found::well(format!("Something answers {below}, and sends on to `{path}`."));
    }
    Found::failed(
        format!("The server sends on to `{path}`, which is not {below}."),
        format!("If the admin is there, change the path in the base URL to `{path}`."),
    )
}

/// Whether a redirect looks like one to a login page.
fn is_sign_in(target: &Url) -> bool {
    let path = target.path().to_ascii_lowercase();
    target.query_pairs().any(|(name, _)| name == "next") || SIGN_IN_WORDS.iter().any(|word| path.contains(word))
}

/// Whether a page leads nobody to *this* login path: by that the console knows a refusal.
pub(super) fn login(examination: &Examination<'_>) -> Found {
    let environment = &examination.subject.environment;
    let Some(page) = &examination.first_page else { return Found::stopped("Nothing answered.") };
    let ours = &environment.login_path;
    match (&page.outcome, page.target()) {
        (Outcome::GateRefused, target) => {
            let path = target.map_or_else(|| ours.clone(), |target| shown_address(target.path()));
            Found::well(format!("Without a credential a page leads to `{path}`, as this environment's settings say."))
        }
        (Outcome::SentElsewhere { host }, _) => Found::unknown(
            format!("Something in front sends to `{}` before the admin is asked.", shown_address(host)),
            "",
        ),
        (_, Some(target)) if is_sign_in(&target) => {
            let path = target.path();
            let theirs = path.strip_prefix(environment.base_url.prefix()).filter(|rest| rest.starts_with('/'));
            let theirs = shown_address(theirs.unwrap_or(path));
            Found::failed(
                format!(
                    "Without a credential a page leads to `{}`; this environment's login path is `{ours}`.",
                    shown_address(path)
                ),
                format!("Change the login path in the environment's settings to `{theirs}`."),
            )
        }
        _ if page.status.is_success() => Found::skipped("The admin asks nobody to sign in."),
        _ => Found::unknown(
            format!("Without a credential the server answers {} and leads to no login page.", page.status.as_u16()),
            "",
        ),
    }
}

pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
