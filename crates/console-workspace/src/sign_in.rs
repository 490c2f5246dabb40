//! The commands that sign in: answers in, an outcome back. A sign-in that is cancelled or overtaken changes nothing.

use std::{collections::HashMap, sync::Arc};

use console_core::{
    environment::{Environment, EnvironmentId},
    secrets::Secrets,
    sign_in::{Context, Grant, Operator, SignInError, Step, examine},
    upstream::{Unreachable, UnreachableKind},
    vault::{Slot, StoredCredential, VaultError},
};
use console_ipc::{CommandError, KeychainView, Problem, Prompt, SignInOutcome};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;

use crate::{
    StageOrder,
    station::{Pending, Station, Way, identity_view},
    way::split,
    words,
    workspace::{Workspace, gone},
};

pub(crate) type Answer<T> = Result<T, CommandError>;

/// Where a sign-in gets what it needs.
enum From {
    /// From what was typed, over what the vault holds; the operator may be asked for more on the way.
    Operator(Secrets),
    /// From the vault alone.
    Vault,
}

/// A sign-in under way.
struct Attempt {
    run: u64,
    environment: Environment,
    cancel: Arc<Notify>,
}

/// Shows a step in the shell, and opens the system's browser for one that wants it.
pub(crate) struct InShell {
    pub(crate) workspace: Workspace,
    pub(crate) id: EnvironmentId,
    pub(crate) run: u64,
}

impl Operator for InShell {
    fn show(&self, step: Step) {
        let browser = match &step {
            Step::Browser { url, .. } => Some(url.clone()),
            Step::DeviceCode { .. } => None,
        };
        if self.workspace.if_current(&self.id, self.run, |station| station.step = Some(step)).is_none() {
            return;
        }
        self.workspace.publish();
        if let Some(url) = browser {
            self.workspace.order(StageOrder::OpenExternal { url });
        }
    }
}

impl Workspace {
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

    /// Signs in with what the operator typed, by the names of [`console_ipc::EnvironmentView::asks`]; what the vault holds
    /// stands in for what was left empty.
    ///
    /// # Errors
    /// When the environment is gone; why it did not succeed is in the outcome.
    pub async fn sign_in(&self, id: &str, answers: HashMap<String, SecretString>) -> Answer<SignInOutcome> {
        let id = self.id(id)?;
        let answers: Secrets = answers.into_iter().filter(|(_, value)| !value.expose_secret().is_empty()).collect();
        self.sign_in_by(&id, From::Operator(answers)).await
    }

    /// Signs in with what the vault holds, without asking anybody: where that is not a credential by itself, one is
    /// obtained from it.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_with_stored(&self, id: &str) -> Answer<SignInOutcome> {
        let id = self.id(id)?;
        self.sign_in_by(&id, From::Vault).await
    }

    async fn sign_in_by(&self, id: &EnvironmentId, from: From) -> Answer<SignInOutcome> {
        let attempt = self.begin(id)?;
        let run = attempt.run;
        let cancelled = attempt.cancel.clone();
        let outcome = tokio::select! {
            outcome = self.obtain_and_try(id, &attempt, from) => outcome,
            () = cancelled.notified() => Ok(SignInOutcome::Cancelled),
        };
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(error) => Ok(self.failed(id, run, &attempt.environment, &error).await),
        }
    }

    async fn obtain_and_try(
        &self,
        id: &EnvironmentId,
        attempt: &Attempt,
        from: From,
    ) -> Result<SignInOutcome, Failure> {
        let environment = &attempt.environment;
        self.look_at_approvals(id).await;
        if self.read(id, |station| !station.approvals.is_empty()).unwrap_or(true) {
            return Err(Failure::Problem(words::approve_first(&environment.tag)));
        }
        // What was stored had its findings confirmed once.
        let confirmed = matches!(&from, From::Vault);
        let (network, method) = match from {
            From::Operator(answers) => {
                let (network, method) = split(answers);
                (network, Some(method))
            }
            From::Vault => (Secrets::default(), None),
        };
        let way = self.way(id, environment, network).await?;
        let operator = InShell { workspace: self.clone(), id: id.clone(), run: attempt.run };
        let with = Context { environment, reach: &way.reach, clock: self.core.clock.clone(), operator: &operator };
        let obtained = if let Some(answers) = method {
            let kept = self.kept_for(id, environment, Slot::Credential).await?;
            environment.sign_in.implementation().obtain(&with, kept.overlaid(answers)).await?
        } else {
            // On its own: what was renewed and then cancelled must not be lost.
            let renewing = self.clone().obtain_from_vault(id.clone(), attempt.run, environment.clone(), way.clone());
            tokio::spawn(renewing).await.unwrap_or_else(|_| Err(Failure::Problem(words::interrupted())))?
        };
        self.if_current(id, attempt.run, |station| station.step = None);
        let examined = examine(&with, obtained).await?;
        if examined.findings.is_empty() || confirmed {
            return self.try_examined(id, attempt.run, environment, examined, way).await;
        }
        let attempt_id = self.inner().fresh_id();
        let outcome = SignInOutcome::NeedsConfirmation {
            attempt: attempt_id.clone(),
            findings: examined.findings.iter().map(|found| words::finding(*found, examined.server_ahead)).collect(),
            identity: identity_view(&examined.grant.identity),
        };
        let waits = self.if_current(id, attempt.run, |station| {
            station.pending = Some(Pending { attempt: attempt_id, examined, way });
        });
        self.abandon(id, attempt.run);
        Ok(if waits.is_some() { outcome } else { SignInOutcome::Cancelled })
    }

    /// A credential from what the vault holds. A refresh token is used once: what came in its place is stored at once, as
    /// long as the vault still holds the old one.
    async fn obtain_from_vault(
        self,
        id: EnvironmentId,
        run: u64,
        environment: Environment,
        way: Way,
    ) -> Result<Grant, Failure> {
        let operator = InShell { workspace: self.clone(), id: id.clone(), run };
        let with = Context {
            environment: &environment,
            reach: &way.reach,
            clock: self.core.clock.clone(),
            operator: &operator,
        };
        let turns = self.turns(&id);
        let _renewing = turns.renewal.lock().await;
        let _exclusive = self.exclusive(&id).await?;
        let kept = self.kept_for(&id, &environment, Slot::Credential).await?;
        let implementation = environment.sign_in.implementation();
        if !implementation.can_renew(&kept) {
            let restored = implementation.restore(&kept, self.core.clock.now());
            return restored.ok_or_else(|| Failure::Problem(words::nothing_stored()));
        }
        let grant = implementation.renew(&with, kept.clone()).await?;
        let _turn = turns.vault.lock().await;
        if let Some(stored) = self.core.vault.load(&id, Slot::Credential).await?
            && stored.secrets.is_same_as(&kept)
        {
            let renewed = StoredCredential { secrets: grant.keep.clone(), stored_at: self.core.clock.now(), ..stored };
            self.core.vault.store(&id, Slot::Credential, &renewed).await?;
        }
        Ok(grant)
    }

    /// Goes on with a credential although its findings warned.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_confirm(&self, id: &str, attempt: &str) -> Answer<SignInOutcome> {
        let id = self.id(id)?;
        let pending = self
            .change(&id, |station| station.pending.take_if(|pending| pending.attempt == attempt))
            .ok_or_else(gone)?;
        let Some(pending) = pending else { return Ok(SignInOutcome::Cancelled) };
        let begun = self.begin(&id)?;
        let cancelled = begun.cancel.clone();
        let outcome = tokio::select! {
            outcome = self.try_examined(&id, begun.run, &begun.environment, pending.examined, pending.way) => outcome,
            () = cancelled.notified() => Ok(SignInOutcome::Cancelled),
        };
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(error) => Ok(self.failed(&id, begun.run, &begun.environment, &error).await),
        }
    }

    /// Forgets a credential that waits, ends a sign-in under way, and closes the native sign-in.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_cancel(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let run = self.fresh_run();
        self.change(&id, |station| {
            station.sign_in_run = run;
            station.cancel.notify_waiters();
            station.pending = None;
            station.tried = None;
            station.step = None;
            station.next = None;
            station.session.abandon_sign_in();
        });
        self.close_prompt(&Prompt::SignIn { environment: id.to_string() });
        self.reload_if_it_asked(&id);
        Ok(())
    }

    /// Opens the system's browser again for a sign-in that waits there.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn sign_in_browser(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let url = self.read(&id, |station| match &station.step {
            Some(Step::Browser { url, .. }) => Some(url.clone()),
            Some(Step::DeviceCode { verification_uri_complete, verification_uri, .. }) => {
                Some(verification_uri_complete.as_ref().unwrap_or(verification_uri).clone())
            }
            None => None,
        })?;
        if let Some(url) = url {
            self.order(StageOrder::OpenExternal { url });
        }
        Ok(())
    }

    fn begin(&self, id: &EnvironmentId) -> Answer<Attempt> {
        let run = self.fresh_run();
        self.change(id, |station| {
            station.sign_in_run = run;
            station.cancel.notify_waiters();
            station.cancel = Arc::default();
            station.pending = None;
            station.tried = None;
            station.step = None;
            station.problem = None;
            station.session.begin_sign_in();
            Attempt {
                run: station.sign_in_run,
                environment: station.environment.clone(),
                cancel: station.cancel.clone(),
            }
        })
        .ok_or_else(gone)
    }

    /// The station, when the sign-in `run` is still the one under way.
    pub(crate) fn if_current<T>(
        &self,
        id: &EnvironmentId,
        run: u64,
        then: impl FnOnce(&mut Station) -> T,
    ) -> Option<T> {
        self.inner().stations.get_mut(id).filter(|station| station.sign_in_run == run).map(then)
    }

    fn abandon(&self, id: &EnvironmentId, run: u64) {
        self.if_current(id, run, |station| {
            station.step = None;
            station.session.abandon_sign_in();
        });
        self.publish();
    }

    async fn failed(&self, id: &EnvironmentId, run: u64, environment: &Environment, error: &Failure) -> SignInOutcome {
        if self.if_current(id, run, |_| ()).is_none() {
            return SignInOutcome::Cancelled;
        }
        self.abandon(id, run);
        let identity = match error {
            Failure::SignIn(SignInError::NotValidNow { identity, .. } | SignInError::NotAccepted { identity, .. }) => {
                Some(identity_view(identity)).filter(|view| view.subject.is_some() || !view.claims.is_empty())
            }
            _ => None,
        };
        let problem = match error {
            Failure::Vault(error) => {
                self.look_at_keychain().await;
                self.keychain_problem(error)
            }
            other => other.problem(environment),
        };
        SignInOutcome::Rejected { problem, identity }
    }

    fn keychain_problem(&self, error: &VaultError) -> Problem {
        match &self.inner().keychain {
            KeychainView::Unavailable { problem, .. } => problem.clone(),
            KeychainView::Available => words::vault_error(error),
        }
    }

    pub(crate) fn close_prompt(&self, prompt: &Prompt) {
        self.inner().prompts.retain(|waiting| waiting != prompt);
        self.publish();
    }

    /// A page that asked for what was cancelled may show that it waits, and its live updates have ended: it is loaded again.
    pub(crate) fn reload_if_it_asked(&self, id: &EnvironmentId) {
        let shows = self.change(id, |station| {
            let asked = std::mem::take(&mut station.page_asked);
            asked && station.gateway.is_some() && station.session.state().goes_on()
        });
        if shows == Some(true) {
            self.order_page(id, StageOrder::Reload { environment: id.clone() });
        }
    }
}

/// Why a sign-in or a renewal did not succeed.
pub(crate) enum Failure {
    SignIn(SignInError),
    Vault(VaultError),
    /// Another console on this computer renews the same.
    Busy,
    /// What was obtained ends no later than what there was.
    NoNewer,
    Problem(Problem),
}

impl Failure {
    pub(crate) fn problem(&self, environment: &Environment) -> Problem {
        match self {
            Self::SignIn(error) => words::sign_in_error(error, environment),
            Self::Vault(error) => words::vault_error(error),
            Self::Busy => words::busy(),
            Self::NoNewer => words::no_newer(),
            Self::Problem(problem) => problem.clone(),
        }
    }

    /// The same as something that was not reached: `problem` says it.
    pub(crate) fn as_unreachable(&self, problem: &Problem) -> Unreachable {
        match self {
            Self::SignIn(SignInError::Unreachable(why)) => why.clone(),
            _ => Unreachable { kind: UnreachableKind::Broken, detail: problem.detail.clone() },
        }
    }
}

impl std::convert::From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}

impl std::convert::From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}
