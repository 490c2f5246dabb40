//! Is there a screen and a keychain? Where there is none, one of our own: Xvfb, a D-Bus session, gnome-keyring; all
//! private to this run, and ended with it.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::{Interrupt, Process, ProcessError, answer};

const PATIENCE: Duration = Duration::from_secs(20);
/// Just larger than the console's window.
const SCREEN: &str = "1280x800x24";

/// Why there is no screen or keychain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DisplayError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the folder of a private session could not be made: {0}")]
    Folder(io::Error),
    #[error("`{0}` did not say where it listens")]
    Silent(&'static str),
    #[error("gnome-keyring did not offer a keychain within {PATIENCE:?}; see `{0}`")]
    NoKeychain(PathBuf),
    #[error("`xauth` could not make the key of the private screen")]
    Key,
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// Whether a window can be shown as things are.
pub(crate) fn is_there() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A private session. What runs in it gets its environment through [`Session::apply`].
#[derive(Default)]
pub(crate) struct Session {
    variables: Vec<(&'static str, OsString)>,
    removed: Vec<&'static str>,
    // Dropped in this order: what was started last ends first; the folders go when nobody uses them.
    keychain: Option<Process>,
    bus: Option<Process>,
    screen: Option<Process>,
    folders: Vec<TempDir>,
}

impl Session {
    /// Gives a command this session's environment.
    pub(crate) fn apply<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)))
    }

    /// Adds folders for settings, data and logs below `home`, so that nothing of the operator's is touched.
    pub(crate) fn with_folders(&mut self, home: &Path) {
        for (name, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            self.variables.push((name, home.join(folder).into()));
        }
    }

    /// Adds a screen. Who does not hold its key cannot open it, on this machine either.
    pub(crate) fn with_screen(&mut self, logs: &Path, interrupt: &Interrupt) -> Result<(), DisplayError> {
        let folder = self.new_folder()?;
        let (server_key, client_key) = (folder.join("server"), folder.join("client"));
        let cookie = random_hex()?;
        // The server takes any key of its file, whatever display it is filed under.
        add_key(&server_key, ":0", &cookie)?;
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp", "-auth"]).arg(&server_key);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log(logs, "xvfb")?);
        let (process, number) = started(&mut command, "Xvfb", interrupt)?;
        let display = format!(":{number}");
        add_key(&client_key, &display, &cookie)?;
        self.screen = Some(process);
        self.variables.push(("DISPLAY", display.into()));
        self.variables.push(("XAUTHORITY", client_key.into()));
        self.removed.push("WAYLAND_DISPLAY");
        Ok(())
    }

    /// Adds a D-Bus session with an unlocked, empty keychain.
    pub(crate) fn with_keychain(&mut self, logs: &Path, interrupt: &Interrupt) -> Result<(), DisplayError> {
        let runtime = self.new_folder()?;
        let address = format!("unix:path={}", runtime.join("bus").display());
        self.variables.push(("XDG_RUNTIME_DIR", runtime.clone().into()));
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--print-address=1", "--address", &address]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log(logs, "dbus")?);
        let (bus, address) = started(self.apply(&mut command), "dbus-daemon", interrupt)?;
        self.bus = Some(bus);
        self.variables.push(("DBUS_SESSION_BUS_ADDRESS", address.into()));

        let keychain_log = logs.join("gnome-keyring.log");
        // Its files are new each time, as its password is, and gone afterwards.
        let files = self.new_folder()?;
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log(logs, "gnome-keyring")?);
        let mut keychain = Process::start(self.apply(&mut command).env("HOME", &files).env("XDG_DATA_HOME", &files))?;
        if let (Some(mut input), _) = keychain.pipes() {
            input.write_all(random_hex()?.as_bytes()).map_err(DisplayError::Folder)?;
        }
        self.keychain = Some(keychain);
        let began = Instant::now();
        while !self.has_keychain() {
            interrupt.pause()?;
            if began.elapsed() > PATIENCE {
                return Err(DisplayError::NoKeychain(keychain_log));
            }
        }
        Ok(())
    }

    /// Asks the bus who offers the Secret Service, without making it start one.
    fn has_keychain(&self) -> bool {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
        command.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
        answer(self.apply(&mut command)).is_some_and(|reply| reply.contains("boolean true"))
    }

    /// Short, because a socket's path has 108 bytes at most; for this user only.
    fn new_folder(&mut self) -> Result<PathBuf, DisplayError> {
        let folder = tempfile::Builder::new().prefix("asyncmq-console-").tempdir().map_err(DisplayError::Folder)?;
        let path = folder.path().to_owned();
        self.folders.push(folder);
        Ok(path)
    }
}

/// Starts a server that prints one line about where it listens.
fn started(
    command: &mut Command,
    name: &'static str,
    interrupt: &Interrupt,
) -> Result<(Process, String), DisplayError> {
    let mut process = Process::start(command)?;
    interrupt.check()?;
    let mut line = String::new();
    if let (_, Some(output)) = process.pipes() {
        // It prints the line or ends, and then the pipe ends.
        BufReader::new(output).read_line(&mut line).map_err(|_| DisplayError::Silent(name))?;
    }
    let line = line.trim().to_owned();
    if line.is_empty() { Err(DisplayError::Silent(name)) } else { Ok((process, line)) }
}

/// The cookie goes through standard input: arguments are public.
fn add_key(file: &Path, display: &str, cookie: &str) -> Result<(), DisplayError> {
    let mut command = Command::new("xauth");
    command.arg("-q").arg("-f").arg(file).args(["source", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let source = |source| ProcessError::Start { program: "xauth".into(), source };
    let mut child = command.spawn().map_err(source)?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "add {display} . {cookie}").map_err(source)?;
    }
    let status = child.wait().map_err(source)?;
    if status.success() && file.exists() { Ok(()) } else { Err(DisplayError::Key) }
}

fn log(logs: &Path, name: &str) -> Result<File, DisplayError> {
    fs::create_dir_all(logs).and_then(|()| File::create(logs.join(format!("{name}.log")))).map_err(DisplayError::Folder)
}

/// 128 random bits.
pub(crate) fn random_hex() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?))
}
