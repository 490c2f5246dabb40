//! Which Python runs the admins? A virtual environment below `target/`, from pinned requirements.

use std::{path::PathBuf, process::Command};

use crate::{
    install::InstallError,
    packages::{self, PYTHON_VENV},
    process::answer,
    project::Project,
    stamp::Inputs,
};

const NAMES: [&str; 6] = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
const OLDEST: (u32, u32) = (3, 10);

/// The Python that has what tests/admin needs; made when it is not there or the requirements changed.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf, InstallError> {
    ensure_with(project, "admin-venv", &["tests/admin/requirements.txt"])
}

/// The Python of the environment `name` below the target folder, with what the first of `requirements` asks for; the
/// others are those that it includes.
pub(crate) fn ensure_with(project: &Project, name: &str, requirements: &[&str]) -> Result<PathBuf, InstallError> {
    let folder = project.target.join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let (system, version) = find()?;
    let mut inputs = Inputs::default().text_of(&version).text_of(&folder.to_string_lossy());
    for path in requirements.iter().map(|path| project.root.join(path)) {
        inputs = inputs.file(&path).map_err(|source| InstallError::Read { path: path.clone(), source })?;
    }
    let stamp = name.replace(['/', '\\'], "-");
    if python.is_file() && project.stamps.is_current(&stamp, &inputs) {
        return Ok(python);
    }
    if answer(Command::new(system).args(["-c", "import ensurepip, venv"])).is_none() {
        packages::ensure(project, &[PYTHON_VENV])?;
    }
    let mut make = Command::new(system);
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    project.progress.quiet(&format!("Python virtual environment {name}"), &mut make, &project.interrupt)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"]);
    for path in requirements.iter().take(1) {
        install.arg("--requirement").arg(project.root.join(path));
    }
    project.progress.quiet(&format!("pip install into {name}"), &mut install, &project.interrupt)?;
    project.stamps.set(&stamp, &inputs);
    Ok(python)
}

fn find() -> Result<(&'static str, String), InstallError> {
    for name in NAMES {
        let asked = answer(Command::new(name).args(["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]));
        if let Some(version) = asked.filter(|version| is_new_enough(version)) {
            return Ok((name, version.trim().to_owned()));
        }
    }
    Err(InstallError::NoPython)
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_new_enough("3.10.13\n"));
        assert!(!is_new_enough("3.9.18"));
        assert!(!is_new_enough("2.7.18"));
    }
}
