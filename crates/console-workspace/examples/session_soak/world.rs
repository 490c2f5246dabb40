//! What does the console live among here? A real admin and a real issuer, each behind a way that breaks.

use std::{
    collections::BTreeMap,
    error::Error,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use console_core::sign_in::token_endpoint::TokenEndpoint;
use console_ipc::{EnvironmentView, Method, Problem, SessionView, SignInOutcome};
use console_testing::{Server, fault_proxy::FaultProxy, token};
use console_workspace::{StageOrder, Workspace};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{sync::watch, task, time};
use url::Url;

use crate::{
    ledger,
    support::{Bench, MovedClock, draft},
};

/// How long a token lives, in seconds. It is renewed two or three seconds before its end, and the live stream with it: any
/// shorter, and the admin would hardly come to the end of a round.
const LIFETIME: i64 = 12;
/// In this many seconds the issuer gives a lost answer once more: without that no client can keep a sign-in whose rotated
/// refresh token was lost on its way.
const REUSE_GRACE: i64 = 120;
const ALICE: [(&str, &str); 2] = [("user", "alice"), ("password", "canary-password")];
/// How long what is waited for may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything outside of the webview.
pub(crate) struct World {
    pub(crate) workspace: Workspace,
    pub(crate) id: String,
    pub(crate) clock: Arc<MovedClock>,
    pub(crate) to_admin: FaultProxy,
    pub(crate) to_issuer: FaultProxy,
    admin: Option<Server>,
    issuer: Server,
    /// What the issuer said, by event and grant.
    pub(crate) said: BTreeMap<String, u64>,
    /// Where the dashboard was opened, and how often.
    opened: watch::Receiver<(u64, Option<Url>)>,
    client: Client,
    _folder: tempfile::TempDir,
}

fn address(url: &str) -> Result<SocketAddr, Box<dyn Error>> {
    let url: Url = url.parse()?;
    Ok((url.socket_addrs(|| None)?).first().copied().ok_or("no address")?)
}

fn by_way_of(proxy: &FaultProxy, url: &str) -> Result<String, Box<dyn Error>> {
    Ok(url.replacen(&address(url)?.to_string(), &proxy.address().to_string(), 1))
}

impl World {
    /// Starts it, with the operator signed in.
    pub(crate) async fn begin() -> Result<Self, Box<dyn Error>> {
        let admin = task::spawn_blocking(|| Server::admin(&json!({}))).await?;
        let alice = json!([{ "id": "alice", "password": "canary-password", "name": "Alice" }]);
        let configuration = json!({ "users": alice, "lifetime": LIFETIME, "reuse_grace": REUSE_GRACE });
        let issuer = task::spawn_blocking(move || Server::issuer(&configuration)).await?;
        let to_admin = FaultProxy::before(address(admin.text("base_url"))?).await?;
        let to_issuer = FaultProxy::before(address(issuer.text("token_url"))?).await?;
        let settings = TokenEndpoint {
            url: by_way_of(&to_issuer, issuer.text("token_url"))?,
            refresh_url: by_way_of(&to_issuer, issuer.text("refresh_url"))?,
            ..TokenEndpoint::default()
        };
        let environment = draft(&by_way_of(&to_admin, admin.text("base_url"))?, Method::TokenEndpoint(settings));
        let clock = Arc::new(MovedClock::default());
        let Bench { folder, workspace, mut orders, id, .. } = Bench::by_clock(environment, clock.clone()).await;
        let (opens, opened) = watch::channel((0, None));
        tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                if let StageOrder::Open { entry, .. } = order {
                    opens.send_modify(|opened| *opened = (opened.0 + 1, Some(entry)));
                }
            }
        });
        let client = Client::builder().no_proxy().build()?;
        let world = Self {
            workspace,
            id,
            clock,
            to_admin,
            to_issuer,
            admin: Some(admin),
            issuer,
            said: BTreeMap::new(),
            opened,
            client,
            _folder: folder,
        };
        world.sign_in().await?;
        Ok(world)
    }

    pub(crate) fn view(&self) -> Result<EnvironmentView, Box<dyn Error>> {
        let state = self.workspace.state();
        Ok(state.environments.iter().find(|view| view.id == self.id).ok_or("the environment is gone")?.clone())
    }

    pub(crate) async fn sign_in(&self) -> Result<(), Box<dyn Error>> {
        let answers = ALICE.map(|(name, value)| (name.to_owned(), value.into())).into();
        match self.workspace.sign_in(&self.id, answers).await {
            Ok(SignInOutcome::SignedIn) => Ok(()),
            other => Err(format!("signing in: {other:?}").into()),
        }
    }

    /// How often a dashboard was opened.
    pub(crate) fn openings(&self) -> u64 {
        self.opened.borrow().0
    }

    /// The entry of a dashboard that was opened after so many.
    pub(crate) async fn entry_after(&mut self, openings: u64) -> Result<Url, Box<dyn Error>> {
        let opened = time::timeout(PATIENCE, self.opened.wait_for(|opened| opened.0 > openings)).await??;
        opened.1.clone().ok_or_else(|| "no entry".into())
    }

    /// Waits until the session is so; false when that took longer than `within`.
    pub(crate) async fn until(&self, within: Duration, holds: impl Fn(&SessionView) -> bool) -> bool {
        let mut states = self.workspace.subscribe();
        let seen =
            states.wait_for(|state| state.environments.iter().any(|view| view.id == self.id && holds(&view.session)));
        time::timeout(within, seen).await.is_ok_and(|seen| seen.is_ok())
    }

    /// What the issuer does with refresh tokens from now on.
    pub(crate) fn issuer_is(&mut self, mode: &str) {
        self.issuer.tell(&json!({ "refresh_mode": mode }));
        self.hear_until(|event| event["event"] == "mode_changed");
    }

    /// Whether the issuer knows the operator.
    pub(crate) fn issuer_knows_alice(&mut self, knows: bool) {
        self.issuer.tell(&json!({ "user": { "id": "alice", "is_active": knows } }));
        self.hear_until(|event| event["event"] == "user_changed");
    }

    fn hear_until(&mut self, fits: impl Fn(&Value) -> bool) {
        let heard = std::cell::Cell::new(Vec::new());
        self.issuer.event("the change", |event| {
            let mut all = heard.take();
            all.push(event.clone());
            heard.set(all);
            fits(event)
        });
        for event in heard.into_inner() {
            self.note(&event);
        }
    }

    /// Takes in what the servers have said.
    pub(crate) fn hear(&mut self) {
        for event in self.issuer.events() {
            self.note(&event);
        }
        if let Some(admin) = &self.admin {
            admin.events();
        }
        self.to_admin.forget_requests();
    }

    fn note(&mut self, event: &Value) {
        let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let why = if event["why"].is_string() { format!(": {}", word("why")) } else { String::new() };
        *self.said.entry(format!("{} {}{why}", word("event"), word("grant")).trim().to_owned()).or_default() += 1;
    }

    pub(crate) fn heard(&self, what: &str) -> u64 {
        self.said.get(what).copied().unwrap_or_default()
    }

    /// How often the admin's audit page names each action of a hundred. Asked of the admin itself.
    pub(crate) async fn audit(&self, number: u64) -> Result<BTreeMap<u64, usize>, Box<dyn Error>> {
        let admin = self.admin.as_ref().ok_or("there is no admin")?;
        let url = format!("{}/audit?limit=500&q={}", admin.text("base_url"), ledger::hundred(number));
        let answer = self.client.get(url).bearer_auth(token(60, &json!({}))).send().await?.error_for_status()?;
        let text = answer.text().await?;
        let (_, rows) = text.split_once("<tbody").ok_or("the audit page has no table")?;
        let mut counted = BTreeMap::new();
        for number in ledger::named_in(rows) {
            *counted.entry(number).or_default() += 1;
        }
        Ok(counted)
    }

    /// Kills the admin's process.
    pub(crate) async fn kill_admin(&mut self) -> Result<u16, Box<dyn Error>> {
        let admin = self.admin.take().ok_or("there is no admin")?;
        let port = address(admin.text("base_url"))?.port();
        task::spawn_blocking(move || admin.kill()).await?;
        Ok(port)
    }

    pub(crate) async fn start_admin(&mut self, port: u16) -> Result<(), Box<dyn Error>> {
        self.admin = Some(task::spawn_blocking(move || Server::admin(&json!({ "port": port }))).await?);
        Ok(())
    }
}

/// A session for a line of the log.
pub(crate) fn word(session: &SessionView) -> String {
    match session {
        SessionView::SignedOut { problem } => format!("signed out, {}", title(problem.as_ref())),
        SessionView::SigningIn { .. } => "signing in".into(),
        SessionView::Active { .. } => "active".into(),
        SessionView::Renewing { waits, .. } => format!("renewing, waits: {waits}"),
        SessionView::Unreachable { problem, .. } => format!("unreachable, {}", title(Some(problem))),
        SessionView::Expired { problem, .. } => format!("expired, {}", title(problem.as_ref())),
        SessionView::Refused { problem, .. } => format!("refused, {}", title(Some(problem))),
    }
}

fn title(problem: Option<&Problem>) -> String {
    problem.map_or_else(|| "no problem".into(), |problem| format!("{} ({})", problem.title, problem.detail))
}

/// Whether the session waits for the operator.
pub(crate) fn is_lost(session: &SessionView) -> bool {
    !matches!(session, SessionView::Active { .. } | SessionView::Renewing { .. } | SessionView::Unreachable { .. })
}

/// A moment that is waited for, with what it took.
pub(crate) async fn eventually(within: Duration, mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > within {
            return None;
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    Some(began.elapsed())
}
