//! The stage on macOS: `WKWebView`. Written from the sources of Tauri, wry and objc2; no one has compiled or run it.
//!
//! Child webviews do not follow the window: their bounds are set after every change of it. `alert` and `confirm` do
//! nothing here, and a page's `window.close()` is ignored.

use objc2_web_kit::WKUserContentController;
use tauri::{LogicalPosition, LogicalSize, Rect, Theme, Webview, Window};

use super::{Area, Builder, Site, hooks};

/// Bounds are set by [`place_shell`] and [`place_dashboard`].
pub(super) const FOLLOWS_THE_WINDOW: bool = false;

/// There always is one.
pub(super) fn has_display() -> bool {
    true
}

/// Whether the desktop wants dark windows.
pub(super) fn is_dark(window: &Window) -> bool {
    window.theme().is_ok_and(|theme| theme == Theme::Dark)
}

/// What only this platform asks of a dashboard's builder.
pub(super) fn builder(builder: Builder, site: &Site) -> Builder {
    hooks::rule(builder, site)
}

/// Nothing to do: the shell is a child of the window already.
pub(super) fn adopt_shell(_shell: &Webview) -> tauri::Result<()> {
    Ok(())
}

/// Makes a blank dashboard webview safe to load a page, and hides it.
pub(super) fn prepare_dashboard(webview: &Webview, site: &Site) -> tauri::Result<()> {
    let _ = site.itself.set(webview.clone());
    webview.with_webview(strip)?;
    webview.hide()
}

#[allow(unsafe_code, reason = "Tauri hands out a raw pointer, and WebKit's own interface has no safe binding")]
fn strip(platform: tauri::webview::PlatformWebview) {
    // SAFETY: Tauri runs this on the main thread with the pointer of the live webview's own content controller, and the
    // two calls only remove what was added to it.
    unsafe {
        let content = &*platform.controller().cast::<WKUserContentController>();
        content.removeAllUserScripts();
        content.removeAllScriptMessageHandlers();
    }
}

/// Gives the shell the whole window.
pub(super) fn place_shell(shell: &Webview, area: Area) -> tauri::Result<()> {
    shell.set_bounds(bounds(area))
}

/// Shows a dashboard in `area`, or hides it; its page stays as it is.
pub(super) fn place_dashboard(webview: &Webview, area: Option<Area>) -> tauri::Result<()> {
    let Some(area) = area else { return webview.hide() };
    webview.set_bounds(bounds(area))?;
    webview.show()
}

fn bounds(area: Area) -> Rect {
    Rect {
        position: LogicalPosition::new(area.x, area.y).into(),
        size: LogicalSize::new(area.width, area.height).into(),
    }
}
