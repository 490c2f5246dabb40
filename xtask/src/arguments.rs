//! What was asked on the command line?

use std::{ffi::OsString, path::PathBuf};

/// Printed for `--help` and below a usage error.
pub(crate) const HELP: &str = "\
cargo xtask demo [--release] [--screenshot FILE]
    two real AsyncMQ admins, and the console signed in to both
cargo xtask test [--full] [--keep-going]
    the gate: formatting, lints, UI, Rust, end to end
cargo xtask run [-- ARGUMENTS]
    the console with your own environments
cargo xtask bench start-up
    how long a warm start of the release build takes, on a private screen
cargo xtask fuzz [--seconds N] [TARGET…]
    looks for inputs that break a promise: each target of fuzz/, or those named, for N seconds (30)
cargo xtask audit [--strict]
    licences, sources and known weaknesses of what is used; strict: a registry that gives no answer is a failure
cargo xtask setup
    installs what these need, and does nothing else
";

/// A command and its options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    Demo(DemoOptions),
    Test(TestOptions),
    Run { words: Vec<OsString> },
    BenchStartUp,
    Fuzz(FuzzOptions),
    Audit(AuditOptions),
    Setup,
    Help,
}

/// How the demo is to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    /// Build with optimisations; the first build takes longer.
    pub(crate) release: bool,
    /// Write what the window shows into this file, then end.
    pub(crate) screenshot: Option<PathBuf>,
}

/// How the gate is to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// With what is long.
    pub(crate) full: bool,
    /// Do not stop at the first failure.
    pub(crate) keep_going: bool,
}

/// What is to be fuzzed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    /// For each target.
    pub(crate) seconds: u32,
    /// By name; all of them when there is none.
    pub(crate) targets: Vec<String>,
}

impl Default for FuzzOptions {
    fn default() -> Self {
        Self { seconds: 30, targets: Vec::new() }
    }
}

/// How the dependencies are to be looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AuditOptions {
    /// No answer is a failure.
    pub(crate) strict: bool,
}

/// The command line cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("no command was given")]
    NoCommand,
    #[error("`{0}` is not understood here")]
    Unknown(String),
    #[error("`{0}` needs a value")]
    NoValue(&'static str),
    #[error("`{0}` is no number of seconds")]
    NoSeconds(String),
}

impl Arguments {
    /// Reads the words after `cargo xtask`.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut words = words.into_iter();
        let Some(command) = words.next() else { return Err(UsageError::NoCommand) };
        match command.to_str() {
            Some("demo") => demo(words),
            Some("test") => test(words),
            Some("run") => Ok(Self::Run { words: words.skip_while(|word| word == "--").collect() }),
            Some("bench") => bench(words),
            Some("fuzz") => fuzz(words),
            Some("audit") => audit(words),
            Some("setup") => words.next().map_or(Ok(Self::Setup), |word| Err(unknown(&word))),
            Some("help" | "--help" | "-h") => Ok(Self::Help),
            _ => Err(unknown(&command)),
        }
    }
}

fn demo(mut words: impl Iterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let mut options = DemoOptions::default();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--release") => options.release = true,
            Some("--screenshot") => {
                options.screenshot = Some(words.next().ok_or(UsageError::NoValue("--screenshot"))?.into());
            }
            _ => return Err(unknown(&word)),
        }
    }
    Ok(Arguments::Demo(options))
}

fn test(words: impl Iterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let mut options = TestOptions::default();
    for word in words {
        match word.to_str() {
            Some("--full") => options.full = true,
            Some("--keep-going") => options.keep_going = true,
            _ => return Err(unknown(&word)),
        }
    }
    Ok(Arguments::Test(options))
}

fn bench(mut words: impl Iterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let what = words.next().ok_or(UsageError::NoValue("bench"))?;
    match words.next() {
        None if what == "start-up" => Ok(Arguments::BenchStartUp),
        None => Err(unknown(&what)),
        Some(word) => Err(unknown(&word)),
    }
}

fn fuzz(mut words: impl Iterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let mut options = FuzzOptions::default();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--seconds") => {
                let value = words.next().ok_or(UsageError::NoValue("--seconds"))?;
                // libFuzzer takes 0 for "for ever".
                let seconds = value.to_str().and_then(|value| value.parse().ok()).filter(|seconds| *seconds > 0);
                options.seconds = seconds.ok_or_else(|| UsageError::NoSeconds(value.to_string_lossy().into_owned()))?;
            }
            Some(target) if !target.starts_with('-') => options.targets.push(target.to_owned()),
            _ => return Err(unknown(&word)),
        }
    }
    Ok(Arguments::Fuzz(options))
}

fn audit(words: impl Iterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let mut options = AuditOptions::default();
    for word in words {
        match word.to_str() {
            Some("--strict") => options.strict = true,
            _ => return Err(unknown(&word)),
        }
    }
    Ok(Arguments::Audit(options))
}

fn unknown(word: &OsString) -> UsageError {
    UsageError::Unknown(word.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, AuditOptions, DemoOptions, FuzzOptions, TestOptions, UsageError};

    fn read(line: &str) -> Result<Arguments, UsageError> {
        Arguments::read(line.split_whitespace().map(Into::into))
    }

    #[test]
    fn the_commands_of_the_readme_are_understood() {
        let screenshot = DemoOptions { release: false, screenshot: Some("a.png".into()) };
        assert_eq!(read("demo --screenshot a.png"), Ok(Arguments::Demo(screenshot)));
        assert_eq!(read("test --full"), Ok(Arguments::Test(TestOptions { full: true, keep_going: false })));
        assert_eq!(read("run -- --log-level debug"), read("run --log-level debug"));
        assert_eq!(read("bench start-up"), Ok(Arguments::BenchStartUp));
        let fuzz = FuzzOptions { seconds: 7200, targets: vec!["html".into(), "ticket".into()] };
        assert_eq!(read("fuzz --seconds 7200 html ticket"), Ok(Arguments::Fuzz(fuzz)));
        assert_eq!(read("fuzz"), Ok(Arguments::Fuzz(FuzzOptions { seconds: 30, targets: Vec::new() })));
        assert_eq!(read("audit"), Ok(Arguments::Audit(AuditOptions { strict: false })));
        assert_eq!(read("audit --strict"), Ok(Arguments::Audit(AuditOptions { strict: true })));
        assert_eq!(read("setup"), Ok(Arguments::Setup));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(read("tset"), Err(UsageError::Unknown("tset".into())));
        assert_eq!(read("demo --fast"), Err(UsageError::Unknown("--fast".into())));
        assert_eq!(read("demo --screenshot"), Err(UsageError::NoValue("--screenshot")));
        assert_eq!(read("bench"), Err(UsageError::NoValue("bench")));
        assert_eq!(read("fuzz --seconds 2h"), Err(UsageError::NoSeconds("2h".into())));
        assert_eq!(read("fuzz --seconds 0"), Err(UsageError::NoSeconds("0".into())));
        assert_eq!(read("fuzz --seconds"), Err(UsageError::NoValue("--seconds")));
        assert_eq!(read("fuzz --second 3"), Err(UsageError::Unknown("--second".into())));
        assert_eq!(read("bench everything"), Err(UsageError::Unknown("everything".into())));
        assert_eq!(read(""), Err(UsageError::NoCommand));
    }
}
