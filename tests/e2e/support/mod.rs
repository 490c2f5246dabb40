//! What the journeys are made of: an admin, a home folder, the console in a window.

mod admin;
mod browser;
mod console;
pub(crate) mod process;
mod wait;

pub(crate) use admin::{Admin, FIRST_STRICT};
pub(crate) use browser::Browser;
pub(crate) use console::{Console, Home};
pub(crate) use wait::{eventually, eventually_or, holds};

/// One window at a time: two cores drive one app well, and a window that is not in front behaves differently.
pub(crate) async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}
