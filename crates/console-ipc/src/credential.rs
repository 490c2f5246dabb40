//! What is known of a credential, and what does it say about the operator? Never the credential.

use serde::Serialize;
use ts_rs::TS;

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

/// One claim of a token, or one field of its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ClaimView {
    /// Its name.
    pub name: String,
    /// Its value: text as it is, anything else as JSON.
    pub value: String,
}
