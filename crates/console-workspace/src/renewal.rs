//! When is a credential renewed without the operator? Before it ends, and when the admin refused it; one at a time.

use std::time::{Duration, Instant};

use console_core::{
    environment::{Environment, EnvironmentId},
    secrets::Secrets,
    session::{Refusal, SessionState},
    sign_in::{Context, attachment, plausible_skew},
    upstream::server_time,
};

use crate::{
    sign_in::{Failure, InShell},
    station::{Station, Way},
    way::known,
    words,
    workspace::Workspace,
};

/// Pauses after a failure: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(2));
/// After a renewal the admin is given this long to take the new credential before it is renewed again.
const SETTLE: Duration = Duration::from_secs(2);

/// A credential that was renewed because it was refused, and is refused again within this, is not renewed a second time.
const HOLDS: Duration = Duration::from_secs(30);

/// How many seconds before its end a credential of `life` seconds is renewed: a fifth of it, at most ten minutes.
pub(crate) fn lead(life: i64) -> i64 {
    (life / 5).clamp(2, 600)
}

impl Workspace {
    /// Renews when that is due and possible; answers seconds until it should be looked at again.
    pub(crate) fn renew_if_due(&self, id: &EnvironmentId) -> Option<u64> {
        let mut inner = self.inner();
        let station = inner.stations.get_mut(id)?;
        let granted = station.granted.as_ref().filter(|granted| granted.renews)?;
        let granted_run = granted.run;
        let now = self.core.clock.now().plus(station.session.server_ahead());
        let began = granted.renewed_at.unwrap_or(granted.obtained_at);
        let (due_in, resumes) = match station.session.state() {
            SessionState::Active { identity } => {
                let at = identity.expires_at?;
                let life = at.seconds_since(identity.issued_at.unwrap_or(began));
                (at.seconds_since(now) - lead(life), false)
            }
            SessionState::Expired { .. }
            | SessionState::Refused { refusal: Refusal::Gate | Refusal::Unauthorized, .. } => (0, true),
            SessionState::SignedOut | SessionState::SigningIn | SessionState::Refused { .. } => return None,
        };
        if due_in > 0 {
            return u64::try_from(due_in).ok();
        }
        let wait = station.renew_not_before.map(|at| at.saturating_duration_since(Instant::now()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Some(wait.as_secs() + 1);
        }
        if !station.renewing {
            if resumes && station.renewed_for_refusal.is_some_and(|at| at.elapsed() < HOLDS) {
                // A fresh credential was refused as well: another one would be, too.
                station.granted.as_mut()?.renews = false;
                return None;
            }
            station.renewing = true;
            station.renew_not_before = Some(Instant::now() + SETTLE);
            let run = granted_run;
            drop(inner);
            tokio::spawn(self.clone().renew(id.clone(), run, resumes));
        }
        Some(1)
    }

    /// The station, when the credential `run` is still the one in use.
    fn if_granted<T>(&self, id: &EnvironmentId, run: u64, then: impl FnOnce(&mut Station) -> T) -> Option<T> {
        let mut inner = self.inner();
        let station = inner.stations.get_mut(id)?;
        (station.granted.as_ref()?.run == run).then(|| then(station))
    }

    async fn renew(self, id: EnvironmentId, run: u64, resumes: bool) {
        let renewed = self.renew_once(&id, run).await;
        // Where the credential is another one by now, its own renewal is its own affair.
        let failed = self.if_granted(&id, run, |station| {
            station.renewing = false;
            let Err(failure) = &renewed else {
                station.renew_failures = 0;
                station.problem = None;
                station.renewed_for_refusal = resumes.then(Instant::now).or(station.renewed_for_refusal);
                return None;
            };
            station.renew_failures += 1;
            let pause = PAUSES.0.saturating_mul(1 << station.renew_failures.min(6).saturating_sub(1)).min(PAUSES.1);
            station.renew_not_before = Some(Instant::now() + pause);
            let lasting = match failure {
                Failure::SignIn(error) => !error.is_transient(),
                // A keychain that is locked opens again.
                Failure::Vault(_) => false,
                Failure::Problem(_) => true,
            };
            if lasting && let Some(granted) = &mut station.granted {
                granted.renews = false;
            }
            let problem = failure.problem(&station.environment);
            station.problem = Some(problem.clone());
            lasting.then_some((problem, station.environment.tag.clone()))
        });
        if let Some(Some((problem, tag))) = failed {
            tracing::warn!(environment = %id, code = problem.code, "a session can no longer be renewed");
            let text = format!("{tag}: {} {}", words::sentence(&problem.title), problem.detail);
            self.inner().notify("error", text, Some(&id));
        }
        self.publish();
        if renewed.is_ok_and(|somebody_else| resumes || somebody_else) {
            self.resume(&id).await;
        }
    }

    /// Whether the fresh credential is somebody else's.
    async fn renew_once(&self, id: &EnvironmentId, run: u64) -> Result<bool, Failure> {
        let turns = self.turns(id);
        let _renewing = turns.renewal.lock().await;
        let begun = self.if_granted(id, run, |station| {
            let granted = station.granted.as_ref()?;
            Some((station.environment.clone(), granted.keep.clone(), station.way.clone(), granted.unkept))
        });
        let Some((environment, keep, way, unkept)) = begun.flatten() else { return Ok(false) };
        if !self.is_approved(&environment).await {
            return Err(Failure::Problem(words::approve_first(&environment.tag)));
        }
        let way = match way {
            Some(way) => way,
            None => self.way(id, &environment, Secrets::default()).await?,
        };
        let operator = InShell { workspace: self.clone(), id: id.clone(), run };
        let with = Context {
            environment: &environment,
            reach: &way.reach,
            clock: self.core.clock.clone(),
            operator: &operator,
        };
        if unkept {
            self.keep_renewed(id, run, &environment, &keep, &way).await;
        }
        let grant = environment.sign_in.implementation().renew(&with, keep).await?;
        let attached = attachment(&environment)
            .attach(&grant.credential, way.reach.extras())
            .map_err(console_core::sign_in::SignInError::from)?;
        let ahead = self.server_ahead(&with).await;
        // Before it is used: a rotated refresh token that is lost cannot be had again.
        self.keep_renewed(id, run, &environment, &grant.keep, &way).await;
        let now = self.core.clock.now();
        let changed = self.if_granted(id, run, |station| {
            let ahead = ahead.unwrap_or_else(|| station.session.server_ahead());
            station.known_secrets = known(&grant.keep, &way.network);
            if let Some(state) = station.session.renew(attached, grant.identity.clone(), ahead) {
                station.before_sign_in = Some(state);
            }
            if let Some(granted) = &mut station.granted {
                granted.credential = grant.credential;
                granted.keep = grant.keep;
                granted.renewed_at = Some(now);
            }
            station.operator.as_ref().is_some_and(|operator| operator.is_someone_else(&grant.identity))
        });
        Ok(changed.unwrap_or(false))
    }

    /// Stores what a renewal keeps, unless the credential is no longer in use. A keychain that does not take it is told of,
    /// and asked again with the next renewal.
    async fn keep_renewed(&self, id: &EnvironmentId, run: u64, environment: &Environment, keep: &Secrets, way: &Way) {
        let turns = self.turns(id);
        let _turn = turns.vault.lock().await;
        if self.if_granted(id, run, |_| ()).is_none() {
            return;
        }
        let kept = self.keep(id, environment, keep, &way.network).await;
        let was_kept = self.if_granted(id, run, |station| {
            station.granted.as_mut().is_some_and(|granted| !std::mem::replace(&mut granted.unkept, kept.is_err()))
        });
        if kept.is_err() && was_kept == Some(true) {
            let tag = &environment.tag;
            let text =
                format!("{tag}: the keychain did not take the renewed sign-in. It works until the console is closed.");
            self.inner().notify("error", text, Some(id));
        }
    }

    /// The server's clock less ours, where it tells.
    async fn server_ahead(&self, with: &Context<'_>) -> Option<i64> {
        let before = self.core.clock.now();
        let server = server_time(with.reach, with.environment).await.ok().flatten()?;
        Some(plausible_skew(server.seconds_since(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::lead;

    #[test]
    fn a_credential_is_renewed_a_fifth_of_its_life_ahead_within_bounds() {
        assert_eq!((lead(300), lead(86_400), lead(4), lead(-5)), (60, 600, 2, 2));
    }
}
