use std::fs;

use super::{EnvironmentFile, EnvironmentFileError};
use crate::environment::{Accent, CheckedDraft, EnvironmentDraft, Protection};
use crate::{
    network::Network,
    sign_in::{Method, fixed_headers::FixedHeaders},
};

fn draft(name: &str) -> CheckedDraft {
    EnvironmentDraft {
        name: name.into(),
        base_url: "https://a.example/asyncmq".into(),
        tag: "PROD".into(),
        accent: Accent::Red,
        login_path: "/login".into(),
        header_name: "Authorization".into(),
        scheme: "Bearer".into(),
        allow_plain_http: false,
        protection: Protection::Locked,
        ..EnvironmentDraft::default()
    }
    .check()
    .expect("sound")
}

fn names(file: &EnvironmentFile) -> Vec<&str> {
    file.list().iter().map(|environment| environment.name.as_str()).collect()
}

#[test]
fn what_is_added_edited_reordered_and_removed_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("deep/environments.toml");
    let (mut file, error) = EnvironmentFile::open(&path);
    assert!(error.is_none() && file.list().is_empty());
    let one = file.add(draft("one")).expect("adds").id;
    let two = file.add(draft("two")).expect("adds").id;
    file.update(&one, draft("uno")).expect("updates");
    file.reorder(&[two.clone(), one.clone()]).expect("reorders");
    let (mut again, error) = EnvironmentFile::open(&path);
    assert!(error.is_none());
    assert_eq!(names(&again), ["two", "uno"]);
    again.remove(&two).expect("removes");
    assert_eq!(names(&EnvironmentFile::open(&path).0), ["uno"]);
    assert_eq!(again.list()[0].id, one);
    let backup = fs::read_to_string(folder.path().join("deep/environments.toml.bak")).expect("backup");
    assert!(backup.contains("two"), "the last good state before the newest change");
}

#[test]
fn a_file_that_cannot_be_read_is_left_alone_and_reported() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    for text in [
        "not toml at all [",
        "version = 1\nunknown = 2\n",
        "version = 0\n",
        "nothing = 1\n",
        "version = 1\n[[environment]]\nid = \"x\"\n",
    ] {
        fs::write(&path, text).expect("writes");
        let (mut file, error) = EnvironmentFile::open(&path);
        let message = error.expect("reported").to_string();
        assert!(message.contains("environments.toml"), "{message}");
        assert!(matches!(file.add(draft("x")), Err(EnvironmentFileError::LeftAlone { .. })));
        assert_eq!(fs::read_to_string(&path).expect("reads"), text, "left as it was");
    }
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    fs::write(&path, "version = 3\nfuture = true\n").expect("writes");
    let (mut file, error) = EnvironmentFile::open(&path);
    assert!(matches!(error, Some(EnvironmentFileError::Newer { version: 3, .. })));
    assert!(file.add(draft("x")).is_err());
    assert_eq!(fs::read_to_string(&path).expect("reads"), "version = 3\nfuture = true\n");
}

#[test]
fn a_change_by_another_program_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    let (mut one, _) = EnvironmentFile::open(&path);
    let (mut two, _) = EnvironmentFile::open(&path);
    one.add(draft("one")).expect("adds");
    assert!(matches!(two.add(draft("two")), Err(EnvironmentFileError::ChangedElsewhere { .. })));
    assert_eq!(names(&EnvironmentFile::open(&path).0), ["one"]);
}

#[test]
fn two_that_write_at_once_lose_nothing_silently() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    EnvironmentFile::open(&path).0.add(draft("first")).expect("adds");
    let saved: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let add = |_| EnvironmentFile::open(&path).0.add(draft("more")).is_ok();
                    (0..20).map(add).filter(|saved| *saved).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("joins")).sum()
    });
    let (file, error) = EnvironmentFile::open(&path);
    assert!(error.is_none());
    assert_eq!(file.list().len(), 1 + saved, "what was said to be saved is there");
}

/// A child that is being started holds copies of our open files until its `exec`: it must not hold the lock with them.
#[cfg(unix)]
#[test]
fn a_process_that_is_started_meanwhile_does_not_keep_the_lock() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().expect("folder");
    let (file, _) = EnvironmentFile::open(&folder.path().join("environments.toml"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // With a folder to change to, the standard library forks, as it does for most programs.
                std::process::Command::new("true").current_dir("/").status().expect("runs");
            }
        });
        let refused = (0..20_000).filter(|_| file.lock().is_err()).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(refused, 0);
    });
}

#[test]
fn a_line_of_the_file_is_never_quoted() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    for text in ["version = 1\ntoken = \"canary\"\n", "version = 1\ntoken = \"canary\n", "token: canary"] {
        fs::write(&path, text).expect("writes");
        let error = EnvironmentFile::open(&path).1.expect("reported");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        assert!(error.to_string().contains("line "), "{error}");
    }
}

#[test]
fn a_backup_without_its_file_is_reported_and_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    fs::write(folder.path().join("environments.toml.bak"), "version = 1\n").expect("writes");
    let (mut file, error) = EnvironmentFile::open(&path);
    assert!(matches!(error, Some(EnvironmentFileError::OnlyBackup { .. })));
    assert!(file.add(draft("x")).is_err() && !path.exists());
}

#[test]
fn a_failed_write_changes_nothing_and_names_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    let (mut file, _) = EnvironmentFile::open(&path);
    file.add(draft("one")).expect("adds");
    // A folder in the backup's place: renaming over it fails for root, too.
    fs::create_dir(folder.path().join("environments.toml.bak")).expect("folder");
    let error = file.add(draft("two")).expect_err("cannot write");
    assert!(error.to_string().contains("environments.toml.bak"), "{error}");
    assert_eq!((names(&file), names(&EnvironmentFile::open(&path).0)), (vec!["one"], vec!["one"]));
    fs::remove_dir(folder.path().join("environments.toml.bak")).expect("removes");
    file.add(draft("two")).expect("adds after all");
}

#[test]
fn a_file_that_is_not_text_is_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    fs::write(&path, b"version = 1\n\xff\xfe").expect("writes");
    let (mut file, error) = EnvironmentFile::open(&path);
    assert!(matches!(error, Some(EnvironmentFileError::Read { .. })));
    assert!(matches!(file.reorder(&[]), Err(EnvironmentFileError::LeftAlone { .. })));
    assert_eq!(fs::read(&path).expect("reads"), b"version = 1\n\xff\xfe");
}

#[test]
fn an_order_names_every_environment_once() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut file, _) = EnvironmentFile::open(&folder.path().join("environments.toml"));
    let one = file.add(draft("one")).expect("adds").id;
    let two = file.add(draft("two")).expect("adds").id;
    for order in [vec![], vec![one.clone()], vec![one.clone(), one.clone()], vec![one.clone(), two.clone(), two]] {
        assert!(matches!(file.reorder(&order), Err(EnvironmentFileError::Order)));
    }
    assert_eq!(names(&file), ["one", "two"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, elsewhere) = (folder.path().join("environments.toml"), folder.path().join("kept/here.toml"));
    EnvironmentFile::open(&elsewhere).0.add(draft("one")).expect("adds");
    std::os::unix::fs::symlink(&elsewhere, &path).expect("links");
    EnvironmentFile::open(&path).0.add(draft("two")).expect("adds");
    assert!(path.is_symlink());
    assert_eq!(names(&EnvironmentFile::open(&elsewhere).0), ["one", "two"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    EnvironmentFile::open(&path).0.add(draft("one")).expect("adds");
    assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_of_version_1_is_read_and_becomes_version_2_with_the_next_change() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("environments.toml");
    let old = r#"version = 1

[[environment]]
id = "0123456789abcdef"
name = "Acme"
base_url = "https://a.example/asyncmq"
tag = "PROD"
accent = "red"
login_path = "/login"
header_name = "authorization"
scheme = "Bearer"
allow_plain_http = false
protection = "locked"
"#;
    fs::write(&path, old).expect("writes");
    let (mut file, error) = EnvironmentFile::open(&path);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(file.list()[0].sign_in, Method::PastedToken);
    let sign_in = Method::FixedHeaders(FixedHeaders { names: vec!["X-User".into()] });
    let network = Network { proxy: "socks5h://127.0.0.1:1080".into(), first_byte_seconds: 120, ..Network::default() };
    let changed = CheckedDraft { sign_in: sign_in.clone(), network: network.clone(), ..draft("Acme") };
    file.update(&"0123456789abcdef".parse().expect("id"), changed).expect("saves");
    let (file, error) = EnvironmentFile::open(&path);
    assert!(error.is_none(), "{error:?}");
    assert_eq!((&file.list()[0].sign_in, &file.list()[0].network), (&sign_in, &network));
    assert!(fs::read_to_string(&path).expect("reads").contains("version = 2"));
    assert_eq!(fs::read_to_string(folder.path().join("environments.toml.bak")).expect("reads"), old);
}
