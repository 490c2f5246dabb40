//! What is done when nothing can be relied on any more: after a sleep, on another network, or because the operator says so.

use std::sync::Arc;

use console_core::{
    environment::EnvironmentId,
    sign_in::plausible_skew,
    upstream::server_time,
    wake::{self, Wake},
};
use console_ipc::CommandError;
use tokio::sync::watch;

use crate::workspace::Workspace;

impl Workspace {
    /// Hears of sleep, of a clock that was set and of other networks, as long as there is a workspace.
    pub(crate) fn watch_for_wake(&self, networks: watch::Receiver<()>) {
        let weak = Arc::downgrade(&self.core);
        let clock = self.core.clock.clone();
        tokio::spawn(async move {
            wake::watch(clock, networks, |wake| {
                let Some(core) = weak.upgrade() else { return false };
                tracing::info!(?wake, "looks again");
                Self { core }.woke(wake);
                true
            })
            .await;
        });
    }

    fn woke(&self, wake: Wake) {
        let ids: Vec<EnvironmentId> = self.inner().stations.keys().cloned().collect();
        for id in ids {
            self.look_again(&id);
            if matches!(wake, Wake::Jumped(_)) {
                tokio::spawn(self.clone().measure(id));
            }
        }
    }

    /// Tries at once what waits for a pause to pass, over fresh connections.
    pub(crate) fn look_again(&self, id: &EnvironmentId) {
        let mut inner = self.inner();
        let Some(station) = inner.stations.get_mut(id) else { return };
        station.renew_not_before = None;
        station.renew_failures = 0;
        if let Some(way) = &station.way {
            way.reach.reconnect();
        }
        if let Some(gateway) = &station.gateway {
            gateway.try_now();
        }
        station.look.notify_one();
    }

    /// Compares the server's clock with ours anew.
    pub(crate) async fn measure(self, id: EnvironmentId) {
        let known = self.read(&id, |station| {
            let way = station.way.as_ref()?;
            Some((station.environment.clone(), way.reach.clone(), station.session.clone()))
        });
        let Ok(Some((environment, reach, session))) = known else { return };
        let before = self.core.clock.now();
        if let Ok(Some(server)) = server_time(&reach, &environment).await {
            session.measured(plausible_skew(server.seconds_since(before)));
        }
    }

    /// Tries what cannot be reached now instead of after its pause.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn session_try_now(&self, id: &str) -> Result<(), CommandError> {
        let id = self.id(id)?;
        self.look_again(&id);
        Ok(())
    }
}
