//! Is there a keychain? Looked at, and looked for while there is none.

use std::{sync::Arc, time::Duration};

use console_core::{environment::EnvironmentId, session::SessionState, vault::VaultStatus};
use console_ipc::KeychainView;

use crate::{sign_in::Answer, words, workspace::Workspace};

/// How often it is looked for while there is none.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

impl Workspace {
    /// Looks for a keychain again, and restores what it holds.
    ///
    /// # Errors
    /// None; the state tells.
    pub async fn keychain_retry(&self) -> Answer<()> {
        if self.look_at_keychain().await == VaultStatus::Available {
            let waiting: Vec<EnvironmentId> = self
                .inner()
                .stations
                .iter()
                .filter(|(_, station)| station.session.state() == SessionState::SignedOut)
                .map(|(id, _)| id.clone())
                .collect();
            for id in waiting {
                self.restore(&id).await;
            }
        }
        Ok(())
    }

    /// Keeps secrets in memory for this run, as the operator agreed.
    ///
    /// # Errors
    /// None; the state tells.
    pub async fn keychain_use_memory(&self) -> Answer<()> {
        self.core.vault.allow_memory();
        self.look_at_keychain().await;
        Ok(())
    }

    /// Picks up a keychain that appears while the console runs. One that is there and locked is not asked again and again:
    /// each time a person would be asked for its password.
    pub(crate) async fn watch_for_keychain(self) {
        let weak = Arc::downgrade(&self.core);
        let mut states = self.subscribe();
        drop(self);
        loop {
            if states.wait_for(|state| state.keychain != KeychainView::Available).await.is_err() {
                return;
            }
            loop {
                let Some(core) = weak.upgrade() else { return };
                let workspace = Self { core };
                if workspace.inner().keychain == KeychainView::Available {
                    break;
                }
                let could_open = workspace.inner().keychain_opens;
                if workspace.core.vault.can_open().await {
                    if !could_open {
                        let _ = workspace.keychain_retry().await;
                    }
                } else {
                    workspace.inner().keychain_opens = false;
                }
                drop(workspace);
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    pub(crate) async fn look_at_keychain(&self) -> VaultStatus {
        // Before, so that one that appears in between is seen by the watch.
        let opens = self.core.vault.can_open().await;
        let status = self.core.vault.status().await;
        let view = match &status {
            VaultStatus::Available => KeychainView::Available,
            VaultStatus::Unavailable { reason } => {
                KeychainView::Unavailable { problem: words::no_keychain(reason), memory_allowed: false }
            }
            VaultStatus::Memory { reason } => {
                KeychainView::Unavailable { problem: words::no_keychain(reason), memory_allowed: true }
            }
        };
        {
            let mut inner = self.inner();
            inner.keychain = view;
            inner.keychain_opens = opens;
        }
        self.publish();
        status
    }
}
