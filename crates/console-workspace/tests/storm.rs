//! A thousand requests at the moment of expiry, and a workspace that renews by itself: real admin, real issuer.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use console_core::sign_in::token_endpoint::TokenEndpoint;
use console_ipc::{Method, SessionView};
use console_testing::{
    Server,
    fault_proxy::{Break, Fault, FaultProxy, Moment},
    token,
};
use serde_json::json;
use support::{Bench, Page, draft};
use tokio::{task::JoinSet, time};

const REQUESTS: usize = 1_000;
/// How many are on their way at the same time: the gateway takes 256 connections, where a webview opens six.
const CONNECTIONS: usize = 200;
/// Every tenth is an action, with a target of its own.
const ACTION_EVERY: usize = 10;
const ALICE: [(&str, &str); 2] = [("user", "alice"), ("password", "canary-password")];
const REFRESH: &str = "POST /refresh";

fn queue(number: usize) -> String {
    format!("storm-{number:04}")
}

/// How many of the actions the admin's audit page names exactly once.
async fn done_once(admin: &Server) -> usize {
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = format!("{}/audit?limit=500&q=storm-", admin.text("base_url"));
    let answer = client.get(url).bearer_auth(token(60, &json!({}))).send().await.expect("answers");
    let text = answer.text().await.expect("text");
    let (_, rows) = text.split_once("<tbody").expect("a table");
    (0..REQUESTS).step_by(ACTION_EVERY).filter(|number| rows.matches(&queue(*number)).count() == 1).count()
}

/// Whether it is answered as if nothing had been.
async fn is_well(page: &Page, number: usize) -> bool {
    if number.is_multiple_of(ACTION_EVERY) {
        let to = format!("/asyncmq/queues/{}", queue(number));
        return page.send_form(&to, &[("action", "pause")]).await.status() == 303;
    }
    let path = if number % ACTION_EVERY == 1 { "/asyncmq/queues/emails" } else { "/asyncmq/health" };
    page.get(path).await.status() == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_the_moment_of_expiry_cause_one_renewal_and_the_page_sees_no_failure() {
    let admin = Server::admin(&json!({}));
    let alice = json!([{ "id": "alice", "password": "canary-password", "name": "Alice" }]);
    let mut issuer = Server::issuer(&json!({ "users": alice, "lifetime": 6 }));
    let url: url::Url = issuer.text("refresh_url").parse().expect("url");
    let to_issuer = FaultProxy::before(url.socket_addrs(|| None).expect("address")[0]).await.expect("a port");
    let settings = TokenEndpoint {
        url: format!("http://{}/token", to_issuer.address()),
        refresh_url: format!("http://{}/refresh", to_issuer.address()),
        ..TokenEndpoint::default()
    };
    // The renewal that is due before the end is slow, until the token has ended and everybody waits for it.
    to_issuer.set_for(REFRESH, Fault::At(Moment::Asked, Break::Stall)).await;
    let mut bench = Bench::new(draft(admin.text("base_url"), Method::TokenEndpoint(settings))).await;
    let page = bench.enters(&ALICE).await;
    // The renewal goes over a connection of its own: the issuer ends one of before that is idle for five seconds.
    to_issuer.cut_all();
    // What is renewed lives longer than this test: one expiry, and no other.
    let until = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() + 3_600;
    issuer.tell(&json!({ "user": { "id": "alice", "claims": { "exp": until } } }));
    issuer.event("the change", |event| event["event"] == "user_changed");
    bench.until("the end", |view| matches!(view.session, SessionView::Renewing { waits: true, .. })).await;

    let (asked, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut connections = JoinSet::new();
    for first in 0..CONNECTIONS {
        let (page, asked, answered) = (page.beside(), asked.clone(), answered.clone());
        connections.spawn(async move {
            let mut well = 0;
            for number in (first..REQUESTS).step_by(CONNECTIONS) {
                asked.fetch_add(1, Ordering::SeqCst);
                well += usize::from(is_well(&page, number).await);
                answered.fetch_add(1, Ordering::SeqCst);
            }
            well
        });
    }
    support::eventually("as many ask as can at once", || asked.load(Ordering::SeqCst) == CONNECTIONS).await;
    support::eventually("the renewal is on its way", || to_issuer.requests(REFRESH) == 1).await;
    assert_eq!(answered.load(Ordering::SeqCst), 0);
    to_issuer.set(Fault::None).await;

    let well = async {
        let mut well = 0;
        while let Some(of_one) = connections.join_next().await {
            well += of_one.expect("joins");
        }
        well
    };
    let well = time::timeout(Duration::from_mins(2), well).await.expect("no request hangs");
    let issued =
        issuer.events().iter().filter(|event| event["event"] == "issued" && event["grant"] == "refresh").count();
    assert_eq!((well, to_issuer.requests(REFRESH), issued), (REQUESTS, 1, 1));
    assert_eq!(done_once(&admin).await, REQUESTS / ACTION_EVERY);
    assert_eq!(bench.view().held, []);
}
