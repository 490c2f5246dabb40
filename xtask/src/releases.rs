//! Which releases of AsyncMQ must the gateway serve? The newest patch of every line that tests/admin/versions pins.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{install::InstallError, project::Project, python};

const FOLDER: &str = "tests/admin/versions";
/// What every line's requirements include.
const SHARED: &str = "dependencies.txt";

/// The lines, oldest first: `0.5`, …, `0.10`.
pub(crate) fn lines(project: &Project) -> Result<Vec<String>, InstallError> {
    let folder = project.root.join(FOLDER);
    let found = in_folder(&folder).map_err(|source| InstallError::Read { path: folder.clone(), source })?;
    if found.is_empty() { Err(InstallError::NoReleases { path: folder }) } else { Ok(found) }
}

fn in_folder(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(line) = name.strip_suffix(".txt")
            && let Some(number) = line.strip_prefix("0.").and_then(|number| number.parse::<u32>().ok())
        {
            found.push((number, line.to_owned()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, line)| line).collect())
}

/// The Python that has the release of a line.
pub(crate) fn python(project: &Project, line: &str) -> Result<PathBuf, InstallError> {
    let (own, shared) = (format!("{FOLDER}/{line}.txt"), format!("{FOLDER}/{SHARED}"));
    python::ensure_with(project, &format!("releases/{line}"), &[&own, &shared])
}

/// The gateway's test that reads `ADMIN_PYTHON`.
pub(crate) fn test(project: &Project) -> Command {
    let mut command = project.cargo();
    command.args(["test", "--package", "console-gateway", "--test", "releases"]);
    command
}

/// The window's tests, of which those depend on the release that [`IN_WINDOW`] chooses.
pub(crate) fn test_in_window(project: &Project) -> Command {
    let mut command = project.cargo();
    command.args(["test", "--package", "asyncmq-console", "--features", "automation", "--test", "e2e"]);
    command
}

/// What pages load from elsewhere.
pub(crate) const IN_WINDOW: [&str; 3] = ["--", "--test-threads=1", "third_parties::"];

/// Whether a token signs in to this line: 0.5 has no sign-in.
pub(crate) fn has_sign_in(line: &str) -> bool {
    line != "0.5"
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn every_line_from_0_5_to_0_10_is_there_and_pins_a_release_of_its_own() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(super::FOLDER);
        let lines = super::in_folder(&folder).expect("folder");
        assert_eq!(lines, ["0.5", "0.6", "0.7", "0.8", "0.9", "0.10"]);
        for line in lines {
            let text = fs::read_to_string(folder.join(format!("{line}.txt"))).expect("requirements");
            assert!(text.contains(&format!("asyncmq=={line}.")) && text.contains(super::SHARED), "{line}: {text}");
        }
    }
}
