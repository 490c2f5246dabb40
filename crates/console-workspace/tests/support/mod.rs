//! A workspace before real servers, without a window.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use console_core::{
    clock::{Clock, SystemClock, UnixTime},
    profile::Profile,
    vault::{MemoryStore, SecretStore as _, Vault},
    wake,
};
use console_ipc::{
    Accent, EnvironmentDraft, EnvironmentView, Method, Network, Problem, ProtectionView, SaveOutcome, ShellState,
    SignInOutcome,
};
use console_testing::fault_proxy::FaultProxy;
use console_workspace::{StageOrder, Workspace};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    time,
};

/// A workspace with one environment, its keychain and what it asks of the stage.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) keychain: Arc<MemoryStore>,
    pub(crate) workspace: Workspace,
    pub(crate) orders: UnboundedReceiver<StageOrder>,
    /// The computer's networks, changed by a test.
    pub(crate) network: watch::Sender<()>,
    pub(crate) id: String,
}

pub(crate) fn draft(base_url: &str, sign_in: Method) -> EnvironmentDraft {
    EnvironmentDraft {
        name: "Acme".into(),
        base_url: base_url.into(),
        tag: "TEST".into(),
        accent: Accent::Slate,
        login_path: "/login".into(),
        header_name: "Authorization".into(),
        scheme: "Bearer".into(),
        cookie_name: String::new(),
        expected_issuer: String::new(),
        expected_audience: String::new(),
        sign_in,
        network: Network::default(),
        allow_token_copy: false,
        allow_plain_http: false,
        protection: ProtectionView::Open,
    }
}

impl Bench {
    pub(crate) async fn new(draft: EnvironmentDraft) -> Self {
        Self::by_clock(draft, Arc::new(SystemClock)).await
    }

    pub(crate) async fn by_clock(draft: EnvironmentDraft, clock: Arc<dyn Clock>) -> Self {
        let keychain = Arc::new(MemoryStore::default());
        let folder = tempfile::tempdir().expect("folder");
        let (network, networks) = watch::channel(());
        let (workspace, orders) = start_by(&folder, &keychain, clock, networks).await;
        let added = workspace.environment_add(draft).await.expect("answers");
        let SaveOutcome::Saved { id } = added else { panic!("{added:?}") };
        Self { folder, keychain, workspace, orders, network, id }
    }

    /// Another console with the same settings and the same keychain.
    pub(crate) async fn beside(&self) -> (Workspace, UnboundedReceiver<StageOrder>) {
        start(&self.folder, &self.keychain).await
    }

    pub(crate) async fn restarted(self) -> Self {
        let (workspace, orders) = start(&self.folder, &self.keychain).await;
        Self { workspace, orders, ..self }
    }

    pub(crate) async fn sign_in(&self, answers: &[(&str, &str)]) -> SignInOutcome {
        let answers: HashMap<_, _> =
            answers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into())).collect();
        self.workspace.sign_in(&self.id, answers).await.expect("answers")
    }

    /// Signs in as it should succeed, and sees the dashboard through the gateway.
    pub(crate) async fn enters(&mut self, answers: &[(&str, &str)]) -> Page {
        let outcome = self.sign_in(answers).await;
        assert_eq!(outcome, SignInOutcome::SignedIn);
        self.sees_dashboard().await
    }

    /// Signs in as it should not succeed; what the operator is told.
    pub(crate) async fn refused(&self, answers: &[(&str, &str)]) -> Problem {
        match self.sign_in(answers).await {
            SignInOutcome::Rejected { problem, .. } => problem,
            other => panic!("{other:?}"),
        }
    }

    /// Enters the gateway that was opened last as the webview would, and asks for a page.
    pub(crate) async fn sees_dashboard(&mut self) -> Page {
        let (page, to) = Page::enter(self.entry().await).await;
        let answer = page.get(to.path()).await;
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.expect("text");
        assert!(text.contains("Dashboard"), "{text}");
        page
    }

    pub(crate) async fn entry(&mut self) -> url::Url {
        let opened = async {
            loop {
                if let StageOrder::Open { entry, .. } = self.orders.recv().await.expect("an order") {
                    return entry;
                }
            }
        };
        time::timeout(Duration::from_secs(20), opened).await.expect("a dashboard opens")
    }

    pub(crate) fn view(&self) -> EnvironmentView {
        self.workspace.state().environments.iter().find(|view| view.id == self.id).expect("there").clone()
    }

    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&EnvironmentView) -> bool) {
        until(&self.workspace, what, |state| state.environments.iter().any(|view| view.id == self.id && holds(view)))
            .await;
    }

    /// Everything that the vault holds, as one text.
    pub(crate) fn vault_text(&self) -> String {
        text_of(&self.keychain)
    }
}

/// Everything that a store holds, as one text.
pub(crate) fn text_of(store: &MemoryStore) -> String {
    let values = store.keys().into_iter().filter_map(|key| store.read(&key).expect("reads"));
    values.map(|value| String::from_utf8_lossy(&value).into_owned()).collect::<Vec<_>>().join("\n")
}

/// Waits until the shell is told so.
pub(crate) async fn until(workspace: &Workspace, what: &str, holds: impl Fn(&ShellState) -> bool) {
    let mut states = workspace.subscribe();
    let seen = states.wait_for(|state| holds(state));
    let seen = time::timeout(Duration::from_secs(40), seen).await.is_ok_and(|seen| seen.is_ok());
    assert!(seen, "{what}: {:?}", workspace.state().environments);
}

pub(crate) async fn start(folder: &TempDir, keychain: &Arc<MemoryStore>) -> (Workspace, UnboundedReceiver<StageOrder>) {
    start_by(folder, keychain, Arc::new(SystemClock), wake::networks()).await
}

/// With whatever keychain there is.
pub(crate) async fn start_with(folder: &TempDir, vault: Vault) -> (Workspace, UnboundedReceiver<StageOrder>) {
    start_over(folder, vault, Arc::new(SystemClock), wake::networks()).await
}

async fn start_by(
    folder: &TempDir,
    keychain: &Arc<MemoryStore>,
    clock: Arc<dyn Clock>,
    networks: watch::Receiver<()>,
) -> (Workspace, UnboundedReceiver<StageOrder>) {
    start_over(folder, Vault::with_store(keychain.clone()), clock, networks).await
}

async fn start_over(
    folder: &TempDir,
    vault: Vault,
    clock: Arc<dyn Clock>,
    networks: watch::Receiver<()>,
) -> (Workspace, UnboundedReceiver<StageOrder>) {
    let downloads = folder.path().join("downloads");
    Workspace::with(Profile::below(folder.path()), vault, clock, networks, downloads).await
}

/// Waits until it is so.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let seen = async {
        while !holds() {
            time::sleep(Duration::from_millis(10)).await;
        }
    };
    time::timeout(Duration::from_secs(40), seen).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}

/// A way that can break, to the server of `url`.
pub(crate) async fn before(url: &str) -> FaultProxy {
    let url = url::Url::parse(url).expect("a URL");
    FaultProxy::before(url.socket_addrs(|| None).expect("an address")[0]).await.expect("a port")
}

/// The computer's clock, moved by a test.
#[derive(Default)]
pub(crate) struct MovedClock(AtomicI64);

impl MovedClock {
    pub(crate) fn move_by(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> UnixTime {
        SystemClock.now().plus(self.0.load(Ordering::SeqCst))
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("client")
}

/// A dashboard's webview, as far as HTTP goes.
pub(crate) struct Page {
    client: reqwest::Client,
    cookie: String,
    origin: url::Url,
}

impl Page {
    /// Enters by an entry address, and answers where that led to.
    pub(crate) async fn enter(entry: url::Url) -> (Self, url::Url) {
        let client = client();
        let entered = client.get(entry.clone()).send().await.expect("the gateway answers");
        let cookie =
            entered.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("pair").to_owned();
        let to = entry.join(entered.headers()["location"].to_str().expect("text")).expect("url");
        let origin = entry.join("/").expect("origin");
        (Self { client, cookie, origin }, to)
    }

    /// The same page over connections of its own.
    pub(crate) fn beside(&self) -> Self {
        Self { client: client(), cookie: self.cookie.clone(), origin: self.origin.clone() }
    }

    /// A navigation to `path`.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.try_get(path).await.expect("answers")
    }

    pub(crate) async fn try_get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.navigation(reqwest::Method::GET, path).send().await
    }

    /// The page's live updates, which go on.
    pub(crate) async fn events(&self) -> reqwest::Response {
        let url = self.origin.join("/asyncmq/events").expect("url");
        let asked = self.client.get(url).header("cookie", &self.cookie).header("accept", "text/event-stream");
        asked.send().await.expect("answers")
    }

    /// A form of the page that is sent.
    pub(crate) async fn send_form(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        self.navigation(reqwest::Method::POST, path)
            .header("origin", self.origin.as_str().trim_end_matches('/'))
            .header("sec-fetch-site", "same-origin")
            .form(form)
            .send()
            .await
            .expect("answers")
    }

    fn navigation(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, self.origin.join(path).expect("url"))
            .header("cookie", &self.cookie)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
    }
}
