//! Which inputs break a promise? Each target of fuzz/ for a while, by cargo-fuzz.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{install::InstallError, process::answer, project::Project};

/// The cargo-fuzz that these targets were made with.
const VERSION: &str = "0.13.2";
/// How long each target runs, in seconds.
const SECONDS: u32 = 30;
/// The longest input, in bytes.
const LONGEST: u32 = 2048;

/// Why there is no fuzzing on this system, if there is none.
pub(crate) fn unsupported() -> Option<&'static str> {
    cfg!(windows).then_some("libFuzzer's sanitizers are not to be had with Rust's toolchain on Windows")
}

/// The targets, by name.
pub(crate) fn targets(project: &Project) -> Result<Vec<String>, InstallError> {
    let folder = project.root.join("fuzz/fuzz_targets");
    in_folder(&folder).map_err(|source| InstallError::Read { path: folder, source })
}

fn in_folder(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Installs cargo-fuzz below the target folder when it is not there; answers where it is.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf, InstallError> {
    let root = project.target.join("tools");
    let program = root.join("bin").join(format!("cargo-fuzz{}", env::consts::EXE_SUFFIX));
    let there = answer(Command::new(&program).arg("--version"));
    if there.is_some_and(|version| version.trim().ends_with(VERSION)) {
        return Ok(program);
    }
    let mut install = project.cargo();
    install.args(["install", "cargo-fuzz", "--locked", "--version", VERSION, "--root"]).arg(&root);
    project.progress.quiet("cargo install cargo-fuzz", &mut install, &project.interrupt)?;
    Ok(program)
}

/// Builds every target.
pub(crate) fn build(project: &Project, program: &Path) -> Command {
    let mut command = cargo_fuzz(project, program, "build");
    command.args(["--fuzz-dir", "fuzz", "--target-dir"]).arg(folder(project));
    command
}

/// Runs one target: what it found before lies below the target folder, the seeds in fuzz/seeds.
pub(crate) fn run(project: &Project, program: &Path, target: &str) -> Result<Command, InstallError> {
    let (corpus, artifacts) =
        (folder(project).join("corpus").join(target), folder(project).join("artifacts").join(target));
    for path in [&corpus, &artifacts] {
        fs::create_dir_all(path).map_err(|source| InstallError::Make { path: path.clone(), source })?;
    }
    let mut command = cargo_fuzz(project, program, "run");
    command.args(["--fuzz-dir", "fuzz", "--target-dir"]).arg(folder(project));
    command.arg(target).arg(&corpus).arg(project.root.join("fuzz/seeds").join(target)).arg("--");
    command.arg(format!("-max_total_time={SECONDS}")).arg(format!("-max_len={LONGEST}"));
    command.args(["-timeout=25", "-print_final_stats=1", "-verbosity=0"]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    Ok(command)
}

fn folder(project: &Project) -> PathBuf {
    project.target.join("fuzz")
}

fn cargo_fuzz(project: &Project, program: &Path, verb: &str) -> Command {
    let mut command = project.command(program);
    // The sanitizers want flags that only nightly takes by itself.
    command.arg(verb).env("RUSTC_BOOTSTRAP", "1");
    command
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn every_target_is_built_and_has_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("manifest");
        let names = super::in_folder(&folder.join("fuzz_targets")).expect("targets");
        assert_eq!(names.len(), manifest.matches("[[bin]]").count());
        for name in names {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            assert!(fs::read_dir(folder.join("seeds").join(&name)).is_ok_and(|seeds| seeds.count() > 0), "{name}");
        }
    }
}
