//! How is the remote side reached? Settings without secrets; the secrets are in the vault.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    command_line::CommandLine,
    environment::{FieldError, cookie_name, header_name},
    secrets::Secrets,
    sign_in::{Ask, AskKind},
    upstream::{ClientIdentityError, client_identity},
};

/// The names of the network's secrets in the vault. A header's is `header:` and its name, a cookie's `cookie:` and its name.
pub mod secret {
    /// The proxy's password.
    pub const PROXY_PASSWORD: &str = "proxy_password";
    /// The client certificate's private key, PEM.
    pub const CLIENT_KEY: &str = "client_key";
    /// The password of a PKCS#12 file or of an encrypted key.
    pub const CLIENT_KEY_PASSWORD: &str = "client_key_password";
    /// The client certificate's chain and key as PEM, as they were read when they were first used.
    pub const CLIENT_IDENTITY: &str = "client_identity";
    /// Before an extra header's name.
    pub const HEADER: &str = "header:";
    /// Before an extra cookie's name.
    pub const COOKIE: &str = "cookie:";
}

/// How long an answer may take to begin where nothing is set, in seconds. (`WKWebView` gives up after 60 by itself.)
const FIRST_BYTE_SECONDS: u32 = 55;
/// What may be set, in seconds. Ten minutes are more than any proxy in between waits.
const FIRST_BYTE_BOUNDS: RangeInclusive<u32> = 1..=600;

/// How the remote side is reached. An empty text, or 0, means "not used".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// The path of a PEM file with the certificate authorities to trust besides the platform's.
    pub ca_file: String,
    /// The path of the client certificate: PEM (the key in the same file or in the vault), or PKCS#12.
    pub client_certificate_file: String,
    /// `http://host:port` (CONNECT) or `socks5://host:port`, `socks5h://host:port`; empty: the desktop's settings.
    pub proxy: String,
    /// The user name at the proxy; its password is in the vault.
    pub proxy_user: String,
    /// Names of headers whose values are in the vault, sent with every request inside the realm.
    pub extra_headers: Vec<String>,
    /// Names of cookies whose values are in the vault, sent with every request inside the realm.
    pub extra_cookies: Vec<String>,
    /// How long an answer may take to begin, in seconds, 1 to 600; 0: 55.
    pub first_byte_seconds: u32,
    /// A command that makes the base URL's port answer, such as `kubectl port-forward`.
    pub tunnel: Option<CommandLine>,
}

impl Network {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Without white space around, and without empty names.
    #[must_use]
    pub fn tidied(&self) -> Self {
        let names = |names: &[String]| {
            let mut tidy: Vec<String> = Vec::new();
            for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
                if !tidy.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    tidy.push(name.to_owned());
                }
            }
            tidy
        };
        Self {
            ca_file: self.ca_file.trim().to_owned(),
            client_certificate_file: self.client_certificate_file.trim().to_owned(),
            proxy: self.proxy.trim().to_owned(),
            proxy_user: self.proxy_user.trim().to_owned(),
            extra_headers: names(&self.extra_headers),
            extra_cookies: names(&self.extra_cookies),
            first_byte_seconds: self.first_byte_seconds,
            tunnel: self.tunnel.as_ref().map(CommandLine::tidied).filter(|tunnel| *tunnel != CommandLine::default()),
        }
    }

    /// How long an answer may take to begin.
    pub fn first_byte(&self) -> Duration {
        let set = Some(self.first_byte_seconds).filter(|seconds| FIRST_BYTE_BOUNDS.contains(seconds));
        Duration::from_secs(set.unwrap_or(FIRST_BYTE_SECONDS).into())
    }

    /// All that is wrong, field by field.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: &str| errors.push(FieldError::new(field, message));
        if !self.proxy.is_empty()
            && let Err(message) = proxy_url(&self.proxy)
        {
            wrong("network.proxy", message);
        }
        if self.proxy.is_empty() && !self.proxy_user.is_empty() {
            wrong("network.proxy", "give the proxy that this user name is for");
        }
        if self.first_byte_seconds != 0 && !FIRST_BYTE_BOUNDS.contains(&self.first_byte_seconds) {
            wrong("network.first_byte_seconds", "give 1 to 600 seconds, or nothing for 55");
        }
        for name in &self.extra_headers {
            if let Err(message) = header_name(name) {
                wrong("network.extra_headers", &message);
            }
        }
        for name in &self.extra_cookies {
            if let Err(message) = cookie_name(name) {
                wrong("network.extra_cookies", &message);
            }
        }
        errors.extend(self.tunnel.as_ref().and_then(|tunnel| tunnel.check("network.tunnel")));
        errors
    }

    /// The secrets that the operator is asked for.
    pub fn asks(&self) -> Vec<Ask> {
        let mut asks = Vec::new();
        if !self.proxy_user.is_empty() {
            asks.push(Ask::required(secret::PROXY_PASSWORD, "Proxy password", AskKind::Password));
        }
        if !self.client_certificate_file.is_empty() {
            let key = Ask::optional(secret::CLIENT_KEY, "Client certificate's private key (PEM)", AskKind::Key);
            asks.push(key.with_help("Only when the certificate's file does not hold it."));
            let password =
                Ask::optional(secret::CLIENT_KEY_PASSWORD, "Client certificate's password", AskKind::Password);
            asks.push(password.with_help("Only for a PKCS#12 file."));
        }
        for name in &self.extra_headers {
            asks.push(Ask::required(&format!("{}{name}", secret::HEADER), name, AskKind::Password));
        }
        for name in &self.extra_cookies {
            asks.push(Ask::required(
                &format!("{}{name}", secret::COOKIE),
                &format!("Cookie {name}"),
                AskKind::Password,
            ));
        }
        asks
    }

    /// Whether a secret of this name is the network's and not the sign-in method's.
    pub fn owns(name: &str) -> bool {
        matches!(
            name,
            secret::PROXY_PASSWORD | secret::CLIENT_KEY | secret::CLIENT_KEY_PASSWORD | secret::CLIENT_IDENTITY
        ) || name.starts_with(secret::HEADER)
            || name.starts_with(secret::COOKIE)
    }

    /// What its secrets were given for, besides the realm: the proxy, and the file of the client certificate.
    pub fn endpoint(&self) -> Option<String> {
        let parts = [&self.proxy, &self.client_certificate_file];
        let used: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        (!used.is_empty()).then(|| used.join(" "))
    }

    /// What the vault keeps of the answers: a client certificate and its key as they were read, and nothing of how.
    ///
    /// # Errors
    /// When the certificate cannot be read with these answers.
    pub fn kept(&self, answers: &Secrets) -> Result<Secrets, ClientIdentityError> {
        let names: Vec<String> = self.asks().into_iter().map(|ask| ask.key).collect();
        let mut kept = answers.clone().only(|name| names.iter().any(|known| known == name));
        if !self.client_certificate_file.is_empty() {
            kept.set(secret::CLIENT_IDENTITY, client_identity::pem(&self.client_certificate_file, answers)?);
        }
        kept.remove(secret::CLIENT_KEY);
        kept.remove(secret::CLIENT_KEY_PASSWORD);
        Ok(kept)
    }
}

/// A proxy's address, without a path and without user information.
pub(crate) fn proxy_url(text: &str) -> Result<Url, &'static str> {
    const EXAMPLE: &str = "give an address such as http://proxy.example:3128 or socks5h://127.0.0.1:1080";
    let url = Url::parse(text).map_err(|_| EXAMPLE)?;
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") || url.host_str().is_none_or(str::is_empty) {
        return Err(EXAMPLE);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave the user name and password out of the address: they have fields of their own");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(EXAMPLE);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Network;

    #[test]
    fn an_answer_may_take_what_was_set_within_bounds_and_55_seconds_where_nothing_was() {
        let waits = |seconds: u32| Network { first_byte_seconds: seconds, ..Network::default() };
        for (seconds, expected) in [(0, 55), (1, 1), (600, 600)] {
            assert_eq!(waits(seconds).tidied().first_byte(), Duration::from_secs(expected));
            assert!(waits(seconds).check().is_empty(), "{seconds}");
        }
        // A file that was edited by hand may say anything.
        assert_eq!(waits(601).first_byte(), Duration::from_secs(55));
        assert_eq!(waits(601).check()[0].field, "network.first_byte_seconds");
    }

    #[test]
    fn a_proxy_is_an_address_without_a_password_and_names_are_names() {
        let errors = |network: &Network| network.tidied().check().iter().map(|error| error.field).collect::<Vec<_>>();
        let proxy = |proxy: &str| Network { proxy: proxy.into(), ..Network::default() };
        for sound in ["http://p.example:3128", "socks5://127.0.0.1:1080", " socks5h://p:1 ", ""] {
            assert!(errors(&proxy(sound)).is_empty(), "{sound}");
        }
        for wrong in ["p.example:3128", "ftp://p", "http://u:canary@p", "http://p/x", "http://"] {
            let found = proxy(wrong).tidied().check();
            assert_eq!(found.len(), 1, "{wrong}");
            assert!(!found[0].message.contains("canary"));
        }
        let names = Network {
            extra_headers: vec!["Host".into(), "X-Ok".into()],
            extra_cookies: vec!["a b".into()],
            ..Network::default()
        };
        assert_eq!(errors(&names), ["network.extra_headers", "network.extra_cookies"]);
    }
}
