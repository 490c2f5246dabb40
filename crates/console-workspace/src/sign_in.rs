//! The commands that sign in: answers in, an outcome back. A sign-in that is cancelled or overtaken changes nothing.

use std::{collections::HashMap, sync::Arc};

use console_core::{
    environment::{Environment, EnvironmentId},
    network::Network,
    secrets::Secrets,
    session::{Attached, SessionState},
    sign_in::{Context, Examined, Grant, Operator, SignInError, Step, attachment, examine, try_at_admin},
    tunnel::{Tunnel, TunnelError},
    upstream::{Outcome, ProbeReport, Reach},
    vault::{Slot, StoredCredential, VaultError},
};
use console_ipc::{CommandError, KeychainView, Problem, Prompt, SignInOutcome, StoredCredentialView};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;

use crate::{
    StageOrder,
    station::{Connection, Granted, Pending, Station, Way, identity_view},
    words,
    workspace::{RunningTunnel, Workspace, gone},
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
            station.step = None;
            station.next = None;
            if let Some(before) = station.before_sign_in.take() {
                station.session.abandon_sign_in(before);
            }
        });
        self.close_prompt(&Prompt::SignIn { environment: id.to_string() });
        self.reload_if_open(&id);
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
            station.step = None;
            station.problem = None;
            let before = station.session.state();
            if before != SessionState::SigningIn {
                station.before_sign_in = Some(before);
            }
            station.session.begin_sign_in();
            Attempt {
                run: station.sign_in_run,
                environment: station.environment.clone(),
                cancel: station.cancel.clone(),
            }
        })
        .ok_or_else(gone)
    }

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
    async fn tunnel(&self, id: &EnvironmentId, environment: &Environment) -> Result<Option<Arc<Tunnel>>, TunnelError> {
        let Some(command) = &environment.network.tunnel else { return Ok(None) };
        let turns = self.turns(id);
        let mut running = turns.tunnel.lock().await;
        if let Some(known) = running.as_ref().filter(|known| known.command == *command)
            && known.base_url == environment.base_url
            && let Some(tunnel) = known.tunnel.upgrade()
        {
            return Ok(Some(tunnel));
        }
        let tunnel = Arc::new(Tunnel::start(command, environment.base_url.as_url()).await?);
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

    async fn try_examined(
        &self,
        id: &EnvironmentId,
        run: u64,
        environment: &Environment,
        examined: Examined,
        way: Way,
    ) -> Result<SignInOutcome, Failure> {
        let operator = InShell { workspace: self.clone(), id: id.clone(), run };
        let with = Context { environment, reach: &way.reach, clock: self.core.clock.clone(), operator: &operator };
        let report = try_at_admin(&with, &examined).await?;
        let attached = attachment(environment)
            .attach(&examined.grant.credential, way.reach.extras())
            .map_err(SignInError::from)?;
        let settling =
            Settling { id: id.clone(), run, environment: environment.clone(), examined, way, report, attached };
        // On its own: one that is cancelled in the middle of a write still puts back what was there.
        let settled = tokio::spawn(self.clone().settle(settling)).await;
        settled.unwrap_or_else(|_| Err(Failure::Problem(words::interrupted())))
    }

    /// Stores what was obtained, and only then begins the session with it.
    async fn settle(self, settling: Settling) -> Result<SignInOutcome, Failure> {
        let Settling { id, run, environment, examined, way, report, attached } = settling;
        let turns = self.turns(&id);
        let turn = turns.vault.lock().await;
        if self.if_current(&id, run, |_| ()).is_none() {
            return Ok(SignInOutcome::Cancelled);
        }
        let before = [
            (Slot::Credential, self.core.vault.load(&id, Slot::Credential).await.ok().flatten()),
            (Slot::Network, self.core.vault.load(&id, Slot::Network).await.ok().flatten()),
        ];
        self.keep(&id, &environment, &examined.grant.keep, &way.network).await?;
        let renews = environment.sign_in.implementation().can_renew(&examined.grant.keep);
        let (now, credential_run) = (self.core.clock.now(), self.fresh_run());
        let network = way.network.clone();
        let activated = self.if_current(&id, run, |station| {
            station.before_sign_in = None;
            station.stored = StoredCredentialView::Ready;
            station.known_secrets = known(&examined.grant.keep, &network);
            station.connection = match &report.action {
                Outcome::CrossOriginRejected => {
                    Connection::Impaired(words::outcome_problem(&report.action, None, &station.environment))
                }
                _ => Connection::Fine,
            };
            station.way = Some(way);
            station.session.begin(attached, examined.grant.identity.clone(), examined.server_ahead);
            station.granted = Some(Granted {
                run: credential_run,
                credential: examined.grant.credential,
                keep: examined.grant.keep,
                obtained_at: now,
                renewed_at: None,
                renews,
                unkept: false,
            });
            station.renewing = false;
            station.renew_not_before = None;
            station.renew_failures = 0;
            station.renewed_for_refusal = None;
        });
        if activated.is_some() {
            drop(turn);
            self.close_prompt(&Prompt::SignIn { environment: id.to_string() });
            self.resume(&id).await;
            return Ok(SignInOutcome::SignedIn);
        }
        // Cancelled while the keychain was writing: what was there before is put back.
        for (slot, before) in before {
            let undone = match before {
                Some(before) => self.core.vault.store(&id, slot, &before).await,
                None => self.core.vault.forget(&id, slot).await,
            };
            if let Err(error) = undone {
                tracing::warn!(%error, "a credential of a cancelled sign-in stays in the keychain");
            }
        }
        drop(turn);
        self.look_at_stored(&id).await;
        Ok(SignInOutcome::Cancelled)
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
            if let Some(before) = station.before_sign_in.take() {
                station.session.abandon_sign_in(before);
            }
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

    pub(crate) fn reload_if_open(&self, id: &EnvironmentId) {
        let shows = self.read(id, |station| {
            station.gateway.is_some() && matches!(station.session.state(), SessionState::Active { .. })
        });
        if shows == Ok(true) {
            self.order(StageOrder::Reload { environment: id.clone() });
        }
    }
}

/// What is stored and begins a session.
struct Settling {
    id: EnvironmentId,
    run: u64,
    environment: Environment,
    examined: Examined,
    way: Way,
    report: ProbeReport,
    attached: Attached,
}

/// Why a sign-in or a renewal did not succeed.
pub(crate) enum Failure {
    SignIn(SignInError),
    Vault(VaultError),
    Problem(Problem),
}

impl Failure {
    pub(crate) fn problem(&self, environment: &Environment) -> Problem {
        match self {
            Self::SignIn(error) => words::sign_in_error(error, environment),
            Self::Vault(error) => words::vault_error(error),
            Self::Problem(problem) => problem.clone(),
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

/// The network's answers, and the method's.
fn split(answers: Secrets) -> (Secrets, Secrets) {
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
