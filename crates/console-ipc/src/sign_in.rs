//! What does a sign-in wait for, and what became of it?

use serde::Serialize;
use ts_rs::TS;

use crate::{IdentityView, Problem};

/// What a sign-in under way waits for.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum StepView {
    /// The operator, in the system's browser.
    Browser {
        /// To be copied by hand where the browser did not open. Single use, lives minutes.
        url: String,
        /// When the console stops waiting.
        until: f64,
    },
    /// The operator, on any device.
    DeviceCode {
        /// To be typed there.
        user_code: String,
        /// Where to type it.
        verification_uri: String,
        /// The same with the code in it, for a QR code.
        verification_uri_complete: Option<String>,
        /// When the code ends.
        until: f64,
    },
}

/// What a sign-in answers.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum SignInOutcome {
    /// The admin accepted the token; it is stored, or kept for this run.
    SignedIn,
    /// The core holds the token, unstored, and asks first (not a JWT, no subject, expired by this computer's clock only).
    NeedsConfirmation {
        /// Answered with `sign_in_confirm` or `sign_in_cancel`.
        attempt: String,
        /// What was found.
        findings: Vec<Problem>,
        /// What could be read.
        identity: IdentityView,
    },
    /// Not stored. The token is forgotten with the next attempt; until then the doctor can look at it.
    Rejected {
        /// Why.
        problem: Problem,
        /// What could be read from it.
        identity: Option<IdentityView>,
    },
    /// The operator cancelled.
    Cancelled,
}
