//! How does the console talk to a remote admin? One client per environment; it follows no redirect, keeps no cookie
//! and adds no credential by itself.

mod outcome;
mod probe;
mod unreachable;

use std::time::Duration;

use reqwest::redirect;

use crate::environment::Environment;

pub use reqwest::Client;

pub use outcome::{Outcome, REFUSAL_BODY_LIMIT, judge, judge_forbidden};
pub use probe::{ProbeError, ProbeReport, probe, server_time};
pub use unreachable::{Unreachable, UnreachableKind};

/// How long connecting may take, name look-up and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for `{base_url}` could not be set up: {source}")]
pub struct ClientError {
    base_url: String,
    source: reqwest::Error,
}

/// The HTTP client of an environment: keep-alive, HTTP/2 by ALPN, the platform's trusted roots and proxy settings.
/// A loopback admin is reached directly whatever the proxy settings are, as browsers do.
///
/// # Errors
/// [`ClientError`] when TLS cannot be set up.
pub fn client(environment: &Environment) -> Result<Client, ClientError> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_keepalive(Duration::from_secs(30))
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_while_idle(false);
    if environment.base_url.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|source| ClientError { base_url: environment.base_url.to_string(), source })
}
