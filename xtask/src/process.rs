//! Programs that run beside this one, and end with it.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use crate::step::{Failure, shown};

/// Set by Ctrl-C (and SIGTERM, SIGHUP).
#[derive(Clone, Default)]
pub(crate) struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let interrupted = Self::default();
        let flag = interrupted.0.clone();
        // A second listener in one process cannot be; then the first one's flag is enough.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst));
        interrupted
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A program that was started here. Dropping it ends it: its standard input closes, it is asked, and then made to.
pub(crate) struct Running {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Starts `command`; `input` is written to its standard input, which stays open.
    pub(crate) fn start(command: &mut Command, input: &str) -> Result<Self, Failure> {
        let name = shown(command);
        let failed = |source| Failure::Start { command: name.clone(), source };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut stdin = child.stdin.take();
        if let Some(stdin) = &mut stdin {
            stdin.write_all(input.as_bytes()).and_then(|()| stdin.flush()).map_err(failed)?;
        }
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { name, child, stdin, lines })
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self, what: &'static str, within: Duration) -> Result<String, Failure> {
        self.lines.recv_timeout(within).map_err(|_| Failure::Late {
            what,
            seconds: within.as_secs(),
            hint: if self.has_ended() { format!(": `{}` has ended", self.name) } else { String::new() },
        })
    }

    /// Closes its standard input.
    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it ended well; `None` while it runs.
    pub(crate) fn success(&mut self) -> Option<bool> {
        self.child.try_wait().ok().flatten().map(|status| status.success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stdin = None;
        if self.has_ended() {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let patience = Instant::now() + Duration::from_secs(3);
        while Instant::now() < patience {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
