//! What the tests with an OpenID provider share: the servers of `tests/provider`, and an operator who acts.
#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    collections::BTreeMap,
    net::TcpStream,
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use console_core::{
    clock::{Clock, SystemClock},
    environment::{Environment, EnvironmentDraft, EnvironmentId},
    network::Network,
    secrets::Secrets,
    sign_in::{Context, Grant, Method, Operator, SignInError, Step, oauth::ProviderError},
    upstream::Reach,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    time::timeout,
};
use url::Url;

/// How long anything that is waited for may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
/// More redirects than any sign-in has.
const MOST_REDIRECTS: usize = 15;

/// A server of `tests/provider`. Ends with its guard.
pub(crate) struct Server {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    pub(crate) ready: Value,
    /// The events that were not waited for.
    pub(crate) passed: Vec<Value>,
}

impl Server {
    pub(crate) async fn start(script: &str, configuration: &Value) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/provider");
        assert!(folder.join("node_modules").exists(), "the packages are missing: run `npm ci` in tests/provider");
        let mut command = Command::new("node");
        command.arg(script).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("node starts: install Node 20");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut server = Self { _process: process, input, output, ready: Value::Null, passed: Vec::new() };
        server.write(configuration).await;
        server.ready = server.line().await;
        server
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("the ready line has no {name}")).to_owned()
    }

    /// Sends a command. What comes of it is an event.
    pub(crate) async fn write(&mut self, line: &Value) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("writes");
    }

    async fn line(&mut self) -> Value {
        let line = timeout(PATIENCE, self.output.next_line()).await.expect("in time").expect("reads");
        serde_json::from_str(&line.expect("the server goes on")).expect("JSON")
    }

    /// The next event of this name; others are laid aside.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.line().await;
            assert_ne!(line["event"], "not_understood", "{line}");
            if line["event"] == name {
                return line;
            }
            self.passed.push(line);
        }
    }

    /// Sends a command, and waits for the event that answers it.
    pub(crate) async fn command(&mut self, line: Value, event: &str) -> Value {
        self.write(&line).await;
        self.event(event).await
    }
}

/// An operator who hands on what is shown.
struct Steps(mpsc::UnboundedSender<Step>);

impl Operator for Steps {
    fn show(&self, step: Step) {
        let _ = self.0.send(step);
    }
}

/// One environment whose provider is a test server.
pub(crate) struct Bench {
    pub(crate) environment: Environment,
    reach: Reach,
    clock: Arc<dyn Clock>,
}

impl Bench {
    pub(crate) fn new(provider: &Server, method: Method) -> Self {
        Self::with_clock(provider, method, Arc::new(SystemClock))
    }

    pub(crate) fn with_clock(provider: &Server, method: Method, clock: Arc<dyn Clock>) -> Self {
        let draft = EnvironmentDraft {
            name: "Test".into(),
            tag: "TEST".into(),
            base_url: "https://admin.example".into(),
            sign_in: method,
            network: Network { ca_file: provider.text("ca_file"), ..Network::default() },
            ..EnvironmentDraft::default()
        };
        let environment =
            draft.check().expect("sound settings").into_environment(EnvironmentId::random().expect("random"));
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        Self { environment, reach, clock }
    }

    /// Signs in; `person` does what the step wants.
    pub(crate) async fn obtain(&self, secrets: Secrets, person: impl AsyncFnOnce(Step)) -> Result<Grant, SignInError> {
        timeout(PATIENCE, self.obtain_whenever(secrets, person)).await.expect("the sign-in ends in time")
    }

    /// The same, however long it takes: for a test that moves the time.
    pub(crate) async fn obtain_whenever(
        &self,
        secrets: Secrets,
        person: impl AsyncFnOnce(Step),
    ) -> Result<Grant, SignInError> {
        let (sender, mut steps) = mpsc::unbounded_channel();
        let operator = Steps(sender);
        let context = self.context(&operator);
        let obtained = self.environment.sign_in.implementation().obtain(&context, secrets);
        let acting = async {
            person(steps.recv().await.expect("a step")).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            result = obtained => result,
            () = acting => unreachable!("the operator goes on waiting"),
        }
    }

    pub(crate) async fn renew(&self, kept: Secrets) -> Result<Grant, SignInError> {
        let operator = Steps(mpsc::unbounded_channel().0);
        let context = self.context(&operator);
        timeout(PATIENCE, self.environment.sign_in.implementation().renew(&context, kept)).await.expect("in time")
    }

    /// What could not be done, and what was shown.
    pub(crate) async fn end(&self, kept: Secrets) -> (Vec<String>, Option<Step>) {
        let (sender, mut steps) = mpsc::unbounded_channel();
        let operator = Steps(sender);
        let context = self.context(&operator);
        let ended = timeout(PATIENCE, self.environment.sign_in.implementation().end(&context, kept)).await;
        (ended.expect("in time"), steps.try_recv().ok())
    }

    fn context<'c>(&'c self, operator: &'c dyn Operator) -> Context<'c> {
        Context { environment: &self.environment, reach: &self.reach, clock: self.clock.clone(), operator }
    }
}

/// The address that a step wants opened.
pub(crate) fn browser_url(step: Step) -> Url {
    let Step::Browser { url, .. } = step else { panic!("the browser is wanted, not {step:?}") };
    url
}

/// A parameter of an address.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
}

/// Where an authorization request wants its answer.
pub(crate) fn redirect_uri(url: &Url) -> Url {
    Url::parse(&parameter(url, "redirect_uri").expect("a redirect URI")).expect("an address")
}

/// Nobody listens there any more. What is closed by an aborted task closes a moment later.
pub(crate) fn assert_closed(callback: &Url) {
    let port = callback.port().expect("a port");
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "port {port} is still open");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the provider's error is.
pub(crate) fn provider_error(result: Result<Grant, SignInError>) -> ProviderError {
    match result.expect_err("an error") {
        SignInError::Provider(error) => error,
        other => panic!("the provider's fault, not {other}"),
    }
}

/// A browser without a window or a page: follows redirects, and keeps the provider's cookies.
pub(crate) struct PlainBrowser {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// Where it came last.
pub(crate) struct Visited {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) page: String,
}

impl PlainBrowser {
    pub(crate) fn new() -> Self {
        // The provider's certificate is the console's business.
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self { client: client.expect("a client"), cookies: BTreeMap::new() }
    }

    /// Goes there, and on.
    pub(crate) async fn visit(&mut self, url: Url) -> Visited {
        let mut url = url;
        for _ in 0..MOST_REDIRECTS {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut request = self.client.get(url.clone());
            if url.scheme() == "https" {
                request = request.header("cookie", cookies.join("; "));
            }
            let response = request.send().await.expect("answers");
            for cookie in response.headers().get_all("set-cookie") {
                let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').expect("a cookie");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let next = response.headers().get("location").and_then(|next| next.to_str().ok());
            let Some(next) = next.map(|next| url.join(next).expect("an address")) else {
                let status = response.status().as_u16();
                return Visited { url, status, page: response.text().await.expect("text") };
            };
            url = next;
        }
        panic!("too many redirects");
    }
}
