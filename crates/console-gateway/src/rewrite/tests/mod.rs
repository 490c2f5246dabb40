//! Is every way right in which an admin, or a site's own template, names its host? One table for each question; every
//! row of a document goes through the public interface as a whole, cut in two at every place, and byte by byte.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{FutureExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use super::{BoxError, Rewriter};

mod attributes;
mod bodies;
mod charsets;
mod documents;
mod forms;
mod glances;
mod headers;
mod long;
mod markup;
mod policy;
mod properties;
mod untouched;
mod urls;

const BASE: &str = "http://admin.example/asyncmq";
const HTML: &str = "text/html; charset=utf-8";

fn rewriter(base: &str) -> Rewriter {
    Rewriter::new(&Url::parse(base).expect("a URL"))
}

fn header_map(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"))
    };
    lines.iter().map(line).collect()
}

/// What becomes of a body that comes in these chunks; `None`: it passes untouched.
fn body(base: &str, headers: &mut HeaderMap, chunks: &[&[u8]]) -> Option<Result<Vec<u8>, BoxError>> {
    let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    let stream = rewriter(base).html_body(headers, stream::iter(chunks)).ok()?;
    let whole = stream.try_collect::<Vec<Bytes>>().now_or_never().expect("it waits for nothing but its body");
    Some(whole.map(|chunks| chunks.concat()))
}

/// What becomes of a document of this media type, however it is cut.
fn document(base: &str, media: &str, document: &[u8]) -> Vec<u8> {
    let rewritten = |chunks: &[&[u8]]| {
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media.parse().expect("a media type"))]);
        body(base, &mut headers, chunks).expect("HTML").expect("a whole body")
    };
    let whole = rewritten(&[document]);
    for at in 1..document.len() {
        let (one, two) = document.split_at(at);
        assert_eq!(text(&rewritten(&[one, two])), text(&whole), "cut after {:?}", text(one));
    }
    let bytes: Vec<&[u8]> = document.chunks(1).collect();
    assert_eq!(text(&rewritten(&bytes)), text(&whole), "byte by byte");
    whole
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Each document becomes the other.
fn become_of(base: &str, rows: &[(&str, &str)]) {
    for (before, after) in rows {
        assert_eq!(String::from_utf8_lossy(&document(base, HTML, before.as_bytes())), *after, "of {before}");
    }
}

/// Each document stays as it is, to the byte.
fn stay(base: &str, documents: &[&str]) {
    for before in documents {
        assert_eq!(String::from_utf8_lossy(&document(base, HTML, before.as_bytes())), *before);
    }
}
