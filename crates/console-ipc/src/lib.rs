//! The types that the shell's UI and the core exchange, and the TypeScript made from them.
//!
//! The core sends one [`ShellState`] whole after every change (event [`STATE_EVENT`]), so the UI never has to merge
//! anything. No type here can carry a credential out of the core: a token travels inwards only, as a command's argument.
//!
//! All times are milliseconds since the Unix epoch, the unit of JavaScript's `Date`.

pub use console_core::{
    network::Network,
    sign_in::{Ask, AskKind, Method},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The event whose payload is the whole [`ShellState`].
pub const STATE_EVENT: &str = "shell-state";

/// Everything that the shell shows.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ShellState {
    /// In the order of the rail.
    pub environments: Vec<EnvironmentView>,
    /// The id of the environment on stage.
    pub selected: Option<String>,
    /// Whether secrets can be stored on this computer.
    pub keychain: KeychainView,
    /// Why the environments' file was left alone; while it is set, environments cannot be changed.
    pub settings_problem: Option<Problem>,
    /// What waits for the operator's answer, oldest first.
    pub prompts: Vec<Prompt>,
    /// What happened and needs no answer (a download was saved), newest last. Dismissed by id.
    pub notices: Vec<Notice>,
    /// Where settings and logs are, for the about panel.
    pub folders: Folders,
    /// The namespace of this run where it is not the operator's own: "development", "demo".
    pub profile: Option<String>,
}

/// One environment as the rail, the bar and the editor show it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct EnvironmentView {
    /// Stable and unique.
    pub id: String,
    /// What the operator typed, and what the editor edits.
    pub draft: EnvironmentDraft,
    /// Where the session stands.
    pub session: SessionView,
    /// Whether what is in between is as it should be.
    pub connection: ConnectionView,
    /// What the vault holds for it.
    pub stored_credential: StoredCredentialView,
    /// The page on stage; `None` while no dashboard is open.
    pub page: Option<PageView>,
    /// What a sign-in asks for: the method's secrets and the network's, with what the vault holds marked.
    pub asks: Vec<Ask>,
    /// What the operator must see and approve before anything of it is used; empty: nothing.
    pub approvals: Vec<ApprovalView>,
    /// What is known of the credential in use; `None`: none is in use.
    pub credential: Option<CredentialView>,
    /// What happened to the session, newest first.
    pub history: Vec<HistoryView>,
    /// Actions that met an ended session and wait for the operator's word, oldest first.
    pub held: Vec<HeldView>,
    /// How many actions wait for a renewal, or were sent and have not been answered; the held ones are not among them.
    pub on_their_way: u32,
    /// What the doctor found, while its panel is open.
    pub doctor: Option<DoctorView>,
}

/// One change of a session, for a person: `renewed`, `refused: audience`.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct HistoryView {
    /// When, or since when.
    pub at: f64,
    /// One line without the time.
    pub text: String,
    /// Something went wrong.
    pub trouble: bool,
}

/// A request that would have changed the remote system, and was not sent.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct HeldView {
    /// Answered by this id.
    pub id: String,
    /// What it does, made from its bytes: "Retry job 7f3a in emails".
    pub name: String,
    /// When the page asked for it.
    pub asked_at: f64,
    /// It was asked for more than ten minutes ago: doing it is asked again.
    pub late: bool,
    /// The admin answered 401 to it, not its gate: it may have been carried out already.
    pub perhaps_done: bool,
    /// It is on its way now.
    pub under_way: bool,
}

/// The doctor's examination: "Why can't I get in?"
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DoctorView {
    /// It goes on.
    pub running: bool,
    /// When it began.
    pub began_at: f64,
    /// In order; those to come are not in it yet.
    pub steps: Vec<DoctorStepView>,
    /// The whole as text without secrets, for the clipboard.
    pub text: String,
}

/// One step of the doctor.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DoctorStepView {
    /// Stable: `dns`, `tcp`, `tls`, …
    pub id: String,
    /// Its name.
    pub title: String,
    /// How it stands.
    pub verdict: VerdictView,
    /// What was found; while it runs what is looked at.
    pub finding: String,
    /// What to do; empty when there is nothing to.
    pub advice: String,
}

/// How a step of the doctor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum VerdictView {
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
    /// Not asked, because of an earlier step or because it does not apply.
    Skipped,
}

/// Something from a settings file that runs a program, trusts a certificate or passes everything through a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ApprovalView {
    /// `command`, `tunnel`, `proxy`, `ca`.
    pub kind: String,
    /// Exactly what is used: the program with each argument, the address, the file with its certificates' fingerprint.
    pub shown: String,
}

/// What is known of a credential: never the credential.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct CredentialView {
    /// What carries it, such as `Authorization: Bearer …` or `Cookie: session`.
    pub carried_by: String,
    /// `keychain`, `memory` (this run only) or `nowhere`.
    pub kept_in: String,
    /// When it was obtained.
    pub obtained_at: f64,
    /// When the console last renewed it by itself.
    pub renewed_at: Option<f64>,
    /// The console renews it by itself.
    pub renews: bool,
    /// It is a token, which can be copied after a confirmation.
    pub copyable: bool,
}

/// An environment as the operator describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EnvironmentDraft {
    /// Shown everywhere.
    pub name: String,
    /// With the mount prefix, such as `https://admin.acme.example/asyncmq`.
    pub base_url: String,
    /// At most eight characters, such as `PROD`.
    pub tag: String,
    /// One of the fixed accents.
    pub accent: Accent,
    /// Relative to the mount prefix; `/login` unless the admin was told otherwise.
    pub login_path: String,
    /// The header that carries the token.
    pub header_name: String,
    /// The word before the token; empty for none.
    pub scheme: String,
    /// The cookie that carries the token in the header's stead; empty for none.
    pub cookie_name: String,
    /// The issuer that this admin expects, where the operator knows it; empty: not known.
    pub expected_issuer: String,
    /// The audience that this admin expects, where the operator knows it; empty: not known.
    pub expected_audience: String,
    /// How a credential is obtained. No secret is in it.
    pub sign_in: Method,
    /// How the remote side is reached. No secret is in it.
    pub network: Network,
    /// Whether the token may be copied to the clipboard, after a confirmation.
    pub allow_token_copy: bool,
    /// Whether plain http outside loopback is accepted here.
    pub allow_plain_http: bool,
    /// What may change the remote system.
    pub protection: ProtectionView,
}

/// The accents that an environment can have; their colours are the UI's (light and dark).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
#[allow(missing_docs, reason = "the names are the colours")]
pub enum Accent {
    Red,
    Orange,
    Amber,
    Green,
    Teal,
    Blue,
    Violet,
    Pink,
    Slate,
}

/// What the gateway lets through to change the remote system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ProtectionView {
    /// Everything passes.
    Open,
    /// Every unsafe method is refused.
    Locked,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum SessionView {
    /// No credential is in use. `problem` says why when something happened.
    SignedOut {
        /// Why, when it was not the operator's own doing.
        problem: Option<Problem>,
    },
    /// A credential is being obtained, or tried against the admin.
    SigningIn {
        /// What it waits for, when that is the operator.
        step: Option<StepView>,
    },
    /// Signed in.
    Active {
        /// What the token says about the operator.
        identity: IdentityView,
        /// `None`: the token does not say.
        expires_at: Option<f64>,
    },
    /// A fresh credential is being obtained without the operator.
    Renewing {
        /// Who is signed in.
        identity: IdentityView,
        /// When the one in use ends.
        expires_at: Option<f64>,
        /// The one in use has ended or was refused: requests wait.
        waits: bool,
    },
    /// The admin, or what renews the session, cannot be reached. It goes on by itself.
    Unreachable {
        /// Since when.
        since: f64,
        /// What failed: DNS, connect, TLS, time-out.
        problem: Problem,
        /// Who is signed in; `None`: nobody was yet in this run.
        identity: Option<IdentityView>,
        /// When the credential in use ends.
        expires_at: Option<f64>,
    },
    /// The token's time is up.
    Expired {
        /// When.
        at: f64,
        /// Who was signed in.
        identity: IdentityView,
        /// Why it was not renewed, where it could have been.
        problem: Option<Problem>,
    },
    /// The admin did not accept the credential.
    Refused {
        /// What is known about why.
        problem: Problem,
        /// Who the token said the operator is.
        identity: IdentityView,
    },
}

/// What a sign-in under way waits for.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum StepView {
    /// The operator, in the system's browser.
    Browser {
        /// To be copied by hand where the browser did not open. Single use, lives minutes.
        url: String,
        /// When the console stops waiting.
        until: f64,
    },
    /// The operator, on any device.
    DeviceCode {
        /// To be typed there.
        user_code: String,
        /// Where to type it.
        verification_uri: String,
        /// The same with the code in it, for a QR code.
        verification_uri_complete: Option<String>,
        /// When the code ends.
        until: f64,
    },
}

/// One claim of a token, or one field of its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ClaimView {
    /// Its name.
    pub name: String,
    /// Its value: text as it is, anything else as JSON.
    pub value: String,
}

/// What a token says about the operator, read without trusting it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, TS)]
#[ts(export)]
#[allow(missing_docs, reason = "the names are those of the claims")]
pub struct IdentityView {
    /// The name to show: name, else subject, else "operator".
    pub display_name: String,
    pub subject: Option<String>,
    pub issuer: Option<String>,
    pub audience: Vec<String>,
    pub roles: Vec<String>,
    /// The admin claim, where there is one.
    pub admin: Option<bool>,
    pub issued_at: Option<f64>,
    pub expires_at: Option<f64>,
    /// The token could not be read: not a JWT.
    pub opaque: bool,
    /// Every claim, in the token's order.
    pub claims: Vec<ClaimView>,
    /// Every field of the token's header.
    pub header: Vec<ClaimView>,
}

/// Whether what is in between is as it should be. Whether the remote side can be reached is the session's to say.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum ConnectionView {
    /// As far as is known.
    Fine,
    /// The live updates stand still although the admin can be reached.
    Stalled {
        /// When the last byte came.
        since: f64,
        /// What is known.
        problem: Problem,
    },
    /// It answers, but something between the console and the dashboard is wrong (trusted proxies, another sign-in,
    /// mount prefix).
    Impaired {
        /// What it says.
        problem: Problem,
    },
}

/// What the vault holds for an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum StoredCredentialView {
    /// Nothing.
    None,
    /// A token that belongs to this environment's realm.
    Ready,
    /// One that was stored for another address, or another token endpoint or issuer; it is not used until the operator
    /// confirms.
    Moved {
        /// What it was stored for.
        from: String,
        /// What it would be used for now.
        to: String,
    },
}

/// The page that a dashboard shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PageView {
    /// The admin's real address of it, copyable.
    pub url: String,
    /// A document is on its way.
    pub loading: bool,
}

/// What happened, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Problem {
    /// Stable, for tests and styling: `expired`, `refused`, `not_admin`, `no_keychain`, …
    pub code: String,
    /// One line: what happened.
    pub title: String,
    /// Where, and what is known.
    pub detail: String,
    /// What to do next.
    pub advice: String,
}

/// Whether secrets can be stored on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum KeychainView {
    /// They can.
    Available,
    /// They cannot. With `memory_allowed` the operator agreed to go on for this run.
    Unavailable {
        /// Why, and how to fix it.
        problem: Problem,
        /// The operator agreed to keep secrets in memory for this run.
        memory_allowed: bool,
    },
}

/// A question that waits for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Prompt {
    /// The page or the bar asked to sign out: keep the stored token, remove it, or stay.
    SignOut {
        /// Of the environment.
        environment: String,
    },
    /// The operator wants to sign out of every environment.
    SignOutAll,
    /// The window was closed while actions wait, or are on their way: what becomes of them would be lost.
    Quit,
    /// The operator wants to copy the token: a deliberate act.
    CopyToken {
        /// Of the environment.
        environment: String,
    },
    /// The page asked to sign in (`/login`), or the operator wants another account.
    SignIn {
        /// Of the environment.
        environment: String,
    },
    /// A page wants to open a link outside.
    OpenExternal {
        /// Answered by this id.
        id: String,
        /// Of the environment whose page asks.
        environment: String,
        /// The host to name.
        host: String,
        /// The whole address.
        url: String,
    },
}

/// Something that happened and needs no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Notice {
    /// Dismissed by this id.
    pub id: String,
    /// `download`, `refused_write`, `error`, `info`.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// The environment that it is about.
    pub environment: Option<String>,
}

/// Where things are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Folders {
    pub settings: String,
    pub logs: String,
    pub downloads: String,
}

/// What is wrong with a draft, field by field; empty when it can be saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DraftReport {
    /// The errors.
    pub errors: Vec<FieldError>,
    /// The base URL as it will be stored (scheme added, slash trimmed), when it is valid.
    pub base_url: Option<String>,
    /// The realm changes and a stored token stays behind until confirmed.
    pub moves_credential: bool,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FieldError {
    /// The field's name in [`EnvironmentDraft`].
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What `environment_add` and `environment_update` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum SaveOutcome {
    /// It is on disk.
    Saved {
        /// Of the environment.
        id: String,
    },
    /// Nothing was changed.
    Invalid {
        /// Why.
        report: DraftReport,
    },
    /// Nothing was changed: the file could not be written.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// What an admin looks like from outside, before anything is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "found", rename_all = "snake_case")]
#[ts(export)]
pub enum LookReport {
    /// The dashboard answers whoever asks.
    Open,
    /// The admin shows a login form of its own.
    LoginForm {
        /// The field of the user's name.
        user_field: String,
        /// The field of the password.
        password_field: String,
    },
    /// The admin wants a token.
    Token {
        /// What its login page says, shortened; it may name what it expects.
        notice: String,
    },
    /// Something in front sends to another host.
    SentElsewhere {
        /// Where.
        host: String,
        /// The issuer there, when it is an `OpenID` provider.
        issuer: Option<String>,
    },
    /// It answers, and refuses without saying what it wants: an access proxy, perhaps.
    Refused {
        /// The status.
        status: u16,
    },
    /// Nothing is mounted there.
    NotFound {
        /// Base URLs on the same host that would work.
        instead: Vec<String>,
    },
    /// It cannot be reached.
    Unreachable {
        /// Why.
        problem: Problem,
    },
    /// The address itself is wrong.
    Invalid {
        /// Why.
        message: String,
    },
}

/// What a sign-in answers.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(tag = "status", rename_all = "snake_case")]
#[ts(export)]
pub enum SignInOutcome {
    /// The admin accepted the token; it is stored, or kept for this run.
    SignedIn,
    /// The core holds the token, unstored, and asks first (not a JWT, no subject, expired by this computer's clock only).
    NeedsConfirmation {
        /// Answered with `sign_in_confirm` or `sign_in_cancel`.
        attempt: String,
        /// What was found.
        findings: Vec<Problem>,
        /// What could be read.
        identity: IdentityView,
    },
    /// Not stored. The token is forgotten with the next attempt; until then the doctor can look at it.
    Rejected {
        /// Why.
        problem: Problem,
        /// What could be read from it.
        identity: Option<IdentityView>,
    },
    /// The operator cancelled.
    Cancelled,
}

/// What a command answers when it cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CommandError {
    /// What to show.
    pub problem: Problem,
}

/// How much of the content area the shell needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Cover {
    /// The dashboard has the whole content area.
    None,
    /// A strip under the bar, in logical pixels.
    Strip {
        /// Its height.
        height: f64,
    },
    /// The whole content area: the dashboard is hidden, its page stays alive.
    Full,
}

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
