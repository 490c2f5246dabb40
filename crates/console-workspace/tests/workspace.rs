//! What the workspace does with sessions, credentials and dashboards, without a window.
//!
//! The admin here is a scripted one that asks for any bearer token: what a real admin says is tested elsewhere.

use std::{
    collections::HashMap,
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use console_core::{
    clock::{Clock as _, SystemClock},
    profile::Profile,
    vault::{MemoryStore, SecretStore, Vault, VaultError},
    wake,
};
use console_ipc::{
    Accent, Cover, EnvironmentDraft, EnvironmentView, KeychainView, Method, Network, Prompt, ProtectionView,
    SaveOutcome, SessionView, SignInOutcome, StoredCredentialView,
};
use console_workspace::{StageOrder, StageReport, Workspace};
use jsonwebtoken::{EncodingKey, Header};
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::UnboundedReceiver,
    time,
};

async fn admin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let length = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
                let answer = if head.contains("authorization: bearer ") {
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                } else {
                    "HTTP/1.1 303 See Other\r\nLocation: /asyncmq/login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://{address}/asyncmq")
}

fn token(subject: &str) -> SecretString {
    let claims = json!({ "sub": subject, "iss": "https://id.example", "exp": SystemClock.now().0 + 600 });
    let key = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
    jsonwebtoken::encode(&Header::default(), &claims, &key).expect("signs").into()
}

fn typed(token: SecretString) -> HashMap<String, SecretString> {
    HashMap::from([("token".to_owned(), token)])
}

fn draft(base_url: &str) -> EnvironmentDraft {
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
        sign_in: Method::PastedToken,
        network: Network::default(),
        allow_token_copy: false,
        allow_plain_http: false,
        protection: ProtectionView::Open,
    }
}

struct Bench {
    folder: TempDir,
    keychain: Arc<MemoryStore>,
    workspace: Workspace,
    orders: UnboundedReceiver<StageOrder>,
    id: String,
}

impl Bench {
    async fn new(base_url: &str) -> Self {
        let keychain = Arc::new(MemoryStore::default());
        Self::with(base_url, Vault::with_store(keychain.clone()), keychain).await
    }

    async fn with(base_url: &str, vault: Vault, keychain: Arc<MemoryStore>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let (workspace, orders) = start(&folder, vault).await;
        let added = workspace.environment_add(draft(base_url)).await.expect("answers");
        let SaveOutcome::Saved { id } = added else { panic!("{added:?}") };
        Self { folder, keychain, workspace, orders, id }
    }

    async fn sign_in(&self, subject: &str) -> SignInOutcome {
        self.workspace.sign_in(&self.id, typed(token(subject))).await.expect("answers")
    }

    fn view(&self) -> EnvironmentView {
        self.workspace.state().environments.iter().find(|view| view.id == self.id).expect("there").clone()
    }

    /// The orders so far, without those that only show something.
    fn orders(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Ok(order) = self.orders.try_recv() {
            match order {
                StageOrder::Open { .. } => names.push("open"),
                StageOrder::Close { .. } => names.push("close"),
                StageOrder::Navigate { .. } => names.push("navigate"),
                StageOrder::Reload { .. } => names.push("reload"),
                StageOrder::OpenExternal { .. } => names.push("outside"),
                StageOrder::CopySecret { .. } => names.push("copy"),
                StageOrder::ShowAgain { .. } => names.push("show again"),
                StageOrder::Quit => names.push("quit"),
                StageOrder::Show { .. } => {}
            }
        }
        names
    }

    async fn restart(self) -> Self {
        let (workspace, orders) = start(&self.folder, Vault::with_store(self.keychain.clone())).await;
        Self { workspace, orders, ..self }
    }
}

async fn start(folder: &TempDir, vault: Vault) -> (Workspace, UnboundedReceiver<StageOrder>) {
    let clock = Arc::new(SystemClock);
    let downloads = folder.path().join("downloads");
    Workspace::with(Profile::below(folder.path()), vault, clock, wake::networks(), downloads).await
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = time::timeout(Duration::from_secs(10), async {
        while !holds() {
            time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test]
async fn signing_in_stores_the_token_and_opens_the_dashboard_and_signing_out_undoes_both() {
    let mut bench = Bench::new(&admin().await).await;
    assert_eq!(bench.sign_in("alice").await, SignInOutcome::SignedIn);
    assert!(matches!(bench.view().session, SessionView::Active { .. }));
    assert_eq!(bench.view().stored_credential, StoredCredentialView::Ready);
    assert_eq!(bench.orders(), ["open"]);
    assert_eq!(bench.keychain.keys().len(), 1);

    bench.workspace.sign_out(&bench.id, true).await.expect("signs out");
    assert_eq!(bench.view().session, SessionView::SignedOut { problem: None });
    assert_eq!(bench.view().stored_credential, StoredCredentialView::None);
    assert_eq!(bench.orders(), ["close"]);
    assert!(bench.keychain.keys().is_empty());
}

#[tokio::test]
async fn nobody_listens_on_the_port_of_a_dashboard_before_its_webview_is_gone() {
    let mut bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    bench.workspace.sign_out(&bench.id, true).await.expect("signs out");
    let (mut origin, mut port) = (None, None);
    while let Ok(order) = bench.orders.try_recv() {
        match order {
            StageOrder::Open { origin: opened, .. } => origin = Some(opened),
            StageOrder::Close { port: held, .. } => port = Some(held),
            _ => {}
        }
    }
    let address = origin.expect("was opened").socket_addrs(|| None).expect("an address")[0];
    let listen = async || TcpListener::bind(address).await.map(drop).map_err(|error| error.kind());
    assert_eq!(listen().await, Err(ErrorKind::AddrInUse));
    // Nobody answers there either.
    let mut page = TcpStream::connect(address).await.expect("the port is taken");
    page.write_all(b"GET /asyncmq/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.expect("writes");
    assert_eq!(page.try_read(&mut [0; 1]).expect_err("nothing to read").kind(), ErrorKind::WouldBlock);

    port.take().expect("was closed");
    assert!(!page.read(&mut [0; 1]).await.is_ok_and(|length| length > 0), "ended without an answer");
    time::timeout(Duration::from_secs(10), async {
        while listen().await.is_err() {
            time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the port is free");
}

#[tokio::test]
async fn a_restart_signs_in_from_the_keychain_but_not_after_a_sign_out_that_kept_the_token() {
    let bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    let mut bench = bench.restart().await;
    until("signed in again", || matches!(bench.view().session, SessionView::Active { .. })).await;
    until("the dashboard opens", || bench.orders() == ["open"]).await;
    bench.workspace.sign_out(&bench.id, false).await.expect("signs out");
    let bench = bench.restart().await;
    until("the token is there", || bench.view().stored_credential == StoredCredentialView::Ready).await;
    assert!(matches!(bench.view().session, SessionView::SignedOut { .. }));
    assert_eq!(bench.workspace.sign_in_with_stored(&bench.id).await, Ok(SignInOutcome::SignedIn));
}

#[tokio::test]
async fn an_edited_address_never_takes_the_credential_along_unasked() {
    let (first, second) = (admin().await, admin().await);
    let mut bench = Bench::new(&first).await;
    bench.sign_in("alice").await;
    bench.orders();
    let report = bench.workspace.environment_check(draft(&second), Some(bench.id.clone())).await.expect("answers");
    assert!(report.moves_credential, "the editor warns");
    bench.workspace.environment_update(&bench.id, draft(&second)).await.expect("saves");
    assert_eq!(bench.orders(), ["close"]);
    assert_eq!(bench.view().stored_credential, StoredCredentialView::Moved { from: first, to: second });
    assert!(matches!(bench.view().session, SessionView::SignedOut { .. }));
    let unasked = bench.workspace.sign_in_with_stored(&bench.id).await.expect("answers");
    assert!(matches!(unasked, SignInOutcome::Rejected { .. }), "{unasked:?}");
    bench.workspace.stored_credential_confirm(&bench.id).await.expect("confirms");
    assert!(matches!(bench.view().session, SessionView::Active { .. }));
}

#[tokio::test]
async fn the_same_operator_goes_on_and_another_gets_a_dashboard_of_their_own() {
    let mut bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    assert_eq!(bench.orders(), ["open"]);
    bench.sign_in("alice").await;
    assert!(bench.orders().is_empty(), "the page stays as it is");
    bench.sign_in("bob").await;
    assert_eq!(bench.orders(), ["close", "open"]);
}

#[tokio::test]
async fn a_failed_sign_in_leaves_the_session_as_it_was() {
    let bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    let before = bench.view();
    let outcome = bench.workspace.sign_in(&bench.id, typed("two words".to_owned().into())).await;
    assert!(matches!(outcome, Ok(SignInOutcome::Rejected { .. })));
    assert_eq!(bench.view().session, before.session);
}

#[tokio::test]
async fn an_opaque_token_asks_first_and_is_not_stored_before() {
    let bench = Bench::new(&admin().await).await;
    let outcome = bench.workspace.sign_in(&bench.id, typed("opaque".to_owned().into())).await.expect("answers");
    let SignInOutcome::NeedsConfirmation { attempt, findings, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(findings[0].code, "opaque");
    assert!(bench.keychain.keys().is_empty());
    assert_eq!(bench.workspace.sign_in_confirm(&bench.id, &attempt).await, Ok(SignInOutcome::SignedIn));
    let SessionView::Active { expires_at, .. } = bench.view().session else { panic!("not active") };
    assert_eq!(expires_at, None, "expiry unknown");
}

/// A vault over `keychain` that is there once the switch is on.
fn appearing(keychain: &Arc<MemoryStore>) -> (Arc<AtomicBool>, Vault) {
    let there = Arc::new(AtomicBool::new(false));
    let (look, store) = (there.clone(), keychain.clone());
    let vault = Vault::opened_by(move || {
        if look.load(Ordering::SeqCst) {
            Ok(store.clone() as Arc<dyn SecretStore>)
        } else {
            Err(VaultError::Unavailable { reason: "no bus".into() })
        }
    });
    (there, vault)
}

#[tokio::test]
async fn a_keychain_that_appears_is_picked_up_by_itself_and_signs_in_with_what_it_holds() {
    // An earlier run stored a token.
    let bench = Bench::new(&admin().await).await;
    assert_eq!(bench.sign_in("alice").await, SignInOutcome::SignedIn);
    let (there, vault) = appearing(&bench.keychain);
    let folder = bench.folder;
    let (workspace, _orders) = start(&folder, vault).await;
    until("it is said that there is none", || workspace.state().keychain != KeychainView::Available).await;
    there.store(true, Ordering::SeqCst);
    until("it is there", || workspace.state().keychain == KeychainView::Available).await;
    until("signed in", || matches!(workspace.state().environments[0].session, SessionView::Active { .. })).await;
}

#[tokio::test]
async fn without_a_keychain_nothing_is_kept_until_the_operator_agrees() {
    let keychain = Arc::new(MemoryStore::default());
    let (there, vault) = appearing(&keychain);
    let bench = Bench::with(&admin().await, vault, keychain).await;
    let outcome = bench.sign_in("alice").await;
    assert!(matches!(outcome, SignInOutcome::Rejected { problem, .. } if problem.code == "no_keychain"));
    assert!(matches!(bench.view().session, SessionView::SignedOut { .. }));
    bench.workspace.keychain_use_memory().await.expect("agrees");
    let state = bench.workspace.state();
    assert!(matches!(state.keychain, KeychainView::Unavailable { memory_allowed: true, .. }));
    assert_eq!(bench.sign_in("alice").await, SignInOutcome::SignedIn);
    assert!(bench.keychain.keys().is_empty(), "only in memory");
    there.store(true, Ordering::SeqCst);
    bench.workspace.keychain_retry().await.expect("looks");
    assert_eq!(bench.workspace.state().keychain, KeychainView::Available);
}

#[tokio::test]
async fn a_click_opens_one_link_outside_and_anything_else_asks_once_naming_the_host() {
    let mut bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    bench.orders();
    let report = |url: &str, by_gesture| StageReport::OutsideLink {
        environment: bench.id.parse().expect("id"),
        url: url.parse().expect("url"),
        by_gesture,
    };
    let reports = [
        report("https://docs.example/", true),
        report("https://again.example/", true),
        report("https://script.example/x", false),
        report("file:///etc/passwd", true),
        report("https://user:secret@host.example/", true),
    ];
    for report in reports {
        bench.workspace.report(report);
    }
    assert_eq!(bench.orders(), ["outside"], "one at a time");
    let prompts = bench.workspace.state().prompts.clone();
    let [Prompt::OpenExternal { id, host, .. }] = prompts.as_slice() else { panic!("{prompts:?}") };
    assert_eq!(host, "again.example");
    bench.workspace.external_link_answer(id, false).await.expect("answers");
    assert!(bench.orders().is_empty() && bench.workspace.state().prompts.is_empty());
}

#[tokio::test]
async fn a_dashboard_without_a_session_is_covered_whatever_the_shell_says() {
    let mut bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    bench.workspace.stage_cover(Cover::None).await.expect("covers");
    let mut last = None;
    while let Ok(order) = bench.orders.try_recv() {
        last = Some(order);
    }
    assert!(matches!(last, Some(StageOrder::Show { environment: Some(_), cover: Cover::None })));
    bench.workspace.sign_in_open(&bench.id).await.expect("opens");
    bench.workspace.sign_out(&bench.id, true).await.expect("signs out");
    while let Ok(order) = bench.orders.try_recv() {
        last = Some(order);
    }
    assert!(matches!(last, Some(StageOrder::Show { environment: None, cover: Cover::Full })), "{last:?}");
    assert_eq!(bench.workspace.state().prompts.len(), 1, "the sign-in that was asked for still waits");
}

#[tokio::test]
async fn removing_an_environment_removes_its_token() {
    let mut bench = Bench::new(&admin().await).await;
    bench.sign_in("alice").await;
    bench.orders();
    bench.workspace.environment_remove(&bench.id).await.expect("removes");
    assert_eq!(bench.orders(), ["close"]);
    assert!(bench.keychain.keys().is_empty());
    assert!(bench.workspace.state().environments.is_empty());
}
