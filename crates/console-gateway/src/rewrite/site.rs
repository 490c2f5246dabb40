//! Is a URL the realm's, and what remains of it without scheme and authority?

use std::ops::Range;

use url::{Host, Url};

use super::text::{Edit, Text};

/// Which schemes may name the realm's host?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schemes {
    /// `http` and `https`.
    Web,
    /// `ws` and `wss` as well: they reach the same host and port.
    WebAndSockets,
}

impl Schemes {
    /// The web's scheme with the same host and port as `named`, if that is one of these.
    fn of_the_web(self, named: &'static str) -> Option<&'static str> {
        match (self, named) {
            (_, "http" | "https") => Some(named),
            (Self::WebAndSockets, "ws") => Some("http"),
            (Self::WebAndSockets, "wss") => Some("https"),
            _ => None,
        }
    }
}

/// The realm's host, as the admin may write it.
#[derive(Debug)]
pub(super) struct Site {
    base: Url,
    /// Host and port as they are written most of the time: spares judging them as a URL.
    authority: String,
}

impl Site {
    pub(super) fn new(base: &Url) -> Self {
        Self { base: base.clone(), authority: base.authority().to_owned() }
    }

    /// `https` or `http`.
    pub(super) fn scheme(&self) -> &str {
        self.base.scheme()
    }

    pub(super) fn host(&self) -> Option<Host<&str>> {
        self.base.host()
    }

    /// The realm's port, if it must be written.
    pub(super) fn port(&self) -> Option<u16> {
        self.base.port()
    }

    /// Same host and port, http or https. Of a realm on its scheme's own port the other scheme's own port counts too:
    /// an admin behind TLS termination writes `http://host/`. User information never does; an empty one is none.
    pub(super) fn owns(&self, url: &Url) -> bool {
        let same_port = url.port_or_known_default() == self.base.port_or_known_default();
        let both_default = url.port().is_none() && self.base.port().is_none();
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.host() == self.base.host()
            && (same_port || both_default)
            && url.username().is_empty()
            && url.password().is_none()
    }

    /// Whether relative URLs lead to another host once a document has named `href` as its base.
    pub(super) fn is_elsewhere(&self, href: &str) -> bool {
        self.base.join(href).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && !self.owns(&url))
    }

    /// The edit that makes a path of the URL in `range`, if it is the realm's.
    ///
    /// Follows the WHATWG URL parser up to the end of the authority (the `url` crate judges host and port) and leaves
    /// the rest as it is written: path, query and fragment are nobody's to normalise.
    pub(super) fn cut(&self, text: &Text, range: Range<usize>, schemes: Schemes) -> Option<Edit> {
        let start = text.find(range.clone(), |byte| byte > b' ');
        let mut reader = Reader { text, at: start, end: range.end };
        let named = match reader.peek()? {
            b'/' | b'\\' => None,
            _ => Some(reader.scheme()?),
        };
        let scheme = named.map_or(Some(self.scheme()), |named| schemes.of_the_web(named))?;
        let slashes = reader.slashes();
        // `http:x` is relative where the document's scheme is http, and names the host `x` elsewhere.
        if slashes < 2 && named.is_none_or(|named| named == self.scheme()) {
            return None;
        }
        let authority = reader.at..reader.authority();
        if authority.end == text.len() && !text.is_whole() {
            // Nobody knows which host it would be.
            return None;
        }
        let written = text.string(authority.clone());
        let is_owned = written.eq_ignore_ascii_case(&self.authority)
            || Url::parse(&format!("{scheme}://{written}/")).is_ok_and(|url| self.owns(&url));
        if !is_owned {
            return None;
        }
        let with: &'static [u8] = match reader.slashes() {
            0 => b"/",
            1 => b"",
            // What is left would begin with `//` and name another host.
            _ => b"/.",
        };
        Some(Edit { range: text.place(start)..text.place(authority.end), with: with.into() })
    }
}

/// Reads as the URL parser does: tabs and line breaks are not there.
struct Reader<'a> {
    text: &'a Text,
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.at < self.end && self.text.byte(self.at).is_some_and(|byte| matches!(byte, b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.at < self.end { self.text.byte(self.at) } else { None }
    }

    /// `http:`, `https:`, `ws:` or `wss:`.
    fn scheme(&mut self) -> Option<&'static str> {
        const LONGEST: usize = 5;
        let mut name = [0; LONGEST];
        let mut length = 0;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            if byte == b':' {
                break;
            }
            *name.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        ["http", "https", "ws", "wss"].into_iter().find(|scheme| scheme.as_bytes() == &name[..length])
    }

    fn slashes(&mut self) -> usize {
        let mut count = 0;
        while matches!(self.peek(), Some(b'/' | b'\\')) {
            self.at += 1;
            count += 1;
        }
        count
    }

    /// Where the authority that begins here ends; goes there. White space at the end of the whole URL is no part of it.
    fn authority(&mut self) -> usize {
        let start = self.at;
        self.at = self.text.find(start..self.end, |byte| matches!(byte, b'/' | b'\\' | b'?' | b'#'));
        if self.at == self.end {
            while self.at > start && self.text.byte(self.at - 1).is_some_and(|byte| byte <= b' ') {
                self.at -= 1;
            }
        }
        self.at
    }
}
