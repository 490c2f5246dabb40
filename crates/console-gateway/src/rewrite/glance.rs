//! Could a stretch of a document name the realm's host, or hold a policy, in any way that a browser would understand?
//!
//! A look with `memchr`, for the many stretches in which nothing can be rewritten. It may say yes without need, and never
//! no. It knows nothing of tags: what could be a URL of the host is taken for one wherever it stands.

use memchr::{memchr_iter, memchr3};
use url::{Host, Url};

use super::{site::Site, text};

/// How the realm's host shows at the beginning of an authority.
#[derive(Debug)]
pub(super) enum Glance {
    /// By its name in lower case, however far it is written in ASCII.
    Name {
        name: String,
        /// Where the first label in punycode begins: in Unicode it begins with any letter.
        international: Option<usize>,
    },
    /// By a byte that every spelling of an address begins with: any digit, or the bracket.
    Address(fn(&u8) -> bool),
    /// In ways that are not known here.
    Unknown,
}

impl Glance {
    pub(super) fn new(site: &Site) -> Self {
        match site.host() {
            Some(Host::Domain(name))
                if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) =>
            {
                let labels = name.match_indices("xn--").map(|(at, _)| at);
                let international = labels.into_iter().find(|at| *at == 0 || name.as_bytes()[at - 1] == b'.');
                Self::Name { name: name.to_owned(), international }
            }
            Some(Host::Ipv4(_)) => Self::Address(u8::is_ascii_digit),
            Some(Host::Ipv6(_)) => Self::Address(|byte| *byte == b'['),
            _ => Self::Unknown,
        }
    }

    /// Whether the splicer could have a reason to change something here. The stretch must not end within a URL.
    pub(super) fn sees_something(&self, stretch: &[u8]) -> bool {
        matches!(self, Self::Unknown)
            || self.sees_authority(stretch)
            || self.sees_scheme(stretch)
            || Self::sees_meaning(stretch)
    }

    /// A tag that says how to read what follows; and the `content` of a `meta` may be a policy, which need not name the
    /// host to be changed.
    fn sees_meaning(stretch: &[u8]) -> bool {
        memchr_iter(b'<', stretch).filter_map(|at| stretch[at + 1..].get(..4)).any(|name| {
            // No reference is read in a tag's name.
            name.eq_ignore_ascii_case(b"meta") || name.eq_ignore_ascii_case(b"base")
        })
    }

    /// Two slashes, and what could be the host; or a character reference that could be any of it.
    fn sees_authority(&self, stretch: &[u8]) -> bool {
        let mut at = 0;
        while let Some(found) = memchr3(b'/', b'\\', b'&', &stretch[at..]) {
            at += found;
            if stretch[at] == b'&' {
                if !self.is_harmless(&stretch[at..]) {
                    return true;
                }
                at += 1;
                continue;
            }
            let run = slashes(&stretch[at..]);
            let authority = at + run.len();
            if run.iter().filter(|byte| matches!(byte, b'/' | b'\\')).count() > 1 && self.begins(&stretch[authority..])
            {
                return true;
            }
            at = authority;
        }
        false
    }

    /// A scheme, any number of slashes, and what could be the host: `https:host` names it where the base is http.
    fn sees_scheme(&self, stretch: &[u8]) -> bool {
        memchr_iter(b':', stretch).any(|colon| {
            let after = &stretch[colon + 1..];
            ends_with_scheme(&stretch[..colon]) && self.begins(&after[slashes(after).len()..])
        })
    }

    /// Whether the host could be what this authority begins with.
    fn begins(&self, authority: &[u8]) -> bool {
        match authority.first() {
            // An empty user, and an empty password.
            Some(b'@' | b':') => return true,
            Some(first) if !hides(*first) => {}
            first => return first.is_some(),
        }
        match self {
            Self::Name { name, international } => {
                let same = authority
                    .iter()
                    .zip(name.as_bytes())
                    .take_while(|(one, own)| one.eq_ignore_ascii_case(own))
                    .count();
                let rest = &authority[same..];
                same == name.len()
                    || rest.first().is_some_and(|byte| hides(*byte))
                    || (international.is_some_and(|begin| same >= begin)
                        && rest.iter().take_while(|byte| !ends_authority(**byte)).any(|byte| hides(*byte)))
            }
            Self::Address(begins) => authority.first().is_some_and(begins),
            Self::Unknown => true,
        }
    }

    /// Whether what begins with this `&` stands for nothing that a URL of the host could be written with.
    fn is_harmless(&self, text: &[u8]) -> bool {
        // What templates write, and almost nothing else.
        const USUAL: [&[u8]; 7] = [b"&amp;", b"&#34;", b"&#39;", b"&quot;", b"&lt;", b"&gt;", b"&nbsp;"];
        USUAL.iter().any(|usual| text.starts_with(usual))
            || text::reference(text).is_none_or(|(_, characters)| characters.chars().all(|char| self.is_foreign(char)))
    }

    /// Whether no host that is written with this character can be the realm's.
    fn is_foreign(&self, char: char) -> bool {
        match self {
            _ if char.is_ascii() => "&<>\"' ()!,;=+*$^`{|}~".contains(char),
            Self::Name { international: Some(_), .. } => false,
            // Some stand for ASCII, or for nothing, in a host's name (UTS 46).
            _ => Url::parse(&format!("http://a{char}b/")).map_or(true, |url| url.as_str().contains("xn--")),
        }
    }
}

/// The slashes that a text begins with, and what is nothing between them.
fn slashes(text: &[u8]) -> &[u8] {
    let is_one = |byte: &u8| matches!(byte, b'/' | b'\\') || is_nothing(*byte);
    &text[..text.iter().take_while(|byte| is_one(byte)).count()]
}

/// What a URL's parser does not see.
fn is_nothing(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r')
}

/// Whether a byte in a host stands for something else.
fn hides(byte: u8) -> bool {
    is_nothing(byte) || matches!(byte, b'%' | b'&') || !byte.is_ascii()
}

fn ends_authority(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\' | b'?' | b'#' | b' ' | b'"' | b'\'' | b'<' | b'>')
}

/// Whether `text` ends with a scheme of the web, or of its sockets.
fn ends_with_scheme(text: &[u8]) -> bool {
    let mut letters = text.iter().rev().filter(|byte| !is_nothing(**byte)).map(u8::to_ascii_lowercase);
    match letters.next() {
        Some(b'p') => letters.take(3).eq(*b"tth"),
        Some(b's') => match letters.next() {
            Some(b'p') => letters.take(3).eq(*b"tth"),
            Some(b's') => letters.next() == Some(b'w'),
            Some(b'w') => true,
            _ => false,
        },
        _ => false,
    }
}
