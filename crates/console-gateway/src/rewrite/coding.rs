//! How are content codings undone while a body streams? (RFC 9110 §8.4)

use std::{io, pin::Pin};

use async_compression::{
    tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use http::{HeaderMap, header};
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio_util::io::{ReaderStream, StreamReader};

use super::{BoxError, HtmlStream};

/// Nobody stacks more in earnest, and each costs a window.
const MOST_CODINGS: usize = 4;
/// What one step of decoding may yield, in bytes.
const STEP: usize = 32 * 1024;
/// RFC 9659 §3: a zstd content coding needs no window above 8 MiB, and a decoder should refuse one.
const ZSTD_WINDOW_LOG: u32 = 23;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Brotli,
    Deflate,
    Zstd,
}

/// The codings of a response in the order in which they were applied; `None`: there is one that we cannot undo.
pub(super) fn of(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().ok()?.split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                "br" => codings.push(Coding::Brotli),
                "deflate" => codings.push(Coding::Deflate),
                "zstd" => codings.push(Coding::Zstd),
                _ => return None,
            }
        }
    }
    (codings.len() <= MOST_CODINGS).then_some(codings)
}

/// The content behind `codings`, as it becomes available.
pub(super) fn decode(body: HtmlStream, codings: &[Coding]) -> HtmlStream {
    codings.iter().rev().fold(body, |body, coding| undo(body, *coding))
}

fn undo(body: HtmlStream, coding: Coding) -> HtmlStream {
    let decoded = async move {
        // Two bytes tell zlib from raw deflate; and a body of no bytes at all is no error, as browsers see it.
        let (head, rest) = peek(body, |head| (head.len() >= 2).then_some(())).await;
        if head.is_empty() {
            return rest;
        }
        let raw = !begins_like_zlib(&head);
        let input = StreamReader::new(chain(head, rest).map_err(io::Error::other));
        let reader = decoder(input, coding, raw);
        let chunks = ReaderStream::with_capacity(reader, STEP).map_err(cause);
        // `ReaderStream` allocates by its capacity; a small page should not hold 32 KiB for each chunk.
        Box::pin(chunks) as HtmlStream
    };
    Box::pin(stream::once(decoded).flatten())
}

fn decoder(input: impl AsyncBufRead + Send + 'static, coding: Coding, raw: bool) -> Pin<Box<dyn AsyncRead + Send>> {
    match coding {
        Coding::Gzip => {
            // RFC 1952 §2.2: a file is a series of members.
            let mut decoder = GzipDecoder::new(input);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Coding::Brotli => Box::pin(BrotliDecoder::new(input)),
        Coding::Deflate if raw => Box::pin(DeflateDecoder::new(input)),
        Coding::Deflate => Box::pin(ZlibDecoder::new(input)),
        Coding::Zstd => {
            // RFC 8878 §3.1: frames may follow each other.
            let mut decoder = ZstdDecoder::with_params(input, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
    }
}

/// RFC 9110 §8.4.1.2 means zlib (RFC 1950) by `deflate`, and notes that some servers send it without the wrapper.
fn begins_like_zlib(head: &[u8]) -> bool {
    matches!(head, [method, flags, ..] if method & 0x0F == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// The upstream's own error where there is one, else what the decoder says.
fn cause(error: io::Error) -> BoxError {
    if error.get_ref().is_none() {
        return error.into();
    }
    error.into_inner().unwrap_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
}

/// Reads until `decide` knows, or the body ends or fails. Nothing is lost: the rest follows the head.
pub(super) async fn peek<T>(mut body: HtmlStream, decide: impl Fn(&[u8]) -> Option<T>) -> (Bytes, HtmlStream) {
    let mut head = Bytes::new();
    while decide(&head).is_none() {
        match body.next().await {
            Some(Ok(chunk)) if head.is_empty() => head = chunk,
            Some(Ok(chunk)) => head = [head, chunk].concat().into(),
            Some(Err(error)) => return (head, Box::pin(stream::once(future::ready(Err(error))))),
            None => return (head, Box::pin(stream::empty())),
        }
    }
    (head, body)
}

/// `head`, then `rest`.
pub(super) fn chain(head: Bytes, rest: HtmlStream) -> HtmlStream {
    Box::pin(stream::iter((!head.is_empty()).then_some(Ok(head))).chain(rest))
}
