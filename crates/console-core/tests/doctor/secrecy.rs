//! What a report never holds, and that an examination ends when nobody wants it any more.

use std::sync::Mutex;

use console_core::{
    doctor::{Step, StepId, Verdict, examine},
    environment::EnvironmentDraft,
    network::Network,
    secrets::Secrets,
};
use console_testing::{Server, token};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::bed::{
    assert_step, certificates, draft, front, origin, report, signed_in, trusting, with_network, with_token,
};

/// A server that says the same to everybody, with what it was sent after `Authorization: Bearer` for every `TOKEN`.
async fn parrot(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(repeat(stream, answer));
        }
    });
    format!("http://{address}/asyncmq")
}

async fn repeat(mut stream: TcpStream, answer: &'static str) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
    let head = String::from_utf8_lossy(&read).into_owned();
    let token = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap_or("nobody");
    let _ = stream.write_all(answer.replace("TOKEN", token).as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_holds_no_token_password_header_or_cookie() {
    let certificates = certificates();
    let admin = Server::admin(
        &json!({ "backend": "documented_jwt", "cookie": "access_token", "trusted_proxies": ["127.0.0.1"] }),
    );
    let demand =
        json!({ "headers": { "CF-Access": "canary-header" }, "cookies": { "CF_Authorization": "canary-cookie" } });
    let front = front(&json!({ "upstream": origin(&admin), "tls": certificates.ready["server"], "demand": demand }));
    let proxies = Server::node("proxies", "serve.mjs", &json!({ "username": "alice", "password": "canary-password" }));
    let network = Network {
        proxy: proxies.text("http_url").into(),
        proxy_user: "alice".into(),
        extra_headers: vec!["CF-Access".into()],
        extra_cookies: vec!["CF_Authorization".into()],
        ..trusting(&certificates)
    };
    let secrets = Secrets::one("proxy_password", "canary-password".to_owned().into())
        .with("header:CF-Access", "canary-header".to_owned().into())
        .with("cookie:CF_Authorization", "canary-cookie".to_owned().into());
    let base_url = format!("{}/asyncmq", front.text("origin"));
    let draft = EnvironmentDraft { network, cookie_name: "access_token".into(), ..draft(&base_url) };
    let token = token(600, &json!({}));
    let subject = signed_in(with_network(&draft, secrets), &token);
    let shown = Mutex::new(Vec::new());
    let found = examine(&subject, &mut |step: &Step| shown.lock().expect("whole").push(step.clone())).await;
    assert_step(&found, StepId::Accepted, Verdict::Well, &[]);
    assert_step(&found, StepId::Proxy, Verdict::Well, &[]);
    let all = format!("{found}{found:?}{:?}", shown.into_inner().expect("whole"));
    let signature = token.rsplit('.').next().expect("a signature");
    for secret in ["canary", signature] {
        assert!(!all.contains(secret), "`{secret}` in\n{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_the_token_back_does_not_get_it_into_the_report() {
    let token = token(600, &json!({}));
    for answer in [
        "HTTP/1.1 302 Found\r\nLocation: https://canary-TOKEN.example/TOKEN\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 303 See Other\r\nLocation: /login/TOKEN?next=TOKEN\r\nServer: TOKEN\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: TOKEN\r\nServer: TOKEN\r\nContent-Length: 7\r\nConnection: close\r\n\r\nasyncmq",
    ] {
        let base_url = parrot(answer).await;
        let found = report(&with_token(&draft(&base_url), &token)).await;
        let signature = token.rsplit('.').next().expect("a signature");
        assert!(!found.to_string().contains(signature), "{found}");
        assert!(!found.to_string().contains(&signature.to_lowercase()), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_stands_still_after_its_first_event_is_held_back() {
    const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: asyncmq\ndata: {}\n\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/asyncmq", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = Vec::new();
                while !read.ends_with(b"\r\n\r\n") && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
                let _ = stream.write_all(STREAM.as_bytes()).await;
                if read.starts_with(b"GET /asyncmq/events") {
                    // Until the doctor goes away.
                    let _ = stream.read_buf(&mut read).await;
                }
            });
        }
    });
    let found = report(&with_token(&draft(&base_url), &token(600, &json!({})))).await;
    assert_step(&found, StepId::Events, Verdict::Failed, &["nothing came for 9 s", "proxy_buffering off"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_an_examination_ends_it_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/asyncmq", listener.local_addr().expect("bound"));
    let (asks, asked) = oneshot::channel();
    let server = tokio::spawn(async move {
        // The step that connects only says nothing.
        let mut asks = Some(asks);
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut read = Vec::new();
            while stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {
                if read.ends_with(b"\r\n\r\n")
                    && let Some(asks) = asks.take()
                {
                    asks.send(()).expect("somebody waits");
                }
            }
            if !read.is_empty() {
                return;
            }
        }
    });
    let examination = tokio::spawn(async move {
        let subject = with_token(&draft(&base_url), "opaque-token");
        report(&subject).await
    });
    asked.await.expect("it asks");
    examination.abort();
    assert!(examination.await.expect_err("it is dropped").is_cancelled());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), server).await;
    ended.expect("its connection is closed").expect("no panic");
}
