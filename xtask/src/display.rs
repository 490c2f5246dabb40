//! A display, a D-Bus session and a keychain, where there are none.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use crate::{
    process::Running,
    root,
    step::{Failure, output},
};

/// What a graphical program needs around it. What was started for it ends with it.
pub(crate) struct Desktop {
    variables: Vec<(&'static str, String)>,
    #[allow(dead_code, reason = "held for their drop")]
    running: Vec<Running>,
    #[allow(dead_code, reason = "held for its drop")]
    runtime: Option<PrivateFolder>,
}

struct PrivateFolder(PathBuf);

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Desktop {
    /// The person's own desktop, where there is one; else Xvfb, a D-Bus session and an unlocked gnome-keyring of our own.
    pub(crate) fn find_or_start(size: &str) -> Result<Self, Failure> {
        let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let mut desktop = Self { variables: Vec::new(), running: Vec::new(), runtime: None };
        if !has("DISPLAY") && !has("WAYLAND_DISPLAY") {
            println!("No display here: starting Xvfb ({size}).");
            let mut command = Command::new("Xvfb");
            command.args(["-displayfd", "1", "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp", "-noreset"]);
            let mut xvfb = Running::start(&mut command, "")?;
            let number = xvfb.line("a display", Duration::from_secs(20))?;
            desktop.variables.push(("DISPLAY", format!(":{}", number.trim())));
            desktop.running.push(xvfb);
        }
        if !has("DBUS_SESSION_BUS_ADDRESS") {
            desktop.start_session()?;
        }
        Ok(desktop)
    }

    fn start_session(&mut self) -> Result<(), Failure> {
        println!("No D-Bus session here: starting one, with a gnome-keyring of its own.");
        let folder = root().join(format!("target/desktop-{}", std::process::id()));
        let made = fs::create_dir_all(folder.join("data")).and_then(|()| restrict(&folder));
        made.map_err(|source| Failure::File { path: folder.clone(), source })?;
        let path = folder.display().to_string();
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--print-address"]).env("XDG_RUNTIME_DIR", &path);
        let mut bus = Running::start(&mut command, "")?;
        let address = bus.line("a D-Bus session", Duration::from_secs(20))?;
        let mut command = Command::new("gnome-keyring-daemon");
        command
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .env("XDG_RUNTIME_DIR", &path)
            .env("XDG_DATA_HOME", folder.join("data"));
        let mut keyring = Running::start(&mut command, "a password for a keyring that ends with this run")?;
        keyring.close_input();
        self.variables.push(("DBUS_SESSION_BUS_ADDRESS", address));
        self.variables.push(("XDG_RUNTIME_DIR", path));
        self.running.extend([keyring, bus]);
        self.runtime = Some(PrivateFolder(folder));
        Ok(())
    }

    /// A command that runs in it.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().cloned());
        command
    }

    /// Whether the keychain answers yet.
    pub(crate) fn wait_for_keychain(&self) -> Result<(), Failure> {
        let seconds = 20;
        for _ in 0..seconds * 10 {
            let mut command = self.command("dbus-send");
            command.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
            command.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
            if output(&mut command).is_some_and(|answer| answer.contains("boolean true")) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(Failure::Late { what: "an unlocked keychain", seconds, hint: String::new() })
    }
}

#[cfg(unix)]
fn restrict(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_folder: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}
