//! End to end: the real binary under WebDriver, real AsyncMQ admins from PyPI, a real keychain, a real webview.
//!
//! `cargo xtask test` gives these tests what they need: a screen, a D-Bus session with an unlocked gnome-keyring, and
//! `ADMIN_PYTHON`. Without them they fail and say so; none is skipped.

mod support;

mod canary;
mod environments;
mod interrupted;
mod isolation;
mod journey;
mod keychain;
mod methods;
mod outside;
mod placement;
mod session;
mod third_parties;
