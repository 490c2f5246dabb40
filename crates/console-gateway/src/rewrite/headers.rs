//! What of a response's head reaches the webview? (DESIGN 5.7)

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Rewriter, text};

/// RFC 9110 §7.6.1, and older names.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Would act on all of 127.0.0.1, or on the browser, or report to somebody: cookies ignore ports (and live in the jar).
const DROPPED: [&str; 9] = [
    "set-cookie",
    "strict-transport-security",
    "alt-svc",
    "clear-site-data",
    "www-authenticate",
    "service-worker-allowed",
    "report-to",
    "reporting-endpoints",
    "nel",
];

/// Headers whose whole value is one URL.
const ONE_URL: [&str; 5] = ["location", "content-location", "hx-redirect", "hx-push-url", "hx-replace-url"];

const CSP: [&str; 2] = ["content-security-policy", "content-security-policy-report-only"];

pub(super) fn response(rewriter: &Rewriter, headers: &mut HeaderMap) {
    for name in connection_options(headers) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP.iter().chain(&DROPPED) {
        headers.remove(*name);
    }
    let cors: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in cors {
        headers.remove(name);
    }
    for name in ONE_URL {
        map(headers, name, |value| rewriter.url(value));
    }
    map(headers, "refresh", |value| text::refresh(value, |url| rewriter.url(url)));
    map(headers, "link", |value| link(rewriter, value));
    map(headers, "hx-location", |value| rewriter.url(value).or_else(|| hx_location(rewriter, value)));
    for name in CSP {
        policies(rewriter, headers, name);
    }
}

fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

/// Replaces the values for which `rewrite` has another.
fn map(headers: &mut HeaderMap, name: &'static str, rewrite: impl Fn(&str) -> Option<String>) {
    if let header::Entry::Occupied(mut entry) = headers.entry(name) {
        for value in entry.iter_mut() {
            if let Ok(text) = std::str::from_utf8(value.as_bytes())
                && let Some(new) = rewrite(text)
                && let Ok(new) = HeaderValue::from_str(&new)
            {
                *value = new;
            }
        }
    }
}

/// RFC 8288 §3: `<url>; params, <url>; params`.
fn link(rewriter: &Rewriter, value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut changed = false;
    let mut rest = value;
    while let Some(open) = rest.find('<') {
        let Some(length) = rest[open..].find('>') else { break };
        let url = &rest[open + 1..open + length];
        out.push_str(&rest[..=open]);
        match rewriter.url(url) {
            Some(new) => {
                changed = true;
                out.push_str(&new);
            }
            None => out.push_str(url),
        }
        rest = &rest[open + length..];
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// htmx also takes JSON: `{"path": "…", "target": "…"}`.
fn hx_location(rewriter: &Rewriter, value: &str) -> Option<String> {
    let mut json: serde_json::Value = serde_json::from_str(value).ok()?;
    let path = json.get_mut("path")?;
    let new = rewriter.url(path.as_str()?)?;
    *path = new.into();
    Some(json.to_string())
}

/// The admin's own host becomes `'self'`; what would upgrade or report goes.
fn policies(rewriter: &Rewriter, headers: &mut HeaderMap, name: &'static str) {
    let old: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    for value in old {
        let kept = match value.to_str() {
            Ok(text) => HeaderValue::from_str(&policy(rewriter, text)).ok(),
            // It cannot be read here, so it is passed on: a policy only ever forbids.
            Err(_) => Some(value),
        };
        if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
            headers.append(name, kept);
        }
    }
}

fn policy(rewriter: &Rewriter, text: &str) -> String {
    let directives: Vec<String> = text
        .split(';')
        .filter_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            let name = words.next()?;
            let gone = ["upgrade-insecure-requests", "report-uri", "report-to"];
            if gone.iter().any(|gone| name.eq_ignore_ascii_case(gone)) {
                return None;
            }
            let sources = words.map(|source| if rewriter.is_source(source) { "'self'" } else { source });
            Some(std::iter::once(name).chain(sources).collect::<Vec<_>>().join(" "))
        })
        .collect();
    directives.join("; ")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use crate::rewrite::Rewriter;

    fn after(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Rewriter::new(&"https://a.example/asyncmq".parse().expect("base")).response_headers(&mut headers);
        headers
    }

    #[test]
    fn every_header_that_names_an_address_leads_here() {
        let headers = after(&[
            ("location", "https://a.example/asyncmq/login?next=%2Fx"),
            ("content-location", "http://a.example/x"),
            ("hx-redirect", "https://a.example/r"),
            ("hx-push-url", "false"),
            ("hx-location", "{\"path\":\"https://a.example/p\",\"target\":\"#t\"}"),
            ("refresh", "3; url=https://a.example/f"),
            ("link", "<https://a.example/a.css>; rel=preload, <https://b.example/b>; rel=next"),
        ]);
        assert_eq!(headers["location"], "/asyncmq/login?next=%2Fx");
        assert_eq!(headers["content-location"], "/x");
        assert_eq!(headers["hx-redirect"], "/r");
        assert_eq!(headers["hx-push-url"], "false");
        assert!(headers["hx-location"].to_str().expect("text").contains("\"path\":\"/p\""));
        assert_eq!(headers["refresh"], "3; url=/f");
        assert_eq!(headers["link"], "</a.css>; rel=preload, <https://b.example/b>; rel=next");
    }

    #[test]
    fn a_policy_that_names_the_host_names_this_origin_and_does_not_upgrade_or_report() {
        let headers = after(&[
            (
                "content-security-policy",
                "default-src 'self' https://a.example https://cdn.example; connect-src http://a.example/asyncmq/ a.example \
                 wss://a.example; upgrade-insecure-requests; report-uri /csp; block-all-mixed-content",
            ),
            ("content-security-policy", "upgrade-insecure-requests"),
        ]);
        let policies: Vec<_> = headers.get_all("content-security-policy").iter().collect();
        assert_eq!(
            policies,
            ["default-src 'self' 'self' https://cdn.example; connect-src 'self' 'self' wss://a.example; block-all-mixed-content"]
        );
    }

    #[test]
    fn what_connection_names_goes_and_etags_stay_verbatim() {
        let headers = after(&[
            ("connection", "x-one, close"),
            ("connection", "X-Two"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("etag", "unquoted"),
            ("access-control-allow-origin", "*"),
            ("nel", "{}"),
            ("x-other", "stays"),
        ]);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["etag", "x-other"]);
    }
}
