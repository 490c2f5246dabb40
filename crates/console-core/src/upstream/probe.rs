//! Does the admin accept a credential? Asked before a dashboard opens.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use reqwest::Response;
use url::Url;

use super::{Outcome, REFUSAL_BODY_LIMIT, Reach, Unreachable, judge, judge_forbidden};
use crate::{clock::UnixTime, environment::Environment, session::Authorization};

/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// What the admin said to a page request.
    pub page: Outcome,
    /// What it says to an action; told apart only where the page was answered.
    pub action: Outcome,
}

/// Why a probe found nothing.
pub type ProbeError = Unreachable;

/// The server's time, from the `Date` of an answer to a request without any credential; `None` when it sends none.
///
/// # Errors
/// [`Unreachable`].
pub async fn server_time(reach: &Reach, environment: &Environment) -> Result<Option<UnixTime>, Unreachable> {
    let response = send(reach, environment, Method::GET, "/", None).await?;
    let date = response.headers().get(header::DATE).and_then(|value| value.to_str().ok());
    Ok(date.and_then(|text| httpdate::parse_http_date(text).ok()).map(UnixTime::from))
}

/// Asks for the dashboard's first page, then whether an action would pass the admin's same-origin check: `POST
/// {prefix}/health` changes nothing (405 past the gate, 403 when the admin takes us for another origin).
///
/// # Errors
/// [`Unreachable`].
pub async fn probe(
    reach: &Reach,
    environment: &Environment,
    authorization: &Authorization,
) -> Result<ProbeReport, ProbeError> {
    let page = outcome_of(environment, Method::GET, "/", reach, authorization).await?;
    let action = match page {
        Outcome::Answered => outcome_of(environment, Method::POST, "/health", reach, authorization).await?,
        _ => Outcome::Answered,
    };
    Ok(ProbeReport { page, action })
}

/// What the admin says to a request with a credential.
///
/// # Errors
/// [`Unreachable`], also when something else than an admin answers a page request.
pub(crate) async fn outcome_of(
    environment: &Environment,
    method: Method,
    path: &str,
    reach: &Reach,
    authorization: &Authorization,
) -> Result<Outcome, Unreachable> {
    let response = send(reach, environment, method.clone(), path, Some(authorization)).await?;
    let url = response.url().clone();
    let status = response.status();
    if let Some(why) = Unreachable::from_status(response.status(), url.host_str().unwrap_or_default()) {
        return Err(why);
    }
    match judge(environment, &method, &url, response.status(), response.headers()) {
        Outcome::Forbidden => Ok(judge_forbidden(&beginning(environment, response).await?)),
        // Whoever answers with anything but a page is not the admin, or cannot tell: nginx says 400 where it wants a client
        // certificate, an upgrade to https says 301.
        Outcome::Answered if method.is_safe() && !is_page(environment, &response) => {
            let host = url.host_str().unwrap_or_default();
            let said = String::from_utf8_lossy(&beginning(environment, response).await?).into_owned();
            Err(Unreachable::instead(host, status, &said))
        }
        known => Ok(known),
    }
}

/// A page, or a redirect that stays inside the realm.
fn is_page(environment: &Environment, response: &Response) -> bool {
    let inside = || {
        let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let target = target.and_then(|target| response.url().join(target).ok());
        target.is_some_and(|target| environment.base_url.realm().contains(&target))
    };
    response.status().is_success() || (response.status().is_redirection() && inside())
}

/// One request inside the realm, as a page would send it: an unsafe one with the `Origin` of the admin's own pages.
///
/// # Errors
/// [`Unreachable`].
pub(crate) async fn send(
    reach: &Reach,
    environment: &Environment,
    method: Method,
    path: &str,
    authorization: Option<&Authorization>,
) -> Result<Response, Unreachable> {
    let url: Url = environment.base_url.join(path);
    let mut request = match authorization {
        Some(authorization) => reach.authorized(method.clone(), url, authorization),
        None => reach.request(method.clone(), url),
    };
    request = request.timeout(PROBE_TIMEOUT).header(header::ACCEPT, "text/html");
    if !method.is_safe() {
        let origin = environment.base_url.as_url().origin().ascii_serialization();
        if let Ok(origin) = HeaderValue::from_str(&origin) {
            request = request.header(header::ORIGIN, origin);
        }
    }
    request.send().await.map_err(|error| unreachable(environment, &error))
}

/// The beginning of a body, as much as tells AsyncMQ's own refusals from others.
///
/// # Errors
/// [`Unreachable`].
pub(crate) async fn beginning(environment: &Environment, mut response: Response) -> Result<Vec<u8>, Unreachable> {
    let mut body = Vec::new();
    while body.len() <= REFUSAL_BODY_LIMIT
        && let Some(chunk) = response.chunk().await.map_err(|error| unreachable(environment, &error))?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreachable(environment: &Environment, error: &reqwest::Error) -> Unreachable {
    Unreachable::from_error(error, environment.base_url.as_url().host_str().unwrap_or_default())
}
