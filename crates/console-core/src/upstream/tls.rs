//! Whom does the console trust, and which certificate does it show? The TLS settings of an environment, the same for all of
//! its clients.
//!
//! The same, so that what a server gave for resuming a session serves every client, also those that are made anew after sleep:
//! a resumed handshake needs no certificate and no signature (RFC 8446 §2.2). The library resumes only what the very same
//! verifier has accepted, so all goes when the platform's authorities have changed. There is no early data: whoever records it
//! can send it again (RFC 8446 §8).

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use secrecy::ExposeSecret as _;

use super::{
    ReachError,
    client_identity::{self, ClientIdentityError},
};
use crate::{network::Network, secrets::Secrets};

/// A file of certificate authorities is a few kilobytes.
const LARGEST_CA_FILE: u64 = 4 * 1024 * 1024;

/// The library's cryptography, as the HTTP client chooses it.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()))
}

/// What an environment's TLS is made of: its files are read once.
pub(super) struct Tls {
    /// Trusted besides the platform's.
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    settings: Mutex<Option<Settings>>,
}

/// The client certificate.
struct Identity {
    path: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

struct Settings {
    platform: Platform,
    client: ClientConfig,
}

impl Tls {
    pub(super) fn of(network: &Network, secrets: &Secrets) -> Result<Self, ReachError> {
        let authorities = if network.ca_file.is_empty() { Vec::new() } else { authorities(&network.ca_file)? };
        let path = &network.client_certificate_file;
        let identity = if path.is_empty() {
            None
        } else {
            let pem = client_identity::pem(path, secrets)?;
            let identity = Identity::read(path, pem.expose_secret().as_bytes());
            Some(identity.map_err(|error| ClientIdentityError::unusable(path, &error))?)
        };
        Ok(Self { authorities, identity, settings: Mutex::new(None) })
    }

    /// What clients that are made now are given. Clones share the sessions that can be resumed.
    pub(super) fn client(&self) -> Result<ClientConfig, ReachError> {
        let platform = Platform::now();
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = settings.as_ref().filter(|settings| settings.platform == platform) {
            return Ok(settings.client.clone());
        }
        let client = self.make()?;
        *settings = Some(Settings { platform, client: client.clone() });
        Ok(client)
    }

    fn make(&self) -> Result<ClientConfig, ReachError> {
        let verifier = if self.authorities.is_empty() {
            Verifier::new(provider())
        } else {
            Verifier::new_with_extra_roots(self.authorities.iter().cloned(), provider())
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the library's own versions fit together")
            .dangerous()
            .with_custom_certificate_verifier(verifier.map(Arc::new).map_err(ReachError::Trust)?);
        let mut client = match &self.identity {
            Some(Identity { path, chain, key }) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| ClientIdentityError::unusable(path, &error))?,
            None => builder.with_no_client_auth(),
        };
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(client)
    }
}

impl Identity {
    fn read(path: &str, text: &[u8]) -> Result<Self, pem::Error> {
        let chain = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>()?;
        let keys = PrivateKeyDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>()?;
        let key = keys.into_iter().next_back().filter(|_| !chain.is_empty()).ok_or(pem::Error::NoItemsFound)?;
        Ok(Self { path: path.to_owned(), chain, key })
    }
}

/// The certificates in a PEM file.
fn authorities(path: &str) -> Result<Vec<CertificateDer<'static>>, ReachError> {
    let failed = |reason: String| ReachError::CaFile { path: path.into(), reason };
    let size = fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > LARGEST_CA_FILE {
        return Err(failed(format!("it has {size} bytes, more than any such file")));
    }
    let text = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let authorities = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let authorities = authorities.map_err(|error| failed(error.to_string()))?;
    if authorities.is_empty() { Err(failed("it holds no certificate".into())) } else { Ok(authorities) }
}

/// The platform's authorities, as far as the verifier reads them when it is made. Elsewhere it asks the system each time.
#[derive(PartialEq, Eq)]
struct Platform {
    #[cfg(target_os = "linux")]
    digest: sha2::digest::Output<sha2::Sha256>,
}

impl Platform {
    #[cfg(target_os = "linux")]
    fn now() -> Self {
        use sha2::{Digest as _, Sha256};

        // In order, and each with its own length in its beginning (DER).
        let authorities = rustls_native_certs::load_native_certs().certs;
        Self { digest: authorities.iter().fold(Sha256::new(), Sha256::chain_update).finalize() }
    }

    #[cfg(not(target_os = "linux"))]
    fn now() -> Self {
        Self {}
    }
}
