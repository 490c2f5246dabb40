//! The one place that composes webviews: the shell over the whole window, dashboards over its content area.
//!
//! A dashboard webview has no IPC and no script of ours, keeps its storage in memory, may load documents of its own
//! gateway only, opens no window, gets no permission. It is made at `about:blank`, stripped by the platform's part, and
//! only then sent to its entry address.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(target_os = "windows", path = "windows.rs")]
mod platform;

mod click;
mod download;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use console_core::{environment::EnvironmentId, profile::Profile};
use console_ipc::Cover;
use console_workspace::{StageOrder, StageReport, Workspace};
use tauri::{
    AppHandle, LogicalPosition, LogicalSize, Webview, WebviewUrl, Window,
    webview::{NewWindowResponse, PageLoadEvent, PermissionResponse, WebviewBuilder},
    window::{Color, WindowBuilder},
};
use tokio::sync::mpsc;
use url::Url;

use crate::{AUTOMATION, SHELL};
use click::Clicks;
use download::Downloads;

/// The rail at the left, in logical pixels; `ui/src/styles` says the same.
pub(crate) const RAIL: f64 = 56.0;
/// The bar and the accent line under it, in logical pixels.
pub(crate) const BAR: f64 = 42.0;

struct Dashboard {
    webview: Webview,
    origin: Arc<Mutex<Url>>,
}

/// The window.
pub(crate) struct Stage {
    window: Window,
    shell: Webview,
    workspace: Workspace,
    dashboards: HashMap<EnvironmentId, Dashboard>,
    shown: Option<(EnvironmentId, Cover)>,
}

impl Stage {
    /// Opens the window with the shell in it. The shell is made first: an incognito webview before it leaves it blank.
    pub(crate) fn open(app: &AppHandle, profile: &Profile, workspace: Workspace) -> tauri::Result<Self> {
        let window = WindowBuilder::new(app, "main")
            .title("AsyncMQ Console")
            .inner_size(1280.0, 800.0)
            .min_inner_size(900.0, 600.0)
            .background_color(Color(24, 26, 31, 255))
            .build()?;
        let shell = WebviewBuilder::new(SHELL, WebviewUrl::App("index.html".into()))
            .data_directory(profile.data_dir().join("shell"))
            .on_navigation(|url| matches!(url.scheme(), "tauri" | "http" if is_shell(url)))
            .on_new_window(|_, _| NewWindowResponse::Deny)
            .on_permission_request(|_, _| PermissionResponse::Deny)
            .on_download(|_, _| false);
        let size: LogicalSize<f64> = window.inner_size()?.to_logical(window.scale_factor()?);
        let shell = window.add_child(shell, LogicalPosition::new(0.0, 0.0), size)?;
        platform::adopt_shell(&shell)?;
        Ok(Self { window, shell, workspace, dashboards: HashMap::new(), shown: None })
    }

    /// Carries out orders in their sequence until the workspace ends.
    pub(crate) async fn carry_out(mut self, mut orders: mpsc::UnboundedReceiver<StageOrder>) {
        while let Some(order) = orders.recv().await {
            let name = name_of(&order);
            if let Err(error) = self.do_one(order) {
                tracing::error!(%error, order = name, "the stage could not do it");
            }
        }
    }

    fn do_one(&mut self, order: StageOrder) -> tauri::Result<()> {
        match order {
            StageOrder::Open { environment, entry, origin } => self.open_dashboard(&environment, entry, origin),
            StageOrder::Navigate { environment, url } => self.on(&environment, |webview| webview.navigate(url)),
            StageOrder::Reload { environment } => self.on(&environment, Webview::reload),
            StageOrder::Close { environment } => self.close_dashboard(&environment),
            StageOrder::Show { environment, cover } => self.show(environment.map(|environment| (environment, cover))),
            StageOrder::OpenExternal { url } => {
                if matches!(url.scheme(), "http" | "https")
                    && let Err(error) = open::that_detached(url.as_str())
                {
                    tracing::warn!(%error, "the system browser could not be started");
                }
                Ok(())
            }
        }
    }

    fn on(&self, id: &EnvironmentId, then: impl FnOnce(&Webview) -> tauri::Result<()>) -> tauri::Result<()> {
        self.dashboards.get(id).map_or(Ok(()), |dashboard| then(&dashboard.webview))
    }

    fn open_dashboard(&mut self, id: &EnvironmentId, entry: Url, origin: Url) -> tauri::Result<()> {
        self.close_dashboard(id)?;
        let origin = Arc::new(Mutex::new(origin));
        let clicks = Clicks::default();
        let builder = self.dashboard_builder(id, &origin, &clicks);
        let (position, size) = self.content_area()?;
        let webview = self.window.add_child(builder, position, size)?;
        platform::prepare_dashboard(&webview, clicks)?;
        webview.navigate(entry)?;
        self.dashboards.insert(id.clone(), Dashboard { webview, origin });
        let shown = self.shown.take();
        self.show(shown)
    }

    fn dashboard_builder(&self, id: &EnvironmentId, origin: &Arc<Mutex<Url>>, clicks: &Clicks) -> WebviewBuilder<tauri::Wry> {
        let report = {
            let workspace = self.workspace.clone();
            move |report| workspace.report(report)
        };
        let blank = WebviewUrl::External("about:blank".parse().expect("about:blank is a URL"));
        // The label changes with each opening: Tauri frees an old one only after the platform has let it go.
        let label = format!("dash-{id}-{}", origin.lock().unwrap_or_else(PoisonError::into_inner).port().unwrap_or(0));
        let navigate = {
            let (id, origin, clicks, report) = (id.clone(), origin.clone(), clicks.clone(), report.clone());
            move |url: &Url| {
                if is_inside(url, &origin) {
                    return true;
                }
                report(StageReport::OutsideLink {
                    environment: id.clone(),
                    by_gesture: clicks.was_on(url),
                    url: url.clone(),
                });
                false
            }
        };
        let new_window = {
            let (id, clicks, report) = (id.clone(), clicks.clone(), report.clone());
            move |url: Url| {
                let by_gesture = clicks.was_on(&url);
                report(StageReport::OutsideLink { environment: id.clone(), url, by_gesture });
                NewWindowResponse::Deny
            }
        };
        let page = {
            let (id, report) = (id.clone(), report.clone());
            move |url: &Url, event| {
                let loading = event == PageLoadEvent::Started;
                report(StageReport::Page { environment: id.clone(), url: url.clone(), loading });
            }
        };
        let downloads = Downloads::new(id.clone(), self.workspace.folders().downloads.clone().into());
        WebviewBuilder::new(label, blank)
            // WebDriver does not see an incognito webview; tests of isolation run without it.
            .incognito(std::env::var_os(AUTOMATION).is_none())
            .devtools(cfg!(debug_assertions))
            .on_navigation(navigate)
            .on_new_window(move |url, _| new_window(url))
            .on_permission_request(|_, _| PermissionResponse::Deny)
            .on_page_load(move |_, payload| page(payload.url(), payload.event()))
            .on_download(move |_, event| downloads.handle(event, &report))
    }

    fn close_dashboard(&mut self, id: &EnvironmentId) -> tauri::Result<()> {
        let Some(dashboard) = self.dashboards.remove(id) else { return Ok(()) };
        self.shell.set_focus()?;
        drop(dashboard.origin);
        dashboard.webview.close()
    }

    fn show(&mut self, wanted: Option<(EnvironmentId, Cover)>) -> tauri::Result<()> {
        if self.shown == wanted {
            return Ok(());
        }
        let (position, size) = self.content_area()?;
        for (id, dashboard) in &self.dashboards {
            let cover = wanted.as_ref().filter(|(shown, _)| shown == id).map(|(_, cover)| *cover);
            let strip = match cover {
                Some(Cover::None) => Some(0.0),
                Some(Cover::Strip { height }) => Some(height.clamp(0.0, 400.0)),
                Some(Cover::Full) | None => None,
            };
            if strip.is_none() && self.shown.as_ref().is_some_and(|(shown, cover)| shown == id && *cover != Cover::Full) {
                // Before the dashboard goes: a hidden webview must not keep the keyboard.
                self.shell.set_focus()?;
            }
            platform::place(&dashboard.webview, position, size, strip)?;
        }
        self.shown = wanted;
        Ok(())
    }

    /// Below the bar, right of the rail.
    fn content_area(&self) -> tauri::Result<(LogicalPosition<f64>, LogicalSize<f64>)> {
        let window: LogicalSize<f64> = self.window.inner_size()?.to_logical(self.window.scale_factor()?);
        Ok((LogicalPosition::new(RAIL, BAR), LogicalSize::new(window.width - RAIL, window.height - BAR)))
    }
}

/// The gateway's origin, and the blank page that every dashboard begins with.
fn is_inside(url: &Url, origin: &Mutex<Url>) -> bool {
    let origin = origin.lock().unwrap_or_else(PoisonError::into_inner);
    url.origin() == origin.origin() || matches!(url.as_str(), "about:blank" | "about:srcdoc")
}

/// The shell's own pages: `tauri://localhost`, on Windows `http://tauri.localhost`.
fn is_shell(url: &Url) -> bool {
    matches!((url.scheme(), url.host_str()), ("tauri", Some("localhost")) | ("http", Some("tauri.localhost")))
}

fn name_of(order: &StageOrder) -> &'static str {
    match order {
        StageOrder::Open { .. } => "open",
        StageOrder::Navigate { .. } => "navigate",
        StageOrder::Reload { .. } => "reload",
        StageOrder::Close { .. } => "close",
        StageOrder::Show { .. } => "show",
        StageOrder::OpenExternal { .. } => "open outside",
    }
}
