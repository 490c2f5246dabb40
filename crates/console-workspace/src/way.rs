//! Which way does a sign-in go, and what does the vault hold for it? One tunnel per environment, whoever goes through it.

use std::sync::Arc;

use console_core::{
    environment::{Environment, EnvironmentId},
    network::Network,
    secrets::Secrets,
    sign_in::SignInError,
    tunnel::{Tunnel, TunnelError},
    upstream::Reach,
    vault::{Slot, StoredCredential, VaultError},
};

use crate::{
    sign_in::Failure,
    station::Way,
    words,
    workspace::{RunningTunnel, Workspace},
};

impl Workspace {
    /// The way to the remote side: what the vault holds, under what was typed; its tunnel is up.
    pub(crate) async fn way(
        &self,
        id: &EnvironmentId,
        environment: &Environment,
        typed: Secrets,
    ) -> Result<Way, Failure> {
        let kept = self.kept_for(id, environment, Slot::Network).await?;
        let secrets = kept.overlaid(typed);
        let problem = |error: &dyn console_core::sign_in::Advice| Failure::Problem(words::advised(error));
        if let Some(missing) =
            environment.network.asks().into_iter().find(|ask| ask.required && secrets.get(&ask.key).is_none())
        {
            return Err(SignInError::Missing(missing.label).into());
        }
        let network = environment.network.kept(&secrets).map_err(|error| problem(&error))?;
        let reach = Reach::new(environment, &network).map_err(|error| problem(&error))?;
        // As it was read just now: a file of authorities may have changed since it was approved.
        if !self.is_approved(environment).await {
            return Err(Failure::Problem(words::approve_first(&environment.tag)));
        }
        let tunnel = self.tunnel(id, environment).await.map_err(|error| problem(&error))?;
        Ok(Way { reach, network, _tunnel: tunnel })
    }

    /// The environment's tunnel: the one that runs, else a new one.
    pub(crate) async fn tunnel(
        &self,
        id: &EnvironmentId,
        environment: &Environment,
    ) -> Result<Option<Arc<Tunnel>>, TunnelError> {
        let Some(command) = &environment.network.tunnel else { return Ok(None) };
        let turns = self.turns(id);
        let mut running = turns.tunnel.lock().await;
        if let Some(known) = running.as_ref().filter(|known| known.command == *command)
            && known.base_url == environment.base_url
            && let Some(tunnel) = known.tunnel.upgrade()
        {
            return Ok(Some(tunnel));
        }
        let started = self.core.ending.run_until_cancelled(Tunnel::start(command, environment.base_url.as_url())).await;
        let closing =
            || TunnelError::NotStarted { program: command.program.clone(), reason: "the console is closing".into() };
        let tunnel = Arc::new(started.unwrap_or_else(|| Err(closing()))?);
        *running = Some(RunningTunnel {
            command: command.clone(),
            base_url: environment.base_url.clone(),
            tunnel: Arc::downgrade(&tunnel),
        });
        Ok(Some(tunnel))
    }

    /// What the vault holds for this environment as it is now; nothing that was given for another address.
    pub(crate) async fn kept_for(
        &self,
        id: &EnvironmentId,
        environment: &Environment,
        slot: Slot,
    ) -> Result<Secrets, VaultError> {
        let stored = self.core.vault.load(id, slot).await?;
        let endpoint = endpoint_of(environment, slot);
        let realm = environment.base_url.realm();
        let fitting = stored.filter(|stored| {
            stored.is_for(&realm, endpoint.as_deref()) && stored.method == method_of(environment, slot)
        });
        Ok(fitting.map(|stored| stored.secrets).unwrap_or_default())
    }

    /// Writes what a sign-in keeps into the vault: before it is used, so that a rotated token is never lost.
    pub(crate) async fn keep(
        &self,
        id: &EnvironmentId,
        environment: &Environment,
        method: &Secrets,
        network: &Secrets,
    ) -> Result<(), VaultError> {
        let record = |slot: Slot, secrets: &Secrets| StoredCredential {
            realm: environment.base_url.realm(),
            endpoint: endpoint_of(environment, slot),
            method: method_of(environment, slot).to_owned(),
            secrets: secrets.clone(),
            stored_at: self.core.clock.now(),
            in_use: true,
        };
        if !network.is_empty() {
            self.core.vault.store(id, Slot::Network, &record(Slot::Network, network)).await?;
        }
        self.core.vault.store(id, Slot::Credential, &record(Slot::Credential, method)).await
    }
}

/// The network's answers, and the method's.
pub(crate) fn split(answers: Secrets) -> (Secrets, Secrets) {
    (answers.clone().only(Network::owns), answers.only(|name| !Network::owns(name)))
}

/// Names of what the vault holds for both.
pub(crate) fn known(method: &Secrets, network: &Secrets) -> Vec<String> {
    method.names().chain(network.names()).map(str::to_owned).collect()
}

/// Which method the secrets of a slot are of.
pub(crate) fn method_of(environment: &Environment, slot: Slot) -> &'static str {
    match slot {
        Slot::Credential => environment.sign_in.name(),
        Slot::Network | Slot::Approvals => "",
    }
}

/// Where the secrets of a slot go besides the realm.
pub(crate) fn endpoint_of(environment: &Environment, slot: Slot) -> Option<String> {
    match slot {
        Slot::Credential => environment.sign_in.implementation().endpoint(),
        Slot::Network => environment.network.endpoint(),
        Slot::Approvals => None,
    }
}
