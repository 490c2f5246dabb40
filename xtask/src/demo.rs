//! The demo: two real admins, and the console signed in to both, in a profile of its own.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    admin::{Admin, AdminError},
    arguments::DemoOptions,
    display::{self, DisplayError, Session},
    install::{self, InstallError},
    packages::{self, HEADLESS},
    process::{Process, ProcessError},
    progress::tail,
    project::{Project, ProjectError},
    screenshot::{self, ScreenshotError},
};

/// How long the console may take to show a live dashboard.
const PATIENCE: Duration = Duration::from_mins(2);
const AUDIENCE: &str = "asyncmq-admin";

/// Why the demo did not run, or did not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error(transparent)]
    Screenshot(#[from] ScreenshotError),
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    #[error("the demo's profile could not be prepared: {0}")]
    Profile(String),
    #[error("`{path}` could not be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("the console ended with {status}; its log `{path}` ends with\n{tail}")]
    Ended { status: ExitStatus, path: PathBuf, tail: String },
    #[error(
        "no dashboard went live within {PATIENCE:?}: `{picture}` shows the screen; the console's log `{path}` ends with\n{tail}"
    )]
    NotLive { picture: PathBuf, path: PathBuf, tail: String },
}

impl From<packages::PackageError> for DemoError {
    fn from(error: packages::PackageError) -> Self {
        Self::Install(error.into())
    }
}

/// An environment of the demo.
pub(crate) struct Shown {
    name: &'static str,
    tag: &'static str,
    pub(crate) accent: &'static str,
    protection: &'static str,
    prefix: &'static str,
    issuer: &'static str,
}

pub(crate) const ENVIRONMENTS: [Shown; 2] = [
    Shown {
        name: "Acme production",
        tag: "PROD",
        accent: "red",
        protection: "locked",
        prefix: "/asyncmq",
        issuer: "https://id.acme.example",
    },
    Shown {
        name: "Acme staging",
        tag: "STAGE",
        accent: "amber",
        protection: "open",
        prefix: "/ops/queues",
        issuer: "https://id.staging.acme.example",
    },
];

/// Runs it until the window is closed, Ctrl-C, or the screenshot is written.
pub(crate) fn run(project: &Project, options: &DemoOptions) -> Result<(), DemoError> {
    // A screenshot shows the private screen, never the operator's.
    let headless = options.screenshot.is_some() || !display::is_there();
    let python = install::for_demo(project, headless, options.screenshot.is_some())?;
    build(project, options.release)?;

    let folder = project.folder("demo")?;
    let profile = project.built(options.release, "demo-profile");
    let session = open_session(project, headless, &folder, &profile)?;

    let (admins, described) = start_admins(project, &python, &folder)?;
    let signed_in = SignedIn::new(project, &session, &profile, &described)?;
    let shown = show(project, options, &session, &admins, &folder);
    drop(signed_in);
    shown
}

/// Starts the demo's admins, their logs in `folder`; answers them, and what `demo-profile` is told of each.
pub(crate) fn start_admins(
    project: &Project,
    python: &Path,
    folder: &Path,
) -> Result<(Vec<Admin>, Vec<Value>), DemoError> {
    project.progress.say("Two AsyncMQ admins: starting and filling them");
    let script = project.root.join("tests/admin/serve.py");
    let mut admins = Vec::new();
    let mut described = Vec::new();
    for shown in &ENVIRONMENTS {
        let secret = format!("{}{}", display::random_hex()?, display::random_hex()?);
        let configuration = json!({
            "secret": secret, "audience": AUDIENCE, "issuer": shown.issuer, "prefix": shown.prefix,
            "title": shown.name, "seed": "demo",
        });
        let log = folder.join(format!("admin-{}.log", shown.tag.to_lowercase()));
        let admin = Admin::start(python, &script, &configuration, &log, &project.interrupt)?;
        eprintln!("  {} at {}", shown.name, admin.base_url);
        described.push(json!({
            "name": shown.name, "tag": shown.tag, "accent": shown.accent, "protection": shown.protection,
            "base_url": admin.base_url, "secret": secret, "audience": AUDIENCE, "issuer": shown.issuer,
        }));
        admins.push(admin);
    }
    Ok((admins, described))
}

/// Builds the app, and the program that signs its profile in.
pub(crate) fn build(project: &Project, release: bool) -> Result<(), DemoError> {
    let mut command = project.cargo();
    // One build for both, so that what they share is compiled once.
    command.args(["build", "--package", "asyncmq-console", "--bin", "asyncmq-console"]);
    command.args(["--package", "xtask", "--bin", "demo-profile", "--features", "xtask/profile"]);
    let what = if release {
        command.arg("--release");
        "Release build (many minutes the first time)"
    } else {
        "Debug build (about four minutes the first time; --release builds longer and runs faster)"
    };
    Ok(project.progress.shown(what, &mut command, &project.interrupt)?)
}

/// A screen and a keychain: the operator's where they are, else our own, and said so.
fn open_session(project: &Project, headless: bool, folder: &Path, profile: &Path) -> Result<Session, DemoError> {
    let mut session = Session::default();
    if headless {
        project.progress.say("A private screen (Xvfb), D-Bus session and keychain (gnome-keyring), only for this demo");
        session.with_folders(&folder.join("home"));
        session.with_screen(folder, &project.interrupt)?;
        session.with_keychain(folder, &project.interrupt)?;
        return Ok(session);
    }
    let found = ask(&session, profile, &json!({ "do": "probe" }))?;
    if found["keychain"] == true || !cfg!(target_os = "linux") {
        return Ok(session);
    }
    let reason = found["reason"].as_str().unwrap_or_default();
    project
        .progress
        .say(&format!("No keychain here ({reason}): a private one (D-Bus, gnome-keyring), only for this demo"));
    packages::ensure(project, &[HEADLESS])?;
    session.with_keychain(folder, &project.interrupt)?;
    Ok(session)
}

fn show(
    project: &Project,
    options: &DemoOptions,
    session: &Session,
    admins: &[Admin],
    folder: &Path,
) -> Result<(), DemoError> {
    let log = folder.join("console.log");
    let output = File::create(&log).map_err(|source| DemoError::Write { path: log.clone(), source })?;
    let errors = output.try_clone().map_err(|source| DemoError::Write { path: log.clone(), source })?;
    let mut command = Command::new(project.built(options.release, "asyncmq-console"));
    session.apply(command.args(["--profile", "demo"])).stdin(Stdio::null()).stdout(output).stderr(errors);
    let began = Instant::now();
    let mut console = Process::start(&mut command)?;
    let end = match (&options.screenshot, display::is_there()) {
        (Some(_), _) => "The picture is taken once a dashboard is live",
        (None, true) => "Close its window or press Ctrl-C to end the demo",
        (None, false) => "Nobody sees its screen: --screenshot FILE shows it. Press Ctrl-C to end the demo",
    };
    project.progress.say(&format!("The console runs with the profile `demo`. {end}"));

    let mut live = false;
    loop {
        if let Some(status) = console.ended()? {
            if status.success() && options.screenshot.is_none() {
                return Ok(());
            }
            return Err(DemoError::Ended { status, tail: tail(&log), path: log });
        }
        match project.interrupt.pause() {
            // The ordinary way to end it.
            Err(ProcessError::Interrupted) if options.screenshot.is_none() => {
                eprintln!();
                project.progress.say("Ending what the demo started");
                return Ok(());
            }
            paused => paused?,
        }
        if !live && admins.iter().any(Admin::has_begun_to_stream) {
            live = true;
            project
                .progress
                .say(&format!("A dashboard is live, {:.1} s after the start", began.elapsed().as_secs_f64()));
        }
        if let Some(file) = options.screenshot.as_ref().filter(|_| live && admins.iter().any(Admin::has_streamed)) {
            screenshot::take(session, file, began + PATIENCE, &project.interrupt)?;
            project.progress.say(&format!("Written: {}", file.display()));
            return Ok(());
        }
        if options.screenshot.is_some() && began.elapsed() > PATIENCE {
            let picture = folder.join("not-live.png");
            screenshot::write(session, &picture)?;
            return Err(DemoError::NotLive { picture, tail: tail(&log), path: log });
        }
    }
}

/// The demo's tokens are in the keychain while this lives: they are worth nothing afterwards.
pub(crate) struct SignedIn<'d> {
    session: &'d Session,
    profile: &'d Path,
}

impl<'d> SignedIn<'d> {
    /// Signs the profile `demo` of this session in. `profile`: the program that does it.
    pub(crate) fn new(
        project: &Project,
        session: &'d Session,
        profile: &'d Path,
        environments: &[Value],
    ) -> Result<Self, DemoError> {
        let signed_in = Self { session, profile };
        let answer = ask(session, profile, &json!({ "do": "sign_in", "environments": environments }))?;
        project
            .progress
            .say(&format!("Signed in as Alice Archer; settings in {}", answer["file"].as_str().unwrap_or("?")));
        Ok(signed_in)
    }
}

impl Drop for SignedIn<'_> {
    fn drop(&mut self) {
        if let Err(error) = ask(self.session, self.profile, &json!({ "do": "sign_out" })) {
            eprintln!("  the demo's tokens stay in the keychain, and expire: {error}");
        }
    }
}

/// Asks the program that knows the console's settings and keychain. It must run in the console's environment.
fn ask(session: &Session, program: &Path, request: &Value) -> Result<Value, DemoError> {
    let failed = |error: io::Error| DemoError::Profile(format!("`{}`: {error}", program.display()));
    let mut command = Command::new(program);
    session.apply(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{request}").map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(DemoError::Profile(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| DemoError::Profile(error.to_string()))
}
