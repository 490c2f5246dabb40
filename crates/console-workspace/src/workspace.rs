//! The workspace itself: what it holds, how it starts, and how its state is published.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use console_core::{
    chance::{Chance, RealChance},
    clock::{Clock, SystemClock},
    command_line::CommandLine,
    environment::EnvironmentId,
    environment_file::EnvironmentFile,
    profile::{Profile, ProfileError},
    realm::BaseUrl,
    secrets::Secrets,
    session::{Session, SessionState},
    tunnel::Tunnel,
    vault::Vault,
    wake,
};
use console_ipc::{CommandError, Cover, Folders, KeychainView, Notice, Problem, Prompt, ShellState};
use tokio::{
    sync::{Notify, mpsc, watch},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{StageOrder, station::Station, words};

/// How a workspace starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// The namespace of this run; `None` is the operator's own.
    pub profile: Option<String>,
    /// Where downloads go.
    pub downloads: PathBuf,
}

/// Why a workspace did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No folders.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// What waits to be read at most: more would be a flood, and nobody has read the oldest for long.
const MOST_NOTICES: usize = 100;
/// How long the end of the program waits for a sign-out: a keychain, and others who hear of it.
const LAST_WORDS: Duration = Duration::from_secs(20);
/// How often expiry is looked at, at the least.
const LOOK_AT_EXPIRY: Duration = Duration::from_secs(15);

pub(crate) struct Inner {
    pub(crate) file: EnvironmentFile,
    pub(crate) settings_problem: Option<Problem>,
    pub(crate) stations: HashMap<EnvironmentId, Station>,
    pub(crate) selected: Option<EnvironmentId>,
    pub(crate) cover: Cover,
    pub(crate) keychain: KeychainView,
    /// Whether a keychain could be opened when it was last looked at; one that is locked can be.
    pub(crate) keychain_opens: bool,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) notices: Vec<Notice>,
    /// What the operator approved in this run.
    pub(crate) approved: HashMap<EnvironmentId, Secrets>,
    next_id: u64,
}

impl Inner {
    pub(crate) fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        self.next_id.to_string()
    }

    pub(crate) fn notify(&mut self, kind: &str, text: String, environment: Option<&EnvironmentId>) {
        let id = self.fresh_id();
        if self.notices.len() == MOST_NOTICES {
            self.notices.remove(0);
        }
        self.notices.push(Notice {
            id,
            kind: kind.to_owned(),
            text,
            environment: environment.map(ToString::to_string),
        });
    }
}

pub(crate) struct Core {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) profile: Profile,
    pub(crate) vault: Vault,
    pub(crate) folders: Folders,
    inner: Mutex<Inner>,
    published: watch::Sender<Arc<ShellState>>,
    orders: mpsc::UnboundedSender<StageOrder>,
    /// Counts sign-ins and credentials of the whole run: a number is never of two environments, or of one before and after
    /// it was edited.
    runs: AtomicU64,
    turns: Mutex<HashMap<EnvironmentId, Arc<Turns>>>,
    /// Sign-outs under way, and other sides that are being told of one.
    pub(crate) farewells: TaskTracker,
    /// No command is started any more.
    pub(crate) ending: CancellationToken,
}

/// Who may do what with an environment's secrets: one at a time. Taken in this order.
#[derive(Default)]
pub(crate) struct Turns {
    /// Renewing: a refresh token is used once.
    pub(crate) renewal: tokio::sync::Mutex<()>,
    /// Looking whether it is still wanted, and writing the vault: nothing is stored after a sign-out.
    pub(crate) vault: tokio::sync::Mutex<()>,
    /// Starting a tunnel; the one that runs.
    pub(crate) tunnel: tokio::sync::Mutex<Option<RunningTunnel>>,
}

/// A tunnel that runs as long as somebody uses it.
pub(crate) struct RunningTunnel {
    pub(crate) command: CommandLine,
    pub(crate) base_url: BaseUrl,
    pub(crate) tunnel: Weak<Tunnel>,
}

/// All environments of one run. Cheap to clone.
#[derive(Clone)]
pub struct Workspace {
    pub(crate) core: Arc<Core>,
}

impl Workspace {
    /// Reads the environments, restores the sessions that the keychain holds, and puts the first environment on stage.
    /// Needs a tokio runtime. The receiver gets what the window has to do.
    ///
    /// # Errors
    /// [`StartError`] when the user has no folders; anything else is shown in the window.
    pub async fn start(options: Options) -> Result<(Self, mpsc::UnboundedReceiver<StageOrder>), StartError> {
        let profile = Profile::named(options.profile.as_deref())?;
        let vault = Vault::platform(&profile.vault_namespace());
        Ok(Self::with(profile, vault, Arc::new(SystemClock), wake::networks(), options.downloads).await)
    }

    /// The same with everything given, for tests.
    pub async fn with(
        profile: Profile,
        vault: Vault,
        clock: Arc<dyn Clock>,
        networks: watch::Receiver<()>,
        downloads: PathBuf,
    ) -> (Self, mpsc::UnboundedReceiver<StageOrder>) {
        let (file, error) = EnvironmentFile::open(&profile.environments_file());
        let folders = Folders {
            settings: profile.environments_file().display().to_string(),
            logs: profile.log_dir().display().to_string(),
            downloads: downloads.display().to_string(),
        };
        let inner = Inner {
            selected: file.list().first().map(|environment| environment.id.clone()),
            file,
            settings_problem: error.map(|error| words::settings_left_alone(&error)),
            stations: HashMap::new(),
            cover: Cover::None,
            keychain: KeychainView::Available,
            keychain_opens: true,
            prompts: Vec::new(),
            notices: Vec::new(),
            approved: HashMap::new(),
            next_id: 0,
        };
        let (orders, receiver) = mpsc::unbounded_channel();
        let core = Core {
            clock,
            chance: Arc::new(RealChance),
            profile,
            vault,
            folders,
            published: watch::Sender::new(Arc::new(empty_state())),
            inner: Mutex::new(inner),
            orders,
            runs: AtomicU64::new(0),
            turns: Mutex::default(),
            farewells: TaskTracker::new(),
            ending: CancellationToken::new(),
        };
        let workspace = Self { core: Arc::new(core) };
        let environments = workspace.inner().file.list().to_vec();
        for environment in environments {
            workspace.add_station(environment);
        }
        workspace.publish();
        workspace.watch_for_wake(networks);
        let starting = workspace.clone();
        tokio::spawn(async move {
            starting.look_at_keychain().await;
            starting.restore_all().await;
            starting.watch_for_keychain().await;
        });
        (workspace, receiver)
    }

    /// What the shell shows now.
    pub fn state(&self) -> Arc<ShellState> {
        self.core.published.borrow().clone()
    }

    /// Hears of every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<ShellState>> {
        self.core.published.subscribe()
    }

    /// Where things are stored.
    pub fn folders(&self) -> &Folders {
        &self.core.folders
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.core.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no sign-in and no credential of this run has had.
    pub(crate) fn fresh_run(&self) -> u64 {
        self.core.runs.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn turns(&self, id: &EnvironmentId) -> Arc<Turns> {
        let mut turns = self.core.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(id.clone()).or_default().clone()
    }

    /// Ends what would outlive the program, the commands of tunnels; a sign-out comes to its end before.
    pub async fn end(&self) {
        self.core.farewells.close();
        if time::timeout(LAST_WORDS, self.core.farewells.wait()).await.is_err() {
            tracing::warn!("the console ends before a sign-out was stored, or told to the other side");
        }
        // Whoever starts a tunnel gives way.
        self.core.ending.cancel();
        let turns: Vec<_> = self.core.turns.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for turn in turns {
            if let Some(tunnel) = turn.tunnel.lock().await.take().and_then(|running| running.tunnel.upgrade()) {
                tunnel.end().await;
            }
        }
    }

    pub(crate) fn order(&self, order: StageOrder) {
        // The stage is gone only while everything ends.
        let _ = self.core.orders.send(order);
    }

    /// Publishes the state, and tells the stage what to show.
    pub(crate) fn publish(&self) {
        let inner = self.inner();
        let has_keychain = inner.keychain == KeychainView::Available;
        let now = self.core.clock.now();
        let state = ShellState {
            environments: inner
                .file
                .list()
                .iter()
                .filter_map(|environment| inner.stations.get(&environment.id))
                .map(|station| station.view(has_keychain, now))
                .collect(),
            selected: inner.selected.as_ref().map(ToString::to_string),
            keychain: inner.keychain.clone(),
            settings_problem: inner.settings_problem.clone(),
            prompts: inner.prompts.clone(),
            notices: inner.notices.clone(),
            folders: self.core.folders.clone(),
            profile: self.core.profile.name().map(str::to_owned),
        };
        let on_stage = inner.selected.clone().filter(|id| inner.stations.get(id).is_some_and(|s| s.gateway.is_some()));
        let active = on_stage
            .as_ref()
            .and_then(|id| inner.stations.get(id))
            .is_some_and(|station| station.session.state().goes_on());
        // Whatever the shell says: a dashboard without a session stays under the sign-in panel.
        let cover = if active { inner.cover } else { Cover::Full };
        self.order(StageOrder::Show { environment: on_stage, cover });
        // Sent under the lock, so that states are published in the order in which they came to be.
        self.core.published.send_if_modified(|published| {
            let changed = **published != state;
            *published = Arc::new(state);
            changed
        });
    }

    /// Changes an environment's station and publishes; `None` when it is gone.
    pub(crate) fn change<T>(&self, id: &EnvironmentId, change: impl FnOnce(&mut Station) -> T) -> Option<T> {
        let result = self.inner().stations.get_mut(id).map(change);
        self.publish();
        result
    }

    /// The station of `id`, read.
    pub(crate) fn read<T>(&self, id: &EnvironmentId, read: impl FnOnce(&Station) -> T) -> Result<T, CommandError> {
        self.inner().stations.get(id).map(read).ok_or_else(gone)
    }

    /// The id that a command named.
    pub(crate) fn id(&self, text: &str) -> Result<EnvironmentId, CommandError> {
        let id = text.parse().map_err(|_| gone())?;
        if self.inner().stations.contains_key(&id) { Ok(id) } else { Err(gone()) }
    }

    /// Makes the run-time part of an environment and watches its session.
    pub(crate) fn add_station(&self, environment: console_core::environment::Environment) {
        let id = environment.id.clone();
        let station = Station::new(environment, self.core.clock.clone(), self.fresh_run());
        let (session, look) = (station.session.clone(), station.look.clone());
        self.inner().stations.insert(id.clone(), station);
        tokio::spawn(self.clone().watch_session(id, session, look));
    }

    async fn watch_session(self, id: EnvironmentId, session: Arc<Session>, look: Arc<Notify>) {
        let mut changes = session.subscribe();
        let weak = Arc::downgrade(&session);
        drop(session);
        let mut was_away = false;
        loop {
            let Some(session) = weak.upgrade() else { return };
            let left = session.expire_if_due().and_then(|seconds| u64::try_from(seconds).ok());
            drop(session);
            let renewal = self.renew_if_due(&id);
            let left = [left, renewal].into_iter().flatten().min();
            let wait = left.map_or(LOOK_AT_EXPIRY, |seconds| Duration::from_secs(seconds.max(1)).min(LOOK_AT_EXPIRY));
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => {
                        let state = changes.borrow_and_update().clone();
                        tracing::info!(environment = %id, state = name_of(&state), "session");
                        self.publish();
                        was_away |= matches!(state, SessionState::Unreachable { .. });
                        if matches!(state, SessionState::Active { .. }) && std::mem::take(&mut was_away) {
                            self.lead_on(&id);
                            // A computer that woke could not compare the clocks before.
                            tokio::spawn(self.clone().measure(id.clone()));
                        }
                    }
                    Err(_) => return,
                },
                () = look.notified() => {}
                () = time::sleep(wait) => {}
            }
        }
    }
}

pub(crate) fn gone() -> CommandError {
    CommandError { problem: words::no_such_environment() }
}

fn name_of(state: &SessionState) -> &'static str {
    match state {
        SessionState::SignedOut => "signed out",
        SessionState::SigningIn => "signing in",
        SessionState::Active { .. } => "active",
        SessionState::Renewing { .. } => "renewing",
        SessionState::Unreachable { .. } => "unreachable",
        SessionState::Expired { .. } => "expired",
        SessionState::Refused { .. } => "refused",
    }
}

fn empty_state() -> ShellState {
    ShellState {
        environments: Vec::new(),
        selected: None,
        keychain: KeychainView::Available,
        settings_problem: None,
        prompts: Vec::new(),
        notices: Vec::new(),
        folders: Folders { settings: String::new(), logs: String::new(), downloads: String::new() },
        profile: None,
    }
}
