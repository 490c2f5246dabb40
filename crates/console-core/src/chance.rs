//! How long, give or take? Injected, so that tests decide; what must not be guessed comes from elsewhere.

/// Spreads what many consoles would do at the same moment.
pub trait Chance: Send + Sync {
    /// A number from 0 up to, not including, 1.
    fn next(&self) -> f64;
}

/// Chance as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealChance;

impl Chance for RealChance {
    fn next(&self) -> f64 {
        fastrand::f64()
    }
}

/// Always the same. For tests.
#[derive(Debug, Clone, Copy)]
pub struct NoChance(pub f64);

impl Chance for NoChance {
    fn next(&self) -> f64 {
        self.0
    }
}
