//! From whom besides the admin may an environment's pages load? Asked once for each, kept with what was approved.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use console_core::{
    environment::EnvironmentId,
    third_party::{ThirdParties, ThirdParty},
};
use console_gateway::{Blocked, Gateway, Kind};
use console_ipc::{Prompt, ThirdPartyView};

use crate::{StageOrder, sign_in::Answer, station::Station, words, workspace::Workspace};

impl Station {
    /// What the operator said to each, and what pages wanted of them and did not get.
    pub(crate) fn third_party_views(&self) -> Vec<ThirdPartyView> {
        let mut all: BTreeMap<&ThirdParty, BTreeSet<Kind>> =
            self.third_parties.answered().map(|third_party| (third_party, BTreeSet::new())).collect();
        for Blocked { third_party, kind } in &self.kept_out {
            all.entry(third_party).or_default().insert(*kind);
        }
        let view = |(third_party, kinds): (&ThirdParty, BTreeSet<Kind>)| ThirdPartyView {
            origin: third_party.as_str().to_owned(),
            host: third_party.host().to_owned(),
            allowed: self.third_parties.answer(third_party),
            lost: words::lost_without(third_party, &kinds),
            kept_out: kinds.into_iter().map(|kind| words::kind(kind).to_owned()).collect(),
        };
        all.into_iter().map(view).collect()
    }
}

impl Workspace {
    /// What the operator has said about the hosts that pages of an environment load from.
    pub(crate) async fn third_parties(&self, id: &EnvironmentId) -> ThirdParties {
        let Ok(realm) = self.read(id, |station| station.environment.base_url.realm()) else {
            return ThirdParties::default();
        };
        ThirdParties::of(&self.approved(id).await, &realm)
    }

    /// A page was kept from loading something: what was never asked about is asked about.
    pub(crate) fn on_blocked(&self, id: &EnvironmentId, blocked: Blocked) {
        let news = self.change(id, |station| {
            let news = station.third_parties.answer(&blocked.third_party).is_none();
            station.kept_out.insert(blocked);
            news
        });
        if news == Some(true) {
            crate::prompts::add(&mut self.inner().prompts, Prompt::ThirdParties { environment: id.to_string() });
            self.publish();
        }
    }

    /// The operator wants to see, and to change, what was said.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn third_parties_open(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        crate::prompts::add(&mut self.inner().prompts, Prompt::ThirdParties { environment: id.to_string() });
        self.publish();
        Ok(())
    }

    /// The operator's word about those `origins` that the shell showed; where something changes for the better, the page is
    /// loaded again. Where the keychain does not take it, it holds for this run.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn third_parties_answer(&self, id: &str, origins: &[String], allow: bool) -> Answer<()> {
        let id = self.id(id)?;
        let turns = self.turns(&id);
        let turn = turns.vault.lock().await;
        let (environment, session, said) = self.read(&id, |station| {
            let mut said = station.third_parties.clone();
            let known =
                station.kept_out.iter().map(|blocked| &blocked.third_party).chain(station.third_parties.answered());
            for third_party in known.filter(|known| origins.iter().any(|shown| shown == known.as_str())) {
                said.say(third_party.clone(), allow);
            }
            (station.environment.clone(), station.session.clone(), said)
        })?;
        let approved = self.approved(&id).await.overlaid(said.record(&environment.base_url.realm()));
        self.keep_approved(&environment, approved).await;
        drop(turn);
        let reloads = self.change(&id, |station| {
            // The address was edited meanwhile: it was said of other pages.
            if !Arc::ptr_eq(&station.session, &session) {
                return false;
            }
            let changed = station.third_parties.allowed().ne(said.allowed());
            if allow {
                station.kept_out.retain(|blocked| said.answer(&blocked.third_party) != Some(true));
            }
            station.third_parties = said;
            if let Some(gateway) = &station.gateway {
                gateway.allow(station.third_parties.allowed());
            }
            changed && station.gateway.is_some()
        });
        // What came while the keychain was writing, or did not fit on the screen, is asked about next.
        let waits = self.read(&id, |station| {
            station.kept_out.iter().any(|blocked| station.third_parties.answer(&blocked.third_party).is_none())
        });
        if waits != Ok(true) {
            self.close_prompt(&Prompt::ThirdParties { environment: id.to_string() });
        }
        if reloads == Some(true) {
            self.order_page(&id, StageOrder::Reload { environment: id.clone() });
        }
        Ok(())
    }

    /// Tells a gateway that was just started whom its pages may load from.
    pub(crate) async fn introduce(&self, id: &EnvironmentId, gateway: &Gateway) {
        let said = self.third_parties(id).await;
        self.change(id, |station| {
            // What was said in this run is newer.
            if station.third_parties == ThirdParties::default() {
                station.third_parties = said;
            }
            gateway.allow(station.third_parties.allowed());
        });
    }
}
