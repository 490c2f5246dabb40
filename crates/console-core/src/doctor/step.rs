//! What does the doctor look at, in which order, and how does one step of it stand?

use std::{fmt, time::Duration};

/// A step, in the order of [`StepId::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the titles say it")]
pub enum StepId {
    Settings,
    Dns,
    Tcp,
    Proxy,
    Tls,
    Http,
    Mount,
    Login,
    Attachment,
    Token,
    Algorithm,
    Signature,
    Issuer,
    Audience,
    Times,
    Subject,
    Admin,
    Accepted,
    Health,
    Ready,
    SameOrigin,
    Events,
}

impl StepId {
    /// All of them: the settings and the way first, then the admin, then the token, then what a signed-in operator meets.
    pub const ALL: [Self; 22] = [
        Self::Settings,
        Self::Dns,
        Self::Tcp,
        Self::Proxy,
        Self::Tls,
        Self::Http,
        Self::Mount,
        Self::Login,
        Self::Attachment,
        Self::Token,
        Self::Algorithm,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::Times,
        Self::Subject,
        Self::Admin,
        Self::Accepted,
        Self::Health,
        Self::Ready,
        Self::SameOrigin,
        Self::Events,
    ];

    /// Stable, for the UI and for scripts.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// Its name for a person.
    pub fn title(self) -> &'static str {
        self.words().1
    }

    /// What is looked at while it runs.
    pub fn looks_at(self) -> &'static str {
        self.words().2
    }

    /// Stable id, title, what is looked at.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Settings => {
                ("settings", "Settings", "Looks at what of the settings can be used, and starts the tunnel.")
            }
            Self::Dns => ("dns", "Name resolution", "Asks for the addresses of the host."),
            Self::Tcp => ("tcp", "Connection", "Connects to each of the addresses."),
            Self::Proxy => ("proxy", "Proxy", "Finds the proxy that applies, and goes through it."),
            Self::Tls => ("tls", "TLS", "Looks at the server's certificate."),
            Self::Http => ("http", "HTTP", "Asks for the first page, without a credential."),
            Self::Mount => ("mount", "Mount prefix", "Looks for the admin below the base URL."),
            Self::Login => ("login", "Login path", "Looks where a page leads without a credential."),
            Self::Attachment => ("attachment", "Header and scheme", "Asks for the first page, with the credential."),
            Self::Token => ("token", "Token", "Reads the token."),
            Self::Algorithm => ("algorithm", "Algorithm", "Reads how the token is signed."),
            Self::Signature => ("signature", "Signature", "Looks for the key that the token was signed with."),
            Self::Issuer => ("issuer", "Issuer", "Compares the token's `iss`."),
            Self::Audience => ("audience", "Audience", "Compares the token's `aud`."),
            Self::Times => {
                ("times", "Times", "Compares the token's times and this computer's clock with the server's.")
            }
            Self::Subject => ("subject", "Subject", "Reads the token's `sub`."),
            Self::Admin => ("admin", "Admin and roles", "Reads the token's admin claim and roles."),
            Self::Accepted => ("accepted", "Acceptance", "Reads what the admin makes of the credential."),
            Self::Health => ("health", "/health", "Asks whether the dashboard lives."),
            Self::Ready => ("ready", "/ready", "Asks whether the admin reaches its backend."),
            Self::SameOrigin => ("same_origin", "Actions", "Asks whether an action would pass, without doing any."),
            Self::Events => ("events", "Live events", "Waits for two rounds of live events."),
        }
    }

    /// Without which steps this one says nothing: it is skipped when one of them failed, or was skipped for such a reason.
    pub(super) fn needs(self) -> &'static [Self] {
        match self {
            Self::Tcp => &[Self::Dns],
            Self::Proxy => &[Self::Tcp],
            Self::Tls => &[Self::Proxy],
            Self::Http => &[Self::Tls],
            Self::Mount => &[Self::Http],
            Self::Login | Self::Attachment | Self::Accepted => &[Self::Mount],
            Self::Health | Self::Ready | Self::SameOrigin | Self::Events => &[Self::Accepted],
            // What a token says can be read without a network.
            _ => &[],
        }
    }

    /// How long it may take. A request of it has a shorter time-out of its own.
    pub(super) fn patience(self) -> Duration {
        Duration::from_secs(match self {
            // Several prefixes are tried.
            Self::Mount => 60,
            // Several addresses are tried.
            Self::Tcp | Self::Events => 30,
            _ => 20,
        })
    }
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Under way.
    Running,
    /// As it should be.
    Well,
    /// Works, and will not for long, or not for everything.
    Warning,
    /// This is why.
    Failed,
    /// It cannot be told from here.
    Unknown,
    /// Not looked at, because of an earlier step or because it does not apply.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Well => "well",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        })
    }
}

/// A step, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub id: StepId,
    /// How it stands.
    pub verdict: Verdict,
    /// One line: what was found; while it runs, what is looked at.
    pub finding: String,
    /// What to do; empty when there is nothing to.
    pub advice: String,
}

impl Step {
    /// As it begins.
    pub fn running(id: StepId) -> Self {
        Self { id, verdict: Verdict::Running, finding: id.looks_at().into(), advice: String::new() }
    }
}

/// What a step found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) verdict: Verdict,
    pub(super) finding: String,
    pub(super) advice: String,
    /// Why steps that need this one are not looked at.
    pub(super) stops: Option<String>,
}

impl Found {
    fn new(verdict: Verdict, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict, finding: finding.into(), advice: advice.into(), stops: None }
    }

    pub(super) fn well(finding: impl Into<String>) -> Self {
        Self::new(Verdict::Well, finding, "")
    }

    pub(super) fn warning(finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, finding, advice)
    }

    pub(super) fn failed(finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, finding, advice)
    }

    pub(super) fn unknown(finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, finding, advice)
    }

    /// It does not apply.
    pub(super) fn skipped(finding: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, finding, "")
    }

    /// It cannot be looked at, nor what needs it.
    pub(super) fn stopped(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { stops: Some(why.clone()), ..Self::new(Verdict::Skipped, why, "") }
    }
}
