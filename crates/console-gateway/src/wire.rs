//! Is the shape of a request's head one that two parsers could read differently?
//!
//! hyper resolves such heads silently (it drops a `Content-Length` beside a `Transfer-Encoding`, and joins equal
//! lengths); a gateway in front of an admin refuses them (RFC 9112 §6.1, §6.3, §11.2). So every byte that hyper reads
//! passes a scanner first, which parses each head with the same library (httparse) and skips each body by its length.

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

/// The longest head, in bytes; hyper's own limit is the same.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// The most header lines.
pub(crate) const MAX_HEADERS: usize = 100;

/// What the scanner made of the heads of one connection so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing to object to.
    Sound,
    /// Lengths that contradict or repeat each other, or a head that is none.
    Ambiguous,
    /// A body without a length: browsers send none over HTTP/1.1.
    LengthMissing,
}

/// The verdict on a connection, shared with its service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    pub(crate) fn shape(&self) -> Shape {
        match self.0.load(Ordering::Acquire) {
            0 => Shape::Sound,
            1 => Shape::Ambiguous,
            _ => Shape::LengthMissing,
        }
    }

    fn set(&self, shape: Shape) {
        self.0.store(shape as u8, Ordering::Release);
    }
}

#[derive(Debug)]
enum Expecting {
    Head(Vec<u8>),
    Body(u64),
    /// Something was refused: what follows cannot be told apart any more.
    Nothing,
}

#[derive(Debug)]
struct Scanner {
    expecting: Expecting,
    verdict: Verdict,
}

impl Scanner {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.expecting {
                Expecting::Nothing => return,
                Expecting::Body(left) => {
                    let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= skipped as u64;
                    bytes = &bytes[skipped..];
                    if *left == 0 {
                        self.expecting = Expecting::Head(Vec::new());
                    }
                }
                Expecting::Head(head) => {
                    let known = head.len();
                    head.extend_from_slice(bytes);
                    match examine(head) {
                        Ok(None) if head.len() <= MAX_HEAD => return,
                        Ok(None) => self.refuse(Shape::Ambiguous),
                        Ok(Some((length, body))) => {
                            bytes = &bytes[length - known..];
                            self.expecting =
                                if body == 0 { Expecting::Head(Vec::new()) } else { Expecting::Body(body) };
                        }
                        Err(shape) => self.refuse(shape),
                    }
                }
            }
        }
    }

    fn refuse(&mut self, shape: Shape) {
        self.verdict.set(shape);
        self.expecting = Expecting::Nothing;
    }
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
        (true, None) => Err(Shape::LengthMissing),
        (false, body) => Ok(Some((length, body.unwrap_or(0)))),
    }
}

/// A connection whose heads are scanned before hyper sees them.
#[derive(Debug)]
pub(crate) struct Scanned<T> {
    io: T,
    scanner: Scanner,
}

impl<T> Scanned<T> {
    pub(crate) fn new(io: T) -> (Self, Verdict) {
        let verdict = Verdict::default();
        let scanner = Scanner { expecting: Expecting::Head(Vec::new()), verdict: verdict.clone() };
        (Self { io, scanner }, verdict)
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

impl<T: AsyncWrite + Unpin> AsyncWrite for Scanned<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
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
    let mut scanner = Scanner { expecting: Expecting::Head(Vec::new()), verdict: Verdict::default() };
    pieces.into_iter().for_each(|piece| scanner.feed(piece));
    scanner.verdict.shape()
}

#[cfg(test)]
mod tests {
    use super::{MAX_HEAD, Shape, judged};

    #[test]
    fn ambiguous_lengths_are_seen_wherever_the_reads_are_cut() {
        let cases: [(&[u8], Shape); 9] = [
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Shape::Sound),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n", Shape::Sound),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", Shape::Ambiguous),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Shape::LengthMissing),
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
    fn a_head_without_end_is_not_collected_for_ever() {
        let mut bytes = b"GET / HTTP/1.1\r\nX: ".to_vec();
        bytes.resize(MAX_HEAD + 10, b'a');
        assert_eq!(judged(bytes.chunks(4096)), Shape::Ambiguous);
    }
}
