//! Who may hold a connection to the gateway, and how long without a word? Any program of this computer can open one, so those
//! that have not shown the guard cookie have few places, and lose them: they must not keep the dashboard out.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{self, Duration, Instant},
};

/// How many connections may be there that have not shown the guard cookie.
const MOST_STRANGERS: usize = 64;
/// One more takes the place of the oldest, if that has had so long to show it. To wait until the oldest leaves would put the
/// dashboard's own next connection in a long queue with theirs.
const FIRST_CHANCE: Duration = Duration::from_millis(100);
/// How long the first head of a connection may take.
const FIRST_HEAD: Duration = Duration::from_secs(2);
/// How many may be there that have shown it. More wait until one of them ends.
const MOST_KNOWN: usize = 512;

/// What a connection has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nobody has looked yet: what it has to say may wait in the system.
    New,
    /// Not even a head, since it was looked at first.
    Silent(Instant),
    /// A head, then.
    Heard(Instant),
    /// Its place was given to another.
    Displaced,
}

impl Standing {
    /// When its place may be given to another, of one that has it still.
    fn chance_ends(self) -> Option<Instant> {
        match self {
            Self::Silent(since) | Self::Heard(since) => Some(since + FIRST_CHANCE),
            Self::New | Self::Displaced => None,
        }
    }
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
    /// A stranger has left, or has become known.
    left: Notify,
    known: Arc<Semaphore>,
}

impl Places {
    pub(crate) fn new() -> Arc<Self> {
        let known = Arc::new(Semaphore::new(MOST_KNOWN));
        Arc::new(Self { strangers: Mutex::default(), left: Notify::new(), known })
    }

    /// Waits for a place for a connection of which nothing is known yet.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        loop {
            let now = Instant::now();
            let chance_ends = {
                let mut strangers = self.strangers();
                let oldest = strangers.here.front().map(|(_, oldest)| oldest.borrow().chance_ends());
                match oldest.filter(|_| strangers.here.len() == MOST_STRANGERS) {
                    Some(None) => now + FIRST_CHANCE,
                    Some(Some(chance_ends)) if chance_ends > now => chance_ends,
                    full => {
                        if full.is_some()
                            && let Some((_, oldest)) = strangers.here.pop_front()
                        {
                            oldest.send_replace(Standing::Displaced);
                        }
                        return self.place(&mut strangers);
                    }
                }
            };
            // Whichever comes first.
            let _ = time::timeout_at(chance_ends, self.left.notified()).await;
        }
    }

    fn place(self: &Arc<Self>, strangers: &mut Strangers) -> Place {
        let (number, standing) = (strangers.next, watch::Sender::new(Standing::New));
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
            let heard = match *standing {
                Standing::New => Standing::Heard(Instant::now()),
                Standing::Silent(since) => Standing::Heard(since),
                Standing::Heard(_) | Standing::Displaced => return false,
            };
            *standing = heard;
            true
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

    /// Waits until the connection has no place any more. To be polled after the connection itself: whoever has said something
    /// by then has been heard.
    pub(crate) async fn is_lost(&self) {
        self.standing.send_if_modified(|standing| {
            let is_new = *standing == Standing::New;
            if is_new {
                *standing = Standing::Silent(Instant::now());
            }
            is_new
        });
        let mut standing = self.standing.subscribe();
        let head = standing.wait_for(|standing| !matches!(standing, Standing::Silent(_)));
        let is_heard = time::timeout(FIRST_HEAD, head).await.is_ok();
        if is_heard {
            let _ = standing.wait_for(|standing| *standing == Standing::Displaced).await;
        }
    }

    fn leave_strangers(&self) {
        self.places.strangers().here.retain(|(number, _)| *number != self.number);
        self.places.left.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave_strangers();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::{self, Duration, Instant};

    use super::{FIRST_CHANCE, FIRST_HEAD, MOST_KNOWN, MOST_STRANGERS, Place, Places};

    async fn is_lost_at_once(place: &Place) -> bool {
        time::timeout(Duration::from_millis(1), place.is_lost()).await.is_ok()
    }

    async fn taken(places: &Arc<Places>, count: usize) -> Vec<Place> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(places.take().await);
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_too_many_takes_the_oldest_strangers_place_and_no_known_one() {
        let places = Places::new();
        let known = places.take().await;
        known.is_heard();
        known.becomes_known().await;
        let others = taken(&places, MOST_STRANGERS).await;
        others[0].is_heard();
        for other in &others {
            assert!(!is_lost_at_once(other).await, "there is room for so many");
        }
        let began = Instant::now();
        let _one_more = places.take().await;
        assert!(began.elapsed() < FIRST_CHANCE, "the oldest has had its chance but for {MOST_STRANGERS} ms");
        assert!(is_lost_at_once(&others[0]).await);
        assert!(!is_lost_at_once(&others[1]).await);
        assert!(!is_lost_at_once(&known).await);
        drop(others);
        let again = taken(&places, MOST_STRANGERS - 1).await;
        assert!(!is_lost_at_once(&again[0]).await, "places are given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_waits_for_those_that_were_not_looked_at_yet() {
        let places = Places::new();
        let crowd = taken(&places, MOST_STRANGERS).await;
        assert!(time::timeout(Duration::from_secs(1), places.take()).await.is_err(), "nobody has looked at them");
        let began = Instant::now();
        let next = places.take();
        let (next, ()) = tokio::join!(next, crowd[7].becomes_known());
        assert_eq!(began.elapsed(), Duration::ZERO, "who becomes known makes room");
        for place in &crowd {
            assert!(!is_lost_at_once(place).await);
        }
        assert!(!is_lost_at_once(&next).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_come_costs_the_place() {
        let began = Instant::now();
        let places = Places::new();
        let (silent, heard) = (places.take().await, places.take().await);
        heard.is_heard();
        silent.is_lost().await;
        assert_eq!(began.elapsed(), FIRST_HEAD);
        assert!(time::timeout(Duration::from_mins(1), heard.is_lost()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn known_connections_have_places_of_their_own_and_wait_for_one() {
        let places = Places::new();
        let mut known = Vec::new();
        for _ in 0..MOST_KNOWN {
            let place = places.take().await;
            place.becomes_known().await;
            known.push(place);
        }
        assert!(known.iter().all(Place::is_known));
        let one_more = places.take().await;
        assert!(time::timeout(Duration::from_secs(1), one_more.becomes_known()).await.is_err());
        known.pop();
        one_more.becomes_known().await;
        assert!(one_more.is_known());
    }
}
