//! A write that meets an ended session, and what it meets on its way: a real admin, or none that answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use console_core::{secrets::Secrets, upstream::Reach};
use console_gateway::{GatewayEvent, HeldId, Pace};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    Answer, Bench, environment,
    owner::begin,
    real::{RealAdmin, token},
};

pub(crate) const RETRY: &str = "/asyncmq/queues/emails/jobs/receipt-1/retry";
/// Asks for the answer that a form gets, a redirect with a flash message: only whoever reads the body gives it.
pub(crate) const HTML: [(&str, &str); 2] =
    [("_response", "html"), ("return_to", "/asyncmq/queues/emails/jobs?state=failed")];

/// A token whose time is up by the admin's clock, and by nobody's here.
pub(crate) fn expired() -> String {
    token(&json!({ "iat": 1_000, "exp": 2_000 }))
}

/// How many retries the admin itself has on its audit page.
pub(crate) async fn retries(bench: &Bench) -> usize {
    let audit = bench.page("GET", "/asyncmq/audit", "", "").await;
    assert_eq!(audit.status, 200);
    audit.text().matches("amq-audit-action\">job.retry<").count()
}

pub(crate) async fn retry(bench: &Bench) -> Answer {
    bench.submit(RETRY, &HTML).await
}

/// The one write that is held.
pub(crate) fn only_held(bench: &Bench) -> HeldId {
    let held = bench.gateway.held();
    assert_eq!(held.len(), 1, "{held:?}");
    held[0].id
}

/// A session before the real admin that has ended without anybody to renew it, and one write that met that.
pub(crate) async fn with_one_held(admin: &RealAdmin) -> Bench {
    let mut bench = Bench::before(&admin.base_url).await;
    begin(&bench, &expired(), false);
    assert_eq!(retry(&bench).await.status, 204, "the page stays as it is");
    bench.hears(GatewayEvent::Held).await;
    bench
}

/// Looks up `localhost`, or panics: whoever waits for it fails in the middle.
pub(crate) struct Names {
    address: SocketAddr,
    panics: AtomicBool,
}

impl Names {
    pub(crate) fn panic(&self, panics: bool) {
        self.panics.store(panics, Ordering::SeqCst);
    }
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        assert!(!self.panics.load(Ordering::SeqCst), "as this test wants it");
        Box::pin(std::future::ready(Ok(Box::new([self.address].into_iter()) as Addrs)))
    }
}

/// Before `admin`, whose name is looked up for each connection.
pub(crate) async fn by_name(admin: &RealAdmin) -> (Bench, Reach, Arc<Names>) {
    let address: SocketAddr = admin.host().parse().expect("an address");
    let names = Arc::new(Names { address, panics: AtomicBool::new(false) });
    let environment = environment(&format!("http://localhost:{}/asyncmq", address.port()), |_| ());
    let reach = Reach::resolving(&environment, &Secrets::default(), names.clone()).expect("a way");
    (Bench::of(environment, reach.clone(), Pace::default()).await, reach, names)
}

/// Takes a whole request and ends the connection, `breaks` times; then it answers. Counts the requests.
pub(crate) async fn breaking(breaks: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}/asyncmq", listener.local_addr().expect("address"));
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
                let mut piece = [0; 4096];
                match stream.read(&mut piece).await {
                    Ok(0) | Err(_) => break,
                    Ok(length) => bytes.extend_from_slice(&piece[..length]),
                }
            }
            if seen.fetch_add(1, Ordering::SeqCst) >= breaks {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
            }
        }
    });
    (base, count)
}
