//! What was heard, and what of it is kept for pages? Never more than [`LATEST`] and [`PASSED`] together, whatever the
//! upstream sends and however slow a page is.
//!
//! The last event of each name is kept for pages to come: events are full snapshots. What a newer one has replaced, and what
//! has no name, is kept a while for pages that are behind. One that is further behind misses it, and never the last event of
//! a name: it is with the others again as soon as it reads.

use std::collections::BTreeMap;

use bytes::Bytes;

/// What the last events of all names may have together, their names counted twice, in bytes. Beyond it the oldest is not kept
/// for pages to come; they hear it when it comes again.
const LATEST: usize = 6 * 1024 * 1024;
/// Names whose last event is kept. `AsyncMQ` has seven.
const MOST_NAMES: usize = 64;
/// What is kept besides for pages that are behind, in bytes and in events.
const PASSED: usize = 2 * 1024 * 1024;
const MOST_PASSED: usize = 64;

/// An event as pages get it. Numbers only grow.
struct Numbered {
    number: u64,
    encoded: Bytes,
}

/// How far a page has heard.
#[derive(Debug)]
pub(super) struct Place {
    /// The newest event when it came. Of those before, it hears the last of each name.
    came_at: u64,
    heard: u64,
}

#[derive(Default)]
pub(super) struct Recent {
    newest: u64,
    latest: BTreeMap<String, Numbered>,
    passed: BTreeMap<u64, Bytes>,
}

impl Recent {
    /// Takes the newest event, as it is sent to pages.
    pub(super) fn keep(&mut self, name: Option<String>, encoded: Bytes) {
        self.newest += 1;
        let event = Numbered { number: self.newest, encoded };
        match name {
            Some(name) if self.latest.len() < MOST_NAMES || self.latest.contains_key(&name) => {
                if let Some(replaced) = self.latest.insert(name, event) {
                    self.pass(replaced);
                }
            }
            _ => self.pass(event),
        }
        while self.latest.iter().map(|(name, event)| name.len() + event.encoded.len()).sum::<usize>() > LATEST {
            let oldest = self.latest.iter().min_by_key(|(_, event)| event.number).map(|(name, _)| name.clone());
            if let Some(event) = oldest.and_then(|name| self.latest.remove(&name)) {
                self.pass(event);
            }
        }
    }

    fn pass(&mut self, event: Numbered) {
        self.passed.insert(event.number, event.encoded);
        while self.passed.len() > MOST_PASSED || self.passed.values().map(Bytes::len).sum::<usize>() > PASSED {
            self.passed.pop_first();
        }
    }

    /// Where a page begins that comes now.
    pub(super) fn place(&self) -> Place {
        Place { came_at: self.newest, heard: 0 }
    }

    /// What the page at `place` hears next; `None`: it has heard all there is.
    pub(super) fn next(&self, place: &mut Place) -> Option<Bytes> {
        let latest = self.latest.values().filter(|event| event.number > place.heard).min_by_key(|event| event.number);
        let latest = latest.map(|event| (event.number, &event.encoded));
        let mut passed = self.passed.range(place.heard.max(place.came_at) + 1..);
        let passed = passed.next().map(|(number, encoded)| (*number, encoded));
        let (number, encoded) = latest.into_iter().chain(passed).min_by_key(|(number, _)| *number)?;
        place.heard = number;
        Some(encoded.clone())
    }

    /// Everything that is held, in bytes.
    #[cfg(test)]
    fn held(&self) -> usize {
        let latest = self.latest.iter().map(|(name, event)| name.len() + event.encoded.len());
        latest.chain(self.passed.values().map(Bytes::len)).sum()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{LATEST, MOST_NAMES, MOST_PASSED, PASSED, Place, Recent};

    const MIB: usize = 1024 * 1024;

    fn all(recent: &Recent, place: &mut Place) -> Vec<Bytes> {
        std::iter::from_fn(|| recent.next(place)).collect()
    }

    #[test]
    fn whatever_comes_no_more_is_held_than_the_bounds_say() {
        let mut recent = Recent::default();
        let mut largest = 0;
        // Few names and many, none at all, large and small; nobody reads.
        for round in 0..2_000_usize {
            let name = match round % 5 {
                0 => None,
                1 => Some(format!("name {}", round % 7)),
                2 => Some("n".repeat(round)),
                _ => Some(format!("name {round}")),
            };
            let length = if round % 3 == 0 { MIB } else { round };
            recent.keep(name, Bytes::from(vec![b'x'; length]));
            largest = largest.max(recent.held());
            assert!(recent.latest.len() <= MOST_NAMES && recent.passed.len() <= MOST_PASSED);
        }
        assert!(largest <= LATEST + PASSED, "{largest} bytes");
        assert!(largest > LATEST, "it was tried in earnest: {largest} bytes");
    }

    #[test]
    fn a_page_hears_every_event_once_and_in_order_while_it_keeps_up() {
        let mut recent = Recent::default();
        let mut place = recent.place();
        for (name, text) in [(Some("a"), "1"), (Some("b"), "2"), (None, "3"), (Some("b"), "4"), (Some("a"), "5")] {
            recent.keep(name.map(str::to_owned), Bytes::from_static(text.as_bytes()));
        }
        assert_eq!(all(&recent, &mut place), ["1", "2", "3", "4", "5"]);
        recent.keep(Some("a".into()), Bytes::from_static(b"6"));
        assert_eq!(all(&recent, &mut place), ["6"]);
        assert_eq!(all(&recent, &mut place), Vec::<Bytes>::new());
    }

    #[test]
    fn a_new_page_hears_the_last_of_each_name_and_a_slow_one_never_misses_it() {
        let mut recent = Recent::default();
        let mut slow = recent.place();
        recent.keep(Some("rare".into()), Bytes::from_static(b"rare"));
        for number in 0..1_000 {
            recent.keep(None, Bytes::from(format!("nameless {number}")));
            recent.keep(Some("often".into()), Bytes::from(format!("often {number}")));
        }
        assert_eq!(all(&recent, &mut recent.place()), ["rare", "often 999"]);
        let heard = all(&recent, &mut slow);
        assert_eq!((&heard[0], heard.last().expect("events")), (&Bytes::from("rare"), &Bytes::from("often 999")));
        assert_eq!(heard.len(), 2 + MOST_PASSED, "and what is kept besides");
    }

    #[test]
    fn where_the_last_events_do_not_fit_together_the_newest_are_kept() {
        let mut recent = Recent::default();
        let mut follows = recent.place();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            recent.keep(Some(name.into()), Bytes::from(name.repeat(MIB - 1)));
            assert_eq!(all(&recent, &mut follows).len(), 1, "whoever follows misses none");
        }
        let kept: Vec<_> = all(&recent, &mut recent.place()).iter().map(|event| event[0]).collect();
        assert_eq!(kept, *b"cdefgh");
    }
}
