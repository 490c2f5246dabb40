//! Keeps secrets for this run only.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use zeroize::Zeroizing;

use super::{SecretStore, VaultError};

/// Gone when the program ends.
#[derive(Default)]
pub struct MemoryStore(Mutex<HashMap<String, Zeroizing<Vec<u8>>>>);

impl MemoryStore {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Zeroizing<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys in use, sorted. For tests.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.entries().keys().cloned().collect();
        keys.sort();
        keys
    }
}

impl SecretStore for MemoryStore {
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        self.entries().insert(key.to_owned(), Zeroizing::new(value.to_vec()));
        Ok(())
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.entries().get(key).cloned())
    }

    fn delete(&self, key: &str) -> Result<(), VaultError> {
        self.entries().remove(key);
        Ok(())
    }
}
