//! How far has the upload of a request's body come? An answer is late so long after the last piece was taken, not after the
//! first: an upload takes as long as it takes.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{self, Duration, Instant};

/// How much of a body that is in memory is handed to the connection at once, in bytes.
const PIECE: usize = 64 * 1024;

#[derive(Debug)]
struct Progress {
    moved: Instant,
    broke: bool,
}

/// The upload of one request, as whoever waits for its answer sees it. A connection takes a piece when it has room for it, so
/// what it has taken is on its way but for its own buffers and the system's.
#[derive(Debug, Clone)]
pub(crate) struct Upload(Arc<Mutex<Progress>>);

impl Upload {
    /// Begins now; a request without a body has nothing to move.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Progress { moved: Instant::now(), broke: false })))
    }

    /// When an answer is late that may take so long after the upload.
    pub(crate) fn late(&self, patience: Duration) -> Instant {
        self.progress().moved + patience
    }

    /// The page broke it off.
    pub(crate) fn broke(&self) -> bool {
        self.progress().broke
    }

    /// Waits for an answer; `None`: it is late.
    pub(crate) async fn answered<T>(&self, answer: impl Future<Output = T>, patience: Duration) -> Option<T> {
        let mut answer = pin!(answer);
        loop {
            let late = self.late(patience);
            if let Ok(answer) = time::timeout_at(late, &mut answer).await {
                return Some(answer);
            }
            if self.late(patience) == late {
                return None;
            }
        }
    }

    /// A body on its way through here.
    pub(crate) fn of<B>(&self, body: B) -> Uploading<B> {
        Uploading { body, upload: self.clone() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body whose pieces are noticed as the connection takes them.
pub(crate) struct Uploading<B> {
    body: B,
    upload: Upload,
}

impl<B: Body + Unpin> Body for Uploading<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        let mut frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        // Trailers end a body, and stay here (RFC 9110 §6.5.1).
        if frame.as_ref().is_some_and(|frame| frame.as_ref().is_ok_and(Frame::is_trailers)) {
            frame = None;
        }
        let mut progress = this.upload.progress();
        progress.moved = Instant::now();
        progress.broke = matches!(frame, Some(Err(_)));
        drop(progress);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body in memory, in pieces.
pub(crate) struct Pieces(Bytes);

impl Pieces {
    /// `Err` gives back one that is a single piece.
    pub(crate) fn of(bytes: Bytes) -> Result<Self, Bytes> {
        if bytes.len() > PIECE { Ok(Self(bytes)) } else { Err(bytes) }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let rest = &mut self.get_mut().0;
        let piece = rest.split_to(rest.len().min(PIECE));
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use bytes::Bytes;
    use http_body_util::BodyExt as _;
    use tokio::time::{self, Duration, Instant};

    use super::{PIECE, Pieces, Upload};

    const PATIENCE: Duration = Duration::from_secs(55);

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_late_after_the_last_piece_and_not_after_the_first() {
        let began = Instant::now();
        let upload = Upload::new();
        let mut body = upload.of(Pieces::of(vec![0; 10 * PIECE].into()).unwrap_or_else(|_| panic!("ten pieces")));
        tokio::spawn(async move {
            while body.frame().await.is_some() {
                time::sleep(Duration::from_secs(50)).await;
            }
        });
        assert!(upload.answered(pending::<()>(), PATIENCE).await.is_none());
        // Nine pieces follow the first, and their end is noticed as well.
        assert_eq!(began.elapsed(), Duration::from_secs(10 * 50) + PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_body_the_wait_begins_with_the_request() {
        let began = Instant::now();
        assert!(Upload::new().answered(pending::<()>(), PATIENCE).await.is_none());
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[tokio::test]
    async fn the_pieces_are_the_whole() {
        let whole: Bytes = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let pieces = Pieces::of(whole.clone()).unwrap_or_else(|_| panic!("many pieces"));
        assert_eq!(pieces.collect().await.expect("infallible").to_bytes(), whole);
        assert!(Pieces::of(vec![0; PIECE].into()).is_err());
    }
}
