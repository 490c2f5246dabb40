//! Which attributes hold URLs, and nothing else of a document changes.
//!
//! `value`, other `data-*`, `title`, text, `textarea`, `pre` and scripts stay byte-identical: job payloads hold URLs, and
//! the repeatables page posts JSON back from a `value`. The parser hands out raw attribute values, so entities are decoded
//! to look and encoded again to write; an attribute that does not change is not touched at all.

use std::borrow::Cow;

use lol_html::{element, send::Settings};

use super::{Rewriter, text};

/// Attributes whose whole value is one URL (HTML's index of attributes, SVG's `xlink:href`, htmx's).
const ONE_URL: [&str; 18] = [
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "cite",
    "data",
    "background",
    "manifest",
    "longdesc",
    "xlink:href",
    "hx-get",
    "hx-post",
    "hx-put",
    "hx-patch",
    "hx-delete",
    "hx-push-url",
    "hx-replace-url",
];

/// The settings of a rewriter for one document.
pub(super) fn settings(rewriter: Rewriter) -> Settings<'static, 'static> {
    Settings::new_send().append_element_content_handler(element!("*", move |element| {
        let mut changes: Vec<(String, String)> = Vec::new();
        for attribute in element.attributes() {
            let name = attribute.name();
            let raw = attribute.value();
            if !rewriter.may_occur_in(&raw) {
                continue;
            }
            let value = if raw.contains('&') { html_escape::decode_html_entities(&raw) } else { Cow::Borrowed(raw.as_str()) };
            let new = match name.as_str() {
                "srcset" | "imagesrcset" => text::srcset(&value, |url| rewriter.url(url)),
                "ping" => text::list(&value, |url| rewriter.url(url)),
                "content" => text::refresh(&value, |url| rewriter.url(url)),
                name if is_one_url(name) => rewriter.url(&value),
                _ => None,
            };
            if let Some(new) = new {
                changes.push((name, new));
            }
        }
        for (name, new) in changes {
            let is_refresh = element.tag_name() == "meta"
                && element.get_attribute("http-equiv").is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"));
            // `data` is an object's address and anything at all elsewhere; `content` is an address in a refresh only.
            let holds_url = match name.as_str() {
                "content" => is_refresh,
                "data" => element.tag_name() == "object",
                _ => true,
            };
            if holds_url {
                element.set_attribute(&name, &html_escape::encode_double_quoted_attribute(&new))?;
            }
        }
        Ok(())
    }))
}

fn is_one_url(name: &str) -> bool {
    ONE_URL.contains(&name) || name == "data-url" || (name.starts_with("data-") && name.ends_with("-url"))
}
