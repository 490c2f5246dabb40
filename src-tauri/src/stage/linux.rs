//! The stage on Linux: `WebKitGTK`.
//!
//! Tauri packs child webviews into a vertical box and ignores their bounds, so they are taken out of it into an
//! overlay: the shell is its base child, dashboards lie over it with margins, and GTK follows every resize by itself.
//!
//! wry answers some signals of a view in ways that do not fit a page that nobody trusts: `window.close()` destroys the
//! view, a navigation is judged without what caused it, a download is judged without whose it is. Here the stage
//! answers those signals of a dashboard, and wry does not.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use gtk::{gdk, glib, prelude::*};
use tauri::{Webview, Window};
use url::Url;
use webkit2gtk::{
    Download, DownloadExt, NavigationAction, NavigationPolicyDecision, NavigationPolicyDecisionExt, NavigationType,
    NetworkProxyMode, PolicyDecision, PolicyDecisionExt, PolicyDecisionType, ResponsePolicyDecision,
    ResponsePolicyDecisionExt, SettingsExt, URIRequestExt, UserContentManagerExt, WebContextExt, WebView, WebViewExt,
    WebsiteDataManagerExt,
};

use super::{Area, Builder, Site, download::Downloads, page::Page};

/// GTK follows the window's size by itself.
pub(super) const FOLLOWS_THE_WINDOW: bool = true;

/// The signals that wry answers and that the stage answers in its stead. The mouse buttons are among them because wry
/// runs a script in the page for the back and forward buttons.
const OURS: [&str; 5] = ["close", "create", "decide-policy", "button-press-event", "button-release-event"];

/// Between the loads of a page that ends its process by itself.
const BREATH: Duration = Duration::from_secs(10);

thread_local! {
    /// On the main thread, where all of GTK lives.
    static OVERLAY: RefCell<Option<gtk::Overlay>> = const { RefCell::new(None) };
}

/// Whether there is a display. Tao panics where there is none.
pub(super) fn has_display() -> bool {
    gtk::init().is_ok()
}

/// Whether the desktop wants dark windows; what `WebKitGTK` tells pages as `prefers-color-scheme`.
pub(super) fn is_dark(_window: &Window) -> bool {
    gtk::Settings::default().is_some_and(|settings| {
        settings.is_gtk_application_prefer_dark_theme()
            || settings.gtk_theme_name().is_some_and(|name| name.to_lowercase().ends_with("-dark"))
    })
}

/// What only this platform asks of a dashboard's builder.
///
/// The shell's folder, so that no second web context is made beside it: `WebDriver` knows the first one only. Outside
/// of `WebDriver` the dashboard is incognito and has a context of its own that stores nothing there, and in which the
/// shell's URI schemes do not exist.
pub(super) fn builder(builder: Builder, site: &Site) -> Builder {
    builder.data_directory(site.shell_data.clone())
}

/// Makes the shell the overlay's base child.
pub(super) fn adopt_shell(shell: &Webview) -> tauri::Result<()> {
    shell.with_webview(|platform| {
        let view = platform.inner();
        let Some(parent) = view.parent().and_then(|parent| parent.downcast::<gtk::Box>().ok()) else {
            tracing::error!("the shell webview is not where Tauri packs it: the window cannot be laid out");
            return;
        };
        on_download(&view, |download| {
            download.connect_decide_destination(|download, _| {
                download.cancel();
                true
            });
        });
        come_back(&view);
        let overlay = gtk::Overlay::new();
        parent.remove(&view);
        overlay.add(&view);
        parent.pack_start(&overlay, true, true, 0);
        overlay.show_all();
        OVERLAY.with_borrow_mut(|kept| *kept = Some(overlay));
    })
}

/// Makes a blank dashboard webview safe to load a page, and puts it over the shell, hidden.
pub(super) fn prepare_dashboard(webview: &Webview, site: &Site) -> tauri::Result<()> {
    let Site { page, downloads, .. } = site.clone();
    webview.with_webview(move |platform| {
        let view = platform.inner();
        let content = view.user_content_manager().expect("wry makes every view with one");
        content.remove_all_scripts();
        content.unregister_script_message_handler("ipc");
        // Loopback must be reached directly: with `http_proxy` set, WebKitGTK would send even 127.0.0.1 there.
        if let Some(storage) = view.website_data_manager() {
            storage.set_network_proxy_settings(NetworkProxyMode::NoProxy, None);
        }
        if let Some(settings) = WebViewExt::settings(&view) {
            // A page stays within its place.
            settings.set_enable_fullscreen(false);
            // What its policy does not reach: name look-ups ahead of time, pings of links, connections from peer to peer.
            settings.set_enable_dns_prefetching(false);
            settings.set_enable_hyperlink_auditing(false);
            settings.set_enable_webrtc(false);
        }
        for signal in OURS {
            silence(&view, signal);
        }
        rule_navigation(&view, &page);
        keep_downloads(&view, page.clone(), downloads);
        report_address(&view, page);
        come_back(&view);
        go_back_and_forth(&view);
        put_over_shell(&view);
    })
}

/// Disconnects what wry connected to a signal of this object.
///
/// One by one: before `GLib` 2.78 `g_signal_handlers_disconnect_matched` finds nothing by a signal's id alone, and says
/// nothing about it.
#[allow(unsafe_code, reason = "the safe binding disconnects by a handler's id, which wry keeps to itself")]
fn silence(object: &impl IsA<glib::Object>, signal: &'static str) {
    use glib::{gobject_ffi, subclass::SignalId, translate::IntoGlib};
    let signal = SignalId::lookup(signal, object.type_()).expect("WebKitGTK 2.40 has every signal named here");
    let object = object.as_ptr().cast::<gobject_ffi::GObject>();
    loop {
        // SAFETY: `object` is a live GObject for the whole call, the signal's id was looked up for its type, and with
        // `G_SIGNAL_MATCH_ID` alone GLib reads none of the null pointers.
        let handler = unsafe {
            gobject_ffi::g_signal_handler_find(
                object,
                gobject_ffi::G_SIGNAL_MATCH_ID,
                signal.into_glib(),
                0,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        if handler == 0 {
            return;
        }
        // SAFETY: GLib has just named this handler of this live object.
        unsafe { gobject_ffi::g_signal_handler_disconnect(object, handler) };
    }
}

fn rule_navigation(view: &WebView, page: &Page) {
    let rules = page.clone();
    view.connect_decide_policy(move |view, decision, kind| match kind {
        PolicyDecisionType::NavigationAction | PolicyDecisionType::NewWindowAction => {
            let new_window = kind == PolicyDecisionType::NewWindowAction;
            if let Some(navigation) = decision.downcast_ref::<NavigationPolicyDecision>() {
                decide(view, decision, navigation.navigation_action(), new_window, &rules);
            } else {
                decision.ignore();
            }
            true
        }
        PolicyDecisionType::Response => {
            let response = decision.downcast_ref::<ResponsePolicyDecision>();
            let to_file = response.is_some_and(|it| it.is_main_frame_main_resource() && !it.is_mime_type_supported());
            if to_file {
                decision.download();
            }
            to_file
        }
        _ => false,
    });
    let rules = page.clone();
    view.connect_create(move |view, action| {
        if let Some(url) = address(action).and_then(|url| rules.in_place_of_window(&url, is_click(action))) {
            view.load_uri(url.as_str());
        }
        None
    });
}

fn decide(view: &WebView, decision: &PolicyDecision, action: Option<NavigationAction>, new_window: bool, page: &Page) {
    let Some((url, action)) = action.and_then(|action| Some((address(&action)?, action))) else {
        decision.ignore();
        return;
    };
    if new_window {
        decision.ignore();
        if let Some(url) = page.in_place_of_window(&url, is_click(&action)) {
            view.load_uri(url.as_str());
        }
    } else if !page.may_go_to(&url, is_click(&action)) {
        decision.ignore();
    } else if is_repetition(&action) {
        tracing::info!("a request that changes something is not sent again by a reload");
        decision.ignore();
    } else {
        decision.use_();
    }
}

/// A person clicked on a link with the mouse, as far as `WebKit` tells: a click that a script made has no button, and
/// neither has the Enter key, so both are asked about. It does not tell in which frame; all are of the page's own
/// origin.
fn is_click(action: &NavigationAction) -> bool {
    action.navigation_type() == NavigationType::LinkClicked && action.is_user_gesture() && action.mouse_button() != 0
}

/// A reload or a step in the history would send a form again.
fn is_repetition(action: &NavigationAction) -> bool {
    let again = matches!(
        action.navigation_type(),
        NavigationType::Reload | NavigationType::BackForward | NavigationType::FormResubmitted
    );
    let method = action.request().and_then(|request| request.http_method());
    again && method.is_some_and(|method| !matches!(method.as_str(), "GET" | "HEAD"))
}

fn address(action: &NavigationAction) -> Option<Url> {
    Url::parse(&action.request()?.uri()?).ok()
}

/// Calls `then` with what this view downloads, before its destination is decided.
///
/// A web context can serve several views, so each looks for its own. wry's handler, which saves whatever comes into the
/// current folder, has been connected to the download by then and is taken away.
fn on_download(view: &WebView, then: impl Fn(&Download) + 'static) {
    let Some(context) = view.context() else { return };
    let owner = view.downgrade();
    context.connect_download_started(move |_, download| {
        if download.web_view().is_some() && download.web_view() == owner.upgrade() {
            silence(download, "decide-destination");
            then(download);
        }
    });
}

/// Saves what this view downloads.
fn keep_downloads(view: &WebView, page: Page, downloads: Downloads) {
    on_download(view, move |download| {
        let target: Rc<RefCell<Option<PathBuf>>> = Rc::default();
        let failed = Rc::new(Cell::new(false));
        let (rules, folder, decided) = (page.clone(), downloads.clone(), target.clone());
        download.connect_decide_destination(move |download, suggested| {
            let url = download.request().and_then(|request| request.uri()).and_then(|uri| Url::parse(&uri).ok());
            let path = if url.is_some_and(|url| url.scheme() == "data" || rules.may_go_to(&url, false)) {
                begin(&folder, suggested, &rules)
            } else {
                None
            };
            match &path {
                Some(path) => download.set_destination(&path.to_string_lossy()),
                None => download.cancel(),
            }
            decided.replace(path);
            true
        });
        let has_failed = failed.clone();
        download.connect_failed(move |_, _| has_failed.set(true));
        let (page, downloads) = (page.clone(), downloads.clone());
        // After a failure, too.
        download.connect_finished(move |_| {
            let Some(path) = target.take() else { return };
            downloads.end(&path);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            page.downloaded(Some(path).filter(|_| !failed.get()), name);
        });
    });
}

fn begin(downloads: &Downloads, suggested: &str, page: &Page) -> Option<PathBuf> {
    match downloads.begin(suggested) {
        Ok(path) => Some(path),
        Err(error) => {
            tracing::warn!(%error, "the downloads folder cannot be used");
            page.downloaded(None, super::download::safe_name(suggested));
            None
        }
    }
}

/// Tells every change of address and of loading: links, forms, history, and what scripts write into the address.
fn report_address(view: &WebView, page: Page) {
    let told: Rc<RefCell<Option<(String, bool)>>> = Rc::default();
    let tell = move |view: &WebView| {
        let Some(uri) = view.uri() else { return };
        let now = Some((uri.to_string(), view.is_loading()));
        if *told.borrow() != now
            && let Ok(url) = Url::parse(&uri)
        {
            page.is_at(&url, view.is_loading());
            told.replace(now);
        }
    };
    view.connect_uri_notify(tell.clone());
    view.connect_is_loading_notify(tell);
}

/// A view whose web process crashed or was killed (a week is long, and memory short) loads its page again: at once, or after
/// a while where it has just done so.
fn come_back(view: &WebView) {
    let last: Cell<Option<Instant>> = Cell::default();
    view.connect_web_process_terminated(move |view, reason| {
        let again = last.replace(Some(Instant::now())).is_some_and(|last| last.elapsed() < BREATH);
        tracing::warn!(?reason, again, "the process of a webview ended");
        // Later it no longer knows.
        let Some(uri) = view.uri() else { return };
        if again {
            let view = view.downgrade();
            glib::timeout_add_local_once(BREATH, move || view.upgrade().iter().for_each(|view| view.load_uri(&uri)));
        } else {
            view.load_uri(&uri);
        }
    });
}

/// The mouse's back and forward buttons.
fn go_back_and_forth(view: &WebView) {
    view.connect_button_press_event(|view, event| {
        match event.button() {
            8 => view.go_back(),
            9 => view.go_forward(),
            _ => return glib::Propagation::Proceed,
        }
        glib::Propagation::Stop
    });
    view.add_events(gdk::EventMask::BUTTON_PRESS_MASK);
}

fn put_over_shell(view: &WebView) {
    OVERLAY.with_borrow(|overlay| {
        let Some(overlay) = overlay else { return };
        if let Some(parent) = view.parent().and_then(|parent| parent.downcast::<gtk::Container>().ok()) {
            parent.remove(view);
        }
        view.set_visible(false);
        view.set_halign(gtk::Align::Fill);
        view.set_valign(gtk::Align::Fill);
        overlay.add_overlay(view);
    });
}

/// The overlay gives the shell the whole window.
#[allow(clippy::unnecessary_wraps, reason = "on the other platforms it can fail")]
pub(super) fn place_shell(_shell: &Webview, _area: Area) -> tauri::Result<()> {
    Ok(())
}

/// Shows a dashboard in `area`, or hides it; its page stays as it is.
#[allow(clippy::cast_possible_truncation, reason = "margins are small whole pixels")]
pub(super) fn place_dashboard(webview: &Webview, area: Option<Area>) -> tauri::Result<()> {
    webview.with_webview(move |platform| {
        let view = platform.inner();
        if let Some(area) = area {
            view.set_margin_start(area.x.round() as i32);
            view.set_margin_top(area.y.round() as i32);
        }
        view.set_visible(area.is_some());
    })
}
