//! What becomes of a request that meets an ended session: sent again, held, or waited for (DESIGN 5, "Held writes").

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use console_core::{
    environment::Protection,
    session::{Refusal, SessionState},
};
use console_gateway::GatewayEvent;
use serde_json::json;
use support::{
    Admin, Bench, answer,
    held::{HTML, RETRY, breaking, by_name, expired, only_held, retries, retry, with_one_held},
    owner::{Owner, begin},
    real::{RealAdmin, token},
    text,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

#[tokio::test]
async fn a_write_that_the_gate_refused_is_sent_again_after_a_silent_renewal_and_done_once() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::before(&admin.base_url).await;
    begin(&bench, &expired(), true);
    let owner = Owner::of(&bench, &token(&json!({})));
    let retried = retry(&bench).await;
    assert_eq!((retried.status, retried.header("location")), (303, Some(HTML[1].1)), "its body reached the admin");
    assert_eq!(owner.renewals(), 1);
    assert_eq!(retries(&bench).await, 1);
    assert_eq!(bench.gateway.held(), []);
}

#[tokio::test]
async fn a_write_is_not_sent_again_as_somebody_else() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = Bench::before(&admin.base_url).await;
    begin(&bench, &expired(), true);
    let _owner = Owner::of(&bench, &token(&json!({ "sub": "bob" })));
    let page = retry(&bench).await;
    assert!(page.status == 401 && page.text().contains("Nothing was done"), "{}", page.text());
    bench.hears(GatewayEvent::WriteNotDone { surely: true }).await;
    assert_eq!((bench.gateway.held().len(), retries(&bench).await), (0, 0));
}

#[tokio::test]
async fn a_credential_that_is_refused_again_is_not_tried_a_third_time() {
    let admin = Admin::start(|_| answer(303, &[("location", "/asyncmq/login")], "")).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    begin(&bench, &expired(), true);
    let owner = Owner::of(&bench, &expired());
    assert_eq!(bench.page("POST", "/asyncmq/queues/emails", "", "action=pause").await.status, 204);
    assert_eq!((admin.seen().len(), owner.renewals()), (2, 1));
    assert_eq!(bench.gateway.held().len(), 1);
    assert!(matches!(bench.session.state(), SessionState::Refused { refusal: Refusal::Gate, .. }));
}

/// The page's six connections are 200 here, so that requests meet the expiry together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_at_the_moment_of_expiry_cause_one_renewal_and_no_page_sees_a_failure() {
    const CONNECTIONS: usize = 200;
    const EACH: usize = 5;
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::before(&admin.base_url).await;
    begin(&bench, &expired(), true);
    let owner = Owner::of(&bench, &token(&json!({})));
    let failed = Arc::new(AtomicUsize::new(0));
    let mut pages = tokio::task::JoinSet::new();
    for number in 0..CONNECTIONS {
        let (host, cookie, failed) = (bench.host.clone(), bench.cookie.clone(), failed.clone());
        pages.spawn(async move {
            let mut stream = TcpStream::connect(&host).await.expect("connects");
            for round in 0..EACH {
                // Every tenth is a write.
                let (method, path) = match (number + round) % 10 {
                    0 => ("POST", format!("/asyncmq/queues/emails/jobs/welcome-{:02}/cancel", number % 25 + 1)),
                    1 => ("GET", "/asyncmq/queues/emails".to_owned()),
                    _ => ("GET", "/asyncmq/health".to_owned()),
                };
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n\
                     Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.expect("writes");
                if status_of_next(&mut stream).await != 200 {
                    failed.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
    }
    let all = time::timeout(Duration::from_mins(2), async { while pages.join_next().await.is_some() {} }).await;
    assert!(all.is_ok(), "a request hangs");
    assert_eq!((owner.renewals(), failed.load(Ordering::SeqCst)), (1, 0));
    assert_eq!(bench.gateway.held(), []);
}

/// Reads one answer with a length or in chunks off a connection that stays open.
async fn status_of_next(stream: &mut TcpStream) -> u16 {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let ended = match length {
                Some(length) => bytes.len() >= head.len() + 4 + length,
                None => body.ends_with("0\r\n\r\n"),
            };
            if ended {
                return head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            }
        }
        let mut piece = [0; 4 * 1024];
        match stream.read(&mut piece).await.expect("reads") {
            0 => return 0,
            length => bytes.extend_from_slice(&piece[..length]),
        }
    }
}

/// Sends a retry whose page is left while it waits for a renewal.
async fn retry_of_a_page_that_is_left(bench: &Bench) {
    begin(bench, &expired(), true);
    let mut states = bench.session.subscribe();
    let mut page = TcpStream::connect(&bench.host).await.expect("connects");
    let head = format!(
        "POST {RETRY} HTTP/1.1\r\nHost: {0}\r\nCookie: {1}\r\nOrigin: http://{0}\r\nContent-Length: 0\r\n\r\n",
        bench.host, bench.cookie
    );
    page.write_all(head.as_bytes()).await.expect("writes");
    let refused = states.wait_for(|state| matches!(state, SessionState::Renewing { waits: true, .. }));
    assert!(time::timeout(Duration::from_secs(10), refused).await.is_ok(), "the gate refused it");
    drop(page);
    // An answer that needs no session: by then the gateway has noticed.
    assert_eq!(bench.fetch("GET", "/asyncmq/logout", "").await.status, 403);
}

#[tokio::test]
async fn a_write_is_not_lost_with_its_page() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = Bench::before(&admin.base_url).await;
    retry_of_a_page_that_is_left(&bench).await;
    bench.session.set_renewable(false);
    bench.hears(GatewayEvent::Held).await;
    begin(&bench, &token(&json!({})), false);
    assert!(bench.gateway.carry_out(only_held(&bench)).await.is_ok_and(|done| done.ok));

    while bench.reports.try_recv().is_ok() {}
    retry_of_a_page_that_is_left(&bench).await;
    bench.session.sign_out();
    bench.hears(GatewayEvent::WriteNotDone { surely: true }).await;
    assert_eq!(bench.gateway.held(), [], "after a sign-out it is said, not held");

    retry_of_a_page_that_is_left(&bench).await;
    let _owner = Owner::of(&bench, &token(&json!({})));
    let both = time::timeout(Duration::from_secs(10), async { while retries(&bench).await < 2 {} });
    assert!(both.await.is_ok(), "done after the renewal");
}

#[tokio::test]
async fn an_action_is_on_its_way_until_its_end_even_if_its_page_is_left() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = Bench::before(&admin.base_url).await;
    retry_of_a_page_that_is_left(&bench).await;
    bench.hears(GatewayEvent::OnTheirWay).await;
    assert_eq!(bench.gateway.on_their_way(), 1);
    bench.session.set_renewable(false);
    bench.hears(GatewayEvent::OnTheirWay).await;
    assert_eq!((bench.gateway.on_their_way(), bench.gateway.held().len()), (0, 1));
}

#[tokio::test]
async fn an_action_that_the_console_failed_in_the_middle_of_is_said_and_neither_sent_again_nor_held() {
    let admin = RealAdmin::start(&json!({}));
    let (mut bench, _, names) = by_name(&admin).await;
    begin(&bench, &token(&json!({})), false);
    names.panic(true);
    let page = retry(&bench).await;
    let script = bench.fetch("POST", RETRY, "Accept: application/json\r\n").await;
    for answer in [page, script] {
        assert!(answer.status == 500 && answer.text().contains("cannot be told whether"), "{answer:?}");
        bench.hears(GatewayEvent::WriteNotDone { surely: false }).await;
    }
    assert_eq!((bench.gateway.on_their_way(), bench.gateway.held().len()), (0, 0));
    names.panic(false);
    assert_eq!(retries(&bench).await, 0);
}

#[tokio::test]
async fn a_write_that_waits_is_not_sent_into_an_environment_that_was_locked_meanwhile() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = Bench::before(&admin.base_url).await;
    retry_of_a_page_that_is_left(&bench).await;
    bench.gateway.protect(Protection::Locked);
    let _owner = Owner::of(&bench, &token(&json!({})));
    bench.hears(GatewayEvent::WriteLocked).await;
    assert_eq!((bench.gateway.held().len(), retries(&bench).await), (0, 0));
}

#[tokio::test]
async fn a_script_hears_that_its_write_is_held() {
    let admin = RealAdmin::start(&json!({}));
    let bench = Bench::before(&admin.base_url).await;
    begin(&bench, &expired(), false);
    let said = bench.fetch("POST", RETRY, "Accept: application/json\r\n").await;
    assert_eq!((said.status, said.header("content-type")), (401, Some("application/json")));
    assert!(said.text().contains("holds this action"), "{}", said.text());
    only_held(&bench);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_aloud_and_its_page_is_led_back() {
    let admin = RealAdmin::start(&json!({}));
    let mut bench = with_one_held(&admin).await;
    for _ in 0..19 {
        assert_eq!(retry(&bench).await.status, 204);
        bench.hears(GatewayEvent::Held).await;
    }
    let referer = format!("Referer: http://{}/asyncmq/queues/emails?page=2\r\n", bench.host);
    let page = bench.page("POST", RETRY, &referer, "").await;
    assert!(page.status == 401 && page.text().contains("Nothing was done"), "{}", page.text());
    bench.hears(GatewayEvent::WriteNotDone { surely: true }).await;
    assert_eq!(bench.gateway.held().len(), 20);
    assert_eq!(bench.gateway.take_return_path().as_deref(), Some("/asyncmq/queues/emails?page=2"));
    let large = bench.page("POST", RETRY, "", &"x".repeat(1024 * 1024 + 1)).await;
    assert!(large.text().contains("Nothing was done"));
    bench.hears(GatewayEvent::WriteNotDone { surely: true }).await;
}

#[tokio::test]
async fn a_large_body_is_streamed_and_neither_kept_nor_held() {
    let admin = Admin::start(|_| answer(303, &[("location", "/asyncmq/login")], "")).await;
    let mut bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    begin(&bench, &expired(), true);
    let _owner = Owner::of(&bench, &expired());
    let page = bench.page("POST", "/asyncmq/queues/a", "", &"x".repeat(1024 * 1024 + 1)).await;
    assert!(page.status == 401 && page.text().contains("Nothing was done"), "{}", page.text());
    bench.hears(GatewayEvent::WriteNotDone { surely: true }).await;
    assert_eq!((admin.seen().len(), bench.gateway.held().len()), (1, 0));
    let kept = bench.page("POST", "/asyncmq/queues/a", "", &"x".repeat(1024 * 1024)).await;
    assert_eq!((kept.status, bench.gateway.held().len()), (204, 1), "one byte less is kept");
}

#[tokio::test]
async fn a_page_that_got_a_bare_401_is_asked_for_once_more_after_a_renewal() {
    let admin = Admin::start(|seen| {
        if seen.header("authorization").is_some_and(|value| value.ends_with("canary-token")) {
            answer(401, &[], "no")
        } else {
            text("here it is")
        }
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    bench.session.set_renewable(true);
    // The same operator as the bench's own: nobody's name is in `another`.
    begin(&bench, "canary-token", true);
    let owner = Owner::of(&bench, "another");
    let page = bench.page("GET", "/asyncmq/queues", "", "").await;
    assert_eq!((page.status, page.text().as_str(), owner.renewals()), (200, "here it is", 1));
    assert_eq!(admin.seen().len(), 2);
}

#[tokio::test]
async fn a_page_is_asked_for_once_more_when_the_connection_broke_before_an_answer() {
    let (base, count) = breaking(1).await;
    let bench = Bench::before(&base).await;
    assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.text(), "ok");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (base, count) = breaking(usize::MAX).await;
    let bench = Bench::before(&base).await;
    assert_eq!(bench.page("GET", "/asyncmq/queues", "", "").await.status, 502);
    assert_eq!(count.load(Ordering::SeqCst), 2, "and not a third time");
}

#[tokio::test]
async fn a_write_whose_connection_broke_is_neither_sent_again_nor_held() {
    let (base, count) = breaking(usize::MAX).await;
    let mut bench = Bench::before(&base).await;
    let page = bench.submit("/asyncmq/queues/emails", &[("action", "pause")]).await;
    assert!(page.status == 502 && page.text().contains("cannot be told"), "{}", page.text());
    bench.hears(GatewayEvent::WriteNotDone { surely: false }).await;
    assert_eq!((count.load(Ordering::SeqCst), bench.gateway.held().len()), (1, 0));
}
