//! What is known about the dependencies? Licences and sources by cargo-deny, weaknesses by it and by `npm audit`.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    arguments::AuditOptions,
    install::InstallError,
    node,
    process::{Process, ProcessError, answer},
    project::{Project, ProjectError},
};

/// The cargo-deny that deny.toml was written for.
const VERSION: &str = "0.20.2";
/// Where packages of npm are used.
const NPM: [&str; 3] = ["ui", "tests/provider", "tests/proxies"];

/// Why the audit failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("what npm said could not be kept in `{path}`: {source}")]
    Answer { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Wrong(String),
}

/// What a look said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Sound,
    /// Nobody could be asked, which is no pass.
    NotAnswered(String),
    Wrong(String),
}

/// One look at the dependencies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look {
    /// What deny.toml allows: licences, sources, what is banned.
    Deny,
    /// `RustSec`'s database.
    Advisories,
    /// npm's, for the packages of a folder that run with the product or its tests.
    Npm(&'static str),
}

/// Takes every look and says what each gave.
pub(crate) fn all(project: &Project, options: &AuditOptions) -> Result<(), AuditError> {
    let program = ensure(project)?;
    let mut wrong = Vec::new();
    for look in Look::all() {
        let name = look.name();
        match look.take(project, &program)? {
            Verdict::Sound => project.progress.say(&format!("{name}: sound")),
            Verdict::NotAnswered(why) => {
                project.progress.say(&format!("{name}: NOT ANSWERED: {why}"));
                if options.strict {
                    wrong.push(format!("{name} was not answered"));
                }
            }
            Verdict::Wrong(why) => wrong.push(why),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(AuditError::Wrong(wrong.join("; "))) }
}

/// Installs cargo-deny below the target folder when it is not there; answers where it is.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf, InstallError> {
    let root = project.target.join("tools");
    let program = root.join("bin").join(format!("cargo-deny{}", env::consts::EXE_SUFFIX));
    let there = answer(Command::new(&program).arg("--version"));
    if there.is_some_and(|version| version.trim().ends_with(VERSION)) {
        return Ok(program);
    }
    let mut install = project.cargo();
    install.args(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"]).arg(&root);
    project.progress.quiet("cargo install cargo-deny", &mut install, &project.interrupt)?;
    Ok(program)
}

impl Look {
    /// Those that are taken, in this sequence.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [Self::Deny, Self::Advisories].into_iter().chain(NPM.map(Self::Npm))
    }

    /// The step of the gate.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Deny => "cargo deny".into(),
            Self::Advisories => "advisories".into(),
            Self::Npm(folder) => format!("npm audit {folder}"),
        }
    }

    /// Takes it. `deny` is cargo-deny.
    pub(crate) fn take(self, project: &Project, deny: &Path) -> Result<Verdict, AuditError> {
        let name = self.name();
        match self {
            Self::Deny => {
                let mut check = project.command(deny);
                check.args(["--locked", "check", "bans", "licenses", "sources"]);
                verdict(&name, project.progress.shown(&name, &mut check, &project.interrupt))
            }
            Self::Advisories => {
                // The database comes by itself: that it cannot be had says nothing about what it holds.
                let mut fetch = project.command(deny);
                let fetched =
                    project.progress.quiet("RustSec's advisories", fetch.args(["fetch", "db"]), &project.interrupt);
                if let Verdict::Wrong(_) = verdict(&name, fetched)? {
                    return Ok(Verdict::NotAnswered("RustSec's database could not be fetched".into()));
                }
                let mut check = project.command(deny);
                check.args(["--locked", "check", "--disable-fetch", "advisories"]);
                verdict(&name, project.progress.shown(&name, &mut check, &project.interrupt))
            }
            Self::Npm(folder) => npm(project, folder),
        }
    }
}

fn verdict(name: &str, done: Result<(), ProcessError>) -> Result<Verdict, AuditError> {
    match done {
        Ok(()) => Ok(Verdict::Sound),
        Err(ProcessError::Failed { status, .. }) => Ok(Verdict::Wrong(format!("{name} failed ({status})"))),
        Err(error) => Err(error.into()),
    }
}

fn npm(project: &Project, folder: &'static str) -> Result<Verdict, AuditError> {
    let path = project.folder("audit")?.join(format!("{}.json", folder.replace('/', "-")));
    let cannot_keep = |source| AuditError::Answer { path: path.clone(), source };
    let answer = File::create(&path).map_err(cannot_keep)?;
    // One question, and not for minutes.
    let words = ["audit", "--omit=dev", "--json", "--fetch-retries=1", "--fetch-timeout=30000"];
    let mut audit = node::npm(project, &words);
    audit.current_dir(project.root.join(folder)).stdout(answer).stderr(Stdio::null());
    Process::start(&mut audit)?.wait(&project.interrupt)?;
    Ok(read_npm(folder, &fs::read(&path).map_err(cannot_keep)?))
}

/// What `npm audit --json` printed. It fails with a status of 1 both when there is a weakness and when nobody answered.
fn read_npm(folder: &str, printed: &[u8]) -> Verdict {
    let report: Value = serde_json::from_slice(printed).unwrap_or_default();
    let Some(weaknesses) = report["vulnerabilities"].as_object() else {
        let why = report["error"]["summary"].as_str().filter(|why| !why.is_empty()).or(report["message"].as_str());
        return Verdict::NotAnswered(why.unwrap_or("npm printed no report").trim().to_owned());
    };
    if weaknesses.is_empty() {
        return Verdict::Sound;
    }
    let names: Vec<_> = weaknesses
        .iter()
        .map(|(name, weakness)| format!("{name} ({})", weakness["severity"].as_str().unwrap_or("?")))
        .collect();
    Verdict::Wrong(format!("{folder} uses packages with known weaknesses: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{Verdict, read_npm};

    #[test]
    fn a_registry_that_gives_no_answer_is_no_pass() {
        // As npm 11 printed it, shortened.
        let refused = br#"{"message": "405 Method Not Allowed - POST https://registry.example/-/npm/v1/security",
            "statusCode": 405, "body": "", "error": {"summary": "", "detail": ""}}"#;
        let why = "405 Method Not Allowed - POST https://registry.example/-/npm/v1/security";
        assert_eq!(read_npm("ui", refused), Verdict::NotAnswered(why.into()));
        let no_way = br#"{"error": {"code": "ENOTFOUND", "summary": "getaddrinfo ENOTFOUND"}}"#;
        assert_eq!(read_npm("ui", no_way), Verdict::NotAnswered("getaddrinfo ENOTFOUND".into()));
        assert_eq!(read_npm("ui", b""), Verdict::NotAnswered("npm printed no report".into()));
    }

    #[test]
    fn a_weakness_is_named() {
        let sound = br#"{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {}}"#;
        assert_eq!(read_npm("ui", sound), Verdict::Sound);
        let weak = br#"{"auditReportVersion": 2, "vulnerabilities": {"left": {"name": "left", "severity": "high"}}}"#;
        let Verdict::Wrong(why) = read_npm("ui", weak) else { panic!("a weakness") };
        assert_eq!(why, "ui uses packages with known weaknesses: left (high)");
    }
}
