//! The demo: two real admins with live workers, and the console signed in to both.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    display::Desktop,
    install,
    process::{Interrupted, Running},
    root,
    step::{Failure, output, run},
};

/// How the demo runs.
pub(crate) struct Options {
    release: bool,
    screenshot: Option<PathBuf>,
}

impl Options {
    pub(crate) fn read(words: &[&str]) -> Result<Self, Failure> {
        let mut options = Self { release: false, screenshot: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--release" => options.release = true,
                "--screenshot" => match words.next() {
                    Some(file) => options.screenshot = Some(PathBuf::from(file)),
                    None => return Err(Failure::Usage("demo --screenshot (which file?)".into())),
                },
                other => return Err(Failure::Usage(format!("demo {other}"))),
            }
        }
        Ok(options)
    }
}

/// The demo's namespace: `--profile demo` keeps settings and keychain entries apart from the operator's.
const PROFILE: &str = "demo";
const AUDIENCE: &str = "asyncmq-admin";
const ISSUER: &str = "https://id.acme.example";
/// How long the demo's tokens are good, in seconds.
const TOKEN_LIFE: u64 = 12 * 3600;
/// How long the picture may take.
const PICTURE_WITHIN: Duration = Duration::from_mins(2);

struct Admin {
    running: Running,
    base_url: String,
    secret: String,
}

/// `cargo xtask demo`.
pub(crate) fn demo(options: &Options) -> Result<ExitCode, Failure> {
    let interrupted = Interrupted::listen();
    install::everything()?;
    let program = build(options.release)?;
    let python = install::python()?;
    println!("\n── start two AsyncMQ admins and seed them");
    let mut production = start_admin(&python, "Acme production")?;
    let staging = start_admin(&python, "Acme staging")?;
    println!("   {} and {}", production.base_url, staging.base_url);
    let desktop = Desktop::find_or_start("1280x800")?;
    desktop.wait_for_keychain()?;
    provision(&desktop, &production, &staging)?;
    if interrupted.is_set() {
        return Ok(ExitCode::FAILURE);
    }
    println!("\n── start the console (Ctrl-C ends everything)");
    let mut console = Running::start(desktop.command(program).args(["--profile", PROFILE]), "")?;
    if let Some(file) = &options.screenshot {
        return picture(&desktop, &mut production, &mut console, file, &interrupted).map(|()| ExitCode::SUCCESS);
    }
    while !interrupted.is_set() {
        if let Some(success) = console.success() {
            return Ok(if success { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("\nEnding the demo.");
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask run`.
pub(crate) fn run_own() -> Result<ExitCode, Failure> {
    install::everything()?;
    let program = build(true)?;
    run("start the console", &mut Command::new(program)).map(|_| ExitCode::SUCCESS)
}

fn build(release: bool) -> Result<PathBuf, Failure> {
    let mut command = Command::new("cargo");
    command.args(["build", "--package", "asyncmq-console", "--bins"]).current_dir(root());
    if release {
        command.arg("--release");
    }
    run("build the console (the first time takes minutes)", &mut command)?;
    let mut example = Command::new("cargo");
    example.args(["build", "--package", "console-core", "--example", "provision"]).current_dir(root());
    run("build the demo's provisioning", &mut example)?;
    Ok(root().join("target").join(if release { "release" } else { "debug" }).join("asyncmq-console"))
}

fn start_admin(python: &PathBuf, title: &str) -> Result<Admin, Failure> {
    let secret = random_hex()?;
    let config = json!({
        "secret": secret, "audience": AUDIENCE, "issuer": ISSUER, "seed": "demo", "title": title,
    });
    let mut command = Command::new(python);
    command.args(["-m", "console_admin"]).current_dir(root().join("tests/admin"));
    let mut running = Running::start(&mut command, &format!("{config}\n"))?;
    let line = running.line("an AsyncMQ admin", Duration::from_mins(1))?;
    let base_url = serde_json::from_str::<Value>(&line)
        .ok()
        .and_then(|line| Some(line.get("base_url")?.as_str()?.to_owned()))
        .ok_or_else(|| Failure::Unfit(format!("the admin said `{line}` instead of its address")))?;
    Ok(Admin { running, base_url, secret })
}

/// The demo's environments and tokens, through standard input only.
fn provision(desktop: &Desktop, production: &Admin, staging: &Admin) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let claims = json!({
        "sub": "alice", "name": "Alice Archer", "roles": ["admin"], "is_admin": true,
        "aud": AUDIENCE, "iss": ISSUER, "iat": now, "exp": now + TOKEN_LIFE,
    });
    let wanted = json!({ "profile": PROFILE, "environments": [
        { "name": "Acme production", "tag": "PROD", "accent": "red", "protection": "locked",
          "base_url": production.base_url, "secret": production.secret, "claims": claims },
        { "name": "Acme staging", "tag": "STAGE", "accent": "amber", "protection": "open",
          "base_url": staging.base_url, "secret": staging.secret, "claims": claims },
    ]});
    let mut command = desktop.command(root().join("target/debug/examples/provision"));
    let mut provisioning = Running::start(&mut command, &wanted.to_string())?;
    provisioning.close_input();
    let file = provisioning.line("the demo's environments", Duration::from_secs(30))?;
    println!("   environments: {file} (a profile of the demo's own)");
    Ok(())
}

/// Waits until the dashboard is live, then writes what the window shows.
fn picture(
    desktop: &Desktop,
    admin: &mut Admin,
    console: &mut Running,
    file: &PathBuf,
    interrupted: &Interrupted,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let late = || Failure::Late {
        what: "a live dashboard",
        seconds: PICTURE_WITHIN.as_secs(),
        hint: ": see the log folder of the profile `demo`".into(),
    };
    admin.running.line("a live dashboard", PICTURE_WITHIN)?;
    // The charts are drawn a moment after the first round: the picture is taken when two in a row are the same, and not
    // blank.
    let folder = root().join("target");
    let (one, two) = (folder.join("shot-1.png"), folder.join("shot-2.png"));
    let mut last = None;
    while begun.elapsed() < PICTURE_WITHIN && !interrupted.is_set() {
        if console.has_ended() {
            return Err(Failure::Unfit("the console has ended before its dashboard was live".into()));
        }
        std::thread::sleep(Duration::from_millis(700));
        shoot(desktop, &one)?;
        let signature = output(Command::new("identify").args(["-format", "%# %k"]).arg(&one));
        let colours: u32 = signature.as_deref().and_then(|s| s.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        if colours > 200 && last == signature {
            fs::copy(&one, file).map_err(|source| Failure::File { path: file.clone(), source })?;
            println!("   {} ({} s)", file.display(), begun.elapsed().as_secs());
            let _ = (fs::remove_file(&one), fs::remove_file(&two));
            return Ok(());
        }
        last = signature;
    }
    Err(late())
}

fn shoot(desktop: &Desktop, file: &PathBuf) -> Result<(), Failure> {
    let mut command = desktop.command("import");
    command.args(["-window", "root"]).arg(file);
    let status = command.status().map_err(|source| Failure::Start { command: "import".into(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Command { command: "import".into(), status: status.to_string() }) }
}

fn random_hex() -> Result<String, Failure> {
    use std::io::Read as _;
    let path = PathBuf::from("/dev/urandom");
    let mut bytes = [0_u8; 32];
    fs::File::open(&path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|source| Failure::File { path, source })?;
    Ok(bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
