//! Is this URL one of the realm's host, and what is it here?

use url::{Host, Url};

/// The hosts that mean the admin: its own, under http and https, because an admin behind TLS termination writes
/// `http://`.
#[derive(Debug, Clone)]
pub(super) struct RealmHost {
    scheme: String,
    host: Host<String>,
    port: Option<u16>,
}

impl RealmHost {
    pub(super) fn of(base: &Url) -> Option<Self> {
        Some(Self { scheme: base.scheme().to_owned(), host: base.host()?.to_owned(), port: base.port() })
    }

    /// The path, query and fragment of an absolute (or scheme-relative) URL of this host; `None` for any other.
    pub(super) fn relative(&self, value: &str) -> Option<String> {
        // What a URL parser forgives (URL Standard §4.4): control characters and spaces around, tabs and line breaks inside.
        let trimmed = value.trim_matches(|c: char| c <= ' ');
        let cleaned: String = trimmed.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
        let url = parse(&self.scheme, &cleaned)?;
        let is_own = url.username().is_empty()
            && url.password().is_none()
            && url.host().is_some_and(|host| host.to_owned() == self.host)
            && url.port() == self.port;
        if !is_own {
            return None;
        }
        Some(rootward(written_after_authority(&cleaned).unwrap_or_else(|| after_origin(&url))))
    }

    /// Whether a CSP source expression's host part means the admin.
    pub(super) fn is_source(&self, source: &str) -> bool {
        let after_scheme = source.split_once("://").map_or(source, |(_, rest)| rest);
        let authority = after_scheme.split('/').next().unwrap_or_default();
        if authority.is_empty() || authority.starts_with('\'') || authority.ends_with(':') || authority.contains('*') {
            return false;
        }
        if source.contains("://") && !source.starts_with("http://") && !source.starts_with("https://") {
            return false;
        }
        parse(&self.scheme, &format!("{}://{authority}/", self.scheme))
            .is_some_and(|url| url.host().is_some_and(|host| host.to_owned() == self.host) && url.port() == self.port)
    }
}

fn parse(scheme: &str, text: &str) -> Option<Url> {
    let begins = |word: &str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if text.starts_with("//") || text.starts_with("/\\") || text.starts_with("\\\\") || text.starts_with("\\/") {
        return Url::parse(&format!("{scheme}:{text}")).ok();
    }
    if begins("http:") || begins("https:") { Url::parse(text).ok() } else { None }
}

/// What was written behind the authority, so that nothing of it is encoded anew; `None` for the spellings that only a
/// URL parser understands.
fn written_after_authority(text: &str) -> Option<String> {
    let start = if text.starts_with("//") { 2 } else { text.find("://")? + 3 };
    let after = &text[start..];
    if after.starts_with(['/', '\\']) {
        return None;
    }
    let end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    let rest = &after[end..];
    (!rest.contains('\\')).then(|| rest.to_owned())
}

fn after_origin(url: &Url) -> String {
    url[url::Position::BeforePath..].to_owned()
}

/// A reference that stays on this host: one that begins with `//` would name another.
fn rootward(rest: String) -> String {
    if rest.starts_with("//") {
        format!("/.{rest}")
    } else if rest.starts_with('/') {
        rest
    } else {
        format!("/{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::RealmHost;

    fn relative(base: &str, value: &str) -> Option<String> {
        RealmHost::of(&base.parse().expect("base")).expect("host").relative(value)
    }

    #[test]
    fn urls_of_the_host_become_paths_as_they_were_written() {
        for (base, value, expected) in [
            ("https://a.example/asyncmq", "https://a.example/asyncmq/x?y=%2F#z", "/asyncmq/x?y=%2F#z"),
            ("https://a.example", "http://a.example/x", "/x"),
            ("https://a.example", "http://a.example:80/x", "/x"),
            ("https://a.example", "HTTPS://A.EXAMPLE:443/X", "/X"),
            ("https://a.example", "//a.example/x", "/x"),
            ("https://a.example", " https://a.example\t/x\n", "/x"),
            ("https://a.example", "https://a.example", "/"),
            ("https://a.example", "https://a.example?q", "/?q"),
            ("http://127.0.0.1:8000/asyncmq", "http://127.0.0.1:8000/static/a b.css", "/static/a b.css"),
            ("http://[::1]:81", "http://[0:0::1]:81/x", "/x"),
            ("https://bücher.example", "https://xn--bcher-kva.example/x", "/x"),
            ("https://xn--bcher-kva.example", "https://bücher.example/ü", "/ü"),
            ("https://a.example", "https:/\\a.example\\x", "/x"),
        ] {
            assert_eq!(relative(base, value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn other_urls_are_left_alone() {
        for value in [
            "/x", "x", "?q", "#f", "", "https://b.example/", "https://a.example:444/", "https://a.example.evil.example/",
            "https://user@a.example/", "https://a.example@evil.example/", "ftp://a.example/", "javascript:x",
            "data:text/plain,https://a.example/", "https://evil.example/https://a.example/", "mailto:x@a.example",
        ] {
            assert_eq!(relative("https://a.example", value), None, "{value}");
        }
    }

    #[test]
    fn a_path_that_begins_with_two_slashes_does_not_become_another_host() {
        assert_eq!(relative("https://a.example", "https://a.example//evil.example/x").as_deref(), Some("/.//evil.example/x"));
        assert_eq!(relative("https://a.example", "https://a.example/\\evil.example").as_deref(), Some("/.//evil.example"));
    }
}
