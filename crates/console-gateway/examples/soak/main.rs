//! Does a gateway hold for minutes? Before a real admin, with pages that live on its events, while the credential is
//! replaced and the way to the admin is cut all the time.
//!
//! `ADMIN_PYTHON=… cargo run -p console-gateway --example soak -- --seconds 300`
//!
//! It promises, and ends with an error when one does not hold:
//! - whatever happened, every event is fresh again within [`FRESH_WITHIN`] at every consumer;
//! - no consumer's stream ever ends;
//! - the admin has one stream to serve, and a second one only while it takes the place of the first;
//! - outside of outages every page is answered;
//! - memory does not grow ([`memory::MOST_GROWTH`]).

mod consumer;
mod memory;
#[path = "../../tests/support/real.rs"]
#[allow(dead_code, reason = "shared with the tests, which use the rest")]
mod real;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use console_core::{
    clock::SystemClock,
    environment::{Environment, EnvironmentDraft, EnvironmentId},
    secrets::Secrets,
    session::{Session, SessionState},
    sign_in::pasted_token,
    token::Identity,
    upstream::Reach,
};
use console_gateway::{Gateway, Upstream};
use console_testing::fault_proxy::{Break, Fault, FaultProxy, Moment};
use reqwest::{Client, header, redirect};
use serde_json::json;
use tokio::{sync::mpsc, time};

use crate::{
    consumer::{Consumer, Page},
    memory::Memory,
    real::RealAdmin,
};

const USAGE: &str = "usage: soak [--seconds N]   (at least 60; ADMIN_PYTHON names the Python of an admin)";
const FRESH_WITHIN: Duration = Duration::from_secs(10);
/// Time between one disturbance and the next: more than the five seconds of the admin's round, because Lilya 0.29 holds
/// the last event of a round back until the next begins.
const SLOT: Duration = Duration::from_secs(6);
/// What a request for the admin's live stream begins with.
const STREAM: &str = "GET /asyncmq/events ";
/// The gateway tries again after 0.5, 1.5 and 3.5 s, so what is left of its bound is for the admin and a busy machine.
const OUTAGE: Duration = Duration::from_secs(3);
/// After an outage a page may still meet a connection of before.
const SETTLING: Duration = Duration::from_secs(1);
/// Pages that stay open.
const CONSUMERS: usize = 5;
const PAGE_EVERY: Duration = Duration::from_millis(100);
const PAGES: [&str; 5] = ["/", "/queues", "/queues/emails/jobs?state=completed", "/workers", "/metrics"];

/// What is done to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    /// The session goes over to another token.
    NewToken,
    /// Every connection to the admin breaks.
    Cut,
    /// The same, and for a while there are no new ones.
    Outage,
    /// One page is closed, another opened.
    Reload,
}

impl Disturbance {
    fn of_slot(slot: u32) -> Self {
        match slot % 8 {
            2 => Self::Cut,
            4 => Self::Reload,
            6 => Self::Outage,
            _ => Self::NewToken,
        }
    }
}

/// How the pages fared that were asked for all the time.
#[derive(Default)]
struct Pages {
    answered: AtomicU64,
    during_outages: AtomicU64,
    lost: AtomicU64,
    is_outage: AtomicBool,
}

struct Soak {
    environment: Environment,
    session: Arc<Session>,
    proxy: FaultProxy,
    most_streams: usize,
    page: Page,
    pages: Arc<Pages>,
    consumers: Vec<Consumer>,
    memory: Memory,
    slowest: [(Disturbance, u32, Duration); 4],
    failures: Vec<String>,
    _gateway: Gateway,
    _admin: RealAdmin,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut soak = Soak::prepare().await?;
    let length = seconds()?;
    let began = Instant::now();
    let asking = tokio::spawn(ask_for_pages(soak.page.clone(), soak.pages.clone()));
    let mut slot = 0;
    while began.elapsed() < length {
        soak.disturb(Disturbance::of_slot(slot)).await?;
        slot += 1;
    }
    asking.abort();
    soak.conclude(began.elapsed());
    if soak.failures.is_empty() { Ok(()) } else { Err(soak.failures.join("\n").into()) }
}

fn seconds() -> Result<Duration, String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seconds = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Some(300),
        ["--seconds", number] => number.parse().ok(),
        _ => None,
    };
    seconds.filter(|seconds| *seconds >= 60).map(Duration::from_secs).ok_or_else(|| USAGE.into())
}

async fn ask_for_pages(page: Page, pages: Arc<Pages>) {
    for path in PAGES.iter().cycle() {
        let was_outage = pages.is_outage.load(Ordering::SeqCst);
        let request = page.get(&format!("/asyncmq{path}"));
        let request = request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
        let answered = match request.send().await {
            Ok(response) if response.status() == 200 => response.bytes().await.is_ok(),
            _ => false,
        };
        let is_outage = was_outage || pages.is_outage.load(Ordering::SeqCst);
        let count = match (answered, is_outage) {
            (true, _) => &pages.answered,
            (false, true) => &pages.during_outages,
            (false, false) => &pages.lost,
        };
        count.fetch_add(1, Ordering::SeqCst);
        time::sleep(PAGE_EVERY).await;
    }
}

impl Soak {
    async fn prepare() -> Result<Self, Box<dyn Error>> {
        let admin = RealAdmin::start(&json!({ "seed": "demo", "workers": true }));
        let proxy = FaultProxy::before(admin.host().parse()?).await?;
        let draft = EnvironmentDraft {
            name: "soak".into(),
            base_url: format!("http://{}/asyncmq", proxy.address()),
            tag: "SOAK".into(),
            allow_plain_http: true,
            ..EnvironmentDraft::default()
        };
        let checked = draft.check().map_err(|errors| format!("the draft is unsound: {errors:?}"))?;
        let environment = checked.into_environment(EnvironmentId::random()?);
        let session = Arc::new(Session::new(Arc::new(SystemClock)));
        let (reports, mut received) = mpsc::unbounded_channel();
        let reach = Reach::new(&environment, &Secrets::default())?;
        let up = Upstream { environment: environment.clone(), reach, session: session.clone() };
        let gateway = Gateway::start(up, reports).await?;
        tokio::spawn(async move { while received.recv().await.is_some() {} });

        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build()?;
        let entered = client.get(gateway.entry(None)?).send().await?;
        let cookie = entered.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok()?.split(';').next());
        let cookie = cookie.ok_or("the gateway let nobody in")?.to_owned();
        let origin = gateway.origin().as_str().trim_end_matches('/').to_owned();
        let mut soak = Self {
            environment,
            session,
            proxy,
            most_streams: 0,
            page: Page { client, origin, cookie },
            pages: Arc::default(),
            consumers: Vec::new(),
            memory: Memory::default(),
            slowest: [Disturbance::NewToken, Disturbance::Cut, Disturbance::Outage, Disturbance::Reload]
                .map(|kind| (kind, 0, Duration::ZERO)),
            failures: Vec::new(),
            _gateway: gateway,
            _admin: admin,
        };
        soak.sign_in()?;
        soak.open_pages().await?;
        Ok(soak)
    }

    /// As many as there should be.
    async fn open_pages(&mut self) -> Result<(), Box<dyn Error>> {
        while self.consumers.len() < CONSUMERS {
            self.consumers.push(Consumer::of(&self.page).await?);
        }
        Ok(())
    }

    fn sign_in(&self) -> Result<(), Box<dyn Error>> {
        // Tokens that are made within the same second would be the same without it.
        let token = real::token(&json!({ "jti": EnvironmentId::random()?.as_str() })).into();
        let identity = Identity::read(&token);
        self.session.activate(&pasted_token::attachment(&self.environment), &token, identity, 0)?;
        Ok(())
    }

    /// Does it, waits until all is well again, and for the rest of the slot.
    async fn disturb(&mut self, kind: Disturbance) -> Result<(), Box<dyn Error>> {
        let until = Instant::now() + SLOT;
        match kind {
            Disturbance::NewToken => self.sign_in()?,
            Disturbance::Reload => {
                self.consumers.rotate_left(1);
                self.consumers.pop();
                self.open_pages().await?;
            }
            Disturbance::Cut => {
                self.pages.is_outage.store(true, Ordering::SeqCst);
                self.proxy.cut_all();
            }
            Disturbance::Outage => {
                self.pages.is_outage.store(true, Ordering::SeqCst);
                self.proxy.set(Fault::At(Moment::Accepted, Break::Close)).await;
                self.proxy.cut_all();
                time::sleep(OUTAGE).await;
                self.proxy.set(Fault::None).await;
            }
        }
        let well = Instant::now();
        while !self.consumers.iter().all(|consumer| consumer.is_fresh_since(well)) {
            if well.elapsed() > FRESH_WITHIN {
                self.failures.push(format!("after {kind:?}: not every event was fresh within {FRESH_WITHIN:?}"));
                break;
            }
            self.watch(well);
            time::sleep(Duration::from_millis(20)).await;
        }
        for (known, count, slowest) in &mut self.slowest {
            if *known == kind {
                *count += 1;
                *slowest = well.elapsed().max(*slowest);
            }
        }
        while Instant::now() < until || well.elapsed() <= SETTLING {
            self.watch(well);
            time::sleep(Duration::from_millis(50)).await;
        }
        let streams = self.proxy.open(STREAM);
        if streams != 1 {
            self.failures.push(format!("after {kind:?}: {streams} upstream streams"));
        }
        let ended = self.consumers.iter().filter(|consumer| consumer.has_ended()).count();
        if ended > 0 {
            self.failures.push(format!("after {kind:?}: {ended} of {CONSUMERS} streams ended"));
            self.consumers.retain(|consumer| !consumer.has_ended());
            self.open_pages().await?;
        }
        Ok(())
    }

    /// Measures now and then. An outage is over for pages a moment after connections are possible again.
    fn watch(&mut self, well: Instant) {
        self.memory.sample();
        self.most_streams = self.most_streams.max(self.proxy.open(STREAM));
        if well.elapsed() > SETTLING {
            self.pages.is_outage.store(false, Ordering::SeqCst);
        }
    }

    fn conclude(&mut self, took: Duration) {
        println!("{} s before a real AsyncMQ 0.{}", took.as_secs(), real::release_line());
        for (kind, count, slowest) in self.slowest {
            println!("  {count:>4} × {kind:?}: every event fresh again after at most {:.1} s", slowest.as_secs_f64());
        }
        let heard: u64 = self.consumers.iter().map(Consumer::events).sum();
        let count = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let (answered, lost) = (count(&self.pages.answered), count(&self.pages.lost));
        println!("  {heard} events at the {} consumers that are open now", self.consumers.len());
        println!("  {answered} pages answered, {} not during outages, {lost} lost", count(&self.pages.during_outages));
        if lost > 0 || answered == 0 {
            self.failures.push(format!("{lost} pages were lost while the admin could be reached, {answered} answered"));
        }
        let (most, all) = (self.most_streams, self.proxy.requests(STREAM));
        println!("  {all} upstream streams, at most {most} at the same time");
        if most > 2 {
            self.failures.push(format!("{most} upstream streams at the same time"));
        }
        if !matches!(self.session.state(), SessionState::Active { .. }) {
            self.failures.push("the session has ended".into());
        }
        match self.memory.before_and_after() {
            None => println!("  memory: not measured on this system"),
            Some((before, after)) => {
                println!("  memory: {before} KiB after the warm-up, {after} KiB at the end");
                if after > before + memory::MOST_GROWTH {
                    self.failures.push(format!("memory grew by {} KiB", after - before));
                }
            }
        }
    }
}
