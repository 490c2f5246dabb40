//! From whom besides the admin do an environment's pages want to load?

use serde::Serialize;
use ts_rs::TS;

/// A host that is not the admin's, from which pages load, or wanted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ThirdPartyView {
    /// Answered by this: `https://cdn.example`.
    pub origin: String,
    /// The host to name.
    pub host: String,
    /// What the operator said; `None`: nothing yet, and it is blocked.
    pub allowed: Option<bool>,
    /// What pages wanted of it since the dashboard was opened, and did not get: "scripts", "styles".
    pub kept_out: Vec<String>,
    /// What pages lack without it.
    pub lost: String,
}
