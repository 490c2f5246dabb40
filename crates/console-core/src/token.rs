//! What does a token say? Reads it without trusting it: only the admin decides whether it is good.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::clock::UnixTime;

/// Why a pasted text cannot be a token at all. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenTextError {
    /// Nothing but white space or the scheme's name.
    #[error("there is no token in what was pasted: copy the token itself and paste it again")]
    Empty,
    /// Something that cannot stand in a header.
    #[error(
        "what was pasted has a character at position {position} that no token can have: copy the token again, without \
         the text around it"
    )]
    Character {
        /// Counted from 1, in characters.
        position: usize,
    },
}

/// What a token says about the operator (RFC 7519 §4.1, and the claims that AsyncMQ's `JWTAuthBackend` reads).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `sub`.
    pub subject: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `roles` and `role`.
    pub roles: Vec<String>,
    /// `is_admin`, else `admin`.
    pub admin: Option<bool>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`, one or many.
    pub audience: Vec<String>,
    /// `iat`.
    pub issued_at: Option<UnixTime>,
    /// `nbf`.
    pub not_before: Option<UnixTime>,
    /// `exp`.
    pub expires_at: Option<UnixTime>,
    /// The token is not a JWT: nothing of it can be read, and its expiry is unknown.
    pub opaque: bool,
    /// Every claim as it stands.
    pub claims: Map<String, Value>,
    /// Every field of the header as it stands.
    pub header: Map<String, Value>,
}

/// Something about a token that the operator should hear before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Not a JWT; it may still be right for an admin that takes other tokens.
    Opaque,
    /// No `sub`; the claim's name is the admin's choice.
    NoSubject,
    /// Expired by `late` seconds, judged by the server's clock.
    Expired {
        /// `exp`.
        at: UnixTime,
    },
    /// Not valid before `at`, judged by the server's clock.
    NotYetValid {
        /// `nbf`.
        at: UnixTime,
    },
}

impl Finding {
    /// Whether the admin is bound to refuse such a token, so that there is no use in trying.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::Expired { .. } | Self::NotYetValid { .. })
    }
}

/// Takes the token out of pasted text: `Authorization:`, the scheme's name and white space (also line breaks inside)
/// are forgiven.
///
/// # Errors
/// [`TokenTextError`] when nothing is left or a character cannot stand in a header (RFC 9110 §5.5).
pub fn from_pasted_text(text: &str, scheme: &str) -> Result<SecretString, TokenTextError> {
    let mut rest = text.trim();
    rest = strip_word(rest, "authorization:").unwrap_or(rest).trim_start();
    for word in [scheme, "Bearer"] {
        if !word.is_empty()
            && let Some(after) = strip_word(rest, word)
            && (after.is_empty() || after.starts_with(char::is_whitespace))
        {
            rest = after.trim_start();
            break;
        }
    }
    let rest = rest.trim_matches(['"', '\'']);
    let joined: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
    if joined.is_empty() {
        return Err(TokenTextError::Empty);
    }
    // Only a JWT may be joined over line breaks: in any other token a gap more likely means that too much was copied.
    let token = if joined.split('.').count() == 3 { joined.as_str() } else { rest };
    match token.chars().position(|c| !c.is_ascii_graphic()) {
        Some(index) => Err(TokenTextError::Character { position: index + 1 }),
        None => Ok(SecretString::from(token)),
    }
}

/// `text` without `word` at its start, in whatever case.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

impl Identity {
    /// What `token` says; [`Identity::opaque`] when it is not a JWT.
    pub fn read(token: &SecretString) -> Self {
        match jsonwebtoken::dangerous::insecure_decode_claims::<Map<String, Value>>(token.expose_secret()) {
            Ok(claims) => Self { header: header_of(token), ..Self::from_claims(claims) },
            Err(_) => Self { opaque: true, ..Self::default() },
        }
    }

    pub(crate) fn from_claims(claims: Map<String, Value>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let time = |name: &str| claims.get(name).and_then(numeric_date);
        let mut roles = strings(claims.get("roles"));
        roles.extend(strings(claims.get("role")));
        Self {
            subject: text("sub"),
            name: text("name"),
            roles,
            admin: claims.get("is_admin").or_else(|| claims.get("admin")).map(truthy),
            issuer: text("iss"),
            audience: strings(claims.get("aud")),
            issued_at: time("iat"),
            not_before: time("nbf"),
            expires_at: time("exp"),
            opaque: false,
            header: Map::new(),
            claims,
        }
    }

    /// The name to show.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().or(self.subject.as_deref()).unwrap_or("operator")
    }

    /// What the operator should hear before the token is stored.
    ///
    /// `now` is the server's time as far as it is known.
    pub fn findings(&self, now: UnixTime) -> Vec<Finding> {
        if self.opaque {
            return vec![Finding::Opaque];
        }
        let mut findings = Vec::new();
        if let Some(at) = self.expires_at.filter(|at| *at <= now) {
            findings.push(Finding::Expired { at });
        }
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            findings.push(Finding::NotYetValid { at });
        }
        if self.subject.as_deref().is_none_or(str::is_empty) {
            findings.push(Finding::NoSubject);
        }
        findings
    }

    /// Whether `other` is known to be the same operator of the same issuer.
    pub fn is_same_operator(&self, other: &Self) -> bool {
        self.subject.is_some() && self.issuer == other.issuer && self.subject == other.subject
    }
}

impl Identity {
    /// Whether `other` is known to be somebody else.
    pub fn is_someone_else(&self, other: &Self) -> bool {
        self.subject.is_some() && other.subject.is_some() && !self.is_same_operator(other)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display_name())
    }
}

/// The JOSE header, for display: nothing is decided by it.
fn header_of(token: &SecretString) -> Map<String, Value> {
    let header = jsonwebtoken::decode_header(token.expose_secret()).ok();
    match header.and_then(|header| serde_json::to_value(header).ok()) {
        Some(Value::Object(fields)) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

/// RFC 7519 §2: a JSON number of seconds, perhaps with a fraction.
#[allow(clippy::cast_possible_truncation, reason = "saturates, and a fraction of a second does not matter")]
fn numeric_date(value: &Value) -> Option<UnixTime> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64)).map(UnixTime)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// AsyncMQ's own reading of a truth value (`admin/middleware.py`).
fn truthy(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(word) => matches!(word.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use secrecy::{ExposeSecret, SecretString};
    use serde_json::json;

    use super::{Finding, Identity, TokenTextError, from_pasted_text};
    use crate::clock::UnixTime;

    fn signed(claims: &serde_json::Value) -> SecretString {
        let key = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
        jsonwebtoken::encode(&Header::default(), claims, &key).expect("signs").into()
    }

    #[test]
    fn the_scheme_the_header_name_quotes_and_white_space_are_forgiven() {
        for text in [
            " a.b.c ",
            "Bearer a.b.c",
            "bearer   a.b.c\n",
            "Authorization: Bearer a.b.c",
            "a.\n  b.\r\nc",
            "\"a.b.c\"",
            "Token a.b.c",
        ] {
            assert_eq!(from_pasted_text(text, "Token").expect(text).expose_secret(), "a.b.c", "{text:?}");
        }
    }

    #[test]
    fn a_token_that_begins_like_the_scheme_is_left_whole() {
        assert_eq!(from_pasted_text("bearer123", "Bearer").expect("token").expose_secret(), "bearer123");
    }

    #[test]
    fn what_cannot_be_a_token_is_said_without_repeating_it() {
        assert!(matches!(from_pasted_text("  Bearer ", "Bearer"), Err(TokenTextError::Empty)));
        let error = from_pasted_text("canary two", "Bearer").expect_err("gap");
        assert_eq!(error, TokenTextError::Character { position: 7 });
        assert!(!error.to_string().contains("canary"));
        assert!(from_pasted_text("tök", "Bearer").is_err());
    }

    #[test]
    fn claims_are_read_as_asyncmq_reads_them() {
        let identity = Identity::read(&signed(&json!({
            "sub": "user-1", "name": "Alice", "aud": ["a", "b"], "iss": "https://id.example", "roles": "admin",
            "is_admin": "yes", "iat": 10, "nbf": 11.9, "exp": 20,
        })));
        assert_eq!(identity.display_name(), "Alice");
        assert_eq!(identity.audience, ["a", "b"]);
        assert_eq!(identity.roles, ["admin"]);
        assert_eq!(identity.admin, Some(true));
        assert_eq!(identity.not_before, Some(UnixTime(11)));
        assert_eq!(identity.expires_at, Some(UnixTime(20)));
        assert!(!identity.opaque);
    }

    #[test]
    fn an_unknown_algorithm_or_no_jwt_at_all_is_opaque_not_an_error() {
        for text in ["abc", "a.b.c", "ghp_0123456789"] {
            let identity = Identity::read(&SecretString::from(text));
            assert_eq!(identity.findings(UnixTime(0)), [Finding::Opaque], "{text}");
        }
    }

    #[test]
    fn expiry_start_and_subject_are_found_by_the_given_time() {
        let identity = Identity::read(&signed(&json!({"nbf": 100, "exp": 200})));
        assert_eq!(identity.findings(UnixTime(99)), [Finding::NotYetValid { at: UnixTime(100) }, Finding::NoSubject]);
        assert_eq!(identity.findings(UnixTime(150)), [Finding::NoSubject]);
        assert_eq!(identity.findings(UnixTime(200)), [Finding::Expired { at: UnixTime(200) }, Finding::NoSubject]);
    }
}
