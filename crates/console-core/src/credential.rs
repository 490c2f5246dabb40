//! What is attached to a request, and how? A credential, carried as the environment says, and the extras beside it.

use std::{fmt, sync::Arc};

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// A secret that admits to a remote admin. Does not print.
#[derive(Clone)]
pub enum Credential {
    /// A token, carried as the environment says.
    Token(SecretString),
    /// Headers with fixed values.
    Headers(Vec<(HeaderName, SecretString)>),
    /// Cookies that the admin gave; it may replace them as time goes on.
    Cookies(Vec<(String, SecretString)>),
    /// The admin asks for none.
    Nothing,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Headers(_) => "Headers",
            Self::Cookies(_) => "Cookies",
            Self::Nothing => "Nothing",
        })
    }
}

/// Secret headers and cookies that go with every request inside the realm, whoever is signed in: an access proxy in front
/// asks for them. Does not print.
#[derive(Clone, Default)]
pub struct Extras {
    headers: Vec<(HeaderName, HeaderValue)>,
    cookies: Vec<(String, SecretString)>,
}

impl Extras {
    /// Takes names (checked already) with their values.
    ///
    /// # Errors
    /// [`NotAHeaderValue`].
    pub fn new<'n>(
        headers: impl Iterator<Item = (&'n str, SecretString)>,
        cookies: impl Iterator<Item = (String, SecretString)>,
    ) -> Result<Self, NotAHeaderValue> {
        let headers = headers.map(|(name, value)| {
            Ok((name.parse::<HeaderName>().map_err(|_| NotAHeaderValue)?, sensitive(value.expose_secret())?))
        });
        Ok(Self { headers: headers.collect::<Result<_, _>>()?, cookies: cookies.collect() })
    }

    /// The headers, values marked sensitive.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The cookies.
    pub fn cookies(&self) -> &[(String, SecretString)] {
        &self.cookies
    }
}

/// What requests of a session carry. Values do not print.
#[derive(Clone, Default)]
pub struct Attached {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) cookies: Arc<[(String, SecretString)]>,
}

/// The `Cookie` value that carries `cookies`; `None` without any, or when one cannot stand in a header.
pub fn cookie_header(cookies: &[(String, SecretString)]) -> Option<HeaderValue> {
    let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={}", value.expose_secret())).collect();
    let text = zeroize::Zeroizing::new(pairs.join("; "));
    sensitive(&text).ok().filter(|_| !cookies.is_empty())
}

fn sensitive(text: &str) -> Result<HeaderValue, NotAHeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| NotAHeaderValue)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A secret that cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token holds a character that cannot stand in a header")]
pub struct NotAHeaderValue;

/// How a token becomes a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `Authorization` unless the environment names another.
    pub header_name: HeaderName,
    /// `Bearer` unless the environment names another; empty for none.
    pub scheme: String,
    /// The cookie that carries the token in the header's stead, the scheme before it.
    pub cookie_name: Option<String>,
}

impl Attachment {
    /// What carries `credential`, and `extras` with it. Where both name a header, the credential's counts.
    ///
    /// # Errors
    /// [`NotAHeaderValue`] when a value has a character outside RFC 9110 §5.5, or one that would end a cookie.
    pub fn attach(&self, credential: &Credential, extras: &Extras) -> Result<Attached, NotAHeaderValue> {
        let mut headers = extras.headers.clone();
        let mut cookies = extras.cookies.clone();
        match credential {
            Credential::Token(token) => {
                let text = if self.scheme.is_empty() {
                    zeroize::Zeroizing::new(token.expose_secret().to_owned())
                } else {
                    zeroize::Zeroizing::new(format!("{} {}", self.scheme, token.expose_secret()))
                };
                match &self.cookie_name {
                    Some(name) => cookies.push((name.clone(), SecretString::from(text.as_str()))),
                    None => headers.push((self.header_name.clone(), sensitive(&text)?)),
                }
            }
            Credential::Headers(fixed) => {
                for (name, value) in fixed {
                    headers.push((name.clone(), sensitive(value.expose_secret())?));
                }
            }
            Credential::Cookies(given) => cookies.extend(given.iter().cloned()),
            Credential::Nothing => {}
        }
        let ends_cookie = |value: &SecretString| value.expose_secret().contains([';', '\r', '\n', '\0']);
        if cookies.iter().any(|(_, value)| ends_cookie(value)) {
            return Err(NotAHeaderValue);
        }
        Ok(Attached { headers, cookies: cookies.into() })
    }
}
