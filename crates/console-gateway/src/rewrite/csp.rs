//! What becomes of a Content Security Policy when the page moves from the admin's origin to the gateway's? (CSP 3)

use std::borrow::Cow;

use url::Url;

use super::site::Site;

const OWN: &str = "'self'";

/// They would send the page's requests to https, or reports around the gateway.
const DROPPED: [&str; 3] = ["upgrade-insecure-requests", "report-uri", "report-to"];

/// Directives with source lists beside those whose name ends in `-src`, `-src-elem` and `-src-attr`.
const SOURCE_LISTS: [&str; 4] = ["base-uri", "form-action", "frame-ancestors", "navigate-to"];

/// The value of a policy header (or `meta`), which may be several policies with commas between them. `None`: stays as
/// it is; empty: nothing remains of it. Directives that need no change stay as they are written.
pub(super) fn rewrite(site: &Site, value: &str) -> Option<String> {
    let policies: Vec<Cow<'_, str>> = value.split(',').map(|policy| rewrite_policy(site, policy)).collect();
    if policies.iter().all(|policy| matches!(policy, Cow::Borrowed(_))) {
        return None;
    }
    let kept: Vec<&str> = policies.iter().map(|policy| policy.trim()).filter(|policy| !policy.is_empty()).collect();
    Some(kept.join(", "))
}

fn rewrite_policy<'a>(site: &Site, policy: &'a str) -> Cow<'a, str> {
    let mut changed = false;
    let mut kept = Vec::new();
    for directive in policy.split(';') {
        let name = directive.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if DROPPED.contains(&name.as_str()) {
            changed = true;
            continue;
        }
        let rewritten = if has_sources(&name) { rewrite_sources(site, directive) } else { None };
        changed |= rewritten.is_some();
        kept.push(rewritten.map_or(Cow::Borrowed(directive), Cow::Owned));
    }
    if !changed {
        return Cow::Borrowed(policy);
    }
    let is_empty = kept.iter().all(|directive| directive.trim().is_empty());
    Cow::Owned(if is_empty { String::new() } else { kept.join(";").trim().to_owned() })
}

fn has_sources(directive: &str) -> bool {
    ["-src", "-src-elem", "-src-attr"].iter().any(|end| directive.ends_with(end)) || SOURCE_LISTS.contains(&directive)
}

/// A source list in which the realm's host is `'self'`; `None`: needs no change.
fn rewrite_sources(site: &Site, directive: &str) -> Option<String> {
    let mut changed = false;
    let mut kept: Vec<&str> = Vec::new();
    let mut add_own = false;
    for (position, word) in directive.split_ascii_whitespace().enumerate() {
        // The first word is the directive's name.
        let reach = if position == 0 { Reach::Elsewhere } else { reach(site, word) };
        match reach {
            Reach::Host => (changed, add_own) = (true, true),
            Reach::More => {
                add_own = true;
                kept.push(word);
            }
            Reach::Elsewhere => kept.push(word),
        }
    }
    if add_own && !kept.iter().any(|word| word.eq_ignore_ascii_case(OWN)) {
        changed = true;
        kept.push(OWN);
    }
    changed.then(|| {
        let space = if directive.starts_with(|char: char| char.is_ascii_whitespace()) { " " } else { "" };
        format!("{space}{}", kept.join(" "))
    })
}

enum Reach {
    /// The realm's host: becomes `'self'`. (A path in it is lost: `'self'` has none.)
    Host,
    /// The realm's host among others (`*.example.com`, `https:`). It stays, but does not reach the gateway's origin.
    More,
    Elsewhere,
}

/// What a source expression reaches (CSP 3 §2.3.1).
fn reach(site: &Site, source: &str) -> Reach {
    if source.eq_ignore_ascii_case("https:") && site.scheme() == "https" {
        return Reach::More;
    }
    if source.starts_with('\'') {
        return Reach::Elsewhere;
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (site.scheme().to_owned(), source),
    };
    let scheme = match scheme.as_str() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return Reach::Elsewhere,
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let (Some(own_host), is_wildcard) = (site.host(), host.starts_with("*.")) else {
        return Reach::Elsewhere;
    };
    let own_host = own_host.to_string();
    // `*.example.com` reaches every host below example.com, not example.com.
    let judged = match host.strip_prefix('*') {
        Some(suffix) if is_wildcard => {
            if !own_host.ends_with(&suffix.to_ascii_lowercase()) {
                return Reach::Elsewhere;
            }
            own_host.as_str()
        }
        _ => host,
    };
    let (scheme, port) = match port {
        // Any port: the realm's own, then.
        Some("*") => (site.scheme(), site.port().map(|port| port.to_string())),
        port => (scheme, port.map(str::to_owned)),
    };
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    match Url::parse(&format!("{scheme}://{judged}{port}/")) {
        Ok(url) if site.owns(&url) => {
            if is_wildcard {
                Reach::More
            } else {
                Reach::Host
            }
        }
        _ => Reach::Elsewhere,
    }
}
