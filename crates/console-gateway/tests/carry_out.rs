//! How is what was held carried out, or dropped? (DESIGN 5, "Held writes")

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use console_core::{clock::UnixTime, environment::Protection, upstream::UnreachableKind};
use console_gateway::{GatewayEvent, HeldError};
use serde_json::json;
use support::{
    Admin, Bench, answer,
    held::{HTML, RETRY, breaking, by_name, expired, only_held, retries, retry, with_one_held},
    owner::{Owner, begin},
    real::{RealAdmin, token},
    text,
};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_held_write_is_carried_out_once_after_the_sign_in() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = with_one_held(&admin).await;
    let held = bench.gateway.held().remove(0);
    assert_eq!(held.action.name, "Retry job receipt-1 in emails");
    assert_eq!((held.asked_at, held.perhaps_done, held.under_way), (UnixTime(1_000), false, false));
    assert_eq!(bench.gateway.carry_out(held.id).await, Err(HeldError::NotSignedIn));
    assert_eq!(only_held(&bench), held.id, "it stays held");

    begin(&bench, &token(&json!({})), false);
    while bench.reports.try_recv().is_ok() {}
    let done = bench.gateway.carry_out(held.id).await.expect("done");
    assert_eq!((done.status, done.ok, done.said), (303, true, None));
    assert_eq!(done.go_to.as_deref(), Some(HTML[1].1));
    for _taken_up_and_settled in 0..2 {
        bench.hears(GatewayEvent::Held).await;
    }
    assert_eq!(bench.gateway.held(), []);
    assert_eq!(bench.gateway.carry_out(held.id).await, Err(HeldError::Gone));
    let page = bench.page("GET", &done.go_to.expect("a page"), "", "").await.text();
    assert!(page.contains("retry completed"), "the flash message is on the page that it leads to");
    assert_eq!(retries(&bench).await, 1);
}

#[tokio::test]
async fn two_who_carry_out_the_same_write_do_it_once() {
    let admin = RealAdmin::start(&json!({}));
    let bench = with_one_held(&admin).await;
    begin(&bench, &token(&json!({})), false);
    let id = only_held(&bench);
    let (first, second) = tokio::join!(bench.gateway.carry_out(id), bench.gateway.carry_out(id));
    assert!(first.is_ok_and(|done| done.ok));
    assert_eq!(second, Err(HeldError::UnderWay));
    assert_eq!(retries(&bench).await, 1);
}

#[tokio::test]
async fn a_write_that_was_taken_up_is_settled_even_if_nobody_waits_for_it() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = with_one_held(&admin).await;
    begin(&bench, &token(&json!({})), false);
    let mut waits = Box::pin(bench.gateway.carry_out(only_held(&bench)));
    assert!(futures_util::poll!(waits.as_mut()).is_pending());
    drop(waits);
    for _taken_up_and_settled in 0..2 {
        bench.hears(GatewayEvent::Held).await;
    }
    assert_eq!((bench.gateway.held().len(), retries(&bench).await), (0, 1));
}

#[tokio::test]
async fn what_the_console_failed_in_the_middle_of_is_offered_as_perhaps_done_and_as_nothing_else() {
    let admin = RealAdmin::start(&json!({}));
    let (mut bench, reach, names) = by_name(&admin).await;
    begin(&bench, &expired(), false);
    assert_eq!(retry(&bench).await.status, 204);
    bench.hears(GatewayEvent::Held).await;
    begin(&bench, &token(&json!({})), false);
    let id = only_held(&bench);

    names.panic(true);
    reach.reconnect();
    let error = bench.gateway.carry_out(id).await.expect_err("it panics");
    assert_eq!(error, HeldError::Interrupted { name: "Retry job receipt-1 in emails".into() });
    for _taken_up_and_settled in 0..2 {
        bench.hears(GatewayEvent::Held).await;
    }
    let held = bench.gateway.held().remove(0);
    assert_eq!((held.id, held.perhaps_done, held.under_way), (id, true, false));
    names.panic(false);
    assert_eq!(retries(&bench).await, 0, "nobody tries it again but the operator");
    assert!(bench.gateway.carry_out(id).await.is_ok_and(|done| done.ok));
    assert_eq!((bench.gateway.held().len(), retries(&bench).await), (0, 1));
}

#[tokio::test]
async fn what_was_dropped_before_the_console_failed_in_the_middle_of_it_is_said_and_not_held() {
    let admin = RealAdmin::start(&json!({}));
    let (bench, _, names) = by_name(&admin).await;
    begin(&bench, &expired(), false);
    assert_eq!(retry(&bench).await.status, 204);
    begin(&bench, &token(&json!({})), false);
    names.panic(true);
    let mut waits = Box::pin(bench.gateway.carry_out(only_held(&bench)));
    assert!(futures_util::poll!(waits.as_mut()).is_pending());
    assert_eq!(bench.gateway.drop_all_held(), Vec::<String>::new(), "whoever waits for it hears how it ends");
    assert_eq!(waits.await, Err(HeldError::Interrupted { name: "Retry job receipt-1 in emails".into() }));
    assert_eq!(bench.gateway.held(), []);
}

#[tokio::test]
async fn another_operator_does_not_carry_out_what_somebody_else_asked_for() {
    let admin = RealAdmin::start(&json!({}));
    let bench = with_one_held(&admin).await;
    begin(&bench, &token(&json!({ "sub": "bob" })), false);
    let error = bench.gateway.carry_out(only_held(&bench)).await.expect_err("bob");
    assert_eq!(error, HeldError::AnotherOperator { name: "Retry job receipt-1 in emails".into() });
    assert_eq!((bench.gateway.held().len(), retries(&bench).await), (0, 0), "it was dropped");
}

#[tokio::test]
async fn a_locked_environment_carries_nothing_out() {
    let admin = RealAdmin::start(&json!({}));
    let bench = with_one_held(&admin).await;
    begin(&bench, &token(&json!({})), false);
    bench.gateway.protect(Protection::Locked);
    assert_eq!(bench.gateway.carry_out(only_held(&bench)).await, Err(HeldError::Locked));
    assert_eq!(retries(&bench).await, 0);
    bench.gateway.protect(Protection::Open);
    assert!(bench.gateway.carry_out(only_held(&bench)).await.is_ok());
}

#[tokio::test]
async fn what_is_dropped_is_named() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = with_one_held(&admin).await;
    let name = "Retry job receipt-1 in emails";
    let id = only_held(&bench);
    assert_eq!(bench.gateway.drop_held(id).as_deref(), Some(name));
    bench.hears(GatewayEvent::Held).await;
    assert_eq!(bench.gateway.drop_held(id), None);
    retry(&bench).await;
    bench.submit("/asyncmq/queues/emails", &[("action", "pause")]).await;
    assert_eq!(bench.gateway.forget_operator(), [name, "Pause queue emails"]);
    assert_eq!(bench.gateway.drop_all_held(), Vec::<String>::new());
}

#[tokio::test]
async fn a_bare_401_holds_a_write_as_perhaps_done_and_only_the_operator_sends_it_again() {
    let refuses = Arc::new(AtomicUsize::new(1));
    let left = refuses.clone();
    let admin = Admin::start(move |_| {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            answer(401, &[("www-authenticate", "Bearer")], "no")
        } else {
            text("done")
        }
    })
    .await;
    let mut bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    begin(&bench, &expired(), true);
    let _owner = Owner::of(&bench, &token(&json!({ "iat": 0, "exp": 0 })));
    let said = bench.fetch("POST", "/asyncmq/queues/emails/jobs/1/retry", "").await;
    assert!(said.status == 401 && said.text().contains("cannot be told"), "{}", said.text());
    bench.hears(GatewayEvent::Held).await;
    assert!(bench.gateway.held()[0].perhaps_done);
    let id = only_held(&bench);
    // A renewal has come meanwhile, or comes now: that sends nothing.
    assert_eq!(bench.fetch("GET", "/asyncmq/health", "").await.status, 200);
    assert_eq!(admin.seen().len(), 2, "the write, and the page after it");
    refuses.store(1, Ordering::SeqCst);
    let again = bench.gateway.carry_out(id).await.expect_err("another 401");
    assert_eq!(again, HeldError::Unauthorized { name: "Retry job 1 in emails".into() });
    only_held(&bench);
    begin(&bench, &expired(), false);
    assert!(bench.gateway.carry_out(id).await.is_ok_and(|done| done.ok && done.status == 200));
    assert_eq!((admin.seen().len(), bench.gateway.held().len()), (4, 0));
}

#[tokio::test]
async fn a_held_write_whose_connection_broke_is_not_offered_again() {
    let (base, count) = breaking(usize::MAX).await;
    let bench = Bench::before(&base).await;
    bench.clock.advance(10_000);
    assert_eq!(bench.submit("/asyncmq/queues/emails", &[("action", "pause")]).await.status, 204);
    bench.clock.advance(-10_000);
    bench.sign_in("again");
    let error = bench.gateway.carry_out(only_held(&bench)).await.expect_err("breaks");
    assert_eq!(error, HeldError::Unknown { name: "Pause queue emails".into() });
    assert_eq!((count.load(Ordering::SeqCst), bench.gateway.held().len()), (1, 0));
}

#[tokio::test]
async fn a_write_that_did_not_reach_the_admin_is_held_and_offered_once_it_is_reached_again() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("address").port()
    };
    let mut bench = Bench::before(&format!("http://127.0.0.1:{port}/asyncmq")).await;
    begin(&bench, &token(&json!({})), false);
    assert_eq!(retry(&bench).await.status, 204);
    bench.hears(GatewayEvent::Held).await;
    let said = bench.fetch("POST", RETRY, "").await;
    assert!(said.status == 502 && said.text().contains("Nothing was done"), "{}", said.text());
    assert_eq!(bench.gateway.held().len(), 2);
    let id = bench.gateway.held()[0].id;
    let error = bench.gateway.carry_out(id).await.expect_err("not reached");
    assert!(matches!(error, HeldError::Unreachable(why) if why.kind == UnreachableKind::Connect));
    assert!(bench.gateway.held().iter().all(|held| !held.perhaps_done && !held.under_way));

    let admin = RealAdmin::start(&json!({ "port": port }));
    assert!(bench.gateway.carry_out(id).await.is_ok_and(|done| done.ok));
    assert_eq!(retries(&bench).await, 1);
    drop(admin);
}
