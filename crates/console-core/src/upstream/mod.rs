//! How does the console talk to a remote admin? It follows no redirect, keeps no cookie and adds no credential by itself.

pub(crate) mod client_identity;
mod look;
mod outcome;
mod probe;
mod reach;
mod tls;
mod unreachable;

pub use client_identity::ClientIdentityError;
pub use look::{Look, look};
pub use outcome::{Outcome, REFUSAL_BODY_LIMIT, judge, judge_forbidden};
pub use probe::{ProbeError, ProbeReport, probe, server_time};
pub(crate) use probe::{beginning, outcome_of, send};
pub(crate) use reach::goes_direct;
pub use reach::{CONNECT_TIMEOUT, Reach, ReachError};
pub(crate) use tls::provider;
pub use unreachable::{Unreachable, UnreachableKind};
