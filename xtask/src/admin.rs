//! A real admin, as tests/admin serves it.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    process::{Interrupt, Process, ProcessError},
    progress::tail,
};

const PATIENCE: Duration = Duration::from_mins(1);

/// Why an admin did not come up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the log `{path}` of an admin could not be written: {source}")]
    Log { path: PathBuf, source: io::Error },
    #[error("an admin could not be told what to be: {0}")]
    Configure(io::Error),
    #[error("an admin did not come up within {PATIENCE:?}; its log `{path}` ends with\n{tail}")]
    NotUp { path: PathBuf, tail: String },
}

/// A running admin. It ends when this is dropped, and when this process dies.
pub(crate) struct Admin {
    /// Where its dashboard is.
    pub(crate) base_url: String,
    lines: Receiver<Value>,
    // Held open: the admin ends with its standard input.
    _input: ChildStdin,
    _process: Process,
}

impl Admin {
    /// Starts one and waits until it listens and is seeded. The configuration goes through standard input: it holds a
    /// secret.
    pub(crate) fn start(
        python: &Path,
        script: &Path,
        configuration: &Value,
        log: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, AdminError> {
        let cannot_log = |source| AdminError::Log { path: log.to_owned(), source };
        let errors = File::create(log).map_err(cannot_log)?;
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        // Bytecode would land among the sources.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = Process::start(&mut command)?;
        let (input, output) = process.pipes();
        let mut input = input.expect("standard input was piped above");
        let output = output.expect("standard output was piped above");
        writeln!(input, "{configuration}").map_err(AdminError::Configure)?;

        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str::<Value>(&line)
                    && sender.send(value).is_err()
                {
                    return;
                }
            }
        });
        let mut admin = Self { base_url: String::new(), lines, _input: input, _process: process };
        let said = admin.wait_for("base_url", PATIENCE, interrupt)?;
        match said.as_ref().and_then(Value::as_str) {
            Some(base_url) => base_url.clone_into(&mut admin.base_url),
            None => return Err(AdminError::NotUp { path: log.to_owned(), tail: tail(log) }),
        }
        Ok(admin)
    }

    /// Whether an `/events` stream of this admin has delivered its first event since anything was last asked: the page has
    /// live numbers.
    pub(crate) fn has_begun_to_stream(&self) -> bool {
        self.said("events_begun")
    }

    /// Whether one has delivered a whole round: the page has everything that it shows. Five seconds after the first event.
    pub(crate) fn has_streamed(&self) -> bool {
        self.said("events_stream")
    }

    fn said(&self, event: &str) -> bool {
        // To the end: what is older than this question is no answer to the next one.
        self.lines.try_iter().filter(|line| line["event"] == event).count() > 0
    }

    fn wait_for(&self, key: &str, patience: Duration, interrupt: &Interrupt) -> Result<Option<Value>, ProcessError> {
        let began = Instant::now();
        while began.elapsed() < patience {
            interrupt.check()?;
            match self.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(mut line) => {
                    if let Some(value) = line.get_mut(key) {
                        return Ok(Some(value.take()));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(None)
    }
}
