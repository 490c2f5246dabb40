//! What may a dashboard's page load, and what does the stage tell of it?

use std::sync::Arc;

use console_core::environment::EnvironmentId;
use console_workspace::StageReport;
use url::Url;

/// Where reports go.
pub(crate) type Report = Arc<dyn Fn(StageReport) + Send + Sync>;

/// The rules of one dashboard webview.
#[derive(Clone)]
pub(crate) struct Page {
    environment: EnvironmentId,
    origin: Url,
    report: Report,
}

impl Page {
    pub(crate) fn new(environment: EnvironmentId, origin: Url, report: Report) -> Self {
        Self { environment, origin, report }
    }

    /// Whether `url` may be a document here, in any frame: the gateway's origin, what it made itself (`blob:`), and
    /// the blank pages.
    pub(crate) fn contains(&self, url: &Url) -> bool {
        let own = matches!(url.scheme(), "http" | "blob") && url.origin() == self.origin.origin();
        own || matches!(url.as_str(), "about:blank" | "about:srcdoc")
    }

    /// Whether a navigation may go on; one that may not is reported.
    pub(crate) fn may_go_to(&self, url: &Url, by_gesture: bool) -> bool {
        let inside = self.contains(url);
        if !inside {
            self.tell(StageReport::OutsideLink { environment: self.environment.clone(), url: url.clone(), by_gesture });
        }
        inside
    }

    /// No page gets a new window. The address that this webview shall load in its stead, when it is one of its own.
    pub(crate) fn in_place_of_window(&self, url: &Url, by_gesture: bool) -> Option<Url> {
        (self.may_go_to(url, by_gesture) && url.scheme() == "http").then(|| url.clone())
    }

    /// The document's address or whether one is on its way has changed.
    pub(crate) fn is_at(&self, url: &Url, loading: bool) {
        if url.scheme() != "about" {
            self.tell(StageReport::Page { environment: self.environment.clone(), url: url.clone(), loading });
        }
    }

    /// A download ended; `None`: it failed.
    pub(crate) fn downloaded(&self, path: Option<std::path::PathBuf>, name: String) {
        self.tell(StageReport::Downloaded { environment: self.environment.clone(), path, name });
    }

    fn tell(&self, report: StageReport) {
        (self.report)(report);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use console_core::environment::EnvironmentId;
    use console_workspace::StageReport;
    use url::Url;

    use super::Page;

    fn url(text: &str) -> Url {
        text.parse().expect("url")
    }

    #[test]
    fn only_the_gateways_own_documents_load_and_everything_else_is_reported() {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let kept = reports.clone();
        let report = Arc::new(move |report| kept.lock().expect("lock").push(report));
        let page = Page::new(EnvironmentId::random().expect("id"), url("http://127.0.0.1:4000"), report);
        for inside in
            ["http://127.0.0.1:4000/asyncmq/?a=b#c", "blob:http://127.0.0.1:4000/0f0f", "about:blank", "about:srcdoc"]
        {
            assert!(page.may_go_to(&url(inside), true), "{inside}");
        }
        assert!(reports.lock().expect("lock").is_empty());
        let outside = [
            "https://127.0.0.1:4000/",
            "http://127.0.0.1:4001/",
            "http://localhost:4000/",
            "http://127.0.0.1.example:4000/",
            "blob:https://a.example/0f0f",
            "file:///etc/passwd",
            "tauri://localhost/",
            "data:text/html,x",
            "about:config",
        ];
        for address in outside {
            assert!(!page.may_go_to(&url(address), false), "{address}");
            assert_eq!(page.in_place_of_window(&url(address), true), None, "{address}");
        }
        let reports = reports.lock().expect("lock");
        assert_eq!(reports.len(), 2 * outside.len());
        assert!(matches!(&reports[0], StageReport::OutsideLink { by_gesture: false, .. }));
        assert!(matches!(&reports[1], StageReport::OutsideLink { by_gesture: true, .. }));
    }

    #[test]
    fn a_new_window_of_its_own_becomes_a_navigation() {
        let page = Page::new(EnvironmentId::random().expect("id"), url("http://127.0.0.1:4000"), Arc::new(|_| {}));
        let own = url("http://127.0.0.1:4000/jobs");
        assert_eq!(page.in_place_of_window(&own, true), Some(own));
        assert_eq!(page.in_place_of_window(&url("about:blank"), true), None);
    }
}
