//! How is each disturbance done? When it returns, nothing is broken any more.

use std::{
    error::Error,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use console_ipc::SessionView;
use console_testing::fault_proxy::{Break, Fault, Moment};
use tokio::time;

use crate::{
    consumer::Consumer,
    ledger::{self, Fate},
    schedule::Disturbance,
    soak::Soak,
    webview::enter,
    world::{eventually, word},
};

/// How long a renewal may take to come, with the pause after another.
const RENEWAL_WITHIN: Duration = Duration::from_secs(30);
/// Streams are cut within this of a sign-out.
const CUT_WITHIN: Duration = Duration::from_secs(1);
const REFRESH: &str = "POST /refresh";

impl Soak {
    /// Does it; answers what it was in particular.
    pub(crate) async fn disturb(&mut self, disturbance: Disturbance) -> Result<&'static str, Box<dyn Error>> {
        // In an expiry nothing is broken as far as a page can tell.
        self.shared.weather.is_rough(disturbance != Disturbance::Expiry);
        match disturbance {
            Disturbance::Expiry => self.expire().await?,
            Disturbance::AdminBreaks => {
                let (fault, name) = self.schedule.fault();
                *self.faults.entry(name).or_default() += 1;
                self.world.to_admin.set(fault).await;
                time::sleep(self.schedule.seconds(1, 4)).await;
                self.world.to_admin.set(Fault::None).await;
                if fault == Fault::BlackHole {
                    // What was swallowed is missing in the middle of what follows.
                    self.world.to_admin.cut_all();
                }
                return Ok(name);
            }
            Disturbance::AdminGone => {
                self.world.to_admin.set(Fault::Refuse).await;
                self.world.to_admin.cut_all();
                time::sleep(self.schedule.seconds(1, 7)).await;
                self.world.to_admin.set(Fault::None).await;
            }
            Disturbance::AdminRestarts => {
                self.close_the_books().await?;
                let port = self.world.kill_admin().await?;
                self.shared.hands_off.store(false, Ordering::SeqCst);
                time::sleep(self.schedule.seconds(0, 3)).await;
                self.world.start_admin(port).await?;
            }
            Disturbance::IssuerGone => {
                self.world.to_issuer.set(Fault::Refuse).await;
                self.world.to_issuer.cut_all();
                time::sleep(self.schedule.seconds(2, 12)).await;
                self.world.to_issuer.set(Fault::None).await;
            }
            Disturbance::IssuerUnavailable => {
                self.world.issuer_is("unavailable");
                time::sleep(self.schedule.seconds(2, 10)).await;
                self.world.issuer_is("well");
            }
            Disturbance::IssuerBreaks => {
                let (fault, name) = self.schedule.fault();
                *self.faults.entry(name).or_default() += 1;
                self.world.to_issuer.set(fault).await;
                let (proxy, asked) = (&self.world.to_issuer, self.world.to_issuer.requests(REFRESH));
                eventually(RENEWAL_WITHIN, || proxy.requests(REFRESH) > asked || fault_is_before(fault)).await;
                time::sleep(self.schedule.seconds(0, 2)).await;
                self.world.to_issuer.set(Fault::None).await;
                if fault == Fault::BlackHole {
                    self.world.to_issuer.cut_all();
                }
                return Ok(name);
            }
            Disturbance::ClockJumps => {
                self.world.clock.move_by(self.schedule.jump());
                time::sleep(self.schedule.seconds(0, 3)).await;
            }
            Disturbance::NetworkChanges => {
                self.world.to_admin.cut_all();
                self.world.to_issuer.cut_all();
                self.world.workspace.session_try_now(&self.world.id).await.map_err(|error| error.problem.title)?;
            }
            Disturbance::SignOut => self.sign_out_and_in().await?,
            Disturbance::SignInEnds => self.end_sign_in().await?,
        }
        Ok("")
    }

    /// The renewal that is due is slow until the token has ended, and requests wait for it.
    async fn expire(&mut self) -> Result<(), Box<dyn Error>> {
        let world = &self.world;
        world.to_issuer.set(Fault::At(Moment::Asked, Break::Stall)).await;
        let asked = world.to_issuer.requests(REFRESH);
        let waits = |session: &SessionView| matches!(session, SessionView::Renewing { waits: true, .. });
        self.checks += 1;
        if !world.until(RENEWAL_WITHIN, waits).await {
            self.shared.fails(format!("a token did not end: {}", word(&world.view()?.session)));
        }
        time::sleep(self.schedule.seconds(0, 2)).await;
        world.to_issuer.set(Fault::None).await;
        let active = |session: &SessionView| matches!(session, SessionView::Active { .. });
        self.checks += 1;
        if !world.until(RENEWAL_WITHIN, active).await {
            self.shared.fails(format!("a token was not renewed: {}", word(&world.view()?.session)));
        }
        let renewals = world.to_issuer.requests(REFRESH) - asked;
        self.checks += 1;
        if renewals != 1 {
            self.shared.fails(format!("{renewals} renewals for one expiry"));
        }
        Ok(())
    }

    async fn sign_out_and_in(&mut self) -> Result<(), Box<dyn Error>> {
        self.shared.weather.set_closing(true);
        self.shared.weather.set_may_end(true);
        let began = Instant::now();
        self.world.workspace.sign_out(&self.world.id, false).await.map_err(|error| error.problem.title)?;
        let sources = &self.sources;
        self.checks += 1;
        match eventually(CUT_WITHIN, || sources.iter().all(Consumer::has_ended)).await {
            Some(_) => self.slowest_cut = began.elapsed().max(self.slowest_cut),
            None => self.shared.fails(format!("a stream went on for {CUT_WITHIN:?} after the sign-out")),
        }
        self.sources.clear();
        let shared = self.shared.clone();
        eventually(RENEWAL_WITHIN, || !shared.is_anything_on_its_way()).await;
        for number in self.shared.ledger.held() {
            self.drop_aloud(number);
        }
        time::sleep(self.schedule.seconds(0, 2)).await;
        self.world.sign_in().await?;
        let entry = self.world.entry_after(self.openings).await?;
        self.openings = self.world.openings();
        self.shared.show(enter(entry).await?);
        self.open_sources().await?;
        self.shared.weather.set_closing(false);
        self.shared.weather.set_may_end(false);
        Ok(())
    }

    /// A sign-out drops what is held, and says so.
    fn drop_aloud(&mut self, number: u64) {
        let name = ledger::name(number);
        let said = self.world.workspace.state().notices.iter().any(|notice| notice.text.contains(&name));
        self.checks += 1;
        if !said {
            self.shared.fails(format!("action {number} was dropped without a word"));
        }
        self.dropped += 1;
        self.shared.ledger.tell(number, Fate::Dropped);
    }

    /// Until the operator signs in again, actions are held.
    async fn end_sign_in(&mut self) -> Result<(), Box<dyn Error>> {
        self.shared.weather.set_may_end(true);
        self.world.issuer_knows_alice(false);
        let ended =
            |session: &SessionView| matches!(session, SessionView::Expired { .. } | SessionView::Refused { .. });
        self.checks += 1;
        if !self.world.until(RENEWAL_WITHIN, ended).await {
            self.shared.fails(format!("the sign-in did not end: {}", word(&self.world.view()?.session)));
        }
        time::sleep(self.schedule.seconds(1, 4)).await;
        self.world.issuer_knows_alice(true);
        self.world.sign_in().await?;
        self.shared.weather.set_may_end(false);
        Ok(())
    }
}

/// Whether no request arrives where the fault strikes.
fn fault_is_before(fault: Fault) -> bool {
    matches!(fault, Fault::At(Moment::Accepted, _))
}
