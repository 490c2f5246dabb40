//! What becomes of the session and its stream when the way to a real admin breaks? `cargo xtask test` sets `ADMIN_PYTHON`.

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use console_core::{
    clock::UnixTime,
    secrets::Secrets,
    session::SessionState,
    upstream::{Reach, UnreachableKind},
};
use console_gateway::Pace;
use console_testing::{
    Server,
    fault_proxy::{
        Break::{Close, FinishAnswer, FinishRequest, Reset, Stall},
        Fault, FaultProxy,
        Moment::{Accepted, Asked, Body, Head},
    },
};
use futures_util::future::join_all;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};
use support::{
    Bench, Consumer, environment,
    faulty::{FRESH_WITHIN, Faulty, STREAM, until},
    real::RealAdmin,
};
use tokio::time;

/// The state's reason and since when.
fn outage(state: &SessionState) -> (UnixTime, UnreachableKind) {
    match state {
        SessionState::Unreachable { since, why, .. } => (*since, why.kind),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whatever_breaks_the_page_stays_connected_and_everything_is_fresh_soon_after() {
    let admin = RealAdmin::start(&json!({}));
    let faults = [
        // Everything is cut, and what happens to the next connections; the outage is known.
        (Fault::Refuse, true),
        (Fault::At(Accepted, Reset), true),
        (Fault::At(Accepted, Close), true),
        (Fault::At(Asked, Reset), true),
        (Fault::At(Asked, Close), true),
        (Fault::At(Head(0), Reset), true),
        (Fault::At(Head(20), Close), true),
        // It hangs, or is too short to tell.
        (Fault::None, false),
        (Fault::At(Accepted, Stall), false),
        (Fault::At(Asked, Stall), false),
        (Fault::At(Head(30), Stall), false),
        (Fault::At(Body(0), Reset), false),
        (Fault::At(Body(0), Close), false),
        (Fault::At(Body(100), FinishAnswer), false),
        (Fault::At(Body(100), FinishRequest), false),
        (Fault::Trickle { bytes: 40, every: Duration::from_millis(20) }, false),
    ];
    let all = faults.map(async |(fault, is_outage)| {
        let faulty = Faulty::before(&admin).await;
        let mut page = faulty.page().await;
        faulty.proxy.set(fault).await;
        faulty.proxy.cut_all();
        if is_outage {
            faulty.is_unreachable().await;
        }
        // The outage itself; nothing is waited for.
        time::sleep(Duration::from_secs(4)).await;
        if is_outage {
            assert!(matches!(faulty.bench.session.state(), SessionState::Unreachable { .. }), "{fault:?}");
        }
        faulty.proxy.set(Fault::None).await;
        assert_eq!(page.misses_of_a_round(FRESH_WITHIN).await, None, "after {fault:?}");
        faulty.is_active().await;
        until("one stream is left", Duration::from_secs(3), || faulty.proxy.open(STREAM) == 1).await;
    });
    join_all(all).await;
}

#[tokio::test]
async fn a_stall_in_the_middle_of_the_stream_loses_nothing() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let mut page = faulty.page().await;
    faulty.proxy.set(Fault::At(Body(0), Stall)).await;
    // More than one of the admin's intervals, less than the silence that is said.
    time::sleep(Duration::from_secs(7)).await;
    faulty.proxy.set(Fault::None).await;
    page.hears_a_round(FRESH_WITHIN).await;
    assert_eq!(faulty.proxy.requests(STREAM), 1, "the stream was never given up");
}

#[tokio::test]
async fn a_black_hole_is_found_out_and_nothing_that_vanished_in_it_is_waited_for() {
    let admin = RealAdmin::start(&json!({}));
    let pace = Pace {
        stalled_after: Duration::from_secs(6),
        given_up_after: Duration::from_mins(1),
        patience: Duration::from_secs(2),
        ..Pace::default()
    };
    let faulty = Faulty::at(pace, &admin).await;
    let mut page = faulty.page().await;
    faulty.proxy.set(Fault::BlackHole).await;
    let state = faulty.is_unreachable().await;
    assert_eq!(outage(&state).1, UnreachableKind::TimedOut);
    faulty.proxy.set(Fault::None).await;
    page.hears_a_round(FRESH_WITHIN).await;
    faulty.is_active().await;
}

#[tokio::test]
async fn an_outage_says_since_when_and_why_and_ends_by_itself_without_any_page() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    faulty.proxy.set(Fault::Refuse).await;
    assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 502);
    assert_eq!(outage(&faulty.bench.session.state()), (UnixTime(1_000), UnreachableKind::Connect));
    faulty.bench.clock.advance(60);
    time::sleep(Duration::from_secs(4)).await;
    assert_eq!(outage(&faulty.bench.session.state()).0, UnixTime(1_000), "since the beginning, not the last attempt");
    faulty.proxy.set(Fault::None).await;
    faulty.is_active().await;
    assert_eq!(faulty.proxy.requests(STREAM), 0, "nobody has a page open");
    assert!(faulty.proxy.requests("GET /asyncmq/health ") >= 1);
}

#[tokio::test]
async fn a_question_that_fails_is_late_news_where_a_page_was_answered_meanwhile() {
    const QUESTION: &str = "GET /asyncmq/health ";
    let admin = RealAdmin::start(&json!({}));
    // The admin's stream is silent for five seconds at a time: that is doubted, and asked about.
    let rare = Duration::from_hours(1);
    let pace = Pace { stalled_after: Duration::from_secs(1), patience: rare, first_wait: rare, ..Pace::default() };
    let faulty = Faulty::at(pace, &admin).await;
    let states = faulty.bench.session.subscribe();
    faulty.proxy.set_for(QUESTION, Fault::At(Asked, Stall)).await;
    let page = Consumer::of(&faulty.bench).await;
    until("it is asked", FRESH_WITHIN, || faulty.proxy.open(QUESTION) > 0).await;
    assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
    faulty.proxy.cut_all();
    until("the question has failed", FRESH_WITHIN, || faulty.proxy.open(QUESTION) == 0).await;
    assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
    assert!(!states.has_changed().expect("the session is there"), "{:?}", faulty.bench.session.history());
    drop(page);
}

#[tokio::test]
async fn an_admin_that_is_away_is_asked_by_one_only() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let page = faulty.page().await;
    faulty.proxy.set(Fault::At(Accepted, Reset)).await;
    faulty.proxy.cut_all();
    faulty.is_unreachable().await;
    let before = faulty.proxy.accepted();
    time::sleep(Duration::from_secs(6)).await;
    // After 0.5, 1.5, 3.5 and 6.5 s, with up to a quarter less.
    let asked = faulty.proxy.accepted() - before;
    assert!((2..=5).contains(&asked), "{asked} attempts within six seconds");
    drop(page);
}

#[tokio::test]
async fn the_operator_need_not_wait_for_the_next_attempt() {
    let admin = RealAdmin::start(&json!({}));
    let rare = Duration::from_hours(1);
    let pace = Pace { first_wait: rare, short_wait: rare, ..Pace::default() };
    let faulty = Faulty::at(pace, &admin).await;
    let mut page = faulty.page().await;
    faulty.proxy.set(Fault::Refuse).await;
    faulty.proxy.cut_all();
    assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 502);
    faulty.proxy.set(Fault::None).await;
    faulty.bench.gateway.try_now();
    page.hears_a_round(Duration::from_secs(7)).await;
    faulty.is_active().await;
}

#[tokio::test]
async fn an_admin_that_was_killed_and_started_again_is_back_on_every_page() {
    let admin = RealAdmin::start(&json!({}));
    let port: u16 = admin.host().split(':').next_back().expect("a port").parse().expect("a number");
    let faulty = Faulty::before(&admin).await;
    let (mut first, mut second, mut third) = tokio::join!(faulty.page(), faulty.page(), faulty.page());
    assert_eq!(faulty.proxy.requests(STREAM), 1, "one upstream stream for all");
    drop(admin);
    faulty.is_unreachable().await;
    let _admin = RealAdmin::start(&json!({ "port": port }));
    tokio::join!(
        first.hears_a_round(FRESH_WITHIN),
        second.hears_a_round(FRESH_WITHIN),
        third.hears_a_round(FRESH_WITHIN)
    );
    faulty.is_active().await;
    assert_eq!(faulty.proxy.open(STREAM), 1);
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_an_outage_and_not_the_end_of_the_session() {
    let certificates = Server::python("../certificates/serve.py", &json!({}));
    let under = |tls: &Value| RealAdmin::start(&json!({ "tls": tls }));
    let (admin, expired) = (under(&certificates.ready["server"]), under(&certificates.ready["expired_server"]));
    let address = |admin: &RealAdmin| -> SocketAddr {
        let host = admin.base_url.trim_start_matches("https://").split('/').next().expect("a host");
        host.parse().expect("an address")
    };
    let faulty = Faulty::trusting(certificates.text("ca_file"), &admin).await;
    let mut page = faulty.page().await;
    faulty.proxy.lead_to(address(&expired));
    faulty.proxy.cut_all();
    let state = faulty.is_unreachable().await;
    assert_eq!(outage(&state), (UnixTime(1_000), UnreachableKind::Tls));
    assert!(matches!(&state, SessionState::Unreachable { why, .. } if why.detail.contains("has expired")), "{state:?}");
    faulty.proxy.lead_to(address(&admin));
    page.hears_a_round(FRESH_WITHIN).await;
    faulty.is_active().await;
}

/// Looks every name up as one address, or finds none.
struct Names {
    address: SocketAddr,
    are_gone: AtomicBool,
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        let found: Result<Addrs, _> = if self.are_gone.load(Ordering::SeqCst) {
            Err("no such name".into())
        } else {
            Ok(Box::new([self.address].into_iter()))
        };
        Box::pin(std::future::ready(found))
    }
}

#[tokio::test]
async fn a_name_that_is_gone_is_an_outage_and_not_the_end_of_the_session() {
    let admin = RealAdmin::start(&json!({}));
    let proxy = FaultProxy::before(admin.host().parse().expect("an address")).await.expect("a port");
    let names = Arc::new(Names { address: proxy.address(), are_gone: AtomicBool::new(false) });
    let environment = environment(&format!("http://localhost:{}/asyncmq", proxy.address().port()), |_| ());
    let reach = Reach::resolving(&environment, &Secrets::default(), names.clone()).expect("a way");
    let bench = Bench::of(environment, reach, Pace::default()).await;
    bench.sign_in_really(&json!({}));
    let faulty = Faulty { proxy, bench };
    let mut page = faulty.page().await;
    names.are_gone.store(true, Ordering::SeqCst);
    faulty.proxy.cut_all();
    let state = faulty.is_unreachable().await;
    assert_eq!(outage(&state), (UnixTime(1_000), UnreachableKind::Dns));
    names.are_gone.store(false, Ordering::SeqCst);
    page.hears_a_round(FRESH_WITHIN).await;
    faulty.is_active().await;
}
