//! What happens next? Drawn from a seed, so that a run can be repeated.

use std::{fmt, time::Duration};

use console_testing::fault_proxy::{Break, Fault, Moment};
use fastrand::Rng;

/// What is done to the console's world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Disturbance {
    /// The issuer is slow until the token has ended. Nothing else: no page may notice.
    Expiry,
    /// Exchanges with the admin break.
    AdminBreaks,
    /// The admin cannot be reached.
    AdminGone,
    /// The admin's process is killed, and another one starts on its port.
    AdminRestarts,
    /// The issuer cannot be reached.
    IssuerGone,
    /// The issuer answers 503.
    IssuerUnavailable,
    /// Exchanges with the issuer break; the answers of some that it carried out are lost.
    IssuerBreaks,
    /// The computer's clock is set.
    ClockJumps,
    /// Every connection is gone, as on another network.
    NetworkChanges,
    /// The operator signs out, and in again.
    SignOut,
    /// The issuer ends the sign-in: the operator signs in again, and says what becomes of the actions that were held.
    SignInEnds,
}

use Disturbance as D;

/// How often each is drawn, of 32 times.
const WEIGHTS: [(Disturbance, usize); 11] = [
    (D::Expiry, 7),
    (D::AdminBreaks, 9),
    (D::AdminGone, 2),
    (D::AdminRestarts, 1),
    (D::IssuerGone, 2),
    (D::IssuerUnavailable, 1),
    (D::IssuerBreaks, 3),
    (D::ClockJumps, 2),
    (D::NetworkChanges, 2),
    (D::SignOut, 1),
    (D::SignInEnds, 2),
];

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The source of everything that is left to chance.
pub(crate) struct Schedule {
    chance: Rng,
    /// What the operator says of what is held: apart, because how much is held depends on the moment.
    operator: Rng,
    /// What is drawn first: each once.
    first: Vec<Disturbance>,
}

impl Schedule {
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        let mut first = WEIGHTS.map(|(disturbance, _)| disturbance).to_vec();
        chance.shuffle(&mut first);
        Self { operator: chance.fork(), chance, first }
    }

    /// Each once, then by weight.
    pub(crate) fn next(&mut self) -> Disturbance {
        if let Some(disturbance) = self.first.pop() {
            return disturbance;
        }
        let mut place = self.chance.usize(..WEIGHTS.iter().map(|(_, weight)| weight).sum::<usize>());
        for (disturbance, weight) in WEIGHTS {
            if place < weight {
                return disturbance;
            }
            place -= weight;
        }
        Disturbance::Expiry
    }

    /// Whether the operator wants it done.
    pub(crate) fn wants(&mut self) -> bool {
        self.operator.bool()
    }

    /// From `least` to `most` seconds, in steps of a tenth.
    pub(crate) fn seconds(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(100 * self.chance.u64(10 * least..=10 * most))
    }

    /// Forward by hours, or back by less.
    pub(crate) fn jump(&mut self) -> i64 {
        *self.chance.choice(&[8 * 3600, 3600, 60, -60, -3600, -2 * 3600]).unwrap_or(&60)
    }

    /// What breaks, with a name that says it without numbers.
    pub(crate) fn fault(&mut self) -> (Fault, &'static str) {
        let how = *self
            .chance
            .choice(&[
                Break::Reset,
                Break::Reset,
                Break::Close,
                Break::Stall,
                Break::FinishAnswer,
                Break::FinishRequest,
            ])
            .unwrap_or(&Break::Reset);
        let head = self.chance.usize(1..120);
        let body = self.chance.usize(1..4_000);
        let trickle =
            Fault::Trickle { bytes: self.chance.usize(1..400), every: Duration::from_millis(self.chance.u64(5..60)) };
        let faults = [
            (Fault::At(Moment::Accepted, how), "on the connection"),
            (Fault::At(Moment::Asked, how), "before the head"),
            (Fault::At(Moment::Head(0), how), "after it was carried out"),
            (Fault::At(Moment::Head(head), how), "in the head"),
            (Fault::At(Moment::Body(0), how), "after the head"),
            (Fault::At(Moment::Body(body), how), "in the body"),
            (trickle, "trickle"),
            (Fault::BlackHole, "black hole"),
        ];
        let (fault, place) = faults[self.chance.usize(..faults.len())];
        (fault, name(fault, place))
    }
}

fn name(fault: Fault, place: &'static str) -> &'static str {
    // A body that ends before its `Content-Length` is what a wrong length looks like.
    match fault {
        Fault::At(Moment::Body(1..), Break::Close | Break::FinishAnswer) => "wrong length",
        Fault::At(_, Break::Stall) => "stall",
        Fault::At(_, Break::FinishRequest | Break::FinishAnswer) => "half-close",
        _ => place,
    }
}
