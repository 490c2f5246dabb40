//! Is a response HTML, and in which charset?

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use http::{HeaderMap, header};

/// What a response's headers say about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// HTML, with the charset that `Content-Type` names.
    Html(Option<&'static Encoding>),
    /// There is no `Content-Type`, and the content may be looked at.
    Unnamed,
    /// Not ours to touch.
    Other,
}

impl Media {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        // Fetch, "extract a MIME type": of several, the last counts.
        let value = headers.get_all(header::CONTENT_TYPE).iter().next_back().and_then(|value| value.to_str().ok());
        match value.map(str::trim) {
            None | Some("") if may_be_sniffed(headers) => Self::Unnamed,
            None => Self::Other,
            Some(value) => Self::named(value),
        }
    }

    fn named(value: &str) -> Self {
        let essence = value.split(';').next().unwrap_or_default().trim();
        if !["text/html", "application/xhtml+xml"].iter().any(|html| html.eq_ignore_ascii_case(essence)) {
            return Self::Other;
        }
        let charset = charset(value);
        if charset.is_none_or(is_superset_of_ascii) { Self::Html(charset) } else { Self::Other }
    }
}

/// The parser reads bytes as ASCII: UTF-16 and ISO-2022-JP are not for it.
pub(super) fn is_superset_of_ascii(charset: &'static Encoding) -> bool {
    charset.is_ascii_compatible()
}

/// The `charset` parameter of a media type.
pub(super) fn charset(media_type: &str) -> Option<&'static Encoding> {
    media_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .and_then(|(_, label)| Encoding::for_label(label.trim().trim_matches(['"', '\'']).as_bytes()))
}

/// A charset that the document itself declares (HTML, "prescan"): it was read as ASCII, so UTF-16 cannot be true.
pub(super) fn declared(charset: &'static Encoding) -> &'static Encoding {
    if charset == UTF_16BE || charset == UTF_16LE { UTF_8 } else { charset }
}

/// The charset of `<meta charset>`.
pub(super) fn declared_charset(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).map(declared)
}

/// Fetch, "determine nosniff": the first value counts.
fn may_be_sniffed(headers: &HeaderMap) -> bool {
    let first = headers.get(header::X_CONTENT_TYPE_OPTIONS).and_then(|value| value.to_str().ok()?.split(',').next());
    first.is_none_or(|value| !value.trim().eq_ignore_ascii_case("nosniff"))
}

/// Whether content begins like an HTML document; `None`: it takes more of it to know.
pub(super) fn begins_like_html(head: &[u8]) -> Option<bool> {
    const BOM: &[u8] = b"\xEF\xBB\xBF";
    /// As much as the MIME Sniffing standard reads.
    const LONGEST_HEAD: usize = 1445;

    if head.len() < BOM.len() && BOM.starts_with(head) {
        return None;
    }
    let text = head.strip_prefix(BOM).unwrap_or(head);
    let space = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let text = &text[space..];
    let mut undecided = false;
    for begin in [&b"<!doctype html"[..], b"<html"] {
        let length = begin.len().min(text.len());
        if text[..length].eq_ignore_ascii_case(&begin[..length]) {
            match text.get(begin.len()) {
                Some(next) if next.is_ascii_whitespace() || *next == b'>' => return Some(true),
                Some(_) => {}
                None => undecided = true,
            }
        }
    }
    if undecided && head.len() < LONGEST_HEAD { None } else { Some(false) }
}

/// The charset of the byte order mark; `None`: it takes more to know.
#[allow(clippy::option_option, reason = "unknown yet, known to be none, known")]
pub(super) fn byte_order_mark(head: &[u8]) -> Option<Option<&'static Encoding>> {
    match head {
        [] | [0xEF | 0xFE | 0xFF] | [0xEF, 0xBB] => None,
        _ => Some(Encoding::for_bom(head).map(|(charset, _)| charset)),
    }
}
