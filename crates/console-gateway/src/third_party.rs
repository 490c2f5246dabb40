//! What may a page load from hosts that are not the admin's, and what did it want from them?
//!
//! Scripts of others could do in a dashboard whatever its operator can. So every response gets a content security policy of
//! the console's own beside the admin's (a browser obeys both): a page loads from its gateway, and from those whom the
//! operator has allowed. The browser reports what it blocked, whichever script wanted it; the operator is asked about that.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError, RwLock},
    time::Duration,
};

use console_core::third_party::ThirdParty;
use http::HeaderValue;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time;
use url::Url;

/// Where a browser sends its reports.
pub(crate) const REPORTS_PATH: &str = "/.console/blocked";
/// The longest report that is read, in bytes: it holds two addresses and the policy.
const LONGEST_REPORT: usize = 64 * 1024;
/// How long a report may take.
const REPORT_WAIT: Duration = Duration::from_secs(10);
/// How many different reports are told: a page can make them up.
const MOST: usize = 64;

/// What a page wanted to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A program.
    Script,
    /// A style sheet.
    Style,
    /// A typeface.
    Font,
    /// A picture, sound or film.
    Media,
    /// A page inside the page.
    Frame,
    /// An exchange of data: a script's request, a form.
    Data,
}

/// A page wanted something of somebody whom the operator has not allowed, and did not get it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocked {
    /// Of whom.
    pub third_party: ThirdParty,
    /// What.
    pub kind: Kind,
}

/// The policy of one gateway.
pub(crate) struct ThirdPartyPolicy {
    header: RwLock<HeaderValue>,
    told: Mutex<BTreeSet<Blocked>>,
}

impl Default for ThirdPartyPolicy {
    fn default() -> Self {
        Self { header: RwLock::new(policy(std::iter::empty())), told: Mutex::default() }
    }
}

impl ThirdPartyPolicy {
    /// From the next page on these, and only these, are allowed.
    pub(crate) fn allow<'a>(&self, allowed: impl Iterator<Item = &'a ThirdParty>) {
        *self.header.write().unwrap_or_else(PoisonError::into_inner) = policy(allowed);
    }

    /// The value of `Content-Security-Policy`.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a report says, the first time that one says so.
    pub(crate) async fn report(&self, body: Incoming) -> Option<Blocked> {
        let read = time::timeout(REPORT_WAIT, Limited::new(body, LONGEST_REPORT).collect()).await;
        let blocked = blocked(&read.ok()?.ok()?.to_bytes())?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (told.len() < MOST && told.insert(blocked.clone())).then_some(blocked)
    }
}

/// Whatever a page of the console's own origin may do, and what is allowed. Inline scripts and the like are the admin's own
/// policy's to judge.
fn policy<'a>(allowed: impl Iterator<Item = &'a ThirdParty>) -> HeaderValue {
    let mut policy = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:".to_owned();
    for third_party in allowed {
        policy.push(' ');
        policy.push_str(third_party.as_str());
    }
    policy.push_str("; report-uri ");
    policy.push_str(REPORTS_PATH);
    HeaderValue::from_str(&policy).expect("the origin of a URL is visible ASCII")
}

/// What a `csp-report` says (CSP 3 §5.3); `None`: not one, or of nothing that could be allowed.
pub(crate) fn blocked(report: &[u8]) -> Option<Blocked> {
    let report: Value = serde_json::from_slice(report).ok()?;
    let report = report.get("csp-report")?;
    let text = |name: &str| report.get(name).and_then(Value::as_str);
    let third_party = ThirdParty::of(&Url::parse(text("blocked-uri")?).ok()?)?;
    let directive = text("effective-directive").or_else(|| text("violated-directive"))?;
    let kind = match directive.split_whitespace().next()? {
        "script-src" | "script-src-elem" | "script-src-attr" | "worker-src" => Kind::Script,
        "style-src" | "style-src-elem" | "style-src-attr" => Kind::Style,
        "font-src" => Kind::Font,
        "img-src" | "media-src" => Kind::Media,
        "frame-src" | "child-src" | "object-src" => Kind::Frame,
        _ => Kind::Data,
    };
    Some(Blocked { third_party, kind })
}

#[cfg(test)]
mod tests {
    use console_core::third_party::ThirdParty;
    use serde_json::json;

    use super::{Kind, ThirdPartyPolicy, blocked};

    #[test]
    fn a_page_loads_from_its_gateway_and_from_whom_the_operator_allowed() {
        let policy = ThirdPartyPolicy::default();
        let own = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:";
        assert_eq!(policy.header(), format!("{own}; report-uri /.console/blocked"));
        let allowed = ThirdParty::of(&"https://cdn.example:8443/x;y".parse().expect("a URL")).expect("can be");
        policy.allow([&allowed].into_iter());
        assert_eq!(policy.header(), format!("{own} https://cdn.example:8443; report-uri /.console/blocked"));
    }

    #[test]
    fn a_report_names_whom_and_what_and_anything_else_is_none() {
        let report = |uri: &str, directive: &str| {
            blocked(
                json!({ "csp-report": { "blocked-uri": uri, "effective-directive": directive } })
                    .to_string()
                    .as_bytes(),
            )
        };
        let script = report("https://cdn.example/x.js?secret=1", "script-src-elem").expect("is one");
        assert_eq!((script.third_party.as_str(), script.kind), ("https://cdn.example", Kind::Script));
        assert_eq!(report("https://f.example", "frame-src").map(|it| it.kind), Some(Kind::Frame));
        assert_eq!(report("https://f.example", "connect-src").map(|it| it.kind), Some(Kind::Data));
        for uri in ["inline", "eval", "", "http://127.0.0.1:22/", "http://cdn.example/", "data"] {
            assert_eq!(report(uri, "script-src"), None, "{uri}");
        }
        for odd in ["", "[]", "{}", r#"{"csp-report":1}"#, r#"{"csp-report":{"blocked-uri":"https://a.example"}}"#] {
            assert_eq!(blocked(odd.as_bytes()), None, "{odd}");
        }
    }
}
