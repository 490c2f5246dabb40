//! Where are the project's files, and which tools build it?

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process::Interrupt, progress::Progress, stamp::Stamps};

/// Why the project was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error("the project's folder was not found: start this with `cargo xtask` in a checkout")]
    NoRoot,
    #[error("cargo's target folder was not found: this program must lie in it (`cargo xtask` puts it there)")]
    NoTarget,
    #[error("`{path}` could not be made: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
}

/// A checkout, and what every step needs.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) interrupt: Interrupt,
    pub(crate) progress: Progress,
    pub(crate) stamps: Stamps,
}

impl Project {
    /// The checkout that `cargo xtask` was started in.
    pub(crate) fn find(interrupt: Interrupt) -> Result<Self, ProjectError> {
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest.parent().filter(|root| root.join("tauri.conf.json").is_file());
        let root = root.ok_or(ProjectError::NoRoot)?.to_owned();
        // target/debug/xtask: whatever the operator's cargo configuration calls the target folder.
        let program = env::current_exe().map_err(|_| ProjectError::NoTarget)?;
        let target = program.ancestors().nth(2).ok_or(ProjectError::NoTarget)?.to_owned();
        let own = target.join("xtask");
        std::fs::create_dir_all(&own).map_err(|source| ProjectError::Folder { path: own.clone(), source })?;
        Ok(Self { root, interrupt, progress: Progress::new(own.join("logs")), stamps: Stamps::within(&own), target })
    }

    /// `cargo` as it was called, in the project's root.
    pub(crate) fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// A program that may call cargo, in the project's root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // Set for this program by `cargo run`; a build script of another package would take them for its own.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                command.env_remove(name);
            }
        }
        command
    }

    /// The folder of the shell's UI.
    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    /// Where cargo puts a program of this workspace.
    pub(crate) fn built(&self, release: bool, name: &str) -> PathBuf {
        let folder = self.target.join(if release { "release" } else { "debug" });
        folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A folder of the xtask's own, below the target folder; made if it is not there.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, ProjectError> {
        let path = self.target.join("xtask").join(name);
        std::fs::create_dir_all(&path).map_err(|source| ProjectError::Folder { path: path.clone(), source })?;
        Ok(path)
    }

    /// A path as the operator would write it.
    pub(crate) fn shown<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
