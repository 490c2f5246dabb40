//! Where are secrets at rest? In the operating system's keychain, and nowhere else.
//!
//! Keychain calls may block (a person may be asked to unlock it), so they run off the async threads, one at a time.
//!
//! Without a keychain, and only after [`Vault::allow_memory`], secrets are kept in memory for this run. When a keychain
//! appears later, new secrets go there; what memory holds stays readable until it is stored again or the run ends, and
//! is not moved by itself. What was forgotten meanwhile is removed from the keychain as soon as it is there.

mod memory;
mod parts;
mod platform;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    clock::UnixTime,
    environment::EnvironmentId,
    realm::Realm,
    secrets::Secrets,
    sign_in::{Method, TOKEN},
};

pub use memory::MemoryStore;
pub use parts::{LARGEST_ENTRY, PartedStore};
pub use platform::{KeychainStore, open as open_platform};

/// Why the keychain did not do what was asked. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is none, or it is locked.
    #[error("there is no keychain to use: {reason}")]
    Unavailable {
        /// What the platform says.
        reason: String,
    },
    /// It is there, and this one request failed.
    #[error("the keychain could not {what}: {reason}")]
    Failed {
        /// What was asked, such as `write`.
        what: &'static str,
        /// What the platform says.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("what the keychain holds for this environment cannot be read ({reason}): remove it and sign in again")]
    Damaged {
        /// In what way.
        reason: &'static str,
    },
}

/// A flat store of small secrets, by key.
pub trait SecretStore: Send + Sync {
    /// Writes or replaces an entry.
    ///
    /// # Errors
    /// [`VaultError`]; the entry is as it was.
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError>;

    /// Reads an entry.
    ///
    /// # Errors
    /// [`VaultError`].
    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError>;

    /// Removes an entry; one that is not there is removed already.
    ///
    /// # Errors
    /// [`VaultError`].
    fn delete(&self, key: &str) -> Result<(), VaultError>;
}

/// Which of an environment's secrets?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// What signs in: a token, a key, a password, a refresh token.
    Credential,
    /// What the way there needs, whoever signs in: proxy password, client certificate, extra headers.
    Network,
    /// Not secret, but nobody else's to change: the commands, proxies and certificate files that the operator approved.
    Approvals,
}

/// Secrets at rest, and what they were given for.
#[derive(Clone)]
pub struct StoredCredential {
    /// They may be sent here...
    pub realm: Realm,
    /// ...and there: the token endpoint or issuer, the proxy.
    pub endpoint: Option<String>,
    /// The sign-in method that they are of ([`crate::sign_in::Method::name`]); empty in the other slots.
    pub method: String,
    /// The secrets.
    pub secrets: Secrets,
    /// When they were stored.
    pub stored_at: UnixTime,
    /// Whether the next start signs in with them by itself: not after a sign-out that kept them.
    pub in_use: bool,
}

impl StoredCredential {
    /// Whether they were given for this realm and endpoint.
    pub fn is_for(&self, realm: &Realm, endpoint: Option<&str>) -> bool {
        self.realm == *realm && self.endpoint.as_deref() == endpoint
    }
}

impl fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredential").field("realm", &self.realm.to_string()).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Record<'r> {
    version: u32,
    realm: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default)]
    method: String,
    /// Version 1 had a token and nothing else.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    token: Option<Cow<'r, str>>,
    #[serde(borrow, default)]
    secrets: BTreeMap<Cow<'r, str>, Text<'r>>,
    stored_at: UnixTime,
    in_use: bool,
}

/// A text that is borrowed from the bytes where it can be, so that no copy of it is left behind.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);

impl Text<'_> {
    fn into_secret(self) -> SecretString {
        let secret = SecretString::from(&*self.0);
        if let Cow::Owned(mut copy) = self.0 {
            copy.zeroize();
        }
        secret
    }
}

/// Whether secrets can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultStatus {
    /// They can.
    Available,
    /// They cannot.
    Unavailable {
        /// What the platform says.
        reason: String,
    },
    /// They cannot, and the operator agreed to keep them in memory for this run.
    Memory {
        /// What the platform says.
        reason: String,
    },
}

/// Of a record. Version 1 held one token.
const VERSION: u32 = 2;

type Opener = dyn Fn() -> Result<Arc<dyn SecretStore>, VaultError> + Send + Sync;

struct Inner {
    open: Box<Opener>,
    /// Kept while it works; opened anew after a failure, so that a keychain that appears later is picked up.
    store: Mutex<Option<Arc<dyn SecretStore>>>,
    memory: Mutex<Option<Arc<MemoryStore>>>,
    /// Keys that were forgotten while there was no keychain: removed when there is one.
    owed_removals: Mutex<BTreeSet<String>>,
}

/// The Secret Service is reached over a connection, which ends with the daemon. The other keychains have none.
const HAS_CONNECTION: bool = cfg!(target_os = "linux");

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

impl Vault {
    /// The operating system's keychain, in a namespace of its own.
    pub fn platform(namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        Self::opened_by(move || {
            let store = platform::open(&namespace)?;
            Ok(Arc::new(PartedStore::new(store, LARGEST_ENTRY)))
        })
    }

    /// A store that is given. For tests.
    pub fn with_store(store: Arc<dyn SecretStore>) -> Self {
        Self::opened_by(move || Ok(store.clone()))
    }

    /// A store that is opened when it is first needed, and again after a failure.
    pub fn opened_by(open: impl Fn() -> Result<Arc<dyn SecretStore>, VaultError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            open: Box::new(open),
            store: Mutex::default(),
            memory: Mutex::default(),
            owed_removals: Mutex::default(),
        }))
    }

    /// What is stored for an environment; `None`: nothing, or (with memory allowed) there is no keychain to ask.
    ///
    /// # Errors
    /// [`VaultError`]; damage is told even with memory allowed.
    pub async fn load(&self, id: &EnvironmentId, slot: Slot) -> Result<Option<StoredCredential>, VaultError> {
        let key = key_of(id, slot);
        self.run(move |inner| {
            let kept = inner.memory().and_then(|memory| memory.read(&key).transpose());
            let bytes = match kept {
                Some(bytes) => Some(bytes?),
                None => inner.with_store(|store| store.read(&key)).or_else(|error| {
                    let no_keychain = !matches!(error, VaultError::Damaged { .. });
                    if no_keychain && inner.memory().is_some() { Ok(None) } else { Err(error) }
                })?,
            };
            bytes.map(|bytes| decode(&bytes)).transpose()
        })
        .await
    }

    /// Stores a credential, replacing what was there. Without a keychain it is kept for this run, if the operator agreed.
    ///
    /// # Errors
    /// [`VaultError`]; what was stored is as it was.
    pub async fn store(&self, id: &EnvironmentId, slot: Slot, credential: &StoredCredential) -> Result<(), VaultError> {
        let key = key_of(id, slot);
        let bytes = encode(credential)?;
        self.run(move |inner| match inner.with_store(|store| store.write(&key, &bytes)) {
            Ok(()) => {
                // The keychain has it now: what memory kept for this run is old.
                inner.owed_removals().remove(&key);
                inner.memory().map_or(Ok(()), |memory| memory.delete(&key))
            }
            Err(error) => inner.memory().map_or(Err(error), |memory| memory.write(&key, &bytes)),
        })
        .await
    }

    /// Removes what is stored. With memory allowed and no keychain, the keychain's entry is removed when one appears in
    /// this run.
    ///
    /// # Errors
    /// [`VaultError`]: something may still be stored.
    pub async fn forget(&self, id: &EnvironmentId, slot: Slot) -> Result<(), VaultError> {
        let key = key_of(id, slot);
        self.run(move |inner| {
            let memory = inner.memory();
            if let Some(memory) = &memory {
                memory.delete(&key)?;
            }
            match inner.with_store(|store| store.delete(&key)) {
                Err(VaultError::Unavailable { .. }) if memory.is_some() => {
                    inner.owed_removals().insert(key);
                    Ok(())
                }
                result => result,
            }
        })
        .await
    }

    /// Whether secrets can be stored, found out by storing one: with a bus but no collection, reading works and writing
    /// does not.
    pub async fn status(&self) -> VaultStatus {
        let probed = self
            .run(|inner| {
                inner.with_store(|store| {
                    store.write("availability", b"x")?;
                    store.delete("availability")
                })
            })
            .await;
        match probed {
            Ok(()) => VaultStatus::Available,
            Err(error) if self.0.memory().is_some() => VaultStatus::Memory { reason: error.to_string() },
            Err(error) => VaultStatus::Unavailable { reason: error.to_string() },
        }
    }

    /// Whether a keychain can be opened at all. Asks nobody: unlike [`Self::status`] it never makes a locked one prompt.
    pub async fn can_open(&self) -> bool {
        let opened = self.run(|inner| {
            let kept = inner.store.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.is_some() { Ok(()) } else { (inner.open)().map(drop) }
        });
        opened.await.is_ok()
    }

    /// The operator agreed to keep secrets in memory for this run while there is no keychain.
    pub fn allow_memory(&self) {
        let mut memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.get_or_insert_with(Arc::default);
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .unwrap_or(Err(VaultError::Failed { what: "answer", reason: "the request was interrupted".into() }))
    }
}

impl Inner {
    fn memory(&self) -> Option<Arc<MemoryStore>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn owed_removals(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.owed_removals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with the store that is open, else with a new one. A connection that was kept may have died since: then
    /// a failure gets a second try over a new one (every request can be repeated).
    fn with_store<T>(&self, work: impl Fn(&dyn SecretStore) -> Result<T, VaultError>) -> Result<T, VaultError> {
        let mut kept = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = kept.take() {
            match work(open.as_ref()) {
                Err(VaultError::Failed { .. }) if HAS_CONNECTION => {}
                Err(error @ (VaultError::Failed { .. } | VaultError::Unavailable { .. })) => return Err(error),
                result => {
                    *kept = Some(open);
                    return result;
                }
            }
        }
        let open = (self.open)()?;
        self.owed_removals().retain(|key| open.delete(key).is_err());
        let result = work(open.as_ref());
        if !matches!(result, Err(VaultError::Failed { .. } | VaultError::Unavailable { .. })) {
            *kept = Some(open);
        }
        result
    }
}

fn key_of(id: &EnvironmentId, slot: Slot) -> String {
    match slot {
        Slot::Credential => format!("environment/{id}"),
        Slot::Network => format!("environment/{id}/network"),
        Slot::Approvals => format!("environment/{id}/approvals"),
    }
}

fn encode(credential: &StoredCredential) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let record = Record {
        version: VERSION,
        realm: credential.realm.to_string(),
        endpoint: credential.endpoint.clone(),
        method: credential.method.clone(),
        token: None,
        secrets: credential
            .secrets
            .iter()
            .map(|(name, value)| (name.into(), Text(value.expose_secret().into())))
            .collect(),
        stored_at: credential.stored_at,
        in_use: credential.in_use,
    };
    // Room for the worst that JSON's escapes make of it: a buffer that grew would leave a copy of the secret behind.
    let secrets: usize = record.secrets.iter().map(|(name, value)| name.len() + value.0.len() + 8).sum();
    let endpoint = record.endpoint.as_ref().map_or(0, String::len) + record.method.len();
    let room = 6 * (secrets + record.realm.len() + endpoint) + 160;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *bytes, &record)
        .map_err(|_| VaultError::Failed { what: "write", reason: "the credential could not be encoded".into() })?;
    debug_assert!(bytes.len() <= room, "it did not grow");
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<StoredCredential, VaultError> {
    let damaged = |reason| VaultError::Damaged { reason };
    let record: Record<'_> = serde_json::from_slice(bytes).map_err(|_| damaged("it is not a credential's record"))?;
    if !(1..=VERSION).contains(&record.version) {
        return Err(damaged("it comes from another version of the console"));
    }
    let mut method = record.method;
    let mut secrets: Secrets =
        record.secrets.into_iter().map(|(name, value)| (name.into_owned(), value.into_secret())).collect();
    if let Some(token) = record.token {
        secrets.set(TOKEN, Text(token).into_secret());
        Method::PastedToken.name().clone_into(&mut method);
    }
    Ok(StoredCredential {
        realm: record.realm.parse().map_err(|_| damaged("its realm is not an address"))?,
        endpoint: record.endpoint,
        method,
        secrets,
        stored_at: record.stored_at,
        in_use: record.in_use,
    })
}

#[cfg(test)]
mod tests;
