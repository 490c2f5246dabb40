//! Which ways lead to an environment's admin and to its provider? Clients with the same network settings: the extra secret
//! headers and cookies go to the admin only.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::{Method, header};
use reqwest::{Client, ClientBuilder, Proxy, RequestBuilder, dns::Resolve, redirect};
use rustls::ClientConfig;
use url::Url;

use super::{client_identity::ClientIdentityError, tls::Tls};
use crate::{
    environment::Environment,
    network::{self, secret},
    secrets::Secrets,
    session::{Authorization, Extras, NotAHeaderValue, cookie_header},
    sign_in::{Advice, extras},
};

/// How long connecting may take, name look-up and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of one answer may be under way, in bytes: a page with all its assets at 150 ms and more, and no more than can be
/// held for a page that does not read.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
/// The same of all answers on one connection.
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;
/// The headers of one answer over HTTP/2, in bytes; a CSP and some cookies take a few thousand.
const LARGEST_HEAD: u32 = 64 * 1024;
/// Lines of one answer's head over HTTP/1.1.
const MOST_HEADERS: usize = 200;

/// Why there is no way to an environment.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ReachError {
    #[error("the file of certificate authorities `{path}` cannot be read: {reason}")]
    CaFile { path: PathBuf, reason: String },
    #[error(transparent)]
    ClientIdentity(#[from] ClientIdentityError),
    #[error("the certificate authorities to trust could not be set up: {0}")]
    Trust(#[source] rustls::Error),
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
            Self::Trust(_) | Self::Client { .. } => "network",
        }
    }

    fn advice(&self) -> String {
        match self {
            Self::CaFile { .. } => "Name a PEM file with certificates in the environment's network settings.".into(),
            Self::ClientIdentity(error) => error.advice(),
            Self::Proxy { .. } => "Check the proxy in the environment's network settings.".into(),
            Self::Extra(_) => "Type the value again, without line breaks.".into(),
            Self::Trust(_) | Self::Client { .. } => "Check the environment's network settings.".into(),
        }
    }
}

/// The ways to the admin and to the provider. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Reach {
    plan: Arc<Plan>,
    clients: Arc<RwLock<Clients>>,
    extras: Extras,
    first_byte: Duration,
}

/// What the clients are made of: the files are read once, so that new clients can be made whatever became of them.
struct Plan {
    base_url: String,
    tls: Tls,
    proxy: Option<Proxy>,
    admin: Way,
    provider: Way,
    resolver: Option<Arc<dyn Resolve>>,
}

struct Clients {
    admin: Client,
    writes: Client,
    provider: Client,
}

impl Reach {
    /// Keep-alive, HTTP/2 by ALPN, the platform's trusted roots, and what the environment's network settings say.
    /// `network` are the secrets for them, as far as the vault holds them. No client follows a redirect.
    ///
    /// Without a proxy of its own an environment is reached through the desktop's (`http_proxy`, `NO_PROXY`, the
    /// platform's manual settings; no PAC). Plain http to loopback, and a tunnel's end, are reached directly.
    ///
    /// # Errors
    /// [`ReachError`].
    pub fn new(environment: &Environment, network: &Secrets) -> Result<Self, ReachError> {
        Self::with(environment, network, None)
    }

    /// The same, with names looked up by `resolver` instead of the system.
    ///
    /// # Errors
    /// [`ReachError`].
    pub fn resolving(
        environment: &Environment,
        network: &Secrets,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, ReachError> {
        Self::with(environment, network, Some(resolver))
    }

    fn with(
        environment: &Environment,
        network: &Secrets,
        resolver: Option<Arc<dyn Resolve>>,
    ) -> Result<Self, ReachError> {
        let plan = Plan { resolver, ..Plan::of(environment, network)? };
        let clients = plan.clients()?;
        let extras = extras(environment, network)?;
        let first_byte = environment.network.first_byte();
        Ok(Self { plan: Arc::new(plan), clients: Arc::new(RwLock::new(clients)), extras, first_byte })
    }

    /// Forgets every connection: new requests of all clones connect anew, those under way go on. After sleep, a change of
    /// network or a silence nobody waits for a connection that is dead without anybody having said so. The platform's
    /// proxy settings and trusted roots are read again; TLS sessions are resumed unless those have changed.
    pub fn reconnect(&self) {
        match self.plan.clients() {
            Ok(clients) => *self.clients.write().unwrap_or_else(PoisonError::into_inner) = clients,
            // They could be made once; until they can be again, the old ones find out about dead connections by themselves.
            Err(error) => tracing::warn!(%error, "the HTTP clients could not be set up again"),
        }
    }

    /// The client for requests of `method` to the admin, as of now: whoever keeps it keeps its connections. Whoever uses it by
    /// itself attaches the extras.
    ///
    /// What changes the admin has a connection of its own: a server closes an idle one when it likes (uvicorn after 5 s), and a
    /// request that crosses with that gets no answer. A read is sent again, but of a write nobody could tell whether it was
    /// done (RFC 9112 §9.3.1, §9.5).
    pub fn admin(&self, method: &Method) -> Client {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner);
        if method.is_safe() { clients.admin.clone() } else { clients.writes.clone() }
    }

    /// The client for token endpoints and providers, as of now: no extra header or cookie ever goes there.
    pub fn provider(&self) -> Client {
        self.clients.read().unwrap_or_else(PoisonError::into_inner).provider.clone()
    }

    /// How long an answer may take to begin. It is for whoever waits: the clients have no such limit, and a stream has none.
    pub fn first_byte(&self) -> Duration {
        self.first_byte
    }

    /// What goes with every request inside the realm.
    pub fn extras(&self) -> &Extras {
        &self.extras
    }

    /// A request inside the realm by nobody: with the extras, without a credential.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let mut request = self.admin(&method).request(method, url);
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
        let mut request = self.admin(&method).request(method, url);
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

impl Plan {
    fn of(environment: &Environment, secrets: &Secrets) -> Result<Self, ReachError> {
        let network = &environment.network;
        let (admin, provider) = (way_to_admin(environment), way_to_provider(environment));
        let needs_proxy = !network.proxy.is_empty() && (admin, provider) != (Way::Direct, Way::Direct);
        let proxy = if needs_proxy { Some(own_proxy(environment, secrets)?) } else { None };
        let (base_url, tls) = (environment.base_url.to_string(), Tls::of(network, secrets)?);
        Ok(Self { base_url, tls, proxy, admin, provider, resolver: None })
    }

    fn clients(&self) -> Result<Clients, ReachError> {
        let tls = self.tls.client()?;
        Ok(Clients {
            admin: self.client(self.admin, base(tls.clone()))?,
            writes: self.client(self.admin, base(tls.clone()).pool_max_idle_per_host(0))?,
            // No refresh token is spent on a connection that its server is about to close.
            provider: self.client(self.provider, base(tls).pool_idle_timeout(Duration::from_secs(1)))?,
        })
    }

    fn client(&self, way: Way, mut builder: ClientBuilder) -> Result<Client, ReachError> {
        if let Some(resolver) = &self.resolver {
            builder = builder.dns_resolver(resolver.clone());
        }
        match (way, &self.proxy) {
            (Way::Direct, _) => builder.no_proxy(),
            (Way::AnyProxy, Some(proxy)) => builder.proxy(proxy.clone()),
            (Way::AnyProxy, None) => builder,
        }
        .build()
        .map_err(|source| ReachError::Client { base_url: self.base_url.clone(), source })
    }
}

/// What is common to every client: it follows no redirect, and a connection that is dead is noticed within seconds.
///
/// A live stream is all answer and no request, so nothing would ever be found missing on it: probes have to ask. And a
/// request on a pooled connection that died in silence (sleep, another network, a firewall that forgot it) would be sent
/// again by the kernel for minutes.
fn base(tls: ClientConfig) -> ClientBuilder {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_mins(1))
        // 10 s of silence, then three probes 5 s apart: dead after 25 s (by default it is 60).
        .tcp_keepalive(Duration::from_secs(10))
        .tcp_keepalive_interval(Duration::from_secs(5))
        .tcp_keepalive_retries(3)
        .http1_max_headers(MOST_HEADERS)
        .http2_max_header_list_size(LARGEST_HEAD)
        // Fixed: an adaptive window begins with 64 KiB, a round trip for each of them.
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        // The same over HTTP/2, through whatever ends TCP on the way (the default asks never).
        .http2_keep_alive_interval(Duration::from_secs(10))
        .http2_keep_alive_timeout(Duration::from_secs(5))
        // An idle connection is asked, too: a page must not find out. It is closed after a minute anyway.
        .http2_keep_alive_while_idle(true);
    // How long what was sent may stay unacknowledged; other systems have no such option in the client. Long enough for a
    // train in a tunnel, and on Linux it also ends the probes above.
    #[cfg(target_os = "linux")]
    let builder = builder.tcp_user_timeout(Duration::from_secs(15));
    builder
}

/// The environment's own proxy, with its user name and password.
fn own_proxy(environment: &Environment, secrets: &Secrets) -> Result<Proxy, ReachError> {
    let network = &environment.network;
    let failed = |reason: String| ReachError::Proxy { proxy: network.proxy.clone(), reason };
    network::proxy_url(&network.proxy).map_err(|reason| failed(reason.to_owned()))?;
    let proxy = Proxy::all(&network.proxy).map_err(|error| failed(error.to_string()))?;
    if network.proxy_user.is_empty() {
        return Ok(proxy);
    }
    Ok(proxy.basic_auth(&network.proxy_user, secrets.expose(secret::PROXY_PASSWORD).unwrap_or_default()))
}
