//! How much of the upstream's events is held? A bounded number of bytes, whatever comes and however slow a page is.

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
use console_gateway::{GatewayEvent, Pace};
use futures_util::{StreamExt, stream};
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use support::{Admin, Bench, Body, Consumer, answer, faulty::until, text};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

const OVERVIEW: &str = "event: overview\ndata: {\"jobs\": 1}\n\n";
const QUEUES: &str = "event: queues\ndata: []\n\n";

/// An answer that is a stream of these pieces, and stays open after them.
fn stream_of(pieces: impl IntoIterator<Item = Bytes, IntoIter: Send + 'static>) -> Response<Body> {
    let frames = stream::iter(pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(piece))));
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames.chain(stream::pending()))));
    response.headers_mut().insert("content-type", "text/event-stream".parse().expect("value"));
    response
}

/// An event's beginning, and two megabytes of its one line.
fn without_end() -> Vec<Bytes> {
    let line = Bytes::from(vec![b'x'; 1024 * 1024]);
    vec![Bytes::from_static(b"event: overview\ndata: "), line.clone(), line]
}

#[tokio::test]
async fn an_event_without_end_is_not_held_and_is_said_and_the_stream_is_opened_anew() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let admin = Admin::start(move |seen| {
        if seen.target != "/asyncmq/events" {
            return text("page");
        }
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        stream_of(if first { without_end() } else { vec![Bytes::from_static(OVERVIEW.as_bytes())] })
    })
    .await;
    let pace = Pace { lasting_after: Duration::ZERO, ..Pace::default() };
    let mut bench = Bench::at(pace, &format!("http://{}/asyncmq", admin.address)).await;
    let mut consumer = Consumer::of(&bench).await;
    bench.hears(GatewayEvent::OversizedEvents).await;
    consumer.hears(OVERVIEW).await;
    bench.hears(GatewayEvent::Fine).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(!consumer.heard.contains("xxx"));
}

#[tokio::test]
async fn events_that_are_too_large_again_and_again_are_said_once_and_not_taken_for_fine() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let admin = Admin::start(move |seen| {
        if seen.target != "/asyncmq/events" {
            return text("page");
        }
        count.fetch_add(1, Ordering::SeqCst);
        stream_of([Bytes::from_static(QUEUES.as_bytes())].into_iter().chain(without_end()))
    })
    .await;
    let wait = Duration::from_millis(50);
    let pace = Pace { first_wait: wait, short_wait: wait, long_wait: wait, ..Pace::default() };
    let mut bench = Bench::at(pace, &format!("http://{}/asyncmq", admin.address)).await;
    let mut page = Consumer::of(&bench).await;
    page.hears(QUEUES).await;
    until("it was opened four times", Duration::from_secs(10), || asked.load(Ordering::SeqCst) >= 4).await;
    assert_eq!(bench.report().await, GatewayEvent::OversizedEvents);
    assert_eq!(bench.reports.try_recv().ok(), None, "nothing else was said");
}

#[tokio::test]
async fn an_events_id_is_sent_back_unless_it_is_longer_than_any_that_servers_take() {
    let (kept, too_long) = ("k".repeat(1000), "x".repeat(2000));
    let (count, ids) = (AtomicUsize::new(0), [kept.clone(), too_long]);
    let admin = Admin::start(move |seen| {
        if seen.target != "/asyncmq/events" {
            return text("page");
        }
        match ids.get(count.fetch_add(1, Ordering::SeqCst)) {
            // A stream that ends after its event.
            Some(id) => answer(200, &[("content-type", "text/event-stream")], &format!("id: {id}\ndata: 1\n\n")),
            None => stream_of([Bytes::from_static(QUEUES.as_bytes())]),
        }
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    Consumer::of(&bench).await.hears(QUEUES).await;
    let sent: Vec<_> = admin.seen().iter().map(|seen| seen.header("last-event-id").map(str::to_owned)).collect();
    assert_eq!(sent, [None, Some(kept), None]);
}

/// A page's stream of which only the length is kept.
struct Ear {
    stream: TcpStream,
    length: usize,
    tail: Vec<u8>,
}

impl Ear {
    async fn of(bench: &Bench) -> Self {
        let mut stream = TcpStream::connect(&bench.host).await.expect("connects");
        let head = format!(
            "GET /asyncmq/events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
             Accept: text/event-stream\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\r\n",
            bench.host, bench.cookie
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        Self { stream, length: 0, tail: Vec::new() }
    }

    /// How many bytes came until `part` had come.
    async fn hears(&mut self, part: &str) -> usize {
        let mut bytes = vec![0; 64 * 1024];
        while !self.tail.windows(part.len()).any(|window| window == part.as_bytes()) {
            let read = time::timeout(Duration::from_secs(30), self.stream.read(&mut bytes)).await;
            let length = read.expect("in time").expect("reads");
            assert_ne!(length, 0, "the stream ended before `{part}`");
            self.length += length;
            self.tail.drain(..self.tail.len().saturating_sub(part.len()));
            self.tail.extend_from_slice(&bytes[..length]);
        }
        self.length
    }
}

const MIB: usize = 1024 * 1024;
const THE_END: &str = "event: end\ndata: the end\n\n";

/// `count` events of half a megabyte under `names` names, and one that ends them.
fn large(count: usize, names: usize) -> impl Iterator<Item = Bytes> + Send + 'static {
    let line = Bytes::from(format!("data: {}\n\n", "x".repeat(MIB / 2)));
    let events = (0..count).flat_map(move |n| [Bytes::from(format!("event: large {}\n", n % names)), line.clone()]);
    events.chain([Bytes::from_static(THE_END.as_bytes())])
}

#[tokio::test]
async fn a_page_that_does_not_read_costs_a_bounded_number_of_bytes_and_hears_the_newest_in_the_end() {
    let admin = Admin::start(|seen| if seen.target == "/asyncmq/events" { stream_of(large(96, 4)) } else { text("") });
    let admin = admin.await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let mut slow = Ear::of(&bench).await;
    let mut brisk = Ear::of(&bench).await;
    brisk.hears(THE_END).await;
    // What the gateway held for it, four names' last events and two megabytes, and what lies in the sockets (tcp_rmem and
    // tcp_wmem: ten megabytes at most); 48 were sent, and 64 events would be 32.
    let heard = slow.hears(THE_END).await;
    assert!((2 * MIB..16 * MIB).contains(&heard), "{heard} bytes");
}

#[tokio::test]
async fn the_last_events_that_a_new_page_gets_are_bounded_in_bytes_whatever_the_names() {
    let admin = Admin::start(|seen| if seen.target == "/asyncmq/events" { stream_of(large(24, 24)) } else { text("") });
    let admin = admin.await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    Ear::of(&bench).await.hears(THE_END).await;
    let heard = Ear::of(&bench).await.hears(THE_END).await;
    assert!((5 * MIB..7 * MIB).contains(&heard), "{heard} bytes of twelve megabytes");
    let streams = admin.seen().iter().filter(|seen| seen.target == "/asyncmq/events").count();
    assert_eq!(streams, 1, "of one upstream stream");
}
