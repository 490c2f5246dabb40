//! Which stretches of a document need the parser at all?
//!
//! Most of a page holds no URL of the host. Such stretches go out at once, as they came; they are kept for the case
//! that the parser must know what stood before a later one, and it reads them only then.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use encoding_rs::Encoding;
use memchr::{memchr, memrchr, memrchr2, memrchr3};

use super::{glance::Glance, site::Site, splice::Splicer};

/// How much is glanced at, and if need be parsed, at a time, in bytes.
const STRETCH: usize = 1024;
/// How much is kept that the parser has not read, in bytes. Then it reads it, whatever follows.
const LONGEST_UNREAD: usize = 1024 * 1024;

/// One document on its way.
pub(super) struct Document {
    glance: Glance,
    splicer: Splicer,
    /// What has gone out and the parser has not read.
    unread: BytesMut,
    /// The end of what came, which could be the beginning of a URL. At most a stretch.
    held: Bytes,
}

impl Document {
    /// See [`Splicer::new`].
    pub(super) fn new(site: &Arc<Site>, charset: Option<&'static Encoding>) -> Self {
        Self {
            glance: Glance::new(site),
            splicer: Splicer::new(Arc::clone(site), charset),
            unread: BytesMut::new(),
            held: Bytes::new(),
        }
    }

    /// Takes a chunk of the document and gives what can go out, perhaps nothing.
    pub(super) fn feed(&mut self, chunk: Bytes) -> Bytes {
        let held = std::mem::take(&mut self.held);
        let text = if held.is_empty() { chunk } else { [held, chunk].concat().into() };
        let mut out = Out::default();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            if self.splicer.has_given_up() {
                out.pass(&text, at, text.len());
                break;
            }
            let Some(stretch) = self.next(rest) else {
                self.held = text.slice(at..);
                break;
            };
            let end = at + stretch.length;
            if stretch.is_apart && !self.glance.sees_something(&text[at..end]) {
                self.keep(&text[at..end]);
                out.pass(&text, at, end);
            } else {
                self.catch_up();
                out.put(self.splicer.feed(text.slice(at..end)));
            }
            at = end;
        }
        out.finish()
    }

    /// The end of the document: everything that is still here. What is held is no whole tag, so it stays as it is.
    pub(super) fn finish(self) -> Bytes {
        let mut out = Out::default();
        out.put(self.splicer.finish());
        out.put(self.held);
        out.finish()
    }

    /// What is next to be looked at; `None`: it could be the beginning of a URL whose end has not come.
    fn next(&self, rest: &[u8]) -> Option<Stretch> {
        let window = &rest[..rest.len().min(STRETCH)];
        if !self.splicer.is_idle() {
            // Within a tag, whose end is wanted.
            let length = memchr(b'>', window).map_or(window.len(), |at| at + 1);
            return Some(Stretch { length, is_apart: false });
        }
        // No URL of the host is written with any of these three; most tags end with the first.
        let cut = if window.len() < rest.len() {
            memrchr(b'>', window).or_else(|| memrchr2(b' ', b'"', window))
        } else {
            memrchr3(b'>', b' ', b'"', window)
        };
        match cut {
            Some(at) => Some(Stretch { length: at + 1, is_apart: true }),
            None if window.len() < rest.len() => Some(Stretch { length: window.len(), is_apart: false }),
            None => None,
        }
    }

    /// Keeps a stretch that goes out without the parser.
    fn keep(&mut self, stretch: &[u8]) {
        if self.unread.len() + stretch.len() > LONGEST_UNREAD {
            self.catch_up();
        }
        self.unread.extend_from_slice(stretch);
    }

    fn catch_up(&mut self) {
        if !self.unread.is_empty() {
            self.splicer.read_what_is_gone(&self.unread);
            self.unread.clear();
        }
    }
}

/// A part of what came.
struct Stretch {
    length: usize,
    /// No tag is open for the parser, and no URL is cut at the end.
    is_apart: bool,
}

/// What goes out at once: copied only where the splicer has changed something in between.
#[derive(Default)]
struct Out {
    parts: Vec<Bytes>,
    /// The last part, while it may grow: bytes of the text that came.
    passing: Option<(Bytes, usize, usize)>,
}

impl Out {
    fn pass(&mut self, text: &Bytes, start: usize, end: usize) {
        match &mut self.passing {
            Some((_, _, last)) if *last == start => *last = end,
            _ => {
                self.settle();
                self.passing = Some((text.clone(), start, end));
            }
        }
    }

    fn put(&mut self, part: Bytes) {
        self.settle();
        if !part.is_empty() {
            self.parts.push(part);
        }
    }

    fn settle(&mut self) {
        if let Some((text, start, end)) = self.passing.take() {
            self.parts.push(text.slice(start..end));
        }
    }

    fn finish(mut self) -> Bytes {
        self.settle();
        if self.parts.len() > 1 { self.parts.concat().into() } else { self.parts.pop().unwrap_or_default() }
    }
}
