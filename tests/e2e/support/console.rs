//! The console in a window, driven by WebKitWebDriver as a person would: by what is on the screen.

use std::{
    ffi::OsString,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use console_core::vault::{Slot, StoredCredential, Vault};
use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time,
};
use url::Url;

use super::{Admin, eventually, eventually_or, holds, process};

/// Folders and a profile of one operator; outlives the console, as at a restart.
pub(crate) struct Home {
    folder: TempDir,
    profile: String,
    variables: Vec<(&'static str, OsString)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        for name in ["DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
            assert!(std::env::var_os(name).is_some(), "{name} is not set: run `cargo xtask test`");
        }
        let folder = tempfile::tempdir().expect("folder");
        let mark = folder.path().file_name().expect("name").to_string_lossy().to_lowercase();
        let profile = format!("e2e-{}", mark.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
        Self { folder, profile, variables: Vec::new() }
    }

    /// An environment variable of this operator's session from now on; `None`: as the test was started.
    pub(crate) fn set(&mut self, name: &'static str, value: Option<OsString>) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.extend(value.map(|value| (name, value)));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    /// Starts the app as it is without WebDriver: its dashboards are incognito then. It ends with the handle.
    pub(crate) fn start_alone(&self, variables: &[(&str, &str)]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asyncmq-console"));
        self.apply(&mut command).args(["--profile", &self.profile]).envs(variables.iter().copied());
        command.spawn().expect("the console starts")
    }

    /// Folders of this operator, and nothing to read or to write to.
    fn apply<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
    }

    /// Where the environments are written.
    pub(crate) fn environments_file(&self) -> PathBuf {
        self.path().join("config/asyncmq-console/profiles").join(&self.profile).join("environments.toml")
    }

    /// The environments' file as any program reads it.
    pub(crate) fn environments(&self) -> toml::Table {
        std::fs::read_to_string(self.environments_file()).expect("the file is there").parse().expect("TOML")
    }

    /// What the keychain holds for an environment, read beside the console.
    pub(crate) fn stored(&self, id: &str) -> Option<StoredCredential> {
        let namespace = format!("dev.asyncmq.console.{}", self.profile);
        let id = id.parse().expect("an id");
        // On a thread of its own: the keychain's connection may not be dropped on an async one.
        let read = std::thread::spawn(move || {
            let vault = Vault::platform(&namespace);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(vault.load(&id, Slot::Credential)).expect("the keychain answers")
        });
        read.join().expect("the thread ends")
    }

    pub(crate) fn log_dir(&self) -> PathBuf {
        self.path().join("state/asyncmq-console/profiles").join(&self.profile).join("logs")
    }
}

/// How long WebDriver waits for a page that is loading before it answers anything else about it.
const PAGE_LOAD: Duration = Duration::from_secs(10);

/// The app's program.
const APP: &str = "asyncmq-console";

pub(crate) struct Console {
    client: Client,
    pub(crate) driver: Child,
    /// What the driver started: it may leave it behind.
    apps: Vec<u32>,
}

impl Drop for Console {
    fn drop(&mut self) {
        for app in self.apps.iter().filter(|app| process::is(**app, APP)) {
            process::signal(*app, "-KILL");
        }
    }
}

impl Console {
    /// Starts the app with `home`'s environments.
    pub(crate) async fn start(home: &Home) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address").port();
        let mut driver = Command::new("WebKitWebDriver");
        home.apply(&mut driver)
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver = driver.spawn().expect("WebKitWebDriver starts (Debian: webkit2gtk-driver)");
        let arguments = ["--profile", home.profile(), "--log-level", "trace"];
        let options = json!({ "binary": env!("CARGO_BIN_EXE_asyncmq-console"), "args": arguments });
        // A page that waits for a sign-in goes on loading, and WebDriver with it.
        let timeouts = json!({ "pageLoad": PAGE_LOAD.as_millis() });
        let capabilities = json!({ "webkitgtk:browserOptions": options, "timeouts": timeouts });
        let capabilities = capabilities.as_object().expect("an object");
        let url = format!("http://127.0.0.1:{port}");
        let client = eventually("a WebDriver session", async || {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(&url).await.ok()
        })
        .await;
        let apps = process::running(driver.id().expect("runs"), APP);
        let console = Self { client, driver, apps };
        console.shell().await;
        console
    }

    /// Closes the window, as the operator would.
    pub(crate) async fn quit(mut self) {
        self.client.clone().close().await.expect("closes");
        // The driver ends it in its own time, or not at all.
        let ended = async {
            while self.apps.iter().any(|app| process::is(*app, APP)) {
                time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = time::timeout(Duration::from_secs(2), ended).await;
        let _ = self.driver.start_kill();
        let _ = self.driver.wait().await;
    }

    /// The app's process.
    pub(crate) fn app(&self) -> u32 {
        let [app] = self.apps[..] else { panic!("one console: {:?}", self.apps) };
        app
    }

    /// Turns to a webview whose address is such; `None` when there is none now.
    async fn turn_to(&self, is_it: impl Fn(&Url) -> bool) -> Option<()> {
        for window in self.client.windows().await.ok()? {
            if self.client.switch_to_window(window).await.is_ok()
                && self.client.current_url().await.is_ok_and(|url| is_it(&url))
            {
                return Some(());
            }
        }
        None
    }

    /// From now on: the shell.
    pub(crate) async fn shell(&self) -> &Client {
        eventually("the shell webview", async || self.turn_to(|url| url.scheme() == "tauri").await).await;
        &self.client
    }

    /// From now on: the dashboard.
    pub(crate) async fn dashboard(&self) -> &Client {
        self.dashboard_at("/").await
    }

    /// From now on: the dashboard at a path that begins so; how two of them are told apart.
    pub(crate) async fn dashboard_at(&self, path: &str) -> &Client {
        let is_it = |url: &Url| url.host_str() == Some("127.0.0.1") && url.path().starts_with(path);
        eventually("a dashboard webview", async || self.turn_to(is_it).await).await;
        &self.client
    }

    /// How many dashboards there are.
    pub(crate) async fn dashboards(&self) -> usize {
        self.client.windows().await.expect("windows").len() - 1
    }

    /// What stands under a test id, once it is there.
    pub(crate) async fn find(&self, testid: &str) -> Element {
        self.css(&format!("[data-testid='{testid}']")).await
    }

    pub(crate) async fn css(&self, selector: &str) -> Element {
        let shown = async || {
            let element = self.client.find(Locator::Css(selector)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        };
        eventually_or(selector, shown, async || self.reads().await).await
    }

    /// What a person reads in the webview of now.
    async fn reads(&self) -> String {
        let script = "return [document.URL, 'focus: ' + document.activeElement?.outerHTML?.slice(0, 200), \
                      'disabled: ' + [...document.querySelectorAll(':disabled')].map(one => one.dataset.testid), \
                      document.body.innerText].join('\\n')";
        let text = self.client.execute(script, vec![]).await;
        text.map_or_else(|error| error.to_string(), |text| text.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) async fn is_there(&self, selector: &str) -> bool {
        match self.client.find(Locator::Css(selector)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    pub(crate) async fn click(&self, testid: &str) {
        // A panel may just be replaced by the next state.
        holds(&format!("a click on {testid}"), async || self.find(testid).await.click().await.is_ok()).await;
    }

    pub(crate) async fn fill(&self, testid: &str, text: &str) {
        let field = self.find(testid).await;
        field.clear().await.expect("clears");
        field.send_keys(text).await.expect("types");
    }

    pub(crate) async fn text(&self, testid: &str) -> String {
        words_of(&self.find(testid).await).await.expect("text")
    }

    /// Waits until what stands there contains `part`.
    pub(crate) async fn says(&self, selector: &str, part: &str) {
        holds(&format!("`{part}` in {selector}"), async || match self.client.find(Locator::Css(selector)).await {
            Ok(element) => words_of(&element).await.is_some_and(|text| text.contains(part)),
            Err(_) => false,
        })
        .await;
    }

    /// Adds an environment by typing.
    pub(crate) async fn add_environment(&self, name: &str, tag: &str, base_url: &str) {
        self.shell().await;
        if self.is_there("[data-testid='first-environment']").await {
            self.click("first-environment").await;
        } else {
            self.click("add-environment").await;
        }
        self.fill("field-name", name).await;
        self.fill("field-base_url", base_url).await;
        self.fill("field-tag", tag).await;
        if self.is_there("[data-testid='protection-open']").await {
            self.click("protection-open").await;
        }
        self.click("save-environment").await;
        self.find("token-field").await;
    }

    /// Signs in with a token that is expected to be accepted.
    pub(crate) async fn sign_in(&self, token: &str) {
        self.shell().await;
        self.fill("token-field", token).await;
        self.click("sign-in").await;
        self.find("bar-operator").await;
        self.dashboard().await;
    }

    /// The address of the dashboard's page, as its webview has it: path and query.
    pub(crate) async fn page(&self) -> String {
        let url = self.dashboard().await.current_url().await.expect("address");
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Sends the dashboard to a path of its own origin, as a link in it would.
    pub(crate) async fn go(&self, path: &str) {
        let client = self.dashboard().await;
        client.execute("window.location.assign(arguments[0])", vec![json!(path)]).await.expect("goes");
    }

    /// The environments in the rail, from top to bottom: id and name.
    pub(crate) async fn rail(&self) -> Vec<(String, String)> {
        let client = self.shell().await;
        let script = "return [...document.querySelectorAll('.rail [data-environment]')].map(item => \
                      [item.dataset.environment, item.dataset.name])";
        serde_json::from_value(client.execute(script, vec![]).await.expect("runs")).expect("pairs")
    }

    /// Runs a script that calls its last argument with the answer.
    pub(crate) async fn script_async(&self, script: &str) -> serde_json::Value {
        self.client.execute_async(script, vec![]).await.expect("runs")
    }

    pub(crate) async fn script(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, vec![]).await.expect("runs")
    }

    /// Signed in to a fresh admin: the usual beginning.
    pub(crate) async fn signed_in(home: &Home, admin: &Admin) -> Self {
        let console = Self::start(home).await;
        console.add_environment("Acme", "TEST", &admin.base_url).await;
        console.sign_in(&admin.token(3600)).await;
        console
    }
}

/// What stands there. WebKitWebDriver says nothing of a text that could be cut off with an ellipsis: then what it holds.
async fn words_of(element: &Element) -> Option<String> {
    match element.text().await {
        Ok(text) if !text.is_empty() => Some(text),
        _ => element.prop("textContent").await.ok().flatten(),
    }
}
