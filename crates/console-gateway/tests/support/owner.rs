//! Who owns a session: begins it, and renews it without the operator when it asks for that.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use console_core::{
    session::{Credential, Extras, Fresh, Kept, Session, SessionState},
    sign_in::pasted_token,
    token::Identity,
};
use tokio::task::JoinHandle;

use super::Bench;

/// A credential for requests through `bench`: the token, and who it says the operator is. The bench's clock stands in 1970:
/// for it the token has all the time in the world, and only the admin knows better.
pub(crate) fn fresh(bench: &Bench, token: &str, renewable: bool) -> Fresh {
    let token = token.to_owned().into();
    let identity = Identity { expires_at: None, ..Identity::read(&token) };
    let attachment = pasted_token::attachment(&bench.environment);
    let attached = attachment.attach(&Credential::Token(token), &Extras::default()).expect("attaches");
    Fresh { attached, identity, server_ahead: 0, renewable }
}

/// Signs in with `token`.
pub(crate) fn begin(bench: &Bench, token: &str, renewable: bool) {
    bench.session.begin(fresh(bench, token, renewable), Kept::Typed);
}

/// Renews a session whenever requests wait for that, always with the same token.
pub(crate) struct Owner {
    renewals: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Owner {
    pub(crate) fn of(bench: &Bench, token: &str) -> Self {
        let renewals = Arc::new(AtomicUsize::new(0));
        let count = renewals.clone();
        let session: Arc<Session> = bench.session.clone();
        let Fresh { attached, identity, .. } = fresh(bench, token, true);
        let task = tokio::spawn(async move {
            let mut states = session.subscribe();
            loop {
                let waits = matches!(*states.borrow_and_update(), SessionState::Renewing { waits: true, .. });
                if waits && let Some(turn) = session.begin_renewal() {
                    count.fetch_add(1, Ordering::SeqCst);
                    let fresh = Fresh {
                        attached: attached.clone(),
                        identity: identity.clone(),
                        server_ahead: 0,
                        renewable: true,
                    };
                    turn.renewed(fresh);
                }
                if states.changed().await.is_err() {
                    return;
                }
            }
        });
        Self { renewals, task }
    }

    pub(crate) fn renewals(&self) -> usize {
        self.renewals.load(Ordering::SeqCst)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.task.abort();
    }
}
