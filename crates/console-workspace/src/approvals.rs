//! What the operator has approved: commands, proxies and certificate authorities that a settings file names.

use console_core::{
    approval::{self, Approval},
    environment::{Environment, EnvironmentId},
    secrets::Secrets,
    vault::{Slot, StoredCredential},
};

use crate::{sign_in::Answer, workspace::Workspace};

impl Workspace {
    /// Finds what waits for approval.
    pub(crate) async fn look_at_approvals(&self, id: &EnvironmentId) {
        let Ok(environment) = self.read(id, |station| station.environment.clone()) else { return };
        let approved =
            if approval::needed(&environment).is_empty() { Secrets::default() } else { self.approved(id).await };
        let missing = approval::missing(&environment, &approved);
        self.change(id, |station| station.approvals = missing);
    }

    /// What the operator has approved of an environment.
    pub(crate) async fn approved(&self, id: &EnvironmentId) -> Secrets {
        // Kept for this run too: without a keychain the operator is not asked twice.
        let this_run = self.inner().approved.get(id).cloned().unwrap_or_default();
        let stored = self.core.vault.load(id, Slot::Approvals).await.ok().flatten();
        stored.map(|stored| stored.secrets).unwrap_or_default().overlaid(this_run)
    }

    /// The operator has seen what the shell shows, and approves exactly that.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn approvals_accept(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let (environment, shown) =
            self.read(&id, |station| (station.environment.clone(), station.approvals.clone()))?;
        self.approve(&environment, shown).await;
        // A file that changed in between is asked about again.
        self.look_at_approvals(&id).await;
        self.restore(&id).await;
        Ok(())
    }

    /// Adds to what is approved. Where the keychain does not take it, it holds for this run.
    pub(crate) async fn approve(&self, environment: &Environment, seen: Vec<Approval>) {
        if seen.is_empty() {
            return;
        }
        let secrets = self.approved(&environment.id).await.overlaid(approval::record(seen));
        self.keep_approved(environment, secrets).await;
    }

    /// Replaces what is approved.
    pub(crate) async fn keep_approved(&self, environment: &Environment, secrets: Secrets) {
        self.inner().approved.insert(environment.id.clone(), secrets.clone());
        let record = StoredCredential {
            realm: environment.base_url.realm(),
            endpoint: None,
            method: String::new(),
            secrets,
            stored_at: self.core.clock.now(),
            in_use: true,
        };
        if let Err(error) = self.core.vault.store(&environment.id, Slot::Approvals, &record).await {
            tracing::warn!(%error, "what was approved holds for this run only");
        }
    }

    /// Whether everything of `environment` is approved, as it is at this moment.
    pub(crate) async fn is_approved(&self, environment: &Environment) -> bool {
        approval::needed(environment).is_empty()
            || approval::missing(environment, &self.approved(&environment.id).await).is_empty()
    }
}
