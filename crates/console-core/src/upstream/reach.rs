//! Which ways lead to an environment's admin and to its provider? Two clients with the same network settings: the extra
//! secret headers and cookies go to the admin only.

use std::{fs, path::PathBuf, time::Duration};

use http::{Method, header};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy, RequestBuilder, redirect};
use secrecy::ExposeSecret;
use url::Url;

use super::client_identity::{self, ClientIdentityError};
use crate::{
    environment::Environment,
    network::{self, secret},
    secrets::Secrets,
    session::{Authorization, Extras, NotAHeaderValue, cookie_header},
    sign_in::{Advice, extras},
};

/// How long connecting may take, name look-up and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A file of certificate authorities is a few kilobytes.
const LARGEST_CA_FILE: u64 = 4 * 1024 * 1024;

/// Why there is no way to an environment.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ReachError {
    #[error("the file of certificate authorities `{path}` cannot be read: {reason}")]
    CaFile { path: PathBuf, reason: String },
    #[error(transparent)]
    ClientIdentity(#[from] ClientIdentityError),
    #[error("the proxy `{proxy}` cannot be used: {reason}")]
    Proxy { proxy: String, reason: String },
    #[error("an extra header or cookie has a value that cannot be sent")]
    Extra(#[from] NotAHeaderValue),
    #[error("the HTTP client for `{base_url}` could not be set up: {source}")]
    Client { base_url: String, source: reqwest::Error },
}

impl Advice for ReachError {
    fn code(&self) -> &'static str {
        match self {
            Self::CaFile { .. } => "ca_file",
            Self::ClientIdentity(_) => "client_certificate",
            Self::Proxy { .. } => "proxy",
            Self::Extra(_) => "extra_headers",
            Self::Client { .. } => "network",
        }
    }

    fn advice(&self) -> String {
        match self {
            Self::CaFile { .. } => "Name a PEM file with certificates in the environment's network settings.".into(),
            Self::ClientIdentity(error) => error.advice(),
            Self::Proxy { .. } => "Check the proxy in the environment's network settings.".into(),
            Self::Extra(_) => "Type the value again, without line breaks.".into(),
            Self::Client { .. } => "Check the environment's network settings.".into(),
        }
    }
}

/// The ways to the admin and to the provider. Cheap to clone.
#[derive(Clone)]
pub struct Reach {
    admin: Client,
    provider: Client,
    extras: Extras,
}

impl Reach {
    /// Keep-alive, HTTP/2 by ALPN, the platform's trusted roots, and what the environment's network settings say.
    /// `network` are the secrets for them, as far as the vault holds them. Neither client follows a redirect.
    ///
    /// Without a proxy of its own an environment is reached through the desktop's (`http_proxy`, `NO_PROXY`, the
    /// platform's manual settings; no PAC). Plain http to loopback, and a tunnel's end, are reached directly.
    ///
    /// # Errors
    /// [`ReachError`].
    pub fn new(environment: &Environment, network: &Secrets) -> Result<Self, ReachError> {
        let client = |way: Way| -> Result<Client, ReachError> {
            let builder = with_network(base(), environment, network, way)?;
            builder.build().map_err(|source| ReachError::Client { base_url: environment.base_url.to_string(), source })
        };
        Ok(Self {
            admin: client(way_to_admin(environment))?,
            provider: client(way_to_provider(environment))?,
            extras: extras(environment, network)?,
        })
    }

    /// The client for the admin. Whoever uses it by itself attaches the extras.
    pub fn admin(&self) -> &Client {
        &self.admin
    }

    /// The client for token endpoints and providers: no extra header or cookie ever goes there.
    pub fn provider(&self) -> &Client {
        &self.provider
    }

    /// What goes with every request inside the realm.
    pub fn extras(&self) -> &Extras {
        &self.extras
    }

    /// A request inside the realm by nobody: with the extras, without a credential.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let mut request = self.admin.request(method, url);
        for (name, value) in self.extras.headers() {
            request = request.header(name, value);
        }
        match cookie_header(self.extras.cookies()) {
            Some(cookies) => request.header(header::COOKIE, cookies),
            None => request,
        }
    }

    /// A request inside the realm with a session's credential (the extras are in it).
    pub fn authorized(&self, method: Method, url: Url, authorization: &Authorization) -> RequestBuilder {
        let mut request = self.admin.request(method, url);
        for (name, value) in &authorization.headers {
            request = request.header(name, value);
        }
        match authorization.cookie_header() {
            Some(cookies) => request.header(header::COOKIE, cookies),
            None => request,
        }
    }
}

/// How a client gets out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By no proxy at all.
    Direct,
    /// By the environment's proxy, else by the desktop's.
    AnyProxy,
}

/// What leads to this computer goes to no proxy: in clear, its password or token would be read there, and a tunnel ends
/// here. Only https to loopback goes where the environment's own proxy leads (`ssh -D`), and plain http where the operator
/// allowed it.
fn way_to_admin(environment: &Environment) -> Way {
    let has_proxy = !environment.network.proxy.is_empty() && environment.network.tunnel.is_none();
    let is_safe = environment.base_url.as_url().scheme() == "https" || environment.allow_plain_http;
    if environment.base_url.is_loopback() && !(has_proxy && is_safe) { Way::Direct } else { Way::AnyProxy }
}

/// Whether an environment's admin is reached by no proxy, whatever is set.
pub(crate) fn goes_direct(environment: &Environment) -> bool {
    way_to_admin(environment) == Way::Direct
}

fn way_to_provider(environment: &Environment) -> Way {
    let endpoint = environment.sign_in.implementation().endpoint();
    let url = endpoint.and_then(|endpoint| Url::parse(&endpoint).ok());
    let has_proxy = !environment.network.proxy.is_empty();
    match url {
        Some(url) if crate::realm::is_loopback(&url) && !(has_proxy && url.scheme() == "https") => Way::Direct,
        _ => Way::AnyProxy,
    }
}

fn base() -> ClientBuilder {
    Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_keepalive(Duration::from_secs(30))
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_while_idle(false)
}

fn with_network(
    mut builder: ClientBuilder,
    environment: &Environment,
    secrets: &Secrets,
    way: Way,
) -> Result<ClientBuilder, ReachError> {
    let network = &environment.network;
    if !network.ca_file.is_empty() {
        for certificate in certificates(&network.ca_file)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if !network.client_certificate_file.is_empty() {
        let pem = client_identity::pem(&network.client_certificate_file, secrets)?;
        let identity = Identity::from_pem(pem.expose_secret().as_bytes());
        let identity =
            identity.map_err(|error| ClientIdentityError::unusable(&network.client_certificate_file, &error))?;
        builder = builder.identity(identity);
    }
    if way == Way::Direct {
        return Ok(builder.no_proxy());
    }
    if !network.proxy.is_empty() {
        let failed = |reason: String| ReachError::Proxy { proxy: network.proxy.clone(), reason };
        network::proxy_url(&network.proxy).map_err(|reason| failed(reason.to_owned()))?;
        let mut proxy = Proxy::all(&network.proxy).map_err(|error| failed(error.to_string()))?;
        if !network.proxy_user.is_empty() {
            proxy = proxy.basic_auth(&network.proxy_user, secrets.expose(secret::PROXY_PASSWORD).unwrap_or_default());
        }
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

/// The certificates in a PEM file.
fn certificates(path: &str) -> Result<Vec<Certificate>, ReachError> {
    let failed = |reason: String| ReachError::CaFile { path: path.into(), reason };
    let size = fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > LARGEST_CA_FILE {
        return Err(failed(format!("it has {size} bytes, more than any such file")));
    }
    let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() { Err(failed("it holds no certificate".into())) } else { Ok(certificates) }
}
