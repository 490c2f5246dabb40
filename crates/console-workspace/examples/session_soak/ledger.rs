//! What became of every action: what the console answered, against what the admin's audit page counts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// No answer takes longer: the gateway gives up after 55 seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(75);

/// What the operator was told of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Nothing yet.
    Asked,
    /// The admin answered it.
    Done,
    /// Nothing was done.
    NotDone,
    /// It cannot be told.
    CannotTell,
    /// The page was closed by a sign-out.
    PageClosed,
    /// It waits for the operator's word.
    Held,
    /// It was held, and carried out.
    CarriedOut,
    /// It was held, and carrying it out had no sure end.
    CarriedOutPerhaps,
    /// It was held, and dropped.
    Dropped,
}

impl Fate {
    fn is_final(self) -> bool {
        !matches!(self, Self::Asked | Self::Held)
    }

    /// Whether the admin may have counted it so often.
    fn allows(self, counted: usize) -> bool {
        match self {
            Self::Done | Self::CarriedOut => counted == 1,
            Self::NotDone | Self::Dropped | Self::Held => counted == 0,
            Self::Asked | Self::CannotTell | Self::PageClosed | Self::CarriedOutPerhaps => counted <= 1,
        }
    }
}

struct Entry {
    fate: Fate,
    asked: Instant,
}

#[derive(Default)]
struct Inner {
    last: u64,
    actions: BTreeMap<u64, Entry>,
    told: BTreeMap<Fate, u64>,
    counted: u64,
    judged: u64,
}

/// Every action of the admin's life.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Inner>);

/// How the numbers are written, at the admin too.
pub(crate) fn name(number: u64) -> String {
    format!("soak-{number:08}")
}

/// The beginning of the names of a hundred actions.
pub(crate) fn hundred(number: u64) -> String {
    format!("soak-{:06}", number / 100)
}

/// The numbers of the actions that a text names, as often as it does.
pub(crate) fn named_in(text: &str) -> impl Iterator<Item = u64> {
    text.split("soak-").skip(1).filter_map(|rest| rest.get(..8)?.parse().ok())
}

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new action.
    pub(crate) fn ask(&self) -> u64 {
        let mut inner = self.inner();
        inner.last += 1;
        let number = inner.last;
        inner.actions.insert(number, Entry { fate: Fate::Asked, asked: Instant::now() });
        number
    }

    pub(crate) fn tell(&self, number: u64, fate: Fate) {
        if let Some(entry) = self.inner().actions.get_mut(&number) {
            entry.fate = fate;
        }
    }

    /// Those that the operator was told are held.
    pub(crate) fn held(&self) -> Vec<u64> {
        self.inner().actions.iter().filter(|(_, entry)| entry.fate == Fate::Held).map(|(number, _)| *number).collect()
    }

    pub(crate) fn are_all_final(&self) -> bool {
        self.inner().actions.values().all(|entry| entry.fate.is_final())
    }

    pub(crate) fn len(&self) -> usize {
        self.inner().actions.len()
    }

    /// One of each hundred.
    pub(crate) fn hundreds(&self) -> Vec<u64> {
        let mut hundreds: Vec<_> = self.inner().actions.keys().map(|number| number / 100 * 100).collect();
        hundreds.dedup();
        hundreds
    }

    /// Compares a hundred with what the admin's audit page named; answers what is wrong.
    pub(crate) fn judge(&self, hundred: u64, counted: &BTreeMap<u64, usize>) -> Vec<String> {
        let inner = self.inner();
        let mut wrong = Vec::new();
        for (number, entry) in inner.actions.range(hundred..hundred + 100) {
            let counted = counted.get(number).copied().unwrap_or_default();
            if !entry.fate.allows(counted) {
                wrong.push(format!("action {number}: {:?}, and the admin counts it {counted} times", entry.fate));
            }
            if entry.fate == Fate::Asked && entry.asked.elapsed() > ANSWERED_WITHIN {
                wrong.push(format!("action {number}: no answer within {ANSWERED_WITHIN:?}"));
            }
        }
        let unknown = counted.keys().filter(|number| !inner.actions.contains_key(number));
        wrong.extend(unknown.map(|number| format!("action {number}: the admin counts it, and nobody asked for it")));
        wrong
    }

    /// The admin's life is over: its actions are added to the sums and forgotten.
    pub(crate) fn close(&self, counted: usize) {
        let mut inner = self.inner();
        let actions = std::mem::take(&mut inner.actions);
        inner.judged += actions.len() as u64;
        inner.counted += counted as u64;
        for entry in actions.into_values() {
            *inner.told.entry(entry.fate).or_default() += 1;
        }
    }

    /// How many were asked for, what was told of how many, and how many the audit pages named.
    pub(crate) fn sums(&self) -> (u64, BTreeMap<Fate, u64>, u64) {
        let inner = self.inner();
        (inner.judged, inner.told.clone(), inner.counted)
    }
}
