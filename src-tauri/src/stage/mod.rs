//! The one place that composes webviews: the shell over the whole window, dashboards over its content area.
//!
//! A dashboard webview has no IPC and no script of ours, keeps its storage in memory, may load documents of its own
//! gateway only, opens no window, gets no permission. It is made at `about:blank`, stripped by the platform's part, and
//! only then sent to its entry address.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(target_os = "windows", path = "windows.rs")]
mod platform;

mod clipboard;
mod download;
#[cfg(not(target_os = "linux"))]
mod hooks;
mod page;

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use console_core::environment::EnvironmentId;
use console_ipc::Cover;
use console_workspace::{Port, StageOrder};
use tauri::{
    AppHandle, LogicalPosition, LogicalSize, Webview, WebviewUrl, Window, WindowEvent, Wry, async_runtime,
    webview::{NewWindowResponse, PermissionResponse, WebviewBuilder},
    window::{Color, WindowBuilder},
};
use tokio::sync::{Notify, mpsc, oneshot};
use url::Url;

use crate::{AUTOMATION, SHELL};
use download::Downloads;
use page::Page;

pub(crate) use page::Report;

/// The rail at the left, in logical pixels; `--rail-width` in `ui/src/styles/tokens.css`.
const RAIL: f64 = 56.0;
/// The bar at the top, in logical pixels; `--bar-height` there.
const BAR: f64 = 40.0;
/// The line of the accent's colour under the bar, in logical pixels; `--accent-line` there.
const ACCENT_LINE: f64 = 2.0;
/// What of the dashboard stays in sight under the tallest strip, in logical pixels.
const LEAST_IN_SIGHT: f64 = 100.0;
/// How long dashboards wait for the shell at the start; well within the life of an entry ticket.
const SHELL_COMES_WITHIN: Duration = Duration::from_secs(3);

/// How long a page may live on after its webview was closed.
const PAGE_ENDS_WITHIN: Duration = Duration::from_secs(5);

/// The shell's ground (`--canvas`), so that the window does not flash before the shell has painted.
const LIGHT: Color = Color(249, 250, 251, 255);
const DARK: Color = Color(20, 22, 25, 255);

/// What a browser tells a page that comes back to the screen. AsyncMQ's takes its loading overlay away then, which a form
/// that was answered with 204 would leave there.
const SHOWN_AGAIN: &str = "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))";

type Builder = WebviewBuilder<Wry>;

/// Whether a window can be opened at all.
pub(crate) fn has_display() -> bool {
    platform::has_display()
}

/// What the stage is given.
pub(crate) struct Surroundings {
    /// The folder of the shell webview's own storage. Platforms that must keep a dashboard's storage in a folder use
    /// one beside it.
    pub(crate) shell_data: PathBuf,
    /// Where downloads go.
    pub(crate) downloads: PathBuf,
    /// Where reports go.
    pub(crate) report: Report,
    /// Whether the window may be closed; where not, the operator is asked.
    pub(crate) may_close: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What the platform's part is told about one dashboard.
#[derive(Clone)]
struct Site {
    page: Page,
    downloads: Downloads,
    shell_data: PathBuf,
    label: String,
    #[cfg(not(target_os = "linux"))]
    itself: hooks::Itself,
}

/// A part of the window, in logical pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(target_os = "linux", allow(dead_code, reason = "GTK knows the size"))]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// Whether the shell's page runs and asks for the environments. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct ShellIsUp(Arc<Notify>);

impl ShellIsUp {
    /// It does.
    pub(crate) fn tell(&self) {
        self.0.notify_one();
    }

    async fn wait(&self) {
        if tokio::time::timeout(SHELL_COMES_WITHIN, self.0.notified()).await.is_err() {
            tracing::warn!("the shell is not there yet; dashboards open without it");
        }
    }
}

/// The window.
pub(crate) struct Stage {
    window: Window,
    shell: Webview,
    dashboards: HashMap<EnvironmentId, Webview>,
    shown: Option<(EnvironmentId, Cover)>,
    /// Counts the dashboards that were opened: a label is free again only some time after its webview was closed.
    opened: u64,
    downloads: Downloads,
    surroundings: Surroundings,
    resized: Arc<Notify>,
}

impl Stage {
    /// Opens the window with the shell in it, on the main thread. The shell is made first: an incognito webview before
    /// it leaves it blank.
    pub(crate) fn open(app: &AppHandle, surroundings: Surroundings) -> tauri::Result<Self> {
        let window = WindowBuilder::new(app, "main")
            .title("AsyncMQ Console")
            .inner_size(1280.0, 800.0)
            .min_inner_size(900.0, 600.0)
            .build()?;
        let ground = if platform::is_dark(&window) { DARK } else { LIGHT };
        window.set_background_color(Some(ground))?;
        let shell = WebviewBuilder::new(SHELL, WebviewUrl::App("index.html".into()))
            .data_directory(surroundings.shell_data.clone())
            .background_color(ground)
            .disable_drag_drop_handler()
            .devtools(cfg!(debug_assertions))
            .on_navigation(is_shell)
            .on_new_window(|_, _| NewWindowResponse::Deny)
            .on_permission_request(|_, _| PermissionResponse::Deny);
        let size: LogicalSize<f64> = window.inner_size()?.to_logical(window.scale_factor()?);
        let shell = window.add_child(shell, LogicalPosition::new(0.0, 0.0), size)?;
        platform::adopt_shell(&shell)?;
        let may_close = surroundings.may_close.clone();
        window.on_window_event(move |event| {
            if let WindowEvent::CloseRequested { api, .. } = event
                && !may_close()
            {
                api.prevent_close();
            }
        });
        let resized = Arc::new(Notify::new());
        if !platform::FOLLOWS_THE_WINDOW {
            let resized = resized.clone();
            window.on_window_event(move |event| {
                if matches!(
                    event,
                    WindowEvent::Resized(_) | WindowEvent::Moved(_) | WindowEvent::ScaleFactorChanged { .. }
                ) {
                    resized.notify_one();
                }
            });
        }
        let downloads = Downloads::new(surroundings.downloads.clone());
        Ok(Self { window, shell, dashboards: HashMap::new(), shown: None, opened: 0, downloads, surroundings, resized })
    }

    /// Carries out orders in their sequence until nobody gives any. One that fails is logged; the next may succeed.
    ///
    /// The shell comes first: a dashboard's web process that starts beside the shell's keeps the environments off the
    /// screen for longer than it gains (`cargo xtask bench start-up`).
    pub(crate) async fn carry_out(mut self, mut orders: mpsc::UnboundedReceiver<StageOrder>, shell_is_up: ShellIsUp) {
        shell_is_up.wait().await;
        let resized = self.resized.clone();
        loop {
            let (name, done) = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => (name_of(&order), self.do_one(order).await),
                    None => return,
                },
                () = resized.notified() => ("follow the window", self.lay_out()),
            };
            if let Err(error) = done {
                tracing::error!(%error, order = name, "the stage could not do it");
            }
        }
    }

    async fn do_one(&mut self, order: StageOrder) -> tauri::Result<()> {
        match order {
            StageOrder::Open { environment, entry, origin } => self.open_dashboard(environment, entry, origin).await,
            StageOrder::Navigate { environment, url } => self.on(&environment, |webview| webview.navigate(url)),
            StageOrder::Reload { environment } => self.on(&environment, Webview::reload),
            StageOrder::ShowAgain { environment } => self.on(&environment, |webview| webview.eval(SHOWN_AGAIN)),
            StageOrder::Quit => self.window.destroy(),
            StageOrder::Close { environment, port } => {
                let closed = self.close_dashboard(&environment);
                // Behind the closing in the main thread's queue.
                self.window.run_on_main_thread(move || drop(async_runtime::spawn(free_later(port))))?;
                closed
            }
            StageOrder::Show { environment, cover } => self.show(environment.map(|environment| (environment, cover))),
            StageOrder::OpenExternal { url } => {
                open_outside(&url);
                Ok(())
            }
            StageOrder::CopySecret { text } => {
                clipboard::copy(text);
                Ok(())
            }
        }
    }

    fn on(&self, id: &EnvironmentId, then: impl FnOnce(&Webview) -> tauri::Result<()>) -> tauri::Result<()> {
        self.dashboards.get(id).map_or(Ok(()), then)
    }

    async fn open_dashboard(&mut self, id: EnvironmentId, entry: Url, origin: Url) -> tauri::Result<()> {
        self.close_dashboard(&id)?;
        self.opened += 1;
        let site = Site {
            page: Page::new(id.clone(), origin, self.surroundings.report.clone()),
            downloads: self.downloads.clone(),
            shell_data: self.surroundings.shell_data.clone(),
            label: format!("dash-{id}-{}", self.opened),
            #[cfg(not(target_os = "linux"))]
            itself: hooks::Itself::default(),
        };
        let (window, area) = (self.window.clone(), self.content_area(0.0)?);
        let (tell, made) = oneshot::channel();
        // In one go on the main thread: nothing is painted between a webview's birth and its being put in its place.
        self.window.run_on_main_thread(move || {
            let _ = tell.send(make_dashboard(&window, area, &site, entry));
        })?;
        let webview = made.await.map_err(|_| tauri::Error::WindowNotFound)??;
        self.dashboards.insert(id, webview);
        self.lay_out()
    }

    fn close_dashboard(&mut self, id: &EnvironmentId) -> tauri::Result<()> {
        let Some(webview) = self.dashboards.remove(id) else { return Ok(()) };
        if self.shown.as_ref().is_some_and(|(shown, _)| shown == id) {
            // Before the dashboard goes: one that is destroyed with the keyboard's focus takes the keyboard along.
            self.shell.set_focus()?;
        }
        webview.close()
    }

    fn show(&mut self, wanted: Option<(EnvironmentId, Cover)>) -> tauri::Result<()> {
        if self.shown == wanted {
            return Ok(());
        }
        let before = self.in_sight();
        self.shown = wanted;
        let now = self.in_sight();
        let goes = before.is_some() && before != now;
        let comes = now.filter(|id| before.as_ref() != Some(id));
        if goes {
            self.shell.set_focus()?;
        }
        self.lay_out()?;
        // Only one that comes into sight gets the keyboard: a strip that opens or closes leaves it where it is.
        comes.map_or(Ok(()), |id| self.on(&id, Webview::set_focus))
    }

    /// The dashboard that the operator sees, at least in part.
    fn in_sight(&self) -> Option<EnvironmentId> {
        let (id, cover) = self.shown.as_ref()?;
        (*cover != Cover::Full && self.dashboards.contains_key(id)).then(|| id.clone())
    }

    /// Puts every webview in its place.
    fn lay_out(&self) -> tauri::Result<()> {
        let window = self.size()?;
        if window.width < 1.0 || window.height < 1.0 {
            // Minimised, on Windows.
            return Ok(());
        }
        platform::place_shell(&self.shell, Area { x: 0.0, y: 0.0, width: window.width, height: window.height })?;
        for (id, webview) in &self.dashboards {
            let cover = self.shown.as_ref().filter(|(shown, _)| shown == id).map(|(_, cover)| *cover);
            let strip = match cover {
                Some(Cover::None) => Some(0.0),
                Some(Cover::Strip { height }) => Some(height),
                Some(Cover::Full) | None => None,
            };
            platform::place_dashboard(webview, strip.map(|strip| self.content_area(strip)).transpose()?)?;
        }
        Ok(())
    }

    fn size(&self) -> tauri::Result<LogicalSize<f64>> {
        Ok(self.window.inner_size()?.to_logical(self.window.scale_factor()?))
    }

    /// Right of the rail and below the bar, its line, and a strip.
    fn content_area(&self, strip: f64) -> tauri::Result<Area> {
        Ok(content_area(self.size()?, strip))
    }
}

fn content_area(window: LogicalSize<f64>, strip: f64) -> Area {
    let top = BAR + ACCENT_LINE;
    let strip = if strip.is_finite() { strip.clamp(0.0, (window.height - top - LEAST_IN_SIGHT).max(0.0)) } else { 0.0 };
    let (x, y) = (RAIL, top + strip);
    Area { x, y, width: (window.width - x).max(1.0), height: (window.height - y).max(1.0) }
}

/// On the main thread.
fn make_dashboard(window: &Window, area: Area, site: &Site, entry: Url) -> tauri::Result<Webview> {
    let blank = WebviewUrl::External("about:blank".parse().expect("about:blank is a URL"));
    let builder = WebviewBuilder::new(&site.label, blank)
        // WebDriver does not see an incognito webview; tests of isolation run without it.
        .incognito(std::env::var_os(AUTOMATION).is_none())
        .focused(false)
        .disable_drag_drop_handler()
        .devtools(cfg!(debug_assertions))
        .on_permission_request(|_, _| PermissionResponse::Deny);
    let builder = platform::builder(builder, site);
    let corner = LogicalPosition::new(area.x, area.y);
    let webview = window.add_child(builder, corner, LogicalSize::new(area.width, area.height))?;
    platform::prepare_dashboard(&webview, site)?;
    webview.navigate(entry)?;
    Ok(webview)
}

/// The shell's own pages: `tauri://localhost`, on Windows `http://tauri.localhost`.
fn is_shell(url: &Url) -> bool {
    matches!((url.scheme(), url.host_str()), ("tauri", Some("localhost")) | ("http", Some("tauri.localhost")))
}

/// In the system's browser, http and https only.
fn open_outside(url: &Url) {
    if !matches!(url.scheme(), "http" | "https") {
        return;
    }
    if let Err(error) = open::that_detached(url.as_str()) {
        tracing::warn!(%error, "the system's browser could not be started");
    }
}

/// A page's process hears of the end of its webview, and ends its requests, in its own time.
async fn free_later(port: Port) {
    tokio::time::sleep(PAGE_ENDS_WITHIN).await;
    drop(port);
}

fn name_of(order: &StageOrder) -> &'static str {
    match order {
        StageOrder::Open { .. } => "open",
        StageOrder::Navigate { .. } => "navigate",
        StageOrder::Reload { .. } => "reload",
        StageOrder::ShowAgain { .. } => "show again",
        StageOrder::Quit => "quit",
        StageOrder::Close { .. } => "close",
        StageOrder::Show { .. } => "show",
        StageOrder::OpenExternal { .. } => "open outside",
        StageOrder::CopySecret { .. } => "copy",
    }
}

#[cfg(test)]
mod tests {
    use tauri::LogicalSize;

    use super::{Area, content_area};

    #[test]
    fn a_dashboard_never_reaches_the_rail_or_the_bar() {
        let window = LogicalSize::new(1280.0, 800.0);
        assert_eq!(content_area(window, 0.0), Area { x: 56.0, y: 42.0, width: 1224.0, height: 758.0 });
        assert_eq!(content_area(window, 120.0), Area { x: 56.0, y: 162.0, width: 1224.0, height: 638.0 });
        for strange in [-500.0, f64::NAN, f64::NEG_INFINITY, f64::INFINITY] {
            assert!(content_area(window, strange).y >= 42.0, "{strange}");
        }
        let least = Area { x: 56.0, y: 700.0, width: 1224.0, height: 100.0 };
        assert_eq!(content_area(window, 5000.0), least, "a strip leaves something of the dashboard");
    }
}
