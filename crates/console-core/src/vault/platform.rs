//! The operating system's keychain, through the keyring project's stores: macOS Keychain, Windows Credential Manager,
//! Secret Service. That project tells applications to use `keyring-core` with the platform's store, as here; its global
//! default store is not used, because it never tries again.

use std::{collections::HashMap, sync::Arc};

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::{SecretStore, VaultError};

/// A store of the keyring project, within one namespace (its "service").
pub struct KeychainStore {
    store: Arc<CredentialStore>,
    namespace: String,
    modifiers: HashMap<&'static str, &'static str>,
}

/// Opens the platform's keychain.
///
/// # Errors
/// [`VaultError::Unavailable`] when there is none.
pub fn open(namespace: &str) -> Result<Arc<dyn SecretStore>, VaultError> {
    let store = platform_store().map_err(|error| VaultError::Unavailable { reason: describe(&error) })?;
    let mut keychain = KeychainStore::new(store, namespace);
    if cfg!(windows) {
        // The default, `Enterprise`, would take the secret along to every computer that a roaming profile visits.
        keychain.modifiers.insert("persistence", "Local");
    }
    Ok(Arc::new(keychain))
}

#[cfg(target_os = "linux")]
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

impl KeychainStore {
    /// A given store. Tests give the keyring project's mock.
    pub fn new(store: Arc<CredentialStore>, namespace: &str) -> Self {
        Self { store, namespace: namespace.to_owned(), modifiers: HashMap::new() }
    }

    fn entry(&self, key: &str, what: &'static str) -> Result<Entry, VaultError> {
        let modifiers = Some(&self.modifiers).filter(|modifiers| !modifiers.is_empty());
        self.store.build(&self.namespace, key, modifiers).map_err(|error| failed(&error, what))
    }
}

impl SecretStore for KeychainStore {
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        self.entry(key, "write")?.set_secret(value).map_err(|error| failed(&error, "write"))
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self.entry(key, "read")?.get_secret() {
            Ok(value) => Ok(Some(Zeroizing::new(value))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error, "read")),
        }
    }

    fn delete(&self, key: &str) -> Result<(), VaultError> {
        match self.entry(key, "remove")?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error, "remove")),
        }
    }
}

fn failed(error: &Error, what: &'static str) -> VaultError {
    match error {
        Error::NoStorageAccess(_) | Error::NoDefaultStore => VaultError::Unavailable { reason: describe(error) },
        _ => VaultError::Failed { what, reason: describe(error) },
    }
}

/// What may be shown of a keyring error: some variants carry the secret's bytes.
fn describe(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) => "the entry is not text".into(),
        Error::BadDataFormat(_, why) => format!("the entry's format is not the store's ({why})"),
        Error::PlatformFailure(why) | Error::NoStorageAccess(why) => why.to_string(),
        other => other.to_string(),
    }
}
