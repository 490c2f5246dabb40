//! The doctor of one environment, as its panel shows it: one examination at a time, live.

use std::sync::Arc;

use console_core::{
    doctor::{Report, SignedIn, Step, StepId, Subject, Usable, Verdict, examine},
    environment::EnvironmentId,
    secrets::Secrets,
    session::Credential,
    sign_in::Advice as _,
    tunnel::Tunnel,
    upstream::ReachError,
    vault::Slot,
};
use console_ipc::{DoctorStepView, DoctorView, VerdictView};
use tokio::task::AbortHandle;

use crate::{
    sign_in::Answer,
    station::{Station, Way},
    words,
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
    /// When the environment is gone.
    pub async fn doctor_open(&self, id: &str) -> Answer<()> {
        let is_open = self.read(&self.id(id)?, |station| station.doctor.is_some())?;
        if is_open { Ok(()) } else { self.doctor_run(id).await }
    }

    /// Begins anew. The panel is there at once, so that whoever closes it meets it; what the way needs (its secrets, a tunnel)
    /// is a matter of the examination, and so is what of it is not to be had.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn doctor_run(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let run = self.fresh_run();
        let begun = self.change(&id, |station| {
            let report = Report::begun(&station.environment, self.core.clock.now());
            // Begun under the lock: its first step finds the examination that it belongs to.
            let task = tokio::spawn(self.clone().examine(id.clone(), run));
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

    async fn examine(self, id: EnvironmentId, run: u64) {
        let mut observer = |step: &Step| self.change_of(&id, run, |doctor| doctor.report.take_in(step));
        observer(&Step::running(StepId::Settings));
        match self.subject(&id, run).await {
            // The tunnel stays up until all is looked at.
            Some(Ok((subject, _tunnel))) => drop(examine(&subject, &mut observer).await),
            Some(Err(error)) => observer(&Step {
                id: StepId::Settings,
                verdict: Verdict::Failed,
                finding: words::sentence(&error.to_string()),
                advice: error.advice(),
            }),
            None => {}
        }
        self.change_of(&id, run, |doctor| doctor.running = None);
    }

    /// What is examined, and its tunnel; `None`: the examination is over. Whoever is signed in is examined the way that the
    /// session goes, as long as all of it is approved; what was not accepted is examined the way that it went.
    async fn subject(
        &self,
        id: &EnvironmentId,
        run: u64,
    ) -> Option<Result<(Subject, Option<Arc<Tunnel>>), ReachError>> {
        let clock = self.core.clock.clone();
        let (environment, tried, in_use) = self.read_of(id, run, |station| {
            let tried = station.tried.as_ref().map(|tried| tried.network.clone());
            (station.environment.clone(), tried, station.way.clone().map(|way| (way, signed_in(station))))
        })?;
        let at_hand = match in_use {
            // A file of authorities may have changed since the session began.
            Some((way, signed_in)) if tried.is_none() && self.is_approved(&environment).await => {
                let Way { reach, network, _tunnel: tunnel } = way;
                let subject = Subject { environment, reach, network, signed_in, left_out: Vec::new(), clock };
                return Some(Ok((subject, tunnel)));
            }
            in_use => in_use.map(|(way, _)| way.network).unwrap_or_default().overlaid(tried.unwrap_or_default()),
        };
        let network = if environment.network.asks().is_empty() {
            // Nothing to look for: a keychain that is not there is no matter.
            Ok(at_hand)
        } else {
            self.kept_for(id, &environment, Slot::Network).await.map(|kept| kept.overlaid(at_hand))
        };
        let mut usable = Usable::of(environment, self.approved(id).await, network);
        let tunnel = self.tunnel(id, usable.environment()).await.unwrap_or_else(|error| {
            usable.leave_out(error.into());
            None
        });
        let signed_in = self.read_of(id, run, signed_in)?;
        Some(usable.subject(signed_in, clock).map(|subject| (subject, tunnel)))
    }

    /// Reads the station for the examination `run`, unless that is over.
    fn read_of<T>(&self, id: &EnvironmentId, run: u64, read: impl FnOnce(&Station) -> T) -> Option<T> {
        let is_current = |station: &Station| station.doctor.as_ref().is_some_and(|doctor| doctor.run == run);
        self.read(id, |station| is_current(station).then(|| read(station))).ok()?
    }

    /// Changes the examination `run`, unless it is over.
    fn change_of(&self, id: &EnvironmentId, run: u64, change: impl FnOnce(&mut Doctor)) {
        self.change(id, |station| station.doctor.as_mut().filter(|doctor| doctor.run == run).map(change));
    }
}

fn signed_in(station: &Station) -> Option<SignedIn> {
    let in_use = station.granted.as_ref().zip(station.session.identity()).map(|(granted, identity)| SignedIn {
        credential: granted.credential.clone(),
        identity,
        kept: granted.keep.clone(),
    });
    // Why it was not let in is what the doctor is asked.
    let tried = station.tried.as_ref().map(|tried| SignedIn {
        credential: tried.credential.clone(),
        identity: tried.identity.clone(),
        kept: Secrets::default(),
    });
    // What was kept and has not been exchanged for a credential yet is none.
    tried
        .or(in_use)
        .filter(|signed_in| !matches!(signed_in.credential, Credential::Nothing) || signed_in.kept.is_empty())
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
