//! One round after the other: something happens, it is over, and all has to be well again.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use console_ipc::{Prompt, SessionView};
use tokio::{sync::watch, task::JoinHandle, time};

use crate::{
    consumer::{Consumer, EVENTS},
    ledger::{self, Fate},
    memory::Memory,
    schedule::{Disturbance, Schedule},
    webview::{self, Shared, enter},
    world::{World, eventually, is_lost, word},
};

/// The admin itself holds the last event of a round back for five seconds of these.
pub(crate) const FRESH_WITHIN: Duration = Duration::from_secs(10);
/// A renewal in this time opens another stream, whose first round the admin begins anew: then this counts from there.
const ONE_ROUND: Duration = Duration::from_secs(6);
const STREAM: &str = "GET /asyncmq/events ";
/// How long the session may take to be well again.
const WELL_WITHIN: Duration = Duration::from_secs(20);
/// The longest that an answer takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(80);
/// An admin remembers 2,000 actions: it ends before that.
const LONGEST_LIFE: usize = 1_200;
const SOURCES: usize = 3;

/// The run.
pub(crate) struct Soak {
    pub(crate) world: World,
    pub(crate) shared: Arc<Shared>,
    pub(crate) schedule: Schedule,
    pub(crate) sources: Vec<Consumer>,
    pub(crate) memory: Memory,
    pub(crate) rounds: BTreeMap<Disturbance, u64>,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// After a recovery each event name was fresh at every source after at most this long.
    pub(crate) slowest: BTreeMap<&'static str, Duration>,
    /// How often a renewal in between made it longer.
    pub(crate) restarted_rounds: u64,
    /// From a sign-out to the end of the last stream, at most.
    pub(crate) slowest_cut: Duration,
    pub(crate) carried_out: u64,
    pub(crate) dropped: u64,
    pub(crate) checks: u64,
    pub(crate) took: Duration,
    /// The longest that this process had to wait for its turn: what a busy machine adds to every figure.
    pub(crate) lag: watch::Receiver<Duration>,
    /// How often a dashboard was opened where it should have been.
    pub(crate) openings: u64,
    tasks: Vec<JoinHandle<()>>,
}

impl Soak {
    pub(crate) async fn begin(seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut world = World::begin().await?;
        let page = enter(world.entry_after(0).await?).await?;
        let shared = Shared::new(page);
        let (lags, lag) = watch::channel(Duration::ZERO);
        let tasks = vec![
            tokio::spawn(webview::read(shared.clone())),
            tokio::spawn(webview::act(shared.clone())),
            tokio::spawn(watch_session(shared.clone(), &world)),
            tokio::spawn(measure_lag(lags)),
        ];
        let mut soak = Self {
            world,
            shared,
            schedule: Schedule::of(seed),
            sources: Vec::new(),
            memory: Memory::default(),
            rounds: BTreeMap::new(),
            faults: BTreeMap::new(),
            slowest: BTreeMap::new(),
            restarted_rounds: 0,
            slowest_cut: Duration::ZERO,
            carried_out: 0,
            dropped: 0,
            checks: 0,
            took: Duration::ZERO,
            lag,
            openings: 1,
            tasks,
        };
        soak.open_sources().await?;
        Ok(soak)
    }

    pub(crate) async fn open_sources(&mut self) -> Result<(), Box<dyn Error>> {
        while self.sources.len() < SOURCES {
            self.sources.push(Consumer::of(&self.shared.page()).await?);
        }
        Ok(())
    }

    pub(crate) async fn run(&mut self, length: Duration) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        self.recover("the beginning").await?;
        let mut round = 0;
        while began.elapsed() < length {
            round += 1;
            let calm = self.schedule.seconds(1, 3);
            time::sleep(calm).await;
            let disturbance = match self.schedule.next() {
                _ if self.shared.ledger.len() > LONGEST_LIFE => Disturbance::AdminRestarts,
                disturbance => disturbance,
            };
            let what = self.disturb(disturbance).await?;
            *self.rounds.entry(disturbance).or_default() += 1;
            let what = format!("{disturbance} {what}").trim().to_owned();
            let took = self.recover(&what).await?;
            println!(
                "{:>5} s, round {round}: {what}: fresh after {:.1} s",
                began.elapsed().as_secs(),
                took.as_secs_f64()
            );
        }
        self.took = began.elapsed();
        Ok(())
    }

    /// Nothing is broken any more: waits until all is well, and checks that it is.
    async fn recover(&mut self, what: &str) -> Result<Duration, Box<dyn Error>> {
        let well = Instant::now();
        let mut stale = EVENTS.to_vec();
        let mut opened = (self.world.to_admin.requests(STREAM), well);
        while !stale.is_empty() && (well.elapsed() <= FRESH_WITHIN || opened.1.elapsed() <= ONE_ROUND) {
            let streams = self.world.to_admin.requests(STREAM);
            if streams != opened.0 {
                opened = (streams, Instant::now());
            }
            stale.retain(|name| {
                let is_fresh = self.sources.iter().all(|source| source.has_heard(name, well));
                if is_fresh {
                    let slowest = self.slowest.entry(name).or_default();
                    *slowest = well.elapsed().max(*slowest);
                }
                !is_fresh
            });
            self.memory.sample();
            time::sleep(Duration::from_millis(20)).await;
        }
        let took = well.elapsed();
        self.restarted_rounds += u64::from(took > FRESH_WITHIN);
        self.checks += 1;
        if !stale.is_empty() {
            let session = self.world.view()?.session;
            self.shared
                .fails(format!("after {what}: {stale:?} not fresh within {FRESH_WITHIN:?} ({})", word(&session)));
        }
        let active = |session: &SessionView| {
            matches!(session, SessionView::Active { .. } | SessionView::Renewing { waits: false, .. })
        };
        self.checks += 1;
        if !self.world.until(WELL_WITHIN, active).await {
            let view = self.world.view()?;
            return Err(format!("after {what}: the session does not come back: {}", word(&view.session)).into());
        }
        self.settle_held(what).await?;
        let ended = self.sources.iter().filter(|source| source.has_ended()).count();
        self.checks += 1;
        if ended > 0 {
            self.shared.fails(format!("after {what}: {ended} of {SOURCES} event sources ended"));
            self.sources.retain(|source| !source.has_ended());
            self.open_sources().await?;
        }
        self.checks += 1;
        if self.world.openings() != self.openings {
            self.openings = self.world.openings();
            return Err(format!("after {what}: the dashboard was opened anew: the page is lost").into());
        }
        self.world.hear();
        self.shared.weather.is_rough(false);
        Ok(took)
    }

    /// Says of every action that is held what becomes of it.
    pub(crate) async fn settle_held(&mut self, what: &str) -> Result<(), Box<dyn Error>> {
        let told = self.shared.ledger.held();
        let view = self.world.view()?;
        for number in told {
            let Some(held) = view.held.iter().find(|held| held.name.contains(&ledger::name(number))) else {
                self.shared.fails(format!("after {what}: action {number} was held, and is not there any more"));
                self.shared.ledger.tell(number, Fate::Dropped);
                continue;
            };
            let (workspace, id) = (&self.world.workspace, &self.world.id);
            if self.schedule.wants() {
                let confirmed = held.late || held.perhaps_done;
                let fate = match workspace.held_carry_out(id, &held.id, confirmed).await {
                    Ok(()) => Fate::CarriedOut,
                    Err(error) if self.is_held(number)? => {
                        println!("      action {number} waits on: {}", error.problem.title);
                        continue;
                    }
                    Err(_) => Fate::CarriedOutPerhaps,
                };
                self.carried_out += 1;
                self.shared.ledger.tell(number, fate);
            } else if workspace.held_drop(id, &held.id).await.is_ok() {
                self.dropped += 1;
                self.shared.ledger.tell(number, Fate::Dropped);
            }
        }
        Ok(())
    }

    fn is_held(&self, number: u64) -> Result<bool, Box<dyn Error>> {
        Ok(self.world.view()?.held.iter().any(|held| held.name.contains(&ledger::name(number))))
    }

    /// Compares everything that was asked of this admin with what its audit page names. No action is on its way meanwhile.
    pub(crate) async fn close_the_books(&mut self) -> Result<(), Box<dyn Error>> {
        self.shared.hands_off.store(true, Ordering::SeqCst);
        let shared = self.shared.clone();
        if eventually(ANSWERED_WITHIN, || !shared.is_anything_on_its_way()).await.is_none() {
            self.shared.fails("an action was not answered");
        }
        let began = Instant::now();
        while !self.shared.ledger.are_all_final() && began.elapsed() < WELL_WITHIN {
            self.settle_held("a life").await?;
            time::sleep(Duration::from_millis(50)).await;
        }
        let mut sum = 0;
        for hundred in self.shared.ledger.hundreds() {
            let counted = self.world.audit(hundred).await?;
            sum += counted.values().sum::<usize>();
            self.checks += 1;
            for wrong in self.shared.ledger.judge(hundred, &counted) {
                self.shared.fails(wrong);
            }
        }
        self.checks += 1;
        if !self.shared.ledger.are_all_final() {
            self.shared.fails("an action has no end");
        }
        self.shared.ledger.close(sum);
        Ok(())
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Nobody is asked to sign in unless the session has ended. Each time is said once.
fn watch_session(shared: Arc<Shared>, world: &World) -> impl Future<Output = ()> + use<> {
    let mut states = world.workspace.subscribe();
    async move {
        let mut was_lost = false;
        while states.changed().await.is_ok() {
            let state = states.borrow_and_update().clone();
            let lost = state.environments.iter().find(|view| is_lost(&view.session));
            let asks = state.prompts.iter().any(|prompt| matches!(prompt, Prompt::SignIn { .. }));
            let is_lost = (lost.is_some() || asks) && !shared.weather.may_end();
            if is_lost && !was_lost {
                let what = lost.map(|view| (word(&view.session), view.history.first().map(|entry| entry.text.clone())));
                shared.fails(format!("the operator has to sign in: {what:?}"));
            }
            was_lost = is_lost;
        }
    }
}

async fn measure_lag(lags: watch::Sender<Duration>) {
    const EVERY: Duration = Duration::from_millis(50);
    loop {
        let before = Instant::now();
        time::sleep(EVERY).await;
        let lag = before.elapsed().saturating_sub(EVERY);
        lags.send_if_modified(|most| {
            let is_more = lag > *most;
            *most = lag.max(*most);
            is_more
        });
    }
}
