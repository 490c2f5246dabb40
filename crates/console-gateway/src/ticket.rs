//! Who may enter a gateway? The webview that was sent a single-use entry ticket, and nobody else.

use std::{
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use subtle::ConstantTimeEq;

/// How long an entry ticket is good for.
pub(crate) const TICKET_LIFE: Duration = Duration::from_secs(10);
/// Tickets that wait at the same time: opening a dashboard needs one.
const MOST_TICKETS: usize = 8;

/// 256 bits from the operating system, in hexadecimal.
fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

struct Ticket {
    value: String,
    target: String,
    until: Instant,
}

/// The guard cookie of one gateway and the tickets that hand it out.
pub(crate) struct Guard {
    name: String,
    value: String,
    tickets: Mutex<Vec<Ticket>>,
}

impl Guard {
    /// A fresh secret. The cookie's name is random too: cookies ignore ports, so all gateways share 127.0.0.1's.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let name = random_hex()?;
        Ok(Self { name: format!("guard_{}", &name[..16]), value: random_hex()?, tickets: Mutex::default() })
    }

    /// A ticket that leads to `target` once, within [`TICKET_LIFE`] of `now`.
    pub(crate) fn issue(&self, target: &str, now: Instant) -> Result<String, getrandom::Error> {
        let value = random_hex()?;
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|ticket| ticket.until > now);
        if tickets.len() == MOST_TICKETS {
            tickets.remove(0);
        }
        tickets.push(Ticket { value: value.clone(), target: target.to_owned(), until: now + TICKET_LIFE });
        Ok(value)
    }

    /// Takes a ticket and gives its target; `None` when it is unknown, used or too old.
    pub(crate) fn redeem(&self, value: &str, now: Instant) -> Option<String> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let index = tickets.iter().position(|ticket| same(&ticket.value, value))?;
        let ticket = tickets.remove(index);
        (ticket.until > now).then_some(ticket.target)
    }

    /// The `Set-Cookie` value that admits a webview. `Secure` does not work on loopback in WebKitGTK (DESIGN 7).
    pub(crate) fn set_cookie(&self) -> String {
        format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.name, self.value)
    }

    /// Whether the `Cookie` values of a request hold the guard cookie.
    pub(crate) fn admits<'v>(&self, cookies: impl Iterator<Item = &'v str>) -> bool {
        let mut admitted = false;
        for header in cookies {
            for pair in cookie::Cookie::split_parse(header).flatten() {
                admitted |= pair.name() == self.name && same(pair.value(), &self.value);
            }
        }
        admitted
    }
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Guard, TICKET_LIFE};

    #[test]
    fn a_ticket_is_good_once() {
        let guard = Guard::new().expect("random");
        let now = Instant::now();
        let ticket = guard.issue("/asyncmq/", now).expect("random");
        assert_eq!(guard.redeem("0", now), None);
        assert_eq!(guard.redeem(&ticket, now).as_deref(), Some("/asyncmq/"));
        assert_eq!(guard.redeem(&ticket, now), None);
    }

    #[test]
    fn a_ticket_is_good_for_seconds() {
        let guard = Guard::new().expect("random");
        let now = Instant::now();
        let ticket = guard.issue("/", now).expect("random");
        assert_eq!(guard.redeem(&ticket, now + TICKET_LIFE), None);
    }

    #[test]
    fn only_the_guards_own_cookie_admits() {
        let (guard, other) = (Guard::new().expect("random"), Guard::new().expect("random"));
        let own = guard.set_cookie().split(';').next().expect("pair").to_owned();
        let foreign = other.set_cookie().split(';').next().expect("pair").to_owned();
        assert!(guard.admits(["a=b", own.as_str()].into_iter()));
        assert!(guard.admits([format!("x=1; {own}; y=2").as_str()].into_iter()));
        assert!(!guard.admits([foreign.as_str()].into_iter()));
        assert!(!guard.admits([format!("{}=", guard.name).as_str()].into_iter()));
        assert!(!guard.admits([format!("{own}0").as_str()].into_iter()));
    }
}
