//! Which system packages are missing, and may they be installed? Debian 12 and Ubuntu 24.04.

use std::{fs, process::Command};

use crate::{
    process::{ProcessError, answer},
    project::Project,
};

/// To build the app.
pub(crate) const BUILD: &[&str] = &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "librsvg2-dev"];
/// To show it without a display: a screen, a bus, a keychain, something to draw with.
pub(crate) const HEADLESS: &[&str] =
    &["xvfb", "xauth", "dbus", "gnome-keyring", "libgl1-mesa-dri", "fonts-dejavu-core"];
/// For `--screenshot`.
pub(crate) const SCREENSHOT: &[&str] = &["imagemagick"];
/// For the end-to-end tests.
pub(crate) const WEBDRIVER: &[&str] = &["webkit2gtk-driver", "xdotool", "procps"];
/// What stands in front of the admins in the tests, and what makes their keys.
pub(crate) const TEST_SERVERS: &[&str] = &["nginx-light", "openssl"];
/// For axe-core on the shell's screens, and as the operator's system browser.
pub(crate) const BROWSER: &[&str] = &["chromium"];
/// Debian's Python comes without it.
pub(crate) const PYTHON_VENV: &[&str] = &["python3-venv"];

/// Why packages are still missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    #[error(
        "system packages are missing, and this user may not install them. Run this, then start again:\n\n  {command}\n"
    )]
    NotAllowed { command: String },
    #[error("these system packages could not be installed: {packages}\n{source}")]
    Install { packages: String, source: ProcessError },
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// The Linux distributions that packages are known for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// Its chromium is a package.
    Debian,
    /// Its chromium is a snap.
    Ubuntu,
    /// Not known: nothing is installed, what would be is said.
    Other,
}

impl System {
    /// Reads os-release(5).
    pub(crate) fn here() -> Self {
        let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self::of(&text)
    }

    fn of(os_release: &str) -> Self {
        let value = |key: &str| {
            let line = os_release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let like = format!("{} {}", value("ID"), value("ID_LIKE"));
        let is = |name: &str| like.split_whitespace().any(|word| word == name);
        match () {
            () if is("ubuntu") => Self::Ubuntu,
            () if is("debian") => Self::Debian,
            () => Self::Other,
        }
    }
}

/// Installs those of `groups` that are missing; does nothing, and takes milliseconds, when none is.
pub(crate) fn ensure(project: &Project, groups: &[&[&str]]) -> Result<(), PackageError> {
    let wanted = groups.concat();
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if System::here() == System::Other {
        project
            .progress
            .say(&format!("This is neither Debian nor Ubuntu: see that it has what they call {}", wanted.join(" ")));
        return Ok(());
    }
    let missing = missing(&wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let Some(prefix) = privilege() else {
        let command = format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}");
        return Err(PackageError::NotAllowed { command });
    };
    project.progress.say(&format!("System packages to install: {list}"));
    let apt = |words: &[&str]| {
        let mut line = prefix.to_vec();
        // Another apt may be at work: wait for it. Ask nothing.
        line.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=600"]);
        line.extend(words);
        let mut command = Command::new(line[0]);
        command.args(&line[1..]);
        command
    };
    project.progress.quiet("apt-get update", &mut apt(&["update"]), &project.interrupt)?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    let installed = project.progress.quiet("apt-get install", &mut apt(&install), &project.interrupt);
    installed.map_err(|source| match source {
        ProcessError::Interrupted => source.into(),
        source => PackageError::Install { packages: list, source },
    })
}

fn missing<'p>(wanted: &[&'p str]) -> Vec<&'p str> {
    // It fails when a package is not known at all, and still lists the others.
    let output = Command::new("dpkg-query").args(["-W", "-f=${Package} ${db:Status-Status}\\n"]).args(wanted).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    not_installed(wanted, &text)
}

fn not_installed<'p>(wanted: &[&'p str], listed: &str) -> Vec<&'p str> {
    let installed = |name: &str| listed.lines().any(|line| line.split_once(' ') == Some((name, "installed")));
    wanted.iter().copied().filter(|name| !installed(name)).collect()
}

/// What comes before a command that installs: nothing for root, `sudo -n` where it asks nothing, else `None`.
fn privilege() -> Option<&'static [&'static str]> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    answer(Command::new("sudo").args(["-n", "true"])).map(|_| ["sudo", "-n"].as_slice())
}

#[cfg(test)]
mod tests {
    use super::{System, not_installed};

    #[test]
    fn a_removed_package_is_missing() {
        let listed = "xvfb installed\ndbus config-files\n";
        assert_eq!(not_installed(&["xvfb", "dbus", "xauth"], listed), ["dbus", "xauth"]);
    }

    #[test]
    fn derivatives_are_taken_for_what_they_derive_from() {
        assert_eq!(System::of("ID=debian\nVERSION_ID=\"12\""), System::Debian);
        assert_eq!(System::of("ID=ubuntu\nID_LIKE=debian"), System::Ubuntu);
        assert_eq!(System::of("ID=linuxmint\nID_LIKE=\"ubuntu debian\""), System::Ubuntu);
        assert_eq!(System::of("ID=fedora"), System::Other);
    }
}
