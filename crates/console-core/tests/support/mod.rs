//! What the tests with real processes share: children of the test program itself, and a keychain of their own.
#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// Names what a child of the test program does. Absent in the program that cargo starts.
const ROLE: &str = "CONSOLE_TEST_ROLE";

/// How long anything that is waited for may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What this process was started for, when it is a child.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// A process that ends with its guard.
pub(crate) struct Guarded(pub(crate) Child);

impl Guarded {
    /// SIGKILL (on Windows `TerminateProcess`), and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
    }
}

/// This test program again, for one role: it runs the test `child_process` only.
pub(crate) fn child(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "child_process", "--nocapture", "--quiet", "--test-threads=1"]).env(ROLE, role);
    command
}

/// A child that reports line by line, and ends at the latest when this process does (its standard input closes).
pub(crate) struct Reporter {
    process: Guarded,
    lines: mpsc::Receiver<String>,
}

impl Reporter {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Guarded(
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("starts"),
        );
        let lines = reports(process.0.stdout.take().expect("piped"));
        Self { process, lines }
    }

    /// The next report.
    pub(crate) fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("the child reports")
    }

    /// Kills it, and hands out what it had still reported.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.process.kill();
        self.lines.iter().collect()
    }
}

/// The lines of a child that are reports: the test harness prints others.
fn reports(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, report)) = line.split_once("REPORT ") {
                let _ = sender.send(report.to_owned());
            }
        }
    });
    receiver
}

/// In a child: one report. Written at once, so that a kill afterwards does not take it back.
pub(crate) fn report(text: &str) {
    let line = format!("\nREPORT {text}\n");
    std::io::stdout().write_all(line.as_bytes()).and_then(|()| std::io::stdout().flush()).expect("reports");
}

/// In a child: ends with the parent.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(3);
    });
}

/// Between nothing and `longest`.
pub(crate) fn random_moment(longest: Duration) -> Duration {
    longest.mul_f64(f64::from(getrandom::u32().expect("random")) / f64::from(u32::MAX))
}

/// Asks again until it is so, at most [`PATIENCE`] long.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A home of its own for a message bus, a keyring and the processes that use them. The bus lies where a session's bus lies
/// (`$XDG_RUNTIME_DIR/bus`), and starts no services by itself.
pub(crate) struct Session {
    folder: PathBuf,
    _owned: Option<tempfile::TempDir>,
}

const PASSWORD: &[u8] = b"of this test only";
const FOLDER: &str = "CONSOLE_TEST_SESSION";

impl Session {
    /// A new one: no bus yet, no keyring yet.
    pub(crate) fn new() -> Self {
        let owned = tempfile::Builder::new().prefix("ck-").tempdir().expect("folder");
        for name in ["home", "run", "data"] {
            std::fs::create_dir(owned.path().join(name)).expect("folder");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(owned.path().join("run"), std::fs::Permissions::from_mode(0o700)).expect("mode");
        }
        Self { folder: owned.path().to_owned(), _owned: Some(owned) }
    }

    /// In a child: the one that it was started in.
    pub(crate) fn inherited() -> Self {
        Self { folder: std::env::var_os(FOLDER).expect("the child was started in a session").into(), _owned: None }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a process into the session.
    pub(crate) fn enter<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for gone in
            ["DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL", "GNOME_KEYRING_PID", "DISPLAY", "WAYLAND_DISPLAY"]
        {
            command.env_remove(gone);
        }
        command
            .env(FOLDER, &self.folder)
            .env("HOME", self.folder.join("home"))
            .env("XDG_RUNTIME_DIR", self.folder.join("run"))
            .env("XDG_DATA_HOME", self.folder.join("data"))
            .env("XDG_CONFIG_HOME", self.folder.join("home/config"))
            .env("XDG_CACHE_HOME", self.folder.join("home/cache"))
    }

    /// Starts the message bus, and waits until it takes connections.
    pub(crate) fn start_bus(&self) -> Guarded {
        let (config, socket) = (self.folder.join("bus.conf"), self.folder.join("run/bus"));
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy \
             context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/>\
             </policy></busconfig>",
            socket.display()
        );
        std::fs::write(&config, text).expect("writes");
        let mut command = Command::new("dbus-daemon");
        command.arg(format!("--config-file={}", config.display())).args(["--nofork", "--nopidfile", "--print-address"]);
        let started = self.enter(&mut command).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut bus = Guarded(started.expect("dbus-daemon starts: install the package dbus"));
        let mut address = String::new();
        BufReader::new(bus.0.stdout.take().expect("piped")).read_line(&mut address).expect("reads");
        assert!(address.starts_with("unix:path="), "the bus prints its address, not {address:?}");
        bus
    }

    /// Starts a keyring whose login collection is there and open.
    pub(crate) fn start_keyring(&self) -> Guarded {
        self.keyring(&["--foreground", "--unlock", "--components=secrets"])
    }

    /// Starts a keyring that has no collection.
    pub(crate) fn start_keyring_without_collection(&self) -> Guarded {
        self.keyring(&["--foreground", "--components=secrets"])
    }

    /// Opens the login collection of a keyring that runs already, as PAM does at log-in: over the daemon's
    /// control socket (gnome-keyring, `pam/gkr-pam-client.c`). `gnome-keyring-daemon --unlock` would start a second daemon.
    #[cfg(unix)]
    pub(crate) fn unlock_running_keyring(&self) {
        const UNLOCK: u32 = 1;
        let socket = std::os::unix::net::UnixStream::connect(self.folder.join("run/keyring/control"));
        let mut socket = socket.expect("the keyring has a control socket");
        let length = u32::try_from(PASSWORD.len()).expect("short");
        let mut request = vec![0];
        for number in [12 + length, UNLOCK, length] {
            request.extend_from_slice(&number.to_be_bytes());
        }
        request.extend_from_slice(PASSWORD);
        socket.write_all(&request).expect("asks");
        let mut answer = [0; 8];
        socket.read_exact(&mut answer).expect("answers");
        assert_eq!(answer, [0, 0, 0, 8, 0, 0, 0, 0], "the keyring is unlocked");
    }

    fn keyring(&self, arguments: &[&str]) -> Guarded {
        let mut command = Command::new("gnome-keyring-daemon");
        self.enter(command.args(arguments)).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring =
            Guarded(command.spawn().expect("gnome-keyring-daemon starts: install the package gnome-keyring"));
        // The password ends with the input. A keyring that asks for none does not read it.
        let _ = keyring.0.stdin.take().expect("piped").write_all(PASSWORD);
        keyring
    }
}
