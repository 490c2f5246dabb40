//! One gateway: what it is made of, and what its owner can ask of it.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use console_core::{
    clock::UnixTime,
    environment::{Environment, Protection},
    session::{Generation, Session},
    third_party::ThirdParty,
    upstream::{Outcome, Reach, Unreachable},
};
use secrecy::SecretString;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
};
use url::Url;

use crate::{
    admit::{ENTRY_PATH, Origin},
    carry_out,
    denials::Denials,
    events::EventHub,
    held::{CarriedOut, Held, HeldError, HeldId, HeldWrite},
    interrupted::Interrupted,
    jar::Jar,
    pace::Pace,
    payload, recovery,
    rewrite::Rewriter,
    route, server,
    static_files::StaticFiles,
    third_party::{Blocked, ThirdPartyPolicy},
    ticket::Guard,
    waiting,
};

/// The remote admin, as a gateway sees it.
#[derive(Clone)]
pub struct Upstream {
    /// What the operator said about it.
    pub environment: Environment,
    /// The way to it.
    pub reach: Reach,
    /// Where authorisation comes from and refusals go.
    pub session: Arc<Session>,
}

/// What a gateway tells its owner. The session's own changes are heard from the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayEvent {
    /// A page asked for the login page. `next` is a path inside the realm.
    SignInRequested {
        /// Where to go afterwards.
        next: Option<String>,
    },
    /// A page asked to sign out; nothing was done.
    SignOutRequested,
    /// A locked environment refused a write; nothing was sent.
    WriteLocked,
    /// The admin answered a write with an error. A page's script may not have looked.
    WriteRefused {
        /// What it would have done: "Retry job 7f3a in emails".
        name: String,
        /// The status of the answer, 400 or more.
        status: u16,
    },
    /// A write met an ended session, and was not held.
    WriteNotDone {
        /// Whether it is certain that nothing was done.
        surely: bool,
    },
    /// The remote side answers, but something in between is wrong.
    Impaired(Outcome),
    /// The live updates stand still since then, although the admin can be reached.
    Stalled {
        /// When the last byte came.
        since: UnixTime,
    },
    /// The live updates were cut off: one of their events is larger than any that is held.
    OversizedEvents,
    /// The remote side answers as it should (again).
    Fine,
    /// What is held has changed: see [`Gateway::held`].
    Held,
    /// How many actions are on their way has changed: see [`Gateway::on_their_way`].
    OnTheirWay,
    /// A page was kept from loading something, for the first time.
    Blocked(Blocked),
    /// A navigation was answered so that the page stays, which may still wait for its end.
    PageStays,
}

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port on loopback.
    #[error("no port on 127.0.0.1 can be listened on: {0}")]
    Listen(#[from] io::Error),
    /// No randomness.
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// What an answer of the admin says about what is in between. Whether it can be reached is the session's to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    Impaired(Outcome),
}

/// What is wrong in between: found by different steps, reported as one.
struct Between {
    impaired: Option<Outcome>,
    /// Since when the live updates stand still. That pages are answered does not change it.
    stalled: Option<UnixTime>,
    /// The live updates are too large to be held.
    oversized: bool,
    reported: GatewayEvent,
}

/// What every request of a gateway shares.
pub(crate) struct Shared {
    pub(crate) upstream: Upstream,
    pub(crate) origin: Origin,
    pub(crate) guard: Guard,
    pub(crate) jar: Jar,
    pub(crate) rewriter: Rewriter,
    pub(crate) static_files: StaticFiles,
    pub(crate) third_parties: ThirdPartyPolicy,
    pub(crate) events: EventHub,
    pub(crate) locked: AtomicBool,
    pub(crate) denied: AtomicU64,
    pub(crate) denials: Denials,
    pub(crate) failures: AtomicU32,
    /// Counts the answers of the admin.
    answers: AtomicU64,
    pub(crate) closed: watch::Sender<bool>,
    pub(crate) held: Held,
    pub(crate) on_their_way: AtomicUsize,
    pub(crate) interrupted: Interrupted,
    /// What bodies of requests on their way may keep in memory, in bytes.
    pub(crate) room: Arc<Semaphore>,
    /// Places for waiting pages.
    pub(crate) waiting: Arc<Semaphore>,
    /// The page that the webview shows is the dashboard's, not one of the gateway's own.
    pub(crate) dashboard_on_screen: AtomicBool,
    pub(crate) pace: Pace,
    /// The operator wants it tried now.
    pub(crate) try_now: watch::Sender<()>,
    /// Somebody doubts that the admin can be reached: `recovery.rs` asks.
    pub(crate) doubts: watch::Sender<()>,
    between: Mutex<Between>,
    reports: mpsc::UnboundedSender<GatewayEvent>,
}

impl Shared {
    pub(crate) fn report(&self, event: GatewayEvent) {
        // The owner is gone only while everything ends.
        let _ = self.reports.send(event);
    }

    /// What an answer said about what is in between.
    pub(crate) fn trouble(&self, now: Trouble) {
        self.between(|between| {
            between.impaired = match now {
                Trouble::None => None,
                Trouble::Impaired(outcome) => Some(outcome),
            }
        });
    }

    /// The live updates stand still since then; `None`: they do not.
    pub(crate) fn stalled(&self, since: Option<UnixTime>) {
        self.between(|between| between.stalled = since);
    }

    /// The live updates have events that are too large to be held, or do not (any more).
    pub(crate) fn oversized(&self, now: bool) {
        self.between(|between| between.oversized = now);
    }

    /// Reports a change of what is in between, once.
    fn between(&self, change: impl FnOnce(&mut Between)) {
        let mut between = self.between.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut between);
        let event = match (&between.impaired, between.stalled) {
            (Some(outcome), _) => GatewayEvent::Impaired(outcome.clone()),
            (None, _) if between.oversized => GatewayEvent::OversizedEvents,
            (None, Some(since)) => GatewayEvent::Stalled { since },
            (None, None) => GatewayEvent::Fine,
        };
        if between.reported != event {
            between.reported = event.clone();
            self.report(event);
        }
    }

    /// The admin was not reached with the credential of `generation`.
    pub(crate) fn unreachable(&self, generation: Generation, why: &Unreachable) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.upstream.session.unreachable(generation, why);
    }

    /// The admin answered, whatever it said.
    pub(crate) fn reached(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
        self.failures.store(0, Ordering::Relaxed);
        self.upstream.session.reached();
    }

    /// How often the admin has answered. Once it has answered again, it is late news that something asked before failed.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    /// How long an answer may take to begin once the request was sent whole. (`WKWebView` gives up after 60 s by itself.)
    pub(crate) fn first_byte(&self) -> Duration {
        self.pace.first_byte.unwrap_or_else(|| self.upstream.reach.first_byte())
    }

    /// Whether the last thing heard was that the admin takes us for another origin.
    pub(crate) fn is_rejecting_actions(&self) -> bool {
        let between = self.between.lock().unwrap_or_else(PoisonError::into_inner);
        between.impaired == Some(Outcome::CrossOriginRejected)
    }

    pub(crate) fn host(&self) -> &str {
        self.upstream.environment.base_url.as_url().host_str().unwrap_or_default()
    }
}

/// A running gateway. Dropping it ends the listener and every connection.
pub struct Gateway {
    shared: Arc<Shared>,
    port: Port,
}

/// The port of a gateway. Nobody else can listen there until the gateway is closed and every clone of this is dropped: a page
/// that still lives would talk to them.
#[derive(Debug, Clone)]
pub struct Port(Arc<TcpListener>);

impl PartialEq for Port {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Gateway {
    /// Listens on a free port of 127.0.0.1 and serves until dropped. What happens is sent to `reports`.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(upstream: Upstream, reports: mpsc::UnboundedSender<GatewayEvent>) -> Result<Self, StartError> {
        Self::start_at(Pace::default(), upstream, reports).await
    }

    /// The same at a pace of its own: tests cannot wait for minutes.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_at(
        pace: Pace,
        upstream: Upstream,
        reports: mpsc::UnboundedSender<GatewayEvent>,
    ) -> Result<Self, StartError> {
        let listener = Arc::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let host = listener.local_addr()?.to_string();
        let shared = Arc::new(Shared {
            origin: Origin { text: format!("http://{host}"), host },
            guard: Guard::new()?,
            jar: Jar::default(),
            rewriter: Rewriter::new(upstream.environment.base_url.as_url()),
            static_files: StaticFiles::default(),
            third_parties: ThirdPartyPolicy::default(),
            events: EventHub::new(),
            locked: AtomicBool::new(upstream.environment.protection == Protection::Locked),
            denied: AtomicU64::new(0),
            denials: Denials::default(),
            failures: AtomicU32::new(0),
            answers: AtomicU64::new(0),
            closed: watch::Sender::new(false),
            held: Held::default(),
            on_their_way: AtomicUsize::new(0),
            interrupted: Interrupted::default(),
            room: Arc::new(payload::room()),
            waiting: Arc::new(waiting::places()),
            dashboard_on_screen: AtomicBool::new(false),
            pace,
            try_now: watch::Sender::new(()),
            doubts: watch::Sender::new(()),
            between: Mutex::new(Between {
                impaired: None,
                stalled: None,
                oversized: false,
                reported: GatewayEvent::Fine,
            }),
            reports,
            upstream,
        });
        tokio::spawn(server::serve(listener.clone(), shared.clone()));
        tokio::spawn(recovery::watch(shared.clone()));
        Ok(Self { shared, port: Port(listener) })
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> Url {
        self.shared.origin.text.parse().expect("an IPv4 address and a port are a valid origin")
    }

    /// An address that lets one webview in, once, within seconds, and leads it to `path_and_query` (below the mount
    /// prefix, query included); `None` leads to the dashboard's first page.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn entry(&self, path_and_query: Option<&str>) -> Result<Url, getrandom::Error> {
        let home = format!("{}/", self.shared.upstream.environment.base_url.prefix());
        let target = route::on_this_host(path_and_query.unwrap_or(&home));
        let ticket = self.shared.guard.issue(&target, Instant::now())?;
        let mut url = self.origin();
        url.set_path(&format!("{ENTRY_PATH}{ticket}"));
        Ok(url)
    }

    /// Where a dashboard that stays has to be led back to after a sign-in, taken out: joined to the gateway's origin it
    /// stays there. `None` for a page that waits in the gateway: it goes on by itself.
    pub fn take_return_path(&self) -> Option<String> {
        self.shared.interrupted.take_lost()
    }

    /// Where the interrupted page was, taken out, even if it waits: for a dashboard that is opened anew.
    pub fn take_interrupted_path(&self) -> Option<String> {
        self.shared.interrupted.take()
    }

    /// The writes that wait for the operator's word, oldest first. [`GatewayEvent::Held`] says when they have changed.
    pub fn held(&self) -> Vec<HeldWrite> {
        self.shared.held.all()
    }

    /// How many actions of pages wait for a renewal, or were sent and have not been answered; the held ones are not among
    /// them. [`GatewayEvent::OnTheirWay`] says when that has changed.
    pub fn on_their_way(&self) -> usize {
        self.shared.on_their_way.load(Ordering::SeqCst)
    }

    /// Sends a held write, once, with the credential of now, if that is the credential of the operator who asked for it.
    /// The future borrows nothing; once it has begun, the write is sent and settled even if the future is dropped.
    ///
    /// # Errors
    /// [`HeldError`], which says whether it is still held.
    pub fn carry_out(&self, id: HeldId) -> impl Future<Output = Result<CarriedOut, HeldError>> + Send + use<> {
        carry_out::carry_out(id, self.shared.clone())
    }

    /// Drops a held write; its name, to be said. `None`: it is not held, or on its way.
    pub fn drop_held(&self, id: HeldId) -> Option<String> {
        let name = self.shared.held.drop_one(id)?;
        self.shared.report(GatewayEvent::Held);
        Some(name)
    }

    /// Drops every held write; their names, to be said.
    #[must_use = "nothing is dropped silently"]
    pub fn drop_all_held(&self) -> Vec<String> {
        let names = self.shared.held.drop_all();
        if !names.is_empty() {
            self.shared.report(GatewayEvent::Held);
        }
        names
    }

    /// Sets what passes.
    pub fn protect(&self, protection: Protection) {
        self.shared.locked.store(protection == Protection::Locked, Ordering::SeqCst);
    }

    /// From the next page on, pages may load from these besides the admin; until then, and else, from nobody.
    pub fn allow<'a>(&self, third_parties: impl Iterator<Item = &'a ThirdParty>) {
        self.shared.third_parties.allow(third_parties);
    }

    /// Forgets everything that belongs to an operator: cookies, static files, last events, return path, held writes; ends every stream.
    /// The names of the writes that were dropped, to be said.
    #[must_use = "nothing is dropped silently"]
    pub fn forget_operator(&self) -> Vec<String> {
        self.shared.jar.clear();
        self.shared.static_files.clear();
        self.shared.events.cut();
        let _ = self.take_interrupted_path();
        self.shared.held.close()
    }

    /// The upstream's cookies as they are now: a sign-out tells the admin with them.
    pub fn cookies(&self) -> Vec<(String, SecretString)> {
        self.shared.jar.all(&self.shared.upstream.environment.base_url.join("/"))
    }

    /// Tries an unreachable admin now instead of after the back-off, and opens the live stream anew. After sleep and a change
    /// of network call [`Reach::reconnect`] first.
    pub fn try_now(&self) {
        self.shared.try_now.send_replace(());
    }

    /// Ends every connection and answers none any more. The port stays taken while what is returned is kept.
    pub fn close(self) -> Port {
        self.port.clone()
    }

    /// How many requests were not admitted.
    pub fn denied(&self) -> u64 {
        self.shared.denied.load(Ordering::Relaxed)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shared.events.cut();
        self.shared.closed.send_replace(true);
    }
}
