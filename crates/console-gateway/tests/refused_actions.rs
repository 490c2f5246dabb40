//! An action that the admin answers with an error is said, whatever the page's script makes of the answer.

mod support;

use console_gateway::GatewayEvent;
use support::{Admin, Bench, answer};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

async fn bench() -> (Admin, Bench) {
    let admin = Admin::start(|seen| {
        let status = seen.target.rsplit('=').next().and_then(|status| status.parse().ok()).unwrap_or(200);
        answer(status, &[("content-type", "application/json")], r#"{"detail":"as the admin says it"}"#)
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    (admin, bench)
}

/// As the job list of 0.8 sends it: in the background, and without a look at the answer.
async fn post(bench: &Bench, status: u16, body: &str) -> support::Answer {
    let more = format!(
        "Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n{FORM}\
         Content-Length: {}\r\n",
        bench.host,
        body.len()
    );
    bench
        .send(&format!(
            "POST /asyncmq/queues/emails/jobs?as={status} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n{more}\r\n{body}",
            bench.host, bench.cookie
        ))
        .await
}

#[tokio::test]
async fn an_action_that_the_admin_answers_with_an_error_is_said_by_name_and_the_answer_passes() {
    let (_admin, mut bench) = bench().await;
    for status in [400, 404, 409, 422, 500, 503] {
        let answer = post(&bench, status, "action=retry&job_id=7f3a").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, r#"{"detail":"as the admin says it"}"#));
        bench.hears(GatewayEvent::WriteRefused { name: "Retry job 7f3a in emails".into(), status }).await;
    }
}

#[tokio::test]
async fn an_action_that_is_done_and_a_page_that_is_not_there_are_not_said() {
    let (_admin, mut bench) = bench().await;
    assert_eq!(post(&bench, 200, "action=retry&job_id=7f3a").await.status, 200);
    assert_eq!(bench.page("GET", "/asyncmq/queues?as=404", "", "").await.status, 404);
    assert_eq!(post(&bench, 404, "action=remove&job_id=1").await.status, 404);
    // The first of its kind that comes is that of the last.
    loop {
        if let GatewayEvent::WriteRefused { name, status } = bench.report().await {
            assert_eq!((name.as_str(), status), ("Remove job 1 from emails", 404));
            return;
        }
    }
}
