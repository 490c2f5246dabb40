//! Which bodies are HTML, and does it matter how they are coded?

use std::io::Cursor;

use async_compression::tokio::bufread::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use http::HeaderMap;
use tokio::{io::AsyncReadExt as _, runtime};

use super::{BASE, body, header_map, text};

const PAGE: &[u8] = b"<!doctype html><a href=\"http://admin.example/x\">http://admin.example/</a>";
const REWRITTEN: &[u8] = b"<!doctype html><a href=\"/x\">http://admin.example/</a>";

fn headers(media: Option<&str>, coding: Option<&str>) -> HeaderMap {
    let mut lines = vec![("content-length", "70"), ("accept-ranges", "bytes"), ("etag", "unquoted")];
    lines.extend(media.map(|media| ("content-type", media)));
    lines.extend(coding.map(|coding| ("content-encoding", coding)));
    header_map(&lines)
}

macro_rules! encoded {
    ($encoder:ident, $content:expr) => {{
        let mut out = Vec::new();
        let runtime = runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on($encoder::new(Cursor::new($content)).read_to_end(&mut out)).expect("memory takes it");
        out
    }};
}

fn gzip(content: &[u8]) -> Vec<u8> {
    encoded!(GzipEncoder, content)
}

/// `Content-Encoding` and a body in it.
fn coded() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("", PAGE.to_vec()),
        ("identity", PAGE.to_vec()),
        ("gzip", gzip(PAGE)),
        ("X-GZip", gzip(PAGE)),
        ("gzip", [gzip(&PAGE[..20]), gzip(&PAGE[20..])].concat()),
        ("deflate", encoded!(ZlibEncoder, PAGE)),
        ("deflate", encoded!(DeflateEncoder, PAGE)),
        ("br", encoded!(BrotliEncoder, PAGE)),
        ("zstd", encoded!(ZstdEncoder, PAGE)),
        ("zstd, identity, gzip", gzip(&encoded!(ZstdEncoder, PAGE))),
        ("gzip, br, gzip, deflate", encoded!(ZlibEncoder, gzip(&encoded!(BrotliEncoder, &gzip(PAGE)[..])).as_slice())),
    ]
}

#[test]
fn compressed_or_not_a_page_is_rewritten_and_its_headers_say_what_is_sent() {
    for (coding, content) in coded() {
        let steps: Vec<Vec<&[u8]>> = (1..content.len())
            .map(|at| vec![&content[..at], &content[at..]])
            .chain([vec![&content[..]], content.chunks(1).collect()])
            .collect();
        for chunks in steps {
            let mut headers = headers(Some("text/html"), Some(coding).filter(|coding| !coding.is_empty()));
            let page = body(BASE, &mut headers, &chunks).expect("HTML").expect("whole");
            assert_eq!(text(&page), text(REWRITTEN), "{coding} in {} chunks", chunks.len());
            assert_eq!(headers, header_map(&[("etag", "unquoted"), ("content-type", "text/html")]), "{coding}");
        }
    }
}

#[test]
fn what_describes_other_bytes_is_dropped() {
    for name in ["content-digest", "repr-digest", "digest", "content-md5", "content-length", "accept-ranges"] {
        let mut headers = header_map(&[("content-type", "text/html"), (name, "x")]);
        body(BASE, &mut headers, &[PAGE]).expect("HTML").expect("whole");
        assert!(!headers.contains_key(name), "{name}");
    }
}

#[test]
fn a_coding_that_cannot_be_undone_leaves_the_body_and_its_headers_alone() {
    for coding in ["compress", "gzip, unknown", "aes128gcm", "gzip, gzip, gzip, gzip, gzip"] {
        let mut given = headers(Some("text/html"), Some(coding));
        let before = given.clone();
        assert!(body(BASE, &mut given, &[PAGE]).is_none(), "{coding}");
        assert_eq!(given, before, "{coding}");
    }
}

#[test]
fn a_broken_coding_is_an_error_and_no_short_page() {
    for (coding, content) in coded().into_iter().filter(|(coding, _)| !matches!(*coding, "" | "identity")) {
        let cut = &content[..content.len() - 1];
        let page = body(BASE, &mut headers(Some("text/html"), Some(coding)), &[cut]).expect("HTML");
        assert!(page.is_err(), "{coding} without its last byte");
    }
    let nothing = body(BASE, &mut headers(Some("text/html"), Some("gzip")), &[]).expect("HTML");
    assert_eq!(nothing.expect("a body of no bytes is no error"), b"");
}

#[test]
fn only_html_is_rewritten() {
    for media in ["text/html", "TEXT/HTML;charset=utf-8", " text/html ; x=y", "application/xhtml+xml"] {
        let page = body(BASE, &mut headers(Some(media), None), &[PAGE]).expect(media).expect("whole");
        assert_eq!(text(&page), text(REWRITTEN), "{media}");
    }
    for media in [
        "text/plain",
        "application/json",
        "text/html5",
        "image/svg+xml",
        "text/css",
        "text/event-stream",
        "application/octet-stream",
        "html",
    ] {
        let mut given = headers(Some(media), Some("gzip"));
        assert!(body(BASE, &mut given, &[PAGE]).is_none(), "{media}");
        assert_eq!(given, headers(Some(media), Some("gzip")), "{media}");
    }
    let mut several = header_map(&[("content-type", "text/html"), ("content-type", "text/plain")]);
    assert!(body(BASE, &mut several, &[PAGE]).is_none(), "of several types the last counts");
}

#[test]
fn without_a_content_type_a_body_is_html_if_it_begins_like_it() {
    for begin in
        ["<!doctype html>", "<!DOCTYPE HTML PUBLIC \"x\">", "<html>", "\u{feff}<HTML lang=de>", "\n\t <html\n>"]
    {
        let before = format!("{begin}<a href=//admin.example/x>");
        for at in 0..before.len() {
            let (one, two) = before.as_bytes().split_at(at);
            let page = body(BASE, &mut headers(None, None), &[one, two]).expect("perhaps HTML").expect("whole");
            assert_eq!(String::from_utf8_lossy(&page), format!("{begin}<a href=/x>"), "cut at {at}");
        }
        let coded = gzip(before.as_bytes());
        let page = body(BASE, &mut headers(Some(""), Some("gzip")), &[&coded]).expect("perhaps HTML").expect("whole");
        assert_eq!(String::from_utf8_lossy(&page), format!("{begin}<a href=/x>"));
    }
    for begin in ["", "<a>", "<htmlx>", "{\"a\":1}", "<!doctype", "x<html>", "<!doctype htm>", "\u{feff}"] {
        let before = format!("{begin}<a href=//admin.example/x>");
        for at in 0..before.len() {
            let (one, two) = before.as_bytes().split_at(at);
            let page = body(BASE, &mut headers(None, None), &[one, two]).expect("perhaps HTML").expect("whole");
            assert_eq!(String::from_utf8_lossy(&page), before, "cut at {at}");
        }
    }
    let mut nosniff = header_map(&[("x-content-type-options", "nosniff")]);
    assert!(body(BASE, &mut nosniff, &[PAGE]).is_none(), "the response says not to look");
}
