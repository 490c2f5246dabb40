//! Is the shell's UI installed and built, and are the packages of the test servers there?

use std::process::Command;

use crate::{install::InstallError, process::answer, project::Project, stamp::Inputs};

const OLDEST: (u32, u32) = (20, 19);
/// Where the test servers that run on Node are.
const TEST_SERVERS: &[&str] = &["tests/provider", "tests/proxies"];
/// Entries of ui/ that are no sources.
const MADE: &[&str] = &["node_modules", "dist", "shots"];

/// `npm` with its words, in ui/.
pub(crate) fn npm(project: &Project, words: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(words).current_dir(project.ui());
    command
}

/// `npm ci` in ui/, when the lock file changed since.
pub(crate) fn ensure_modules(project: &Project) -> Result<(), InstallError> {
    ensure_in(project, "ui")
}

/// The packages of the test servers that run on Node (tests/README.md).
pub(crate) fn ensure_test_servers(project: &Project) -> Result<(), InstallError> {
    TEST_SERVERS.iter().try_for_each(|folder| ensure_in(project, folder))
}

fn ensure_in(project: &Project, folder: &str) -> Result<(), InstallError> {
    let version = node_version()?;
    let path = project.root.join(folder);
    let inputs = Inputs::default().text_of(&version).file(&path.join("package.json"));
    let inputs = inputs.and_then(|inputs| inputs.file(&path.join("package-lock.json")));
    let inputs = inputs.map_err(|source| InstallError::Read { path: path.clone(), source })?;
    let stamp = format!("npm-ci-{}", folder.replace('/', "-"));
    if path.join("node_modules/.package-lock.json").is_file() && project.stamps.is_current(&stamp, &inputs) {
        return Ok(());
    }
    let mut install = npm(project, &["ci"]);
    project.progress.quiet(&format!("npm ci in {folder}"), install.current_dir(&path), &project.interrupt)?;
    project.stamps.set(&stamp, &inputs);
    Ok(())
}

/// `npm run build`, when a source changed since.
pub(crate) fn ensure_built(project: &Project) -> Result<(), InstallError> {
    ensure_modules(project)?;
    let ui = project.ui();
    let inputs = Inputs::default().folder(&ui, MADE);
    let inputs = inputs.map_err(|source| InstallError::Read { path: ui.clone(), source })?;
    if ui.join("dist/index.html").is_file() && project.stamps.is_current("ui", &inputs) {
        return Ok(());
    }
    project.progress.quiet("npm run build", &mut npm(project, &["run", "build"]), &project.interrupt)?;
    project.stamps.set("ui", &inputs);
    Ok(())
}

fn node_version() -> Result<String, InstallError> {
    let version = answer(Command::new("node").arg("--version")).unwrap_or_default().trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map(|number| number.parse().unwrap_or(0));
    let is_new_enough = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST;
    if is_new_enough { Ok(version) } else { Err(InstallError::NoNode { found: version }) }
}
