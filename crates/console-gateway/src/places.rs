//! Who may hold a connection to the gateway, and how long without a word? Any program of this computer can open one, so those
//! that have not shown the guard cookie have few places, and lose them: they must not keep the dashboard out.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{self, Duration},
};

/// How many connections may be there that have not shown the guard cookie. One more takes the place of the oldest: waiting
/// for a place would put the dashboard's own next connection in a queue with theirs.
const MOST_STRANGERS: usize = 64;
/// How many may be there that have shown it. More wait until one of them ends.
const MOST_KNOWN: usize = 512;
/// How long the first head of a connection may take.
const FIRST_HEAD: Duration = Duration::from_secs(2);

/// What a connection has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not even a head.
    Silent,
    /// A head.
    Heard,
    /// Its place was given to another.
    Displaced,
}

#[derive(Default)]
struct Strangers {
    next: u64,
    /// Oldest first.
    here: VecDeque<(u64, watch::Sender<Standing>)>,
}

/// The places of one gateway.
pub(crate) struct Places {
    strangers: Mutex<Strangers>,
    known: Arc<Semaphore>,
}

impl Places {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { strangers: Mutex::default(), known: Arc::new(Semaphore::new(MOST_KNOWN)) })
    }

    /// A place for a connection of which nothing is known yet.
    pub(crate) fn take(self: &Arc<Self>) -> Place {
        let standing = watch::Sender::new(Standing::Silent);
        let mut strangers = self.strangers();
        if strangers.here.len() == MOST_STRANGERS
            && let Some((_, oldest)) = strangers.here.pop_front()
        {
            oldest.send_replace(Standing::Displaced);
        }
        let number = strangers.next;
        strangers.next += 1;
        strangers.here.push_back((number, standing.clone()));
        Place { number, standing, places: self.clone(), known: OnceLock::new() }
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, given up when dropped.
pub(crate) struct Place {
    number: u64,
    standing: watch::Sender<Standing>,
    places: Arc<Places>,
    known: OnceLock<OwnedSemaphorePermit>,
}

impl Place {
    /// A whole head has come.
    pub(crate) fn is_heard(&self) {
        self.standing.send_if_modified(|standing| {
            let was_silent = *standing == Standing::Silent;
            if was_silent {
                *standing = Standing::Heard;
            }
            was_silent
        });
    }

    /// It has shown the guard cookie; waits for a place among those.
    pub(crate) async fn becomes_known(&self) {
        if self.is_known() {
            return;
        }
        self.leave_strangers();
        if let Ok(place) = self.places.known.clone().acquire_owned().await {
            // A connection has one request at a time.
            let _ = self.known.set(place);
        }
    }

    /// Whether it has shown the guard cookie.
    pub(crate) fn is_known(&self) -> bool {
        self.known.get().is_some()
    }

    /// Waits until the connection has no place any more.
    pub(crate) async fn is_lost(&self) {
        let mut standing = self.standing.subscribe();
        // The sender is ours: it does not end before this.
        let head = standing.wait_for(|standing| *standing != Standing::Silent);
        let is_heard = time::timeout(FIRST_HEAD, head).await.is_ok();
        if is_heard {
            let _ = standing.wait_for(|standing| *standing == Standing::Displaced).await;
        }
    }

    fn leave_strangers(&self) {
        self.places.strangers().here.retain(|(number, _)| *number != self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave_strangers();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{self, Duration, Instant};

    use super::{FIRST_HEAD, MOST_KNOWN, MOST_STRANGERS, Place, Places};

    async fn is_lost_at_once(place: &Place) -> bool {
        time::timeout(Duration::from_millis(1), place.is_lost()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_too_many_takes_the_oldest_strangers_place_and_no_known_one() {
        let places = Places::new();
        let known = places.take();
        known.is_heard();
        known.becomes_known().await;
        let first = places.take();
        first.is_heard();
        let others: Vec<_> = (1..MOST_STRANGERS).map(|_| places.take()).collect();
        assert!(!is_lost_at_once(&first).await, "there is room for so many");
        let _one_more = places.take();
        assert!(is_lost_at_once(&first).await);
        assert!(!is_lost_at_once(&others[0]).await);
        assert!(!is_lost_at_once(&known).await);
        drop(others);
        let again: Vec<_> = (0..MOST_STRANGERS - 1).map(|_| places.take()).collect();
        assert!(!is_lost_at_once(&again[0]).await, "places are given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_come_costs_the_place() {
        let began = Instant::now();
        let places = Places::new();
        let (silent, heard) = (places.take(), places.take());
        heard.is_heard();
        silent.is_lost().await;
        assert_eq!(began.elapsed(), FIRST_HEAD);
        assert!(time::timeout(Duration::from_mins(1), heard.is_lost()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn known_connections_have_places_of_their_own_and_wait_for_one() {
        let places = Places::new();
        let mut known: Vec<_> = (0..MOST_KNOWN).map(|_| places.take()).collect();
        for place in &known {
            place.becomes_known().await;
        }
        assert!(known.iter().all(Place::is_known));
        let one_more = places.take();
        assert!(time::timeout(Duration::from_secs(1), one_more.becomes_known()).await.is_err());
        known.pop();
        one_more.becomes_known().await;
        assert!(one_more.is_known());
    }
}
