//! What becomes of an upstream's response headers? (DESIGN 5.1, 5.7)

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::value::RawValue;

use super::{
    attribute, csp,
    site::{Schemes, Site},
    text::{self, Edit, Text},
};

/// RFC 9110 §7.6.1, what older proxies send (RFC 2616 §13.5.1), and the proxy's own authentication (RFC 9110 §11.7).
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// They would govern the loopback origin, which is the gateway's, or name a credential, which is the session's.
const DROPPED: [&str; 10] = [
    "alt-svc",                   // RFC 7838: another server for this origin
    "clear-site-data",           // the guard cookie lives here
    "nel",                       // network error reports
    "report-to",                 // Reporting API
    "reporting-endpoints",       // Reporting API
    "service-worker-allowed",    // no service worker comes in between
    "set-cookie",                // RFC 6265: kept in the core's jar
    "set-cookie2",               // RFC 2965
    "strict-transport-security", // RFC 6797: loopback has no TLS
    "www-authenticate",          // RFC 9110 §11.6.1: would open the browser's own dialog
];

/// Their value is one URL: RFC 9110 §10.2.2 and §8.7; htmx (whose `HX-Push-Url` may also be `false`).
const URLS: [&str; 5] = ["location", "content-location", "hx-redirect", "hx-push-url", "hx-replace-url"];

pub(super) fn rewrite(site: &Site, headers: &mut HeaderMap) {
    drop_unfit(headers);
    for name in URLS {
        edit(headers, name, |value| edited(value, site.cut(&Text::plain(value), 0..value.len(), Schemes::Web)));
    }
    edit(headers, "link", |value| edited(value, link(site, value)));
    edit(headers, "refresh", |value| {
        let text = Text::plain(value);
        edited(value, attribute::refresh(&text).and_then(|url| site.cut(&text, url, Schemes::Web)))
    });
    edit(headers, "hx-location", |value| hx_location(site, value));
    for name in ["content-security-policy", "content-security-policy-report-only"] {
        edit(headers, name, |value| {
            // Header values are Latin-1 to a browser (Fetch, "isomorphic decode"), and bytes to us.
            let policy: String = value.iter().copied().map(char::from).collect();
            let policy = csp::rewrite(site, &policy)?;
            Some(policy.chars().filter_map(|char| u8::try_from(char).ok()).collect())
        });
    }
}

fn drop_unfit(headers: &mut HeaderMap) {
    let mut unfit = connection_options(headers);
    unfit.extend(headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned());
    unfit.extend(HOP_BY_HOP.into_iter().chain(DROPPED).map(HeaderName::from_static));
    for name in unfit {
        headers.remove(name);
    }
}

/// Every field that any `Connection` line names (RFC 9110 §7.6.1).
fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect()
}

/// Replaces the values for which `change` has something better; an empty one is removed.
fn edit(headers: &mut HeaderMap, name: &'static str, change: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let name = HeaderName::from_static(name);
    let changed: Vec<Option<Vec<u8>>> = headers.get_all(&name).iter().map(|value| change(value.as_bytes())).collect();
    if changed.iter().all(Option::is_none) {
        return;
    }
    let values: Vec<HeaderValue> = headers
        .get_all(&name)
        .iter()
        .zip(changed)
        .filter_map(|(original, changed)| match changed {
            None => Some(original.clone()),
            Some(value) if value.is_empty() => None,
            // Only parts of the original and ASCII of ours: it cannot be invalid.
            Some(value) => HeaderValue::from_bytes(&value).ok(),
        })
        .collect();
    headers.remove(&name);
    for value in values {
        headers.append(&name, value);
    }
}

fn edited(value: &[u8], edits: impl IntoIterator<Item = Edit>) -> Option<Vec<u8>> {
    let edits: Vec<Edit> = edits.into_iter().collect();
    (!edits.is_empty()).then(|| text::apply(value, &edits))
}

/// The targets of `Link` (RFC 8288 §3): what is in angle brackets outside of quoted strings.
fn link(site: &Site, value: &[u8]) -> Vec<Edit> {
    let text = Text::plain(value);
    let mut edits = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.byte(at) {
        at += 1;
        match byte {
            b'<' => {
                let end = text.find(at..text.len(), |byte| byte == b'>');
                edits.extend(site.cut(&text, at..end, Schemes::Web));
                at = end;
            }
            b'"' => {
                while let Some(byte) = text.byte(at).filter(|byte| *byte != b'"') {
                    at += if byte == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            _ => {}
        }
    }
    edits
}

/// htmx: a URL, or JSON with the URL as `path`. The rest of the JSON stays as it is written.
fn hx_location(site: &Site, value: &[u8]) -> Option<Vec<u8>> {
    if value.trim_ascii_start().first() != Some(&b'{') {
        return edited(value, site.cut(&Text::plain(value), 0..value.len(), Schemes::Web));
    }
    let fields: HashMap<String, &RawValue> = serde_json::from_slice(value).ok()?;
    let written = fields.get("path")?.get();
    let path: String = serde_json::from_str(written).ok()?;
    let text = Text::plain(path.as_bytes());
    let path = text::apply(path.as_bytes(), &[site.cut(&text, 0..text.len(), Schemes::Web)?]);
    let path = serde_json::to_string(std::str::from_utf8(&path).ok()?).ok()?;
    // `written` is a part of `value`, so the distance between them is where it begins.
    let start = (written.as_ptr() as usize).checked_sub(value.as_ptr() as usize)?;
    let edit = Edit { range: start..start + written.len(), with: ascii(&path).into_bytes().into() };
    edited(value, [edit])
}

/// JSON in ASCII: a browser reads a header's bytes as Latin-1.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            out.push(char);
        } else {
            out.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}
