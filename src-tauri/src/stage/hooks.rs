//! The rules of a dashboard through the hooks that Tauri has on every platform, for those where the stage asks for no
//! more: macOS and Windows. No one has run the console there yet.
//!
//! These hooks do not tell what caused a navigation, so no link counts as a person's click: every one that leads
//! outside is asked about. They do not tell of `history.pushState` either: the bar's address is that of the last load.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tauri::{
    Webview,
    webview::{DownloadEvent, NewWindowResponse, PageLoadEvent},
};
use url::Url;

use super::{Builder, Site, download::safe_name};

/// Where a dashboard's webview will be once it is made.
pub(super) type Itself = Arc<OnceLock<Webview>>;

/// Lays the rules on a dashboard that is about to be made.
pub(super) fn rule(builder: Builder, site: &Site) -> Builder {
    let (navigation, new_window, load) = (site.page.clone(), site.page.clone(), site.page.clone());
    let itself = site.itself.clone();
    let downloads = UnderWay { site: site.clone(), paths: Mutex::default() };
    builder
        .on_navigation(move |url| navigation.may_go_to(url, false))
        .on_new_window(move |url, _| {
            if let (Some(url), Some(webview)) = (new_window.in_place_of_window(&url, false), itself.get().cloned()) {
                // After this event: the platform waits for its answer.
                tauri::async_runtime::spawn(async move { webview.navigate(url) });
            }
            NewWindowResponse::Deny
        })
        .on_page_load(move |_, load_event| {
            load.is_at(load_event.url(), load_event.event() == PageLoadEvent::Started);
        })
        .on_download(move |_, event| downloads.follow(event))
}

/// The downloads of one dashboard. macOS does not tell at the end where a file is, so it is kept by its address.
struct UnderWay {
    site: Site,
    paths: Mutex<HashMap<Url, PathBuf>>,
}

impl UnderWay {
    /// Whether a download may go on.
    fn follow(&self, event: DownloadEvent<'_>) -> bool {
        match event {
            DownloadEvent::Requested { url, destination } => self.begin(url, destination),
            DownloadEvent::Finished { url, path, success } => {
                self.end(&url, path, success);
                true
            }
            _ => false,
        }
    }

    fn begin(&self, url: Url, destination: &mut PathBuf) -> bool {
        if url.scheme() != "data" && !self.site.page.may_go_to(&url, false) {
            return false;
        }
        let suggested = destination.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self.site.downloads.begin(&suggested) {
            Ok(path) => {
                destination.clone_from(&path);
                self.paths.lock().unwrap_or_else(PoisonError::into_inner).insert(url, path);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the downloads folder cannot be used");
                self.site.page.downloaded(None, safe_name(&suggested));
                false
            }
        }
    }

    fn end(&self, url: &Url, path: Option<PathBuf>, success: bool) {
        let kept = self.paths.lock().unwrap_or_else(PoisonError::into_inner).remove(url);
        let Some(path) = kept.or(path) else { return };
        self.site.downloads.end(&path);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.site.page.downloaded(Some(path).filter(|_| success), name);
    }
}
