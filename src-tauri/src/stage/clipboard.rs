//! How does a secret get onto the clipboard, and off again? Kept out of clipboard histories where the platform can, and
//! taken away after a while unless something else was copied meanwhile.

use std::{thread, time::Duration};

use arboard::Clipboard;
use console_workspace::CopiedSecret;
use secrecy::ExposeSecret;

/// How long it stays.
const STAYS: Duration = Duration::from_secs(30);

/// Copies `secret`. Returns at once.
pub(crate) fn copy(secret: CopiedSecret) {
    // On X11 and Wayland the clipboard's content lives as long as its owner: a thread of its own holds it.
    thread::spawn(move || {
        if let Err(error) = hold(&secret) {
            tracing::warn!(%error, "the clipboard could not be used");
        }
    });
}

fn hold(secret: &CopiedSecret) -> Result<(), arboard::Error> {
    let mut clipboard = Clipboard::new()?;
    set(&mut clipboard, secret.0.expose_secret())?;
    thread::sleep(STAYS);
    match clipboard.get_text() {
        // Something else was copied meanwhile.
        Ok(text) if text != secret.0.expose_secret() => Ok(()),
        Err(arboard::Error::ContentNotAvailable) => Ok(()),
        // Ours, or it cannot be told.
        _ => clipboard.clear(),
    }
}

#[cfg(target_os = "linux")]
fn set(clipboard: &mut Clipboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtLinux as _;
    clipboard.set().exclude_from_history().text(text)
}

#[cfg(target_os = "macos")]
fn set(clipboard: &mut Clipboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtApple as _;
    clipboard.set().exclude_from_history().text(text)
}

#[cfg(target_os = "windows")]
fn set(clipboard: &mut Clipboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtWindows as _;
    clipboard.set().exclude_from_history().exclude_from_cloud().exclude_from_monitoring().text(text)
}
