//! How does a long secret fit into a keychain whose entries are short? In parts, with a header written last.
//!
//! Windows stores 2,560 bytes an entry. The entry under the key itself is the header. A short secret is in it; a long one
//! lies in numbered parts of one of two slots:
//!
//! 1. sweep the slot that is not in use; 2. write the parts there, upwards; 3. write the header, which names the slot;
//! 4. sweep the other slot.
//!
//! Sweeping goes downwards, so a slot's parts are always numbered without a gap, and whoever looks upwards finds them
//! all. A program that is killed anywhere leaves the old header or the new one, each with all of its parts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{SecretStore, VaultError};

/// The largest entry that is written, in bytes. Windows takes 2,560 and some of it for itself; a Secret Service far more.
pub const LARGEST_ENTRY: usize = if cfg!(windows) { 2_048 } else { 32 * 1024 };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Slot {
    A,
    B,
}

impl Slot {
    fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    fn key(self, key: &str, number: usize) -> String {
        let slot = match self {
            Self::A => 'a',
            Self::B => 'b',
        };
        format!("{key}/{slot}/{number}")
    }
}

/// What the header says. JSON, one byte of kind before the payload of a short secret keeps the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    slot: Slot,
    parts: usize,
    /// Of the whole secret, in bytes.
    length: usize,
}

const INLINE: u8 = b'=';
const PARTED: u8 = b'#';

/// A store of secrets of any length over one of short entries.
pub struct PartedStore {
    entries: Arc<dyn SecretStore>,
    largest: usize,
}

impl PartedStore {
    /// Writes no entry larger than `largest` bytes (at least 64).
    pub fn new(entries: Arc<dyn SecretStore>, largest: usize) -> Self {
        Self { entries, largest: largest.max(64) }
    }

    fn header(&self, key: &str) -> Result<Option<Result<Header, Zeroizing<Vec<u8>>>>, VaultError> {
        let Some(entry) = self.entries.read(key)? else { return Ok(None) };
        match entry.split_first() {
            Some((&INLINE, secret)) => Ok(Some(Err(Zeroizing::new(secret.to_vec())))),
            Some((&PARTED, header)) => serde_json::from_slice(header)
                .map(|header| Some(Ok(header)))
                .map_err(|_| VaultError::Damaged { reason: "its header cannot be read" }),
            _ => Err(VaultError::Damaged { reason: "it was not written by this console" }),
        }
    }

    /// Removes a slot's parts, the last first.
    fn sweep(&self, key: &str, slot: Slot) -> Result<(), VaultError> {
        let mut parts = 0;
        while self.entries.read(&slot.key(key, parts))?.is_some() {
            parts += 1;
        }
        for number in (0..parts).rev() {
            self.entries.delete(&slot.key(key, number))?;
        }
        Ok(())
    }
}

impl SecretStore for PartedStore {
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        // A header that cannot be read is replaced: either slot may be written then.
        let used = self.header(key).ok().flatten().and_then(Result::ok).map(|header| header.slot);
        if value.len() < self.largest {
            let mut entry = Zeroizing::new(Vec::with_capacity(value.len() + 1));
            entry.push(INLINE);
            entry.extend_from_slice(value);
            self.entries.write(key, &entry)?;
        } else {
            let slot = used.map_or(Slot::A, Slot::other);
            self.sweep(key, slot)?;
            let parts: Vec<&[u8]> = value.chunks(self.largest).collect();
            for (number, part) in parts.iter().enumerate() {
                self.entries.write(&slot.key(key, number), part)?;
            }
            let header = Header { slot, parts: parts.len(), length: value.len() };
            let mut entry = vec![PARTED];
            serde_json::to_writer(&mut entry, &header)
                .map_err(|_| VaultError::Failed { what: "write", reason: "the header could not be encoded".into() })?;
            self.entries.write(key, &entry)?;
        }
        // The new state is in place. What cannot be swept now is swept by the next write or removal.
        if let Some(used) = used
            && let Err(error) = self.sweep(key, used)
        {
            tracing::warn!(%error, "old parts of a secret are left in the keychain until the next write");
        }
        Ok(())
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let header = match self.header(key)? {
            None => {
                // A first write, or a removal, was interrupted: its parts belong to nothing.
                self.sweep(key, Slot::A)?;
                self.sweep(key, Slot::B)?;
                return Ok(None);
            }
            Some(Err(secret)) => {
                self.sweep(key, Slot::A)?;
                self.sweep(key, Slot::B)?;
                return Ok(Some(secret));
            }
            Some(Ok(header)) => header,
        };
        self.sweep(key, header.slot.other())?;
        let mut secret = Zeroizing::new(Vec::with_capacity(header.length));
        for number in 0..header.parts {
            let part = self.entries.read(&header.slot.key(key, number))?;
            secret.extend_from_slice(&part.ok_or(VaultError::Damaged { reason: "a part of it is missing" })?);
        }
        if secret.len() == header.length {
            Ok(Some(secret))
        } else {
            Err(VaultError::Damaged { reason: "it is not as long as it was" })
        }
    }

    fn delete(&self, key: &str) -> Result<(), VaultError> {
        self.entries.delete(key)?;
        self.sweep(key, Slot::A)?;
        self.sweep(key, Slot::B)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use zeroize::Zeroizing;

    use super::PartedStore;
    use crate::vault::{MemoryStore, SecretStore, VaultError};

    /// Does its first `left` changes, then fails: what a kill at that moment leaves behind.
    struct Failing {
        entries: Arc<MemoryStore>,
        left: AtomicUsize,
    }

    impl Failing {
        fn change(&self) -> Result<(), VaultError> {
            let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            left.map(drop).map_err(|_| VaultError::Failed { what: "write", reason: "killed".into() })
        }
    }

    impl SecretStore for Failing {
        fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
            self.change()?;
            self.entries.write(key, value)
        }

        fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
            self.entries.read(key)
        }

        fn delete(&self, key: &str) -> Result<(), VaultError> {
            self.change()?;
            self.entries.delete(key)
        }
    }

    fn secret(letter: u8, length: usize) -> Vec<u8> {
        vec![letter; length]
    }

    #[test]
    fn secrets_of_every_length_come_back_and_leave_nothing_behind() {
        let entries = Arc::new(MemoryStore::default());
        let store = PartedStore::new(entries.clone(), 64);
        for length in [0, 1, 63, 64, 65, 128, 1000, 10, 640, 64 * 64] {
            store.write("k", &secret(b'x', length)).expect("writes");
            assert_eq!(store.read("k").expect("reads").expect("there").len(), length);
            let parts = if length < 64 { 0 } else { length.div_ceil(64) };
            assert_eq!(entries.keys().len(), 1 + parts, "no old part stays after {length} bytes");
        }
        store.delete("k").expect("removes");
        assert!(entries.keys().is_empty());
    }

    #[test]
    fn stopping_anywhere_leaves_the_old_secret_or_the_new_one() {
        for (old, new) in [(500, 700), (700, 500), (10, 500), (500, 10), (500, 500)] {
            for stop in 0..40 {
                let entries = Arc::new(MemoryStore::default());
                PartedStore::new(entries.clone(), 64).write("k", &secret(b'o', old)).expect("writes");
                let failing = Failing { entries: entries.clone(), left: AtomicUsize::new(stop) };
                let _ = PartedStore::new(Arc::new(failing), 64).write("k", &secret(b'n', new));
                let store = PartedStore::new(entries.clone(), 64);
                let found = store.read("k").expect("reads").expect("never neither");
                assert!(*found == secret(b'o', old) || *found == secret(b'n', new), "{old}→{new} stopped at {stop}");
                let parts = if found.len() < 64 { 0 } else { found.len().div_ceil(64) };
                assert_eq!(entries.keys().len(), 1 + parts, "{old}→{new} stopped at {stop}: orphans are swept");
            }
        }
    }

    #[test]
    fn an_interrupted_removal_leaves_no_parts_after_the_next_look() {
        for stop in 0..12 {
            let entries = Arc::new(MemoryStore::default());
            PartedStore::new(entries.clone(), 64).write("k", &secret(b'o', 500)).expect("writes");
            let failing = Failing { entries: entries.clone(), left: AtomicUsize::new(stop) };
            let _ = PartedStore::new(Arc::new(failing), 64).delete("k");
            if PartedStore::new(entries.clone(), 64).read("k").expect("reads").is_none() {
                assert!(entries.keys().is_empty(), "stopped at {stop}");
            }
        }
    }

    #[test]
    fn a_missing_part_is_said_and_never_read_as_a_shorter_secret() {
        let entries = Arc::new(MemoryStore::default());
        let store = PartedStore::new(entries.clone(), 64);
        store.write("k", &secret(b'o', 500)).expect("writes");
        entries.delete("k/a/3").expect("removes");
        assert!(matches!(store.read("k"), Err(VaultError::Damaged { .. })));
    }
}
