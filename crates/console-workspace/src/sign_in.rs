//! The commands about sessions: sign in, sign out, and what the vault holds.

use console_core::{
    environment::{Environment, EnvironmentId},
    session::SessionState,
    sign_in::pasted_token::{self, Candidate, SignInError},
    upstream::{self, Outcome},
    vault::{StoredCredential, VaultStatus},
};
use console_ipc::{CommandError, KeychainView, Problem, Prompt, SignInOutcome, StoredCredentialView};
use secrecy::SecretString;

use crate::{
    StageOrder,
    station::{Connection, Pending, identity_view},
    words,
    workspace::{Workspace, gone},
};

type Answer<T> = Result<T, CommandError>;

/// Where a token comes from.
enum Source {
    Pasted(SecretString),
    Vault(SecretString),
}

impl Workspace {
    /// Restores what the keychain holds for every environment, then opens the one on stage.
    pub(crate) async fn restore_all(&self) {
        let ids: Vec<EnvironmentId> =
            self.inner().file.list().iter().map(|environment| environment.id.clone()).collect();
        for id in ids {
            self.restore(&id).await;
        }
    }

    /// Signs in with the stored token, when it is meant for this realm and was in use. The admin is not asked: its first
    /// answer tells, and the window need not wait for the network.
    pub(crate) async fn restore(&self, id: &EnvironmentId) {
        let begun = self.read(id, |station| (station.environment.clone(), station.sign_in_run));
        let Ok((environment, run)) = begun else { return };
        let loaded = self.core.vault.load(id).await;
        // A sign-in or sign-out that came meanwhile knows better than what was read before it.
        let in_use = self.if_current(id, run, |station| {
            let stored = match loaded {
                Ok(stored) => stored,
                Err(error) => {
                    station.problem = Some(words::vault_error(&error));
                    return false;
                }
            };
            station.stored = stored_view(stored.as_ref(), &environment);
            station.problem = None;
            let is_ready = station.stored == StoredCredentialView::Ready;
            let Some(stored) = stored.filter(|stored| stored.in_use && is_ready) else { return false };
            let identity = console_core::token::Identity::read(&stored.token);
            let attachment = pasted_token::attachment(&environment);
            if station.session.activate(&attachment, &stored.token, identity, 0).is_err() {
                return false;
            }
            station.session.expire_if_due();
            true
        });
        self.publish();
        if in_use == Some(true) && self.inner().selected.as_ref() == Some(id) {
            self.open(id, None).await;
        }
    }

    /// Shows the native sign-in.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_open(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        crate::prompts::add(&mut self.inner().prompts, Prompt::SignIn { environment: id.to_string() });
        self.publish();
        Ok(())
    }

    /// Signs in with a pasted token.
    ///
    /// # Errors
    /// When the environment is gone; why a token is not accepted is in the outcome.
    pub async fn sign_in_with_token(&self, id: &str, token: SecretString) -> Answer<SignInOutcome> {
        let id = self.id(id)?;
        self.sign_in(&id, Source::Pasted(token)).await
    }

    /// Signs in with the token that the vault holds.
    ///
    /// # Errors
    /// When the environment is gone or the keychain refuses.
    pub async fn sign_in_with_stored(&self, id: &str) -> Answer<SignInOutcome> {
        let id = self.id(id)?;
        let environment = self.read(&id, |station| station.environment.clone())?;
        let loaded = self.core.vault.load(&id).await.map_err(|error| vault_failed(&error))?;
        match loaded {
            Some(stored) if stored.realm == environment.base_url.realm() => {
                self.sign_in(&id, Source::Vault(stored.token)).await
            }
            other => {
                let view = stored_view(other.as_ref(), &environment);
                self.change(&id, |station| station.stored = view);
                Ok(SignInOutcome::Rejected {
                    problem: words::problem(
                        "nothing_stored",
                        "There is no stored token for this address",
                        "The keychain holds none, or one for another address.",
                        "Paste a token.",
                    ),
                    identity: None,
                })
            }
        }
    }

    async fn sign_in(&self, id: &EnvironmentId, source: Source) -> Answer<SignInOutcome> {
        let (run, environment, client) = self.begin(id)?;
        let clock = self.core.clock.as_ref();
        let (read, stored_already) = match &source {
            Source::Pasted(text) => (pasted_token::read(&client, &environment, clock, text).await, false),
            Source::Vault(token) => (pasted_token::examine(&client, &environment, clock, token.clone()).await, true),
        };
        drop(source);
        match read {
            Err(error) => Ok(self.failed(id, run, &environment, &error)),
            Ok(candidate) if candidate.findings.is_empty() || stored_already => {
                self.try_candidate(id, run, environment, client, candidate).await
            }
            Ok(candidate) => {
                let attempt = self.inner().fresh_id();
                let outcome = SignInOutcome::NeedsConfirmation {
                    attempt: attempt.clone(),
                    findings: candidate.findings.iter().map(|f| words::finding(*f, candidate.server_ahead)).collect(),
                    identity: identity_view(&candidate.identity),
                };
                let waits = self.if_current(id, run, |station| {
                    station.pending = Some(Pending { attempt, candidate });
                });
                self.abandon(id, run);
                Ok(if waits.is_some() { outcome } else { SignInOutcome::Cancelled })
            }
        }
    }

    /// Goes on with a token although its findings warned.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_confirm(&self, id: &str, attempt: &str) -> Answer<SignInOutcome> {
        let id = self.id(id)?;
        let pending = self
            .change(&id, |station| station.pending.take_if(|pending| pending.attempt == attempt))
            .ok_or_else(gone)?;
        let Some(pending) = pending else { return Ok(SignInOutcome::Cancelled) };
        let (run, environment, client) = self.begin(&id)?;
        self.try_candidate(&id, run, environment, client, pending.candidate).await
    }

    /// Forgets a token that waits, ends a sign-in under way, and closes the native sign-in.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_cancel(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        self.change(&id, |station| {
            station.sign_in_run += 1;
            station.pending = None;
            station.next = None;
            if let Some(before) = station.before_sign_in.take() {
                station.session.abandon_sign_in(before);
            }
        });
        self.close_prompt(&Prompt::SignIn { environment: id.to_string() });
        self.reload_if_open(&id);
        Ok(())
    }

    fn begin(&self, id: &EnvironmentId) -> Answer<(u64, Environment, upstream::Client)> {
        self.change(id, |station| {
            station.sign_in_run += 1;
            station.pending = None;
            station.problem = None;
            let before = station.session.state();
            if before != SessionState::SigningIn {
                station.before_sign_in = Some(before);
            }
            station.session.begin_sign_in();
            (station.sign_in_run, station.environment.clone(), station.client.clone())
        })
        .ok_or_else(gone)
    }

    async fn try_candidate(
        &self,
        id: &EnvironmentId,
        run: u64,
        environment: Environment,
        client: upstream::Client,
        candidate: Candidate,
    ) -> Answer<SignInOutcome> {
        let tried = pasted_token::try_at_admin(&client, &environment, self.core.clock.clone(), &candidate).await;
        let report = match tried {
            Ok(report) => report,
            Err(error) => return Ok(self.failed(id, run, &environment, &error)),
        };
        if self.if_current(id, run, |_| ()).is_none() {
            return Ok(SignInOutcome::Cancelled);
        }
        let stored = StoredCredential {
            realm: environment.base_url.realm(),
            token: candidate.token.clone(),
            stored_at: self.core.clock.now(),
            in_use: true,
        };
        if let Err(error) = self.core.vault.store(id, &stored).await {
            self.look_at_keychain().await;
            self.abandon(id, run);
            let identity = Some(identity_view(&candidate.identity));
            return Ok(SignInOutcome::Rejected { problem: self.keychain_problem(&error), identity });
        }
        let attachment = pasted_token::attachment(&environment);
        let activated = self.if_current(id, run, |station| {
            station.before_sign_in = None;
            station.stored = StoredCredentialView::Ready;
            station.connection = match &report.action {
                Outcome::CrossOriginRejected => Connection::Impaired(words::outcome_problem(
                    &report.action,
                    None,
                    &environment.tag,
                    &environment.base_url.to_string(),
                )),
                _ => Connection::Fine,
            };
            station.session.activate(&attachment, &candidate.token, candidate.identity.clone(), candidate.server_ahead)
        });
        match activated {
            Some(Ok(_)) => {
                self.close_prompt(&Prompt::SignIn { environment: id.to_string() });
                self.resume(id).await;
                Ok(SignInOutcome::SignedIn)
            }
            Some(Err(error)) => Ok(self.failed(id, run, &environment, &error.into())),
            None => {
                // Cancelled while the keychain was writing: what was written is taken back.
                if self.core.vault.forget(id).await.is_ok() {
                    self.change(id, |station| station.stored = StoredCredentialView::None);
                }
                Ok(SignInOutcome::Cancelled)
            }
        }
    }

    /// The station, when the sign-in `run` is still the one under way.
    fn if_current<T>(
        &self,
        id: &EnvironmentId,
        run: u64,
        then: impl FnOnce(&mut crate::station::Station) -> T,
    ) -> Option<T> {
        self.inner().stations.get_mut(id).filter(|station| station.sign_in_run == run).map(then)
    }

    fn abandon(&self, id: &EnvironmentId, run: u64) {
        self.if_current(id, run, |station| {
            if let Some(before) = station.before_sign_in.take() {
                station.session.abandon_sign_in(before);
            }
        });
        self.publish();
    }

    fn failed(&self, id: &EnvironmentId, run: u64, environment: &Environment, error: &SignInError) -> SignInOutcome {
        if self.if_current(id, run, |_| ()).is_none() {
            return SignInOutcome::Cancelled;
        }
        self.abandon(id, run);
        let identity = match error {
            SignInError::NotValidNow { identity, .. } | SignInError::NotAccepted { identity, .. } => {
                Some(identity_view(identity))
            }
            SignInError::Text(_) | SignInError::Unreachable(_) => None,
        };
        let problem = words::sign_in_error(error, &environment.tag, &environment.base_url.to_string());
        SignInOutcome::Rejected { problem, identity }
    }

    fn keychain_problem(&self, error: &console_core::vault::VaultError) -> Problem {
        match &self.inner().keychain {
            KeychainView::Unavailable { problem, .. } => problem.clone(),
            KeychainView::Available => words::vault_error(error),
        }
    }

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

    /// Ends the session: streams, webview and its storage, cookies. `forget` removes the stored token as well; otherwise
    /// it stays in the keychain, unused until the operator asks for it.
    ///
    /// # Errors
    /// When the environment is gone, or the keychain refuses; the session has ended all the same.
    pub async fn sign_out(&self, id: &str, forget: bool) -> Answer<()> {
        let id = self.id(id)?;
        self.close(&id);
        self.change(&id, |station| {
            station.sign_in_run += 1;
            station.pending = None;
            station.before_sign_in = None;
            station.next = None;
            station.problem = None;
            station.session.sign_out();
        });
        self.close_prompt(&Prompt::SignOut { environment: id.to_string() });
        let done = if forget {
            self.core.vault.forget(&id).await.map(|()| StoredCredentialView::None)
        } else {
            self.set_aside(&id).await
        };
        match done {
            Ok(view) => {
                self.change(&id, |station| station.stored = view);
                Ok(())
            }
            Err(error) => Err(vault_failed(&error)),
        }
    }

    /// Keeps the stored token, but not in use: the next start does not sign in with it by itself.
    async fn set_aside(&self, id: &EnvironmentId) -> Result<StoredCredentialView, console_core::vault::VaultError> {
        let Some(mut stored) = self.core.vault.load(id).await? else { return Ok(StoredCredentialView::None) };
        stored.in_use = false;
        self.core.vault.store(id, &stored).await?;
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

    /// Uses a token at the new address that it was not stored for.
    ///
    /// # Errors
    /// When the environment is gone or the keychain refuses.
    pub async fn stored_credential_confirm(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let realm = self.read(&id, |station| station.environment.base_url.realm())?;
        if let Some(mut stored) = self.core.vault.load(&id).await.map_err(|error| vault_failed(&error))? {
            stored.realm = realm;
            stored.in_use = true;
            self.core.vault.store(&id, &stored).await.map_err(|error| vault_failed(&error))?;
        }
        self.restore(&id).await;
        Ok(())
    }

    /// Removes the stored token.
    ///
    /// # Errors
    /// When the environment is gone or the keychain refuses.
    pub async fn stored_credential_forget(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        self.core.vault.forget(&id).await.map_err(|error| vault_failed(&error))?;
        self.change(&id, |station| station.stored = StoredCredentialView::None);
        Ok(())
    }

    /// Looks for a keychain again, and restores what it holds.
    ///
    /// # Errors
    /// None; the state tells.
    pub async fn keychain_retry(&self) -> Answer<()> {
        if self.look_at_keychain().await == VaultStatus::Available {
            let waiting: Vec<EnvironmentId> = self
                .inner()
                .stations
                .iter()
                .filter(|(_, station)| station.session.state() == SessionState::SignedOut)
                .map(|(id, _)| id.clone())
                .collect();
            for id in waiting {
                self.restore(&id).await;
            }
        }
        Ok(())
    }

    /// Keeps secrets in memory for this run, as the operator agreed.
    ///
    /// # Errors
    /// None; the state tells.
    pub async fn keychain_use_memory(&self) -> Answer<()> {
        self.core.vault.allow_memory();
        self.look_at_keychain().await;
        Ok(())
    }

    fn close_prompt(&self, prompt: &Prompt) {
        self.inner().prompts.retain(|waiting| waiting != prompt);
        self.publish();
    }

    fn reload_if_open(&self, id: &EnvironmentId) {
        let shows = self.read(id, |station| {
            station.gateway.is_some() && matches!(station.session.state(), SessionState::Active { .. })
        });
        if shows == Ok(true) {
            self.order(StageOrder::Reload { environment: id.clone() });
        }
    }
}

fn vault_failed(error: &console_core::vault::VaultError) -> CommandError {
    CommandError { problem: words::vault_error(error) }
}

fn stored_view(stored: Option<&StoredCredential>, environment: &Environment) -> StoredCredentialView {
    match stored {
        None => StoredCredentialView::None,
        Some(stored) if stored.realm == environment.base_url.realm() => StoredCredentialView::Ready,
        Some(stored) => {
            StoredCredentialView::Moved { from: stored.realm.to_string(), to: environment.base_url.realm().to_string() }
        }
    }
}
