//! All environments together: their sessions and gateways, and the state that the shell shows. No Tauri.
//!
//! [`Workspace`] has one method for every command of the shell's UI. Every change is published as one whole
//! [`console_ipc::ShellState`]; what the window has to do follows as [`StageOrder`]s.

mod approvals;
mod convert;
mod doctor;
mod environments;
mod gateways;
mod held;
mod keychain;
mod look;
mod look_again;
mod prompts;
mod renewal;
mod restore;
mod settle;
mod sign_in;
mod sign_out;
mod stage_order;
mod station;
mod third_parties;
mod way;
mod words;
mod workspace;

pub use console_gateway::Port;
pub use stage_order::{CopiedSecret, StageOrder, StageReport};
pub use workspace::{Options, StartError, Workspace};
