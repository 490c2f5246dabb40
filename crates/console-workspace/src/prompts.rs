//! What waits for the operator: prompts, links that want to go outside, notices. And what the stage reports.

use std::time::Instant;

use console_core::environment::EnvironmentId;
use console_ipc::{CommandError, PageView, Prompt};
use url::Url;

use crate::{StageOrder, StageReport, workspace::Workspace};

type Answer<T> = Result<T, CommandError>;

/// The longest address that is shown or opened, in bytes.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// The environment that a prompt is about, where it is about one.
pub(crate) fn environment_of(prompt: &Prompt) -> Option<&str> {
    match prompt {
        Prompt::SignOut { environment }
        | Prompt::SignIn { environment }
        | Prompt::CopyToken { environment }
        | Prompt::ThirdParties { environment }
        | Prompt::OpenExternal { environment, .. } => Some(environment),
        Prompt::SignOutAll | Prompt::Quit => None,
    }
}

/// Adds a prompt unless the same waits already.
pub(crate) fn add(prompts: &mut Vec<Prompt>, prompt: Prompt) {
    if !prompts.contains(&prompt) {
        prompts.push(prompt);
    }
}

impl Workspace {
    /// Takes in what the stage saw.
    pub fn report(&self, report: StageReport) {
        match report {
            StageReport::Page { environment, url, loading } => self.on_page(&environment, &url, loading),
            StageReport::OutsideLink { environment, url, by_gesture } => {
                self.on_outside_link(&environment, url, by_gesture);
            }
            StageReport::Downloaded { environment, path, name } => {
                let text = match path {
                    Some(path) => format!("{name} was saved to {}.", path.display()),
                    None => format!("{name} could not be saved. Try the download again."),
                };
                self.inner().notify("download", text, Some(&environment));
                self.publish();
            }
        }
    }

    fn on_page(&self, id: &EnvironmentId, url: &Url, loading: bool) {
        self.change(id, |station| {
            if let Some(real) = station.real_address(url) {
                station.page = Some(PageView { url: real.to_string(), loading });
            } else if let Some(page) = &mut station.page {
                page.loading = loading;
            }
        });
    }

    fn on_outside_link(&self, id: &EnvironmentId, url: Url, by_gesture: bool) {
        if url.as_str().len() > LONGEST_ADDRESS {
            return;
        }
        let mut inner = self.inner();
        let Some(station) = inner.stations.get_mut(id) else { return };
        // The admin's own address, written by a script: it belongs into the dashboard.
        if station.environment.base_url.realm().contains(&url) {
            let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
            drop(inner);
            self.go_to(id, &path);
            return;
        }
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            tracing::info!(scheme = url.scheme(), "a page's address was not opened");
            return;
        }
        if by_gesture && station.may_open_outside(Instant::now()) {
            drop(inner);
            self.order(StageOrder::OpenExternal { url });
            return;
        }
        // One question at a time: a page cannot bury the operator in them.
        if !inner.prompts.iter().any(|prompt| matches!(prompt, Prompt::OpenExternal { .. })) {
            let prompt = Prompt::OpenExternal {
                id: inner.fresh_id(),
                environment: id.to_string(),
                host: url.host_str().unwrap_or_default().to_owned(),
                url: url.to_string(),
            };
            inner.prompts.push(prompt);
        }
        drop(inner);
        self.publish();
    }

    /// The operator's answer about a link that wants to go outside.
    ///
    /// # Errors
    /// None; a prompt that is gone is answered already.
    pub async fn external_link_answer(&self, id: &str, open: bool) -> Answer<()> {
        let url = {
            let mut inner = self.inner();
            let found = inner
                .prompts
                .iter()
                .position(|prompt| matches!(prompt, Prompt::OpenExternal { id: prompt_id, .. } if prompt_id == id));
            match found.map(|index| inner.prompts.remove(index)) {
                Some(Prompt::OpenExternal { url, .. }) => Url::parse(&url).ok(),
                _ => None,
            }
        };
        if let Some(url) = url.filter(|_| open) {
            self.order(StageOrder::OpenExternal { url });
        }
        self.publish();
        Ok(())
    }

    /// Takes a notice away.
    ///
    /// # Errors
    /// None; commands share one shape.
    pub async fn notice_dismiss(&self, id: &str) -> Answer<()> {
        self.inner().notices.retain(|notice| notice.id != id);
        self.publish();
        Ok(())
    }
}
