//! The environments' file and the vault survive SIGKILL at any moment of a write: a loop of real kills of a child that
//! keeps writing. Afterwards there is the old state or the new one, never neither.

mod support;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use console_core::{
    environment::{Accent, CheckedDraft, EnvironmentDraft, Protection},
    environment_file::EnvironmentFile,
};
use support::{Reporter, child, end_with_parent, random_moment, report, role};

/// What a writer was doing when it was killed: it says `begin n` before and `done n` after each change.
#[derive(Debug, Default)]
struct Progress {
    begun: u64,
    done: u64,
}

impl Progress {
    fn read(&mut self, reports: &[String]) {
        for line in reports {
            let (word, number) = line.split_once(' ').expect("word and number");
            let number = number.parse().expect("number");
            match word {
                "begin" => self.begun = number,
                "done" => self.done = number,
                other => panic!("no report `{other}`"),
            }
        }
    }

    /// The numbers of the old state and of the new one; the same between two changes.
    fn allowed(&self) -> [u64; 2] {
        [self.done, self.begun]
    }
}

#[test]
fn child_process() {
    match role().as_deref() {
        None => {}
        Some("file") => write_file_for_ever(&std::env::var_os(FILE).map(PathBuf::from).expect("path")),
        #[cfg(target_os = "linux")]
        Some("vault") => vault::write_for_ever(),
        #[cfg(target_os = "linux")]
        Some("vault_ready") => vault::wait(),
        Some(other) => panic!("no role `{other}`"),
    }
}

const FILE: &str = "CONSOLE_TEST_FILE";

fn draft(name: &str) -> CheckedDraft {
    EnvironmentDraft {
        name: name.into(),
        base_url: "https://a.example/asyncmq".into(),
        tag: "PROD".into(),
        accent: Accent::Red,
        protection: Protection::Locked,
        ..EnvironmentDraft::default()
    }
    .check()
    .expect("sound")
}

/// What change `number` leaves: one environment named by the number, and a tail whose length varies.
fn write_file_for_ever(path: &Path) {
    end_with_parent();
    let (mut file, error) = EnvironmentFile::open(path);
    assert!(error.is_none(), "{error:?}");
    let first = file.list()[0].id.clone();
    let mut number: u64 = file.list()[0].name.parse().expect("number");
    loop {
        number += 1;
        report(&format!("begin {number}"));
        file.update(&first, draft(&number.to_string())).expect("writes");
        report(&format!("done {number}"));
    }
}

#[test]
fn the_environments_file_survives_kills_at_any_moment() {
    const KILLS: usize = 120;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    let (mut file, _) = EnvironmentFile::open(&path);
    file.add(draft("0")).expect("adds");
    // Long enough to be written in more than one piece.
    for _ in 0..40 {
        file.add(draft("more")).expect("adds");
    }
    let (mut midway, mut new, mut left_over) = (0, 0, 0);
    let mut progress = Progress::default();
    for kill in 0..KILLS {
        let writer = Reporter::start(child("file").env(FILE, &path));
        progress.read(&[writer.next()]);
        std::thread::sleep(random_moment(Duration::from_millis(15)));
        progress.read(&writer.kill());
        midway += usize::from(progress.begun != progress.done);
        left_over += usize::from(temporary_files(folder.path()) > 0);

        let (file, error) = EnvironmentFile::open(&path);
        assert!(error.is_none(), "kill {kill} at {progress:?}: {error:?}");
        assert_eq!(file.list().len(), 41, "kill {kill} at {progress:?}");
        let found: u64 = file.list()[0].name.parse().expect("number");
        assert!(progress.allowed().contains(&found), "kill {kill} at {progress:?}: found {found}");
        let (backup, error) = EnvironmentFile::open(&folder.path().join("environments.toml.bak"));
        assert!(error.is_none() && backup.list().len() >= 40, "kill {kill} at {progress:?}: the backup is sound");
        new += usize::from(found == progress.begun);
        // What was found is the ground of the next round.
        progress = Progress { begun: found, done: found };
    }
    println!(
        "{KILLS} kills, {midway} in the middle of a change: {new} times the new state; {left_over} left a temporary file"
    );
    assert!(midway > KILLS / 10, "the kills hit the writing");
    assert!(left_over > 0, "some kill left a temporary file to sweep");
    let (mut file, _) = EnvironmentFile::open(&path);
    file.add(draft("last")).expect("writes");
    assert_eq!(temporary_files(folder.path()), 0, "what kills left is swept by the next write");
}

fn temporary_files(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).expect("lists").flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".tmp")).count()
}

#[cfg(target_os = "linux")]
mod vault {
    use std::{collections::HashMap, sync::Arc, time::Duration};

    use console_core::{
        clock::UnixTime,
        environment::EnvironmentId,
        secrets::Secrets,
        sign_in::TOKEN,
        vault::{PartedStore, Slot, StoredCredential, Vault, VaultStatus, open_platform},
    };
    use keyring_core::api::CredentialStoreApi as _;
    use secrecy::SecretString;
    use zbus_secret_service_keyring_store::Store;

    use super::Progress;
    use crate::support::{Reporter, Session, child, end_with_parent, random_moment, report, until};

    const NAMESPACE: &str = "dev.asyncmq.console.test";
    /// Bytes an entry.
    const LIMIT: usize = 300;

    fn id() -> EnvironmentId {
        "0123456789abcdef".parse().expect("id")
    }

    /// What change `number` leaves: nothing at every seventh, else a token that tells the number, of up to 7 parts.
    /// Nothing is change 0, too.
    fn state_after(number: u64) -> Option<String> {
        let length = usize::try_from(number % 5).expect("small") * 450;
        (!number.is_multiple_of(7)).then(|| format!("{number}:{}", "x".repeat(length)))
    }

    fn entries() -> usize {
        Store::new().expect("store").search(&HashMap::from([("service", NAMESPACE)])).expect("searches").len()
    }

    /// How many entries a token takes.
    fn entries_of(token: Option<&str>) -> usize {
        let Some(token) = token else { return 0 };
        let record =
            r#"{"version":2,"realm":"https://a.example/asyncmq","method":"pasted_token","secrets":{"token":""},"stored_at":1,"in_use":true}"#.len();
        let length = record + token.len();
        1 + if length < LIMIT { 0 } else { length.div_ceil(LIMIT - 16) }
    }

    fn parted() -> Vault {
        Vault::opened_by(|| Ok(Arc::new(PartedStore::new(open_platform(NAMESPACE)?, LIMIT))))
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime")
    }

    /// Until the keyring that was just started answers.
    pub(crate) fn wait() {
        let (runtime, vault) = (runtime(), parted());
        until("the keyring", || runtime.block_on(vault.status()) == VaultStatus::Available);
    }

    /// Says what it finds (the state's token, the entries before and after looking), then writes until it is killed.
    pub(crate) fn write_for_ever() {
        end_with_parent();
        let (runtime, vault) = (runtime(), parted());
        let before = entries();
        let found = runtime
            .block_on(vault.load(&id(), Slot::Credential))
            .expect("loads")
            .map(|stored| stored.secrets.expose(TOKEN).expect("a token").to_owned());
        report(&format!("found {before} {} {}", entries(), found.as_deref().unwrap_or("nothing")));
        let mut number: u64 = std::env::var("CONSOLE_TEST_NUMBER").expect("number").parse().expect("number");
        loop {
            number += 1;
            report(&format!("begin {number}"));
            match state_after(number) {
                None => runtime.block_on(vault.forget(&id(), Slot::Credential)).expect("forgets"),
                Some(token) => {
                    let credential = StoredCredential {
                        realm: "https://a.example/asyncmq".parse().expect("realm"),
                        endpoint: None,
                        method: "pasted_token".into(),
                        secrets: Secrets::one(TOKEN, SecretString::from(token)),
                        stored_at: UnixTime(1),
                        in_use: true,
                    };
                    runtime.block_on(vault.store(&id(), Slot::Credential, &credential)).expect("stores");
                }
            }
            report(&format!("done {number}"));
        }
    }

    #[test]
    fn the_vault_survives_kills_at_any_moment() {
        const KILLS: usize = 80;
        let session = Session::new();
        let _bus = session.start_bus();
        let _keyring = session.start_keyring();
        let ready = session.enter(&mut child("vault_ready")).status().expect("starts");
        assert!(ready.success(), "the keyring is ready");
        let mut progress = Progress::default();
        let (mut midway, mut orphans) = (0, 0);
        // The last round only looks.
        for kill in 0..=KILLS {
            let mut command = child("vault");
            let writer =
                Reporter::start(session.enter(&mut command).env("CONSOLE_TEST_NUMBER", progress.begun.to_string()));
            let found = writer.next();
            let mut words = found.strip_prefix("found ").expect("found").splitn(3, ' ');
            let mut entries = || words.next().expect("entries").parse::<usize>().expect("number");
            let (before, after) = (entries(), entries());
            let token = words.next().filter(|token| *token != "nothing");
            let allowed = progress.allowed().map(state_after);
            assert!(
                allowed.iter().any(|state| state.as_deref() == token),
                "kill {kill} at {progress:?}: found {token:?}, neither the old nor the new"
            );
            assert_eq!(after, entries_of(token), "kill {kill} at {progress:?}: an orphan stays, or a part is missing");
            orphans += usize::from(before > after);
            if kill < KILLS {
                // What was found is the ground of the next round: perhaps not what was begun last.
                progress.done =
                    token.map_or(0, |token| token.split(':').next().expect("number").parse().expect("number"));
                progress.read(&[writer.next()]);
                std::thread::sleep(random_moment(Duration::from_millis(60)));
                progress.read(&writer.kill());
                midway += usize::from(progress.begun != progress.done);
            }
        }
        println!("{KILLS} kills, {midway} in the middle of a change, {orphans} left orphans, all swept");
        assert!(midway > KILLS / 4, "the kills hit the writing");
        assert!(orphans > 0, "some kill left parts to sweep");
    }
}
