//! Which inputs break a promise? Each target of fuzz/ for a while, by cargo-fuzz.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    arguments::FuzzOptions,
    install::InstallError,
    process::{ProcessError, answer},
    project::Project,
};

/// The cargo-fuzz that these targets were made with.
const VERSION: &str = "0.13.2";
/// The longest input, in bytes.
const LONGEST: u32 = 2048;

/// Why `cargo xtask fuzz` failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FuzzError {
    #[error("nothing can be fuzzed here: {0}")]
    Unsupported(&'static str),
    #[error("there is no target `{name}`; there are {there}")]
    NoTarget { name: String, there: String },
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("broken: {names}. The inputs are below {folder}; one that is understood goes into fuzz/seeds")]
    Broken { names: String, folder: String },
}

/// Runs the targets that were asked for, one after the other; one that breaks does not keep the next from running.
pub(crate) fn all(project: &Project, options: &FuzzOptions) -> Result<(), FuzzError> {
    if let Some(why) = unsupported() {
        return Err(FuzzError::Unsupported(why));
    }
    let there = targets(project)?;
    if let Some(name) = options.targets.iter().find(|name| !there.contains(name)) {
        return Err(FuzzError::NoTarget { name: name.clone(), there: there.join(", ") });
    }
    let wanted = if options.targets.is_empty() { there } else { options.targets.clone() };
    let program = ensure(project)?;
    project.progress.shown("fuzz build", &mut build(project, &program), &project.interrupt)?;
    let mut broken = Vec::new();
    for target in wanted {
        let mut command = run(project, &program, &target, options.seconds)?;
        match project.progress.shown(&format!("fuzz {target}"), &mut command, &project.interrupt) {
            Err(ProcessError::Failed { .. }) => broken.push(target),
            done => done?,
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    let artifacts = folder(project).join("artifacts");
    Err(FuzzError::Broken { names: broken.join(", "), folder: project.shown(&artifacts).to_string() })
}

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

/// Runs one target for some seconds: what it found before lies below the target folder, the seeds in fuzz/seeds.
pub(crate) fn run(project: &Project, program: &Path, target: &str, seconds: u32) -> Result<Command, InstallError> {
    let (corpus, artifacts) =
        (folder(project).join("corpus").join(target), folder(project).join("artifacts").join(target));
    for path in [&corpus, &artifacts] {
        fs::create_dir_all(path).map_err(|source| InstallError::Make { path: path.clone(), source })?;
    }
    let mut command = cargo_fuzz(project, program, "run");
    command.args(["--fuzz-dir", "fuzz", "--target-dir"]).arg(folder(project));
    command.arg(target).arg(&corpus).arg(project.root.join("fuzz/seeds").join(target)).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
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
    fn every_target_is_built_and_its_seeds_are_replayed_by_the_gate() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("manifest");
        let names = super::in_folder(&folder.join("fuzz_targets")).expect("targets");
        let replayed = ["core", "gateway"].map(|name| {
            assert!(crate::gate::TESTED_FEATURES.contains(&format!("console-{name}/fuzzing")));
            fs::read_to_string(folder.join(format!("../crates/console-{name}/tests/corpus.rs"))).expect("replay")
        });
        assert_eq!(names.len(), manifest.matches("[[bin]]").count());
        for name in names {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            assert!(fs::read_dir(folder.join("seeds").join(&name)).is_ok_and(|seeds| seeds.count() > 0), "{name}");
            let entry = format!("(\"{name}\", fuzzing::{name})");
            assert_eq!(replayed.iter().filter(|text| text.contains(&entry)).count(), 1, "{name} is not replayed");
        }
    }
}
