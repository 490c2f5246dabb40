//! Which part of the web is an environment? A credential is sent inside its realm only.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Why a text is not a base URL. Names the offending part, never a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum BaseUrlError {
    #[error("give the admin's address, such as https://admin.example.com/asyncmq")]
    Empty,
    #[error("`{0}` is not an address: give one such as https://admin.example.com/asyncmq")]
    NotAUrl(String),
    #[error("`{0}:` is not supported: give an address that begins with https:// (or http:// on this computer)")]
    Scheme(String),
    #[error(
        "plain http to `{0}` would send the token readable by anyone on the way: use https, or allow plain http for \
             this environment"
    )]
    PlainHttp(String),
    #[error("leave the user name and password out of the address: the token goes into the sign-in")]
    UserInfo,
    #[error("leave `?…` out of the address: give only the part up to the mount prefix")]
    Query,
    #[error("leave `#…` out of the address: give only the part up to the mount prefix")]
    Fragment,
    #[error(
        "the path `{0}` can be read in two ways: give it without `.`, `..`, `//`, `\\`, `%2E`, `%2F`, `%25` or control \
             characters"
    )]
    Path(String),
}

/// The address of an admin, mount prefix included. Always valid: scheme http or https, no user info, query or fragment,
/// no trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads what an operator typed. A missing scheme becomes https (http on loopback); white space and a trailing slash
    /// are forgiven.
    ///
    /// # Errors
    /// [`BaseUrlError`].
    pub fn parse(text: &str, allow_plain_http: bool) -> Result<Self, BaseUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BaseUrlError::Empty);
        }
        // The URL parser drops tabs and line breaks silently: an address that holds them is not what it looks like.
        if text.chars().any(char::is_control) {
            return Err(BaseUrlError::NotAUrl(without_user_info(text)));
        }
        let mut url = parse_forgiving(text)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() {
            return Err(BaseUrlError::Query);
        }
        if url.fragment().is_some() {
            return Err(BaseUrlError::Fragment);
        }
        let written = written_path(text);
        let path = without_trailing_slash(url.path()).to_owned();
        if is_ambiguous(without_trailing_slash(written)) || is_ambiguous(&path) {
            return Err(BaseUrlError::Path(without_user_info(written)));
        }
        url.set_path(&path);
        let base = Self(url);
        if base.0.scheme() == "http" && !allow_plain_http && !base.is_loopback() {
            return Err(BaseUrlError::PlainHttp(base.0.host_str().unwrap_or_default().to_owned()));
        }
        Ok(base)
    }

    /// The address; its path is `/` or the prefix without a trailing slash.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The mount prefix: empty, or such as `/asyncmq`.
    pub fn prefix(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Whether the admin runs on this computer.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Where its credential may go.
    pub fn realm(&self) -> Realm {
        Realm(self.0.clone())
    }

    /// The address of a path that we make ourselves, such as `/login` or `/login?next=x`, below the prefix.
    pub fn join(&self, path_and_query: &str) -> Url {
        let (path, query) = path_and_query.split_once('?').map_or((path_and_query, None), |(p, q)| (p, Some(q)));
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.prefix()));
        url.set_query(query);
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    /// A stored address was allowed once; whether it still is, is the environment's check.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text, true)
    }
}

impl From<BaseUrl> for String {
    fn from(base: BaseUrl) -> Self {
        base.to_string()
    }
}

/// Scheme, host, port and mount prefix: the bounds of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Realm(Url);

impl Realm {
    /// Whether a credential may be sent to `url`: same scheme, host and port, and a path that is the prefix or lies below
    /// it, segment by segment. Judges `url` as it is; whether the server could read its path in another way (`%2F`) is
    /// the gateway's question.
    pub fn contains(&self, url: &Url) -> bool {
        let prefix = self.0.path().trim_end_matches('/');
        self.0.scheme() == url.scheme()
            && self.0.host() == url.host()
            && self.0.port_or_known_default() == url.port_or_known_default()
            && url.path().strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for Realm {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        BaseUrl::parse(text, true).map(|base| base.realm())
    }
}

fn parse_forgiving(text: &str) -> Result<Url, BaseUrlError> {
    let not_a_url = || BaseUrlError::NotAUrl(without_user_info(text));
    if let Some((_, rest)) = text.split_once("://") {
        // `https:///x` would make a host of the path.
        return if rest.starts_with(['/', '\\']) {
            Err(not_a_url())
        } else {
            Url::parse(text).map_err(|_| not_a_url())
        };
    }
    // `localhost:8000` parses as a scheme; what follows the colon tells it from `ftp:x`.
    if let Some((scheme, rest)) = text.split_once(':')
        && !rest.starts_with(|c: char| c.is_ascii_digit())
        && !text.starts_with('[')
        && !scheme.contains(['/', '.', '@'])
    {
        return Err(match scheme {
            "http" | "https" => not_a_url(),
            _ if rest.contains('@') => BaseUrlError::UserInfo,
            _ => BaseUrlError::Scheme(scheme.to_owned()),
        });
    }
    let secure = Url::parse(&format!("https://{text}")).map_err(|_| not_a_url())?;
    if is_loopback(&secure) { Url::parse(&format!("http://{text}")).map_err(|_| not_a_url()) } else { Ok(secure) }
}

/// What may be shown of a text that is no address: nothing before an `@`.
fn without_user_info(text: &str) -> String {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest).to_owned()
}

/// The path as it was written, before parsing resolved anything.
fn written_path(text: &str) -> &str {
    let after = text.split_once("://").map_or(text, |(_, rest)| rest);
    after.find(['/', '\\']).map_or("", |at| &after[at..])
}

fn without_trailing_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// Whether some server could read other segments than we do. Also an encoded `.` or `%`, wherever it stands: it decodes to
/// other segments on the second reading.
fn is_ambiguous(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let changes = |c: char| decoded.matches(c).count() != path.matches(c).count();
    let mut segments = decoded.strip_prefix('/').unwrap_or(&decoded).split('/');
    changes('/')
        || changes('.')
        || decoded.contains('%')
        || decoded.contains('\\')
        || decoded.chars().any(char::is_control)
        || (!path.is_empty() && segments.any(|segment| matches!(segment, "" | "." | "..")))
}

/// Whether a URL is of this computer.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{BaseUrl, BaseUrlError, Realm};

    fn parsed(text: &str) -> Result<String, BaseUrlError> {
        BaseUrl::parse(text, false).map(|base| base.to_string())
    }

    #[test]
    fn a_missing_scheme_white_space_and_a_trailing_slash_are_forgiven() {
        for (text, expected) in [
            (" admin.example/asyncmq/ ", "https://admin.example/asyncmq"),
            ("localhost:8000/asyncmq", "http://localhost:8000/asyncmq"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("[::1]:8000/x", "http://[::1]:8000/x"),
            ("https://Admin.Example:443/", "https://admin.example"),
            ("admin.example:8443/ops/queues", "https://admin.example:8443/ops/queues"),
            ("\tshop.localhost:8000/\n", "http://shop.localhost:8000"),
            ("http://127.8.9.1/asyncmq", "http://127.8.9.1/asyncmq"),
            ("HTTPS://a.example/a%20b", "https://a.example/a%20b"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_named() {
        assert_eq!(parsed(""), Err(BaseUrlError::Empty));
        assert_eq!(parsed("ftp://a.example"), Err(BaseUrlError::Scheme("ftp".into())));
        assert_eq!(parsed("javascript:alert"), Err(BaseUrlError::Scheme("javascript".into())));
        assert_eq!(parsed("https://a.example/?x=1"), Err(BaseUrlError::Query));
        assert_eq!(parsed("https://a.example/#x"), Err(BaseUrlError::Fragment));
        assert_eq!(parsed("http://a.example"), Err(BaseUrlError::PlainHttp("a.example".into())));
        assert!(BaseUrl::parse("http://a.example", true).is_ok());
        for text in
            ["https:///a.example/x", "https:a.example", "https:\\\\a.example", "https://a.ex\nample", "https://"]
        {
            assert!(matches!(parsed(text), Err(BaseUrlError::NotAUrl(_))), "{text:?}");
        }
        for path in [
            "/a/../b",
            "/a//b",
            "//",
            "/a//",
            "/a/%2e%2e",
            "/a%2Fb",
            "/a\\b",
            "/a%00",
            "/./a",
            "/a/%2E",
            "/a%2eb",
            "/a%252e",
            "/a%5cb",
            "/a%",
            "/a/..",
        ] {
            assert!(matches!(parsed(&format!("https://a.example{path}")), Err(BaseUrlError::Path(_))), "{path}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        for text in [
            "https://user:canary@a.example",
            "user:canary@a.example",
            "https://u:canary@ bad host/",
            "user:1canary@a.example",
            "https://u:1/../canary@a.example",
            "http:u:canary@a.example",
            "https://canary@a.example",
            "https:///u:canary@a.example",
            "https://u:can\tary@a.example",
            "https://u:can@canary@a.example",
        ] {
            let error = parsed(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn paths_that_we_make_are_below_the_prefix() {
        let base = BaseUrl::parse("https://a.example/asyncmq", false).expect("base");
        assert_eq!(base.join("/login?next=%2Fx").as_str(), "https://a.example/asyncmq/login?next=%2Fx");
        let base = BaseUrl::parse("https://a.example", false).expect("base");
        assert_eq!((base.prefix(), base.join("/login").as_str()), ("", "https://a.example/login"));
    }

    #[test]
    fn an_address_and_a_realm_come_back_from_their_text() {
        for text in ["https://a.example", "http://[::1]:8000/ops/queues", "https://xn--bcher-kva.example/a%20b"] {
            let base = BaseUrl::parse(text, false).expect(text);
            assert_eq!(base.to_string(), text);
            assert_eq!(base.realm().to_string().parse::<Realm>().expect(text), base.realm());
        }
    }

    #[test]
    fn a_realm_is_one_origin_and_one_prefix() {
        let realm: Realm = "https://a.example/asyncmq".parse().expect("realm");
        let contains = |url: &str| realm.contains(&url.parse().expect("url"));
        assert!(contains("https://a.example/asyncmq") && contains("https://a.example:443/asyncmq/x?y"));
        for url in [
            "http://a.example/asyncmq",
            "https://a.example:444/asyncmq",
            "https://b.example/asyncmq",
            "https://a.example/asyncmqx",
            "https://a.example/",
            "https://a.example/other",
        ] {
            assert!(!contains(url), "{url}");
        }
    }
}
