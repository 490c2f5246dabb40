//! May this request enter at all? Judged before anything else of it is looked at (DESIGN 5.1).

use http::{HeaderMap, Method, Uri, header};

use crate::{third_party::REPORTS_PATH, ticket::Guard};

/// Where a gateway listens, as a browser writes it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// `127.0.0.1:<port>`.
    pub(crate) host: String,
    /// `http://127.0.0.1:<port>`.
    pub(crate) text: String,
}

/// The path under which entry tickets are redeemed: `/.console/enter/<ticket>`.
pub(crate) const ENTRY_PATH: &str = "/.console/enter/";

/// Why a request is not admitted. For the log and the tests; the answer to all of them is the same 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Denied {
    Method,
    TargetForm,
    Host,
    CrossSite,
    Origin,
    ServiceWorker,
    GuardCookie,
}

/// Judges method, target form, `Host`, fetch metadata and `Origin`: everything but the guard cookie.
pub(crate) fn judge_sender(method: &Method, uri: &Uri, headers: &HeaderMap, origin: &Origin) -> Result<(), Denied> {
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE) {
        return Err(Denied::Method);
    }
    if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(Denied::TargetForm);
    }
    if only(headers, &header::HOST) != Some(origin.host.as_str()) {
        return Err(Denied::Host);
    }
    if headers.contains_key("service-worker") {
        return Err(Denied::ServiceWorker);
    }
    let mode = text(headers, "sec-fetch-mode");
    let site = text(headers, "sec-fetch-site");
    match site {
        None | Some("same-origin") => {}
        Some("none") if mode == Some("navigate") => {}
        Some(_) => return Err(Denied::CrossSite),
    }
    // WebKit sends a page's reports without naming its origin.
    let is_report = *method == Method::POST && uri == REPORTS_PATH && site == Some("same-origin");
    let own_origin = match only(headers, &header::ORIGIN) {
        Some("null") => is_report,
        written => written == Some(origin.text.as_str()),
    };
    if !own_origin && (!is_safe(method) || headers.contains_key(header::ORIGIN)) {
        return Err(Denied::Origin);
    }
    Ok(())
}

/// Judges the guard cookie.
pub(crate) fn judge_guard(headers: &HeaderMap, guard: &Guard) -> Result<(), Denied> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    if guard.admits(cookies) { Ok(()) } else { Err(Denied::GuardCookie) }
}

/// RFC 9110 §9.2.1, of the methods that are admitted.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// A header's value when there is exactly one.
fn only<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    first.to_str().ok()
}

/// A header's value; `?`, which means nothing, when it is repeated or no text: nobody can say then which one counts.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(if values.next().is_some() { "?" } else { first.to_str().unwrap_or("?") })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

    use super::{Denied, Origin, judge_sender};

    #[allow(clippy::needless_pass_by_value, reason = "constants read best")]
    fn judge(method: Method, target: &'static str, lines: &[(&'static str, &'static str)]) -> Result<(), Denied> {
        let origin = Origin { host: "127.0.0.1:4000".into(), text: "http://127.0.0.1:4000".into() };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        judge_sender(&method, &Uri::from_static(target), &headers, &origin)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:4000");
    const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:4000");

    #[test]
    fn a_page_of_our_own_is_admitted() {
        assert_eq!(judge(Method::GET, "/a", &[HOST]), Ok(()));
        assert_eq!(judge(Method::GET, "/a", &[HOST, ("sec-fetch-site", "same-origin")]), Ok(()));
        assert_eq!(
            judge(Method::GET, "/a", &[HOST, ("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]),
            Ok(())
        );
        assert_eq!(judge(Method::POST, "/a", &[HOST, ORIGIN, ("sec-fetch-site", "same-origin")]), Ok(()));
    }

    #[test]
    fn any_other_host_is_denied() {
        for host in ["localhost:4000", "127.0.0.1", "127.0.0.1:4001", "evil.example", "127.0.0.1:4000.evil.example"] {
            assert_eq!(judge(Method::GET, "/", &[("host", host)]), Err(Denied::Host), "{host}");
        }
        assert_eq!(judge(Method::GET, "/", &[]), Err(Denied::Host));
        assert_eq!(judge(Method::GET, "/", &[HOST, HOST]), Err(Denied::Host));
    }

    #[test]
    fn other_sites_and_origins_are_denied() {
        for site in ["cross-site", "same-site", "none", "bogus"] {
            assert_eq!(judge(Method::GET, "/", &[HOST, ("sec-fetch-site", site)]), Err(Denied::CrossSite), "{site}");
        }
        let repeated = [HOST, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
        assert_eq!(judge(Method::GET, "/", &repeated), Err(Denied::CrossSite));
        for origin in ["http://127.0.0.1:4001", "null", "http://localhost:4000", "https://127.0.0.1:4000"] {
            assert_eq!(judge(Method::POST, "/", &[HOST, ("origin", origin)]), Err(Denied::Origin), "{origin}");
            assert_eq!(judge(Method::GET, "/", &[HOST, ("origin", origin)]), Err(Denied::Origin), "{origin}");
        }
        assert_eq!(judge(Method::POST, "/", &[HOST]), Err(Denied::Origin));
    }

    #[test]
    fn a_pages_report_may_leave_its_origin_out_if_the_browser_says_whose_it_is() {
        const NULL: (&str, &str) = ("origin", "null");
        const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
        assert_eq!(judge(Method::POST, "/.console/blocked", &[HOST, NULL, SAME]), Ok(()));
        assert_eq!(judge(Method::POST, "/.console/blocked", &[HOST, ORIGIN, SAME]), Ok(()));
        assert_eq!(judge(Method::POST, "/.console/blocked", &[HOST, NULL]), Err(Denied::Origin));
        assert_eq!(judge(Method::POST, "/.console/blocked?x", &[HOST, NULL, SAME]), Err(Denied::Origin));
        assert_eq!(judge(Method::PUT, "/.console/blocked", &[HOST, NULL, SAME]), Err(Denied::Origin));
        assert_eq!(judge(Method::POST, "/asyncmq/", &[HOST, NULL, SAME]), Err(Denied::Origin));
        let site = ("sec-fetch-site", "cross-site");
        assert_eq!(judge(Method::POST, "/.console/blocked", &[HOST, NULL, site]), Err(Denied::CrossSite));
    }

    #[test]
    fn other_methods_target_forms_and_service_workers_are_denied() {
        for method in [Method::OPTIONS, Method::TRACE, Method::CONNECT] {
            assert_eq!(judge(method, "/", &[HOST, ORIGIN]), Err(Denied::Method));
        }
        assert_eq!(judge(Method::GET, "http://127.0.0.1:4000/", &[HOST]), Err(Denied::TargetForm));
        assert_eq!(judge(Method::GET, "/sw.js", &[HOST, ("service-worker", "script")]), Err(Denied::ServiceWorker));
    }
}
