//! Actions that met an ended session: offered by name after the sign-in, done once or dropped, never in silence.

use console_core::{clock::UnixTime, environment::EnvironmentId};
use console_gateway::{CarriedOut, Gateway, HeldError, HeldId, HeldWrite};
use console_ipc::{CommandError, HeldView, Prompt};

use crate::{StageOrder, sign_in::Answer, station::Station, words, workspace::Workspace};

/// After this many seconds doing it is asked again: things may have changed.
const LATE: i64 = 10 * 60;

impl Station {
    /// What is held, oldest first.
    pub(crate) fn held(&self, now: UnixTime) -> Vec<HeldView> {
        self.gateway.as_ref().map(Gateway::held).unwrap_or_default().into_iter().map(|held| view(held, now)).collect()
    }

    /// How many actions have set out and have not been answered.
    pub(crate) fn on_their_way(&self) -> u32 {
        self.gateway.as_ref().map_or(0, |gateway| u32::try_from(gateway.on_their_way()).unwrap_or(u32::MAX))
    }
}

fn view(held: HeldWrite, now: UnixTime) -> HeldView {
    HeldView {
        id: held.id.to_string(),
        name: held.action.name,
        asked_at: held.asked_at.as_millis(),
        late: is_late(held.asked_at, now),
        perhaps_done: held.perhaps_done,
        under_way: held.under_way,
    }
}

/// A clock that was set back makes nothing fresh again.
fn is_late(asked_at: UnixTime, now: UnixTime) -> bool {
    now.seconds_since(asked_at).abs() > LATE
}

impl Workspace {
    /// Does what was held, once. What was asked for long ago, or may have been done already, needs `late_confirmed`: the
    /// operator was told so.
    ///
    /// # Errors
    /// When it is not held any more, or was not done; whether it still waits is in the state.
    pub async fn held_carry_out(&self, id: &str, held: &str, late_confirmed: bool) -> Answer<()> {
        let id = self.id(id)?;
        let held = held_id(held)?;
        let now = self.core.clock.now();
        let (carrying_out, tag) = self.read(&id, |station| {
            let gateway = station.gateway.as_ref().ok_or(HeldError::Gone);
            let known = gateway.and_then(|gateway| {
                let write = gateway.held().into_iter().find(|write| write.id == held).ok_or(HeldError::Gone)?;
                Ok((gateway.carry_out(held), is_late(write.asked_at, now) || write.perhaps_done))
            });
            (known, station.environment.tag.clone())
        })?;
        let result = match carrying_out {
            Ok((_, true)) if !late_confirmed => {
                // It may have become late since the shell was last told.
                self.publish();
                return Err(failed(words::held_late()));
            }
            Ok((carrying_out, _)) => carrying_out.await,
            Err(error) => Err(error),
        };
        match result {
            Ok(done) => {
                self.carried_out(&id, &tag, &done);
                Ok(())
            }
            Err(error) => {
                self.publish();
                self.wake_page(&id);
                Err(failed(words::held_error(&error, &tag)))
            }
        }
    }

    /// The page shows what became of it; what is not shown there is said.
    fn carried_out(&self, id: &EnvironmentId, tag: &str, done: &CarriedOut) {
        if !done.ok {
            let said = done.said.as_deref().map(|said| format!(": {said}")).unwrap_or_default();
            let text = format!("{tag} answered {} to “{}”{said}. Look whether it was done.", done.status, done.name);
            self.inner().notify("error", text, Some(id));
            self.publish();
            self.wake_page(id);
            return;
        }
        self.inner().notify("info", format!("Done on {tag}: {}.", done.name), Some(id));
        self.publish();
        match &done.go_to {
            Some(path) => self.go_to(id, path),
            None => self.order_page(id, StageOrder::Reload { environment: id.clone() }),
        }
    }

    /// Drops what was held: it is not done.
    ///
    /// # Errors
    /// When it is not held any more, or is on its way.
    pub async fn held_drop(&self, id: &str, held: &str) -> Answer<()> {
        let id = self.id(id)?;
        let held = held_id(held)?;
        let (dropped, tag) = self.read(&id, |station| {
            (station.gateway.as_ref().and_then(|gateway| gateway.drop_held(held)), station.environment.tag.clone())
        })?;
        self.publish();
        self.wake_page(&id);
        dropped.map(|_| ()).ok_or_else(|| failed(words::held_error(&HeldError::Gone, &tag)))
    }

    /// What was held and will not be done: said by name, with the reason as a sentence.
    pub(crate) fn say_dropped(&self, id: &EnvironmentId, names: &[String], why: &str) {
        if names.is_empty() {
            return;
        }
        let names = names.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ");
        let mut inner = self.inner();
        let Some(tag) = inner.stations.get(id).map(|station| station.environment.tag.clone()) else { return };
        inner.notify("refused_write", format!("Not done on {tag}: {names}. {why}"), Some(id));
    }

    /// Nobody will say what became of actions whose dashboard has ended: `why`.
    pub(crate) fn say_on_their_way(&self, id: &EnvironmentId, many: usize, why: &str) {
        let (actions, done) = match many {
            0 => return,
            1 => ("An action was".to_owned(), "it was done"),
            many => (format!("{many} actions were"), "they were done"),
        };
        let mut inner = self.inner();
        let Some(tag) = inner.stations.get(id).map(|station| station.environment.tag.clone()) else { return };
        inner.notify(
            "refused_write",
            format!("{actions} still on the way to {tag}: look whether {done}. {why}"),
            Some(id),
        );
    }

    /// Whether the console may be closed now. Where actions wait, or are on their way, the operator is asked first.
    pub fn may_quit(&self) -> bool {
        let now = self.core.clock.now();
        let mut inner = self.inner();
        if inner.stations.values().all(|station| station.held(now).is_empty() && station.on_their_way() == 0) {
            return true;
        }
        crate::prompts::add(&mut inner.prompts, Prompt::Quit);
        drop(inner);
        self.publish();
        false
    }

    /// The operator's answer: close and let go of what waits and of what is on its way, or stay.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn quit_answer(&self, quit: bool) -> Answer<()> {
        let asked = self.inner().prompts.contains(&Prompt::Quit);
        self.close_prompt(&Prompt::Quit);
        if quit && asked {
            self.order(StageOrder::Quit);
        }
        Ok(())
    }
}

fn held_id(text: &str) -> Answer<HeldId> {
    text.parse().map_err(|_| failed(words::held_error(&HeldError::Gone, "")))
}

fn failed(problem: console_ipc::Problem) -> CommandError {
    CommandError { problem }
}

#[cfg(test)]
mod tests {
    use console_core::clock::UnixTime;

    use super::is_late;

    #[test]
    fn more_than_ten_minutes_is_late_whichever_way_the_clock_went() {
        assert!(!is_late(UnixTime(1_000), UnixTime(1_600)));
        assert!(is_late(UnixTime(1_000), UnixTime(1_601)));
        assert!(is_late(UnixTime(5_000), UnixTime(1_000)));
    }
}
