//! What is written about requests that were not admitted? One line for each reason and minute, however many there are: any
//! program of this computer can make as many as it likes.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::{self, Duration};

use crate::admit::Denied;

/// How long the further ones of a reason are counted before they are said.
const PERIOD: Duration = Duration::from_mins(1);

type Say = Box<dyn Fn(Denied, u64) + Send + Sync>;

struct Inner {
    /// How many there were since the last line of a reason that was said within the period.
    unsaid: Mutex<HashMap<Denied, u64>>,
    say: Say,
}

/// The denials of one gateway.
#[derive(Clone)]
pub(crate) struct Denials(Arc<Inner>);

impl Denials {
    /// `say` gets a reason, and how many requests were denied for it.
    pub(crate) fn new(say: impl Fn(Denied, u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { unsaid: Mutex::default(), say: Box::new(say) }))
    }

    /// One more. The first of a reason is said at once.
    pub(crate) fn count(&self, why: Denied) {
        let is_first = match self.unsaid().entry(why) {
            Entry::Occupied(mut count) => {
                *count.get_mut() += 1;
                false
            }
            Entry::Vacant(count) => {
                count.insert(0);
                true
            }
        };
        if !is_first {
            return;
        }
        (self.0.say)(why, 1);
        tokio::spawn(self.clone().sum_up(why));
    }

    /// Says what has gathered, once a period, until one has passed with nothing.
    async fn sum_up(self, why: Denied) {
        loop {
            time::sleep(PERIOD).await;
            let count = {
                let mut unsaid = self.unsaid();
                match unsaid.get_mut(&why) {
                    Some(count) if *count > 0 => std::mem::take(count),
                    _ => {
                        unsaid.remove(&why);
                        return;
                    }
                }
            };
            (self.0.say)(why, count);
        }
    }

    fn unsaid(&self) -> MutexGuard<'_, HashMap<Denied, u64>> {
        self.0.unsaid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Denials {
    fn default() -> Self {
        // Nothing that the sender wrote.
        Self::new(|why, count| tracing::warn!(?why, count, "requests were not admitted"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::{self, Duration};

    use super::{Denials, PERIOD};
    use crate::admit::Denied;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_one_line_for_each_reason_and_minute() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let record = said.clone();
        let denials = Denials::new(move |why, count| record.lock().expect("record").push((why, count)));
        let take = || std::mem::take(&mut *said.lock().expect("record"));
        for _ in 0..10_000 {
            denials.count(Denied::GuardCookie);
            denials.count(Denied::Host);
        }
        assert_eq!(take(), [(Denied::GuardCookie, 1), (Denied::Host, 1)]);
        time::sleep(PERIOD + Duration::from_secs(1)).await;
        let mut counted = take();
        counted.sort_by_key(|(why, _)| format!("{why:?}"));
        assert_eq!(counted, [(Denied::GuardCookie, 9_999), (Denied::Host, 9_999)]);
        denials.count(Denied::Host);
        assert_eq!(take(), [], "it waits for the end of its minute");
        time::sleep(PERIOD).await;
        assert_eq!(take(), [(Denied::Host, 1)]);
        time::sleep(2 * PERIOD).await;
        assert_eq!(take(), [], "a minute with nothing says nothing");
        denials.count(Denied::Host);
        assert_eq!(take(), [(Denied::Host, 1)], "and the next one is said at once");
    }
}
