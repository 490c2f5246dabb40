//! What of a request's head goes upstream? (DESIGN 5.5)

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use console_core::session::Authorization;

use crate::{admit::Origin, route};

/// RFC 9110 §7.6.1, and the older names that proxies still meet.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Never sent on: ours to set, or a claim about the client that only a trusted proxy may make (RFC 7239).
const OURS: [&str; 7] = ["host", "cookie", "authorization", "origin", "referer", "expect", "forwarded"];

/// The content codings that the rewriter can undo; an admin is offered no other.
const CODINGS: [&str; 4] = ["gzip", "br", "deflate", "zstd"];

/// The head that the upstream gets. There is no `Via` (RFC 9110 §7.6.3 wants one of a gateway): nginx stops compressing for
/// requests that have it (`gzip_proxied`), and the admin would learn of the console. `cookies` is the jar's `Cookie` value for `target`.
pub(crate) fn request_headers(
    method: &Method,
    inbound: &HeaderMap,
    own: &Origin,
    target: &Url,
    authorization: &Authorization,
    cookies: Option<HeaderValue>,
) -> HeaderMap {
    let named_by_connection = connection_options(inbound);
    // A part of a page would be one of bytes that the browser never had: pages are rewritten.
    let is_navigation = route::is_navigation(inbound);
    let mut outbound = HeaderMap::with_capacity(inbound.len() + 2);
    for (name, value) in inbound {
        let of_parts = *name == header::RANGE || *name == header::IF_RANGE;
        let dropped = (is_navigation && of_parts)
            || HOP_BY_HOP.contains(&name.as_str())
            || OURS.contains(&name.as_str())
            || name.as_str().starts_with("x-forwarded-")
            || authorization.headers.iter().any(|(ours, _)| ours == name)
            || named_by_connection.contains(name);
        if !dropped {
            outbound.append(name.clone(), value.clone());
        }
    }
    if let Some(codings) = accepted_codings(inbound) {
        outbound.insert(header::ACCEPT_ENCODING, codings);
    } else {
        outbound.remove(header::ACCEPT_ENCODING);
    }
    let upstream_origin = target.origin().ascii_serialization();
    if inbound.contains_key(header::ORIGIN) || !crate::admit::is_safe(method) {
        // Admission has seen that it is our own.
        if let Ok(origin) = HeaderValue::from_str(&upstream_origin) {
            outbound.insert(header::ORIGIN, origin);
        }
    }
    if let Some(referer) = referer(inbound, own, &upstream_origin) {
        outbound.insert(header::REFERER, referer);
    }
    if let Some(cookies) = cookies {
        outbound.insert(header::COOKIE, cookies);
    }
    for (name, value) in &authorization.headers {
        outbound.insert(name.clone(), value.clone());
    }
    outbound
}

/// Every header that any `Connection` line names (RFC 9110 §7.6.1).
fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

fn accepted_codings(inbound: &HeaderMap) -> Option<HeaderValue> {
    let asked = inbound.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let kept: Vec<&str> = asked
        .split(',')
        .map(str::trim)
        .filter(|coding| {
            let name = coding.split(';').next().unwrap_or_default().trim();
            CODINGS.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.eq_ignore_ascii_case("identity")
        })
        .collect();
    HeaderValue::from_str(&kept.join(", ")).ok().filter(|value| !value.is_empty())
}

/// Our own address in `Referer` becomes the upstream's; any other is nobody's business.
fn referer(inbound: &HeaderMap, own: &Origin, upstream_origin: &str) -> Option<HeaderValue> {
    let path = inbound.get(header::REFERER)?.to_str().ok()?.strip_prefix(&own.text)?;
    if path.is_empty() || path.starts_with('/') {
        HeaderValue::from_str(&format!("{upstream_origin}{path}")).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use console_core::{
        clock::SystemClock,
        session::{Attachment, Session},
        token::Identity,
    };
    use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

    use super::request_headers;
    use crate::admit::Origin;

    fn sent(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let session = Session::new(Arc::new(SystemClock));
        let attachment = Attachment { header_name: header::AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None };
        session.activate(&attachment, &"token".to_owned().into(), Identity::default(), 0).expect("activates");
        let mut inbound = HeaderMap::new();
        for (name, value) in lines {
            inbound.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        request_headers(
            &Method::POST,
            &inbound,
            &Origin { host: "127.0.0.1:4000".into(), text: "http://127.0.0.1:4000".into() },
            &"https://a.example/asyncmq/x".parse().expect("url"),
            &session.authorize().expect("active"),
            Some(HeaderValue::from_static("session=1")),
        )
    }

    #[test]
    fn hop_by_hop_headers_and_everything_that_connection_names_stay_here() {
        let headers = sent(&[
            ("connection", "keep-alive, X-One"),
            ("connection", "x-two"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("keep-alive", "5"),
            ("proxy-authorization", "Basic x"),
        ]);
        for name in ["connection", "x-one", "x-two", "te", "upgrade", "keep-alive", "proxy-authorization"] {
            assert!(!headers.contains_key(name), "{name}");
        }
        assert_eq!(headers["x-three"], "3");
    }

    #[test]
    fn credentials_and_claims_of_the_page_are_replaced_by_ours() {
        let headers = sent(&[
            ("authorization", "Bearer page"),
            ("cookie", "guard=secret"),
            ("forwarded", "for=1.2.3.4"),
            ("x-forwarded-host", "evil.example"),
            ("origin", "http://127.0.0.1:4000"),
            ("referer", "http://127.0.0.1:4000/asyncmq/queues?x=1"),
            ("accept-encoding", "gzip, br;q=0.5, dcb, zstd"),
        ]);
        assert_eq!(headers[header::AUTHORIZATION], "Bearer token");
        assert_eq!(headers.get_all(header::AUTHORIZATION).iter().count(), 1);
        assert_eq!(headers[header::COOKIE], "session=1");
        assert_eq!(headers[header::ORIGIN], "https://a.example");
        assert_eq!(headers[header::REFERER], "https://a.example/asyncmq/queues?x=1");
        assert_eq!(headers[header::ACCEPT_ENCODING], "gzip, br;q=0.5, zstd");
        assert!(!headers.contains_key("forwarded") && !headers.contains_key("x-forwarded-host"));
    }

    #[test]
    fn a_foreign_referer_is_dropped() {
        for referer in ["http://127.0.0.1:40001/x", "http://127.0.0.1:4000.evil.example/", "https://other.example/"] {
            assert!(!sent(&[("referer", referer)]).contains_key(header::REFERER), "{referer}");
        }
    }
}
