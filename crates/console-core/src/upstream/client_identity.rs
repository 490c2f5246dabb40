//! Which certificate does the console show to a server that asks for one? From PEM or PKCS#12; the key ends in the vault.

use std::{fs, path::PathBuf};

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{network::secret, secrets::Secrets, sign_in::Advice};

const PEM: &[u8] = b"-----BEGIN ";
/// A certificate, its chain and its key are a few kilobytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Why there is no client certificate. Never holds a key or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ClientIdentityError {
    #[error("the client certificate `{path}` cannot be read: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("`{path}` holds a certificate and no private key")]
    NoKey { path: PathBuf },
    #[error("the private key for `{path}` is encrypted")]
    EncryptedKey { path: PathBuf },
    #[error("`{path}` could not be opened as PKCS#12 ({reason})")]
    Pkcs12 { path: PathBuf, reason: String },
    #[error("the client certificate `{path}` and its key cannot be used: {reason}")]
    Unusable { path: PathBuf, reason: String },
}

impl ClientIdentityError {
    pub(super) fn unusable(path: &str, error: &dyn std::error::Error) -> Self {
        let mut last = error;
        while let Some(source) = last.source() {
            last = source;
        }
        Self::Unusable { path: path.into(), reason: last.to_string() }
    }
}

impl Advice for ClientIdentityError {
    fn code(&self) -> &'static str {
        "client_certificate"
    }

    fn advice(&self) -> String {
        match self {
            Self::Read { .. } => "Name a PEM or PKCS#12 file in the environment's network settings.",
            Self::NoKey { .. } => "Paste its private key (PEM) into the sign-in.",
            Self::EncryptedKey { .. } => {
                "Decrypt it with `openssl pkey -in KEY -out KEY.pem`, or use a PKCS#12 file with its password."
            }
            Self::Pkcs12 { .. } => "Type the file's password again.",
            Self::Unusable { .. } => "Check that the key belongs to the certificate, and that both are PEM.",
        }
        .into()
    }
}

/// Certificate chain and key as PEM: what the vault kept from an earlier reading, else from the file and the answers.
///
/// # Errors
/// [`ClientIdentityError`].
pub(crate) fn pem(path: &str, secrets: &Secrets) -> Result<SecretString, ClientIdentityError> {
    // A key or a password that was typed comes before what was kept.
    let typed = [secret::CLIENT_KEY, secret::CLIENT_KEY_PASSWORD].iter().any(|name| secrets.get(name).is_some());
    if let Some(kept) = secrets.get(secret::CLIENT_IDENTITY).filter(|_| !typed) {
        return Ok(kept.clone());
    }
    let failed = |reason: String| ClientIdentityError::Read { path: path.into(), reason };
    let size = fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > LARGEST_FILE {
        return Err(failed(format!("it has {size} bytes, more than any such file")));
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(|error| failed(error.to_string()))?);
    if bytes.trim_ascii_start().starts_with(PEM) {
        let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is not text".into()))?;
        from_pem(path, text, secrets.get(secret::CLIENT_KEY))
    } else {
        from_pkcs12(path, &bytes, secrets.expose(secret::CLIENT_KEY_PASSWORD).unwrap_or_default())
    }
}

fn from_pem(path: &str, certificate: &str, key: Option<&SecretString>) -> Result<SecretString, ClientIdentityError> {
    let has_key = |text: &str| text.contains("PRIVATE KEY-----");
    let both = if has_key(certificate) {
        Zeroizing::new(certificate.to_owned())
    } else {
        let key = key.filter(|key| has_key(key.expose_secret()));
        let key = key.ok_or_else(|| ClientIdentityError::NoKey { path: path.into() })?;
        Zeroizing::new(format!("{}\n{}\n", certificate.trim_end(), key.expose_secret().trim()))
    };
    if both.contains("BEGIN ENCRYPTED PRIVATE KEY") || both.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(ClientIdentityError::EncryptedKey { path: path.into() });
    }
    Ok(SecretString::from(both.as_str()))
}

fn from_pkcs12(path: &str, bytes: &[u8], password: &str) -> Result<SecretString, ClientIdentityError> {
    let failed = |reason: String| ClientIdentityError::Pkcs12 { path: path.into(), reason };
    let store = KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Strict)
        .map_err(|error| failed(error.to_string()))?;
    let (_, chain) = store.private_key_chain().ok_or_else(|| ClientIdentityError::NoKey { path: path.into() })?;
    let mut text = Zeroizing::new(String::new());
    for certificate in chain.certs() {
        text.push_str(&pem::encode(&pem::Pem::new("CERTIFICATE", certificate.as_der())));
    }
    let key = Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", chain.key().as_der())));
    text.push_str(&key);
    Ok(SecretString::from(text.as_str()))
}
