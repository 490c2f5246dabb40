//! What does the gateway ask the admin by itself, without a page? The live stream, and whether the admin is there.

use console_core::session::Authorization;
use http::{Method, header};
use reqwest::RequestBuilder;
use url::Url;

use crate::gateway::Shared;

/// A GET of `path` below the mount prefix, with the credential and the jar's cookies (a session may be one of them). What
/// the answer sets is never kept.
pub(crate) fn request(shared: &Shared, path: &str, authorization: &Authorization) -> (Url, RequestBuilder) {
    let url = shared.upstream.environment.base_url.join(path);
    let (cookies, _) = shared.jar.cookies(&url, authorization);
    let mut request = shared.upstream.reach.admin(&Method::GET).request(Method::GET, url.clone());
    for (name, value) in &authorization.headers {
        request = request.header(name, value);
    }
    if let Some(cookies) = cookies {
        request = request.header(header::COOKIE, cookies);
    }
    (url, request.header(header::CACHE_CONTROL, "no-store"))
}
