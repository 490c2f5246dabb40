//! How does an examination read as plain text? The same for the clipboard and for the command line.

use std::fmt::{self, Write as _};

use super::step::{Step, StepId, Verdict};
use crate::{clock::UnixTime, environment::Environment};

/// Before the second line of a step.
const INDENT: &str = "        ";

/// What an examination found. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The environment's name.
    pub name: String,
    /// Its base URL, which has neither user information nor a query.
    pub base_url: String,
    /// When it began.
    pub began_at: UnixTime,
    /// In order; those to come are not in it.
    pub steps: Vec<Step>,
}

impl Report {
    /// Nothing is looked at yet.
    pub fn begun(environment: &Environment, began_at: UnixTime) -> Self {
        Self { name: environment.name.clone(), base_url: environment.base_url.to_string(), began_at, steps: Vec::new() }
    }

    /// Takes a step in, in the place of what it was before.
    pub fn take_in(&mut self, step: &Step) {
        match self.steps.iter_mut().find(|known| known.id == step.id) {
            Some(known) => known.clone_from(step),
            None => self.steps.push(step.clone()),
        }
    }

    /// Whether all is well: nothing failed, and nothing works only for now or only in part. What cannot be told from here
    /// and what does not apply is no fault.
    pub fn is_well(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step.verdict, Verdict::Failed | Verdict::Warning | Verdict::Running))
    }

    /// One line for the whole: the first thing to look at.
    pub fn conclusion(&self) -> String {
        let first = |verdict| self.steps.iter().find(|step| step.verdict == verdict);
        if let Some(step) = first(Verdict::Running) {
            return format!("Goes on: {}.", step.id.title());
        }
        if let Some(step) = first(Verdict::Failed) {
            return format!("{} failed. {}", step.id.title(), step.finding);
        }
        if let Some(step) = first(Verdict::Warning) {
            return format!("It works, with a warning. {}: {}", step.id.title(), step.finding);
        }
        // A way without a credential is not the whole.
        if let Some(step) =
            self.steps.iter().find(|step| step.id == StepId::Accepted && step.verdict == Verdict::Skipped)
        {
            return format!("What could be looked at is well. The rest was not looked at. {}", step.finding);
        }
        let open: Vec<_> =
            self.steps.iter().filter(|step| step.verdict == Verdict::Unknown).map(|step| step.id.title()).collect();
        if open.is_empty() {
            "All is well.".into()
        } else {
            format!("All that can be told from here is well. Not told: {}.", open.join(", "))
        }
    }
}

/// As text: a head, a line or three for each step, the conclusion.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "AsyncMQ Console {}: why can't I get in?", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "{} at {}", self.name, self.base_url)?;
        writeln!(f, "{}", self.began_at)?;
        writeln!(f)?;
        for step in &self.steps {
            write!(f, "{step}")?;
        }
        writeln!(f)?;
        writeln!(f, "{}", self.conclusion())
    }
}

/// The verdict's word, the title, and below them the finding and the advice.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{:<7} {}\n", self.verdict, self.id.title());
        for line in [&self.finding, &self.advice].into_iter().filter(|line| !line.is_empty()) {
            writeln!(text, "{INDENT}{line}")?;
        }
        f.write_str(&text)
    }
}
