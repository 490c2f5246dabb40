//! Environments, vault, sign-in methods, sessions and the upstream client. No Tauri, no GUI.
//!
//! Dependencies point one way: `realm, environment, clock ← vault, token ← session ← sign_in, upstream`.

pub mod approval;
pub mod chance;
pub mod clock;
pub mod command_line;
pub mod credential;
pub mod doctor;
pub mod environment;
pub mod environment_file;
pub mod exclusive;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod network;
pub mod profile;
pub mod realm;
pub mod secrets;
pub mod session;
pub mod sign_in;
pub mod third_party;
pub mod token;
pub mod tunnel;
pub mod upstream;
pub mod vault;
pub mod wake;
