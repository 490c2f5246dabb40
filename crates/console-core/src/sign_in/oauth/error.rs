//! Why did a provider give no token, or one that is not to be trusted? Never holds a token or a code.

use std::fmt;

use crate::sign_in::Advice;

/// Where a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `…/.well-known/openid-configuration`.
    Discovery,
    /// `jwks_uri`.
    Keys,
    /// `authorization_endpoint`.
    Authorization,
    /// `token_endpoint`.
    Token,
    /// `device_authorization_endpoint`.
    DeviceAuthorization,
    /// `revocation_endpoint`.
    Revocation,
    /// `end_session_endpoint`.
    Logout,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "the discovery document",
            Self::Keys => "the key set",
            Self::Authorization => "the authorization endpoint",
            Self::Token => "the token endpoint",
            Self::DeviceAuthorization => "the device authorization endpoint",
            Self::Revocation => "the revocation endpoint",
            Self::Logout => "the logout endpoint",
        })
    }
}

/// What a token was asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// An authorization code (RFC 6749 §4.1).
    Code,
    /// A refresh token (RFC 6749 §6).
    Refresh,
    /// A device code (RFC 8628 §3.4).
    Device,
    /// The client's own credentials (RFC 6749 §4.4).
    Credentials,
}

impl fmt::Display for GrantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "authorization code",
            Self::Refresh => "refresh token",
            Self::Device => "device code",
            Self::Credentials => "client credentials",
        })
    }
}

/// What went wrong with an `OpenID` or OAuth 2.0 provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ProviderError {
    // Answers.
    #[error("the provider has no discovery document below the issuer `{issuer}` (it answered {status})")]
    NoDiscovery { issuer: String, status: u16 },
    #[error("the provider answered with {found} instead of JSON at {place}")]
    NotJson { place: Place, found: String },
    #[error("the provider's answer at {place} could not be understood: {reason}")]
    Answer { place: Place, reason: String },
    #[error("the provider answered with more than {} kB at {place}", super::http::LARGEST_ANSWER / 1024)]
    TooLong { place: Place },
    #[error("the provider answered {status} at {place}")]
    Status { place: Place, status: u16 },
    #[error("the provider sends on to `{to}` from {place}, and a secret is not sent after that")]
    Redirect { place: Place, to: String },
    // What the provider says about itself.
    #[error("the provider says that its issuer is `{theirs}`, and the settings say `{ours}`")]
    IssuerMismatch { ours: String, theirs: String },
    #[error("the provider's discovery document does not name {place}")]
    NoEndpoint { place: Place },
    #[error("the provider names `{url}` as {place}, and no secret may be sent there")]
    InsecureEndpoint { place: Place, url: String },
    #[error("the provider does not take S256 as a PKCE method, without which a code can be stolen on the way")]
    NoPkce,
    // The operator in the browser, or on another device.
    #[error("port {} on 127.0.0.1 is in use by another program", or(ports))]
    PortInUse { ports: Vec<u16> },
    #[error("no port on 127.0.0.1 could be opened for the provider's answer: {reason}")]
    NoListener { reason: String },
    #[error("nobody finished signing in in the browser within {minutes} minutes")]
    TimedOut { minutes: u64 },
    #[error("the provider does not know the redirect URI `{redirect_uri}`")]
    RedirectUri { redirect_uri: String },
    #[error("the provider does not know the client `{client_id}`")]
    UnknownClient { client_id: String },
    #[error(
        "the answer in the browser came from {}, and not from `{ours}`: it was refused as a mix-up of two providers",
        theirs.as_ref().map_or("a provider that does not name itself".to_owned(), |theirs| format!("`{theirs}`"))
    )]
    MixUp { ours: String, theirs: Option<String> },
    #[error("the sign-in was refused at the provider{}", also(said))]
    AccessDenied { said: String },
    #[error("the device code has expired before anybody typed it")]
    DeviceExpired,
    // The token endpoint.
    #[error("the provider did not accept the client's id with its secret or key{}", also(said))]
    InvalidClient { said: String },
    #[error(
        "the provider did not accept the authorization code: it had expired, was used already or was made for another sign-in"
    )]
    CodeRefused,
    #[error("the provider did not accept the refresh token: it has ended, was revoked or was used before")]
    RefreshRefused,
    #[error("the provider did not accept the device code: it has ended or was used already")]
    DeviceRefused,
    #[error("the provider does not give one of the scopes that were asked for{}", also(said))]
    Scope { said: String },
    #[error("the provider gives no token for the resource or audience that was asked for{}", also(said))]
    Target { said: String },
    #[error("the provider does not let this client sign in by {grant}")]
    GrantNotAllowed { grant: GrantKind },
    #[error("the provider refused at {place} with `{error}`{}", also(said))]
    Refused { place: Place, error: String, said: String },
    #[error("the provider gave a token of the type `{found}`, and the console sends bearer tokens only")]
    TokenType { found: String },
    #[error("the provider gave something that cannot stand in a header")]
    NotAToken,
    // The ID token.
    #[error("the provider gave no ID token")]
    NoIdToken,
    #[error("the provider gave no ID token when the sign-in was renewed")]
    NoFreshIdToken,
    #[error("the ID token could not be read: {reason}")]
    IdTokenUnreadable { reason: String },
    #[error("the ID token is signed with `{algorithm}`, which is not accepted")]
    Algorithm { algorithm: String },
    #[error("the ID token is signed with the key {}, which is not in the provider's key set", named(key_id))]
    UnknownKey { key_id: String },
    #[error("the ID token's signature is wrong")]
    Signature,
    #[error("the ID token was issued by `{theirs}`, and not by `{ours}`")]
    IdTokenIssuer { ours: String, theirs: String },
    #[error("the ID token is for {}, and not for the client `{ours}` alone", named(theirs))]
    IdTokenAudience { ours: String, theirs: String },
    #[error("the ID token belongs to another sign-in: its nonce is not the one that was sent")]
    Nonce,
    #[error("the ID token does not belong to the access token that came with it")]
    AccessTokenHash,
    #[error("the provider renewed the sign-in for another person")]
    OtherSubject,
    #[error("the ID token has expired already, or begins later")]
    IdTokenTime,
    #[error(
        "this computer's clock is {minutes} minute{} {} the provider's, so that the ID token seems not valid now",
        if *minutes == 1 { "" } else { "s" },
        if *behind { "behind" } else { "ahead of" }
    )]
    ClockOff { minutes: u64, behind: bool },
}

fn or(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
}

fn also(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": “{said}”") }
}

fn named(name: &str) -> String {
    if name.is_empty() { "without a name".into() } else { format!("`{name}`") }
}

/// What the provider said, fit to be shown: printable, short, and without any word long enough to be a secret.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    const LONGEST_WORD: usize = 40;
    let printable = |c: char| c == ' ' || c.is_ascii_graphic() || (c.is_alphanumeric() && !c.is_ascii());
    let clean: String = text.chars().map(|c| if printable(c) { c } else { ' ' }).take(4 * LONGEST).collect();
    let words = clean.split_whitespace().map(|word| if word.chars().count() > LONGEST_WORD { "…" } else { word });
    let joined = words.collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= LONGEST { joined } else { joined.chars().take(LONGEST).chain(['…']).collect() }
}

/// An address that the provider named, fit to be shown.
pub(crate) fn shown_address(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(200).collect()
}

impl ProviderError {
    /// What an error code of RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5 or RFC 8707 §2 means.
    pub(crate) fn from_code(place: Place, grant: GrantKind, error: &str, said: Option<&str>) -> Self {
        let said = shown(said.unwrap_or_default());
        match (error, grant) {
            ("access_denied", _) => Self::AccessDenied { said },
            ("invalid_client", _) => Self::InvalidClient { said },
            ("invalid_grant", GrantKind::Code) => Self::CodeRefused,
            ("invalid_grant", GrantKind::Refresh) => Self::RefreshRefused,
            ("invalid_grant", GrantKind::Device) => Self::DeviceRefused,
            ("expired_token", _) => Self::DeviceExpired,
            ("unauthorized_client" | "unsupported_grant_type" | "unsupported_response_type", _) => {
                Self::GrantNotAllowed { grant }
            }
            ("invalid_scope", _) => Self::Scope { said },
            ("invalid_target", _) => Self::Target { said },
            ("temporarily_unavailable", _) => Self::Status { place, status: 503 },
            ("server_error", _) => Self::Status { place, status: 500 },
            (error, _) => Self::Refused { place, error: shown(error), said },
        }
    }
}

impl Advice for ProviderError {
    fn code(&self) -> &'static str {
        "provider"
    }

    fn advice(&self) -> String {
        match self {
            Self::NoDiscovery { .. } => "Check the issuer in the sign-in settings: the provider's administrator has it.",
            Self::NotJson { .. } | Self::TooLong { .. } | Self::Redirect { .. } => {
                "Check the issuer in the sign-in settings, and whether something in between wants a sign-in of its own."
            }
            Self::Answer { .. } | Self::NotAToken | Self::TokenType { .. } | Self::InsecureEndpoint { .. } => {
                "Show this to the provider's administrator."
            }
            Self::Status { status: 429 | 500.., .. } => "Try again a little later.",
            Self::Status { .. } => "Check the issuer in the sign-in settings, or try again later.",
            Self::IssuerMismatch { theirs, .. } => {
                return format!("If `{theirs}` is the provider that you mean, write exactly that as the issuer in the sign-in settings.");
            }
            Self::NoEndpoint { place: Place::DeviceAuthorization } => {
                "Choose another sign-in method: this provider has no device sign-in."
            }
            Self::NoEndpoint { .. } | Self::IdTokenIssuer { .. } => "Check the issuer in the sign-in settings.",
            Self::NoPkce => "Ask the provider's administrator to allow PKCE with S256.",
            Self::PortInUse { .. } => {
                "End that program, or register another redirect port with the provider and add it in the sign-in settings."
            }
            Self::NoListener { .. } => "Check whether a security program keeps the console from opening a local port.",
            Self::TimedOut { .. } => {
                "Sign in again; if the browser showed an error page, compare the client's id and redirect URI with the provider's."
            }
            Self::RedirectUri { redirect_uri } => {
                return format!("Register `{redirect_uri}` for this client at the provider (for any port, RFC 8252), or set the redirect ports that it knows.");
            }
            Self::UnknownClient { .. } | Self::IdTokenAudience { .. } => "Check the client's id in the sign-in settings.",
            Self::MixUp { .. } | Self::Nonce | Self::AccessTokenHash => {
                "Close the browser's page and sign in again; if it happens again, show this to the provider's administrator."
            }
            Self::AccessDenied { .. } => "Sign in again, and agree at the provider; it may also be that you are not allowed to.",
            Self::DeviceExpired | Self::DeviceRefused => "Sign in again, and type the new code in time.",
            Self::InvalidClient { .. } => {
                "Check the client's id and how it proves itself in the sign-in settings, and type its secret or key again."
            }
            Self::CodeRefused | Self::OtherSubject => "Sign in again.",
            Self::RefreshRefused => crate::sign_in::error::SPENT,
            Self::Scope { .. } => "Take the scopes that the provider does not know out of the sign-in settings.",
            Self::Target { .. } => "Check the resource and the audience in the sign-in settings.",
            Self::GrantNotAllowed { .. } => "Ask the provider's administrator to allow this grant for the client.",
            Self::Refused { .. } => "Check the sign-in settings, or show this to the provider's administrator.",
            Self::NoIdToken => {
                "Add the scope `openid` in the sign-in settings; where the provider gives no ID tokens, take it out and send the access token."
            }
            Self::NoFreshIdToken => "Sign in again, or let the access token be sent in the sign-in settings.",
            Self::IdTokenUnreadable { .. } | Self::Algorithm { .. } => {
                "Ask the provider's administrator to sign this client's ID tokens with RS256 or ES256."
            }
            Self::UnknownKey { .. } | Self::Signature => {
                "Try again; if it stays so, do not trust this provider before its administrator has looked at it."
            }
            Self::IdTokenTime => "Try again; if it stays so, the provider's clock is wrong.",
            Self::ClockOff { .. } => "Set this computer's clock (date, time and time zone), then sign in again.",
        }
        .into()
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Status { status: 429 | 500.., .. })
    }
}

#[cfg(test)]
mod tests {
    use super::{GrantKind, Place, ProviderError, shown};
    use crate::sign_in::Advice;

    #[test]
    fn what_a_provider_says_is_shown_short_printable_and_without_anything_like_a_secret() {
        assert_eq!(shown("a\u{202e}b\n c"), "a b c");
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl";
        assert_eq!(shown(&format!("token {token} is bad")), "token … is bad");
        assert_eq!(shown(&"word ".repeat(100)).chars().count(), 201);
    }

    #[test]
    fn every_error_code_becomes_its_own_sentence() {
        let of = |error, grant| ProviderError::from_code(Place::Token, grant, error, None);
        assert_eq!(of("invalid_grant", GrantKind::Code), ProviderError::CodeRefused);
        assert_eq!(of("invalid_grant", GrantKind::Refresh), ProviderError::RefreshRefused);
        assert_eq!(of("expired_token", GrantKind::Device), ProviderError::DeviceExpired);
        assert!(of("temporarily_unavailable", GrantKind::Refresh).is_transient());
        assert!(!of("invalid_grant", GrantKind::Refresh).is_transient());
        let other = ProviderError::from_code(Place::Token, GrantKind::Code, "odd", Some("why not"));
        assert_eq!(other.to_string(), "the provider refused at the token endpoint with `odd`: “why not”");
    }

    #[test]
    fn a_clock_that_is_off_is_told_in_minutes_with_its_direction() {
        let error = ProviderError::ClockOff { minutes: 1, behind: true };
        assert!(error.to_string().starts_with("this computer's clock is 1 minute behind the provider's"), "{error}");
    }
}
