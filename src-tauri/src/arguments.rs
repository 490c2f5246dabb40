//! What was asked on the command line?

use std::{ffi::OsString, process::ExitCode};

const HELP: &str = "\
AsyncMQ Console: one window for every AsyncMQ environment.

Usage: asyncmq-console [--profile NAME] [--log-level LEVEL]
       asyncmq-console doctor [--profile NAME] ENVIRONMENT|URL

  doctor             why can't I get in? Examines an environment (by name, tag or id) with what the keychain holds, or
                     an address without any credential, and prints what it finds. Opens no window, renews nothing.
                     Exit status: 0 all is well (what cannot be told from here is no fault), 1 something failed or is
                     worth a warning, 2 there is no such environment
  --profile NAME     use settings and keychain entries of their own (a-z, 0-9, -)
  --log-level LEVEL  error, warn, info, debug or trace; else what ASYNCMQ_CONSOLE_LOG says, else info
  --version          print the version
  --help             print this
";

/// A start that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) profile: Option<String>,
    pub(crate) log_level: tracing::Level,
    /// The environment or address that is examined in the place of a window.
    pub(crate) doctor: Option<String>,
}

/// Why the program ends before a window is there.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// It printed what was asked for.
    #[error("{0}")]
    Printed(String),
    /// The command line cannot be understood.
    #[error("{0}\nTry asyncmq-console --help.")]
    Usage(String),
    /// The doctor was asked for, and has said what it found: not all is well.
    #[error("not all is well")]
    NotWell,
    /// Which environment the doctor is to examine cannot be told.
    #[error(transparent)]
    Choice(#[from] console_core::doctor::ChoiceError),
    /// The environment cannot be examined as it is set.
    #[error(transparent)]
    Case(#[from] console_core::doctor::CaseError),
    /// Somebody wants to drive the window.
    #[error(
        "TAURI_WEBVIEW_AUTOMATION is set: this build does not let other programs drive its window. Unset it and start again."
    )]
    Automation,
    /// There is no window system.
    #[error(
        "there is no display to open a window on: start it from a desktop session, or set DISPLAY or WAYLAND_DISPLAY"
    )]
    Display,
    /// The workspace did not start.
    #[error(transparent)]
    Workspace(#[from] console_workspace::StartError),
    /// The profile's folders cannot be found.
    #[error(transparent)]
    Profile(#[from] console_core::profile::ProfileError),
    /// The window or its webview failed.
    #[error("the window could not be opened: {0}")]
    Window(#[from] tauri::Error),
}

impl Stop {
    /// Prints it where a person looks for it.
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Printed(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Self::NotWell => ExitCode::FAILURE,
            Self::Usage(_) | Self::Choice(_) => {
                eprintln!("asyncmq-console: {self}");
                ExitCode::from(2)
            }
            _ => {
                eprintln!("asyncmq-console: {self}");
                ExitCode::FAILURE
            }
        }
    }
}

impl Arguments {
    /// Reads the command line; the first word is the program's name. `level` counts where the command line names none.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>, level: Option<OsString>) -> Result<Self, Stop> {
        let usage = |error: lexopt::Error| Stop::Usage(error.to_string());
        let mut level = level.filter(|level| !level.is_empty());
        let mut arguments = Self {
            // A development build leaves the operator's own environments alone.
            profile: cfg!(debug_assertions).then(|| "development".to_owned()),
            log_level: tracing::Level::INFO,
            doctor: None,
        };
        let mut wants_doctor = false;
        let mut parser = lexopt::Parser::from_iter(words);
        while let Some(argument) = parser.next().map_err(usage)? {
            match argument {
                lexopt::Arg::Long("profile") => {
                    let name = parser.value().map_err(usage)?;
                    arguments.profile = Some(name.to_string_lossy().into_owned());
                }
                lexopt::Arg::Long("log-level") => level = Some(parser.value().map_err(usage)?),
                lexopt::Arg::Long("version") | lexopt::Arg::Short('V') => {
                    return Err(Stop::Printed(concat!("asyncmq-console ", env!("CARGO_PKG_VERSION"), "\n").into()));
                }
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Err(Stop::Printed(HELP.into())),
                lexopt::Arg::Value(word) if !wants_doctor && word == "doctor" => wants_doctor = true,
                lexopt::Arg::Value(word) if wants_doctor && arguments.doctor.is_none() => {
                    arguments.doctor = Some(word.to_string_lossy().into_owned());
                }
                other => return Err(usage(other.unexpected())),
            }
        }
        if wants_doctor && arguments.doctor.is_none() {
            return Err(Stop::Usage("doctor wants the environment or the address to examine".into()));
        }
        if let Some(level) = level {
            let level = level.to_string_lossy();
            arguments.log_level = level.parse().map_err(|_| Stop::Usage(format!("`{level}` is not a log level")))?;
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Stop};

    fn read(words: &[&str]) -> Result<Arguments, Stop> {
        read_with(words, None)
    }

    fn read_with(words: &[&str], level: Option<&str>) -> Result<Arguments, Stop> {
        let words = std::iter::once("asyncmq-console").chain(words.iter().copied()).map(Into::into);
        Arguments::read(words, level.map(Into::into))
    }

    #[test]
    fn a_profile_and_a_level_are_read_and_anything_else_is_named() {
        let arguments = read(&["--profile", "demo", "--log-level=trace"]).expect("reads");
        assert_eq!((arguments.profile.as_deref(), arguments.log_level), (Some("demo"), tracing::Level::TRACE));
        assert!(matches!(read(&["--token", "x"]), Err(Stop::Usage(text)) if text.contains("--token")));
        assert!(matches!(read(&["--log-level", "loud"]), Err(Stop::Usage(text)) if text.contains("loud")));
        assert!(matches!(read(&["--version"]), Err(Stop::Printed(_))));
    }

    #[test]
    fn the_doctor_examines_one_environment_and_nothing_else() {
        let doctor = |words: &[&str]| read(words).map(|arguments| (arguments.doctor, arguments.profile));
        let (environment, profile) = doctor(&["doctor", "Acme production", "--profile", "demo"]).expect("reads");
        assert_eq!((environment.as_deref(), profile.as_deref()), (Some("Acme production"), Some("demo")));
        let (environment, _) = doctor(&["--profile=demo", "doctor", "--", "doctor"]).expect("reads");
        assert_eq!(environment.as_deref(), Some("doctor"));
        assert!(doctor(&[]).expect("reads").0.is_none());
        assert!(matches!(doctor(&["doctor"]), Err(Stop::Usage(text)) if text.contains("environment")));
        assert!(matches!(doctor(&["doctor", "a", "b"]), Err(Stop::Usage(text)) if text.contains('b')));
        assert!(matches!(doctor(&["acme"]), Err(Stop::Usage(text)) if text.contains("acme")));
    }

    #[test]
    fn the_command_lines_level_comes_before_the_environments() {
        let level = |words: &[&str], environment| read_with(words, environment).expect("reads").log_level;
        assert_eq!(level(&[], None), tracing::Level::INFO);
        assert_eq!(level(&[], Some("debug")), tracing::Level::DEBUG);
        assert_eq!(level(&[], Some("")), tracing::Level::INFO);
        assert_eq!(level(&["--log-level", "warn"], Some("debug")), tracing::Level::WARN);
        assert!(matches!(read_with(&[], Some("loud")), Err(Stop::Usage(text)) if text.contains("loud")));
    }
}
