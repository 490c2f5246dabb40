//! How long does a warm start take? From the spawn of the release build to what a person sees, on a private screen, with
//! two real admins and a real keychain.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use crate::{
    admin::Admin,
    colour::{self, ColourError},
    demo::{self, DemoError, SignedIn},
    display::{DisplayError, Session},
    install::{self, InstallError},
    machine,
    process::{Process, ProcessError},
    project::{Project, ProjectError},
};

/// The promise: the environments are on screen within this.
const PROMISED: Duration = Duration::from_secs(1);
/// Measured after one round that warms the caches.
const ROUNDS: usize = 7;
/// How long one start may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Why there are no figures, or not the promised ones.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Colour(#[from] ColourError),
    #[error("this measures on a private X screen, which there is on Linux only")]
    NotHere,
    #[error("the console ended with {0} before everything was there")]
    Ended(ExitStatus),
    #[error("`watch-screen` ended: it cannot read the private screen")]
    Blind,
    #[error("within {PATIENCE:?} there was not: {0}")]
    NotThere(&'static str),
    #[error("the environments are on screen after {0:.3} s, and within {PROMISED:?} was promised")]
    Promise(f64),
}

/// One start, measured from its spawn.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// The window is on the screen.
    mapped: Duration,
    /// The accents of both environments are in its rail.
    painted: Duration,
    /// Text is in the dashboard's place.
    page: Duration,
    /// An admin has delivered the first live event to the dashboard.
    live: Duration,
}

/// Measures and prints. Fails when the promise is broken.
pub(crate) fn start_up(project: &Project) -> Result<(), BenchError> {
    if !cfg!(target_os = "linux") {
        return Err(BenchError::NotHere);
    }
    let python = install::for_demo(project, true, false)?;
    build(project)?;

    let folder = project.folder("bench")?;
    let mut session = Session::default();
    session.with_folders(&folder.join("home"));
    session.with_screen(&folder, &project.interrupt)?;
    session.with_keychain(&folder, &project.interrupt)?;
    let (admins, described) = demo::start_admins(project, &python, &folder)?;
    let profile = project.built(true, "demo-profile");
    let signed_in = SignedIn::new(project, &session, &profile, &described)?;
    let bench = Bench { project, session: &session, admins: &admins, watcher: Watcher::start(project, &session)? };

    project.progress.say(&format!("Starting the console {} times", ROUNDS + 1));
    bench.start()?;
    let mut starts = Vec::with_capacity(ROUNDS);
    for number in 1..=ROUNDS {
        let start = bench.start()?;
        eprintln!(
            "  {number}: window {} ms, environments {} ms, live {} ms, page {} ms",
            start.mapped.as_millis(),
            start.painted.as_millis(),
            start.live.as_millis(),
            start.page.as_millis()
        );
        starts.push(start);
    }
    drop(bench);
    drop(signed_in);
    report(&starts)
}

/// What the demo builds, exactly as it builds it, so that neither undoes the other's work; then the watcher.
fn build(project: &Project) -> Result<(), BenchError> {
    demo::build(project, true)?;
    let mut command = project.cargo();
    command.args(["build", "--release", "--package", "xtask", "--bin", "watch-screen", "--features", "bench"]);
    Ok(project.progress.shown("Release build of the watcher", &mut command, &project.interrupt)?)
}

fn report(starts: &[Start]) -> Result<(), BenchError> {
    println!("\nWarm start of the release build, {} rounds after one that is not counted", starts.len());
    line("window on screen", starts, |start| start.mapped);
    let painted = line("environments on screen", starts, |start| start.painted);
    line("dashboard live (its first event)", starts, |start| start.live);
    line("dashboard's page on screen", starts, |start| start.page);
    println!("machine: {}", machine::describe());
    println!("command: cargo xtask bench start-up");
    if painted > PROMISED { Err(BenchError::Promise(painted.as_secs_f64())) } else { Ok(()) }
}

/// Prints the median, the least and the most, in seconds; answers the median.
fn line(what: &str, starts: &[Start], of: impl Fn(&Start) -> Duration) -> Duration {
    let mut times: Vec<_> = starts.iter().map(of).collect();
    times.sort_unstable();
    let (least, median, most) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{what:<46} median {:.3} s   ({:.3} … {:.3})",
        median.as_secs_f64(),
        least.as_secs_f64(),
        most.as_secs_f64()
    );
    median
}

struct Bench<'b> {
    project: &'b Project,
    session: &'b Session,
    admins: &'b [Admin],
    watcher: Watcher,
}

impl Bench<'_> {
    /// Starts the console, waits until everything is there, and ends it.
    fn start(&self) -> Result<Start, BenchError> {
        let mut command = Command::new(self.project.built(true, "asyncmq-console"));
        self.session.apply(command.args(["--profile", "demo"]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What an earlier start left to be read.
        self.is_live();
        let began = Instant::now();
        let mut console = Process::start(&mut command)?;
        let (mut mapped, mut painted, mut page, mut live) = (None, None, None, None);
        let start = loop {
            for seen in self.watcher.seen()? {
                match seen.word.as_str() {
                    "mapped" => mapped = Some(seen.at - began),
                    "painted" => painted = Some(seen.at - began),
                    "page" => page = Some(seen.at - began),
                    _ => {}
                }
            }
            if live.is_none() && self.is_live() {
                live = Some(began.elapsed());
            }
            match (mapped, painted, live, page) {
                (Some(mapped), Some(painted), Some(live), Some(page)) => break Start { mapped, painted, page, live },
                (None, ..) => self.look_again(began, "a window")?,
                (_, None, ..) => self.look_again(began, "both environments' accents in the rail")?,
                (.., None, _) => self.look_again(began, "a live dashboard")?,
                (.., None) => self.look_again(began, "a dashboard's page")?,
            }
            if let Some(status) = console.ended()? {
                return Err(BenchError::Ended(status));
            }
        };
        drop(console);
        let ended = Instant::now();
        while !self.watcher.seen()?.iter().any(|seen| seen.word == "gone") {
            self.look_again(ended, "an end of the window")?;
        }
        Ok(start)
    }

    fn is_live(&self) -> bool {
        // Every admin is asked: each keeps what it has to tell until then.
        self.admins.iter().filter(|admin| admin.has_begun_to_stream()).count() > 0
    }

    fn look_again(&self, began: Instant, what: &'static str) -> Result<(), BenchError> {
        self.project.interrupt.check()?;
        if began.elapsed() > PATIENCE {
            return Err(BenchError::NotThere(what));
        }
        thread::sleep(BETWEEN_LOOKS);
        Ok(())
    }
}

/// A word of `watch-screen`, and when it came.
struct Seen {
    word: String,
    at: Instant,
}

/// The program that reads the screen (`src/bin/watch-screen.rs`).
struct Watcher {
    words: Receiver<Seen>,
    _process: Process,
}

impl Watcher {
    fn start(project: &Project, session: &Session) -> Result<Self, BenchError> {
        let tokens: PathBuf = project.ui().join("src/styles/tokens.css");
        let accents = demo::ENVIRONMENTS.iter().map(|shown| colour::of_accent(&tokens, shown.accent));
        let mut command = Command::new(project.built(true, "watch-screen"));
        command.args(accents.collect::<Result<Vec<_>, _>>()?).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Process::start(session.apply(&mut command))?;
        let (_, output) = process.pipes();
        let output = output.expect("standard output was piped above");
        let (sender, words) = mpsc::channel();
        thread::spawn(move || {
            for word in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(Seen { word, at: Instant::now() }).is_err() {
                    return;
                }
            }
        });
        // `ready`: from now on nothing escapes it.
        words.recv_timeout(PATIENCE).map_err(|_| BenchError::Blind)?;
        Ok(Self { words, _process: process })
    }

    /// What it has said since this was last asked.
    fn seen(&self) -> Result<Vec<Seen>, BenchError> {
        let mut seen = Vec::new();
        loop {
            match self.words.try_recv() {
                Ok(one) => seen.push(one),
                Err(mpsc::TryRecvError::Empty) => return Ok(seen),
                Err(mpsc::TryRecvError::Disconnected) => return Err(BenchError::Blind),
            }
        }
    }
}
