//! What does the shell show of one environment?

use console_core::sign_in::Ask;
use serde::Serialize;
use ts_rs::TS;

use crate::{
    CredentialView, DoctorView, EnvironmentDraft, HeldView, HistoryView, Problem, SessionView, StoredCredentialView,
    ThirdPartyView,
};

/// One environment as the rail, the bar and the editor show it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct EnvironmentView {
    /// Stable and unique.
    pub id: String,
    /// What the operator typed, and what the editor edits.
    pub draft: EnvironmentDraft,
    /// Where the session stands.
    pub session: SessionView,
    /// Whether what is in between is as it should be.
    pub connection: ConnectionView,
    /// What the vault holds for it.
    pub stored_credential: StoredCredentialView,
    /// The page on stage; `None` while no dashboard is open.
    pub page: Option<PageView>,
    /// What a sign-in asks for: the method's secrets and the network's, with what the vault holds marked.
    pub asks: Vec<Ask>,
    /// What the operator must see and approve before anything of it is used; empty: nothing.
    pub approvals: Vec<ApprovalView>,
    /// What is known of the credential in use; `None`: none is in use.
    pub credential: Option<CredentialView>,
    /// What happened to the session, newest first.
    pub history: Vec<HistoryView>,
    /// Actions that met an ended session and wait for the operator's word, oldest first.
    pub held: Vec<HeldView>,
    /// How many actions wait for a renewal, or were sent and have not been answered; the held ones are not among them.
    pub on_their_way: u32,
    /// From whom besides the admin its pages load, or wanted to, by name.
    pub third_parties: Vec<ThirdPartyView>,
    /// What the doctor found, while its panel is open.
    pub doctor: Option<DoctorView>,
}

/// Whether what is in between is as it should be. Whether the remote side can be reached is the session's to say.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum ConnectionView {
    /// As far as is known.
    Fine,
    /// The live updates stand still although the admin can be reached.
    Stalled {
        /// When the last byte came.
        since: f64,
        /// What is known.
        problem: Problem,
    },
    /// It answers, but something between the console and the dashboard is wrong (trusted proxies, another sign-in,
    /// mount prefix).
    Impaired {
        /// What it says.
        problem: Problem,
    },
}

/// The page that a dashboard shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PageView {
    /// The admin's real address of it, copyable.
    pub url: String,
    /// A document is on its way.
    pub loading: bool,
}

/// Something from a settings file that runs a program, trusts a certificate or passes everything through a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ApprovalView {
    /// `command`, `tunnel`, `proxy`, `ca`.
    pub kind: String,
    /// Exactly what is used: the program with each argument, the address, the file with its certificates' fingerprint.
    pub shown: String,
}
