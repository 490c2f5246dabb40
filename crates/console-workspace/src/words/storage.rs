//! What is the operator told of the keychain and the settings?

use console_core::{environment_file::EnvironmentFileError, vault::VaultError};
use console_ipc::Problem;

use super::{problem, sentence};

/// Why the keychain did not do what was asked.
pub(crate) fn vault_error(error: &VaultError) -> Problem {
    problem(
        "keychain",
        "The keychain did not do it",
        sentence(&error.to_string()),
        "Unlock the keychain (on Linux: gnome-keyring or KWallet) and try again.",
    )
}

/// There is no keychain.
pub(crate) fn no_keychain(reason: &str) -> Problem {
    problem(
        "no_keychain",
        "No keychain on this computer",
        sentence(&format!("the system says: {}", reason.trim_start_matches("there is no keychain to use: "))),
        "Start or unlock the keychain (on Linux: gnome-keyring or KWallet) and look again, or go on for this run only.",
    )
}

/// The environments' file was not taken in. The error itself says what to do.
pub(crate) fn settings_left_alone(error: &EnvironmentFileError) -> Problem {
    let title = match error {
        EnvironmentFileError::Newer { .. } => "The environments are from a newer version",
        EnvironmentFileError::OnlyBackup { .. } => "The environments are missing, but their backup is there",
        _ => "The environments could not be read",
    };
    problem("settings", title, sentence(&error.to_string()), "The file was left as it is.")
}
