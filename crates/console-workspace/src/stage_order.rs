//! What the workspace asks of the stage, and what the stage reports back.

use std::{fmt, sync::Arc};

use console_core::environment::EnvironmentId;
use console_gateway::Port;
use console_ipc::Cover;
use secrecy::SecretString;
use url::Url;

/// An order for the stage. Orders are carried out in the sequence in which they were sent.
#[derive(Debug, Clone, PartialEq)]
pub enum StageOrder {
    /// Make the environment's dashboard webview (no IPC, ephemeral storage) and send it to `entry`. When there is one
    /// already, it is closed first.
    Open {
        /// Whose dashboard.
        environment: EnvironmentId,
        /// The single-use entry address; lives seconds.
        entry: Url,
        /// `http://127.0.0.1:<port>`: the only origin that this webview may load as a document.
        origin: Url,
    },
    /// Send an open dashboard to an address inside its origin.
    Navigate {
        /// Whose dashboard.
        environment: EnvironmentId,
        /// Where to.
        url: Url,
    },
    /// Load the current page again.
    Reload {
        /// Whose dashboard.
        environment: EnvironmentId,
    },
    /// Tell the page that it is shown again: a form whose request was held left it waiting for an answer.
    ShowAgain {
        /// Whose dashboard.
        environment: EnvironmentId,
    },
    /// Destroy the webview and its storage, then let go of the port: whoever listened there while the page still lives would
    /// be talked to in the admin's stead.
    Close {
        /// Whose dashboard.
        environment: EnvironmentId,
        /// Where it was served.
        port: Port,
    },
    /// Show this environment's dashboard (or none) with as much of the content area as the cover leaves.
    Show {
        /// Whose dashboard; `None`: the shell alone.
        environment: Option<EnvironmentId>,
        /// What the shell needs.
        cover: Cover,
    },
    /// Close the window: the operator has said what is to become of what waits.
    Quit,
    /// Open an http(s) address in the system browser.
    OpenExternal {
        /// The address.
        url: Url,
    },
    /// Put a secret on the clipboard, and take it away after 30 seconds if it is still there.
    CopySecret {
        /// The secret.
        text: CopiedSecret,
    },
}

/// A secret for the clipboard. Does not print, and equals nothing but itself.
#[derive(Clone)]
pub struct CopiedSecret(pub Arc<SecretString>);

impl fmt::Debug for CopiedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopiedSecret")
    }
}

impl PartialEq for CopiedSecret {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What the stage reports.
#[derive(Debug, Clone, PartialEq)]
pub enum StageReport {
    /// The dashboard's document address changed, or its loading began or ended.
    Page {
        /// Whose dashboard.
        environment: EnvironmentId,
        /// The gateway's address of it.
        url: Url,
        /// A document is on its way.
        loading: bool,
    },
    /// The page wants an address outside its origin. The stage has already refused the navigation.
    OutsideLink {
        /// Whose dashboard.
        environment: EnvironmentId,
        /// The address, of any scheme.
        url: Url,
        /// It came from a person's click on a link, as far as the platform tells.
        by_gesture: bool,
    },
    /// A download ended.
    Downloaded {
        /// Whose dashboard.
        environment: EnvironmentId,
        /// Where it is, or `None` when it failed.
        path: Option<std::path::PathBuf>,
        /// The file's name.
        name: String,
    },
}
