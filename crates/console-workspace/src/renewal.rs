//! When is a credential renewed without the operator? Before it ends, and when the admin refused it; one at a time.

use std::time::{Duration, Instant};

use console_core::{
    environment::EnvironmentId,
    secrets::Secrets,
    session::{Refusal, SessionState},
    sign_in::{Context, attachment},
};

use crate::{
    sign_in::{Failure, InShell, known},
    words,
    workspace::Workspace,
};

/// Pauses after a failure: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));
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
            station.renewed_for_refusal = resumes.then(Instant::now).or(station.renewed_for_refusal);
            station.renew_not_before = Some(Instant::now() + SETTLE);
            let run = station.sign_in_run;
            drop(inner);
            tokio::spawn(self.clone().renew(id.clone(), run, resumes));
        }
        Some(1)
    }

    async fn renew(self, id: EnvironmentId, run: u64, resumes: bool) {
        let renewed = self.renew_once(&id, run).await;
        let failed = self.if_current(&id, run, |station| {
            station.renewing = false;
            let Err(failure) = &renewed else {
                station.renew_failures = 0;
                station.problem = None;
                return None;
            };
            station.renew_failures += 1;
            let pause = PAUSES.0.saturating_mul(1 << station.renew_failures.min(6).saturating_sub(1)).min(PAUSES.1);
            station.renew_not_before = Some(Instant::now() + pause);
            let lasting = !matches!(failure, Failure::SignIn(error) if error.is_transient());
            if lasting && let Some(granted) = &mut station.granted {
                granted.renews = false;
            }
            let problem = failure.problem(&station.environment);
            station.problem = Some(problem.clone());
            lasting.then_some((problem, station.environment.tag.clone()))
        });
        if failed.is_none() {
            // A sign-in or sign-out came meanwhile; whoever holds the station now renews for itself.
            if let Some(station) = self.inner().stations.get_mut(&id) {
                station.renewing = false;
            }
        }
        if let Some(Some((problem, tag))) = failed {
            tracing::warn!(environment = %id, code = problem.code, "a session can no longer be renewed");
            let text = format!("{tag}: {} {}", words::sentence(&problem.title), problem.detail);
            self.inner().notify("error", text, Some(&id));
        }
        self.publish();
        if renewed.is_ok() && resumes {
            self.resume(&id).await;
        }
    }

    async fn renew_once(&self, id: &EnvironmentId, run: u64) -> Result<(), Failure> {
        let begun = self.if_current(id, run, |station| {
            let granted = station.granted.as_ref()?;
            Some((station.environment.clone(), granted.keep.clone(), station.way.clone()))
        });
        let Some((environment, keep, way)) = begun.flatten() else { return Ok(()) };
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
        let grant = environment.sign_in.implementation().renew(&with, keep).await?;
        let attached = attachment(&environment)
            .attach(&grant.credential, way.reach.extras())
            .map_err(console_core::sign_in::SignInError::from)?;
        if self.if_current(id, run, |_| ()).is_none() {
            return Ok(());
        }
        // Before it is used: a rotated refresh token that is lost cannot be had again.
        self.keep(id, &environment, &grant.keep, &way.network).await?;
        let now = self.core.clock.now();
        self.if_current(id, run, |station| {
            let ahead = station.session.server_ahead();
            station.known_secrets = known(&grant.keep, &way.network);
            station.session.begin(attached, grant.identity.clone(), ahead);
            if let Some(granted) = &mut station.granted {
                granted.credential = grant.credential;
                granted.keep = grant.keep;
                granted.renewed_at = Some(now);
            }
        });
        Ok(())
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
