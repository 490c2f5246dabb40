//! Did a person click on this link? The platform's part notes clicks; the navigation rule asks.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use url::Url;

/// How long after the click a navigation still counts as its doing.
const MOMENT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Inner {
    /// The link under the pointer.
    hovered: Option<String>,
    /// The link that was clicked, once.
    clicked: Option<(String, Instant)>,
}

/// The clicks in one webview.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clicks(Arc<Mutex<Inner>>);

impl Clicks {
    /// The pointer is over this link now, or over none.
    pub(crate) fn hover(&self, link: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hovered = link;
    }

    /// A mouse button went down or up.
    pub(crate) fn press(&self, now: Instant) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clicked = inner.hovered.clone().map(|link| (link, now));
    }

    /// Whether a person clicked on a link to `url` a moment ago. Each click counts once.
    pub(crate) fn was_on(&self, url: &Url) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((link, at)) = inner.clicked.take() else { return false };
        at.elapsed() < MOMENT && Url::parse(&link).is_ok_and(|link| link == *url)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::Clicks;

    #[test]
    fn a_click_counts_once_and_only_for_the_link_under_the_pointer() {
        let (clicks, link) = (Clicks::default(), "https://a.example/x".parse().expect("url"));
        clicks.press(Instant::now());
        assert!(!clicks.was_on(&link), "nothing was under the pointer");
        clicks.hover(Some("https://a.example/x".into()));
        assert!(!clicks.was_on(&link), "hovering is not clicking");
        clicks.press(Instant::now());
        assert!(clicks.was_on(&link));
        assert!(!clicks.was_on(&link), "one click opens one link");
        clicks.press(Instant::now());
        assert!(!clicks.was_on(&"https://b.example/".parse().expect("url")), "a script went elsewhere");
    }
}
