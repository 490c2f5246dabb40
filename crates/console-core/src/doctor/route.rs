//! Which way leads to the admin? The client's own rules, looked at from outside.

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use crate::{environment::Environment, network::secret, secrets::Secrets, upstream::goes_direct};

/// The way to the admin.
pub(super) enum Route {
    /// By no proxy.
    Direct {
        /// Why not.
        why: &'static str,
    },
    /// By a proxy.
    Proxy(Proxy),
}

/// A proxy that applies.
pub(super) struct Proxy {
    /// Who set it.
    pub(super) set_by: &'static str,
    /// With its user name and password: never shown.
    pub(super) intercept: Intercept,
}

impl Route {
    /// As [`crate::upstream::Reach`] goes, by the same library: `http_proxy`, `HTTPS_PROXY`, `NO_PROXY` and the platform's
    /// own settings, unless the environment has a proxy.
    pub(super) fn of(environment: &Environment, network: &Secrets) -> Self {
        let settings = &environment.network;
        let target: Option<Uri> = environment.base_url.as_url().as_str().parse().ok();
        let Some(target) = target.filter(|_| !goes_direct(environment)) else {
            return Self::Direct { why: "The admin is on this computer, which is reached without a proxy." };
        };
        let (matcher, set_by) = if settings.proxy.is_empty() {
            (Some(Matcher::from_system()), "the system's settings")
        } else {
            let user = Some(settings.proxy_user.as_str()).filter(|user| !user.is_empty());
            let password = network.expose(secret::PROXY_PASSWORD).unwrap_or_default();
            let address = with_user(&settings.proxy, user, password);
            (address.map(|address| Matcher::builder().all(address).build()), "this environment's settings")
        };
        match matcher.and_then(|matcher| matcher.intercept(&target)) {
            Some(intercept) => Self::Proxy(Proxy { set_by, intercept }),
            None => Self::Direct { why: "No proxy is set for it, by the environment or by the system." },
        }
    }

    /// Where the first connection goes.
    pub(super) fn first_hop<'r>(&'r self, base_url: &'r Url) -> (&'r str, u16) {
        match self {
            Self::Direct { .. } => {
                (base_url.host_str().unwrap_or_default(), base_url.port_or_known_default().unwrap_or(443))
            }
            Self::Proxy(proxy) => proxy.host_and_port(),
        }
    }
}

impl Proxy {
    /// Its host and port.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        let uri = self.intercept.uri();
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") | None => 80,
            Some(_) => 1080,
        };
        (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(usual))
    }

    /// Without user name and password.
    pub(super) fn shown(&self) -> String {
        let (host, port) = self.host_and_port();
        format!("{}://{host}:{port}", self.scheme())
    }

    pub(super) fn scheme(&self) -> &str {
        self.intercept.uri().scheme_str().unwrap_or("http")
    }
}

fn with_user(proxy: &str, user: Option<&str>, password: &str) -> Option<String> {
    let mut url = Url::parse(proxy).ok()?;
    if let Some(user) = user {
        url.set_username(user).ok()?;
        url.set_password(Some(password)).ok()?;
    }
    Some(url.into())
}
