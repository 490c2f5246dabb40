//! One upstream `/events` stream for every consumer (DESIGN 5.8).

mod support;

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use console_core::{clock::UnixTime, session::Refusal};
use console_gateway::{GatewayEvent, Pace};
use console_testing::fault_proxy::{
    Break::{Close, Reset, Stall},
    Fault,
    Moment::{self, Head},
};
use futures_util::{StreamExt, stream};
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use support::{
    Admin, Bench, Body, Consumer, TOKEN, answer,
    faulty::{FRESH_WITHIN, Faulty, STREAM, until as soon},
    html,
    real::RealAdmin,
    text,
};
use tokio::{sync::broadcast, time::Instant};

/// A stream whose events the test sends.
fn following(events: &broadcast::Sender<Option<&'static str>>) -> Response<Body> {
    let receiver = events.subscribe();
    let stream = stream::unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Ok(Some(event)) => Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(event.as_bytes()))), receiver)),
            _ => None,
        }
    });
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(stream)));
    response.headers_mut().insert("content-type", "text/event-stream".parse().expect("value"));
    response
}

/// An admin whose `/events` follows `events`, and how often it was asked for it.
async fn admin() -> (Admin, broadcast::Sender<Option<&'static str>>, Arc<AtomicUsize>) {
    let events = broadcast::Sender::new(16);
    let asked = Arc::new(AtomicUsize::new(0));
    let (follow, count) = (events.clone(), asked.clone());
    let admin = Admin::start(move |seen| {
        if seen.target == "/asyncmq/events" {
            count.fetch_add(1, Ordering::SeqCst);
            following(&follow)
        } else {
            text("page")
        }
    })
    .await;
    (admin, events, asked)
}

async fn until(what: &str, holds: impl FnMut() -> bool) {
    soon(what, Duration::from_secs(10), holds).await;
}

const OVERVIEW_1: &str = "event: overview\ndata: {\"jobs\": 1}\n\n";
const OVERVIEW_2: &str = "event: overview\ndata: {\"jobs\": 2}\n\n";
const QUEUES: &str = "event: queues\ndata: []\n\n";

#[tokio::test]
async fn one_upstream_stream_serves_all_and_a_new_consumer_gets_the_last_of_each_name_at_once() {
    let (admin, events, asked) = admin().await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut first = Consumer::of(&bench).await;
    until("the upstream is followed", || events.receiver_count() == 1).await;
    for event in [OVERVIEW_1, QUEUES, OVERVIEW_2] {
        events.send(Some(event)).expect("sent");
    }
    first.hears(OVERVIEW_2).await;
    let mut second = Consumer::of(&bench).await;
    second.hears(OVERVIEW_2).await;
    second.hears(QUEUES).await;
    assert!(!second.heard.contains("\"jobs\": 1"), "only the last of each name");
    events.send(Some(OVERVIEW_1)).expect("sent");
    first.hears("\"jobs\": 1").await;
    second.hears("\"jobs\": 1").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(admin.seen()[0].header("authorization"), Some("Bearer canary-token"));
}

#[tokio::test]
async fn a_consumer_never_notices_that_the_upstream_broke_off() {
    let (admin, events, asked) = admin().await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut consumer = Consumer::of(&bench).await;
    until("the upstream is followed", || events.receiver_count() == 1).await;
    events.send(Some(OVERVIEW_1)).expect("sent");
    consumer.hears(OVERVIEW_1).await;
    events.send(None).expect("the admin restarts");
    until("the upstream is followed again", || asked.load(Ordering::SeqCst) == 2 && events.receiver_count() == 1).await;
    events.send(Some(OVERVIEW_2)).expect("sent");
    consumer.hears(OVERVIEW_2).await;
}

#[tokio::test]
async fn a_refused_stream_ends_the_session_and_not_the_consumer_who_goes_on_after_the_sign_in() {
    let events = broadcast::Sender::new(16);
    let follow = events.clone();
    let admin = Admin::start(move |seen| {
        if seen.header("authorization") == Some("Bearer canary-token") {
            answer(303, &[("location", "/asyncmq/login?next=/asyncmq/events")], "")
        } else {
            following(&follow)
        }
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut consumer = Consumer::of(&bench).await;
    until("the session ended", || bench.session.authorize().is_err()).await;
    bench.sign_in("another-token");
    until("the upstream is followed", || events.receiver_count() == 1).await;
    events.send(Some(OVERVIEW_2)).expect("sent");
    consumer.hears(OVERVIEW_2).await;
    assert_eq!(admin.seen().len(), 2, "the refused token was sent once");
}

#[tokio::test]
async fn a_sign_out_cuts_every_stream_and_forgets_the_last_events() {
    let (admin, events, _) = admin().await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut consumer = Consumer::of(&bench).await;
    until("the upstream is followed", || events.receiver_count() == 1).await;
    events.send(Some(OVERVIEW_1)).expect("sent");
    consumer.hears(OVERVIEW_1).await;
    bench.session.sign_out();
    assert!(bench.gateway.forget_operator().is_empty(), "nothing was held");
    assert!(!consumer.reads("never comes").await, "the stream has ended");
    until("the upstream is left alone", || events.receiver_count() == 0).await;
    bench.sign_in(TOKEN);
    let mut next = Consumer::of(&bench).await;
    until("the upstream is followed", || events.receiver_count() == 1).await;
    events.send(Some(QUEUES)).expect("sent");
    next.hears(QUEUES).await;
    assert!(!next.heard.contains("overview"), "nothing of the operator before");
}

#[tokio::test]
async fn without_consumers_the_admin_is_left_alone() {
    let (admin, events, _) = admin().await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let consumer = Consumer::of(&bench).await;
    until("the upstream is followed", || events.receiver_count() == 1).await;
    drop(consumer);
    // The drop is seen when something is written.
    until("the upstream is left alone", || {
        let _ = events.send(Some(QUEUES));
        events.receiver_count() == 0
    })
    .await;
}

/// The stream's requests that a scripted admin has seen, by the value of one header.
fn streams(admin: &Admin, header: &str) -> Vec<Option<String>> {
    let seen = admin.seen();
    let streams = seen.iter().filter(|seen| seen.target == "/asyncmq/events");
    streams.map(|seen| seen.header(header).map(str::to_owned)).collect()
}

#[tokio::test]
async fn an_upstream_that_numbers_its_events_is_told_where_to_go_on() {
    let (admin, events, _) = admin().await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut consumer = Consumer::of(&bench).await;
    until("the upstream is followed", || events.receiver_count() == 1).await;
    events.send(Some("id: 41\nretry: 10\nevent: overview\ndata: 1\n\n")).expect("sent");
    events.send(Some("id: 42\n\n")).expect("sent");
    events.send(Some(QUEUES)).expect("sent");
    consumer.hears(QUEUES).await;
    assert!(consumer.heard.contains("id: 41\n") && !consumer.heard.contains("retry: 10\n"), "{}", consumer.heard);
    events.send(None).expect("the admin restarts");
    until("the upstream is followed again", || streams(&admin, "last-event-id").len() == 2).await;
    assert_eq!(streams(&admin, "last-event-id"), [None, Some("42".to_owned())]);
    assert!(bench.gateway.forget_operator().is_empty(), "nothing was held");
    let next = Consumer::of(&bench).await;
    until("the upstream is followed anew", || streams(&admin, "last-event-id").len() == 3).await;
    assert_eq!(streams(&admin, "last-event-id")[2], None, "the next operator's events begin anew");
    drop(next);
}

#[tokio::test]
async fn a_stream_that_ends_after_each_event_is_asked_for_ever_less_often_until_one_lasts() {
    const SHORT: usize = 6;
    let lasting_after = Duration::from_millis(500);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let moments = asked.clone();
    let admin = Admin::start(move |seen| {
        if seen.target != "/asyncmq/events" {
            return text("page");
        }
        // After the short ones each lasts, and ends after its second event.
        let mut moments = moments.lock().expect("moments");
        let lasts = moments.len() >= SHORT;
        moments.push(Instant::now());
        let event = |text: &'static str| Ok::<_, Infallible>(Frame::data(Bytes::from_static(text.as_bytes())));
        let second = stream::once(async move {
            tokio::time::sleep(lasting_after * 2).await;
            event(OVERVIEW_2)
        });
        let events = stream::iter([event("retry: 1\nevent: overview\ndata: 1\n\n")]);
        let events = events.chain(second.take(usize::from(lasts)));
        let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(events)));
        response.headers_mut().insert("content-type", "text/event-stream".parse().expect("value"));
        response
    })
    .await;
    let pace = Pace {
        first_wait: Duration::from_millis(100),
        short_wait: Duration::from_hours(1),
        long_wait: Duration::from_hours(1),
        lasting_after,
        ..Pace::default()
    };
    let bench = Bench::at(pace, &format!("http://{}/asyncmq", admin.address)).await;
    let mut page = Consumer::of(&bench).await;
    page.hears(OVERVIEW_2).await;
    until("one that lasted has ended", || asked.lock().expect("moments").len() >= SHORT + 2).await;
    let asked = asked.lock().expect("moments").clone();
    let between = |earlier: usize, later: usize| asked[later - 1] - asked[earlier - 1];
    // 0.1, 0.2, 0.4, 0.8 and 1.6 s, with up to a quarter less; without growing 0.5 s.
    assert!(between(1, SHORT) >= Duration::from_secs(2), "{asked:?}");
    // One second that it lasted and the first wait, where growing on would be 4.8 s at least.
    assert!(between(SHORT + 1, SHORT + 2) < Duration::from_secs(4), "{asked:?}");
}

#[tokio::test]
async fn a_page_in_the_place_of_the_stream_is_no_stream_and_ends_nothing() {
    let (events, is_captive) = (broadcast::Sender::new(16), Arc::new(AtomicUsize::new(1)));
    let (follow, captive) = (events.clone(), is_captive.clone());
    let admin = Admin::start(move |_| {
        if captive.load(Ordering::SeqCst) == 1 { html("data: <p>Welcome to our hotel\n\n") } else { following(&follow) }
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut consumer = Consumer::of(&bench).await;
    until("it was asked", || streams(&admin, "accept").len() == 2).await;
    is_captive.store(0, Ordering::SeqCst);
    until("the upstream is followed", || events.receiver_count() == 1).await;
    events.send(Some(OVERVIEW_2)).expect("sent");
    consumer.hears(OVERVIEW_2).await;
    assert!(!consumer.heard.contains("hotel"));
}

#[tokio::test]
async fn three_pages_are_one_stream_at_the_real_admin_and_a_reload_keeps_it() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let (first, second, mut third) = tokio::join!(faulty.page(), faulty.page(), faulty.page());
    assert_eq!((faulty.proxy.requests(STREAM), faulty.proxy.open(STREAM)), (1, 1));
    drop((first, second));
    third.hears_a_round(FRESH_WITHIN).await;
    drop(third);
    let mut reloaded = Consumer::of(&faulty.bench).await;
    reloaded.hears("event: overview").await;
    reloaded.hears_a_round(FRESH_WITHIN).await;
    assert_eq!(faulty.proxy.requests(STREAM), 1);
}

#[tokio::test]
async fn a_sign_out_ends_the_connection_at_the_real_admin_within_a_second() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let mut page = faulty.page().await;
    assert_eq!(faulty.proxy.open(STREAM), 1);
    faulty.bench.session.sign_out();
    soon("the admin's side has ended", Duration::from_secs(1), || faulty.proxy.open(STREAM) == 0).await;
    assert!(faulty.bench.gateway.forget_operator().is_empty(), "nothing was held");
    assert!(!page.reads("never comes").await, "the page's stream has ended");
}

#[tokio::test]
async fn a_stream_with_an_ended_credential_is_not_kept_and_the_page_is_kept_warm() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::at(Pace { comment_every: Duration::from_millis(300), ..Pace::default() }, &admin).await;
    let mut page = faulty.page().await;
    let generation = faulty.bench.session.generation();
    faulty.bench.session.refused(generation, Refusal::Gate);
    soon("the admin's side has ended", Duration::from_secs(1), || faulty.proxy.open(STREAM) == 0).await;
    page.heard.clear();
    // A chunk that is a comment.
    page.hears("3\r\n:\n\n").await;
    assert!(!page.heard.contains("event:"));
    faulty.bench.session.begin_sign_in();
    faulty.bench.sign_in_really(&json!({ "jti": "another" }));
    page.hears_a_round(FRESH_WITHIN).await;
}

#[tokio::test]
async fn a_renewed_credential_takes_the_stream_over_without_a_gap() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    let mut page = faulty.page().await;
    // The answer to the next stream is long in coming.
    faulty.proxy.set_for(STREAM, Fault::At(Head(0), Stall)).await;
    faulty.bench.sign_in_really(&json!({ "name": "renewed" }));
    soon("the next one is asked for", Duration::from_secs(1), || faulty.proxy.requests(STREAM) == 2).await;
    page.hears_a_round(FRESH_WITHIN).await;
    assert_eq!(faulty.proxy.open(STREAM), 2, "the one before is followed until the next has answered");
    faulty.proxy.set(Fault::None).await;
    soon("the one before has ended", Duration::from_secs(2), || faulty.proxy.open(STREAM) == 1).await;
    page.hears_a_round(FRESH_WITHIN).await;
    assert_eq!(faulty.proxy.requests(STREAM), 2);
}

#[tokio::test]
async fn a_stream_that_stands_still_is_said_whatever_pages_do_and_given_up_in_the_end() {
    let admin = RealAdmin::start(&json!({}));
    let pace =
        Pace { stalled_after: Duration::from_secs(7), given_up_after: Duration::from_secs(10), ..Pace::default() };
    let mut faulty = Faulty::at(pace, &admin).await;
    let mut page = faulty.page().await;
    let stall = Fault::At(Moment::Body(0), Stall);
    faulty.proxy.set_for(STREAM, stall).await;
    faulty.bench.clock.advance(20);
    let stalled = |report: &GatewayEvent| matches!(report, GatewayEvent::Stalled { .. });
    let report = faulty.reports(FRESH_WITHIN, stalled).await;
    assert_eq!(report, GatewayEvent::Stalled { since: UnixTime(1_000) }, "since the last byte");
    assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200, "the admin is there");
    assert!(faulty.bench.reports.try_recv().is_err(), "it stands still although pages are answered");
    faulty.proxy.set(Fault::None).await;
    faulty.reports(Duration::from_secs(2), |report| *report == GatewayEvent::Fine).await;
    page.hears_a_round(FRESH_WITHIN).await;
    assert_eq!(faulty.proxy.requests(STREAM), 1, "what was late has come");

    faulty.proxy.set_for(STREAM, stall).await;
    faulty.reports(FRESH_WITHIN, stalled).await;
    soon("it is opened anew", Duration::from_secs(5), || faulty.proxy.requests(STREAM) == 2).await;
    soon("the one before has ended", Duration::from_secs(1), || faulty.proxy.open(STREAM) == 1).await;
    faulty.proxy.set(Fault::None).await;
    page.hears_a_round(FRESH_WITHIN).await;
}

#[tokio::test]
async fn a_stream_that_alone_is_missing_is_no_outage_and_is_said() {
    let admin = RealAdmin::start(&json!({}));
    let mut faulty = Faulty::at(Pace { stalled_after: Duration::from_secs(6), ..Pace::default() }, &admin).await;
    let mut page = faulty.page().await;
    let mut states = faulty.bench.session.subscribe();
    for how in [Reset, Close] {
        faulty.proxy.set_for(STREAM, Fault::At(Moment::Asked, how)).await;
        faulty.proxy.cut_all();
        faulty.reports(FRESH_WITHIN, |report| matches!(report, GatewayEvent::Stalled { .. })).await;
        assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
        faulty.proxy.set(Fault::None).await;
        page.hears_a_round(FRESH_WITHIN).await;
    }
    assert!(!states.has_changed().expect("the session is there"), "{:?}", states.borrow_and_update());
}
