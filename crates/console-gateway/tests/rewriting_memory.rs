//! How much memory can a hostile page make the rewriter hold? One process, one test: it reads the peak of its own.
#![cfg(target_os = "linux")]

use std::{convert::Infallible, fs};

use bytes::Bytes;
use console_gateway::rewrite::Rewriter;
use futures_util::{FutureExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, header};

const MIB: usize = 1024 * 1024;
/// The parser's 8 MiB, the same bytes waiting to go out (in a buffer that grows by doubling), and what is made of them.
const BOUND: usize = 56 * MIB;
/// What has gone out and the parser has not read is 1 MiB.
const BOUND_OF_WHAT_IS_KEPT: usize = 8 * MIB;
const CHUNK: usize = 32 * 1024;

/// A page of `begin`, then `filling` up to this length, then `end`, in chunks that are made when they are asked for.
fn page(begin: &str, filling: &str, length: usize, end: &str) -> impl Iterator<Item = Bytes> + Send + 'static {
    let piece = Bytes::from(filling.repeat(CHUNK / filling.len()));
    let pieces = std::iter::repeat_n(piece.clone(), length / piece.len());
    let (begin, end) = (Bytes::from(begin.to_owned()), Bytes::from(end.to_owned()));
    std::iter::once(begin).chain(pieces).chain([end])
}

/// Rewrites a page and gives how many bytes come out; they are let go as they come.
fn rewritten(page: impl Iterator<Item = Bytes> + Send + 'static) -> usize {
    let rewriter = Rewriter::new(&"http://admin.example/asyncmq".parse().expect("a URL"));
    let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/html"))]);
    let chunks = stream::iter(page.map(Ok::<_, Infallible>));
    let Ok(body) = rewriter.html_body(&mut headers, chunks) else { panic!("it is HTML") };
    let length = body.try_fold(0, |length, chunk| async move { Ok(length + chunk.len()) });
    length.now_or_never().expect("it waits for nothing but its body").expect("a whole body")
}

/// A line of `/proc/self/status`, in bytes.
fn memory(line: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("status");
    let value = status.lines().find_map(|found| found.strip_prefix(line)).expect("a line of this name");
    let kilobytes = value.trim_matches(|char: char| !char.is_ascii_digit());
    kilobytes.parse::<usize>().expect("a number") * 1024
}

/// How much more memory there was at the peak than `before`, in bytes, while this page was rewritten.
fn peak(before: usize, page: impl Iterator<Item = Bytes> + Send + 'static) -> usize {
    // The peak begins anew (proc(5), `clear_refs`).
    fs::write("/proc/self/clear_refs", "5").expect("our own");
    assert!(rewritten(page) > 0);
    memory("VmHWM:").saturating_sub(before)
}

#[test]
fn whatever_a_page_holds_the_rewriters_memory_is_bounded() {
    let before = memory("VmRSS:");
    // First, because what has been used once stays with the process.
    let kept = peak(before, page("<a>", "<p class=x>word</p>", 12 * MIB, "</a>"));
    assert!(kept < BOUND_OF_WHAT_IS_KEPT, "a page without the host: {} MiB", kept / MIB);
    for (shape, begin, filling, length) in [
        ("attributes", "<a ", "a ", 12 * MIB),
        ("attributes below the parser's bound", "<a ", "a ", MIB / 4),
        ("attributes that are rewritten", "<a ", "src=//admin.example ", 4 * MIB),
        ("one name", "<", "a", 12 * MIB),
        ("one URL", "<a href=\"h", "t", 7 * MIB),
        ("one host", "<a href=\"//", "a", 7 * MIB),
        ("white space before a URL", "<a href=\"//", "\t", 7 * MIB),
        ("references", "<a href=\"&Tab;", "&#9;", 7 * MIB),
        ("a refresh", "<meta http-equiv=refresh content=\"0;url=//", "a", 7 * MIB),
        ("a policy", "<meta http-equiv=content-security-policy content=\"img-src ", "admin.example ", 7 * MIB),
        ("policies", "<meta http-equiv=content-security-policy content=\"", "img-src a;", 7 * MIB),
        ("URLs of a style", "<a style=\"", "url(//admin.example)", 7 * MIB),
        ("strings of a style", "<a style=\"(", "'", 7 * MIB),
        ("empty URLs of a style", "<a style=\"", "url()", 7 * MIB),
        ("candidates", "<img srcset=\"", "//admin.example, ", 7 * MIB),
        ("short candidates", "<img srcset=\"/", "a, ", 7 * MIB),
        ("pings", "<a ping=\"", "/ ", 7 * MIB),
        ("long styles", "<a ", &format!("style='{}' ", "url(//admin.example)".repeat(1600)), 7 * MIB),
        ("styles", "<a ", "style=url(//admin.example) ", 4 * MIB),
        ("open elements", "", "<a><b>", 12 * MIB),
        ("a comment", "<!--", "a ", 12 * MIB),
        ("text", "<p>", "http://admin.example/ ", 12 * MIB),
        ("a script", "<script>", "<!--<script", 12 * MIB),
    ] {
        let peak = peak(before, page(begin, filling, length, "\"><p>"));
        println!("{shape}: {} MiB at most", peak / MIB);
        assert!(peak < BOUND, "{shape}: {} MiB", peak / MIB);
    }
}
