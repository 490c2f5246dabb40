//! Installs what is missing: system packages, the UI's packages, the Python environment of the real admins.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    root,
    step::{Failure, output, run, succeeds},
};

/// To build the app.
const BUILD: &[&str] = &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "librsvg2-dev"];
/// To show it without a display, and to take its picture.
const HEADLESS: &[&str] = &["xvfb", "xauth", "dbus", "gnome-keyring", "imagemagick", "fonts-dejavu-core"];
/// To drive it.
const TEST: &[&str] = &["webkit2gtk-driver", "xdotool"];

/// What every command but `test` needs.
pub(crate) fn everything() -> Result<(), Failure> {
    packages(&[BUILD, HEADLESS].concat())?;
    ui()?;
    python().map(|_| ())
}

/// What `test` needs on top.
pub(crate) fn for_tests() -> Result<(), Failure> {
    packages(&[BUILD, HEADLESS, TEST, &[browser()]].concat())
}

/// A real browser for the accessibility check: Debian's `chromium`; Ubuntu's is a snap's stub under another name.
fn browser() -> &'static str {
    let is_ubuntu = fs::read_to_string("/etc/os-release").is_ok_and(|text| text.contains("ID=ubuntu"));
    if is_ubuntu { "chromium-browser" } else { "chromium" }
}

fn is_installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]))
        .is_some_and(|status| status == "install ok installed")
}

fn packages(wanted: &[&str]) -> Result<(), Failure> {
    if !succeeds(Command::new("dpkg-query").arg("--version")) {
        println!("This is no Debian or Ubuntu: install what README.md names for your system by hand.");
        return Ok(());
    }
    let missing: Vec<&str> = wanted.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!("apt-get update && apt-get install -y --no-install-recommends {}", missing.join(" "));
    let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    let mut command = if is_root {
        let mut command = Command::new("sh");
        command.args(["-c", &install]);
        command
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut command = Command::new("sudo");
        command.args(["-n", "sh", "-c", &install]);
        command
    } else {
        return Err(Failure::Packages(format!("sudo sh -c '{install}'")));
    };
    run("install system packages", command.env("DEBIAN_FRONTEND", "noninteractive")).map(|_| ())
}

/// Installs the UI's packages and builds it, when something changed.
pub(crate) fn ui() -> Result<(), Failure> {
    let ui = root().join("ui");
    ui_packages()?;
    let sources = hash(&[&ui.join("src"), &ui.join("public"), &ui.join("index.html"), &ui.join("vite.config.ts"), &ui.join("package-lock.json")])?;
    once("ui-build", sources, &[&ui.join("dist/index.html")], || {
        run("build the shell's UI", Command::new("npm").args(["run", "build"]).current_dir(&ui)).map(|_| ())
    })
}

/// Installs the UI's packages from the lock file, when it changed.
pub(crate) fn ui_packages() -> Result<(), Failure> {
    let ui = root().join("ui");
    once("ui-packages", hash(&[&ui.join("package-lock.json")])?, &[&ui.join("node_modules")], || {
        run("install the UI's packages", Command::new("npm").arg("ci").current_dir(&ui)).map(|_| ())
    })
}

/// Makes the Python environment of the real admins; its interpreter.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    let folder = root().join("target/admin-venv");
    let python = folder.join("bin/python");
    let pins = root().join("tests/admin/requirements.txt");
    once("admin-venv", hash(&[&pins])?, &[&python], || {
        // Debian parts `venv` from Python.
        if !succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
            packages(&["python3-venv"])?;
        }
        run("make a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "-r"]).arg(&pins);
        run("install AsyncMQ's admin from PyPI", &mut pip).map(|_| ())
    })?;
    Ok(python)
}

/// Does `work` unless it was done for the same input and its results are there.
fn once(name: &str, input: u64, results: &[&Path], work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let stamp = root().join("target").join(format!("{name}.stamp"));
    let input = format!("{input:016x}");
    if results.iter().all(|result| result.exists()) && fs::read_to_string(&stamp).is_ok_and(|done| done == input) {
        return Ok(());
    }
    work()?;
    fs::create_dir_all(root().join("target"))
        .and_then(|()| fs::write(&stamp, &input))
        .map_err(|source| Failure::File { path: stamp, source })
}

/// A hash of what the files hold, folders included.
fn hash(paths: &[&Path]) -> Result<u64, Failure> {
    let mut hasher = DefaultHasher::new();
    for path in paths.iter().filter(|path| path.exists()) {
        hash_one(path, &mut hasher).map_err(|source| Failure::File { path: path.to_path_buf(), source })?;
    }
    Ok(hasher.finish())
}

fn hash_one(path: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    path.hash(hasher);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
        entries.sort();
        entries.iter().try_for_each(|entry| hash_one(entry, hasher))
    } else {
        fs::read(path)?.hash(hasher);
        Ok(())
    }
}
