//! Can a session be lost? A whole workspace without its window, signed in at a real issuer whose tokens live seconds,
//! before a real admin, both behind ways that break; as long as it is told to.
//!
//! `ADMIN_PYTHON=… cargo run -p console-workspace --example session_soak -- --seconds 300 --seed 1`
//!
//! Three `EventSource`s stay open, pages are loaded and actions are sent all the time, while chance (`schedule.rs`) does one
//! thing after the other to the world. It promises, and ends with an error when one does not hold:
//! - every event name is fresh within [`FRESH_WITHIN`] of each recovery, at every `EventSource`, and none ever ends other
//!   than at a sign-out, where all end at once;
//! - no action is counted twice at the admin's audit page, and none is lost without a word (`ledger.rs`);
//! - when a token has ended and nothing else is wrong, every page and every action is answered as if nothing had been, and
//!   the issuer is asked once;
//! - nobody is asked to sign in unless the operator or the issuer has ended the session;
//! - memory does not grow ([`memory::MOST_GROWTH`]).

#[path = "../../../console-gateway/examples/soak/consumer.rs"]
#[allow(dead_code, reason = "shared with the gateway's soak, which uses the rest")]
mod consumer;
mod disturb;
mod ledger;
#[path = "../../../console-gateway/examples/soak/memory.rs"]
mod memory;
mod report;
mod schedule;
mod soak;
#[path = "../../tests/support/mod.rs"]
mod support;
mod weather;
mod webview;
mod world;

use std::{
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const USAGE: &str =
    "usage: session_soak [--seconds N] [--seed N]   (at least 60; ADMIN_PYTHON names the Python of an admin)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (length, seed) = arguments().ok_or(USAGE)?;
    println!("seed {seed}, {} s", length.as_secs());
    let mut soak = soak::Soak::begin(seed).await?;
    soak.run(length).await?;
    if soak.conclude().await? { Ok(()) } else { Err("a promise was broken".into()) }
}

fn arguments() -> Option<(Duration, u64)> {
    let mut seconds = 300;
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--seconds" => seconds = number,
            "--seed" => seed = number,
            _ => return None,
        }
    }
    (seconds >= 60).then_some((Duration::from_secs(seconds), seed))
}
