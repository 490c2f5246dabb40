//! Opens and closes the gateways of environments, and reads what they report.

use console_core::environment::EnvironmentId;
use console_gateway::{Gateway, GatewayEvent, Upstream};
use console_ipc::Prompt;
use tokio::sync::mpsc;

use crate::{StageOrder, station::Connection, words, workspace::Workspace};

/// What a session goes on by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resumed {
    BySignIn,
    ByRenewal,
}

impl Workspace {
    /// Opens the dashboard of the environment on stage, when it is signed in and not open yet.
    pub(crate) async fn open_selected(&self) {
        let Some(id) = self.inner().selected.clone() else { return };
        self.open(&id, None).await;
    }

    /// Opens a dashboard at `path` (or its first page), when the session is active and it is not open yet.
    pub(crate) async fn open(&self, id: &EnvironmentId, path: Option<String>) {
        let upstream = {
            let inner = self.inner();
            let Some(station) = inner.stations.get(id) else { return };
            if station.gateway.is_some() || !station.session.state().goes_on() || station.session.identity().is_none() {
                return;
            }
            let Some(way) = &station.way else { return };
            Upstream {
                environment: station.environment.clone(),
                reach: way.reach.clone(),
                session: station.session.clone(),
            }
        };
        let (reports, received) = mpsc::unbounded_channel();
        let session = upstream.session.clone();
        match Gateway::start(upstream, reports).await {
            Ok(gateway) => {
                self.introduce(id, &gateway).await;
                let Ok(entry) = gateway.entry(path.as_deref()) else { return };
                let origin = gateway.origin();
                {
                    let mut inner = self.inner();
                    let Some(station) = inner.stations.get_mut(id) else { return };
                    // Two openings at once, or an environment that was edited meanwhile: the first stays.
                    if station.gateway.is_some() || !std::sync::Arc::ptr_eq(&station.session, &session) {
                        return;
                    }
                    station.operator = session.identity();
                    station.gateway = Some(gateway);
                    drop(inner);
                }
                tokio::spawn(self.clone().listen(id.clone(), received));
                self.order(StageOrder::Open { environment: id.clone(), entry, origin });
                self.publish();
            }
            Err(error) => {
                self.inner().notify("error", format!("The dashboard cannot open: {error}."), Some(id));
                self.publish();
            }
        }
    }

    /// Ends a dashboard: its webview, its storage, its streams, its cookies. What is held for it is not done: `why`.
    pub(crate) fn close(&self, id: &EnvironmentId, why: &str) {
        let gateway = {
            let mut inner = self.inner();
            let Some(station) = inner.stations.get_mut(id) else { return };
            station.page = None;
            station.page_asleep = false;
            station.kept_out.clear();
            station.operator = None;
            station.connection = Connection::Fine;
            station.gateway.take()
        };
        if let Some(gateway) = gateway {
            let on_their_way = gateway.on_their_way();
            let dropped = gateway.forget_operator();
            let port = gateway.close();
            self.say_dropped(id, &dropped, why);
            self.say_on_their_way(id, on_their_way, why);
            self.close_prompt(&Prompt::ThirdParties { environment: id.to_string() });
            self.order(StageOrder::Close { environment: id.clone(), port });
        }
    }

    /// The same operator goes on where they were, another gets a dashboard of their own.
    pub(crate) async fn resume(&self, id: &EnvironmentId, by: Resumed) {
        let (same_operator, open) = {
            let inner = self.inner();
            let Some(station) = inner.stations.get(id) else { return };
            let now = station.session.identity();
            let same = match (&station.operator, &now) {
                // What renews a session is its own: a credential that names nobody is still the same operator's.
                (Some(before), Some(now)) if by == Resumed::ByRenewal => !before.is_someone_else(now),
                (Some(before), Some(now)) => before.is_same_operator(now),
                _ => false,
            };
            (same, station.gateway.is_some())
        };
        let next = self.change(id, |station| station.next.take()).flatten();
        if !open {
            self.open(id, next).await;
            return;
        }
        // A page that waits goes on by itself, unless its dashboard is opened anew.
        let take = if same_operator { Gateway::take_return_path } else { Gateway::take_interrupted_path };
        let back = self.change(id, |station| station.gateway.as_ref().and_then(take)).flatten();
        if same_operator {
            match next.or(back) {
                Some(path) => self.go_to(id, &path),
                None => self.wake_page(id),
            }
            self.publish();
        } else {
            // Where they were is the page's address, not what it held.
            let path = next.or(back).or_else(|| {
                self.read(id, |station| station.page.as_ref().and_then(|page| path_of(&page.url))).ok().flatten()
            });
            self.close(id, "Another operator has signed in, as far as the credential tells.");
            self.open(id, path).await;
        }
    }

    /// Loads a page again whose live updates ended with a navigation that led nowhere, once nothing waits for it any more.
    pub(crate) fn wake_page(&self, id: &EnvironmentId) {
        let wakes = self.read(id, |station| {
            let waits = station.gateway.as_ref().is_some_and(|gateway| !gateway.held().is_empty());
            station.page_asleep && !waits && station.session.state().goes_on()
        });
        if wakes == Ok(true) {
            self.order_page(id, StageOrder::Reload { environment: id.clone() });
        }
    }

    /// An order that loads a page: whatever the one before it waited for is over.
    pub(crate) fn order_page(&self, id: &EnvironmentId, order: StageOrder) {
        if let Some(station) = self.inner().stations.get_mut(id) {
            station.page_asleep = false;
        }
        self.order(order);
    }

    /// Where the operator wanted to go while the admin could not be reached.
    pub(crate) fn lead_on(&self, id: &EnvironmentId) {
        let path = self.read(id, |station| station.gateway.as_ref().and_then(Gateway::take_return_path));
        if let Ok(Some(path)) = path {
            self.go_to(id, &path);
        }
    }

    /// Sends an open dashboard to a path of its gateway.
    pub(crate) fn go_to(&self, id: &EnvironmentId, path_and_query: &str) {
        let url = self
            .read(id, |station| station.gateway.as_ref().and_then(|gateway| gateway.origin().join(path_and_query).ok()))
            .ok()
            .flatten();
        if let Some(url) = url {
            self.order_page(id, StageOrder::Navigate { environment: id.clone(), url });
        }
    }

    async fn listen(self, id: EnvironmentId, mut reports: mpsc::UnboundedReceiver<GatewayEvent>) {
        while let Some(event) = reports.recv().await {
            self.on_gateway_event(&id, event);
        }
    }

    fn on_gateway_event(&self, id: &EnvironmentId, event: GatewayEvent) {
        {
            let mut inner = self.inner();
            let Some(station) = inner.stations.get_mut(id) else { return };
            let tag = station.environment.tag.clone();
            match event {
                GatewayEvent::SignInRequested { next } => {
                    station.next = next;
                    station.page_asked = true;
                    crate::prompts::add(&mut inner.prompts, Prompt::SignIn { environment: id.to_string() });
                }
                GatewayEvent::SignOutRequested => {
                    station.page_asked = true;
                    crate::prompts::add(&mut inner.prompts, Prompt::SignOut { environment: id.to_string() });
                }
                GatewayEvent::WriteLocked => {
                    inner.notify("refused_write", format!("{tag} is locked. Nothing was done."), Some(id));
                }
                GatewayEvent::WriteRefused { name, status } => {
                    inner.notify("refused_write", words::write_refused(&tag, &name, status), Some(id));
                }
                GatewayEvent::WriteNotDone { surely: true } => inner.notify(
                    "refused_write",
                    format!("An action was not done on {tag}: it did not reach the dashboard."),
                    Some(id),
                ),
                GatewayEvent::WriteNotDone { surely: false } => inner.notify(
                    "refused_write",
                    format!(
                        "It cannot be told whether an action on {tag} was carried out: look before you do it again."
                    ),
                    Some(id),
                ),
                GatewayEvent::Stalled { since } => {
                    station.connection = Connection::Stalled { since, problem: words::stalled(&tag) };
                }
                GatewayEvent::OversizedEvents => {
                    station.connection = Connection::Impaired(words::oversized_events(&tag));
                }
                GatewayEvent::Held | GatewayEvent::OnTheirWay => {}
                GatewayEvent::Blocked(blocked) => {
                    drop(inner);
                    self.on_blocked(id, blocked);
                    return;
                }
                GatewayEvent::PageStays => {
                    station.page_asleep = true;
                    drop(inner);
                    self.order(StageOrder::ShowAgain { environment: id.clone() });
                    return;
                }
                GatewayEvent::Impaired(outcome) => {
                    station.connection =
                        Connection::Impaired(words::outcome_problem(&outcome, None, &station.environment));
                }
                GatewayEvent::Fine => station.connection = Connection::Fine,
            }
        }
        self.publish();
    }
}

fn path_of(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    Some(url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())))
}
