//! How are the realm's URLs cut out of an HTML document without touching another byte?
//!
//! `lol_html` finds the tags and says where each attribute lies; it changes nothing, because it would write a changed
//! tag anew (spaces, quotes, and what is invalid in the charset). The bytes wait here until it has passed them.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use encoding_rs::{Encoding, WINDOWS_1252};
use lol_html::{
    MemorySettings, element,
    send::{HtmlRewriter, Settings},
};

use super::{
    attribute::Form,
    csp, media,
    site::Site,
    text::{Edit, Text},
};

/// What the parser may hold: the tag that it is in, and the stack of open elements, in bytes. A repeatable's hidden
/// `value` can be long; a tag that is longer than this is hostile.
const PARSER_MEMORY: usize = 8 * 1024 * 1024;

/// How much of the values in one tag is read, of those that could name a host, in bytes. The parser's own bound is on
/// the bytes of a tag and on the number of its attributes, not on what reading them takes.
const LONGEST_READ: usize = 512 * 1024;

type Parser = HtmlRewriter<'static, Box<dyn FnMut(&[u8]) + Send>>;

/// One document on its way.
pub(super) struct Splicer {
    site: Arc<Site>,
    /// `None` once the rest is to pass untouched.
    parser: Option<Parser>,
    found: Arc<Found>,
    /// What came in and has not gone out, or has gone out as a part of a tag that the parser is in.
    waiting: BytesMut,
    /// Where `waiting` begins in the document.
    offset: usize,
    /// How far the document had gone out before the parser read it.
    gone: usize,
    charset: &'static Encoding,
    charset_is_certain: bool,
    has_base: bool,
    /// A tag has said that what follows it stays as it is.
    rest_stays: bool,
}

/// What the parser tells. Positions are bytes of the document.
#[derive(Default)]
struct Found {
    attributes: Mutex<Vec<Attribute>>,
    /// How far it has read and let go.
    passed: AtomicUsize,
    /// It reads what has gone out: tags that end there are nobody's business.
    is_gone: AtomicBool,
}

struct Attribute {
    tag: usize,
    name: Range<usize>,
    value: Range<usize>,
}

impl Splicer {
    /// `charset`: what the byte order mark or the response says; it outweighs the document's own `meta`.
    pub(super) fn new(site: Arc<Site>, charset: Option<&'static Encoding>) -> Self {
        let found = Arc::new(Found::default());
        Self {
            site,
            parser: Some(parser(&found)),
            found,
            waiting: BytesMut::new(),
            offset: 0,
            gone: 0,
            // A browser's default; it matters only to Unicode host names.
            charset: charset.unwrap_or(WINDOWS_1252),
            charset_is_certain: charset.is_some(),
            has_base: false,
            rest_stays: false,
        }
    }

    /// Takes a chunk of the document and gives what can go out, perhaps nothing.
    pub(super) fn feed(&mut self, chunk: Bytes) -> Bytes {
        if self.has_given_up() {
            return chunk;
        }
        self.read(&chunk);
        self.leave()
    }

    /// Takes what has gone out already: there is nothing to change in it, and no whole tag that says how to read what
    /// follows. It may open an element in which what follows is no markup, or the tag that follows.
    pub(super) fn read_what_is_gone(&mut self, chunk: &[u8]) {
        if !self.has_given_up() {
            self.gone = self.offset + self.waiting.len() + chunk.len();
            self.found.is_gone.store(true, Ordering::Relaxed);
            self.read(chunk);
            self.found.is_gone.store(false, Ordering::Relaxed);
            self.leave();
        }
    }

    /// Whether everything that came has been read and let go: no tag is open.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether everything that comes passes as it is.
    pub(super) fn has_given_up(&self) -> bool {
        self.parser.is_none()
    }

    fn read(&mut self, chunk: &[u8]) {
        self.waiting.extend_from_slice(chunk);
        if let Some(parser) = &mut self.parser
            && let Err(error) = parser.write(chunk)
        {
            self.give_up(&error.to_string());
        }
    }

    /// The end of the document: everything that is still here.
    pub(super) fn finish(mut self) -> Bytes {
        if let Some(parser) = self.parser.take()
            && let Err(error) = parser.end()
        {
            self.give_up(&error.to_string());
        }
        self.leave()
    }

    /// Lets the rest pass as it is. A page with dead links beats a page that breaks off.
    fn give_up(&mut self, why: &str) {
        tracing::warn!(why, "the rest of a page passes without rewriting");
        self.parser = None;
    }

    fn leave(&mut self) -> Bytes {
        let attributes = std::mem::take(&mut *self.found.attributes.lock().unwrap_or_else(PoisonError::into_inner));
        let mut edits: Vec<Edit> = Vec::new();
        for tag in attributes.chunk_by(|one, next| one.tag == next.tag) {
            edits.extend(self.judge(tag));
            if self.rest_stays {
                // Tags after it may be here already: how much comes at once must make no difference.
                break;
            }
        }
        let passed = self.found.passed.load(Ordering::Relaxed).saturating_sub(self.offset);
        let length = if self.parser.is_some() { passed.min(self.waiting.len()) } else { self.waiting.len() };
        let length = edits.last().map_or(length, |edit| length.max(edit.range.end));
        let gone = self.gone.saturating_sub(self.offset).min(length);
        // What is gone cannot be changed, and holds nothing to change.
        edits.retain(|edit| edit.range.start >= gone);
        for edit in &mut edits {
            edit.range = edit.range.start - gone..edit.range.end - gone;
        }
        self.offset += length;
        let original = self.waiting.split_to(length).freeze().slice(gone..);
        if edits.is_empty() { original } else { super::text::apply(&original, &edits).into() }
    }

    /// The edits in one start tag, and what it says about the document.
    fn judge(&mut self, tag: &[Attribute]) -> Vec<Edit> {
        let Some(first) = tag.first() else { return Vec::new() };
        let name = lower_case(tag_name(self.bytes(&(first.tag + 1..first.name.start)))).into_owned();
        let mut edits = Vec::new();
        let mut unread = LONGEST_READ;
        let pragma = if name == b"meta" { self.pragma(tag) } else { None };
        for attribute in tag {
            let attribute_name = lower_case(self.bytes(&attribute.name));
            let value = self.bytes(&attribute.value);
            let form = match (&*attribute_name, pragma) {
                (b"content", Some(Pragma::Refresh)) => Some(Form::Refresh),
                (b"content", Some(Pragma::Policy)) => {
                    edits.extend(self.policy(attribute));
                    None
                }
                (attribute_name, _) => Form::of(&name, attribute_name),
            };
            if let Some(form) = form.filter(|form| form.may_name_host(value)) {
                let found = form.edits(&self.site, &Text::attribute(value, unread, self.charset));
                unread = unread.saturating_sub(value.len());
                edits.extend(found.into_iter().map(|edit| self.placed(edit, attribute)));
            }
        }
        if name == b"base" && !self.has_base {
            self.read_base(tag);
        }
        edits
    }

    /// An edit of a value as an edit of `waiting`.
    fn placed(&self, edit: Edit, attribute: &Attribute) -> Edit {
        let at = attribute.value.start - self.offset;
        Edit { range: at + edit.range.start..at + edit.range.end, with: edit.with }
    }

    /// What a `meta` is about. One that declares the charset is heard if nobody else has spoken.
    fn pragma(&mut self, tag: &[Attribute]) -> Option<Pragma> {
        if !self.charset_is_certain
            && let Some(charset) = self.value(tag, b"charset").and_then(|label| media::declared_charset(&label))
        {
            self.declare(charset);
        }
        let name = self.value(tag, b"http-equiv")?.to_ascii_lowercase();
        match name.as_str() {
            "refresh" => Some(Pragma::Refresh),
            "content-security-policy" => Some(Pragma::Policy),
            "content-type" if !self.charset_is_certain => {
                let content = self.value(tag, b"content")?;
                if let Some(charset) = media::charset(&content) {
                    self.declare(media::declared(charset));
                }
                None
            }
            _ => None,
        }
    }

    fn declare(&mut self, charset: &'static Encoding) {
        self.charset = charset;
        self.charset_is_certain = true;
        if !media::is_superset_of_ascii(charset) {
            self.rest_stays = true;
            self.give_up("the charset that the page declares is no superset of ASCII");
        }
    }

    /// A page whose base is another host would look for our paths there: it stays as it is from here on.
    fn read_base(&mut self, tag: &[Attribute]) {
        if let Some(href) = self.value(tag, b"href") {
            self.has_base = true;
            if self.site.is_elsewhere(&href) {
                self.rest_stays = true;
                self.give_up("the base of the page is another host");
            }
        }
    }

    fn policy(&self, attribute: &Attribute) -> Option<Edit> {
        let value = self.bytes(&attribute.value);
        let text = Text::attribute(value, LONGEST_READ, self.charset);
        if !text.is_whole() {
            return None;
        }
        let policy = csp::rewrite(&self.site, &text.string(0..text.len()))?;
        let escaped = html_escape::encode_quoted_attribute(&policy);
        let before = self.bytes(&(attribute.value.start.saturating_sub(1)..attribute.value.start));
        // Without quotes an empty value would swallow what follows.
        let with = if matches!(before, b"\"" | b"'") { escaped.into_owned() } else { format!("\"{escaped}\"") };
        let whole = Edit { range: 0..value.len(), with: with.into_bytes().into() };
        Some(self.placed(whole, attribute))
    }

    /// The decoded value of the attribute of this name, given in lower case. Of two, the first counts.
    fn value(&self, tag: &[Attribute], name: &[u8]) -> Option<String> {
        let attribute = tag.iter().find(|attribute| self.bytes(&attribute.name).eq_ignore_ascii_case(name))?;
        let text = Text::attribute(self.bytes(&attribute.value), LONGEST_READ, self.charset);
        Some(text.string(0..text.len()))
    }

    /// Bytes of the document that are still here.
    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        let start = range.start.checked_sub(self.offset);
        start.and_then(|start| self.waiting.get(start..start + range.len())).unwrap_or_default()
    }
}

/// The pragmas of `meta` whose content is ours to change.
#[derive(Clone, Copy)]
enum Pragma {
    Refresh,
    Policy,
}

fn tag_name(tag: &[u8]) -> &[u8] {
    let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(tag.len());
    &tag[..end]
}

fn lower_case(name: &[u8]) -> Cow<'_, [u8]> {
    if name.iter().any(u8::is_ascii_uppercase) { name.to_ascii_lowercase().into() } else { name.into() }
}

fn parser(found: &Arc<Found>) -> Parser {
    let seen = Arc::clone(found);
    let passed = Arc::clone(found);
    let note = move |element: &mut lol_html::send::Element<'_, '_>| {
        if seen.is_gone.load(Ordering::Relaxed) {
            return Ok(());
        }
        let tag = element.start_tag();
        let at = tag.source_location().bytes().start;
        let attributes = tag.attributes().iter().filter_map(|attribute| {
            let name = attribute.name_source_location()?.bytes();
            Some(Attribute { tag: at, name, value: attribute.value_source_location()?.bytes() })
        });
        seen.attributes.lock().unwrap_or_else(PoisonError::into_inner).extend(attributes);
        Ok(())
    };
    let settings = Settings::new_send()
        .append_element_content_handler(element!("*", note))
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(PARSER_MEMORY))
        // Markup that is ambiguous to a parser without a tree is read as well as can be.
        .with_strict(false);
    #[allow(clippy::type_complexity, reason = "named once")]
    let count: Box<dyn FnMut(&[u8]) + Send> = Box::new(move |chunk: &[u8]| {
        passed.passed.fetch_add(chunk.len(), Ordering::Relaxed);
    });
    HtmlRewriter::new(settings, count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::{Site, Splicer};

    fn rewritten(document: &str, step: usize) -> String {
        let site = Site::new(&"http://admin.example".parse().expect("url"));
        let mut splicer = Splicer::new(Arc::new(site), None);
        let mut out = Vec::new();
        for chunk in document.as_bytes().chunks(step) {
            out.extend_from_slice(&splicer.feed(Bytes::copy_from_slice(chunk)));
        }
        out.extend_from_slice(&splicer.finish());
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_page_is_rewritten_in_the_same_way_however_it_is_cut() {
        let link = "<a href=\"http://admin.example/x\">";
        let cases = [
            (format!("{link}<p>{link}"), "<a href=\"/x\"><p><a href=\"/x\">".to_owned()),
            // Our paths would lead to the base's host.
            (
                format!("{link}<base href=\"http://other.example/\">{link}"),
                format!("<a href=\"/x\"><base href=\"http://other.example/\">{link}"),
            ),
            (format!("<meta charset=iso-2022-jp>{link}"), format!("<meta charset=iso-2022-jp>{link}")),
        ];
        for (document, expected) in cases {
            for step in [1, 5, 40, document.len()] {
                assert_eq!(rewritten(&document, step), expected, "by {step}");
            }
        }
    }
}
