//! A real AsyncMQ admin in a process of its own.

use std::{
    path::Path,
    process::Stdio,
    time::{SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::watch,
};

const SECRET: &str = "a secret of the end-to-end tests, long enough for HS256";
const AUDIENCE: &str = "asyncmq-admin";
const ISSUER: &str = "https://id.example";

/// From here on an admin checks `Origin` and the admin claim, and loads no script from elsewhere.
pub(crate) const FIRST_STRICT: u32 = 9;

fn python() -> String {
    std::env::var("ADMIN_PYTHON").expect("ADMIN_PYTHON is not set: run `cargo xtask test`")
}

pub(crate) struct Admin {
    pub(crate) base_url: String,
    /// How many `/events` streams have delivered a whole round.
    streams: watch::Receiver<u32>,
    // Ends when its standard input closes, and at the latest with this handle.
    _child: Child,
}

impl Admin {
    /// The second number of the release that `ADMIN_PYTHON` has: 10 for 0.10.1.
    pub(crate) fn release_line() -> u32 {
        const RELEASE: &str = "import importlib.metadata as m; print(m.version('asyncmq'))";
        let output = std::process::Command::new(python()).args(["-c", RELEASE]).output().expect("Python starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.strip_prefix("0.").and_then(|rest| rest.split('.').next()?.parse().ok());
        line.unwrap_or_else(|| panic!("`{text}` is no release of AsyncMQ that these tests know"))
    }

    /// Starts one; `more` is laid over the configuration that `tests/admin/README.md` describes.
    pub(crate) async fn start(more: Value) -> Self {
        let strict = Self::release_line() >= FIRST_STRICT;
        let mut config = json!({
            "secret": SECRET, "audience": AUDIENCE, "issuer": ISSUER, "seed": "small", "workers": false,
            "require_admin": strict, "enforce_same_origin": strict,
        });
        for (key, value) in more.as_object().expect("an object") {
            config[key] = value.clone();
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/admin");
        let mut child = Command::new(python())
            .arg("serve.py")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the admin starts");
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(format!("{config}\n").as_bytes()).await.expect("writes");
        child.stdin = Some(stdin);
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let line = lines.next_line().await.expect("reads").expect("the admin says where it listens");
        let base_url =
            serde_json::from_str::<Value>(&line).expect("JSON")["base_url"].as_str().expect("URL").to_owned();
        // Somebody has to take what it prints.
        let (counted, streams) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("events_stream") {
                    counted.send_modify(|streams| *streams += 1);
                }
            }
        });
        Self { base_url, streams, _child: child }
    }

    /// How many `/events` streams have delivered a whole round.
    pub(crate) fn streams(&self) -> u32 {
        *self.streams.borrow()
    }

    /// A token that this admin accepts for `life` seconds.
    pub(crate) fn token(&self, life: i64) -> String {
        self.token_with(life, json!({}))
    }

    /// The same with other claims.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        reason = "it is this admin's token; JSON literals read best"
    )]
    pub(crate) fn token_with(&self, life: i64, more: Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let now = i64::try_from(now).expect("in range");
        let mut claims = json!({
            "sub": "alice", "name": "Alice Archer", "is_admin": true, "aud": AUDIENCE, "iss": ISSUER,
            "iat": now, "exp": now + life,
        });
        for (key, value) in more.as_object().expect("an object") {
            claims[key] = value.clone();
        }
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("signs")
    }
}
