//! The loopback reverse proxy between a dashboard webview and its remote AsyncMQ admin. No Tauri.
//!
//! A request travels through `admit → resolve → protect → authorize → forward → outcome → rewrite → stream`
//! (ARCHITECTURE.md); `pipeline.rs` is that list, each other module is one step of it.

mod action;
mod admit;
mod answer;
mod carry_out;
mod denials;
mod events;
mod exchange;
mod forward;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gateway;
mod held;
mod interrupted;
mod jar;
mod linger;
mod on_its_way;
mod operator;
mod own;
mod pace;
mod payload;
mod pipeline;
mod places;
mod recovery;
mod resolve;
pub mod rewrite;
mod route;
mod server;
mod static_files;
mod third_party;
mod ticket;
mod unanswered;
mod undone;
mod upload;
mod waiting;
mod wire;

pub use action::{Action, Meaning, Object, Verb};
pub use gateway::{Gateway, GatewayEvent, Port, StartError, Upstream};
pub use held::{CarriedOut, HeldError, HeldId, HeldWrite};
pub use pace::Pace;
pub use third_party::{Blocked, Kind};
