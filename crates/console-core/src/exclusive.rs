//! Does another console on this computer do the same at this moment? A lock that ends with the process that holds it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
    time::Duration,
};

use tokio::time::{self, Instant};

/// How often a lock that somebody holds is tried.
const EVERY: Duration = Duration::from_millis(50);

/// Held until dropped, or until the process ends, however it ends.
#[derive(Debug)]
pub struct Exclusive(#[allow(dead_code, reason = "the lock is the open file's")] File);

impl Exclusive {
    /// Takes the lock at `path`, waiting at most `patience` for another process; `None`: it did not let go in time.
    ///
    /// # Errors
    /// When the file cannot be made or locked at all.
    pub async fn enter(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let until = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self(file))),
                Err(TryLockError::WouldBlock) if Instant::now() < until => time::sleep(EVERY).await,
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Exclusive;

    #[tokio::test]
    async fn the_second_waits_until_the_first_lets_go() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("locks/one.lock");
        let first = Exclusive::enter(&path, Duration::ZERO).await.expect("locks").expect("free");
        assert!(Exclusive::enter(&path, Duration::from_millis(120)).await.expect("asks").is_none());
        let waiting = tokio::spawn(async move { Exclusive::enter(&path, Duration::from_secs(20)).await });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.expect("runs").expect("locks").is_some());
    }
}
