//! What is happening, and for how long? Long steps show their elapsed seconds; quiet ones keep a log.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::process::{Interrupt, Process, ProcessError};

/// Where no terminal shows a running clock, a line says so this often.
const QUIET_FOR: Duration = Duration::from_secs(15);
const TAIL_LINES: usize = 40;

/// Prints what is happening.
pub(crate) struct Progress {
    logs: PathBuf,
    terminal: bool,
}

impl Progress {
    /// Logs of quiet steps go into `logs`.
    pub(crate) fn new(logs: PathBuf) -> Self {
        Self { logs, terminal: io::stderr().is_terminal() }
    }

    /// One line.
    #[allow(clippy::unused_self, reason = "everything that is printed goes through here")]
    pub(crate) fn say(&self, line: &str) {
        eprintln!("▸ {line}");
    }

    /// Runs a command whose output is its progress.
    pub(crate) fn shown(&self, what: &str, command: &mut Command, interrupt: &Interrupt) -> Result<(), ProcessError> {
        self.say(what);
        let began = Instant::now();
        let status = Process::start(command.stdin(Stdio::null()))?.wait(interrupt)?;
        if !status.success() {
            return Err(ProcessError::Failed { what: what.to_owned(), status, tail: String::new() });
        }
        eprintln!("  {what}: done after {}", duration(began.elapsed()));
        Ok(())
    }

    /// Runs a command whose output matters only when it fails: the clock runs, the output goes to a log.
    pub(crate) fn quiet(&self, what: &str, command: &mut Command, interrupt: &Interrupt) -> Result<(), ProcessError> {
        self.say(what);
        let began = Instant::now();
        let path = self.log_path(what);
        let log = self.open_log(&path, command)?;
        let errors = log.try_clone().map_err(|source| cannot_log(&path, source))?;
        let mut process = Process::start(command.stdin(Stdio::null()).stdout(log).stderr(errors))?;
        let mut said = Instant::now();
        let status = loop {
            if let Some(status) = process.ended()? {
                break status;
            }
            interrupt.pause()?;
            if said.elapsed() > if self.terminal { Duration::from_secs(1) } else { QUIET_FOR } {
                said = Instant::now();
                self.tick(what, began.elapsed());
            }
        };
        if self.terminal {
            eprint!("\r\x1b[K");
        }
        if status.success() {
            eprintln!("  {what}: done after {}", duration(began.elapsed()));
            return Ok(());
        }
        let tail = format!("\n{}\n(all of it: {})", tail(&path), path.display());
        Err(ProcessError::Failed { what: what.to_owned(), status, tail })
    }

    fn tick(&self, what: &str, elapsed: Duration) {
        let elapsed = duration(elapsed);
        if self.terminal {
            eprint!("\r\x1b[K  {what} … {elapsed}");
            // A clock that could not be shown is no reason to stop.
            drop(io::stderr().flush());
        } else {
            eprintln!("  {what} … {elapsed}");
        }
    }

    fn log_path(&self, what: &str) -> PathBuf {
        let name: String = what.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.logs.join(format!("{name}.log"))
    }

    fn open_log(&self, path: &Path, command: &Command) -> Result<File, ProcessError> {
        let opened = fs::create_dir_all(&self.logs).and_then(|()| File::create(path)).and_then(|mut log| {
            writeln!(log, "{command:?}")?;
            Ok(log)
        });
        opened.map_err(|source| cannot_log(path, source))
    }
}

fn cannot_log(path: &Path, source: io::Error) -> ProcessError {
    ProcessError::Start { program: format!("a log at {}", path.display()), source }
}

/// The last lines of a log.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].iter().fold(String::new(), |all, line| all + "  | " + line + "\n")
}

/// `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn duration(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0..10 => format!("{:.1} s", elapsed.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_read_like_a_person_says_them() {
        assert_eq!(duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(12)), "12 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 05 s");
    }
}
