//! Why can't I get in? Examines the way to an environment's admin, the admin itself and the credential, step by step.
//!
//! The steps are those of the troubleshooting list of AsyncMQ's JWT page, and what lies before and behind it. Each has one
//! function; [`StepId`] tells the order and what needs what. The HTTP steps use the environment's own client ([`Reach`])
//! and judge as a session does, so that the doctor never sees another admin than the dashboard. A credential is sent
//! inside its realm only, nothing is changed at the admin, and nothing is renewed.
//!
//! Dropping the future of [`examine`] ends it at once.

mod admin;
mod certificate;
mod claims;
mod credential;
mod dashboard;
mod events;
mod examination;
mod network;
mod report;
mod route;
mod signature;
mod step;
mod stored;
mod tls;
mod token;
mod usable;

use std::sync::Arc;

use crate::{
    clock::Clock, environment::Environment, secrets::Secrets, session::Credential, token::Identity, upstream::Reach,
};

use self::examination::Examination;
pub use self::{
    report::Report,
    step::{Step, StepId, Verdict},
    stored::{Case, CaseError, ChoiceError, Chosen, choose},
    usable::{LeftOut, Usable},
};

/// What is examined.
pub struct Subject {
    /// As it is set, without what is left out.
    pub environment: Environment,
    /// The way to its admin; a tunnel of the environment is up.
    pub reach: Reach,
    /// The secrets of the way, as [`Reach::new`] got them.
    pub network: Secrets,
    /// The credential in use, if there is one.
    pub signed_in: Option<SignedIn>,
    /// What of the environment is not used, and why: the first step says it.
    pub left_out: Vec<LeftOut>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The credential in use.
pub struct SignedIn {
    /// What is attached.
    pub credential: Credential,
    /// What it says.
    pub identity: Identity,
    /// What the vault holds for the sign-in method: a key that signs tokens here can also check them.
    pub kept: Secrets,
}

/// Is shown each step as it begins ([`Verdict::Running`]) and as it ends.
pub trait Observer: Send {
    /// This is how a step stands now.
    fn show(&mut self, step: &Step);
}

impl<F: FnMut(&Step) + Send> Observer for F {
    fn show(&mut self, step: &Step) {
        self(step);
    }
}

/// Examines `subject`, one step after the other.
pub async fn examine(subject: &Subject, observer: &mut dyn Observer) -> Report {
    let mut report = Report::begun(&subject.environment, subject.clock.now());
    let mut examination = Examination::new(subject);
    for id in StepId::ALL {
        observer.show(&Step::running(id));
        let step = examination.step(id).await;
        report.take_in(&step);
        observer.show(&step);
    }
    report
}
