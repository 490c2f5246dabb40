//! The commands that sign out: what ends here at once, and what the other side is told.

use std::{sync::Arc, time::Duration};

use console_core::{
    environment::EnvironmentId,
    secrets::Secrets,
    sign_in::Context,
    vault::{Slot, VaultError},
};
use console_ipc::{Prompt, StoredCredentialView};

use crate::{
    restore::{stored_view, vault_failed},
    sign_in::{Answer, InShell},
    workspace::Workspace,
};

/// How long the other side may take to hear of it.
const FAREWELL: Duration = Duration::from_secs(15);

impl Workspace {
    /// Asks how to sign out.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_out_open(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        crate::prompts::add(&mut self.inner().prompts, Prompt::SignOut { environment: id.to_string() });
        self.publish();
        Ok(())
    }

    /// Ends the session: streams, webview and its storage, cookies. `forget` removes what is stored as well, and revokes it
    /// where the provider can; otherwise it stays in the keychain, unused until the operator asks for it.
    ///
    /// # Errors
    /// When the environment is gone, or the keychain refuses; the session has ended all the same.
    pub async fn sign_out(&self, id: &str, forget: bool) -> Answer<()> {
        let id = self.id(id)?;
        let cookies = self.read(&id, |station| station.gateway.as_ref().map(console_gateway::Gateway::cookies))?;
        self.close(&id);
        let run = self.fresh_run();
        let ended = self.change(&id, |station| {
            station.sign_in_run = run;
            station.cancel.notify_waiters();
            station.pending = None;
            station.step = None;
            station.next = None;
            station.problem = None;
            station.session.sign_out();
            let granted = station.granted.take();
            Some((granted?.keep, station.way.take()?, station.environment.clone(), station.sign_in_run))
        });
        self.close_prompt(&Prompt::SignOut { environment: id.to_string() });
        if let Some((keep, way, environment, run)) = ended.flatten()
            && (forget || environment.sign_in.implementation().ends_always())
        {
            let mut secrets = keep;
            for (name, value) in cookies.unwrap_or_default() {
                secrets.set(&format!("{}{name}", console_core::network::secret::COOKIE), value);
            }
            tokio::spawn(self.clone().say_farewell(id.clone(), run, environment, way, secrets));
        }
        let turns = self.turns(&id);
        let turn = turns.vault.lock().await;
        let done = if forget {
            self.core.vault.forget(&id, Slot::Credential).await.map(|()| StoredCredentialView::None)
        } else {
            self.set_aside(&id).await
        };
        drop(turn);
        let failed = done.err();
        self.look_at_stored(&id).await;
        failed.map_or(Ok(()), |error| Err(vault_failed(&error)))
    }

    /// Tells the other side, and the operator what could not be done there.
    async fn say_farewell(
        self,
        id: EnvironmentId,
        run: u64,
        environment: console_core::environment::Environment,
        way: crate::station::Way,
        secrets: Secrets,
    ) {
        let operator = InShell { workspace: self.clone(), id: id.clone(), run };
        let with = Context {
            environment: &environment,
            reach: &way.reach,
            clock: self.core.clock.clone(),
            operator: &operator,
        };
        let told = tokio::time::timeout(FAREWELL, environment.sign_in.implementation().end(&with, secrets)).await;
        let notes = told.unwrap_or_else(|_| {
            vec![format!("{} could not be told of the sign-out in time; it ended here.", environment.tag)]
        });
        for note in notes {
            self.inner().notify("info", note, Some(&id));
        }
        self.if_current(&id, run, |station| station.step = None);
        self.publish();
    }

    /// Keeps what is stored, but not in use: the next start does not sign in with it by itself.
    async fn set_aside(&self, id: &EnvironmentId) -> Result<StoredCredentialView, VaultError> {
        let Some(mut stored) = self.core.vault.load(id, Slot::Credential).await? else {
            return Ok(StoredCredentialView::None);
        };
        stored.in_use = false;
        self.core.vault.store(id, Slot::Credential, &stored).await?;
        let view = self.read(id, |station| stored_view(Some(&stored), &station.environment));
        Ok(view.unwrap_or(StoredCredentialView::None))
    }

    /// Stays signed in. The page that asked is loaded again: it may show that it waits.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_out_cancel(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        self.close_prompt(&Prompt::SignOut { environment: id.to_string() });
        self.reload_if_open(&id);
        Ok(())
    }

    /// Asks whether the token is to be copied.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn token_copy_open(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        crate::prompts::add(&mut self.inner().prompts, Prompt::CopyToken { environment: id.to_string() });
        self.publish();
        Ok(())
    }

    /// Copies the token in use to the clipboard, from which it is cleared after a while; or not.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn token_copy(&self, id: &str, yes: bool) -> Answer<()> {
        let id = self.id(id)?;
        let asked = self.inner().prompts.contains(&Prompt::CopyToken { environment: id.to_string() });
        self.close_prompt(&Prompt::CopyToken { environment: id.to_string() });
        let token = self.read(&id, |station| match station.granted.as_ref().map(|granted| &granted.credential) {
            Some(console_core::session::Credential::Token(token)) if station.environment.allow_token_copy => {
                Some(token.clone())
            }
            _ => None,
        })?;
        // Only the answer to the question: no other way leads to the clipboard.
        if let Some(token) = token.filter(|_| yes && asked) {
            self.order(crate::StageOrder::CopySecret { text: crate::CopiedSecret(Arc::new(token)) });
        }
        Ok(())
    }
}
