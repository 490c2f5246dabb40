//! The commands that sign out: what ends here at once, and what the other side is told.

use std::{sync::Arc, time::Duration};

use console_core::{
    environment::{Environment, EnvironmentId},
    secrets::Secrets,
    session::SessionState,
    sign_in::Context,
    vault::{Slot, VaultError},
};
use console_ipc::{CommandError, Prompt, StoredCredentialView};
use futures_util::future::join_all;
use secrecy::SecretString;

use crate::{
    restore::{stored_view, vault_failed},
    sign_in::{Answer, InShell},
    station::Way,
    words,
    workspace::{Workspace, gone},
};

/// How long the other side may take to hear of it.
const FAREWELL: Duration = Duration::from_secs(15);

/// What the other side is told with.
struct Farewell {
    run: u64,
    environment: Environment,
    was_in_use: bool,
    /// What the credential in use was kept with.
    in_use: Secrets,
    /// What the vault held.
    kept: Secrets,
    way: Option<Way>,
    cookies: Vec<(String, SecretString)>,
}

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
        self.close_prompt(&Prompt::SignOut { environment: id.to_string() });
        let farewell = self.end_session(&id, forget)?;
        // On its own: the program waits for it when it ends.
        let ended = self.core.farewells.spawn(self.clone().end_stored(id, farewell, forget));
        ended.await.unwrap_or_else(|_| Err(CommandError { problem: words::interrupted() }))
    }

    /// Ends what is stored, and has the other side told.
    async fn end_stored(self, id: EnvironmentId, farewell: Farewell, forget: bool) -> Answer<()> {
        let turns = self.turns(&id);
        let turn = turns.vault.lock().await;
        if forget || (farewell.was_in_use && farewell.environment.sign_in.implementation().ends_always()) {
            // Before it is forgotten: what was stored and never used in this run is revoked as well.
            let kept = self.kept_for(&id, &farewell.environment, Slot::Credential).await.unwrap_or_default();
            self.core.farewells.spawn(self.clone().say_farewell(id.clone(), Farewell { kept, ..farewell }));
        }
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

    /// Asks how to sign out of every environment.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn sign_out_all_open(&self) -> Answer<()> {
        crate::prompts::add(&mut self.inner().prompts, Prompt::SignOutAll);
        self.publish();
        Ok(())
    }

    /// Stays signed in everywhere.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn sign_out_all_cancel(&self) -> Answer<()> {
        self.close_prompt(&Prompt::SignOutAll);
        Ok(())
    }

    /// Ends every session, as [`Self::sign_out`] does. With `forget` what is stored goes for every environment, whether it
    /// was in use or not.
    ///
    /// # Errors
    /// When the keychain refuses for one of them; the sessions have ended all the same.
    pub async fn sign_out_all(&self, forget: bool) -> Answer<()> {
        self.close_prompt(&Prompt::SignOutAll);
        let ids: Vec<EnvironmentId> = self
            .inner()
            .stations
            .iter()
            .filter(|(_, station)| {
                let stored = forget && station.stored != StoredCredentialView::None;
                station.granted.is_some() || station.session.state() != SessionState::SignedOut || stored
            })
            .map(|(id, _)| id.clone())
            .collect();
        // At once: a keychain that asks for a password holds up no session's end.
        let ended = join_all(ids.iter().map(|id| self.sign_out(id.as_str(), forget))).await;
        ended.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    /// Ends what a session has here, at once. With `forget` what is stored is no longer offered.
    fn end_session(&self, id: &EnvironmentId, forget: bool) -> Answer<Farewell> {
        let cookies = self.read(id, |station| station.gateway.as_ref().map(console_gateway::Gateway::cookies))?;
        self.close(id, "You signed out.");
        let run = self.fresh_run();
        self.change(id, |station| {
            station.sign_in_run = run;
            station.cancel.notify_waiters();
            station.pending = None;
            station.step = None;
            station.next = None;
            station.problem = None;
            station.tried = None;
            if forget {
                station.stored = StoredCredentialView::None;
                station.known_secrets.clear();
            }
            station.session.sign_out();
            Farewell {
                run,
                environment: station.environment.clone(),
                was_in_use: station.granted.is_some(),
                in_use: station.granted.take().map(|granted| granted.keep).unwrap_or_default(),
                kept: Secrets::default(),
                way: station.way.take(),
                cookies: cookies.unwrap_or_default(),
            }
        })
        .ok_or_else(gone)
    }

    /// Tells the other side, and the operator what could not be done there.
    async fn say_farewell(self, id: EnvironmentId, farewell: Farewell) {
        let Farewell { run, environment, in_use, kept, way, cookies, .. } = farewell;
        let mut secrets = kept.overlaid(in_use);
        for (name, value) in cookies {
            secrets.set(&format!("{}{name}", console_core::network::secret::COOKIE), value);
        }
        let implementation = environment.sign_in.implementation();
        let concerns_others = implementation.endpoint().is_some() || implementation.ends_always();
        if secrets.is_empty() || !concerns_others {
            return;
        }
        let way = match way {
            Some(way) => Ok(way),
            None => self.way(&id, &environment, Secrets::default()).await,
        };
        let tag = &environment.tag;
        let notes = match way {
            Ok(way) => {
                let operator = InShell { workspace: self.clone(), id: id.clone(), run };
                let with = Context {
                    environment: &environment,
                    reach: &way.reach,
                    clock: self.core.clock.clone(),
                    operator: &operator,
                };
                let told = implementation.end(&with, secrets);
                tokio::time::timeout(FAREWELL, told).await.unwrap_or_else(|_| {
                    vec![format!("{tag} could not be told of the sign-out in time; it ended here.")]
                })
            }
            Err(failure) => {
                let why = failure.problem(&environment).detail;
                vec![format!("{tag} could not be told of the sign-out; it ended here. {why}")]
            }
        };
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
        self.reload_if_it_asked(&id);
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
