//! From a credential that was obtained to a session: tried at the admin, stored, and only then begun; or nothing at all.

use std::sync::Arc;

use console_core::{
    environment::{Environment, EnvironmentId},
    session::{Attached, Fresh, Kept},
    sign_in::{Context, Examined, SignInError, attachment, try_at_admin},
    upstream::{Outcome, ProbeReport},
    vault::Slot,
};
use console_ipc::{Prompt, SignInOutcome, StoredCredentialView};

use crate::{
    gateways::Resumed,
    sign_in::{Failure, InShell},
    station::{Connection, Granted, Tried, Way},
    way::known,
    words,
    workspace::Workspace,
};

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

impl Workspace {
    pub(crate) async fn try_examined(
        &self,
        id: &EnvironmentId,
        run: u64,
        environment: &Environment,
        examined: Examined,
        way: Way,
    ) -> Result<SignInOutcome, Failure> {
        let operator = InShell { workspace: self.clone(), id: id.clone(), run };
        let with = Context { environment, reach: &way.reach, clock: self.core.clock.clone(), operator: &operator };
        let tried = try_at_admin(&with, &examined).await;
        self.if_current(id, run, |station| {
            let grant = &examined.grant;
            station.tried = tried.is_err().then(|| Tried {
                credential: grant.credential.clone(),
                identity: grant.identity.clone(),
                network: way.network.clone(),
            });
        });
        let report = tried?;
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
            // From here on it is through: a cancel that comes later finds nothing to cancel.
            station.cancel = Arc::default();
            station.stored = StoredCredentialView::Ready;
            station.known_secrets = known(&examined.grant.keep, &network);
            station.connection = match &report.action {
                Outcome::CrossOriginRejected => {
                    Connection::Impaired(words::outcome_problem(&report.action, None, &station.environment))
                }
                _ => Connection::Fine,
            };
            station.way = Some(way);
            let identity = examined.grant.identity.clone();
            station.granted = Some(Granted {
                run: credential_run,
                credential: examined.grant.credential,
                keep: examined.grant.keep,
                obtained_at: now,
                renewed_at: None,
                renew_at: self.renew_at(&identity, now.plus(examined.server_ahead)),
                unkept: false,
            });
            station.renew_not_before = None;
            station.renew_failures = 0;
            station.renewal_pressed = false;
            station.away = None;
            let fresh = Fresh { attached, identity, server_ahead: examined.server_ahead, renewable: renews };
            station.session.begin(fresh, Kept::Typed);
        });
        if activated.is_some() {
            drop(turn);
            self.close_prompt(&Prompt::SignIn { environment: id.to_string() });
            self.resume(&id, Resumed::BySignIn).await;
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
}
