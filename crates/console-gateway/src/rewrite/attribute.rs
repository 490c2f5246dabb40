//! Which attributes hold URLs, and in which form? (HTML, "Attributes"; htmx 2)

use std::ops::Range;

use super::{
    site::{Schemes, Site},
    text::{Edit, Text},
};

/// How an attribute's value holds URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It is a URL.
    Url,
    /// It is a URL, or a WebSocket's.
    Socket,
    /// `ping`: URLs with white space between them.
    Urls,
    /// `srcset`: image candidates.
    Candidates,
    /// `5; url=…`
    Refresh,
    /// CSS declarations with `url(…)`.
    Style,
}

impl Form {
    /// The form of attribute `name` of element `tag`, both in lower case; `None`: not a URL. (`content` of `meta`
    /// depends on its neighbour; `splice` knows.)
    pub(super) fn of(tag: &[u8], name: &[u8]) -> Option<Self> {
        let here = |tags: &[&[u8]], form| tags.contains(&tag).then_some(form);
        match name {
            b"href" | b"src" | b"xlink:href" => Some(Self::Url),
            b"style" => Some(Self::Style),
            b"action" => here(&[b"form"], Self::Url),
            b"formaction" => here(&[b"button", b"input"], Self::Url),
            b"poster" => here(&[b"video"], Self::Url),
            b"cite" => here(&[b"blockquote", b"q", b"del", b"ins"], Self::Url),
            b"data" => here(&[b"object"], Self::Url),
            b"background" => here(&[b"body", b"table", b"thead", b"tbody", b"tfoot", b"tr", b"td", b"th"], Self::Url),
            b"manifest" => here(&[b"html"], Self::Url),
            b"longdesc" => here(&[b"img", b"iframe", b"frame"], Self::Url),
            b"ping" => here(&[b"a", b"area"], Self::Urls),
            b"srcset" => here(&[b"img", b"source"], Self::Candidates),
            b"imagesrcset" => here(&[b"link"], Self::Candidates),
            _ if name.starts_with(b"data-") && name.ends_with(b"-url") => Some(Self::Url),
            _ => Self::of_htmx(name.strip_prefix(b"data-").unwrap_or(name)),
        }
    }

    /// The form of an attribute of htmx or of its extensions, without the `data-` that each of them may begin with.
    fn of_htmx(name: &[u8]) -> Option<Self> {
        match name {
            b"hx-get" | b"hx-post" | b"hx-put" | b"hx-patch" | b"hx-delete" | b"hx-push-url" | b"hx-replace-url"
            | b"sse-connect" => Some(Self::Url),
            b"ws-connect" => Some(Self::Socket),
            _ => None,
        }
    }

    /// Whether `value` could name a host at all: spares most of them the reading.
    pub(super) fn may_name_host(self, value: &[u8]) -> bool {
        match self {
            Self::Url | Self::Socket => {
                let mut begin = value.iter().skip_while(|byte| **byte <= b' ');
                match begin.next() {
                    Some(b'/') => matches!(begin.next(), Some(b'/' | b'\\' | b'&' | b'\t' | b'\n' | b'\r')),
                    Some(b'h' | b'H' | b'\\' | b'&') => true,
                    Some(b'w' | b'W') => self == Self::Socket,
                    _ => false,
                }
            }
            Self::Style => value.contains(&b'(') || value.contains(&b'&'),
            // `https:host` names a host, too, where the realm's scheme is another.
            _ => value.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'&' | b':')),
        }
    }

    /// The edits that make paths of the realm's URLs in a value of this form.
    pub(super) fn edits(self, site: &Site, text: &Text) -> Vec<Edit> {
        let urls = match self {
            Self::Url | Self::Socket => std::iter::once(0..text.len()).collect(),
            Self::Urls => words(text),
            Self::Candidates => candidates(text),
            Self::Refresh => refresh(text).into_iter().collect(),
            Self::Style => style(text),
        };
        let schemes = if self == Self::Socket { Schemes::WebAndSockets } else { Schemes::Web };
        urls.into_iter().filter_map(|url| site.cut(text, url, schemes)).collect()
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C)
}

fn words(text: &Text) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let start = text.find(at..text.len(), |byte| !is_space(byte));
        if start == text.len() {
            return found;
        }
        at = text.find(start..text.len(), is_space);
        found.push(start..at);
    }
}

/// HTML, "parse a srcset attribute": a URL is everything up to white space, so its own commas (`data:`) stay in it.
fn candidates(text: &Text) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let start = text.find(at..text.len(), |byte| !is_space(byte) && byte != b',');
        if start == text.len() {
            return found;
        }
        at = text.find(start..text.len(), is_space);
        let mut end = at;
        while end > start && text.byte(end - 1) == Some(b',') {
            end -= 1;
        }
        found.push(start..end);
        if end == at {
            at = end_of_descriptors(text, at);
        }
    }
}

/// The comma that ends a candidate; those in parentheses do not.
fn end_of_descriptors(text: &Text, from: usize) -> usize {
    let mut in_parentheses = false;
    for at in from..text.len() {
        match text.byte(at) {
            Some(b'(') => in_parentheses = true,
            Some(b')') => in_parentheses = false,
            Some(b',') if !in_parentheses => return at,
            _ => {}
        }
    }
    text.len()
}

/// HTML, "shared declarative refresh steps": where the URL is.
pub(super) fn refresh(text: &Text) -> Option<Range<usize>> {
    let end = text.len();
    let skip_space = |at| text.find(at..end, |byte| !is_space(byte));
    let time = skip_space(0);
    let mut at = text.find(time..end, |byte| !(byte.is_ascii_digit() || byte == b'.'));
    if at == time || !matches!(text.byte(at), Some(byte) if byte == b';' || byte == b',' || is_space(byte)) {
        return None;
    }
    at = skip_space(at);
    if matches!(text.byte(at), Some(b';' | b',')) {
        at = skip_space(at + 1);
    }
    if matches!(text.byte(at), Some(b'u' | b'U')) {
        let equals = skip_space(at + 3);
        if !text.spells(at, "url") || text.byte(equals) != Some(b'=') {
            return Some(at..end);
        }
        at = skip_space(equals + 1);
    }
    match text.byte(at) {
        Some(quote @ (b'"' | b'\'')) => Some(at + 1..text.find(at + 1..end, |byte| byte == quote)),
        Some(_) => Some(at..end),
        None => None,
    }
}

/// The arguments of `url(…)` outside of CSS strings and comments. One that holds a CSS escape is left alone.
fn style(text: &Text) -> Vec<Range<usize>> {
    let end = text.len();
    let mut found = Vec::new();
    let mut at = 0;
    let mut in_word = false;
    while let Some(byte) = text.byte(at) {
        match byte {
            b'"' | b'\'' => at = closing_quote(text, at) + 1,
            b'/' if text.byte(at + 1) == Some(b'*') => at = end_of_comment(text, at + 2),
            b'\\' => at += 2,
            b'u' | b'U' if !in_word && text.spells(at, "url(") => {
                let start = text.find(at + 4..end, |byte| !is_space(byte));
                let argument = match text.byte(start) {
                    Some(b'"' | b'\'') => start + 1..closing_quote(text, start),
                    _ => start..text.find(start..end, |byte| is_space(byte) || byte == b')'),
                };
                at = argument.end;
                if text.find(argument.clone(), |byte| matches!(byte, b'\\' | b'\n' | b'\r' | b'(')) == argument.end {
                    found.push(argument);
                }
                at = text.find(at..end, |byte| byte == b')');
            }
            _ => at += 1,
        }
        in_word = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'\\') || !byte.is_ascii();
    }
    found
}

/// The quote that ends the string that begins at `start`, or the end of the text.
fn closing_quote(text: &Text, start: usize) -> usize {
    let quote = text.byte(start);
    let mut at = start + 1;
    while at < text.len() && text.byte(at) != quote {
        at += if text.byte(at) == Some(b'\\') { 2 } else { 1 };
    }
    at.min(text.len())
}

fn end_of_comment(text: &Text, from: usize) -> usize {
    (from..text.len())
        .find(|at| text.byte(*at) == Some(b'*') && text.byte(at + 1) == Some(b'/'))
        .map_or(text.len(), |at| at + 2)
}
