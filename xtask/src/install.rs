//! What must be there before anything runs?

use std::{io, path::PathBuf};

use crate::{
    node,
    packages::{self, BROWSER, BUILD, HEADLESS, PackageError, SCREENSHOT, System, TEST_SERVERS, WEBDRIVER},
    process::ProcessError,
    project::{Project, ProjectError},
    python,
};

/// Why something is still missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    #[error(transparent)]
    Packages(#[from] PackageError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("`{path}` could not be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` could not be made: {source}")]
    Make { path: PathBuf, source: io::Error },
    #[error("`{path}` names no release of AsyncMQ: it should hold files such as 0.10.txt")]
    NoReleases { path: PathBuf },
    #[error("Node 20.19 or newer is needed, and `node --version` says `{found}`: install it from https://nodejs.org")]
    NoNode { found: String },
    #[error("Python 3.10 or newer is needed, and none was found as `python3`: install it (apt-get install python3)")]
    NoPython,
}

/// Where axe-core finds a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Browser {
    /// `/usr/bin/chromium`, or what `CHROMIUM` names.
    There,
    /// Why there is none.
    Missing(&'static str),
}

/// What a build of the app needs.
pub(crate) fn for_build(project: &Project) -> Result<(), InstallError> {
    packages::ensure(project, &[BUILD])?;
    node::ensure_built(project)
}

/// What the demo needs. `headless`: on a screen of its own.
pub(crate) fn for_demo(project: &Project, headless: bool, screenshot: bool) -> Result<PathBuf, InstallError> {
    let mut groups = vec![BUILD];
    groups.extend(headless.then_some(HEADLESS));
    groups.extend(screenshot.then_some(SCREENSHOT));
    packages::ensure(project, &groups)?;
    node::ensure_built(project)?;
    python::ensure(project)
}

/// What the gate needs; answers the Python of the admins.
pub(crate) fn for_tests(project: &Project) -> Result<(PathBuf, Browser), InstallError> {
    with_packages(project, &[BUILD, HEADLESS, WEBDRIVER, TEST_SERVERS])
}

fn with_packages(project: &Project, groups: &[&'static [&'static str]]) -> Result<(PathBuf, Browser), InstallError> {
    let browser = browser();
    let mut groups = groups.to_vec();
    groups.extend((browser == Browser::There && std::env::var_os("CHROMIUM").is_none()).then_some(BROWSER));
    packages::ensure(project, &groups)?;
    node::ensure_modules(project)?;
    node::ensure_test_servers(project)?;
    Ok((python::ensure(project)?, browser))
}

fn browser() -> Browser {
    if std::env::var_os("CHROMIUM").is_some() {
        return Browser::There;
    }
    match System::here() {
        System::Debian => Browser::There,
        System::Ubuntu => {
            Browser::Missing("Ubuntu's chromium package only installs a snap: set CHROMIUM to a browser's path")
        }
        System::Other => Browser::Missing("set CHROMIUM to the path of a Chromium or Chrome"),
    }
}

/// Everything that any command needs.
pub(crate) fn everything(project: &Project) -> Result<(), InstallError> {
    let (python, browser) = with_packages(project, &[BUILD, HEADLESS, SCREENSHOT, WEBDRIVER, TEST_SERVERS])?;
    node::ensure_built(project)?;
    project.progress.say(&format!("The admins' Python: {}", project.shown(&python)));
    if let Browser::Missing(why) = browser {
        project.progress.say(&format!("No browser for the accessibility check: {why}"));
    }
    project.progress.say("Everything is there");
    Ok(())
}
