//! How does a test get a real server? One of those below `tests/`, in a process of its own, described by one JSON line.
//!
//! `cargo xtask test` sets `ADMIN_PYTHON` (the virtual environment's interpreter) and installs the provider's packages;
//! without them a test that wants a server fails and says so.

pub mod fault_proxy;

use std::{
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

/// How long a server may take to come up, or to say something that is waited for.
const PATIENCE: Duration = Duration::from_secs(40);
/// Signs the admins' tokens unless a test says otherwise.
pub const SECRET: &str = "a secret of the console's tests, long enough for HS256";
/// The audience of the admins.
pub const AUDIENCE: &str = "asyncmq-admin";
/// The issuer of the admins.
pub const ISSUER: &str = "https://id.example";

/// A running server. It ends with this handle.
pub struct Server {
    /// What it said once it was ready.
    pub ready: Value,
    events: Receiver<Value>,
    input: Option<ChildStdin>,
    child: Child,
}

impl Server {
    /// A real `AsyncMQ` admin: `tests/admin/serve.py`. `more` is laid over a small one that takes tokens of [`token`].
    ///
    /// # Panics
    /// When it does not come up.
    pub fn admin(more: &Value) -> Self {
        let base =
            json!({ "secret": SECRET, "audience": AUDIENCE, "issuer": ISSUER, "seed": "small", "workers": false });
        Self::python("serve.py", &laid_over(base, more))
    }

    /// A service that issues tokens for a user name and a password: `tests/admin/issue.py`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn issuer(more: &Value) -> Self {
        let base = json!({ "secret": SECRET, "audience": AUDIENCE, "issuer": ISSUER });
        Self::python("issue.py", &laid_over(base, more))
    }

    /// A script of `tests/admin`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn python(script: &str, configuration: &Value) -> Self {
        let python = std::env::var_os("ADMIN_PYTHON").expect("ADMIN_PYTHON is not set: run `cargo xtask test`");
        let mut command = Command::new(python);
        command.arg(script).current_dir(tests().join("admin")).env("PYTHONDONTWRITEBYTECODE", "1");
        Self::start(command, configuration)
    }

    /// A script of `tests/<folder>`, by Node.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn node(folder: &str, script: &str, configuration: &Value) -> Self {
        let folder = tests().join(folder);
        assert!(folder.join("node_modules").is_dir(), "no packages in {}: run `cargo xtask test`", folder.display());
        let mut command = Command::new("node");
        command.arg(script).current_dir(folder);
        Self::start(command, configuration)
    }

    fn start(mut command: Command, configuration: &Value) -> Self {
        let mut log = tempfile::tempfile().expect("a file for its log");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().expect("a second handle"))
            .spawn()
            .expect("the server's interpreter starts");
        let mut input = child.stdin.take().expect("it was piped");
        writeln!(input, "{configuration}").expect("the server reads its configuration");
        let output = BufReader::new(child.stdout.take().expect("it was piped"));
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str::<Value>(&line)
                    && sender.send(value).is_err()
                {
                    return;
                }
            }
        });
        let Ok(ready) = events.recv_timeout(PATIENCE) else {
            let mut said = String::new();
            let _ = log.rewind().and_then(|()| log.read_to_string(&mut said));
            panic!("the server did not come up; it said\n{said}");
        };
        Self { ready, events, input: Some(input), child }
    }

    /// A text of what it said once it was ready.
    ///
    /// # Panics
    /// When it said no such thing.
    pub fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {}", self.ready))
    }

    /// Tells it something.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, line: &Value) {
        writeln!(self.input.as_mut().expect("open until the end"), "{line}").expect("the server listens");
    }

    /// Waits for an event that `fits`, and passes over others.
    ///
    /// # Panics
    /// When none comes in time.
    pub fn event(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) if fits(&event) => return event,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("the server did not say: {what}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the server ended before it said: {what}"),
            }
        }
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.try_iter().collect()
    }
}

impl Server {
    /// Ends it at once (SIGKILL), whatever it was doing.
    ///
    /// # Panics
    /// When the system does not let go of it.
    pub fn kill(mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The claims of a token that the admins accept for `life` seconds, with `more` laid over them.
///
/// # Panics
/// When the clock stands before 1970.
pub fn claims(life: i64, more: &Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let now = i64::try_from(now).expect("in range");
    let base = json!({
        "sub": "alice", "name": "Alice Archer", "is_admin": true, "aud": AUDIENCE, "iss": ISSUER,
        "iat": now, "exp": now + life,
    });
    laid_over(base, more)
}

/// A token that the admins accept for `life` seconds.
///
/// # Panics
/// Never: an object can always be signed with a secret.
pub fn token(life: i64, more: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims(life, more), &key).expect("signs")
}

/// The folder `tests` at the root.
pub fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// `base` with the keys of `more` in the place of its own.
///
/// # Panics
/// When `more` is no object.
pub fn laid_over(mut base: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        base[key] = value.clone();
    }
    base
}
