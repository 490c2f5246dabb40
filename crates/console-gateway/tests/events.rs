//! One upstream `/events` stream for every consumer (DESIGN 5.8).

mod support;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use support::{Admin, Bench, Body, TOKEN, answer, consumer::Consumer, text};
use tokio::{sync::broadcast, time};

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

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = time::timeout(Duration::from_secs(10), async {
        while !holds() {
            time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(waited.is_ok(), "{what}");
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
