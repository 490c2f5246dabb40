//! The stage on Linux: WebKitGTK.
//!
//! Tauri packs child webviews into a vertical box and ignores their bounds, so both are taken out of it into an overlay:
//! the shell is its base child, dashboards lie over it with margins, and GTK follows every resize by itself.

use std::{cell::RefCell, time::Instant};

use gtk::prelude::*;
use tauri::{LogicalPosition, LogicalSize, Webview};
use webkit2gtk::{HitTestResultExt, NetworkProxyMode, UserContentManagerExt, WebViewExt, WebsiteDataManagerExt};

use super::click::Clicks;

thread_local! {
    /// On the main thread, where all of GTK lives.
    static OVERLAY: RefCell<Option<gtk::Overlay>> = const { RefCell::new(None) };
}

/// Makes the shell the overlay's base child.
pub(super) fn adopt_shell(shell: &Webview) -> tauri::Result<()> {
    shell.with_webview(|platform| {
        let view = platform.inner();
        let Some(parent) = view.parent().and_then(|parent| parent.downcast::<gtk::Box>().ok()) else {
            tracing::error!("the shell webview is not where Tauri packs it: the window cannot be laid out");
            return;
        };
        let overlay = gtk::Overlay::new();
        parent.remove(&view);
        overlay.add(&view);
        parent.pack_start(&overlay, true, true, 0);
        overlay.show_all();
        OVERLAY.with_borrow_mut(|kept| *kept = Some(overlay));
    })
}

/// Takes everything out of a blank dashboard webview that Tauri put in, and puts it over the shell, hidden.
pub(super) fn prepare_dashboard(webview: &Webview, clicks: Clicks) -> tauri::Result<()> {
    webview.with_webview(move |platform| {
        let view = platform.inner();
        if let Some(content) = view.user_content_manager() {
            content.remove_all_scripts();
            content.unregister_script_message_handler("ipc");
        }
        // Loopback must be reached directly: with `http_proxy` set, WebKitGTK would send even 127.0.0.1 there.
        if let Some(storage) = view.website_data_manager() {
            storage.set_network_proxy_settings(NetworkProxyMode::NoProxy, None);
        }
        note_clicks(&view, clicks);
        OVERLAY.with_borrow(|overlay| {
            let Some(overlay) = overlay else { return };
            if let Some(parent) = view.parent().and_then(|parent| parent.downcast::<gtk::Container>().ok()) {
                parent.remove(&view);
            }
            view.set_visible(false);
            view.set_halign(gtk::Align::Fill);
            view.set_valign(gtk::Align::Fill);
            overlay.add_overlay(&view);
        });
    })
}

fn note_clicks(view: &webkit2gtk::WebView, clicks: Clicks) {
    let hovering = clicks.clone();
    view.connect_mouse_target_changed(move |_, hit, _| {
        hovering.hover(hit.context_is_link().then(|| hit.link_uri().map(Into::into)).flatten());
    });
    let pressing = clicks.clone();
    view.connect_button_press_event(move |_, _| {
        pressing.press(Instant::now());
        gtk::glib::Propagation::Proceed
    });
    view.connect_button_release_event(move |_, _| {
        clicks.press(Instant::now());
        gtk::glib::Propagation::Proceed
    });
}

/// Shows a dashboard below a strip of `strip` logical pixels, or hides it; its page stays as it is.
#[allow(clippy::cast_possible_truncation, reason = "margins are small whole pixels")]
pub(super) fn place(
    webview: &Webview,
    position: LogicalPosition<f64>,
    _size: LogicalSize<f64>,
    strip: Option<f64>,
) -> tauri::Result<()> {
    webview.with_webview(move |platform| {
        let view = platform.inner();
        if let Some(strip) = strip {
            view.set_margin_start(position.x as i32);
            view.set_margin_top((position.y + strip) as i32);
        }
        view.set_visible(strip.is_some());
        if strip.is_some() {
            view.grab_focus();
        }
    })
}
