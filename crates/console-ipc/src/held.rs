//! What waits for the operator's word, because it met an ended session?

use serde::Serialize;
use ts_rs::TS;

/// A request that would have changed the remote system, and was not sent.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct HeldView {
    /// Answered by this id.
    pub id: String,
    /// What it does, made from its bytes: "Retry job 7f3a in emails".
    pub name: String,
    /// When the page asked for it.
    pub asked_at: f64,
    /// It was asked for more than ten minutes ago: doing it is asked again.
    pub late: bool,
    /// It may have been carried out already: the admin answered 401, not its gate, or the console failed in the middle of it.
    pub perhaps_done: bool,
    /// It is on its way now.
    pub under_way: bool,
}
