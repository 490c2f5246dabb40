//! What the operator has approved: commands, proxies and certificate authorities that a settings file names.

use console_core::{
    approval,
    environment::{Environment, EnvironmentId},
    secrets::Secrets,
    vault::{Slot, StoredCredential},
};

use crate::{restore::vault_failed, sign_in::Answer, workspace::Workspace};

impl Workspace {
    /// Finds what waits for approval.
    pub(crate) async fn look_at_approvals(&self, id: &EnvironmentId) {
        let Ok(environment) = self.read(id, |station| station.environment.clone()) else { return };
        let approved =
            if approval::needed(&environment).is_empty() { Secrets::default() } else { self.approved(id).await };
        let missing = approval::missing(&environment, &approved);
        self.change(id, |station| station.approvals = missing);
    }

    async fn approved(&self, id: &EnvironmentId) -> Secrets {
        // Kept for this run too: without a keychain the operator is not asked twice.
        let this_run = self.inner().approved.get(id).cloned().unwrap_or_default();
        let stored = self.core.vault.load(id, Slot::Approvals).await.ok().flatten();
        stored.map(|stored| stored.secrets).unwrap_or_default().overlaid(this_run)
    }

    /// The operator has seen all of it and approves.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn approvals_accept(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let (environment, shown) =
            self.read(&id, |station| (station.environment.clone(), station.approvals.clone()))?;
        // What was seen is what is approved: a file that changed in between is asked about again.
        if approval::needed(&environment)
            .iter()
            .any(|one| shown.iter().any(|seen| seen.kind == one.kind && seen != one))
        {
            self.look_at_approvals(&id).await;
            return Ok(());
        }
        self.approve(&environment).await?;
        self.look_at_approvals(&id).await;
        self.restore(&id).await;
        Ok(())
    }

    /// Approves everything of an environment: the operator has just typed it.
    pub(crate) async fn approve(&self, environment: &Environment) -> Answer<()> {
        let secrets = approval::record(environment);
        self.inner().approved.insert(environment.id.clone(), secrets.clone());
        if secrets.is_empty() {
            return Ok(());
        }
        let record = StoredCredential {
            realm: environment.base_url.realm(),
            endpoint: None,
            method: String::new(),
            secrets,
            stored_at: self.core.clock.now(),
            in_use: true,
        };
        match self.core.vault.store(&environment.id, Slot::Approvals, &record).await {
            Ok(()) => Ok(()),
            // Without a keychain it holds for this run, as everything does.
            Err(_) if self.inner().keychain != console_ipc::KeychainView::Available => Ok(()),
            Err(error) => Err(vault_failed(&error)),
        }
    }
}
