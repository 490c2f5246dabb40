use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{MemoryStore, PartedStore, SecretStore, Slot, StoredCredential, Vault, VaultError, VaultStatus};
use crate::{clock::UnixTime, environment::EnvironmentId, secrets::Secrets, sign_in::TOKEN};

fn credential(token: &str) -> StoredCredential {
    StoredCredential {
        realm: "https://a.example/asyncmq".parse().expect("realm"),
        endpoint: None,
        method: "pasted_token".into(),
        secrets: Secrets::one(TOKEN, SecretString::from(token)),
        stored_at: UnixTime(5),
        in_use: true,
    }
}

#[tokio::test]
async fn what_is_stored_comes_back_with_its_realm_and_goes_when_forgotten() {
    let vault = Vault::with_store(Arc::new(MemoryStore::default()));
    let id = EnvironmentId::random().expect("id");
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_none());
    vault.store(&id, Slot::Credential, &credential("t")).await.expect("stores");
    let loaded = vault.load(&id, Slot::Credential).await.expect("loads").expect("there");
    assert_eq!(
        (loaded.secrets.expose(TOKEN).expect("a token"), loaded.realm.to_string().as_str()),
        ("t", "https://a.example/asyncmq")
    );
    vault.forget(&id, Slot::Credential).await.expect("forgets");
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_none());
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
    assert!(vault.store(&id, Slot::Credential, &credential("t")).await.is_err());
    assert!(vault.load(&id, Slot::Credential).await.is_err());
    vault.allow_memory();
    assert!(matches!(vault.status().await, VaultStatus::Memory { .. }));
    vault.store(&id, Slot::Credential, &credential("t")).await.expect("kept for this run");
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_some());
    there.store(true, Ordering::SeqCst);
    assert_eq!(vault.status().await, VaultStatus::Available);
    vault.store(&id, Slot::Credential, &credential("new")).await.expect("stores");
    assert_eq!(
        vault.load(&id, Slot::Credential).await.expect("loads").expect("there").secrets.expose(TOKEN).expect("a token"),
        "new"
    );
}

/// Answers every request as it is told to.
struct Told(fn() -> VaultError);

impl SecretStore for Told {
    fn write(&self, _key: &str, _value: &[u8]) -> Result<(), VaultError> {
        Err(self.0())
    }

    fn read(&self, _key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Err(self.0())
    }

    fn delete(&self, _key: &str) -> Result<(), VaultError> {
        Err(self.0())
    }
}

fn unavailable() -> VaultError {
    VaultError::Unavailable { reason: "no bus".into() }
}

fn failed() -> VaultError {
    VaultError::Failed { what: "remove", reason: "no reply".into() }
}

#[tokio::test]
async fn what_was_forgotten_without_a_keychain_does_not_come_back_with_it() {
    let there = Arc::new(AtomicBool::new(true));
    let (look, keychain) = (there.clone(), Arc::new(MemoryStore::default()));
    let kept = keychain.clone();
    let open =
        move || if look.load(Ordering::SeqCst) { Ok(kept.clone() as Arc<dyn SecretStore>) } else { Err(unavailable()) };
    let (id, other) = (EnvironmentId::random().expect("id"), EnvironmentId::random().expect("id"));
    let earlier_run = Vault::opened_by(open.clone());
    earlier_run.store(&id, Slot::Credential, &credential("old")).await.expect("stores");
    earlier_run.store(&other, Slot::Credential, &credential("other")).await.expect("stores");

    there.store(false, Ordering::SeqCst);
    let vault = Vault::opened_by(open);
    vault.forget(&id, Slot::Credential).await.expect_err("nothing can be removed");
    vault.allow_memory();
    vault.forget(&id, Slot::Credential).await.expect("removed when there is a keychain");
    there.store(true, Ordering::SeqCst);
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_none());
    assert!(vault.load(&other, Slot::Credential).await.expect("loads").is_some());
    vault.store(&id, Slot::Credential, &credential("new")).await.expect("stores");
    assert_eq!(
        vault.load(&id, Slot::Credential).await.expect("loads").expect("there").secrets.expose(TOKEN).expect("a token"),
        "new"
    );
}

#[tokio::test]
async fn what_memory_holds_stays_readable_when_a_keychain_appears_and_goes_when_forgotten() {
    let there = Arc::new(AtomicBool::new(false));
    let (look, keychain) = (there.clone(), Arc::new(MemoryStore::default()));
    let kept = keychain.clone();
    let vault =
        Vault::opened_by(move || if look.load(Ordering::SeqCst) { Ok(kept.clone()) } else { Err(unavailable()) });
    vault.allow_memory();
    let id = EnvironmentId::random().expect("id");
    vault.store(&id, Slot::Credential, &credential("t")).await.expect("stores");
    there.store(true, Ordering::SeqCst);
    assert_eq!(vault.status().await, VaultStatus::Available);
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_some());
    assert!(keychain.keys().is_empty(), "not moved by itself; and looking leaves nothing behind");
    vault.forget(&id, Slot::Credential).await.expect("forgets");
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_none());
}

#[tokio::test]
async fn a_removal_that_a_keychain_refuses_is_told_even_with_memory_allowed() {
    let vault = Vault::with_store(Arc::new(Told(failed)));
    vault.allow_memory();
    assert_eq!(vault.forget(&EnvironmentId::random().expect("id"), Slot::Credential).await, Err(failed()));
}

#[tokio::test]
async fn damage_is_told_even_with_memory_allowed() {
    let keychain = Arc::new(MemoryStore::default());
    let vault = Vault::with_store(keychain.clone());
    vault.allow_memory();
    let id = EnvironmentId::random().expect("id");
    let record =
        |rest: &str| format!(r#"{{"realm":"https://a.example","token":"canary","stored_at":1,"in_use":true{rest}"#);
    for text in ["canary", &record("}"), &record(r#","version":3}"#), &record(r#","version":1"#)] {
        keychain.write(&format!("environment/{id}"), text.as_bytes()).expect("writes");
        let error = vault.load(&id, Slot::Credential).await.expect_err("damaged");
        assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    vault.store(&id, Slot::Credential, &credential("t")).await.expect("can be replaced");
    assert!(vault.load(&id, Slot::Credential).await.expect("loads").is_some());
}

#[tokio::test]
async fn a_lost_part_is_told_even_with_memory_allowed() {
    let keychain = Arc::new(MemoryStore::default());
    let vault = Vault::with_store(Arc::new(PartedStore::new(keychain.clone(), 100)));
    vault.allow_memory();
    let id = EnvironmentId::random().expect("id");
    vault.store(&id, Slot::Credential, &credential(&"x".repeat(500))).await.expect("stores");
    keychain.delete(&format!("environment/{id}/a/1")).expect("removes");
    assert!(matches!(vault.load(&id, Slot::Credential).await, Err(VaultError::Damaged { .. })));
}

/// Works until its connection is cut.
struct Connection {
    keychain: Arc<MemoryStore>,
    cut: Arc<AtomicBool>,
}

impl SecretStore for Connection {
    fn write(&self, key: &str, value: &[u8]) -> Result<(), VaultError> {
        if self.cut.load(Ordering::SeqCst) { Err(failed()) } else { self.keychain.write(key, value) }
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        if self.cut.load(Ordering::SeqCst) { Err(failed()) } else { self.keychain.read(key) }
    }

    fn delete(&self, key: &str) -> Result<(), VaultError> {
        if self.cut.load(Ordering::SeqCst) { Err(failed()) } else { self.keychain.delete(key) }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_died_is_replaced_and_a_keychain_that_refuses_is_asked_twice_at_most() {
    let (keychain, opened) = (Arc::new(MemoryStore::default()), Arc::new(AtomicUsize::new(0)));
    let cut = Arc::new(std::sync::Mutex::new(Arc::new(AtomicBool::new(false))));
    let (count, current) = (opened.clone(), cut.clone());
    let vault = Vault::opened_by(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let cut = Arc::new(AtomicBool::new(false));
        *current.lock().expect("lock") = cut.clone();
        Ok(Arc::new(Connection { keychain: keychain.clone(), cut }))
    });
    let id = EnvironmentId::random().expect("id");
    vault.store(&id, Slot::Credential, &credential("t")).await.expect("stores");
    cut.lock().expect("lock").store(true, Ordering::SeqCst);
    assert!(vault.load(&id, Slot::Credential).await.expect("over a new connection").is_some());
    assert!(vault.load(&id, Slot::Credential).await.expect("which is kept").is_some());
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[test]
fn a_record_never_outgrows_its_buffer_and_comes_back_whatever_the_token_holds() {
    for token in ["t".to_owned(), "\u{1}\"\\".repeat(5_000), "x".repeat(20_000), "ü".repeat(300), String::new()] {
        let before = credential(&token);
        let bytes = super::encode(&before).expect("encodes");
        assert!(
            bytes.capacity() >= bytes.len() && bytes.capacity() <= 6 * (token.len() + 13 + 12 + 26) + 160,
            "reserved once"
        );
        let after = super::decode(&bytes).expect("decodes");
        let (name, value) = after.secrets.iter().next().expect("one secret");
        assert_eq!((name, value.expose_secret()), (TOKEN, token.as_str()));
        assert_eq!((after.realm, after.stored_at, after.in_use), (before.realm, before.stored_at, before.in_use));
    }
}

#[test]
fn a_stored_credential_does_not_print() {
    assert!(!format!("{:?}", credential("canary")).contains("canary"));
}

#[test]
fn a_record_of_version_1_is_read() {
    let old = br#"{"version":1,"realm":"https://a.example","token":"t","stored_at":7,"in_use":true}"#;
    let read = super::decode(old).expect("reads");
    assert_eq!((read.secrets.expose(TOKEN), read.endpoint), (Some("t"), None));
}
