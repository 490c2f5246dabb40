//! Is the shape of a request's head one that two parsers could read differently?
//!
//! hyper resolves such heads silently (it drops a `Content-Length` beside a `Transfer-Encoding`, and joins equal
//! lengths); a gateway in front of an admin refuses them (RFC 9112 §6.1, §6.3, §11.2). So every byte that hyper reads
//! passes a scanner first, which parses each head with the same library (httparse) and skips each body by its length. Where a
//! body in chunks ends only hyper finds out: what would come after it is never read, because its answer ends the connection.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::linger::Linger;

/// The longest head, in bytes; hyper's own limit is the same.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// The most header lines.
pub(crate) const MAX_HEADERS: usize = 100;
/// The most bytes of empty lines before a head (RFC 9112 §2.2 wants one line ignored).
const MAX_BLANK: usize = 16;

/// What the scanner made of the heads of one connection so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing to object to.
    Sound,
    /// Lengths that contradict or repeat each other, or a head that is none.
    Ambiguous,
    /// A body in chunks: the last one of its connection.
    Chunked,
}

/// The verdict on a connection, shared with its service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    /// Of the request that hyper hands over now. One with a body in chunks is the last: whatever it would hand over next was
    /// not scanned.
    pub(crate) fn of_next(&self) -> Shape {
        let next = |shape| (shape == Shape::Chunked as u8).then_some(Shape::Ambiguous as u8);
        let (Ok(shape) | Err(shape)) = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        match shape {
            0 => Shape::Sound,
            1 => Shape::Ambiguous,
            _ => Shape::Chunked,
        }
    }

    fn set(&self, shape: Shape) {
        self.0.store(shape as u8, Ordering::Release);
    }
}

#[derive(Debug)]
enum Expecting {
    /// What has come of it so far, and how many bytes of empty lines before it.
    Head(Vec<u8>, usize),
    Body(u64),
    /// What follows cannot be told apart any more.
    Nothing,
}

impl Expecting {
    fn head() -> Self {
        Self::Head(Vec::new(), 0)
    }
}

#[derive(Debug)]
struct Scanner {
    expecting: Expecting,
    verdict: Verdict,
}

impl Scanner {
    fn new() -> Self {
        Self { expecting: Expecting::head(), verdict: Verdict::default() }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.expecting {
                Expecting::Nothing => return,
                Expecting::Body(left) => {
                    let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= skipped as u64;
                    bytes = &bytes[skipped..];
                    if *left == 0 {
                        self.expecting = Expecting::head();
                    }
                }
                Expecting::Head(head, blank) if head.is_empty() && matches!(bytes[0], b'\r' | b'\n') => {
                    *blank += 1;
                    bytes = &bytes[1..];
                    if *blank > MAX_BLANK {
                        self.stop(Shape::Ambiguous);
                    }
                }
                Expecting::Head(head, _) => {
                    let known = head.len();
                    head.extend_from_slice(bytes);
                    // A head in drops is not parsed anew with each of them.
                    let examined = if can_end(head, known) { examine(head) } else { Ok(None) };
                    match examined {
                        Ok(None) if head.len() <= MAX_HEAD => return,
                        Ok(None) => self.stop(Shape::Ambiguous),
                        Ok(Some((length, body))) => {
                            bytes = &bytes[length - known..];
                            self.expecting = if body == 0 { Expecting::head() } else { Expecting::Body(body) };
                        }
                        Err(shape) => self.stop(shape),
                    }
                }
            }
        }
    }

    fn stop(&mut self, shape: Shape) {
        self.verdict.set(shape);
        self.expecting = Expecting::Nothing;
    }

    /// Whether bytes may be under way that hyper will not read.
    fn is_mid_request(&self) -> bool {
        matches!(self.expecting, Expecting::Body(_) | Expecting::Nothing)
    }
}

/// Whether an empty line ends a head after its first `known` bytes; httparse takes a bare LF for the end of a line.
fn can_end(head: &[u8], known: usize) -> bool {
    let mut from = known;
    while let Some(at) = head[from..].iter().position(|byte| *byte == b'\n').map(|at| from + at) {
        if head[..at].ends_with(b"\n") || head[..at].ends_with(b"\n\r") {
            return true;
        }
        from = at + 1;
    }
    false
}

/// The length of the head and of the body that follows; `None` while the head is not complete.
pub(crate) fn examine(bytes: &[u8]) -> Result<Option<(usize, u64)>, Shape> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut lines);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Shape::Ambiguous),
    };
    let mut body = None;
    let mut encoded = false;
    for line in request.headers {
        if line.name.eq_ignore_ascii_case("transfer-encoding") {
            // Once, alone, and not in HTTP/1.0, which does not know it (RFC 9112 §6.1).
            if encoded || request.version != Some(1) || !line.value.eq_ignore_ascii_case(b"chunked") {
                return Err(Shape::Ambiguous);
            }
            encoded = true;
        } else if line.name.eq_ignore_ascii_case("content-length") {
            let digits = line.value.iter().all(u8::is_ascii_digit) && !line.value.is_empty();
            let value = std::str::from_utf8(line.value).ok().and_then(|text| text.parse::<u64>().ok());
            match (body, value) {
                (None, Some(value)) if digits => body = Some(value),
                _ => return Err(Shape::Ambiguous),
            }
        }
    }
    match (encoded, body) {
        (true, Some(_)) => Err(Shape::Ambiguous),
        (true, None) => Err(Shape::Chunked),
        (false, body) => Ok(Some((length, body.unwrap_or(0)))),
    }
}

/// A connection whose heads are scanned before hyper sees them.
#[derive(Debug)]
pub(crate) struct Scanned<T> {
    io: T,
    scanner: Scanner,
    linger: Linger,
}

impl<T> Scanned<T> {
    pub(crate) fn new(io: T) -> (Self, Verdict) {
        let scanner = Scanner::new();
        let verdict = scanner.verdict.clone();
        (Self { io, scanner, linger: Linger::new() }, verdict)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Scanned<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        this.scanner.feed(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Scanned<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
        if this.scanner.is_mid_request() {
            ready!(this.linger.poll(&mut this.io, cx));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

/// The verdict on a connection whose bytes come in these pieces.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn judged<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Shape {
    let mut scanner = Scanner::new();
    pieces.into_iter().for_each(|piece| scanner.feed(piece));
    scanner.verdict.of_next()
}

#[cfg(test)]
mod tests {
    use super::{MAX_HEAD, Scanner, Shape, can_end, examine, judged};

    #[test]
    fn ambiguous_lengths_are_seen_wherever_the_reads_are_cut() {
        let cases: [(&[u8], Shape); 19] = [
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Shape::Sound),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n", Shape::Sound),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Shape::Chunked),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: CHUNKED\r\n\r\n", Shape::Chunked),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Shape::Ambiguous),
            (b"\r\n\r\nGET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", Shape::Ambiguous),
            (b"\n\nGET / HTTP/1.1\nHost: x\n\n", Shape::Sound),
            (b"GET / HTTP/1.1\nContent-Length: 0\nContent-Length: 0\n\r\n", Shape::Ambiguous),
            (b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", Shape::Ambiguous),
            (b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", Shape::Ambiguous),
            // The second request of a connection is judged like the first.
            (
                b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nxxPOST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                Shape::Ambiguous,
            ),
        ];
        for (bytes, expected) in cases {
            for step in [1, 2, 7, bytes.len()] {
                assert_eq!(judged(bytes.chunks(step)), expected, "{:?} by {step}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[test]
    fn a_body_that_looks_like_a_head_is_not_read_as_one() {
        let body = b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        let mut bytes = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        assert_eq!(judged(bytes.chunks(5)), Shape::Sound);
    }

    #[test]
    fn a_head_in_drops_is_parsed_when_it_can_have_ended() {
        let mut head = b"GET / HTTP/1.1\r\n".to_vec();
        head.extend((0..90).flat_map(|n| format!("X-{n}: {}\r\n", "a".repeat(700)).into_bytes()));
        head.extend_from_slice(b"\r\n");
        let parses = (0..head.len()).filter(|known| can_end(&head[..=*known], *known)).count();
        assert_eq!((parses, examine(&head)), (1, Ok(Some((head.len(), 0)))));
        assert_eq!(judged(head.chunks(1)), Shape::Sound);
    }

    #[test]
    fn after_a_body_in_chunks_nothing_is_taken_for_a_request() {
        let mut scanner = Scanner::new();
        scanner.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
        assert_eq!(scanner.verdict.of_next(), Shape::Chunked);
        assert_eq!(scanner.verdict.of_next(), Shape::Ambiguous);
    }

    #[test]
    fn a_head_without_end_is_not_collected_for_ever() {
        let mut bytes = b"GET / HTTP/1.1\r\nX: ".to_vec();
        bytes.resize(MAX_HEAD + 10, b'a');
        assert_eq!(judged(bytes.chunks(4096)), Shape::Ambiguous);
    }
}
