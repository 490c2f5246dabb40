//! What has the doctor found?

use serde::Serialize;
use ts_rs::TS;

/// The doctor's examination: "Why can't I get in?"
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DoctorView {
    /// It goes on.
    pub running: bool,
    /// When it began.
    pub began_at: f64,
    /// In order; those to come are not in it yet.
    pub steps: Vec<DoctorStepView>,
    /// The whole as text without secrets, for the clipboard.
    pub text: String,
}

/// One step of the doctor.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DoctorStepView {
    /// Stable: `dns`, `tcp`, `tls`, …
    pub id: String,
    /// Its name.
    pub title: String,
    /// How it stands.
    pub verdict: VerdictView,
    /// What was found; while it runs what is looked at.
    pub finding: String,
    /// What to do; empty when there is nothing to.
    pub advice: String,
}

/// How a step of the doctor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum VerdictView {
    /// Under way.
    Running,
    /// As it should be.
    Well,
    /// Works, and will not for long, or not for everything.
    Warning,
    /// This is why.
    Failed,
    /// It cannot be told from here.
    Unknown,
    /// Not asked, because of an earlier step or because it does not apply.
    Skipped,
}
