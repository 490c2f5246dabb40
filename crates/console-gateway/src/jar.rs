//! The upstream's cookies: they live here, in memory, and never in a webview (DESIGN 5.5).

use std::sync::{Mutex, MutexGuard, PoisonError};

use cookie_store::CookieStore;
use http::{HeaderMap, HeaderValue, header};
use url::Url;

/// Counts how often the jar was emptied. A response to a request from before that stores nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

#[derive(Default)]
struct Inner {
    epoch: u64,
    store: CookieStore,
}

/// The cookie jar of one environment.
#[derive(Default)]
pub(crate) struct Jar(Mutex<Inner>);

impl Jar {
    /// The `Cookie` value for `url`, and the epoch that an answer has to show to store anything.
    pub(crate) fn cookies(&self, url: &Url) -> (Option<HeaderValue>, Epoch) {
        let inner = self.inner();
        let pairs: Vec<String> =
            inner.store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        let value = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|value| !value.is_empty()).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        (value, Epoch(inner.epoch))
    }

    /// Keeps the cookies of a response from `url` (RFC 6265 §5.3), unless the jar was emptied since the request.
    pub(crate) fn keep(&self, epoch: Epoch, url: &Url, headers: &HeaderMap) {
        let mut inner = self.inner();
        if Epoch(inner.epoch) != epoch {
            return;
        }
        for value in headers.get_all(header::SET_COOKIE) {
            if let Ok(text) = value.to_str() {
                // A cookie that the standard refuses is not kept; a browser says nothing either.
                let _ = inner.store.parse(text, url);
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        inner.epoch += 1;
        inner.store.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::Jar;

    #[test]
    fn cookies_come_back_to_their_path_only_and_not_after_a_sign_out() {
        let jar = Jar::default();
        let url = "http://a.example/asyncmq/queues".parse().expect("url");
        let mut answer = HeaderMap::new();
        answer.append(header::SET_COOKIE, HeaderValue::from_static("session=1; Path=/asyncmq; HttpOnly"));
        answer.append(header::SET_COOKIE, HeaderValue::from_static("b=2; Path=/other"));
        let (_, epoch) = jar.cookies(&url);
        jar.keep(epoch, &url, &answer);
        assert_eq!(jar.cookies(&url).0.expect("cookie"), "session=1");
        assert_eq!(jar.cookies(&"http://a.example/".parse().expect("url")).0, None);
        jar.clear();
        jar.keep(epoch, &url, &answer);
        assert_eq!(jar.cookies(&url).0, None, "an answer from before the sign-out stores nothing");
    }
}
