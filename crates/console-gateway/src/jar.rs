//! The upstream's cookies: they live here, in memory, and never in a webview (DESIGN 5.5).

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use console_core::session::{Authorization, Generation};
use cookie_store::{Cookie, CookieStore, RawCookie, StoreAction};
use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// How many cookies are kept: a browser keeps at least 50 of a host (RFC 6265 §6.1), Chromium 180. The one that was set the
/// longest ago goes.
const MOST: usize = 180;
/// The longest `Set-Cookie` line that is kept, in bytes (RFC 6265 §6.1).
const LONGEST: usize = 4096;

/// Counts how often the jar was emptied. A response to a request from before that stores nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// What tells cookies apart (RFC 6265 §5.3): domain, path and name.
#[derive(PartialEq, Eq)]
struct Place([String; 3]);

impl Place {
    fn of(cookie: &Cookie<'_>) -> Self {
        Self([(&cookie.domain).into(), (&cookie.path).into(), cookie.name().to_owned()])
    }
}

#[derive(Default)]
struct Inner {
    epoch: u64,
    store: CookieStore,
    /// The places of what is in the store, in the order in which they were set.
    set: VecDeque<Place>,
    /// The credential whose cookies were put in last.
    seeded: Option<Generation>,
}

/// The cookie jar of one environment.
#[derive(Default)]
pub(crate) struct Jar(Mutex<Inner>);

impl Jar {
    /// The `Cookie` value for `url`, and the epoch that an answer has to show to store anything.
    ///
    /// A credential that travels in cookies is put in once: from then on they are the upstream's to replace.
    pub(crate) fn cookies(&self, url: &Url, authorization: &Authorization) -> (Option<HeaderValue>, Epoch) {
        let mut inner = self.inner();
        if !authorization.cookies.is_empty() && inner.seeded.is_none_or(|seeded| seeded < authorization.generation) {
            inner.seed(url, authorization);
        }
        let pairs: Vec<String> =
            inner.store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        let value = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|value| !value.is_empty()).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        (value, Epoch(inner.epoch))
    }

    /// The epoch of now.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.inner().epoch)
    }

    /// Keeps the cookies of a response from `url` (RFC 6265 §5.3), unless the jar was emptied since the request.
    pub(crate) fn keep(&self, epoch: Epoch, url: &Url, headers: &HeaderMap) {
        let mut inner = self.inner();
        if Epoch(inner.epoch) != epoch {
            return;
        }
        for value in headers.get_all(header::SET_COOKIE) {
            // A cookie that the standard refuses is not kept; a browser says nothing either.
            if let Ok(text) = value.to_str()
                && text.len() <= LONGEST
                && let Ok(cookie) = Cookie::parse(text, url)
            {
                inner.set(cookie.into_owned(), url);
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        inner.epoch += 1;
        inner.store.clear();
        inner.set.clear();
        inner.seeded = None;
    }

    /// What a sign-out tells the upstream with: every cookie for `url`.
    pub(crate) fn all(&self, url: &Url) -> Vec<(String, SecretString)> {
        let inner = self.inner();
        let pairs = inner.store.get_request_values(url);
        pairs.map(|(name, value)| (name.to_owned(), SecretString::from(value))).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn seed(&mut self, url: &Url, authorization: &Authorization) {
        for (name, value) in authorization.cookies.iter() {
            // For the whole host, as an admin mounted below a prefix sets its own; the jar is this realm's alone.
            let cookie = RawCookie::build((name.clone(), value.expose_secret().to_owned())).path("/").build();
            if let Ok(cookie) = Cookie::try_from_raw_cookie(&cookie, url) {
                self.set(cookie.into_owned(), url);
            }
        }
        self.seeded = Some(authorization.generation);
    }

    fn set(&mut self, cookie: Cookie<'static>, url: &Url) {
        let place = Place::of(&cookie);
        let Ok(done) = self.store.insert(cookie, url) else { return };
        self.set.retain(|before| *before != place);
        self.set.push_back(place);
        // The store keeps what has expired until something takes it out.
        let gone = match done {
            StoreAction::ExpiredExisting => self.set.pop_back(),
            _ if self.set.len() > MOST => self.set.pop_front(),
            _ => None,
        };
        if let Some(Place([domain, path, name])) = gone {
            self.store.remove(&domain, &path, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use console_core::{
        clock::SystemClock,
        session::{Attachment, Authorization, Credential, Extras, Fresh, Kept, Session},
        token::Identity,
    };
    use http::{HeaderMap, HeaderValue, header};

    use super::{Jar, LONGEST, MOST};

    fn carrying(cookies: &[(&str, &str)], session: &Session) -> Authorization {
        let attachment = Attachment { header_name: header::AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None };
        let cookies = cookies.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let attached = attachment.attach(&Credential::Cookies(cookies), &Extras::default()).expect("attaches");
        session
            .begin(Fresh { attached, identity: Identity::default(), server_ahead: 0, renewable: false }, Kept::Typed);
        session.authorize().expect("active")
    }

    fn setting(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (header::SET_COOKIE, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn cookies_come_back_to_their_path_only_and_not_after_a_sign_out() {
        let jar = Jar::default();
        let nothing = carrying(&[], &Session::new(Arc::new(SystemClock)));
        let url = "http://a.example/asyncmq/queues".parse().expect("url");
        let answer = setting(&["session=1; Path=/asyncmq; HttpOnly", "b=2; Path=/other"]);
        let (_, epoch) = jar.cookies(&url, &nothing);
        jar.keep(epoch, &url, &answer);
        assert_eq!(jar.cookies(&url, &nothing).0.expect("cookie"), "session=1");
        assert_eq!(jar.cookies(&"http://a.example/".parse().expect("url"), &nothing).0, None);
        jar.clear();
        jar.keep(epoch, &url, &answer);
        assert_eq!(jar.cookies(&url, &nothing).0, None, "an answer from before the sign-out stores nothing");
    }

    #[test]
    fn a_jar_keeps_so_many_cookies_of_such_a_length_and_nothing_that_is_over() {
        let jar = Jar::default();
        let nothing = carrying(&[], &Session::new(Arc::new(SystemClock)));
        let url = "http://a.example/asyncmq/".parse().expect("url");
        let keep = |line: &str| {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).expect("a line"))]);
            jar.keep(jar.epoch(), &url, &headers);
        };
        let sent = || jar.cookies(&url, &nothing).0.map_or(String::new(), |value| value.to_str().expect("text").into());
        keep(&format!("long={}", "x".repeat(LONGEST)));
        assert_eq!(sent(), "");
        keep("session=1; Path=/");
        for number in 1..MOST {
            keep(&format!("c{number}=1; Path=/asyncmq/"));
            keep(&format!("over{number}=1"));
            keep(&format!("over{number}=1; Max-Age=0"));
        }
        // Set anew, it is the youngest.
        keep("session=2; Path=/");
        for number in MOST..10_000 {
            keep(&format!("c{number}=1; Path=/asyncmq/"));
            if number == 2 * MOST - 2 {
                assert!(sent().contains("session=2") && !sent().contains("c1=1;"), "the oldest goes first: {}", sent());
            }
        }
        assert_eq!(sent().split("; ").count(), MOST);
        assert_eq!(jar.inner().store.iter_any().count(), MOST, "nothing that is over stays");
        assert_eq!(jar.inner().set.len(), MOST);
    }

    #[test]
    fn a_session_cookie_begins_as_the_sign_in_got_it_and_goes_on_as_the_admin_says() {
        let jar = Jar::default();
        let session = Session::new(Arc::new(SystemClock));
        let url = "http://a.example/asyncmq/".parse().expect("url");
        let first = carrying(&[("session", "first")], &session);
        let (sent, epoch) = jar.cookies(&url, &first);
        assert_eq!(sent.expect("cookie"), "session=first");
        jar.keep(epoch, &url, &setting(&["session=with-flash; Path=/"]));
        assert_eq!(jar.cookies(&url, &first).0.expect("cookie"), "session=with-flash");
        let renewed = carrying(&[("session", "second")], &session);
        assert_eq!(jar.cookies(&url, &renewed).0.expect("cookie"), "session=second");
        assert_eq!(jar.cookies(&url, &first).0.expect("cookie"), "session=second", "late news puts nothing back");
    }
}
