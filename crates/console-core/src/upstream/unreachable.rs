//! Why could the remote side not be reached?

use std::{error::Error, fmt};

use http::StatusCode;

/// How the TLS library calls a connection that ends without a word: it names itself, and no handshake failed.
const CUT_OFF: &str = "without sending tls close_notify";

/// What failed on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreachableKind {
    /// The name does not resolve.
    Dns,
    /// Nothing accepted the connection.
    Connect,
    /// The proxy on the way did not let the connection through.
    Proxy,
    /// The certificate or the TLS handshake was not accepted.
    Tls,
    /// No answer in time.
    TimedOut,
    /// The connection broke, or the answer was not HTTP.
    Broken,
}

/// In a few words, for a person.
impl fmt::Display for UnreachableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS",
            Self::Connect => "nothing answers",
            Self::Proxy => "proxy",
            Self::Tls => "TLS",
            Self::TimedOut => "no answer in time",
            Self::Broken => "the connection broke",
        })
    }
}

/// The remote side could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unreachable {
    /// What failed.
    pub kind: UnreachableKind,
    /// One sentence that names the host.
    pub detail: String,
}

impl Unreachable {
    /// Reads the chain of a client's error. `host` is named in the sentence.
    pub fn from_error(error: &reqwest::Error, host: &str) -> Self {
        // Not the client's own sentence: it holds the address, and an address may hold any word.
        let chain = error.source().map(chain).unwrap_or_default();
        let kind = if error.is_timeout() {
            UnreachableKind::TimedOut
        } else if chain.contains("tunnel error") || chain.contains("socks") {
            UnreachableKind::Proxy
        } else if chain.contains("dns error") || chain.contains("failed to lookup address") {
            UnreachableKind::Dns
        } else if chain.contains(CUT_OFF) {
            UnreachableKind::Broken
        } else if chain.contains("certificate") || chain.contains("tls") || chain.contains("handshake") {
            UnreachableKind::Tls
        } else if error.is_connect() {
            UnreachableKind::Connect
        } else {
            UnreachableKind::Broken
        };
        let detail = match kind {
            UnreachableKind::Dns => format!("`{host}` does not resolve."),
            UnreachableKind::Proxy => format!("The proxy did not lead to `{host}`: {}.", innermost(error)),
            UnreachableKind::Connect => format!("Nothing answers at `{host}`: {}.", innermost(error)),
            UnreachableKind::Tls => tls(&chain, host)
                .unwrap_or_else(|| format!("The TLS connection to `{host}` was not accepted: {}.", innermost(error))),
            UnreachableKind::TimedOut => format!("`{host}` did not answer in time."),
            UnreachableKind::Broken if chain.contains(CUT_OFF) => {
                format!("The connection to `{host}` broke: it ended in the middle.")
            }
            UnreachableKind::Broken => format!("The connection to `{host}` broke: {}.", innermost(error)),
        };
        Self { kind, detail }
    }

    /// An answer that no admin gives to a page request; `said` is the beginning of its body.
    pub(super) fn instead(host: &str, status: StatusCode, said: &str) -> Self {
        let certificate = said.contains("SSL certificate") || said.contains("client certificate");
        let wants = if certificate { " It asks for a client certificate." } else { "" };
        let detail = format!("Something at `{host}` answered {status} in the admin's place.{wants}");
        Self { kind: UnreachableKind::Broken, detail }
    }

    /// An answer that is not the admin's, but of something on the way that did not reach it.
    pub fn from_status(status: StatusCode, host: &str) -> Option<Self> {
        let (kind, detail) = match status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => (
                UnreachableKind::Proxy,
                format!("The proxy on the way to `{host}` did not accept this user name and password."),
            ),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => (
                UnreachableKind::Broken,
                format!("Something in front of `{host}` answered {status}: the admin behind it does not answer."),
            ),
            _ => return None,
        };
        Some(Self { kind, detail })
    }
}

/// What is wrong with the certificate that `host` showed, in words; rustls names it by its error's name.
fn tls(chain: &str, host: &str) -> Option<String> {
    let found = [
        ("unknownissuer", "comes from an authority that this computer does not trust"),
        ("unknown ca", "comes from an authority that this computer does not trust"),
        ("certificate expired", "has expired"),
        ("expired", "has expired"),
        ("not valid yet", "is not valid yet"),
        ("notvalidyet", "is not valid yet"),
        ("not valid for name", "is for another name"),
        ("notvalidforname", "is for another name"),
        ("revoked", "was revoked"),
        ("certificaterequired", "was accepted, but it wants a client certificate"),
    ];
    let what = found.iter().find(|(name, _)| chain.contains(name))?.1;
    Some(format!("The certificate of `{host}` {what}."))
}

/// Every message of the chain, in lower case. None of them holds a header's value: the client prints URLs only.
fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&error.to_string().to_lowercase());
        text.push('\n');
        next = error.source();
    }
    text
}

fn innermost(error: &dyn Error) -> String {
    let Some(mut last) = error.source() else { return "it ended without an answer".to_owned() };
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
