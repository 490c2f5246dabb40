//! How long is waited, for what? The gateway's intervals in one place, so that tests on real sockets take seconds.

use std::time::Duration;

use tokio::time::Instant;

/// `AsyncMQ` sends a round of events, then sleeps for so long (`asyncmq/contrib/dashboard/controllers/sse.py`).
const ADMIN_INTERVAL: Duration = Duration::from_secs(5);

/// The intervals of one gateway. [`Pace::default`] is what the product has.
#[derive(Debug, Clone)]
pub struct Pace {
    /// A consumer of events gets a comment after so much silence: proxies and webviews drop silent connections.
    pub comment_every: Duration,
    /// An event stream without a byte for so long stands still: three of the admin's intervals.
    pub stalled_after: Duration,
    /// After so much silence it is given up and opened anew.
    pub given_up_after: Duration,
    /// A stream that has lasted so long works: one of the admin's intervals. What ends sooner is tried again ever less often.
    pub lasting_after: Duration,
    /// How long the upstream stream is kept when the last page has left: one that is reloaded is back at once.
    pub linger: Duration,
    /// The first wait before something that failed is tried again. Each further one is twice as long.
    pub first_wait: Duration,
    /// The longest wait while an outage is young. With the admin's interval, in which it holds the last event of a round
    /// back, it has to stay below the ten seconds in which all is fresh again.
    pub short_wait: Duration,
    /// For so long an outage is young.
    pub young_for: Duration,
    /// The longest wait after that: a laptop that is offline for the night need not ask every three seconds.
    pub long_wait: Duration,
    /// How long an answer may take to begin once the request was sent whole; `None`: what the environment says.
    pub first_byte: Option<Duration>,
    /// How long an unreachable admin may take to answer the question whether it is there.
    pub patience: Duration,
    /// A static file is served for so long after the admin confirmed it, and asked about meanwhile; whole seconds.
    pub static_stale_for: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            comment_every: Duration::from_secs(15),
            stalled_after: 3 * ADMIN_INTERVAL,
            given_up_after: 6 * ADMIN_INTERVAL,
            lasting_after: ADMIN_INTERVAL,
            linger: Duration::from_secs(2),
            first_wait: Duration::from_millis(500),
            short_wait: Duration::from_secs(3),
            young_for: Duration::from_mins(10),
            long_wait: Duration::from_secs(30),
            first_byte: None,
            patience: Duration::from_secs(15),
            static_stale_for: Duration::from_mins(1),
        }
    }
}

/// The waits between the attempts of one outage.
pub(crate) struct BackOff {
    began: Option<Instant>,
    next: Duration,
}

impl BackOff {
    pub(crate) fn new(pace: &Pace) -> Self {
        Self { began: None, next: pace.first_wait }
    }

    /// It worked, or is to be tried at once: the next failure begins anew.
    pub(crate) fn reset(&mut self, pace: &Pace) {
        *self = Self::new(pace);
    }

    /// How long to wait after a failure that was noticed `now`. `chance` (0 to 1) takes up to a quarter off, so that what
    /// many consoles lost in the same moment they do not all ask for in the same moment.
    pub(crate) fn wait(&mut self, pace: &Pace, now: Instant, chance: f64) -> Duration {
        let began = *self.began.get_or_insert(now);
        let longest = if now - began < pace.young_for { pace.short_wait } else { pace.long_wait };
        let wait = self.next.min(longest);
        self.next = (wait * 2).min(pace.long_wait);
        wait.mul_f64(1.0 - chance / 4.0)
    }
}

/// A number from 0 to 1 by chance.
pub(crate) fn chance() -> f64 {
    // Without randomness there is no jitter, and nothing is lost.
    getrandom::u32().map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{BackOff, Pace};

    /// The waits of an outage of `seconds`, with the same chance every time.
    fn waits(seconds: u64, chance: f64) -> Vec<Duration> {
        let pace = Pace::default();
        let (began, mut back_off) = (Instant::now(), BackOff::new(&pace));
        let (mut now, mut waits) = (began, Vec::new());
        while now < began + Duration::from_secs(seconds) {
            let wait = back_off.wait(&pace, now, chance);
            waits.push(wait);
            now += wait;
        }
        waits
    }

    #[test]
    fn in_an_outage_of_minutes_an_attempt_is_never_more_than_three_seconds_away() {
        let waits = waits(600, 0.0);
        assert_eq!(waits[..4], [500, 1000, 2000, 3000].map(Duration::from_millis));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(3)));
    }

    #[test]
    fn a_long_outage_is_asked_about_twice_a_minute_and_a_recovery_begins_anew() {
        let pace = Pace::default();
        let waits = waits(3600, 0.0);
        assert_eq!(waits.last(), Some(&Duration::from_secs(30)));
        assert!(waits.len() < 320, "{} attempts in an hour", waits.len());
        let mut back_off = BackOff::new(&pace);
        let now = Instant::now();
        back_off.wait(&pace, now, 0.0);
        back_off.wait(&pace, now, 0.0);
        back_off.reset(&pace);
        assert_eq!(back_off.wait(&pace, now, 0.0), pace.first_wait);
    }

    #[test]
    fn chance_takes_up_to_a_quarter_off_a_wait() {
        assert_eq!(waits(1, 1.0)[0], Duration::from_millis(375));
    }
}
