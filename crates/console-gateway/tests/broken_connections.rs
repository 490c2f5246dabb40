//! What becomes of a page or an action whose connection breaks? `cargo xtask test` sets `ADMIN_PYTHON`.

mod support;

use std::time::Duration;

use console_core::{secrets::Secrets, upstream::Reach};
use console_gateway::Pace;
use console_testing::fault_proxy::{
    Break::{self, Close, FinishAnswer, Reset},
    Fault, FaultProxy,
    Moment::{Asked, Body, Head},
};
use serde_json::json;
use support::{
    Answer, Bench, environment,
    faulty::{Faulty, until},
    real::RealAdmin,
};

const RETRY: &str = "POST /asyncmq/queues/emails/jobs/receipt-1/retry";

/// Retries a job, as its page does.
async fn retry(bench: &Bench) -> Answer {
    let form = "_response=html&return_to=%2Fasyncmq%2Fqueues%2Femails%2Fjobs";
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    bench.page("POST", RETRY.trim_start_matches("POST "), kind, form).await
}

/// How often the admin says that the job was retried.
async fn retried(bench: &Bench) -> usize {
    let page = bench.page("GET", "/asyncmq/audit", "", "").await;
    assert_eq!(page.status, 200);
    page.text().matches("job.retry").count()
}

#[tokio::test]
async fn an_action_on_a_connection_that_broke_is_never_sent_twice() {
    let admin = RealAdmin::start(&json!({}));
    let all: [(Fault, usize, usize); 8] = [
        // (what happens, how often the proxy sees it, how often the admin carries it out)
        (Fault::Refuse, 0, 0),
        (Fault::At(Asked, Reset), 1, 0),
        (Fault::At(Asked, Close), 1, 0),
        (Fault::At(Head(0), Reset), 1, 1),
        (Fault::At(Head(0), Close), 1, 1),
        (Fault::At(Head(25), Reset), 1, 1),
        (Fault::At(Head(25), FinishAnswer), 1, 1),
        (Fault::At(Head(25), Close), 1, 1),
    ];
    for (fault, seen, carried_out) in all {
        let faulty = Faulty::before(&admin).await;
        // A connection that is open already is where a client sends again what it believes was not taken.
        let before = retried(&faulty.bench).await;
        if fault == Fault::Refuse {
            faulty.proxy.set(fault).await;
            faulty.proxy.cut_all();
        } else {
            faulty.proxy.set_for("POST ", fault).await;
        }
        let answer = retry(&faulty.bench).await;
        let held = faulty.bench.gateway.drop_all_held();
        if seen == 0 {
            // Surely not sent: it waits for the operator's word, and the page stays.
            assert_eq!(
                (answer.status, held.as_slice()),
                (204, ["Retry job receipt-1 in emails".to_owned()].as_slice())
            );
        } else {
            assert!(held.is_empty(), "{fault:?}: what was perhaps done is not offered again");
            assert_eq!(answer.status, 502, "{fault:?}");
            assert!(answer.text().contains("cannot be told whether"), "{fault:?}: {}", answer.text());
        }
        faulty.proxy.set(Fault::None).await;
        faulty.is_active().await;
        assert_eq!(retried(&faulty.bench).await - before, carried_out, "{fault:?}");
        assert_eq!(faulty.proxy.requests(RETRY), seen, "{fault:?}");
    }
}

#[tokio::test]
async fn an_action_whose_answer_broke_is_answered_and_not_sent_again() {
    let admin = RealAdmin::start(&json!({}));
    for how in [Reset, Close] {
        let faulty = Faulty::before(&admin).await;
        let before = retried(&faulty.bench).await;
        faulty.proxy.set_for("POST ", Fault::At(Body(1), how)).await;
        // A script gets a body; a form is led on without one.
        let target = RETRY.trim_start_matches("POST ");
        let answer = faulty.bench.fetch("POST", target, "Content-Length: 0\r\n").await;
        assert_eq!(answer.status, 502, "{how:?}");
        assert!(answer.is_whole && answer.text().contains("cannot be told whether"), "{how:?}: {}", answer.text());
        faulty.proxy.set(Fault::None).await;
        faulty.is_active().await;
        assert_eq!(retried(&faulty.bench).await - before, 1, "{how:?}");
        assert_eq!(faulty.proxy.requests(RETRY), 1, "{how:?}");
    }
}

#[tokio::test]
async fn a_page_on_a_connection_that_broke_is_asked_for_twice_at_most_and_then_comes_back() {
    let admin = RealAdmin::start(&json!({}));
    for fault in [
        Fault::At(Asked, Reset),
        Fault::At(Asked, Close),
        Fault::At(Head(0), Reset),
        Fault::At(Head(25), Close),
        Fault::At(Head(25), FinishAnswer),
    ] {
        let faulty = Faulty::before(&admin).await;
        assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
        faulty.proxy.set_for("GET /asyncmq/workers", fault).await;
        let answer = faulty.bench.page("GET", "/asyncmq/workers", "", "").await;
        assert_eq!(answer.status, 204, "{fault:?}: the page on the screen stays");
        faulty.is_unreachable().await;
        let sent = faulty.proxy.requests("GET /asyncmq/workers");
        assert!((1..=2).contains(&sent), "{fault:?}: sent {sent} times");
        faulty.proxy.set(Fault::None).await;
        faulty.is_active().await;
        assert_eq!(faulty.bench.page("GET", "/asyncmq/workers", "", "").await.status, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_not_passed_off_as_whole() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    for how in [Reset, Close, FinishAnswer] as [Break; 3] {
        faulty.proxy.set_for("GET /asyncmq/workers", Fault::At(Body(700), how)).await;
        let answer = faulty.bench.page("GET", "/asyncmq/workers", "", "").await;
        assert!(answer.status == 200 && !answer.is_whole, "{how:?}: {answer:?}");
        assert!(!answer.text().contains("</html>"), "{how:?}");
    }
    // After its end it is whole, whatever becomes of the connection.
    faulty.proxy.set_for("GET /asyncmq/health", Fault::At(Body(45), Reset)).await;
    let answer = faulty.bench.fetch("GET", "/asyncmq/health", "").await;
    assert!(answer.status == 200 && answer.is_whole, "{answer:?}");
    faulty.proxy.set(Fault::Trickle { bytes: 200, every: Duration::from_millis(1) }).await;
    let answer = faulty.bench.page("GET", "/asyncmq/workers", "", "").await;
    assert!(answer.status == 200 && answer.is_whole && answer.text().contains("</html>"));
}

#[tokio::test]
async fn every_clone_of_a_way_forgets_its_connections_and_what_is_under_way_goes_on() {
    let admin = RealAdmin::start(&json!({}));
    let proxy = FaultProxy::before(admin.host().parse().expect("an address")).await.expect("a port");
    let environment = environment(&format!("http://{}/asyncmq", proxy.address()), |_| ());
    let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
    let bench = Bench::of(environment, reach.clone(), Pace::default()).await;
    bench.sign_in_really(&json!({}));
    let faulty = Faulty { proxy, bench };
    assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
    assert_eq!(faulty.proxy.connections(), 1, "it is kept for the next page");
    faulty.proxy.set(Fault::Trickle { bytes: 100, every: Duration::from_millis(10) }).await;
    let under_way = async {
        let answer = faulty.bench.page("GET", "/asyncmq/workers", "", "").await;
        assert!(answer.status == 200 && answer.is_whole);
    };
    let reconnecting = async {
        until("a page is under way", Duration::from_secs(2), || faulty.proxy.requests("GET /asyncmq/workers") == 1)
            .await;
        reach.reconnect();
        let answer = faulty.bench.fetch("GET", "/asyncmq/health", "").await;
        assert!(answer.status == 200 && answer.is_whole);
        assert_eq!((faulty.proxy.accepted(), faulty.proxy.connections()), (2, 2), "nothing of before is used");
    };
    tokio::join!(under_way, reconnecting);
    until("the connection of before has ended", Duration::from_secs(2), || faulty.proxy.connections() == 1).await;
}

#[tokio::test]
async fn an_action_never_crosses_with_the_end_of_an_idle_connection() {
    let admin = RealAdmin::start(&json!({}));
    let faulty = Faulty::before(&admin).await;
    for action in ["the first", "the next"] {
        // It leaves an idle connection, for so long as the admin keeps that.
        assert_eq!(faulty.bench.page("GET", "/asyncmq/queues", "", "").await.status, 200);
        let before = faulty.proxy.accepted();
        assert_eq!(retry(&faulty.bench).await.status, 303);
        assert_eq!(faulty.proxy.accepted() - before, 1, "{action} has a connection of its own");
    }
}
