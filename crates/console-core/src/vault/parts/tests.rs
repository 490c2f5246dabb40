use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use keyring_core::{Error, mock};
use zeroize::Zeroizing;

use super::PartedStore;
use crate::vault::{KeychainStore, MemoryStore, SecretStore, VaultError};

/// With this limit a part holds 84 bytes.
const LIMIT: usize = 100;
const PART: usize = 84;

/// Does its first `left` changes, then fails: what a kill at that moment leaves behind.
struct Failing {
    entries: Arc<MemoryStore>,
    left: AtomicUsize,
}

impl Failing {
    fn after(left: usize, entries: &Arc<MemoryStore>) -> PartedStore {
        PartedStore::new(Arc::new(Self { entries: entries.clone(), left: AtomicUsize::new(left) }), LIMIT)
    }

    fn change(&self) -> Result<(), VaultError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| VaultError::Failed { what: "write", reason: "killed".into() })
    }
}

impl SecretStore for Failing {
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        assert!(value.len() <= LIMIT, "no entry is larger than the limit");
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

fn entries_of(length: usize) -> usize {
    1 + if length < LIMIT { 0 } else { length.div_ceil(PART) }
}

#[test]
fn secrets_of_every_length_come_back_and_leave_nothing_behind() {
    let entries = Arc::new(MemoryStore::default());
    let store = Failing::after(usize::MAX, &entries);
    for length in [0, 1, 99, 100, 101, 168, 169, 1000, 10, 640, 64 * 64, 20_000, 0] {
        store.write("k", &secret(b'x', length)).expect("writes");
        assert_eq!(*store.read("k").expect("reads").expect("there"), secret(b'x', length));
        assert_eq!(entries.keys().len(), entries_of(length), "no old part stays after {length} bytes");
    }
    store.write("k", &secret(b'x', 1000)).expect("writes");
    store.delete("k").expect("removes");
    store.delete("k").expect("what is not there is removed already");
    assert!(entries.keys().is_empty());
}

#[test]
fn one_keys_parts_are_no_other_keys() {
    let entries = Arc::new(MemoryStore::default());
    let store = PartedStore::new(entries.clone(), LIMIT);
    store.write("k", &secret(b'x', 500)).expect("writes");
    store.write("kk", &secret(b'y', 700)).expect("writes");
    store.delete("k").expect("removes");
    assert_eq!(*store.read("kk").expect("reads").expect("there"), secret(b'y', 700));
}

#[test]
fn stopping_anywhere_leaves_the_old_secret_or_the_new_one() {
    for (old, new) in [(500, 700), (700, 500), (10, 500), (500, 10), (500, 500)] {
        let mut seen = [false; 2];
        for stop in 0..40 {
            let entries = Arc::new(MemoryStore::default());
            PartedStore::new(entries.clone(), LIMIT).write("k", &secret(b'o', old)).expect("writes");
            let told = Failing::after(stop, &entries).write("k", &secret(b'n', new));
            let store = PartedStore::new(entries.clone(), LIMIT);
            let found = store.read("k").expect("reads").expect("never neither");
            assert!(*found == secret(b'o', old) || *found == secret(b'n', new), "{old}→{new} stopped at {stop}");
            assert_eq!(told.is_ok(), found[0] == b'n', "{old}→{new} stopped at {stop}: what is told is what is there");
            assert_eq!(
                entries.keys().len(),
                entries_of(found.len()),
                "{old}→{new} stopped at {stop}: orphans are swept"
            );
            seen[usize::from(found[0] == b'n')] = true;
        }
        assert_eq!(seen, [true; 2], "both outcomes were met");
    }
}

#[test]
fn an_interrupted_removal_leaves_no_parts_after_the_next_look() {
    for stop in 0..12 {
        let entries = Arc::new(MemoryStore::default());
        PartedStore::new(entries.clone(), LIMIT).write("k", &secret(b'o', 500)).expect("writes");
        let told = Failing::after(stop, &entries).delete("k");
        let gone = PartedStore::new(entries.clone(), LIMIT).read("k").expect("reads").is_none();
        assert_eq!(gone, stop > 0, "the header goes first");
        assert_eq!(told.is_ok(), stop >= entries_of(500), "pieces that stay are told");
        assert_eq!(entries.keys().is_empty(), gone, "stopped at {stop}");
    }
}

#[test]
fn a_missing_part_is_said_and_never_read_as_a_shorter_secret() {
    let entries = Arc::new(MemoryStore::default());
    let store = PartedStore::new(entries.clone(), LIMIT);
    store.write("k", &secret(b'o', 500)).expect("writes");
    entries.delete("k/a/3").expect("removes");
    assert!(matches!(store.read("k"), Err(VaultError::Damaged { .. })));
}

#[test]
fn parts_of_two_writes_are_never_read_as_one_secret() {
    let entries = Arc::new(MemoryStore::default());
    let store = PartedStore::new(entries.clone(), LIMIT);
    store.write("k", &secret(b'o', 500)).expect("writes");
    let old = entries.read("k/a/2").expect("reads").expect("there");
    store.write("k", &secret(b'n', 500)).expect("writes into the other slot");
    entries.write("k/b/2", &old).expect("writes");
    assert_eq!(store.read("k"), Err(VaultError::Damaged { reason: "its parts are of different writes" }));
    store.write("k", &secret(b'n', 500)).expect("a damaged secret can be replaced");
    assert_eq!(*store.read("k").expect("reads").expect("there"), secret(b'n', 500));
    assert_eq!(entries.keys().len(), entries_of(500));
}

#[test]
fn a_head_that_cannot_be_read_is_damaged_and_can_be_replaced() {
    for head in [&b""[..], b"?", b"#{", b"#{\"slot\":\"c\"}", b"#{\"slot\":\"a\",\"parts\":1,\"length\":9}"] {
        let entries = Arc::new(MemoryStore::default());
        let store = PartedStore::new(entries.clone(), LIMIT);
        store.write("k", &secret(b'o', 500)).expect("writes");
        entries.write("k", head).expect("writes");
        assert!(matches!(store.read("k"), Err(VaultError::Damaged { .. })));
        store.write("k", &secret(b'n', 20)).expect("writes");
        assert_eq!(entries.keys(), ["k"]);
    }
}

#[test]
fn a_header_that_claims_the_world_costs_no_memory() {
    let entries = Arc::new(MemoryStore::default());
    let claim = format!(r#"#{{"slot":"a","parts":{0},"length":{0},"generation":"0123456789abcdef"}}"#, usize::MAX);
    entries.write("k", claim.as_bytes()).expect("writes");
    assert!(matches!(PartedStore::new(entries, LIMIT).read("k"), Err(VaultError::Damaged { .. })));
}

/// The keyring project's mock, and a hand on one of its entries.
struct Mocked {
    keychain: Arc<mock::Store>,
    store: PartedStore,
}

impl Mocked {
    fn new() -> Self {
        let keychain = mock::Store::new().expect("mock");
        let store = PartedStore::new(Arc::new(KeychainStore::new(keychain.clone(), "dev.asyncmq.console.test")), LIMIT);
        Self { keychain, store }
    }

    /// The next request for `key` fails.
    fn fail(&self, key: &str, error: Error) {
        use keyring_core::api::CredentialStoreApi;
        let entry = self.keychain.build("dev.asyncmq.console.test", key, None).expect("entry");
        entry.as_any().downcast_ref::<mock::Cred>().expect("mock").set_error(error);
    }

    fn read(&self) -> Vec<u8> {
        self.store.read("k").expect("reads").expect("there").to_vec()
    }
}

fn platform_failure() -> Error {
    Error::PlatformFailure(Box::new(std::io::Error::other("the daemon went away")))
}

#[test]
fn a_keychain_that_fails_midway_leaves_the_old_secret() {
    // Into slot b: sweeping looks at b/0, then b/0 to b/5 are written, then the header.
    for key in ["k/b/0", "k/b/3", "k/b/5"] {
        let mocked = Mocked::new();
        mocked.store.write("k", &secret(b'o', 500)).expect("writes");
        mocked.fail(key, platform_failure());
        let error = mocked.store.write("k", &secret(b'n', 500)).expect_err("fails");
        assert!(matches!(error, VaultError::Failed { .. }), "{error}");
        assert_eq!(mocked.read(), secret(b'o', 500), "{key}");
        mocked.store.write("k", &secret(b'n', 500)).expect("and works the next time");
        assert_eq!(mocked.read(), secret(b'n', 500));
    }
}

#[test]
fn a_head_that_cannot_be_asked_for_stops_the_write_before_it_touches_a_slot() {
    let mocked = Mocked::new();
    mocked.store.write("k", &secret(b'o', 500)).expect("writes");
    mocked.fail("k", Error::NoStorageAccess(Box::new(std::io::Error::other("locked"))));
    let error = mocked.store.write("k", &secret(b'n', 900)).expect_err("fails");
    assert!(matches!(error, VaultError::Unavailable { .. }), "{error}");
    assert_eq!(mocked.read(), secret(b'o', 500));
}

#[test]
fn a_removal_that_fails_is_told_and_can_be_repeated() {
    let mocked = Mocked::new();
    mocked.store.write("k", &secret(b'o', 500)).expect("writes");
    mocked.fail("k", platform_failure());
    mocked.store.delete("k").expect_err("the header could not be removed");
    assert_eq!(mocked.read(), secret(b'o', 500), "as it was");
    mocked.fail("k/a/4", platform_failure());
    mocked.store.delete("k").expect_err("a piece could not be removed");
    assert!(mocked.store.read("k").expect("reads").is_none());
    mocked.store.delete("k").expect("removes the rest");
}

#[test]
fn a_piece_that_cannot_be_swept_does_not_keep_the_secret_from_its_owner() {
    let mocked = Mocked::new();
    mocked.store.write("k", &secret(b'o', 500)).expect("writes");
    mocked.fail("k/b/0", platform_failure());
    assert_eq!(mocked.read(), secret(b'o', 500));
}

#[test]
fn an_error_that_carries_the_secrets_bytes_does_not_print_them() {
    let mocked = Mocked::new();
    for error in [
        Error::BadEncoding(b"canary".to_vec()),
        Error::BadDataFormat(b"canary".to_vec(), Box::new(std::io::Error::other("odd"))),
    ] {
        mocked.fail("k", error);
        let error = mocked.store.read("k").expect_err("fails");
        let bytes = format!("{:?}", b"canary");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary") && !text.contains(&bytes), "{text}");
    }
}
