//! Where are secrets at rest? In the operating system's keychain, and nowhere else.
//!
//! Keychain calls may block (a person may be asked to unlock it), so they run off the async threads, one at a time.

mod memory;
mod parts;
mod platform;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{clock::UnixTime, environment::EnvironmentId, realm::Realm};

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

/// A credential at rest, and the realm that it belongs to.
#[derive(Clone)]
pub struct StoredCredential {
    /// It may be sent here only.
    pub realm: Realm,
    /// The secret.
    pub token: SecretString,
    /// When it was stored.
    pub stored_at: UnixTime,
    /// Whether the next start signs in with it by itself: not after a sign-out that kept it.
    pub in_use: bool,
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
    token: std::borrow::Cow<'r, str>,
    stored_at: UnixTime,
    in_use: bool,
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

type Opener = dyn Fn() -> Result<Arc<dyn SecretStore>, VaultError> + Send + Sync;

struct Inner {
    open: Box<Opener>,
    /// Kept while it works; opened anew after a failure, so that a keychain that appears later is picked up.
    store: Mutex<Option<Arc<dyn SecretStore>>>,
    memory: Mutex<Option<Arc<MemoryStore>>>,
}

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
        Self(Arc::new(Inner { open: Box::new(open), store: Mutex::default(), memory: Mutex::default() }))
    }

    /// What is stored for an environment.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn load(&self, id: &EnvironmentId) -> Result<Option<StoredCredential>, VaultError> {
        let key = key_of(id);
        self.run(move |inner| {
            let kept = inner.memory().and_then(|memory| memory.read(&key).transpose());
            let bytes = match kept {
                Some(bytes) => Some(bytes?),
                None => inner.with_store(|store| store.read(&key)).or_else(|error| {
                    // With memory allowed, nothing stored is an answer: there is no keychain to hold it.
                    if inner.memory().is_some() { Ok(None) } else { Err(error) }
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
    pub async fn store(&self, id: &EnvironmentId, credential: &StoredCredential) -> Result<(), VaultError> {
        let key = key_of(id);
        let bytes = encode(credential)?;
        self.run(move |inner| match inner.with_store(|store| store.write(&key, &bytes)) {
            Ok(()) => {
                // The keychain has it now: what memory kept for this run is old.
                inner.memory().map_or(Ok(()), |memory| memory.delete(&key))
            }
            Err(error) => inner.memory().map_or(Err(error), |memory| memory.write(&key, &bytes)),
        })
        .await
    }

    /// Removes what is stored.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn forget(&self, id: &EnvironmentId) -> Result<(), VaultError> {
        let key = key_of(id);
        self.run(move |inner| {
            let memory = inner.memory();
            if let Some(memory) = &memory {
                memory.delete(&key)?;
            }
            inner.with_store(|store| store.delete(&key)).or_else(|error| if memory.is_some() { Ok(()) } else { Err(error) })
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

    fn with_store<T>(&self, work: impl FnOnce(&dyn SecretStore) -> Result<T, VaultError>) -> Result<T, VaultError> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &*store {
            Some(open) => open.clone(),
            None => store.insert((self.open)()?).clone(),
        };
        let result = work(open.as_ref());
        if result.is_err() {
            // The connection may be dead: the next request opens a new one.
            *store = None;
        }
        result
    }
}

fn key_of(id: &EnvironmentId) -> String {
    format!("environment/{id}")
}

fn encode(credential: &StoredCredential) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let record = Record {
        version: 1,
        realm: credential.realm.to_string(),
        token: credential.token.expose_secret().into(),
        stored_at: credential.stored_at,
        in_use: credential.in_use,
    };
    serde_json::to_vec(&record)
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Failed { what: "write", reason: "the credential could not be encoded".into() })
}

fn decode(bytes: &[u8]) -> Result<StoredCredential, VaultError> {
    let damaged = |reason| VaultError::Damaged { reason };
    let record: Record<'_> = serde_json::from_slice(bytes).map_err(|_| damaged("it is not a credential's record"))?;
    if record.version != 1 {
        return Err(damaged("it comes from another version of the console"));
    }
    Ok(StoredCredential {
        realm: record.realm.parse().map_err(|_| damaged("its realm is not an address"))?,
        token: SecretString::from(record.token.into_owned()),
        stored_at: record.stored_at,
        in_use: record.in_use,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use secrecy::{ExposeSecret, SecretString};

    use super::{MemoryStore, StoredCredential, Vault, VaultError, VaultStatus};
    use crate::{clock::UnixTime, environment::EnvironmentId};

    fn credential(token: &str) -> StoredCredential {
        StoredCredential {
            realm: "https://a.example/asyncmq".parse().expect("realm"),
            token: SecretString::from(token),
            stored_at: UnixTime(5),
            in_use: true,
        }
    }

    #[tokio::test]
    async fn what_is_stored_comes_back_with_its_realm_and_goes_when_forgotten() {
        let vault = Vault::with_store(Arc::new(MemoryStore::default()));
        let id = EnvironmentId::random().expect("id");
        assert!(vault.load(&id).await.expect("loads").is_none());
        vault.store(&id, &credential("t")).await.expect("stores");
        let loaded = vault.load(&id).await.expect("loads").expect("there");
        assert_eq!((loaded.token.expose_secret(), loaded.realm.to_string().as_str()), ("t", "https://a.example/asyncmq"));
        vault.forget(&id).await.expect("forgets");
        assert!(vault.load(&id).await.expect("loads").is_none());
    }

    #[tokio::test]
    async fn without_a_keychain_nothing_is_kept_unless_the_operator_agrees_and_a_later_one_is_picked_up() {
        let there = Arc::new(AtomicBool::new(false));
        let (look, keychain) = (there.clone(), Arc::new(MemoryStore::default()));
        let vault = Vault::opened_by(move || {
            if look.load(Ordering::SeqCst) {
                Ok(keychain.clone())
            } else {
                Err(VaultError::Unavailable { reason: "no bus".into() })
            }
        });
        let id = EnvironmentId::random().expect("id");
        assert!(matches!(vault.status().await, VaultStatus::Unavailable { .. }));
        assert!(vault.store(&id, &credential("t")).await.is_err());
        assert!(vault.load(&id).await.is_err());
        vault.allow_memory();
        assert!(matches!(vault.status().await, VaultStatus::Memory { .. }));
        vault.store(&id, &credential("t")).await.expect("kept for this run");
        assert!(vault.load(&id).await.expect("loads").is_some());
        there.store(true, Ordering::SeqCst);
        assert_eq!(vault.status().await, VaultStatus::Available);
        vault.store(&id, &credential("new")).await.expect("stores");
        assert_eq!(vault.load(&id).await.expect("loads").expect("there").token.expose_secret(), "new");
    }

    #[test]
    fn a_stored_credential_does_not_print() {
        assert!(!format!("{:?}", credential("canary")).contains("canary"));
    }
}
