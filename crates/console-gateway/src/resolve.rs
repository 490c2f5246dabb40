//! Which upstream address does a request mean, and is it inside the realm? (DESIGN 5.2)

use std::borrow::Cow;

use http::Uri;
use percent_encoding::percent_decode_str;
use url::Url;

use console_core::realm::BaseUrl;

/// A request's address, as reqwest will send it and as the admin will read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The exact address.
    pub(crate) url: Url,
    /// Its path, decoded once, as AsyncMQ routes it.
    pub(crate) decoded_path: String,
}

/// Why an address is not inside the realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// Parsing changed the path's segments, or the decoded path would.
    Ambiguous,
    /// Another path of the same host.
    OtherPath,
}

/// The address below `base` that `uri` means.
pub(crate) fn resolve(base: &BaseUrl, uri: &Uri) -> Result<Target, Outside> {
    let asked = uri.path();
    let mut url = base.as_url().clone();
    let joined = match uri.query() {
        Some(query) => format!("{asked}?{query}"),
        None => asked.to_owned(),
    };
    // Set through a parse of the whole, because that is what reqwest's `Url` goes through as well.
    url.set_path("");
    url.set_query(None);
    let url = Url::parse(&format!("{}{joined}", url.as_str().trim_end_matches('/'))).map_err(|_| Outside::Ambiguous)?;
    if url.host() != base.as_url().host() || url.port() != base.as_url().port() || !same_segments(asked, url.path()) {
        return Err(Outside::Ambiguous);
    }
    let decoded_path = decode_once(url.path())?;
    if !base.realm().contains(&url) || !is_below(base.prefix(), &decoded_path) {
        return Err(Outside::OtherPath);
    }
    Ok(Target { url, decoded_path })
}

/// The path as AsyncMQ routes it: decoded once, so that `%2F` splits a segment.
pub(crate) fn decode_once(path: &str) -> Result<String, Outside> {
    let decoded: Cow<'_, str> = percent_decode_str(path).decode_utf8_lossy();
    let leaves = decoded.split('/').any(|segment| {
        // `..;x` is `..` to servers that know path parameters.
        let name = segment.split(';').next().unwrap_or_default();
        name == "." || name == ".."
    });
    if leaves || decoded.contains('\\') || decoded.chars().any(char::is_control) {
        return Err(Outside::Ambiguous);
    }
    Ok(decoded.into_owned())
}

/// Whether `path` is `prefix` or below it.
pub(crate) fn is_below(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn same_segments(asked: &str, parsed: &str) -> bool {
    let decoded = |path: &str| path.split('/').map(|s| percent_decode_str(s).collect::<Vec<u8>>()).collect::<Vec<_>>();
    decoded(asked) == decoded(parsed)
}

#[cfg(test)]
mod tests {
    use console_core::realm::BaseUrl;

    use super::{Outside, resolve};

    fn asked(base: &str, target: &str) -> Result<String, Outside> {
        let base = BaseUrl::parse(base, true).expect("base");
        resolve(&base, &target.parse().expect("target")).map(|target| target.url.to_string())
    }

    #[test]
    fn paths_below_the_prefix_pass_with_their_query() {
        let base = "https://a.example/asyncmq";
        assert_eq!(asked(base, "/asyncmq").as_deref(), Ok("https://a.example/asyncmq"));
        assert_eq!(
            asked(base, "/asyncmq/queues/a%20b/jobs?state=failed&q=%2e%2e").as_deref(),
            Ok("https://a.example/asyncmq/queues/a%20b/jobs?state=failed&q=%2e%2e")
        );
        assert_eq!(asked("http://a.example:81", "/x").as_deref(), Ok("http://a.example:81/x"));
        assert_eq!(asked("http://[::1]:81/ops/queues", "/ops/queues/x").as_deref(), Ok("http://[::1]:81/ops/queues/x"));
    }

    #[test]
    fn what_leaves_the_realm_after_parsing_is_refused() {
        for target in [
            "/asyncmq/../admin",
            "/asyncmq/%2e%2e/x",
            "/asyncmq/.%2e/x",
            "/asyncmq/..%2fx",
            "/asyncmq/%2E%2E%2Fx",
            "/asyncmq/..%5cx",
            "/asyncmq/x%5c..%5cy",
            "/asyncmq/./x",
            "/asyncmq/x%00",
            "/asyncmq/%0d%0aX:",
            "/asyncmq/..;/x",
        ] {
            assert_eq!(asked("https://a.example/asyncmq", target), Err(Outside::Ambiguous), "{target}");
        }
    }

    #[test]
    fn sibling_paths_are_outside() {
        for target in ["/", "/asyncmqx", "/asyncmq2/x", "/static/x.css", "//evil.example/asyncmq"] {
            assert!(asked("https://a.example/asyncmq", target).is_err(), "{target}");
        }
    }

    #[test]
    fn a_name_with_dots_is_not_a_dot_segment() {
        assert!(asked("https://a.example/asyncmq", "/asyncmq/queues/a..b").is_ok());
    }
}
