//! The stage on Windows: `WebView2`. Written from the sources of Tauri, wry and webview2-com; no one has compiled or
//! run it.
//!
//! Child webviews do not follow the window: their bounds are set after every change of it. Tauri's scripts cannot be
//! taken out here (wry discards their ids), so `__TAURI_INTERNALS__` is there in a dashboard, without anything that
//! would carry a message: messages and host objects are off, and the filters of the IPC schemes are removed.

use tauri::{LogicalPosition, LogicalSize, Rect, Theme, Webview, Window, webview::PlatformWebview};
use webview2_com::Microsoft::Web::WebView2::Win32::{
    COREWEBVIEW2_WEB_RESOURCE_CONTEXT_ALL, COREWEBVIEW2_WEB_RESOURCE_REQUEST_SOURCE_KINDS_ALL, ICoreWebView2_22,
    ICoreWebView2Controller,
};
use windows::core::{HSTRING, Interface};

use super::{Area, Builder, Site, hooks};

/// Bounds are set by [`place_shell`] and [`place_dashboard`].
pub(super) const FOLLOWS_THE_WINDOW: bool = false;

/// The schemes that Tauri serves, as wry writes them here.
const SERVED: [&str; 3] = ["http://ipc.*", "http://tauri.*", "http://asset.*"];

/// There always is one.
pub(super) fn has_display() -> bool {
    true
}

/// Whether the desktop wants dark windows.
pub(super) fn is_dark(window: &Window) -> bool {
    window.theme().is_ok_and(|theme| theme == Theme::Dark)
}

/// What only this platform asks of a dashboard's builder: a data folder of its own, because `InPrivate` views of one
/// folder may share their storage; and a `window.close()` that does nothing, because wry destroys the view for it.
pub(super) fn builder(builder: Builder, site: &Site) -> Builder {
    hooks::rule(builder, site)
        .data_directory(site.shell_data.with_file_name("dashboards").join(&site.label))
        .initialization_script("Object.defineProperty(window, 'close', { value() {} })")
}

/// Nothing to do: the shell is a child of the window already.
pub(super) fn adopt_shell(_shell: &Webview) -> tauri::Result<()> {
    Ok(())
}

/// Makes a blank dashboard webview safe to load a page, and hides it. One that cannot be made safe is closed.
pub(super) fn prepare_dashboard(webview: &Webview, site: &Site) -> tauri::Result<()> {
    let _ = site.itself.set(webview.clone());
    webview.with_webview(|platform| {
        let controller = platform.controller();
        if let Err(error) = strip(&controller) {
            tracing::error!(%error, "a dashboard could not be cut off from the shell's interface");
            close(&controller);
        }
    })?;
    webview.hide()
}

#[allow(unsafe_code, reason = "COM calls have no safe binding")]
fn strip(controller: &ICoreWebView2Controller) -> windows::core::Result<()> {
    // SAFETY: Tauri runs this on the thread that made the controller, which is alive; the strings outlive their calls.
    unsafe {
        let view = controller.CoreWebView2()?;
        let settings = view.Settings()?;
        settings.SetIsWebMessageEnabled(false)?;
        settings.SetAreHostObjectsAllowed(false)?;
        for filter in SERVED.map(HSTRING::from) {
            // wry adds them in one of these two ways; a filter that was never added is no failure.
            if let Ok(view) = view.cast::<ICoreWebView2_22>() {
                let _ = view.RemoveWebResourceRequestedFilterWithRequestSourceKinds(
                    &filter,
                    COREWEBVIEW2_WEB_RESOURCE_CONTEXT_ALL,
                    COREWEBVIEW2_WEB_RESOURCE_REQUEST_SOURCE_KINDS_ALL,
                );
            }
            let _ = view.RemoveWebResourceRequestedFilter(&filter, COREWEBVIEW2_WEB_RESOURCE_CONTEXT_ALL);
        }
    }
    Ok(())
}

#[allow(unsafe_code, reason = "COM calls have no safe binding")]
fn close(controller: &ICoreWebView2Controller) {
    // SAFETY: as in `strip`; a closed controller answers later calls with an error.
    let _ = unsafe { controller.Close() };
}

/// Gives the shell the whole window.
pub(super) fn place_shell(shell: &Webview, area: Area) -> tauri::Result<()> {
    shell.set_bounds(bounds(area))?;
    shell.with_webview(moved)
}

/// Shows a dashboard in `area`, or hides it; its page stays as it is.
pub(super) fn place_dashboard(webview: &Webview, area: Option<Area>) -> tauri::Result<()> {
    let Some(area) = area else { return webview.hide() };
    webview.set_bounds(bounds(area))?;
    webview.with_webview(moved)?;
    webview.show()
}

/// Menus and lists of a view open where it believes that its window is.
#[allow(unsafe_code, clippy::needless_pass_by_value, reason = "a COM call has no safe binding; Tauri gives the value")]
fn moved(platform: PlatformWebview) {
    // SAFETY: as in `strip`.
    let _ = unsafe { platform.controller().NotifyParentWindowPositionChanged() };
}

/// Tauri turns these into physical pixels by the window's scale.
fn bounds(area: Area) -> Rect {
    Rect {
        position: LogicalPosition::new(area.x, area.y).into(),
        size: LogicalSize::new(area.width, area.height).into(),
    }
}
