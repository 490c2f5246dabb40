//! Is the server's certificate accepted, by which rule, and for how long?
//!
//! A handshake of its own, with the client's verifier, so that the certificate can also be told where it is refused. Where a
//! proxy leads to the admin it goes through that proxy.

use std::{
    error::Error,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::{
        HttpConnector,
        proxy::{SocksV5, Tunnel},
    },
    rt::TokioIo,
};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime as TlsTime},
    sign::CertifiedKey,
};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service as _;
use url::Url;

use super::{
    certificate::{Certificate, Trust, fault, provider, trust, verifier},
    examination::Examination,
    route::{Proxy, Route},
    step::Found,
};
use crate::sign_in::shown;

/// A certificate that ends sooner than this many days is worth a warning.
const SOON: i64 = 14;
const DAY: i64 = 24 * 60 * 60;

/// The client's verifier; remembers what it saw.
#[derive(Debug)]
struct Watching {
    verifier: Arc<Verifier>,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    at: TlsTime,
    refused: Option<TlsError>,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: TlsTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let chain = std::iter::once(end_entity).chain(intermediates).map(|one| one.clone().into_owned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Seen { chain, at: now, refused: verified.as_ref().err().cloned() });
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.verifier.root_hint_subjects()
    }
}

/// Shows no certificate, and remembers that one was asked for.
#[derive(Debug, Default)]
struct Asked(Mutex<bool>);

impl Asked {
    fn was(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        None
    }

    fn has_certs(&self) -> bool {
        // Else it is not asked.
        true
    }
}

/// What became of the handshake.
struct Handshake {
    seen: Option<Seen>,
    asked: bool,
    agreed: io::Result<Agreed>,
}

/// What both sides agreed on.
struct Agreed {
    version: String,
    /// By ALPN.
    protocol: Option<String>,
}

/// The server's certificate.
pub(super) async fn certificate(examination: &mut Examination<'_>) -> Found {
    let environment = &examination.subject.environment;
    let url = environment.base_url.as_url();
    if url.scheme() == "http" {
        return if environment.base_url.is_loopback() {
            Found::skipped("The admin is spoken to in clear, on this computer.")
        } else {
            Found::warning(
                "The admin is spoken to in clear: the credential can be read by anyone on the way.",
                "Have the admin served by https, and change the base URL to it.",
            )
        };
    }
    let host = url.host_str().unwrap_or_default();
    let stream = match open(&examination.route, url).await {
        Ok(stream) => stream,
        Err(why) => return why,
    };
    let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()) else {
        return Found::unknown(format!("`{host}` cannot stand in a certificate."), "");
    };
    let verifier = match verifier(&environment.network.ca_file) {
        Ok(verifier) => verifier,
        Err(error) => {
            let said = shown(&error.to_string());
            return Found::failed(
                format!("No certificate can be checked: {said}."),
                "Check the environment's network settings.",
            );
        }
    };
    let handshake = shake_hands(stream, name.clone(), verifier).await;
    judge(examination, host, &name, &handshake)
}

fn judge(examination: &Examination<'_>, host: &str, name: &ServerName<'_>, handshake: &Handshake) -> Found {
    let environment = &examination.subject.environment;
    let broken = |why: &str| {
        let advice = "Check that the port in the base URL is the one for https.";
        Found::failed(format!("The TLS connection to `{host}` was not accepted: {why}."), advice)
    };
    let Some(seen) = &handshake.seen else {
        let why = handshake.agreed.as_ref().err().map(|error| shown(&error.to_string()));
        return broken(why.as_deref().unwrap_or("it showed no certificate"));
    };
    let read = seen.chain.first().and_then(Certificate::read);
    if let Some(error) = &seen.refused {
        let (finding, advice) = fault(error, host, read.as_ref());
        return Found::failed(finding, advice);
    }
    let has_own = !environment.network.client_certificate_file.is_empty();
    let mut findings = vec![match trust(&seen.chain, name, seen.at) {
        Trust::System => "The certificate is trusted by this computer".to_owned(),
        Trust::OwnAuthority => "The certificate is trusted by this environment's own authorities".to_owned(),
    }];
    let now = examination.subject.clock.now();
    let days = read.as_ref().map(|read| read.not_after.seconds_since(now).div_euclid(DAY));
    if let (Some(read), Some(days)) = (&read, days) {
        findings.push(format!(", comes from `{}` and ends in {days} days, on {}", read.issuer, read.not_after));
    }
    findings.push(".".into());
    match &handshake.agreed {
        Ok(Agreed { version, protocol }) => {
            let protocol = protocol.as_deref().unwrap_or("none, hence HTTP/1.1");
            findings.push(format!(" {version}, ALPN {protocol}."));
        }
        // It ended after the certificate: without ours, which this handshake does not show.
        Err(_) if handshake.asked => {}
        Err(error) => return broken(&shown(&error.to_string())),
    }
    if handshake.asked {
        findings.push(" The server asks for a client certificate.".into());
    }
    if let Route::Proxy(_) = examination.route {
        findings.push(" Looked at through the proxy: one that opens TLS shows a certificate of its own.".into());
    }
    let finding = findings.concat();
    if days.is_some_and(|days| days < SOON) {
        return Found::warning(finding, "Have it renewed.");
    }
    if handshake.asked && !has_own {
        let advice = "If the next step fails, name a client certificate in the environment's network settings.";
        return Found { advice: advice.into(), ..Found::well(finding) };
    }
    Found::well(finding)
}

async fn shake_hands(stream: TokioIo<TcpStream>, name: ServerName<'static>, verifier: Arc<Verifier>) -> Handshake {
    let watching = Arc::new(Watching { verifier, seen: Mutex::default() });
    let asked = Arc::new(Asked::default());
    let builder = ClientConfig::builder_with_provider(provider());
    let builder =
        builder.with_protocol_versions(rustls::ALL_VERSIONS).expect("the library's own versions fit together");
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(watching.clone()).with_client_cert_resolver(asked.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream.into_inner()).await;
    let agreed = stream.map(|stream| {
        let (_, connection) = stream.get_ref();
        let version = connection.protocol_version().map(|version| format!("{version:?}").replace("TLSv1_", "TLS 1."));
        let protocol = connection.alpn_protocol().map(|name| shown(&String::from_utf8_lossy(name)));
        Agreed { version: version.unwrap_or_default(), protocol }
    });
    let seen = watching.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    Handshake { seen, asked: asked.was(), agreed }
}

/// A connection to the admin, through the proxy where one applies.
async fn open(route: &Route, url: &Url) -> Result<TokioIo<TcpStream>, Found> {
    let not_connected = |why: &dyn fmt::Display| {
        Found::failed(format!("No connection for it: {}.", shown(&why.to_string())), "Try again.")
    };
    let Route::Proxy(proxy) = route else {
        let (host, port) = route.first_hop(url);
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
        return stream.map(TokioIo::new).map_err(|error| not_connected(&error));
    };
    let target: Uri = url.as_str().parse().map_err(|_| not_connected(&"the base URL cannot be asked for"))?;
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    match proxy.scheme() {
        "http" => {
            let tunnel = Tunnel::new(proxy.intercept.uri().clone(), plain);
            let auth = proxy.intercept.basic_auth().cloned();
            let mut tunnel = match auth {
                Some(auth) => tunnel.with_auth(auth),
                None => tunnel,
            };
            tunnel.call(target).await.map_err(|error| not_connected(&error))
        }
        "socks5" | "socks5h" => socks(proxy, plain, target).await.map_err(|error| not_connected(&error)),
        other => {
            let finding = format!("The certificate was not looked at through a proxy of the kind `{other}`.");
            Err(Found::unknown(finding, "The next step tells whether it is accepted."))
        }
    }
}

async fn socks(proxy: &Proxy, plain: HttpConnector, target: Uri) -> Result<TokioIo<TcpStream>, impl Error + use<>> {
    let mut socks = SocksV5::new(proxy.intercept.uri().clone(), plain).local_dns(proxy.scheme() == "socks5");
    if let Some((user, password)) = proxy.intercept.raw_auth() {
        socks = socks.with_auth(user.to_owned(), password.to_owned());
    }
    socks.call(target).await
}
