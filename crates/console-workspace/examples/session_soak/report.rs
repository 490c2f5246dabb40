//! What is there to say at the end?

use std::{collections::BTreeMap, error::Error, fmt::Display, sync::atomic::Ordering};

use crate::{
    ledger::Fate,
    memory,
    soak::{FRESH_WITHIN, Soak},
    webview::locked,
};

impl Soak {
    /// The last checks and the figures; whether everything held.
    pub(crate) async fn conclude(&mut self) -> Result<bool, Box<dyn Error>> {
        self.close_the_books().await?;
        self.world.hear();
        println!("{} s", self.took.as_secs());
        println!("  {} rounds: {}", self.rounds.values().sum::<u64>(), list(&self.rounds));
        println!("  faults: {}", list(&self.faults));
        println!("  the issuer: {}", list(&self.world.said));
        self.checks += 1;
        let reused = self.world.heard("refused refresh: reused_refresh_token");
        if reused > 0 {
            self.shared.fails(format!("{reused} refresh tokens were used again after their grace"));
        }
        println!(
            "  fresh again within {FRESH_WITHIN:?}, but {} times when a renewal meanwhile opened another stream; at most:",
            self.restarted_rounds
        );
        for (name, slowest) in &self.slowest {
            println!("    {name:<14} {:>5.1} s", slowest.as_secs_f64());
        }
        println!("  streams ended at most {} ms after a sign-out", self.slowest_cut.as_millis());
        let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::SeqCst);
        let (answered, rough) = (count(&self.shared.pages_answered), count(&self.shared.pages_rough));
        println!(
            "  {answered} pages answered; {rough} not, in rough weather: {}",
            list(&locked(&self.shared.statuses))
        );
        let (asked, told, counted) = self.shared.ledger.sums();
        let told_by_name: BTreeMap<_, _> = told.iter().map(|(fate, count)| (format!("{fate:?}"), count)).collect();
        println!("  {asked} actions: {}; the audit pages name {counted}", list(&told_by_name));
        println!("  {} held actions carried out, {} dropped", self.carried_out, self.dropped);
        self.checks += 1;
        if told.get(&Fate::Done).copied().unwrap_or_default() == 0 || answered == 0 {
            self.shared.fails("nothing was done");
        }
        println!("  this process waited at most {} ms for its turn", self.lag.borrow().as_millis());
        self.checks += 1;
        match self.memory.before_and_after() {
            None => println!("  memory: not measured on this system"),
            Some((before, after)) => {
                println!("  memory: {before} KiB after the warm-up, {after} KiB at the end");
                if after > before + memory::MOST_GROWTH {
                    self.shared.fails(format!("memory grew by {} KiB", after - before));
                }
            }
        }
        let failed = locked(&self.shared.failures).len();
        println!("{} checks, {answered} pages and {asked} actions passed, {failed} failed", self.checks);
        Ok(failed == 0)
    }
}

fn list<K: Display, V: Display>(of: &BTreeMap<K, V>) -> String {
    of.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
