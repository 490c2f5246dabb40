//! What does a response of the admin mean for the session? The table of DESIGN 5.6.

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use url::Url;

use crate::environment::Environment;

/// How many bytes of a 403 are read to tell AsyncMQ's own refusals from the dashboard's.
pub const REFUSAL_BODY_LIMIT: usize = 256;

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The dashboard answered.
    Answered,
    /// AsyncMQ's gate did not accept the credential: the dashboard's code did not run.
    GateRefused,
    /// Another 401: refused, and perhaps not before something ran.
    Unauthorized,
    /// A 403 whose body tells what it is; see [`judge_forbidden`].
    Forbidden,
    /// No admin claim, or not one of the admin's `required_roles`.
    NotAllowed,
    /// The admin sits behind a proxy that it does not trust, so it takes our origin for another.
    CrossOriginRejected,
    /// Something in front of the admin wants its own sign-in.
    SentElsewhere {
        /// The host that the browser was sent to.
        host: String,
    },
    /// Nothing is mounted at the base URL.
    NotFoundAtBase,
}

/// Judges by status and headers. `url` is the exact address that was asked for.
pub fn judge(
    environment: &Environment,
    method: &Method,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
) -> Outcome {
    match status {
        StatusCode::UNAUTHORIZED => {
            let to_login = headers
                .get(HX_REDIRECT)
                .and_then(|value| value.to_str().ok())
                .and_then(|target| url.join(target).ok())
                .is_some_and(|target| is_login(environment, &target));
            if to_login { Outcome::GateRefused } else { Outcome::Unauthorized }
        }
        StatusCode::FORBIDDEN => Outcome::Forbidden,
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => {
            let target = headers
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|target| url.join(target).ok());
            match target {
                Some(target) if !is_same_host(environment, &target) => {
                    Outcome::SentElsewhere { host: target.host_str().unwrap_or_default().to_owned() }
                }
                Some(target) if is_login(environment, &target) => Outcome::GateRefused,
                _ => Outcome::Answered,
            }
        }
        StatusCode::NOT_FOUND
            if method == Method::GET
                && url.path().trim_end_matches('/') == environment.base_url.prefix()
                && url.query().is_none() =>
        {
            Outcome::NotFoundAtBase
        }
        _ => Outcome::Answered,
    }
}

/// Tells AsyncMQ's own 403s (`admin/middleware.py`) from any other. `body` is its beginning.
pub fn judge_forbidden(body: &[u8]) -> Outcome {
    match body.trim_ascii() {
        b"Dashboard user is not authorized" => Outcome::NotAllowed,
        b"Cross-origin dashboard request rejected" => Outcome::CrossOriginRejected,
        _ => Outcome::Answered,
    }
}

/// The login path of *this* admin, with or without its prefix: some backends redirect to the bare one.
fn is_login(environment: &Environment, target: &Url) -> bool {
    let path = target.path().trim_end_matches('/');
    let login = environment.login_path.trim_end_matches('/');
    is_same_host(environment, target)
        && (path == login || path.strip_prefix(environment.base_url.prefix()).is_some_and(|rest| rest == login))
}

/// An admin behind TLS termination writes `http://` and perhaps its inner port's default: the host decides.
fn is_same_host(environment: &Environment, target: &Url) -> bool {
    let base = environment.base_url.as_url();
    let terminated = target.scheme() == "http" && base.scheme() == "https" && target.port().is_none();
    base.host() == target.host()
        && (base.port_or_known_default() == target.port_or_known_default()
            || base.port() == target.port()
            || terminated)
}
