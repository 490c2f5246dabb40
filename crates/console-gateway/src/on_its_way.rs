//! How many actions of pages are on their way? One that waits for a renewal is, and one that was sent and not answered.

use std::sync::{Arc, atomic::Ordering};

use crate::gateway::{GatewayEvent, Shared};

/// One action, counted from when it sets out until it was answered, held or given up; or until its task ends otherwise.
pub(crate) struct OnItsWay(Arc<Shared>);

impl OnItsWay {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.on_their_way.fetch_add(1, Ordering::SeqCst);
        shared.report(GatewayEvent::OnTheirWay);
        Self(shared)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.on_their_way.fetch_sub(1, Ordering::SeqCst);
        self.0.report(GatewayEvent::OnTheirWay);
    }
}
