//! What was started, and how does it end? Children run in process groups of their own, so that Ctrl-C reaches only this
//! program, which then ends what it started and nothing else.

use std::{
    io,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(25);
/// How long a child may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// Why a program was not run to a good end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("`{program}` could not be started: {source}")]
    Start { program: String, source: io::Error },
    #[error("`{program}` could not be waited for: {source}")]
    Wait { program: String, source: io::Error },
    #[error("{what} failed ({status}){tail}")]
    Failed { what: String, status: ExitStatus, tail: String },
    #[error("interrupted; everything that was started has been ended")]
    Interrupted,
}

/// Whether the operator has asked for the end.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C and, on Unix, SIGTERM and SIGHUP. Makes this process the parent of its orphaned descendants
    /// where the platform can (Linux), so that none escapes [`end_descendants`].
    pub(crate) fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, asked.clone())?;
        }
        #[cfg(target_os = "linux")]
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        Ok(Self(asked))
    }

    /// An error once the operator has asked for the end.
    pub(crate) fn check(&self) -> Result<(), ProcessError> {
        if self.0.load(Ordering::Relaxed) { Err(ProcessError::Interrupted) } else { Ok(()) }
    }

    /// Waits a moment.
    pub(crate) fn pause(&self) -> Result<(), ProcessError> {
        thread::sleep(POLL);
        self.check()
    }
}

/// A child and the group that it leads. Ended when dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts a program. Its standard input is empty unless `command` says otherwise.
    pub(crate) fn start(command: &mut Command) -> Result<Self, ProcessError> {
        let name = command.get_program().to_string_lossy().into_owned();
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        match command.spawn() {
            Ok(child) => Ok(Self { name, child }),
            Err(source) => Err(ProcessError::Start { program: name, source }),
        }
    }

    /// Its standard input and output, where they were piped; once.
    pub(crate) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.child.stdin.take(), self.child.stdout.take())
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, ProcessError> {
        self.child.try_wait().map_err(|source| ProcessError::Wait { program: self.name.clone(), source })
    }

    /// Waits until it ends, or ends it when the operator asks.
    pub(crate) fn wait(mut self, interrupt: &Interrupt) -> Result<ExitStatus, ProcessError> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            interrupt.pause()?;
        }
    }

    /// Asks its group to end, and ends it by force after a while.
    fn end(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        drop(self.child.stdin.take());
        self.signal(false);
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > GRACE {
                self.signal(true);
                // Reaps it; a process that was killed cannot refuse.
                drop(self.child.wait());
                return;
            }
            thread::sleep(POLL);
        }
    }

    #[cfg(unix)]
    fn signal(&mut self, by_force: bool) {
        use rustix::process::{Pid, Signal, kill_process_group};
        // It was not reaped, so the number is still its own.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // An error means that nothing is left to end.
            let _ = kill_process_group(group, if by_force { Signal::KILL } else { Signal::TERM });
        }
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _by_force: bool) {
        // An error means that nothing is left to end.
        drop(self.child.kill());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a short command and answers what it printed, or `None` when it cannot be started or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Ends what children of ours left behind (services that a D-Bus daemon started, for instance).
#[cfg(target_os = "linux")]
pub(crate) fn end_descendants() {
    use rustix::process::{Signal, getpid, kill_process};
    for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, POLL)] {
        for process in descendants::of(getpid()) {
            // An error means that it has ended by itself.
            let _ = kill_process(process, signal);
        }
        let asked = Instant::now();
        while asked.elapsed() < patience && !descendants::of(getpid()).is_empty() {
            thread::sleep(POLL);
        }
    }
    // Orphans are ours to reap; an error means that none is left.
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

/// Elsewhere the process groups are all there is to go by.
#[cfg(not(target_os = "linux"))]
pub(crate) fn end_descendants() {}

#[cfg(target_os = "linux")]
mod descendants {
    use std::{collections::HashMap, fs};

    use rustix::process::Pid;

    /// Every process whose chain of parents leads to `ancestor`, but for those that have ended and await reaping.
    pub(super) fn of(ancestor: Pid) -> Vec<Pid> {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let number = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            let Some(number) = number else { continue };
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            if let Some(parent) = running_parent(&stat) {
                children.entry(parent).or_default().push(number);
            }
        }
        let mut found = Vec::new();
        let mut next = vec![ancestor.as_raw_nonzero().get()];
        while let Some(parent) = next.pop() {
            let of_this_one = children.remove(&parent).unwrap_or_default();
            next.extend(&of_this_one);
            found.extend(of_this_one.into_iter().filter_map(Pid::from_raw));
        }
        found
    }

    /// The parent in a line of `/proc/PID/stat` (proc(5)): the name in brackets may hold anything; state and parent
    /// follow the last bracket. `None` for a zombie.
    fn running_parent(stat: &str) -> Option<i32> {
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        (state != "Z").then_some(parent)
    }

    #[cfg(test)]
    mod tests {
        use super::running_parent;

        #[test]
        fn a_process_name_cannot_mislead() {
            assert_eq!(running_parent("12 (a) Z 1 (b) S 7 12"), Some(7));
            assert_eq!(running_parent("12 (a) Z 7 12"), None);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{path::Path, process::Command};

    use super::Process;

    #[test]
    fn a_dropped_process_has_ended_with_its_group() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]).stdout(std::process::Stdio::piped());
        let mut process = Process::start(&mut command).expect("start");
        let mut line = String::new();
        let (_, stdout) = process.pipes();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout.expect("piped")), &mut line).expect("line");
        let sleep = format!("/proc/{}", line.trim());
        assert!(Path::new(&sleep).exists());
        drop(process);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        let running = || std::fs::read_to_string(format!("{sleep}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while running() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(!running());
    }
}
