//! The vault on a real gnome-keyring: every test has a message bus and a keyring of its own, and runs in a child process,
//! because the session is found through environment variables.
#![cfg(target_os = "linux")]

mod support;

use std::{collections::HashMap, sync::Arc, time::Duration};

use console_core::{
    clock::UnixTime,
    environment::EnvironmentId,
    secrets::Secrets,
    sign_in::TOKEN,
    vault::{PartedStore, Slot, StoredCredential, Vault, VaultError, VaultStatus, open_platform},
};
use keyring_core::api::CredentialStoreApi as _;
use secrecy::{ExposeSecret as _, SecretString};
use support::{Guarded, PATIENCE, Session, child, role, until};
use zbus_secret_service_keyring_store::Store;

const NAMESPACE: &str = "dev.asyncmq.console.test";

/// Runs a scenario in a child, in a new session; with `bus`, a message bus runs in it.
fn play(scenario: &str, bus: bool) {
    let session = Session::new();
    let _bus = bus.then(|| session.start_bus());
    let mut command = child(scenario);
    let status = session.enter(&mut command).status().expect("starts");
    assert!(status.success(), "{scenario}: the child failed, see its output above");
}

#[test]
fn child_process() {
    let Some(scenario) = role() else { return };
    let session = Session::inherited();
    match scenario.as_str() {
        "store" => store_load_forget(&session),
        "parts" => parts(&session),
        "no_bus" => no_bus_then_one(&session),
        "no_collection" => no_collection_then_one(&session),
        "restart" => restarted_keyring(&session),
        "locked" => locked_keyring(&session),
        "namespaces" => namespaces(&session),
        "runtimes" => runtimes(&session),
        other => panic!("no scenario `{other}`"),
    }
}

#[test]
fn what_is_stored_is_found_after_a_restart_of_the_console_and_lies_there_encrypted() {
    play("store", true);
}

#[test]
fn a_secret_in_parts_comes_back_and_leaves_nothing_behind() {
    play("parts", true);
}

#[test]
fn without_a_bus_only_memory_by_agreement_and_a_bus_that_appears_is_picked_up() {
    play("no_bus", false);
}

#[test]
fn without_a_collection_nothing_is_stored_and_one_that_appears_is_picked_up() {
    play("no_collection", true);
}

#[test]
fn a_keyring_that_was_restarted_answers_the_first_request() {
    play("restart", true);
}

#[test]
fn a_locked_keyring_is_unavailable_and_used_again_once_it_is_open() {
    play("locked", true);
}

#[test]
fn a_namespace_is_apart_from_another() {
    play("namespaces", true);
}

#[test]
fn a_vault_outlives_the_runtime_that_opened_it() {
    play("runtimes", true);
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("answers in time") })
}

fn id() -> EnvironmentId {
    "0123456789abcdef".parse().expect("id")
}

fn credential(token: &str) -> StoredCredential {
    StoredCredential {
        realm: "https://a.example/asyncmq".parse().expect("realm"),
        endpoint: None,
        method: "pasted_token".into(),
        secrets: Secrets::one(TOKEN, SecretString::from(token)),
        stored_at: UnixTime(1_700_000_000),
        in_use: true,
    }
}

fn token(vault: &Vault) -> Option<String> {
    run(vault.load(&id(), Slot::Credential))
        .expect("loads")
        .map(|stored| stored.secrets.iter().next().expect("a token").1.expose_secret().to_owned())
}

fn wait_for(vault: &Vault, status: &VaultStatus) {
    until("the keychain's state", || run(vault.status()) == *status);
}

fn available(session: &Session) -> (Guarded, Vault) {
    let keyring = session.start_keyring();
    let vault = Vault::platform(NAMESPACE);
    wait_for(&vault, &VaultStatus::Available);
    (keyring, vault)
}

/// The keys of the namespace, as the keyring itself lists them.
fn keys() -> Vec<String> {
    let store = Store::new().expect("store");
    let found = store.search(&HashMap::from([("service", NAMESPACE)])).expect("searches");
    let mut keys: Vec<_> = found.iter().map(|entry| entry.get_specifiers().expect("key").1).collect();
    keys.sort();
    keys
}

fn store_load_forget(session: &Session) {
    let (_keyring, vault) = available(session);
    assert_eq!(keys(), Vec::<String>::new(), "looking leaves nothing behind");
    assert_eq!(token(&vault), None);
    for text in
        ["canary-one", "ünïcode \"quoted\"", &"canary".repeat(20_000 / 6), &"canary".repeat(50_000 / 6), "canary-two"]
    {
        run(vault.store(&id(), Slot::Credential, &credential(text))).expect("stores");
        assert_eq!(token(&vault).as_deref(), Some(text));
        assert_eq!(token(&Vault::platform(NAMESPACE)).as_deref(), Some(text), "another run finds it");
    }
    let stored = run(vault.load(&id(), Slot::Credential)).expect("loads").expect("there");
    assert_eq!(
        (stored.realm.to_string(), stored.stored_at),
        (credential("").realm.to_string(), UnixTime(1_700_000_000))
    );
    assert!(stored.in_use);
    assert_eq!(keys(), [format!("environment/{}", id())]);
    let files = files_below(session.folder());
    assert!(files.iter().any(|(name, _)| name.ends_with(".keyring")), "the keyring is in the session's folder");
    for (name, content) in files {
        assert!(!content.windows(6).any(|window| window == b"canary"), "{name} holds the token readable");
    }
    run(vault.forget(&id(), Slot::Credential)).expect("forgets");
    assert_eq!(token(&vault), None);
    run(vault.forget(&id(), Slot::Credential)).expect("forgotten already");
    assert_eq!(keys(), Vec::<String>::new());
}

fn files_below(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("lists").flatten() {
        let kind = entry.file_type().expect("kind");
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push((entry.path().display().to_string(), std::fs::read(entry.path()).expect("reads")));
        }
    }
    files
}

fn parted(limit: usize) -> Vault {
    Vault::opened_by(move || Ok(Arc::new(PartedStore::new(open_platform(NAMESPACE)?, limit))))
}

fn parts(session: &Session) {
    let (_keyring, _) = available(session);
    let vault = parted(512);
    for length in [10, 2_000, 5_000, 600, 20_000, 20_000, 0] {
        let text = "x".repeat(length);
        run(vault.store(&id(), Slot::Credential, &credential(&text))).expect("stores");
        assert_eq!(token(&parted(512)).as_deref(), Some(text.as_str()));
        let record = length
            + r#"{"version":2,"realm":"https://a.example/asyncmq","method":"pasted_token","secrets":{"token":""},"stored_at":1700000000,"in_use":true}"#
                .len();
        let parts = if record < 512 { 0 } else { record.div_ceil(512 - 16) };
        assert_eq!(keys().len(), 1 + parts, "{length} bytes: {:?}", keys());
    }
    run(vault.store(&id(), Slot::Credential, &credential(&"x".repeat(3_000)))).expect("stores");
    // Windows writes smaller entries than Linux: what one limit wrote, another reads.
    assert_eq!(token(&parted(2_048)), Some("x".repeat(3_000)));
    run(vault.forget(&id(), Slot::Credential)).expect("forgets");
    assert_eq!(keys(), Vec::<String>::new());
}

fn no_bus_then_one(session: &Session) {
    let vault = Vault::platform(NAMESPACE);
    assert!(matches!(run(vault.status()), VaultStatus::Unavailable { .. }));
    for error in [
        run(vault.load(&id(), Slot::Credential)).map(drop).expect_err("no keychain"),
        run(vault.store(&id(), Slot::Credential, &credential("canary"))).expect_err("no keychain"),
        run(vault.forget(&id(), Slot::Credential)).expect_err("no keychain"),
    ] {
        assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    vault.allow_memory();
    assert!(matches!(run(vault.status()), VaultStatus::Memory { .. }));
    assert_eq!(token(&vault), None);
    run(vault.store(&id(), Slot::Credential, &credential("kept for this run"))).expect("kept");
    assert_eq!(token(&vault).as_deref(), Some("kept for this run"));
    assert!(run(Vault::platform(NAMESPACE).load(&id(), Slot::Credential)).is_err(), "and for no other");

    let _bus = session.start_bus();
    let _keyring = session.start_keyring();
    wait_for(&vault, &VaultStatus::Available);
    assert_eq!(token(&vault).as_deref(), Some("kept for this run"), "still readable");
    assert_eq!(keys(), Vec::<String>::new(), "and not moved by itself");
    run(vault.store(&id(), Slot::Credential, &credential("new"))).expect("stores");
    assert_eq!(token(&Vault::platform(NAMESPACE)).as_deref(), Some("new"), "in the keychain now");
    assert_eq!(token(&vault).as_deref(), Some("new"));
}

fn no_collection_then_one(session: &Session) {
    let mut keyring = session.start_keyring_without_collection();
    let vault = Vault::platform(NAMESPACE);
    // DESIGN 7: reading answers "no entry" here; only writing tells.
    until("the keyring answers", || matches!(run(vault.load(&id(), Slot::Credential)), Ok(None)));
    assert!(matches!(run(vault.status()), VaultStatus::Unavailable { .. }));
    let error = run(vault.store(&id(), Slot::Credential, &credential("t"))).expect_err("nowhere to store it");
    assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
    vault.allow_memory();
    assert!(matches!(run(vault.status()), VaultStatus::Memory { .. }));
    // gnome-keyring 42 lists a collection that is made while it runs, but answers for it after a restart only.
    keyring.kill();
    let _keyring = session.start_keyring();
    wait_for(&vault, &VaultStatus::Available);
    run(vault.store(&id(), Slot::Credential, &credential("t"))).expect("stores");
    assert_eq!(token(&Vault::platform(NAMESPACE)).as_deref(), Some("t"));
}

fn restarted_keyring(session: &Session) {
    let (mut keyring, vault) = available(session);
    run(vault.store(&id(), Slot::Credential, &credential("before"))).expect("stores");
    keyring.kill();
    assert!(
        matches!(run(vault.load(&id(), Slot::Credential)), Err(VaultError::Unavailable { .. })),
        "a dead keyring is no empty one"
    );
    // The vault holds a connection of before the next two restarts, which nobody else has used up.
    for round in ["first", "second"] {
        let mut keyring = session.start_keyring();
        let other = Vault::platform(NAMESPACE);
        wait_for(&other, &VaultStatus::Available);
        assert_eq!(token(&vault).as_deref(), Some("before"), "{round}");
        keyring.kill();
    }
    let _keyring = session.start_keyring();
    let other = Vault::platform(NAMESPACE);
    wait_for(&other, &VaultStatus::Available);
    run(vault.store(&id(), Slot::Credential, &credential("after"))).expect("stores at once");
    assert_eq!(token(&other).as_deref(), Some("after"));
}

fn locked_keyring(session: &Session) {
    let (_keyring, vault) = available(session);
    run(vault.store(&id(), Slot::Credential, &credential("t"))).expect("stores");
    let mut lock = std::process::Command::new("dbus-send");
    lock.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
    lock.args(["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"]);
    lock.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", session.folder().join("run/bus").display()));
    assert!(lock.output().expect("dbus-send runs").status.success(), "the keyring is locked");
    // Nobody can be asked for the password here, which reads like a prompt that was dismissed.
    let error = run(vault.load(&id(), Slot::Credential)).map(drop).expect_err("locked");
    assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
    assert!(matches!(run(vault.status()), VaultStatus::Unavailable { .. }));
    session.unlock_running_keyring();
    wait_for(&vault, &VaultStatus::Available);
    assert_eq!(token(&vault).as_deref(), Some("t"));
}

fn namespaces(session: &Session) {
    let (_keyring, vault) = available(session);
    let development = Vault::platform("dev.asyncmq.console.test.development");
    run(vault.store(&id(), Slot::Credential, &credential("operator's"))).expect("stores");
    assert_eq!(token(&development), None);
    run(development.store(&id(), Slot::Credential, &credential("developer's"))).expect("stores");
    run(development.forget(&id(), Slot::Credential)).expect("forgets");
    assert_eq!(token(&vault).as_deref(), Some("operator's"));
}

fn runtimes(session: &Session) {
    let (_keyring, vault) = available(session);
    run(vault.store(&id(), Slot::Credential, &credential("t"))).expect("stores");
    let single = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    for _ in 0..2 {
        assert!(single.block_on(vault.load(&id(), Slot::Credential)).expect("loads").is_some());
        // `run` makes a runtime and drops it.
        assert_eq!(token(&vault).as_deref(), Some("t"));
    }
    drop(single);
    // Requests at the same time wait for each other off the async threads: the timer goes on.
    let vault = Arc::new(vault);
    run(async {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let vault = vault.clone();
                tokio::spawn(async move { vault.load(&id(), Slot::Credential).await.expect("loads").is_some() })
            })
            .collect();
        tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.expect_err("the timer runs");
        for task in tasks {
            assert!(task.await.expect("joins"));
        }
    });
}
