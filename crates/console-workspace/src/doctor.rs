//! The doctor of one environment, as its panel shows it: one examination at a time, live.

use console_core::{
    doctor::{Report, SignedIn, Step, Subject, Verdict, examine},
    environment::EnvironmentId,
    secrets::Secrets,
    session::Credential,
};
use console_ipc::{CommandError, DoctorStepView, DoctorView, VerdictView};
use tokio::task::AbortHandle;

use crate::{
    sign_in::Answer,
    station::{Station, Way},
    workspace::Workspace,
};

/// An examination, under way or over. Dropped, it ends.
pub(crate) struct Doctor {
    run: u64,
    report: Report,
    running: Option<AbortHandle>,
}

impl Drop for Doctor {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

impl Doctor {
    pub(crate) fn view(&self) -> DoctorView {
        DoctorView {
            running: self.running.is_some(),
            began_at: self.report.began_at.as_millis(),
            steps: self.report.steps.iter().map(step_view).collect(),
            text: self.report.to_string(),
        }
    }
}

impl Workspace {
    /// Opens the doctor's panel and begins an examination, unless one is there already.
    ///
    /// # Errors
    /// When the environment is gone, or its way lacks what it needs.
    pub async fn doctor_open(&self, id: &str) -> Answer<()> {
        let is_open = self.read(&self.id(id)?, |station| station.doctor.is_some())?;
        if is_open { Ok(()) } else { self.doctor_run(id).await }
    }

    /// Begins anew.
    ///
    /// # Errors
    /// As [`Self::doctor_open`].
    pub async fn doctor_run(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let environment = self.read(&id, |station| station.environment.clone())?;
        let known = self.read(&id, |station| station.way.clone())?;
        let way = match known {
            Some(way) => way,
            None => self
                .way(&id, &environment, Secrets::default())
                .await
                .map_err(|failure| CommandError { problem: failure.problem(&environment) })?,
        };
        let run = self.fresh_run();
        let report = Report::begun(&environment, self.core.clock.now());
        let begun = self.change(&id, |station| {
            let subject = self.subject(station, way);
            // Begun under the lock: its first step finds the examination that it belongs to.
            let task = tokio::spawn(self.clone().examine(id.clone(), run, subject));
            station.doctor = Some(Doctor { run, report, running: Some(task.abort_handle()) });
        });
        begun.ok_or_else(crate::workspace::gone)
    }

    /// Closes the panel; an examination under way ends.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn doctor_close(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        self.change(&id, |station| station.doctor = None);
        Ok(())
    }

    fn subject(&self, station: &Station, way: Way) -> Subject {
        let in_use = station.granted.as_ref().zip(station.session.identity()).map(|(granted, identity)| SignedIn {
            credential: granted.credential.clone(),
            identity,
            kept: granted.keep.clone(),
        });
        // Why it was not let in is what the doctor is asked.
        let tried = station.tried.as_ref().map(|(credential, identity)| SignedIn {
            credential: credential.clone(),
            identity: identity.clone(),
            kept: Secrets::default(),
        });
        let signed_in = tried.or(in_use);
        Subject {
            environment: station.environment.clone(),
            reach: way.reach,
            network: way.network,
            // What was kept and has not been exchanged for a credential yet is none.
            signed_in: signed_in
                .filter(|signed_in| !matches!(signed_in.credential, Credential::Nothing) || signed_in.kept.is_empty()),
            clock: self.core.clock.clone(),
        }
    }

    async fn examine(self, id: EnvironmentId, run: u64, subject: Subject) {
        let mut observer = |step: &Step| {
            self.change(&id, |station| {
                if let Some(doctor) = station.doctor.as_mut().filter(|doctor| doctor.run == run) {
                    doctor.report.take_in(step);
                }
            });
        };
        examine(&subject, &mut observer).await;
        self.change(&id, |station| {
            if let Some(doctor) = station.doctor.as_mut().filter(|doctor| doctor.run == run) {
                doctor.running = None;
            }
        });
    }
}

fn step_view(step: &Step) -> DoctorStepView {
    DoctorStepView {
        id: step.id.as_str().to_owned(),
        title: step.id.title().to_owned(),
        verdict: match step.verdict {
            Verdict::Running => VerdictView::Running,
            Verdict::Well => VerdictView::Well,
            Verdict::Warning => VerdictView::Warning,
            Verdict::Failed => VerdictView::Failed,
            Verdict::Unknown => VerdictView::Unknown,
            Verdict::Skipped => VerdictView::Skipped,
        },
        finding: step.finding.clone(),
        advice: step.advice.clone(),
    }
}
