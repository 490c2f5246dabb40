//! The commands about environments: add, edit, remove, reorder, put on stage.

use console_core::{
    approval,
    environment::{Environment, EnvironmentId},
    environment_file::EnvironmentFileError,
    vault::Slot,
};
use console_ipc::{CommandError, Cover, DraftReport, EnvironmentDraft, ProtectionView, SaveOutcome, ShellState};

use crate::{
    StageOrder, convert, words,
    workspace::{Workspace, gone},
};

type Answer<T> = Result<T, CommandError>;

impl Workspace {
    /// What the shell shows now.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn shell_state(&self) -> Answer<ShellState> {
        Ok((*self.state()).clone())
    }

    /// What is wrong with a draft, and what saving it would do. Changes nothing.
    ///
    /// # Errors
    /// When `id` names an environment that is gone.
    pub async fn environment_check(&self, draft: EnvironmentDraft, id: Option<String>) -> Answer<DraftReport> {
        let checked = match convert::draft(&draft).check() {
            Ok(checked) => checked,
            Err(errors) => return Ok(convert::report(&errors)),
        };
        let moves_credential = match id {
            Some(id) => {
                let id = self.id(&id)?;
                self.read(&id, |station| {
                    station.stored != console_ipc::StoredCredentialView::None
                        && station.environment.base_url.realm() != checked.base_url.realm()
                })?
            }
            None => false,
        };
        Ok(DraftReport { errors: Vec::new(), base_url: Some(checked.base_url.to_string()), moves_credential })
    }

    /// Adds an environment at the end and puts it on stage.
    ///
    /// # Errors
    /// None; what is wrong is in the outcome.
    pub async fn environment_add(&self, draft: EnvironmentDraft) -> Answer<SaveOutcome> {
        let checked = match convert::draft(&draft).check() {
            Ok(checked) => checked,
            Err(errors) => return Ok(SaveOutcome::Invalid { report: convert::report(&errors) }),
        };
        let added = self.inner().file.add(checked);
        match added {
            Ok(environment) => {
                let id = environment.id.clone();
                // The operator has just typed whatever there is to approve.
                self.approve(&environment, approval::needed(&environment)).await;
                self.add_station(environment);
                self.inner().selected = Some(id.clone());
                self.publish();
                Ok(SaveOutcome::Saved { id: id.to_string() })
            }
            Err(error) => Ok(not_saved(&error)),
        }
    }

    /// Changes an environment. A stored credential stays behind when the realm changes.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn environment_update(&self, id: &str, draft: EnvironmentDraft) -> Answer<SaveOutcome> {
        let id = self.id(id)?;
        let checked = match convert::draft(&draft).check() {
            Ok(checked) => checked,
            Err(errors) => return Ok(SaveOutcome::Invalid { report: convert::report(&errors) }),
        };
        let before = self.read(&id, |station| station.environment.clone()).ok();
        let updated = self.inner().file.update(&id, checked);
        match updated {
            Ok(environment) => {
                // Only what was changed here was seen here; the rest is asked about as before.
                let known = before.map(|before| approval::needed(&before)).unwrap_or_default();
                let typed = approval::needed(&environment).into_iter().filter(|one| !known.contains(one)).collect();
                self.approve(&environment, typed).await;
                self.replace(environment).await;
                Ok(SaveOutcome::Saved { id: id.to_string() })
            }
            Err(error) => Ok(not_saved(&error)),
        }
    }

    /// Puts an edited environment in the place of the old one.
    async fn replace(&self, environment: Environment) {
        let id = environment.id.clone();
        let same_way = self
            .read(&id, |station| {
                let old = &station.environment;
                // What only the shell shows, and what the gateway is told.
                let shown = Environment {
                    name: environment.name.clone(),
                    accent: environment.accent,
                    protection: environment.protection,
                    allow_token_copy: environment.allow_token_copy,
                    ..old.clone()
                };
                shown == environment
            })
            .unwrap_or(false);
        if same_way {
            self.change(&id, |station| {
                if let Some(gateway) = &station.gateway {
                    gateway.protect(environment.protection);
                }
                station.environment = environment;
            });
            return;
        }
        self.let_go(&id);
        // Another way to the remote side: nothing of the old session is taken along unasked.
        self.close(&id, "The environment was changed.");
        self.inner().stations.remove(&id);
        self.add_station(environment);
        self.publish();
        self.restore(&id).await;
    }

    /// Ends whatever is under way for an environment.
    fn let_go(&self, id: &EnvironmentId) {
        let run = self.fresh_run();
        self.change(id, |station| {
            station.sign_in_run = run;
            station.cancel.notify_waiters();
            if let Some(granted) = &mut station.granted {
                granted.run = run;
            }
            station.session.set_renewable(false);
        });
    }

    /// Removes an environment, and its stored token first.
    ///
    /// # Errors
    /// When the environment is gone, the keychain refuses, or the file cannot be written.
    pub async fn environment_remove(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        // Whatever is under way for it stops, and stores nothing after this.
        self.let_go(&id);
        let turns = self.turns(&id);
        let _turn = turns.vault.lock().await;
        for slot in [Slot::Credential, Slot::Network, Slot::Approvals] {
            self.core
                .vault
                .forget(&id, slot)
                .await
                .or_else(|error| {
                    // Without a keychain nothing of it can be stored there.
                    if self.inner().keychain == console_ipc::KeychainView::Available { Err(error) } else { Ok(()) }
                })
                .map_err(|error| CommandError { problem: words::vault_error(&error) })?;
        }
        let removed = self.inner().file.remove(&id);
        removed.map_err(|error| CommandError { problem: file_problem(&error) })?;
        self.close(&id, "The environment was removed.");
        {
            let mut inner = self.inner();
            inner.stations.remove(&id);
            let text = id.to_string();
            inner.prompts.retain(|prompt| crate::prompts::environment_of(prompt) != Some(&text));
            if inner.selected.as_ref() == Some(&id) {
                inner.selected = inner.file.list().first().map(|first| first.id.clone());
            }
        }
        self.publish();
        self.open_selected().await;
        Ok(())
    }

    /// Sets the order of the rail.
    ///
    /// # Errors
    /// When the list is not the environments' ids, or the file cannot be written.
    pub async fn environment_reorder(&self, ids: Vec<String>) -> Answer<()> {
        let ids = ids.iter().map(|id| id.parse().map_err(|_| gone())).collect::<Result<Vec<_>, _>>()?;
        let reordered = self.inner().file.reorder(&ids);
        reordered.map_err(|error| CommandError { problem: file_problem(&error) })?;
        self.publish();
        Ok(())
    }

    /// Puts an environment on stage, or none.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn environment_select(&self, id: Option<String>) -> Answer<()> {
        let id = id.map(|id| self.id(&id)).transpose()?;
        self.inner().selected = id;
        self.publish();
        self.open_selected().await;
        Ok(())
    }

    /// Locks or opens an environment.
    ///
    /// # Errors
    /// When the environment is gone or the file cannot be written.
    pub async fn protection_set(&self, id: &str, protection: ProtectionView) -> Answer<()> {
        let id = self.id(id)?;
        let mut draft = self.read(&id, |station| crate::station::draft(&station.environment))?;
        draft.protection = protection;
        let checked = convert::draft(&draft).check().map_err(|_| gone())?;
        let protection = checked.protection;
        // The gateway first when it locks: a write that is on its way must not slip through the file's write.
        self.change(&id, |station| {
            if let Some(gateway) =
                station.gateway.as_ref().filter(|_| convert::protection_view(protection) == ProtectionView::Locked)
            {
                gateway.protect(protection);
            }
        });
        let updated = self.inner().file.update(&id, checked);
        let environment = updated.map_err(|error| CommandError { problem: file_problem(&error) })?;
        self.replace(environment).await;
        Ok(())
    }

    /// How much of the content area the shell needs.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn stage_cover(&self, cover: Cover) -> Answer<()> {
        self.inner().cover = cover;
        self.publish();
        Ok(())
    }

    /// Loads a dashboard's page again, and tries an unreachable admin now.
    ///
    /// # Errors
    /// When the environment is gone.
    pub async fn dashboard_reload(&self, id: &str) -> Answer<()> {
        let id = self.id(id)?;
        let open = self.read(&id, |station| {
            if let Some(gateway) = &station.gateway {
                gateway.try_now();
            }
            station.gateway.is_some()
        })?;
        if open {
            self.order(StageOrder::Reload { environment: id });
        }
        Ok(())
    }
}

fn not_saved(error: &EnvironmentFileError) -> SaveOutcome {
    SaveOutcome::Failed { problem: file_problem(error) }
}

fn file_problem(error: &EnvironmentFileError) -> console_ipc::Problem {
    words::problem("settings", "The environments could not be saved", error.to_string(), "Nothing was changed.")
}
