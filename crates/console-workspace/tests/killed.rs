//! SIGKILL in the middle of a rotation: real admin, real issuer whose refresh tokens work once, real keyring.
//!
//! One window no client can close: the issuer has rotated, and its answer is still on its way when the process dies. Then
//! only an issuer that takes the old token once more can help; many do for such a case (Okta's grace period, Auth0's overlap
//! period). The issuer here does and says so (`again`), so that these kills are told from all others.
#![cfg(target_os = "linux")]

#[path = "../../console-core/tests/support/mod.rs"]
mod processes;
mod support;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use console_core::{clock::SystemClock, profile::Profile, sign_in::token_endpoint::TokenEndpoint, vault::Vault, wake};
use console_ipc::{EnvironmentDraft, Method, SaveOutcome, SessionView, SignInOutcome};
use console_testing::Server;
use console_workspace::{StageOrder, Workspace};
use fastrand::Rng;
use processes::{Reporter, Session, child, end_with_parent, report, role};
use serde_json::{Value, json};
use support::{Bench, Page, draft};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const KILLS: usize = 16;
const NAMESPACE: &str = "dev.asyncmq.console.test.killed";
const SETTINGS: &str = "CONSOLE_TEST_SETTINGS";
const ALICE: [(&str, &str); 2] = [("user", "alice"), ("password", "canary-password")];
/// Longer than any child takes to come up again.
const REUSE_GRACE: i64 = 120;

/// Tokens live five seconds, and are renewed two or three before their end.
fn issuer(reuse_grace: i64) -> Server {
    let alice = json!([{ "id": "alice", "password": "canary-password", "name": "Alice" }]);
    Server::issuer(&json!({ "users": alice, "lifetime": 5, "reuse_grace": reuse_grace }))
}

fn environment(settings: &Value) -> EnvironmentDraft {
    let text = |key: &str| settings[key].as_str().expect("given").to_owned();
    let endpoint =
        TokenEndpoint { url: text("token_url"), refresh_url: text("refresh_url"), ..TokenEndpoint::default() };
    draft(&text("base_url"), Method::TokenEndpoint(endpoint))
}

#[test]
fn child_process() {
    match role().as_deref() {
        None => {}
        Some("ready") => keyring_is_ready(),
        Some("console") => console(),
        Some(other) => panic!("no role `{other}`"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

fn keyring_is_ready() {
    let (runtime, vault) = (runtime(), Vault::platform(NAMESPACE));
    processes::until("the keyring", || runtime.block_on(vault.status()) == console_core::vault::VaultStatus::Available);
}

/// A console without its window, until it is killed. It says what becomes of its session, and signs in once only: where
/// there is no environment yet.
fn console() {
    end_with_parent();
    let settings: Value = std::env::var(SETTINGS).expect("settings").parse().expect("JSON");
    let folder = PathBuf::from(settings["folder"].as_str().expect("given"));
    runtime().block_on(async {
        let vault = Vault::platform(NAMESPACE);
        let (clock, networks, downloads) = (Arc::new(SystemClock), wake::networks(), folder.join("downloads"));
        let (workspace, mut orders) = Workspace::with(Profile::below(&folder), vault, clock, networks, downloads).await;
        if workspace.state().environments.is_empty() {
            let added = workspace.environment_add(environment(&settings)).await.expect("answers");
            let SaveOutcome::Saved { id } = added else { panic!("{added:?}") };
            let answers: HashMap<_, _> = ALICE.map(|(name, value)| (name.to_owned(), value.into())).into();
            assert_eq!(workspace.sign_in(&id, answers).await.expect("answers"), SignInOutcome::SignedIn);
        }
        tokio::spawn(say_session(workspace.clone()));
        while let Some(order) = orders.recv().await {
            if let StageOrder::Open { entry, .. } = order {
                let (page, to) = Page::enter(entry).await;
                report(&format!("page {}", page.get(to.path()).await.status().as_u16()));
            }
        }
    });
}

async fn say_session(workspace: Workspace) {
    let mut states = workspace.subscribe();
    let mut last = String::new();
    loop {
        let said = match &states.borrow_and_update().environments[0].session {
            SessionView::Active { expires_at, .. } => Some(format!("token {}", expires_at.expect("it ends"))),
            SessionView::Expired { .. } | SessionView::Refused { .. } => Some("lost".to_owned()),
            SessionView::SignedOut { problem: Some(problem) } => Some(format!("lost {}", problem.title)),
            _ => None,
        };
        if let Some(said) = said.filter(|said| *said != last) {
            report(&said);
            last = said;
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// What a child said so far.
#[derive(Default)]
struct Said {
    /// The end of the newest token that it used, in milliseconds since the epoch.
    newest: f64,
    tokens: usize,
    page: bool,
}

impl Said {
    fn read(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("token", end)) => {
                self.newest = end.parse().expect("a number");
                self.tokens += 1;
            }
            Some(("page", status)) => self.page = status == "200",
            _ => panic!("the sign-in is lost: {line}"),
        }
    }
}

fn is_refresh(event: &Value) -> bool {
    event["event"] == "issued" && event["grant"] == "refresh"
}

#[test]
fn a_console_that_is_killed_in_the_middle_of_a_rotation_comes_back_without_a_sign_in() {
    let seed = std::env::var("KILL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("KILL_SEED={seed}");
    let mut chance = Rng::with_seed(seed);
    let session = Session::new();
    let (_bus, _keyring) = (session.start_bus(), session.start_keyring());
    assert!(session.enter(&mut child("ready")).status().expect("starts").success(), "the keyring is ready");
    let (admin, issuer) = (Server::admin(&json!({})), issuer(REUSE_GRACE));
    let settings = json!({
        "folder": session.folder().join("console"),
        "base_url": admin.text("base_url"),
        "token_url": issuer.text("token_url"),
        "refresh_url": issuer.text("refresh_url"),
    });

    // What the kills met: the newest token in use, or kept and not used yet, or its answer still on the way.
    let (mut renewals, mut in_use, mut kept, mut on_the_way) = (0, 0, 0, 0);
    let mut last = Left::InUse;
    for kill in 0..=KILLS {
        let mut command = child("console");
        let console = Reporter::start(session.enter(&mut command).env(SETTINGS, settings.to_string()));
        let mut said = Said::default();
        while said.tokens == 0 || !said.page {
            said.read(&console.next());
        }
        let mut events = issuer.events();
        let by_password = events.iter().filter(|event| event["event"] == "issued" && event["grant"] == "password");
        assert_eq!(by_password.count(), usize::from(kill == 0), "kill {kill}: signed in by password");
        // In the last life the next rotation tells what the last kill left.
        match if kill == KILLS { 0 } else { kill % 4 } {
            // When the issuer has rotated, and says so before it answers.
            0 => events.push(issuer.event("a refresh", is_refresh)),
            // A little later: the answer is on its way, or being stored, or used already.
            1 => {
                events.push(issuer.event("a refresh", is_refresh));
                std::thread::sleep(Duration::from_micros(chance.u64(..20_000)));
            }
            // When the console has told of it.
            2 => {
                let tokens = said.tokens;
                while said.tokens == tokens {
                    said.read(&console.next());
                }
            }
            _ => std::thread::sleep(Duration::from_millis(chance.u64(..3_000))),
        }
        for line in console.kill() {
            said.read(&line);
        }
        events.extend(settled(&issuer));
        let refreshes: Vec<_> = events.iter().filter(|event| is_refresh(event)).collect();
        let (Some(first), Some(newest)) = (refreshes.first(), refreshes.last()) else { continue };
        renewals += refreshes.len();
        let again = refreshes.iter().filter(|event| event["again"] == true).count();
        assert!(
            again <= usize::from(first["again"] == true),
            "kill {kill}: a refresh token was used twice in one life"
        );
        match (last, again) {
            (Left::InUse, 0) => in_use += 1,
            (Left::InUse, _) => panic!("kill {kill}: a token was in use whose refresh token was not in the keychain"),
            (Left::Unknown, 0) => kept += 1,
            (Left::Unknown, _) => on_the_way += 1,
        }
        let newest = newest["expires_at"].as_f64().expect("a number") * 1_000.0;
        last = if said.newest >= newest { Left::InUse } else { Left::Unknown };
    }
    let refused = issuer.events().iter().filter(|event| event["event"] == "refused").count();
    println!(
        "{KILLS} kills, {renewals} renewals. The newest token was in use before {in_use} of the kills that were followed by \
         a renewal; it was kept, not used yet, before {kept}; it was still on its way, and asked for again, after \
         {on_the_way}"
    );
    assert_eq!(refused, 0);
    assert!(kept + on_the_way > 0, "some kill came between the rotation and the use of what it gave");
    assert!(in_use > 1, "some kill came after the use");
}

/// What a kill left, as far as the console had told.
#[derive(Clone, Copy)]
enum Left {
    /// The newest token was in use.
    InUse,
    /// It was not: kept, or on its way.
    Unknown,
}

/// What the issuer had still to say when its client was gone: it is asked for a token itself, and answers in sequence.
fn settled(issuer: &Server) -> Vec<Value> {
    let mut events = Vec::new();
    let url: url::Url = issuer.text("token_url").parse().expect("url");
    let mut stream = std::net::TcpStream::connect(url.socket_addrs(|| None).expect("address")[0]).expect("connects");
    let head =
        format!("POST /token HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", url.authority());
    std::io::Write::write_all(&mut stream, head.as_bytes()).expect("writes");
    let marker = |event: &Value| event["event"] == "asked" && event["grant"] == "password";
    let until = Instant::now() + processes::PATIENCE;
    while !events.iter().any(marker) {
        assert!(Instant::now() < until, "the issuer answers");
        events.extend(issuer.events());
        std::thread::sleep(Duration::from_millis(5));
    }
    events
}

/// What was seen on the way to the issuer and to the admin.
#[derive(Default)]
struct Seen {
    /// The refresh token that came with an access token, for those that a refresh gave.
    pairs: HashMap<String, String>,
    /// Access tokens in the sequence in which the admin saw them first; whether the keychain held what came with it then.
    first_uses: Vec<(String, bool)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_refresh_token_is_in_the_keychain_before_the_admin_sees_what_came_with_it() {
    let (admin, issuer) = (Server::admin(&json!({})), issuer(0));
    let seen = Arc::new(Mutex::new(Seen::default()));
    let keychain = Arc::new(Mutex::new(None::<Arc<console_core::vault::MemoryStore>>));
    let to_issuer = {
        let seen = seen.clone();
        tap(issuer.text("refresh_url"), |_| {}, move |answer| note_pair(&mut seen.lock().expect("whole"), answer)).await
    };
    let to_admin = {
        let (seen, keychain) = (seen.clone(), keychain.clone());
        let note = move |request: &[u8]| {
            let kept = keychain.lock().expect("whole").as_deref().map(support::text_of).unwrap_or_default();
            note_use(&mut seen.lock().expect("whole"), request, &kept);
        };
        tap(admin.text("base_url"), note, |_| {}).await
    };
    let settings = json!({
        "base_url": format!("http://{to_admin}/asyncmq"),
        "token_url": format!("http://{to_issuer}/token"),
        "refresh_url": format!("http://{to_issuer}/refresh"),
    });
    let mut bench = Bench::new(environment(&settings)).await;
    *keychain.lock().expect("whole") = Some(bench.keychain.clone());
    let page = bench.enters(&ALICE).await;
    // A sign-in is tried at the admin before it is kept; what follows is about renewals.
    *seen.lock().expect("whole") = Seen::default();
    for _ in 0..4 {
        issuer.event("a refresh", is_refresh);
        let used = seen.lock().expect("whole").first_uses.len();
        let enough = || seen.lock().expect("whole").first_uses.len() > used;
        while !enough() {
            assert_eq!(page.get("/asyncmq/health").await.status(), 200);
        }
    }
    let kept: Vec<_> = seen.lock().expect("whole").first_uses.iter().map(|(_, was_kept)| *was_kept).collect();
    assert!(kept.len() >= 4 && kept.iter().all(|was_kept| *was_kept), "{kept:?}");
}

fn note_pair(seen: &mut Seen, answer: &[u8]) {
    let text = String::from_utf8_lossy(answer);
    let body = text.rsplit_once("\r\n\r\n").map_or(&*text, |(_, body)| body);
    if let Ok(answer) = serde_json::from_str::<Value>(body)
        && let (Some(access), Some(refresh)) = (answer["access_token"].as_str(), answer["refresh_token"].as_str())
    {
        seen.pairs.insert(access.to_owned(), refresh.to_owned());
    }
}

fn note_use(seen: &mut Seen, request: &[u8], kept: &str) {
    let text = String::from_utf8_lossy(request);
    let value = text.lines().find_map(|line| line.split_once("earer ")).map(|(_, token)| token.trim().to_owned());
    let Some(access) = value else { return };
    let Some(refresh) = seen.pairs.get(&access) else { return };
    let was_kept = kept.contains(refresh);
    if !seen.first_uses.iter().any(|(known, _)| *known == access) {
        seen.first_uses.push((access, was_kept));
    }
}

/// A way to a server on which every piece is looked at before it is passed on. (A head leaves reqwest, and a body uvicorn,
/// in one piece.)
async fn tap(
    server: &str,
    ask: impl Fn(&[u8]) + Clone + Send + 'static,
    answer: impl Fn(&[u8]) + Clone + Send + 'static,
) -> std::net::SocketAddr {
    let url: url::Url = server.parse().expect("url");
    let server = url.socket_addrs(|| None).expect("address")[0];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (ask, answer) = (ask.clone(), answer.clone());
            tokio::spawn(async move {
                let server = TcpStream::connect(server).await.expect("connects");
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::join!(pass(from_client, to_server, ask), pass(from_server, to_client, answer));
            });
        }
    });
    address
}

async fn pass(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf, look: impl Fn(&[u8])) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        look(&bytes[..length]);
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
