//! What the keychain holds: sessions are restored from it at the start, and the operator decides about the rest.

use console_core::{
    environment::{Environment, EnvironmentId},
    secrets::Secrets,
    session::{Credential, Fresh, Kept},
    sign_in::attachment,
    vault::{Slot, StoredCredential},
};
use console_ipc::{CommandError, StoredCredentialView};

use crate::{
    sign_in::Answer,
    station::Granted,
    way::{endpoint_of, known},
    words,
    workspace::Workspace,
};

impl Workspace {
    /// Restores what the keychain holds for every environment, then opens the one on stage.
    pub(crate) async fn restore_all(&self) {
        let ids: Vec<EnvironmentId> =
            self.inner().file.list().iter().map(|environment| environment.id.clone()).collect();
        for id in ids {
            let has_tunnel = self.read(&id, |station| station.environment.network.tunnel.is_some()).unwrap_or(false);
            if has_tunnel {
                // Its port is waited for: that holds up nobody else.
                let workspace = self.clone();
                tokio::spawn(async move { workspace.restore(&id).await });
            } else {
                self.restore(&id).await;
            }
        }
    }

    /// Signs in with what is stored, when it is meant for this environment as it is and was in use. Where that is a
    /// credential already, the admin is not asked: its first answer tells, and the window need not wait for the network.
    /// Where one has to be obtained from it first, that goes on beside.
    pub(crate) async fn restore(&self, id: &EnvironmentId) {
        let begun = self.read(id, |station| (station.environment.clone(), station.sign_in_run));
        let Ok((environment, run)) = begun else { return };
        self.look_at_approvals(id).await;
        // What a sign-in stores meanwhile is read, or comes after this.
        let turns = self.turns(id);
        let turn = turns.vault.lock().await;
        let loaded = self.core.vault.load(id, Slot::Credential).await;
        let network = self.kept_for(id, &environment, Slot::Network).await.unwrap_or_default();
        // A sign-in or sign-out that came meanwhile knows better than what was read before it.
        let wanted = self.if_current(id, run, |station| {
            let stored = match loaded {
                Ok(stored) => stored,
                Err(error) => {
                    station.problem = Some(words::vault_error(&error));
                    return None;
                }
            };
            station.stored = stored_view(stored.as_ref(), &environment);
            station.problem = None;
            let is_ready = station.stored == StoredCredentialView::Ready;
            let kept = stored.filter(|_| is_ready);
            let secrets = kept.as_ref().map(|stored| stored.secrets.clone()).unwrap_or_default();
            station.known_secrets = known(&secrets, &network);
            (station.approvals.is_empty() && station.granted.is_none())
                .then_some(kept.filter(|stored| stored.in_use))
                .flatten()
        });
        drop(turn);
        self.publish();
        let Some(Some(stored)) = wanted else { return };
        let now = self.core.clock.now();
        let implementation = environment.sign_in.implementation();
        let renewable = implementation.can_renew(&stored.secrets);
        let credential_run = self.fresh_run();
        let granted = |credential, renew_at| Granted {
            run: credential_run,
            unkept: false,
            credential,
            keep: stored.secrets.clone(),
            obtained_at: stored.stored_at,
            renewed_at: None,
            renew_at,
        };
        if let Some(grant) = implementation.restore(&stored.secrets, now) {
            let way = match self.way(id, &environment, Secrets::default()).await {
                Ok(way) => way,
                Err(failure) => {
                    let problem = failure.problem(&environment);
                    self.if_current(id, run, |station| station.problem = Some(problem));
                    self.publish();
                    return;
                }
            };
            let Ok(attached) = attachment(&environment).attach(&grant.credential, way.reach.extras()) else {
                return;
            };
            let identity = grant.identity;
            self.if_current(id, run, |station| {
                station.way = Some(way);
                station.granted = Some(granted(grant.credential, self.renew_at(&identity, stored.stored_at)));
                station.session.begin(Fresh { attached, identity, server_ahead: 0, renewable }, Kept::Vault);
                station.session.expire_if_due();
            });
            // By our clock alone until the server's is known.
            tokio::spawn(self.clone().measure(id.clone()));
            self.publish();
            if self.inner().selected.as_ref() == Some(id) {
                self.open(id, None).await;
            }
        } else if renewable {
            // Whoever watches the session obtains it, and goes on trying while nothing can be reached.
            self.if_current(id, run, |station| {
                station.granted = Some(granted(Credential::Nothing, None));
                station.session.begin_by_renewal();
            });
            self.publish();
        }
    }

    /// Reads again what the vault holds, for the shell.
    pub(crate) async fn look_at_stored(&self, id: &EnvironmentId) {
        let Ok(environment) = self.read(id, |station| station.environment.clone()) else { return };
        let turns = self.turns(id);
        let _turn = turns.vault.lock().await;
        let stored = self.core.vault.load(id, Slot::Credential).await.ok().flatten();
        let network = self.kept_for(id, &environment, Slot::Network).await.unwrap_or_default();
        let view = stored_view(stored.as_ref(), &environment);
        let secrets = stored.filter(|_| view == StoredCredentialView::Ready).map(|stored| stored.secrets);
        self.change(id, |station| {
            station.known_secrets = known(&secrets.unwrap_or_default(), &network);
            station.stored = view;
        });
    }

    /// Uses what was stored for another address, token endpoint or issuer.
    ///
    /// # Errors
    /// When the environment is gone or the keychain refuses.
    pub async fn stored_credential_confirm(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let environment = self.read(&id, |station| station.environment.clone())?;
        let turns = self.turns(&id);
        let turn = turns.vault.lock().await;
        // Only what was shown, old → new: what the network's own secrets were given for is typed again.
        let slot = Slot::Credential;
        if let Some(mut stored) = self.core.vault.load(&id, slot).await.map_err(|error| vault_failed(&error))? {
            stored.realm = environment.base_url.realm();
            stored.endpoint = endpoint_of(&environment, slot);
            stored.in_use = true;
            self.core.vault.store(&id, slot, &stored).await.map_err(|error| vault_failed(&error))?;
        }
        drop(turn);
        self.restore(&id).await;
        Ok(())
    }

    /// Removes what is stored: what signs in, and what the way needs.
    ///
    /// # Errors
    /// When the environment is gone or the keychain refuses.
    pub async fn stored_credential_forget(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let run = self.fresh_run();
        self.change(&id, |station| {
            if let Some(granted) = &mut station.granted {
                // The session goes on to its end; nothing of it is stored again.
                granted.run = run;
                granted.keep = Secrets::default();
            }
            station.session.set_renewable(false);
        });
        let turns = self.turns(&id);
        let turn = turns.vault.lock().await;
        for slot in [Slot::Credential, Slot::Network] {
            self.core.vault.forget(&id, slot).await.map_err(|error| vault_failed(&error))?;
        }
        drop(turn);
        self.look_at_stored(&id).await;
        Ok(())
    }
}

pub(crate) fn vault_failed(error: &console_core::vault::VaultError) -> CommandError {
    CommandError { problem: words::vault_error(error) }
}

pub(crate) fn stored_view(stored: Option<&StoredCredential>, environment: &Environment) -> StoredCredentialView {
    // What another method left is of no use to this one.
    let of_this_method = stored.filter(|stored| stored.method == environment.sign_in.name());
    let Some(stored) = of_this_method else { return StoredCredentialView::None };
    let (realm, endpoint) = (environment.base_url.realm(), endpoint_of(environment, Slot::Credential));
    if stored.is_for(&realm, endpoint.as_deref()) {
        return StoredCredentialView::Ready;
    }
    let shown = |realm: &dyn std::fmt::Display, endpoint: Option<&str>| match endpoint {
        Some(endpoint) => format!("{realm} ({endpoint})"),
        None => realm.to_string(),
    };
    StoredCredentialView::Moved {
        from: shown(&stored.realm, stored.endpoint.as_deref()),
        to: shown(&realm, endpoint.as_deref()),
    }
}
