//! What does a server's certificate say, and who vouches for it?

use std::{fs, sync::Arc};

use rustls::{
    CertificateError, Error as TlsError,
    client::danger::ServerCertVerifier,
    pki_types::{CertificateDer, ServerName, UnixTime as TlsTime, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

pub(super) use crate::upstream::provider;
use crate::{
    clock::UnixTime,
    sign_in::{shown, shown_address},
};

/// The names shown of a certificate.
const MOST_NAMES: usize = 4;

/// What is shown of a certificate.
pub(super) struct Certificate {
    pub(super) issuer: String,
    pub(super) names: Vec<String>,
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
}

impl Certificate {
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let organization = certificate.issuer().iter_organization().next();
        let issuer = certificate.issuer().iter_common_name().next().or(organization);
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name_of).take(MOST_NAMES).collect());
        Some(Self {
            issuer: shown(issuer.and_then(|issuer| issuer.as_str().ok()).unwrap_or("an authority without a name")),
            names: names.unwrap_or_default(),
            not_before: UnixTime(certificate.validity().not_before.timestamp()),
            not_after: UnixTime(certificate.validity().not_after.timestamp()),
        })
    }
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(shown_address(name)),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

/// Who vouches for a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The system's roots.
    System,
    /// The environment's own file of authorities.
    OwnAuthority,
}

/// The client's own verifier: the system's roots, and the authorities in `ca_file` where there is one.
pub(super) fn verifier(ca_file: &str) -> Result<Arc<Verifier>, TlsError> {
    if ca_file.is_empty() {
        return Verifier::new(provider()).map(Arc::new);
    }
    let unreadable = || TlsError::General(format!("the file of certificate authorities `{ca_file}` cannot be read"));
    let pem = fs::read(ca_file).map_err(|_| unreadable())?;
    let roots = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(|_| unreadable())?;
    Verifier::new_with_extra_roots(roots, provider()).map(Arc::new)
}

/// Which rule accepted a chain that the client's verifier has accepted.
pub(super) fn trust(chain: &[CertificateDer<'_>], name: &ServerName<'_>, now: TlsTime) -> Trust {
    let Some((end, intermediates)) = chain.split_first() else { return Trust::OwnAuthority };
    let by_system = verifier("").and_then(|system| system.verify_server_cert(end, intermediates, name, &[], now));
    if by_system.is_ok() { Trust::System } else { Trust::OwnAuthority }
}

/// What is wrong, in words, and what to do.
pub(super) fn fault(error: &TlsError, host: &str, certificate: Option<&Certificate>) -> (String, String) {
    let TlsError::InvalidCertificate(error) = error else {
        let said = shown(&error.to_string());
        return (
            format!("The TLS connection to `{host}` was not accepted: {said}."),
            "Check that the port in the base URL is the one for https.".into(),
        );
    };
    let issuer = certificate.map_or("an authority", |certificate| &certificate.issuer);
    match error {
        CertificateError::UnknownIssuer => (
            format!("The certificate of `{host}` comes from `{issuer}`, which this computer does not trust."),
            "If that is your organisation's authority, name its file in the environment's network settings.".into(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            match certificate {
                Some(certificate) => format!("The certificate of `{host}` expired on {}.", certificate.not_after),
                None => format!("The certificate of `{host}` has expired."),
            },
            "Have it renewed, and check this computer's date.".into(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            match certificate {
                Some(certificate) => format!("The certificate of `{host}` begins on {}.", certificate.not_before),
                None => format!("The certificate of `{host}` is not valid yet."),
            },
            "Check this computer's date.".into(),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            match certificate.filter(|certificate| !certificate.names.is_empty()) {
                Some(certificate) => format!(
                    "The certificate is for {}, and not for `{host}`.",
                    super::network::listed(&certificate.names)
                ),
                None => format!("The certificate is not for `{host}`."),
            },
            "Use the name that it is for in the base URL, or have a certificate made for this one.".into(),
        ),
        CertificateError::Revoked => {
            (format!("The certificate of `{host}` was revoked."), "Show this to the admin's administrator.".into())
        }
        other => (
            format!("The certificate of `{host}` was not accepted: {}.", shown(&format!("{other:?}"))),
            "Show this to the admin's administrator.".into(),
        ),
    }
}
