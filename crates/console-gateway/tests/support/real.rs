//! The real AsyncMQ admin, as tests/admin serves it with the Python that `ADMIN_PYTHON` names.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use console_core::clock::{Clock as _, SystemClock};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

const SECRET: &str = "a secret of the gateway's tests, long enough for HS256";
const RELEASE: &str = "from importlib.metadata import version; print(version('asyncmq'))";

fn python() -> Command {
    Command::new(std::env::var("ADMIN_PYTHON").expect("ADMIN_PYTHON is not set: run `cargo xtask test`"))
}

/// Which release line of AsyncMQ that Python has: the 9 of 0.9.1.
pub(crate) fn release_line() -> u32 {
    let output = python().args(["-c", RELEASE]).output().expect("Python starts");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let line = text.strip_prefix("0.").and_then(|rest| rest.split('.').next()?.parse().ok());
    line.unwrap_or_else(|| panic!("`{text}` is no release of AsyncMQ that these tests know"))
}

/// A token for the admin: an operator's claims, with `claims` over them, good for ten minutes.
pub(crate) fn token(claims: &Value) -> String {
    let now = SystemClock.now().0;
    let mut all = json!({ "sub": "alice", "is_admin": true, "aud": "a", "iss": "i", "iat": now, "exp": now + 600 });
    overlay(&mut all, claims);
    jsonwebtoken::encode(&Header::default(), &all, &EncodingKey::from_secret(SECRET.as_bytes())).expect("signs")
}

fn overlay(on: &mut Value, more: &Value) {
    for (key, value) in more.as_object().expect("an object") {
        on[key] = value.clone();
    }
}

/// A running admin. It ends when this is dropped.
pub(crate) struct RealAdmin {
    pub(crate) base_url: String,
    rounds: Arc<AtomicUsize>,
    child: Child,
    _stdin: ChildStdin,
}

impl Drop for RealAdmin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RealAdmin {
    /// An admin with the seed `small` and no workers, unless `more` says otherwise (tests/admin/README.md).
    pub(crate) fn start(more: &Value) -> Self {
        let mut config = json!({ "secret": SECRET, "audience": "a", "issuer": "i", "seed": "small", "workers": false });
        overlay(&mut config, more);
        let mut child = python()
            .arg("serve.py")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/admin"))
            // Bytecode would land among the sources.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the admin starts");
        let mut stdin = child.stdin.take().expect("stdin");
        writeln!(stdin, "{config}").expect("writes");
        let mut output = BufReader::new(child.stdout.take().expect("stdout"));
        let mut line = String::new();
        output.read_line(&mut line).expect("reads");
        let said: Value = serde_json::from_str(&line).expect("the admin says where it is");
        let base_url = said["base_url"].as_str().expect("URL").to_owned();
        let rounds = Arc::new(AtomicUsize::new(0));
        let count = rounds.clone();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                count.fetch_add(usize::from(line.contains("\"events_stream\"")), Ordering::SeqCst);
            }
        });
        Self { base_url, rounds, child, _stdin: stdin }
    }

    /// How many `/events` streams have delivered a whole round so far.
    pub(crate) fn event_streams(&self) -> usize {
        self.rounds.load(Ordering::SeqCst)
    }

    /// `host:port`.
    pub(crate) fn host(&self) -> &str {
        self.base_url.trim_start_matches("http://").split('/').next().expect("host")
    }
}
