//! Which upstream stream is followed now?
//!
//! One task decides, after everything that happens, what should be open:
//! - no credential (signed out, ended, refused): nothing, at once;
//! - a credential: one stream that carries it. The stream of the credential before is followed until the new one has
//!   answered, so that nothing is missed;
//! - the admin is unreachable: what is open stays (a byte on it proves the contrary); nothing is opened. `recovery.rs` asks
//!   whether the admin is back, and then a stream on which nothing was heard since is replaced.
//!
//! A stream that fails by itself is opened anew with back-off, which is over only when one has lasted. Whether that means
//! that the admin cannot be reached is asked at `/health`: where only the stream is missing, pages and session go on, and
//! the silence is said. A stream with an event that is too large is cut off, which is said as well.

use std::{future::pending, sync::Arc, time::Duration};

use console_core::{
    clock::UnixTime,
    session::{Generation, SessionState},
};
use futures_util::future::BoxFuture;
use tokio::{
    pin,
    time::{self, Instant},
};

use super::{
    Epoch,
    open::{Heard, NotOpened, Upstream, open},
};
use crate::{
    gateway::Shared,
    pace::{BackOff, chance},
};

/// Keeps one upstream stream as long as there are consumers.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut follower = Follower::new(shared.clone());
    while shared.events.goes_on() && !*shared.closed.borrow() {
        follower.follow().await;
    }
    shared.stalled(None);
    shared.oversized(false);
}

/// A stream that is being opened.
struct Attempt {
    generation: Generation,
    opening: BoxFuture<'static, Result<Upstream, NotOpened>>,
}

/// The last time that something was heard, or that there was nothing to hear.
#[derive(Clone, Copy)]
struct Silence {
    since: Instant,
    /// The same by the session's clock.
    clock: UnixTime,
    said: bool,
}

struct Follower {
    shared: Arc<Shared>,
    stream: Option<Upstream>,
    attempt: Option<Attempt>,
    back_off: BackOff,
    /// Not before then is the credential tried again that was tried last.
    next_try: Instant,
    tried: Option<Generation>,
    /// A stream is wanted in the place of the one that is followed.
    anew: bool,
    /// Since when the admin is unreachable.
    out_since: Option<Instant>,
    silence: Silence,
    /// When waiting for bytes began: the silence, or the attempt to end it.
    patient_since: Instant,
    /// When the upstream wants to be asked again after the end of a stream.
    retry: Option<Duration>,
}

impl Follower {
    fn new(shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            stream: None,
            attempt: None,
            back_off: BackOff::new(&shared.pace),
            next_try: now,
            tried: None,
            anew: false,
            out_since: None,
            silence: Silence { since: now, clock: shared.upstream.session.now(), said: false },
            patient_since: now,
            retry: None,
            shared,
        }
    }

    /// Until nobody listens any more, or the gateway is closed.
    async fn follow(&mut self) {
        let shared = self.shared.clone();
        let mut sessions = shared.upstream.session.subscribe();
        let mut closed = shared.closed.subscribe();
        let mut try_now = shared.try_now.subscribe();
        let mut epochs = shared.events.epoch.subscribe();
        let nobody_listens = nobody_listens(&shared);
        pin!(nobody_listens);
        loop {
            // Before they are asked: a change in between is not missed.
            sessions.mark_unchanged();
            let epoch = *epochs.borrow_and_update();
            let due = self.decide(epoch);
            tokio::select! {
                heard = hear(&mut self.stream) => self.heard(heard),
                opened = opened(&mut self.attempt) => self.opened(opened),
                () = until(due) => {}
                _ = sessions.changed() => {}
                _ = epochs.changed() => {}
                _ = try_now.changed() => self.open_anew(),
                _ = closed.wait_for(|closed| *closed) => return,
                () = &mut nobody_listens => return,
            }
        }
    }

    /// Opens and closes what should be open and closed now; when to look again if nothing happens.
    fn decide(&mut self, epoch: Epoch) -> Option<Instant> {
        let now = Instant::now();
        self.stream.take_if(|stream| stream.epoch != epoch);
        let session = &self.shared.upstream.session;
        let Ok(authorization) = session.authorize() else {
            (self.stream, self.attempt, self.out_since) = (None, None, None);
            self.end_silence();
            self.shared.oversized(false);
            return None;
        };
        let wanted = authorization.generation;
        self.attempt.take_if(|attempt| attempt.generation != wanted);
        if matches!(session.state(), SessionState::Unreachable { .. }) {
            if self.out_since.is_none() {
                self.out_since = Some(now);
                // The session says more.
                self.shared.stalled(None);
            }
            // Its credential may end while nothing newer can be opened.
            self.stream.take_if(|stream| stream.generation != wanted);
            return None;
        }
        if let Some(out_since) = self.out_since.take() {
            if self.silence.since < out_since {
                self.open_anew();
            }
            self.end_silence();
        }
        let due = self.judge_silence(now);
        let is_followed = self.stream.as_ref().is_some_and(|stream| stream.generation == wanted);
        if (!is_followed || self.anew) && self.attempt.is_none() {
            if self.tried == Some(wanted) && now < self.next_try {
                return Some(due.min(self.next_try));
            }
            self.tried = Some(wanted);
            self.patient_since = now;
            let opening = Box::pin(open(self.shared.clone(), epoch, authorization));
            self.attempt = Some(Attempt { generation: wanted, opening });
        }
        Some(due)
    }

    /// Says a silence, and gives up what is silent for too long; when to look again.
    fn judge_silence(&mut self, now: Instant) -> Instant {
        let pace = &self.shared.pace;
        let (stalled_at, given_up_at) =
            (self.silence.since + pace.stalled_after, self.patient_since + pace.given_up_after);
        if now >= stalled_at && !self.silence.said {
            self.silence.said = true;
            self.shared.stalled(Some(self.silence.clock));
            self.shared.doubts.send_replace(());
        }
        if now >= given_up_at {
            tracing::warn!(after = ?pace.given_up_after, "the live stream was silent for too long and is opened anew");
            // What is silent here may be silent for pages, too.
            self.shared.upstream.reach.reconnect();
            self.stream = None;
            self.open_anew();
            self.patient_since = now;
        }
        let given_up_at = self.patient_since + self.shared.pace.given_up_after;
        if self.silence.said { given_up_at } else { given_up_at.min(stalled_at) }
    }

    /// The next stream is opened at once, whatever was tried before; one that is followed goes on until it has answered.
    fn open_anew(&mut self) {
        self.attempt = None;
        self.anew = true;
        self.next_try = Instant::now();
        self.back_off.reset(&self.shared.pace);
    }

    fn opened(&mut self, opened: Result<Upstream, NotOpened>) {
        let attempt = self.attempt.take();
        match opened {
            Ok(stream) => {
                self.stream = Some(stream);
                self.anew = false;
            }
            Err(why) => {
                // It may carry a credential that has ended, and there is no telling when the next attempt succeeds.
                self.stream.take_if(|stream| attempt.is_some_and(|attempt| attempt.generation != stream.generation));
                self.try_later();
                if why == NotOpened::Doubtful {
                    self.shared.doubts.send_replace(());
                }
            }
        }
    }

    fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Bytes => {
                self.shared.reached();
                self.end_silence();
                // What is heard again is not replaced, unless that has begun.
                self.anew &= self.attempt.is_some();
            }
            Heard::Event(event) => {
                self.retry = event.retry.map(Duration::from_millis).or(self.retry);
                if let Some(stream) = &self.stream {
                    // One that ends after each event is no success.
                    if stream.since.elapsed() >= self.shared.pace.lasting_after {
                        self.back_off.reset(&self.shared.pace);
                        self.shared.oversized(false);
                    }
                    self.shared.events.publish(stream.epoch, event);
                }
            }
            Heard::End { too_long } => {
                self.stream = None;
                self.try_later();
                let pace = &self.shared.pace;
                if too_long {
                    // It will come again, and be as long.
                    self.next_try = self.next_try.max(Instant::now() + pace.short_wait);
                    self.shared.oversized(true);
                } else if let Some(retry) = self.retry {
                    self.next_try = self.next_try.max(Instant::now() + retry.clamp(pace.first_wait, pace.short_wait));
                }
            }
        }
    }

    fn try_later(&mut self) {
        let now = Instant::now();
        self.next_try = now + self.back_off.wait(&self.shared.pace, now, chance());
    }

    fn end_silence(&mut self) {
        let now = Instant::now();
        self.silence = Silence { since: now, clock: self.shared.upstream.session.now(), said: false };
        self.patient_since = now;
        self.shared.stalled(None);
    }
}

async fn hear(stream: &mut Option<Upstream>) -> Heard {
    match stream {
        Some(stream) => stream.hear().await,
        None => pending().await,
    }
}

async fn opened(attempt: &mut Option<Attempt>) -> Result<Upstream, NotOpened> {
    match attempt {
        Some(attempt) => (&mut attempt.opening).await,
        None => pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => time::sleep_until(moment).await,
        None => pending().await,
    }
}

/// Consumers leave without a word: hyper drops their streams when a write fails. A page that is reloaded is back at once.
async fn nobody_listens(shared: &Shared) {
    let news = &shared.events.news;
    while news.receiver_count() > 0 {
        news.closed().await;
        time::sleep(shared.pace.linger).await;
    }
}
