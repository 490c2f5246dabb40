//! The types that the shell's UI and the core exchange, and the TypeScript made from them.
//!
//! The core sends one [`ShellState`] whole after every change (event [`STATE_EVENT`]), so the UI never has to merge
//! anything. No type here can carry a credential out of the core: a token travels inwards only, as a command's argument.
//!
//! All times are milliseconds since the Unix epoch, the unit of JavaScript's `Date`.

mod credential;
mod doctor;
mod draft;
mod environment;
mod held;
mod look;
mod problem;
mod prompt;
mod session;
mod shell;
mod sign_in;
mod third_party;

pub use console_core::{
    network::Network,
    sign_in::{Ask, AskKind, Method},
};

pub use self::{
    credential::{ClaimView, CredentialView, IdentityView, StoredCredentialView},
    doctor::{DoctorStepView, DoctorView, VerdictView},
    draft::{Accent, DraftReport, EnvironmentDraft, FieldError, ProtectionView, SaveOutcome},
    environment::{ApprovalView, ConnectionView, EnvironmentView, PageView},
    held::HeldView,
    look::LookReport,
    problem::{CommandError, Problem},
    prompt::{Notice, Prompt},
    session::{HistoryView, SessionView},
    shell::{Cover, Folders, KeychainView, ShellState},
    sign_in::{SignInOutcome, StepView},
    third_party::ThirdPartyView,
};

/// The event whose payload is the whole [`ShellState`].
pub const STATE_EVENT: &str = "shell-state";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ts_rs::{Config, TS};

    use super::{CommandError, Cover, LookReport, SaveOutcome, ShellState, SignInOutcome};

    /// `BLESS=1 cargo test -p console-ipc` writes the bindings; without it a difference fails.
    #[test]
    fn the_bindings_in_the_ui_are_those_of_these_types() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/ipc/bindings");
        let fresh = std::env::temp_dir().join(format!("console-ipc-{}", std::process::id()));
        let target = if std::env::var_os("BLESS").is_some() { &committed } else { &fresh };
        let config = Config::new().with_out_dir(target);
        ShellState::export_all(&config).expect("export");
        SaveOutcome::export_all(&config).expect("export");
        SignInOutcome::export_all(&config).expect("export");
        CommandError::export_all(&config).expect("export");
        LookReport::export_all(&config).expect("export");
        Cover::export_all(&config).expect("export");
        if target == &committed {
            return;
        }
        let mut names: Vec<_> =
            std::fs::read_dir(&fresh).expect("fresh").map(|e| e.expect("entry").file_name()).collect();
        names.sort();
        let mut old: Vec<_> =
            std::fs::read_dir(&committed).expect("committed").map(|e| e.expect("entry").file_name()).collect();
        old.sort();
        assert_eq!(old, names, "run BLESS=1 cargo test -p console-ipc");
        for name in names {
            assert_eq!(
                std::fs::read_to_string(committed.join(&name)).expect("read"),
                std::fs::read_to_string(fresh.join(&name)).expect("read"),
                "{} drifted: run BLESS=1 cargo test -p console-ipc",
                name.display()
            );
        }
        std::fs::remove_dir_all(&fresh).expect("clean up");
    }
}
