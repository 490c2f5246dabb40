//! What is an environment? A named remote admin, as the operator describes it, checked field by field.

use std::{fmt, str::FromStr};

use http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::{network::Network, realm::BaseUrl, sign_in::Method};

/// Stable and unique: 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentId(String);

/// A text that is no environment's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an environment's id: it has 16 lower-case hexadecimal digits")]
pub struct EnvironmentIdError(String);

impl EnvironmentId {
    /// A fresh one.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("{:016x}", getrandom::u64()?)))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EnvironmentId {
    type Err = EnvironmentIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if fits { Ok(Self(text.to_owned())) } else { Err(EnvironmentIdError(text.to_owned())) }
    }
}

impl TryFrom<String> for EnvironmentId {
    type Error = EnvironmentIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EnvironmentId> for String {
    fn from(id: EnvironmentId) -> Self {
        id.0
    }
}

/// The accents that an environment can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Everything passes.
    Open,
    /// Every unsafe method is refused.
    Locked,
}

/// A named remote admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Stable and unique.
    pub id: EnvironmentId,
    /// Shown everywhere.
    pub name: String,
    /// With the mount prefix.
    pub base_url: BaseUrl,
    /// Short, such as `PROD`.
    pub tag: String,
    /// Its colour.
    pub accent: Accent,
    /// Below the mount prefix.
    pub login_path: String,
    /// Carries the token.
    pub header_name: HeaderName,
    /// The word before the token; empty for none.
    pub scheme: String,
    /// The cookie that carries the token in the header's stead; empty for none.
    pub cookie_name: String,
    /// The issuer (`iss`) that this admin expects, where the operator knows it; empty: not known.
    pub expected_issuer: String,
    /// The audience (`aud`) that this admin expects, where the operator knows it; empty: not known.
    pub expected_audience: String,
    /// How a credential is obtained.
    pub sign_in: Method,
    /// How the remote side is reached.
    pub network: Network,
    /// Whether the token may be copied to the clipboard, after a confirmation.
    pub allow_token_copy: bool,
    /// Whether plain http outside loopback is accepted.
    pub allow_plain_http: bool,
    /// What may change the remote system.
    pub protection: Protection,
}

/// An environment as the operator typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Environment`")]
pub struct EnvironmentDraft {
    pub name: String,
    pub base_url: String,
    pub tag: String,
    pub accent: Accent,
    pub login_path: String,
    pub header_name: String,
    pub scheme: String,
    pub cookie_name: String,
    pub expected_issuer: String,
    pub expected_audience: String,
    pub sign_in: Method,
    pub network: Network,
    pub allow_token_copy: bool,
    pub allow_plain_http: bool,
    pub protection: Protection,
}

impl Default for EnvironmentDraft {
    /// Nothing typed yet; the rest is AsyncMQ's defaults.
    fn default() -> Self {
        Self {
            name: String::new(),
            base_url: String::new(),
            tag: String::new(),
            accent: Accent::Slate,
            login_path: "/login".into(),
            header_name: "Authorization".into(),
            scheme: "Bearer".into(),
            cookie_name: String::new(),
            expected_issuer: String::new(),
            expected_audience: String::new(),
            sign_in: Method::PastedToken,
            network: Network::default(),
            allow_token_copy: false,
            allow_plain_http: false,
            protection: Protection::Open,
        }
    }
}

/// What is wrong with one field of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name in [`EnvironmentDraft`]; `sign_in.issuer` is a field of the sign-in method.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl FieldError {
    /// With a capital letter and a full stop.
    pub(crate) fn new(field: &'static str, message: &str) -> Self {
        Self { field, message: sentence(message) }
    }
}

/// A draft without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Environment`")]
pub struct CheckedDraft {
    pub name: String,
    pub base_url: BaseUrl,
    pub tag: String,
    pub accent: Accent,
    pub login_path: String,
    pub header_name: HeaderName,
    pub scheme: String,
    pub cookie_name: String,
    pub expected_issuer: String,
    pub expected_audience: String,
    pub sign_in: Method,
    pub network: Network,
    pub allow_token_copy: bool,
    pub allow_plain_http: bool,
    pub protection: Protection,
}

impl CheckedDraft {
    /// The environment with this id.
    pub fn into_environment(self, id: EnvironmentId) -> Environment {
        Environment {
            id,
            name: self.name,
            base_url: self.base_url,
            tag: self.tag,
            accent: self.accent,
            login_path: self.login_path,
            header_name: self.header_name,
            scheme: self.scheme,
            cookie_name: self.cookie_name,
            expected_issuer: self.expected_issuer,
            expected_audience: self.expected_audience,
            sign_in: self.sign_in,
            network: self.network,
            allow_token_copy: self.allow_token_copy,
            allow_plain_http: self.allow_plain_http,
            protection: self.protection,
        }
    }
}

const LONGEST_NAME: usize = 80;
const LONGEST_TAG: usize = 8;
/// In characters. A token pasted into the wrong field would else end up in the settings file.
const LONGEST_SCHEME: usize = 24;
const LONGEST_HEADER_NAME: usize = 64;
const LONGEST_LOGIN_PATH: usize = 200;
const LONGEST_EXPECTED: usize = 400;

/// Headers that may not carry a token: hop-by-hop (RFC 9110 §7.6.1), or set by the gateway or the browser itself.
const RESERVED_HEADERS: [&str; 20] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "cookie",
    "set-cookie",
    "origin",
    "referer",
    "forwarded",
    "expect",
    "accept",
    "accept-encoding",
    "range",
    "via",
];
const RESERVED_BEGINNINGS: [&str; 4] = ["content-", "sec-", "x-forwarded-", "if-"];

impl EnvironmentDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All that is wrong, field by field.
    pub fn check(&self) -> Result<CheckedDraft, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = keep(&mut errors, "name", shown_text(&self.name, LONGEST_NAME, "a name"));
        let tag = keep(&mut errors, "tag", shown_text(&self.tag, LONGEST_TAG, "a short tag such as PROD"));
        let base_url = BaseUrl::parse(&self.base_url, self.allow_plain_http).map_err(|error| error.to_string());
        let base_url = keep(&mut errors, "base_url", base_url);
        let login_path = keep(&mut errors, "login_path", login_path(&self.login_path));
        let header_name = keep(&mut errors, "header_name", header_name(&self.header_name));
        let scheme = keep(&mut errors, "scheme", scheme(&self.scheme));
        let cookie_name = keep(&mut errors, "cookie_name", optional(&self.cookie_name, cookie_name));
        let expected_issuer = keep(&mut errors, "expected_issuer", expected(&self.expected_issuer));
        let expected_audience = keep(&mut errors, "expected_audience", expected(&self.expected_audience));
        let sign_in = self.sign_in.tidied();
        errors.extend(sign_in.implementation().check());
        let network = self.network.tidied();
        errors.extend(network.check());
        if let Some(taken) = network.extra_headers.iter().find(|extra| self.carries(extra, &sign_in)) {
            let message = format!("`{taken}` carries the credential already: leave it out here");
            errors.push(FieldError::new("network.extra_headers", &message));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        match (name, tag, base_url, login_path, header_name, scheme) {
            (Some(name), Some(tag), Some(base_url), Some(login_path), Some(header_name), Some(scheme)) => {
                Ok(CheckedDraft {
                    name,
                    base_url,
                    tag,
                    accent: self.accent,
                    login_path,
                    header_name,
                    scheme,
                    cookie_name: cookie_name.unwrap_or_default(),
                    expected_issuer: expected_issuer.unwrap_or_default(),
                    expected_audience: expected_audience.unwrap_or_default(),
                    sign_in,
                    network,
                    allow_token_copy: self.allow_token_copy,
                    allow_plain_http: self.allow_plain_http,
                    protection: self.protection,
                })
            }
            _ => Err(errors),
        }
    }
}

impl EnvironmentDraft {
    /// Whether the credential itself travels in a header of this name.
    fn carries(&self, name: &str, sign_in: &Method) -> bool {
        match sign_in {
            Method::FixedHeaders(fixed) => fixed.names.iter().any(|own| own.eq_ignore_ascii_case(name)),
            Method::LoginForm(_) | Method::None => false,
            _ => self.cookie_name.trim().is_empty() && self.header_name.trim().eq_ignore_ascii_case(name),
        }
    }
}

fn keep<T>(errors: &mut Vec<FieldError>, field: &'static str, checked: Result<T, String>) -> Option<T> {
    checked.map_err(|message| errors.push(FieldError::new(field, &message))).ok()
}

fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let begun: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if begun.ends_with('.') { begun } else { format!("{begun}.") }
}

fn shown_text(text: &str, longest: usize, what: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("give {what}"));
    }
    if text.chars().count() > longest {
        return Err(format!("use at most {longest} characters"));
    }
    if text.chars().any(is_invisible) {
        return Err("leave out control characters and characters that change the direction of the text".into());
    }
    Ok(text.to_owned())
}

/// Control characters, line separators, and the characters that reorder, hide or blank text (Unicode TR 9, TR 36).
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Refuses what is longer than any such text is, without repeating it: it may be a pasted token.
fn at_most(text: &str, longest: usize) -> Result<&str, String> {
    let text = text.trim();
    if text.chars().count() <= longest {
        Ok(text)
    } else {
        Err(format!("use at most {longest} characters: a token does not belong here, it goes into the sign-in"))
    }
}

fn login_path(text: &str) -> Result<String, String> {
    let text = at_most(text, LONGEST_LOGIN_PATH)?;
    let sound = text.starts_with('/')
        && text.len() > 1
        && !text.contains(['?', '#', '\\', '%'])
        && text.chars().all(|c| c.is_ascii_graphic())
        && !text[1..]
            .strip_suffix('/')
            .unwrap_or(&text[1..])
            .split('/')
            .any(|segment| matches!(segment, "" | "." | ".."));
    if sound {
        Ok(text.strip_suffix('/').unwrap_or(text).to_owned())
    } else {
        Err(format!("`{text}` is not a path: give one such as /login, below the mount prefix"))
    }
}

/// Nothing, or what `check` makes of it.
fn optional<T: Default>(text: &str, check: impl FnOnce(&str) -> Result<T, String>) -> Result<T, String> {
    if text.trim().is_empty() { Ok(T::default()) } else { check(text) }
}

fn expected(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > LONGEST_EXPECTED || text.chars().any(is_invisible) {
        return Err(format!("use at most {LONGEST_EXPECTED} characters that can be seen"));
    }
    Ok(text.to_owned())
}

/// RFC 6265 §4.1.1: a token. The admin's own session cookie is not for the console to overwrite.
pub(crate) fn cookie_name(text: &str) -> Result<String, String> {
    let text = at_most(text, LONGEST_HEADER_NAME)?;
    let sound = !text.is_empty() && text.bytes().all(is_token_byte);
    if sound { Ok(text.to_owned()) } else { Err("give a cookie's name alone, such as access_token".into()) }
}

/// RFC 9110 §5.6.2.
fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

pub(crate) fn header_name(text: &str) -> Result<HeaderName, String> {
    let text = at_most(text, LONGEST_HEADER_NAME)?;
    // What cannot be a name is not repeated: it may be a whole header, value and all.
    let name: HeaderName = text.parse().map_err(|_| "give a header's name alone, such as Authorization".to_owned())?;
    let reserved = RESERVED_HEADERS.contains(&name.as_str())
        || RESERVED_BEGINNINGS.iter().any(|beginning| name.as_str().starts_with(beginning));
    if reserved {
        return Err(format!("`{text}` cannot carry a token: give Authorization, or a header of the admin's own"));
    }
    Ok(name)
}

/// RFC 9110 §11.1: a token, or nothing.
fn scheme(text: &str) -> Result<String, String> {
    let text = at_most(text, LONGEST_SCHEME)?;
    if text.bytes().all(is_token_byte) {
        Ok(text.to_owned())
    } else {
        // Not repeated: it may be a scheme and a token.
        Err("give one word such as Bearer, or leave it empty".into())
    }
}

#[cfg(test)]
mod tests;
