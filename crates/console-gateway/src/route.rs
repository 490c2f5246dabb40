//! Which requests are the console's own business and never reach the admin? (DESIGN 5, "Login and logout")

use http::{HeaderMap, Method};
use url::Url;

use console_core::environment::Environment;

use crate::{
    admit::text,
    resolve::{decode_once, is_below},
};

/// A path that the console answers itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Native {
    SignIn,
    SignOut,
}

/// The native meaning of a decoded path, if it has one.
pub(crate) fn native(environment: &Environment, decoded_path: &str) -> Option<Native> {
    let path = decoded_path.trim_end_matches('/');
    let below = path.strip_prefix(environment.base_url.prefix());
    if below == Some("/logout") || path == "/logout" {
        Some(Native::SignOut)
    } else if below == Some(environment.login_path.trim_end_matches('/')) {
        Some(Native::SignIn)
    } else {
        None
    }
}

/// Whether a request for a native path is a person's doing: a top-level navigation or a same-origin POST (admission has
/// judged the origin). An image in a job payload, a fetch or a frame is not.
pub(crate) fn is_by_person(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST || is_document(headers)
}

/// A top-level navigation (Fetch Metadata).
pub(crate) fn is_document(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-dest") == Some("document") && text(headers, "sec-fetch-mode") == Some("navigate")
}

/// A request whose answer replaces a page: a navigation of the top level or of a frame.
pub(crate) fn is_navigation(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-mode") == Some("navigate")
}

/// A path and query of this host as a browser must be told them: `//x` alone would name the host `x`.
pub(crate) fn on_this_host(path_and_query: &str) -> String {
    let names_host = path_and_query.starts_with("//") || path_and_query.starts_with("/\\");
    format!("{}{path_and_query}", if names_host { "/." } else { "" })
}

/// A `next` that a page made, when it is a path inside the realm; anything else is dropped.
pub(crate) fn safe_next(environment: &Environment, query: Option<&str>) -> Option<String> {
    let base = environment.base_url.as_url();
    let next = url::form_urlencoded::parse(query?.as_bytes()).find(|(name, _)| name == "next")?.1;
    if !next.starts_with('/') || next.starts_with("//") || next.contains('\\') || next.chars().any(char::is_control) {
        return None;
    }
    let url: Url = base.join(&next).ok()?;
    // Such as `/x/..//host`: joined it is a path, but told to a browser it would be another host.
    if url.path().starts_with("//") {
        return None;
    }
    let decoded = decode_once(url.path()).ok()?;
    let inside = url.origin() == base.origin() && is_below(environment.base_url.prefix(), &decoded);
    if !inside || native(environment, &decoded).is_some() {
        return None;
    }
    Some(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}
