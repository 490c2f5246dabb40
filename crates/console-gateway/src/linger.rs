//! How does a connection end whose request was answered before all of it had come?
//!
//! A socket that is closed with bytes that nobody has read resets the connection, and a reset can take the answer away before
//! the page has read it (RFC 9112 §9.6). So what is still coming is read and dropped for a while, after the answer and its
//! end were sent.

use std::{
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{self, Duration, Sleep},
};

/// How much is dropped, in bytes: far more than any form of an admin holds.
const MOST: usize = 64 * 1024 * 1024;
/// How long a connection lingers.
const LONGEST: Duration = Duration::from_secs(5);

/// What is left of the patience with one connection.
#[derive(Debug)]
pub(crate) struct Linger {
    left: usize,
    until: Option<Pin<Box<Sleep>>>,
}

impl Linger {
    pub(crate) fn new() -> Self {
        Self { left: MOST, until: None }
    }

    /// Reads and drops until the other side has closed, or patience ends.
    pub(crate) fn poll<T: AsyncRead + Unpin>(&mut self, io: &mut T, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.until.get_or_insert_with(|| Box::pin(time::sleep(LONGEST)));
        while self.left > 0 && until.as_mut().poll(cx).is_pending() {
            let mut bytes = [MaybeUninit::uninit(); 16 * 1024];
            let mut dropped = ReadBuf::uninit(&mut bytes);
            if ready!(Pin::new(&mut *io).poll_read(cx, &mut dropped)).is_err() || dropped.filled().is_empty() {
                break;
            }
            self.left = self.left.saturating_sub(dropped.filled().len());
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::{
        io::{self, AsyncWriteExt as _},
        time::Instant,
    };

    use super::{LONGEST, Linger, MOST};

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_other_side_has_closed() {
        let began = Instant::now();
        let (mut page, mut own) = io::duplex(64);
        tokio::spawn(async move { page.write_all(&vec![0; 100_000]).await });
        let mut linger = Linger::new();
        poll_fn(|cx| linger.poll(&mut own, cx)).await;
        assert_eq!((MOST - linger.left, began.elapsed().as_secs()), (100_000, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_after_seconds_with_one_that_stays() {
        let began = Instant::now();
        let (_page, mut own) = io::duplex(64);
        let mut linger = Linger::new();
        poll_fn(|cx| linger.poll(&mut own, cx)).await;
        assert_eq!(began.elapsed(), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_after_so_many_bytes_of_one_that_goes_on_for_ever() {
        let mut linger = Linger::new();
        let mut endless = io::repeat(0);
        poll_fn(|cx| linger.poll(&mut endless, cx)).await;
        assert_eq!(linger.left, 0);
    }
}
