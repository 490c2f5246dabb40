//! The loopback reverse proxy between a dashboard webview and its remote AsyncMQ admin. No Tauri.
//!
//! A request travels through `admit → resolve → protect → authorize → forward → outcome → rewrite → stream`
//! (ARCHITECTURE.md); `pipeline.rs` is that list, each other module is one step of it.

mod admit;
mod answer;
mod events;
mod forward;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gateway;
mod jar;
mod own;
mod pace;
mod pipeline;
mod recovery;
mod resolve;
pub mod rewrite;
mod route;
mod server;
mod ticket;
mod wire;

pub use gateway::{Gateway, GatewayEvent, StartError, Upstream};
pub use pace::Pace;
