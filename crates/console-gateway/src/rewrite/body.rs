//! A body that is HTML, decoded if it must be, rewritten as it streams.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::Bytes;
use encoding_rs::Encoding;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, header};
use lol_html::{AsciiCompatibleEncoding, MemorySettings, send::HtmlRewriter};
use tokio::io::BufReader;
use tokio_util::io::{ReaderStream, StreamReader};

use super::{Rewriter, html};

/// Whatever can go wrong on the way.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A rewritten body.
pub type HtmlStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// What the HTML parser may buffer, in bytes; a document that needs more is passed on from there as it is.
const PARSER_MEMORY: usize = 8 * 1024 * 1024;

/// Whether a response's body is HTML.
enum Kind {
    /// It says so.
    Html(AsciiCompatibleEncoding),
    /// It says nothing: its beginning tells.
    Unsaid,
}

/// Rewrites `body`, or gives it back when it is no HTML, or in a charset or a coding that cannot be read.
pub(super) fn rewrite<S, E>(rewriter: &Rewriter, headers: &mut HeaderMap, body: S) -> Result<HtmlStream, S>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let Some(kind) = kind(headers) else { return Err(body) };
    let Some(codings) = codings(headers) else { return Err(body) };
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    let mut decoded: HtmlStream = Box::pin(body.map_err(Into::into));
    for coding in codings.into_iter().rev() {
        decoded = coding.decode(decoded);
    }
    Ok(Box::pin(rewritten(rewriter.clone(), kind, decoded)))
}

fn kind(headers: &HeaderMap) -> Option<Kind> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        let nosniff = headers.get(header::X_CONTENT_TYPE_OPTIONS).is_some_and(|value| value == "nosniff");
        return (!nosniff).then_some(Kind::Unsaid);
    };
    let text = value.to_str().ok()?;
    let mut parts = text.split(';');
    let essence = parts.next()?.trim();
    if !essence.eq_ignore_ascii_case("text/html") && !essence.eq_ignore_ascii_case("application/xhtml+xml") {
        return None;
    }
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    // Bytes outside the attributes that change pass as they are, whatever the charset; it must only be one in which
    // markup is ASCII.
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(encoding_rs::UTF_8);
    AsciiCompatibleEncoding::new(encoding).map(Kind::Html)
}

#[derive(Debug, Clone, Copy)]
enum Coding {
    Gzip,
    Brotli,
    Deflate,
    Zstd,
}

/// The content codings in the order in which they were applied (RFC 9110 §8.4); `None` when one is not known.
fn codings(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().ok()?.split(',') {
            codings.push(match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => Coding::Gzip,
                "br" => Coding::Brotli,
                "deflate" => Coding::Deflate,
                "zstd" => Coding::Zstd,
                "identity" | "" => continue,
                _ => return None,
            });
        }
    }
    Some(codings)
}

impl Coding {
    fn decode(self, body: HtmlStream) -> HtmlStream {
        let reader = BufReader::new(StreamReader::new(body.map_err(io::Error::other)));
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                read(decoder)
            }
            Self::Brotli => read(BrotliDecoder::new(reader)),
            Self::Deflate => read(ZlibDecoder::new(reader)),
            Self::Zstd => read(ZstdDecoder::new(reader)),
        }
    }
}

fn read(decoder: impl tokio::io::AsyncRead + Send + 'static) -> HtmlStream {
    Box::pin(ReaderStream::with_capacity(decoder, 16 * 1024).map_err(BoxError::from))
}


type Sink = Arc<Mutex<Vec<u8>>>;

struct Working {
    html: HtmlRewriter<'static, Box<dyn FnMut(&[u8]) + Send>>,
    sink: Sink,
}

enum State {
    /// Nothing has come yet.
    Begin(Rewriter, Kind),
    Rewrite(Box<Working>),
    Pass,
    Ended,
}

fn rewritten(
    rewriter: Rewriter,
    kind: Kind,
    body: HtmlStream,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    stream::unfold((State::Begin(rewriter, kind), body), |(mut state, mut body)| async move {
        loop {
            let next = match state {
                State::Ended => return None,
                _ => body.next().await,
            };
            let chunk = match next {
                Some(Ok(chunk)) => Some(chunk),
                Some(Err(error)) => return Some((Err(error), (State::Ended, body))),
                None => None,
            };
            if let State::Begin(rewriter, kind) = state {
                state = begin(rewriter, kind, chunk.as_deref().unwrap_or_default());
            }
            let (out, then) = step(state, chunk);
            state = then;
            match out {
                Ok(bytes) if bytes.is_empty() => {}
                out => return Some((out, (state, body))),
            }
        }
    })
}

fn step(state: State, chunk: Option<Bytes>) -> (Result<Bytes, BoxError>, State) {
    match (state, chunk) {
        (State::Rewrite(mut working), Some(chunk)) => match working.html.write(&chunk) {
            Ok(()) => (Ok(working.take()), State::Rewrite(working)),
            Err(error) => (Err(error.into()), State::Ended),
        },
        (State::Rewrite(working), None) => {
            let sink = working.sink.clone();
            let ended = working.html.end();
            (ended.map(|()| take(&sink)).map_err(Into::into), State::Ended)
        }
        (State::Pass, Some(chunk)) => (Ok(chunk), State::Pass),
        (_, _) => (Ok(Bytes::new()), State::Ended),
    }
}

fn begin(rewriter: Rewriter, kind: Kind, first: &[u8]) -> State {
    let utf_16 = first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]);
    let encoding = match kind {
        _ if utf_16 => return State::Pass,
        Kind::Html(encoding) => encoding,
        Kind::Unsaid if looks_like_html(first) => AsciiCompatibleEncoding::utf_8(),
        Kind::Unsaid => return State::Pass,
    };
    let sink = Sink::default();
    let output = sink.clone();
    let write: Box<dyn FnMut(&[u8]) + Send> =
        Box::new(move |bytes: &[u8]| output.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes));
    let memory = MemorySettings::new()
        .with_max_allowed_memory_usage(PARSER_MEMORY)
        .with_graceful_bail_out_on_memory_limit_exceeded(true);
    let settings = html::settings(rewriter).with_encoding(encoding).with_memory_settings(memory).with_strict(false);
    State::Rewrite(Box::new(Working { html: HtmlRewriter::new(settings, write), sink }))
}

impl Working {
    fn take(&self) -> Bytes {
        take(&self.sink)
    }
}

fn take(sink: &Sink) -> Bytes {
    std::mem::take(&mut *sink.lock().unwrap_or_else(PoisonError::into_inner)).into()
}

/// The beginning that browsers take for HTML (MIME Sniffing §7.1), as far as pages have it.
fn looks_like_html(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    let begins = |word: &[u8]| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    begins(b"<!doctype html") || begins(b"<html") || begins(b"<head") || begins(b"<script")
}
