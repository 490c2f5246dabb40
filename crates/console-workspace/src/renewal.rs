//! When is a credential renewed without the operator? Before it ends, and when the admin refused it; one at a time, on this
//! computer too.

use std::time::{Duration, Instant};

use console_core::{
    clock::UnixTime,
    environment::{Environment, EnvironmentId},
    exclusive::Exclusive,
    secrets::Secrets,
    session::{Fresh, RenewalTurn},
    sign_in::{Context, Grant, SignInError, attachment, plausible_skew},
    token::Identity,
    upstream::{UnreachableKind, server_time},
    vault::Slot,
};

use crate::{
    gateways::Resumed,
    sign_in::{Failure, InShell},
    station::{Station, Way},
    way::known,
    words,
    workspace::Workspace,
};

/// The pause after so many failures while requests wait and an outage is young (some seven minutes), and up to a quarter longer. With the
/// admin's interval, in which it holds the last event of a round back, it has to stay below the ten seconds in which all is
/// fresh again.
const YOUNG: (u32, Duration) = (200, Duration::from_secs(2));
/// Pauses after that, and while the credential in use goes on: doubled from the first to the last, and up to a quarter longer.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(2));
/// After a renewal the admin is given this long to take the new credential before it is renewed again.
const SETTLE: Duration = Duration::from_secs(2);
/// How long another console on this computer may take to renew the same.
const ANOTHER_CONSOLE: Duration = Duration::from_secs(30);

/// How many seconds before its end a credential of `life` seconds is renewed: a fifth of it, at most ten minutes, and by
/// `chance` (0 up to 1) up to half as much again, so that many consoles do not ask at the same moment.
fn lead(life: i64, chance: f64) -> i64 {
    let lead = (life / 5).clamp(2, 600);
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "from 0 up to 300")]
    let more = (lead as f64 / 2.0 * chance) as i64;
    lead + more
}

fn pause(failures: u32, pressing: bool) -> Duration {
    let older = if pressing { failures.checked_sub(YOUNG.0 + 1) } else { Some(failures.saturating_sub(1)) };
    older.map_or(YOUNG.1, |older| PAUSES.0.saturating_mul(1 << older.min(6)).min(PAUSES.1))
}

/// Whether what was obtained is of use at `server_now`. A command or a provider that keeps what it once gave would be asked all
/// the time otherwise, and one whose clock is wrong for ever.
fn is_newer(identity: &Identity, server_now: UnixTime, station: &Station) -> Result<(), Failure> {
    let Some(end) = identity.expires_at else { return Ok(()) };
    if end <= server_now {
        return Err(match station.renew_failures {
            0 => Failure::NoNewer,
            _ => Failure::Problem(words::ended_already()),
        });
    }
    let known = station.session.identity().and_then(|identity| identity.expires_at);
    let goes_on = !station.session.waits_for_renewal();
    if goes_on && known.is_some_and(|known| end <= known) { Err(Failure::NoNewer) } else { Ok(()) }
}

/// What a renewal obtained, stored already.
struct Renewed {
    grant: Grant,
    way: Way,
    fresh: Fresh,
}

impl Workspace {
    /// When a credential that was had at `began` (both by the server's clock) is renewed; `None`: it does not end.
    pub(crate) fn renew_at(&self, identity: &Identity, began: UnixTime) -> Option<UnixTime> {
        let end = identity.expires_at?;
        let life = end.seconds_since(identity.issued_at.unwrap_or(began));
        Some(end.plus(-lead(life, self.core.chance.next())))
    }

    /// Renews when that is due and possible; answers seconds until it should be looked at again.
    pub(crate) fn renew_if_due(&self, id: &EnvironmentId) -> Option<u64> {
        let mut inner = self.inner();
        let station = inner.stations.get_mut(id)?;
        let granted = station.granted.as_ref().filter(|_| station.session.is_renewable())?;
        let run = granted.run;
        let waits = station.session.waits_for_renewal();
        if !waits {
            let now = self.core.clock.now().plus(station.session.server_ahead());
            let due_in = granted.renew_at?.seconds_since(now);
            if due_in > 0 {
                return u64::try_from(due_in).ok();
            }
        }
        if waits && !station.renewal_pressed {
            // It was no matter of seconds as long as the credential in use went on.
            station.renewal_pressed = true;
            station.renew_not_before = None;
        }
        let wait = station.renew_not_before.map(|at| at.saturating_duration_since(Instant::now()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Some(wait.as_secs() + 1);
        }
        if let Some(turn) = station.session.begin_renewal() {
            station.renew_not_before = Some(Instant::now() + SETTLE);
            drop(inner);
            tokio::spawn(self.clone().renew(id.clone(), run, turn));
        }
        Some(1)
    }

    /// The station, when the credential `run` is still the one in use.
    fn if_granted<T>(&self, id: &EnvironmentId, run: u64, then: impl FnOnce(&mut Station) -> T) -> Option<T> {
        let mut inner = self.inner();
        let station = inner.stations.get_mut(id)?;
        (station.granted.as_ref()?.run == run).then(|| then(station))
    }

    async fn renew(self, id: EnvironmentId, run: u64, turn: RenewalTurn) {
        let resumes = match self.obtain_fresh(&id, run, &turn).await {
            Ok(Some(renewed)) => self.begin_with(&id, run, turn, renewed),
            // The credential is another one by now: its own renewal is its own affair.
            Ok(None) => None,
            Err(failure) => {
                self.not_renewed(&id, run, turn, &failure);
                None
            }
        };
        self.publish();
        // A dashboard that nobody looks at is opened when somebody does.
        let is_wanted = self.inner().selected.as_ref() == Some(&id)
            || self.read(&id, |station| station.gateway.is_some()).unwrap_or(false);
        if resumes == Some(true) && is_wanted {
            self.resume(&id, Resumed::ByRenewal).await;
        }
    }

    /// Requests carry what was obtained from now on. Answers whether pages go on with it only now: they waited, or it is
    /// known to be somebody else's.
    fn begin_with(&self, id: &EnvironmentId, run: u64, turn: RenewalTurn, renewed: Renewed) -> Option<bool> {
        let now = self.core.clock.now();
        let Renewed { grant, way, fresh } = renewed;
        let renew_at = self.renew_at(&fresh.identity, now.plus(fresh.server_ahead));
        self.if_granted(id, run, |station| {
            let waited = station.session.waits_for_renewal();
            let somebody_else =
                station.operator.as_ref().is_some_and(|operator| operator.is_someone_else(&fresh.identity));
            station.known_secrets = known(&grant.keep, &way.network);
            station.way.get_or_insert(way);
            station.renew_failures = 0;
            station.renewal_pressed = false;
            station.problem = None;
            station.away = None;
            if let Some(granted) = &mut station.granted {
                granted.credential = grant.credential;
                granted.keep = grant.keep;
                granted.renewed_at = Some(now);
                granted.renew_at = renew_at;
            }
            turn.renewed(fresh).then_some(waited || somebody_else)
        })
        .flatten()
    }

    /// What is transient is tried again after a pause; what is not is said once, and the operator signs in.
    fn not_renewed(&self, id: &EnvironmentId, run: u64, turn: RenewalTurn, failure: &Failure) {
        let lasting = match failure {
            Failure::SignIn(error) => !error.is_transient(),
            // A keychain that is locked opens again, and another console comes to an end.
            Failure::Vault(_) | Failure::Busy | Failure::NoNewer => false,
            Failure::Problem(_) => true,
        };
        // Where the other side is not the matter, asking it at once again helps nobody; a keychain may ask a person each time.
        let is_away = matches!(failure, Failure::SignIn(_));
        let told = self.if_granted(id, run, |station| {
            station.renew_failures += 1;
            let pressing = is_away && station.session.waits_for_renewal();
            let pause = pause(station.renew_failures, pressing).mul_f64(1.0 + self.core.chance.next() / 4.0);
            station.renew_not_before = Some(Instant::now() + pause);
            let problem = failure.problem(&station.environment);
            station.away = (!is_away).then(|| problem.clone());
            if lasting {
                station.problem = Some(problem.clone());
            }
            (problem, station.environment.tag.clone())
        });
        let Some((problem, tag)) = told else { return };
        if !lasting {
            let said = (!is_away).then(|| problem.title.clone());
            turn.postponed(&failure.as_unreachable(&problem), said);
            return;
        }
        tracing::warn!(environment = %id, code = problem.code, "a session can no longer be renewed");
        turn.failed(words::renewal_failed(&problem));
        // Where the credential still works, nobody would see it otherwise before it ends.
        let text = format!("{tag}: {} {} {}", words::sentence(&problem.title), problem.detail, problem.advice);
        self.inner().notify("error", text, Some(id));
    }

    /// A fresh credential, stored before it is used; `None`: the one it was for is no longer in use.
    async fn obtain_fresh(&self, id: &EnvironmentId, run: u64, turn: &RenewalTurn) -> Result<Option<Renewed>, Failure> {
        let turns = self.turns(id);
        let _renewing = turns.renewal.lock().await;
        let begun = self.if_granted(id, run, |station| {
            let granted = station.granted.as_ref()?;
            Some((station.environment.clone(), granted.keep.clone(), station.way.clone(), granted.unkept))
        });
        let Some((environment, keep, way, unkept)) = begun.flatten() else { return Ok(None) };
        if !self.is_approved(&environment).await {
            return Err(Failure::Problem(words::approve_first(&environment.tag)));
        }
        let way = match way {
            Some(way) => way,
            None => self.way(id, &environment, Secrets::default()).await?,
        };
        let _exclusive = self.exclusive(id).await?;
        let operator = InShell { workspace: self.clone(), id: id.clone(), run };
        let with = Context {
            environment: &environment,
            reach: &way.reach,
            clock: self.core.clock.clone(),
            operator: &operator,
        };
        let keep = if unkept {
            self.keep_renewed(id, run, &environment, &keep, &way).await;
            keep
        } else {
            self.newest(id, &environment, keep, turn).await
        };
        let implementation = environment.sign_in.implementation();
        let renewed = match implementation.renew(&with, keep.clone()).await {
            // Whoever waits would be told that nobody is reached. A provider that allows for lost answers does so for seconds.
            Err(SignInError::Unreachable(why)) if why.kind == UnreachableKind::Broken => {
                implementation.renew(&with, keep.clone()).await
            }
            other => other,
        };
        let grant = match renewed {
            Err(error) if error.is_spent() => {
                // Another console was quicker, and this computer's keychain may know what it got.
                let newest = self.newest(id, &environment, keep.clone(), turn).await;
                if newest.is_same_as(&keep) {
                    return Err(error.into());
                }
                implementation.renew(&with, newest).await?
            }
            other => other?,
        };
        // At once, before anybody else is asked anything: a rotated refresh token that is lost cannot be had again.
        self.keep_renewed(id, run, &environment, &grant.keep, &way).await;
        let attached =
            attachment(&environment).attach(&grant.credential, way.reach.extras()).map_err(SignInError::from)?;
        let ahead = self.server_ahead(&with).await;
        let now = self.core.clock.now();
        let renewable = implementation.can_renew(&grant.keep);
        let fresh: Option<Result<Fresh, Failure>> = self.if_granted(id, run, |station| {
            let server_ahead = ahead.unwrap_or_else(|| station.session.server_ahead());
            is_newer(&grant.identity, now.plus(server_ahead), station)?;
            Ok(Fresh { attached, identity: grant.identity.clone(), server_ahead, renewable })
        });
        if let Some(fresh) = fresh {
            return Ok(Some(Renewed { grant, way, fresh: fresh? }));
        }
        if self.read(id, |station| station.granted.is_none()).unwrap_or(true) {
            // Signed out meanwhile: what came too late is not left behind at the other side.
            implementation.end(&with, grant.keep).await;
        }
        Ok(None)
    }

    /// The turn of this console among those that run on this computer.
    pub(crate) async fn exclusive(&self, id: &EnvironmentId) -> Result<Option<Exclusive>, Failure> {
        let path = self.core.profile.locks_dir().join(format!("{id}.lock"));
        match Exclusive::enter(&path, ANOTHER_CONSOLE).await {
            Ok(Some(exclusive)) => Ok(Some(exclusive)),
            Ok(None) => Err(Failure::Busy),
            Err(error) => {
                // A folder that cannot be written is no reason to lose the session.
                tracing::warn!(%error, "other consoles cannot be waited for");
                Ok(None)
            }
        }
    }

    /// What the vault holds now, when that is another than what was known: another console has renewed it.
    async fn newest(
        &self,
        id: &EnvironmentId,
        environment: &Environment,
        known: Secrets,
        turn: &RenewalTurn,
    ) -> Secrets {
        match self.kept_for(id, environment, Slot::Credential).await {
            Ok(kept) if environment.sign_in.implementation().can_renew(&kept) && !kept.is_same_as(&known) => {
                turn.taken_up();
                kept
            }
            _ => known,
        }
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
            station.granted.as_mut().is_some_and(|granted| {
                granted.keep = keep.clone();
                !std::mem::replace(&mut granted.unkept, kept.is_err())
            })
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
    use std::time::Duration;

    use super::{lead, pause};

    #[test]
    fn an_outage_is_asked_about_every_two_seconds_for_minutes_and_then_ever_less_often() {
        let pauses: Vec<_> = (1..=220).map(|failures| pause(failures, true)).collect();
        let (young, older) = pauses.split_at(200);
        assert!(young.iter().all(|pause| *pause == Duration::from_secs(2)));
        assert_eq!(older[..6].iter().map(Duration::as_secs).collect::<Vec<_>>(), [5, 10, 20, 40, 80, 120]);
        assert_eq!(older.last(), Some(&Duration::from_mins(2)));
    }

    #[test]
    fn a_credential_is_renewed_a_fifth_of_its_life_ahead_within_bounds_and_a_little_earlier_by_chance() {
        let without = |life| lead(life, 0.0);
        assert_eq!((without(300), without(86_400), without(4), without(-5)), (60, 600, 2, 2));
        assert_eq!((lead(300, 0.5), lead(300, 0.999), lead(86_400, 0.999)), (75, 89, 899));
    }
}
