//! What must change in a response so that the admin's own absolute URLs stay on the gateway? (DESIGN 5.7)
//!
//! The admin renders absolute URLs from its `Host`. Headers are judged in `headers` and `csp`; an HTML body streams
//! through `body` (is it HTML, which charset, which content codings), `document` (which stretches need the parser;
//! `glance` tells), `splice` (the parser, and the cutting) and `attribute` (which attribute holds URLs, in which form).
//! All of them ask `site` whether a URL is the realm's, and cut scheme and authority out of the original bytes: whatever
//! is not such a URL leaves as it came.
//!
//! Left alone on purpose: `<style>` elements, `srcdoc`, CSS functions other than `url()`, scripts, and every attribute
//! that is not in HTML's list of URLs: a job's payload may hold the admin's URL, and pages post it back.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use url::Url;

use self::{
    site::{Schemes, Site},
    text::Text,
};

mod attribute;
mod body;
mod coding;
mod csp;
mod document;
mod glance;
mod headers;
mod media;
mod site;
mod splice;
mod text;

#[cfg(test)]
mod tests;

/// Why a body ended early: what the upstream's stream said, or a content coding that is broken.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A rewritten HTML body.
pub type HtmlStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Turns URLs of one realm's host into paths. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rewriter {
    site: Arc<Site>,
}

impl Rewriter {
    /// A rewriter for the admin at `base` (http or https; a URL without a host matches nothing).
    pub fn new(base: &Url) -> Self {
        Self { site: Arc::new(Site::new(base)) }
    }

    /// One URL. Of the realm's host: path, query and fragment exactly as written, beginning with `/`; else `None`.
    ///
    /// What a browser would take as an absolute or protocol-relative URL counts: any case, `\` for `/`, tabs and line
    /// breaks inside, white space around, Unicode or punycode hosts. A URL with user information is not the realm's,
    /// one with an empty one (`http://@host/`) is.
    /// A path that begins with `//` comes as `/.//…`, which a browser resolves to that path and not to another host.
    pub fn url(&self, value: &str) -> Option<String> {
        let text = Text::plain(value.as_bytes());
        let cut = self.site.cut(&text, 0..text.len(), Schemes::Web)?;
        let rewritten = String::from_utf8(text::apply(value.as_bytes(), &[cut])).ok()?;
        Some(rewritten.trim_matches(|char: char| char <= ' ').to_owned())
    }

    /// Makes an upstream's response headers fit for the dashboard.
    ///
    /// Rewritten: `Location`, `Content-Location`, `Link`, `Refresh`, `HX-Redirect`, `HX-Location` (plain and JSON),
    /// `HX-Push-Url`, `HX-Replace-Url`, and sources that name the realm's host in `Content-Security-Policy` and
    /// `-Report-Only`. Dropped: hop-by-hop fields (RFC 9110 §7.6.1), `Set-Cookie`, and what would govern the loopback
    /// origin or the credential (see `headers`). Everything else, entity tags included, stays as it is.
    pub fn response_headers(&self, headers: &mut HeaderMap) {
        headers::rewrite(&self.site, headers);
    }

    /// Rewrites an HTML body as it streams. `Err` gives back a body that must pass untouched, `headers` unchanged: it
    /// is not HTML, is in a charset that is not a superset of ASCII, or has a content coding that cannot be undone.
    ///
    /// Otherwise the content codings are undone and `headers` lose `Content-Encoding`, `Content-Length` and what else
    /// describes bytes that are no longer sent. A body without a `Content-Type` is HTML if it begins like it and the
    /// response does not say `nosniff`; if it is not, it passes untouched but decoded, as this shows too late for the
    /// headers. `HEAD`, 204, 206 and 304 are the caller's business.
    ///
    /// The stream yields what is rewritten after every chunk. Its errors are the upstream's, or a broken coding.
    /// Markup that needs more memory than the parser may have is passed on as it is, like everything after it.
    pub fn html_body<S, E>(&self, headers: &mut HeaderMap, body: S) -> Result<HtmlStream, S>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        body::rewrite(&self.site, headers, body)
    }

    /// What the parser makes of a document when it reads all of it: `html_body` must make the same of it.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn parsed(&self, document: &[u8], charset: &'static encoding_rs::Encoding) -> Vec<u8> {
        let mut splicer = splice::Splicer::new(Arc::clone(&self.site), Some(charset));
        let out = splicer.feed(Bytes::copy_from_slice(document));
        [out, splicer.finish()].concat()
    }
}
