//! How does a long secret fit into a keychain whose entries are short? In parts, with a header written last.
//!
//! Windows stores 2,560 bytes an entry. The entry under the key itself is the header. A short secret is in it; a long one
//! lies in numbered parts of one of two slots:
//!
//! 1. sweep the slot that is not in use; 2. write the parts there, upwards; 3. write the header, which names the slot;
//! 4. sweep whatever the header does not name.
//!
//! Sweeping goes downwards, so a slot's parts are always numbered without a gap, and whoever looks upwards finds them
//! all. A program that is killed anywhere leaves the old header or the new one, each with all of its parts; what is left
//! over is swept by the next reading, writing or removal. Removing takes the header first, then the parts.
//!
//! The header and each of its parts carry the write's *generation*, a random number: parts of two writes are never read
//! as one secret. One process at a time may write a key (the console runs once per profile); two at once can lose the
//! secret, and then it is said to be damaged.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{SecretStore, VaultError};

/// The largest entry that is written, in bytes. Windows takes 2,560 (`CRED_MAX_CREDENTIAL_BLOB_SIZE`); a Secret Service and
/// macOS far more.
pub const LARGEST_ENTRY: usize = if cfg!(windows) { 2_048 } else { 32 * 1024 };

/// The least that a limit can be: the header itself must fit.
const SMALLEST_LIMIT: usize = 96;

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

/// Of one write. As text it has 16 hexadecimal digits: `KWallet` keeps nothing but UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Generation(String);

const GENERATION_LENGTH: usize = 16;

impl Generation {
    fn random() -> Result<Self, VaultError> {
        let number = getrandom::u64().map_err(|_| VaultError::Failed {
            what: "write",
            reason: "the operating system gives no random bytes".into(),
        })?;
        Ok(Self(format!("{number:016x}")))
    }
}

/// What the entry of a long secret says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    slot: Slot,
    parts: usize,
    /// Of the whole secret, in bytes.
    length: usize,
    generation: Generation,
}

/// What lies under a key itself.
enum Head {
    /// A short secret, whole.
    Inline(Zeroizing<Vec<u8>>),
    /// Where the parts of a long one are.
    Parted(Header),
}

// The entry's first byte tells which it is.
const INLINE: u8 = b'=';
const PARTED: u8 = b'#';

/// A store of secrets of any length over one of short entries.
pub struct PartedStore {
    entries: Arc<dyn SecretStore>,
    largest: usize,
}

impl PartedStore {
    /// Writes no entry larger than `largest` bytes (at least 96).
    pub fn new(entries: Arc<dyn SecretStore>, largest: usize) -> Self {
        Self { entries, largest: largest.max(SMALLEST_LIMIT) }
    }

    fn head(&self, key: &str) -> Result<Option<Head>, VaultError> {
        let Some(entry) = self.entries.read(key)? else { return Ok(None) };
        match entry.split_first() {
            Some((&INLINE, secret)) => Ok(Some(Head::Inline(Zeroizing::new(secret.to_vec())))),
            Some((&PARTED, header)) => serde_json::from_slice(header)
                .map(|header| Some(Head::Parted(header)))
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

    /// Removes what the head does not name. The head is sound, so a failure here is nobody's loss: it is tried again by the
    /// next reading, writing or removal.
    fn sweep_around(&self, key: &str, used: Option<Slot>) {
        for slot in [Slot::A, Slot::B] {
            if used != Some(slot)
                && let Err(error) = self.sweep(key, slot)
            {
                tracing::warn!(%error, "old parts of a secret stay in the keychain until it is used again");
            }
        }
    }

    fn write_inline(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        let mut entry = Zeroizing::new(Vec::with_capacity(value.len() + 1));
        entry.push(INLINE);
        entry.extend_from_slice(value);
        self.entries.write(key, &entry)
    }

    fn write_parted(&self, key: &str, slot: Slot, value: &[u8]) -> Result<(), VaultError> {
        self.sweep(key, slot)?;
        let generation = Generation::random()?;
        let mut parts = 0;
        for chunk in value.chunks(self.largest - GENERATION_LENGTH) {
            let mut part = Zeroizing::new(Vec::with_capacity(GENERATION_LENGTH + chunk.len()));
            part.extend_from_slice(generation.0.as_bytes());
            part.extend_from_slice(chunk);
            self.entries.write(&slot.key(key, parts), &part)?;
            parts += 1;
        }
        let header = Header { slot, parts, length: value.len(), generation };
        let mut entry = vec![PARTED];
        serde_json::to_writer(&mut entry, &header)
            .map_err(|_| VaultError::Failed { what: "write", reason: "the header could not be encoded".into() })?;
        self.entries.write(key, &entry)
    }

    fn read_parted(&self, key: &str, header: &Header) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let damaged = |reason| VaultError::Damaged { reason };
        // Reserved at once, so that the secret is not copied while it grows; but never what a broken header claims.
        let capacity = header.parts.saturating_mul(self.largest).min(header.length).min(1 << 20);
        let mut secret = Zeroizing::new(Vec::with_capacity(capacity));
        for number in 0..header.parts {
            let part = self.entries.read(&header.slot.key(key, number))?.ok_or(damaged("a part of it is missing"))?;
            let chunk = part.strip_prefix(header.generation.0.as_bytes());
            secret.extend_from_slice(chunk.ok_or(damaged("its parts are of different writes"))?);
        }
        if secret.len() == header.length { Ok(secret) } else { Err(damaged("it is not as long as it was")) }
    }
}

impl SecretStore for PartedStore {
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        let used = match self.head(key) {
            Ok(Some(Head::Parted(header))) => Some(header.slot),
            // A damaged head names nothing: either slot may be written.
            Ok(_) | Err(VaultError::Damaged { .. }) => None,
            // Which slot is in use is not known: writing now could hit it.
            Err(error) => return Err(error),
        };
        if value.len() < self.largest {
            self.write_inline(key, value)?;
            self.sweep_around(key, None);
        } else {
            let slot = used.map_or(Slot::A, Slot::other);
            self.write_parted(key, slot, value)?;
            self.sweep_around(key, Some(slot));
        }
        Ok(())
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self.head(key)? {
            // Where there is no head, a first write or a removal was interrupted: the parts belong to nothing.
            None => {
                self.sweep_around(key, None);
                Ok(None)
            }
            Some(Head::Inline(secret)) => {
                self.sweep_around(key, None);
                Ok(Some(secret))
            }
            Some(Head::Parted(header)) => {
                self.sweep_around(key, Some(header.slot));
                self.read_parted(key, &header).map(Some)
            }
        }
    }

    fn delete(&self, key: &str) -> Result<(), VaultError> {
        self.entries.delete(key)?;
        // Unlike above, a failure is told: these are pieces of what the operator wants gone.
        self.sweep(key, Slot::A)?;
        self.sweep(key, Slot::B)
    }
}

#[cfg(test)]
mod tests;
