//! A real admin, a way to it that breaks, a gateway, and pages.

use std::time::Duration;

use console_core::{secrets::Secrets, session::SessionState, upstream::Reach};
use console_gateway::{GatewayEvent, Pace};
use console_testing::fault_proxy::FaultProxy;
use serde_json::json;
use tokio::time::{self, Instant};
use url::Url;

use super::{Bench, Consumer, environment, real::RealAdmin};

/// The request of the live stream.
pub(crate) const STREAM: &str = "GET /asyncmq/events ";
/// What one round of the admin's stream is made of.
pub(crate) const EVENTS: [&str; 7] =
    ["overview", "jobdist", "metrics", "queues", "workers", "latest_jobs", "latest_queues"];
/// The promise: so long after the end of an outage everything is fresh again.
pub(crate) const FRESH_WITHIN: Duration = Duration::from_secs(10);

/// An operator who is signed in at a real admin, with a proxy on the way.
pub(crate) struct Faulty {
    pub(crate) proxy: FaultProxy,
    pub(crate) bench: Bench,
}

impl Faulty {
    pub(crate) async fn before(admin: &RealAdmin) -> Self {
        Self::at(Pace::default(), admin).await
    }

    pub(crate) async fn at(pace: Pace, admin: &RealAdmin) -> Self {
        let proxy = FaultProxy::before(admin.host().parse().expect("an address")).await.expect("a port");
        let bench = Bench::at(pace, &format!("http://{}/asyncmq", proxy.address())).await;
        bench.sign_in_really(&json!({}));
        Self { proxy, bench }
    }

    /// Before an admin under TLS; `ca_file` is trusted.
    pub(crate) async fn trusting(ca_file: &str, admin: &RealAdmin) -> Self {
        let url: Url = admin.base_url.parse().expect("a URL");
        let address = format!("127.0.0.1:{}", url.port().expect("a port"));
        let proxy = FaultProxy::before(address.parse().expect("an address")).await.expect("a port");
        let environment = environment(&format!("https://{}/asyncmq", proxy.address()), |draft| {
            ca_file.clone_into(&mut draft.network.ca_file);
        });
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        let bench = Bench::of(environment, reach, Pace::default()).await;
        bench.sign_in_really(&json!({}));
        Self { proxy, bench }
    }

    /// A page that has heard every event.
    pub(crate) async fn page(&self) -> Consumer {
        let mut page = Consumer::of(&self.bench).await;
        page.hears_a_round(FRESH_WITHIN).await;
        page
    }

    /// Waits for a state of the session.
    pub(crate) async fn state(
        &self,
        what: &str,
        within: Duration,
        fits: impl Fn(&SessionState) -> bool,
    ) -> SessionState {
        let mut states = self.bench.session.subscribe();
        let waited = time::timeout(within, states.wait_for(|state| fits(state))).await;
        let waited =
            waited.unwrap_or_else(|_| panic!("not {what} within {within:?}: {:?}", self.bench.session.state()));
        waited.expect("the session is there").clone()
    }

    pub(crate) async fn is_unreachable(&self) -> SessionState {
        let within = Duration::from_secs(12);
        self.state("unreachable", within, |state| matches!(state, SessionState::Unreachable { .. })).await
    }

    pub(crate) async fn is_active(&self) -> SessionState {
        self.state("active", FRESH_WITHIN, |state| matches!(state, SessionState::Active { .. })).await
    }

    /// Waits for a report, and passes over others.
    pub(crate) async fn reports(&mut self, within: Duration, fits: impl Fn(&GatewayEvent) -> bool) -> GatewayEvent {
        let waited = time::timeout(within, async {
            loop {
                let report = self.bench.reports.recv().await.expect("the gateway is there");
                if fits(&report) {
                    return report;
                }
            }
        });
        waited.await.unwrap_or_else(|_| panic!("no such report within {within:?}"))
    }
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < within, "{what}: not within {within:?}");
        time::sleep(Duration::from_millis(10)).await;
    }
}
