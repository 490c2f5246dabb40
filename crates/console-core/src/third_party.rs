//! Which hosts besides the admin's may the pages of an environment load from? What the operator has said to each.

use std::{collections::BTreeMap, fmt};

use secrecy::SecretString;
use url::{Host, Url};

use crate::{realm::Realm, secrets::Secrets};

/// What it is called among the approvals: the pages of another realm are other pages.
fn key(realm: &Realm) -> String {
    format!("third parties of {realm}")
}

/// An origin that pages may be allowed to load from: `https`, and a host that has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThirdParty(String);

impl ThirdParty {
    /// The origin of `url`. `None` is never loaded from: whoever is on the way could change what is not encrypted, and a
    /// page has no business with this computer or with an address that has no name.
    pub fn of(url: &Url) -> Option<Self> {
        let Some(Host::Domain(name)) = url.host() else { return None };
        let name = name.trim_end_matches('.');
        // A browser's URL may hold more, and a policy would read some of that as its own syntax: `*`, `;`, `,`.
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let here = name == "localhost" || name.ends_with(".localhost");
        (url.scheme() == "https" && is_plain && !here).then(|| Self(url.origin().ascii_serialization()))
    }

    /// As a browser and a content security policy write it: `https://cdn.example`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With its port, where it is not the scheme's own.
    pub fn host(&self) -> &str {
        self.0.trim_start_matches("https://")
    }
}

impl fmt::Display for ThirdParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the operator has said: `true` for those that are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThirdParties(BTreeMap<ThirdParty, bool>);

impl ThirdParties {
    /// Those that the vault keeps of a realm, among what was approved. A line that is not understood is not allowed.
    pub fn of(approved: &Secrets, realm: &Realm) -> Self {
        let lines = approved.expose(&key(realm)).unwrap_or_default().lines();
        let answers = lines.filter_map(|line| {
            let (answer, origin) = line.split_once(' ')?;
            Some((ThirdParty::of(&Url::parse(origin).ok()?)?, answer == "allow"))
        });
        Self(answers.collect())
    }

    /// For the vault, among what was approved.
    pub fn record(&self, realm: &Realm) -> Secrets {
        let line =
            |(origin, allowed): (&ThirdParty, &bool)| format!("{} {origin}", if *allowed { "allow" } else { "block" });
        let lines: Vec<String> = self.0.iter().map(line).collect();
        Secrets::one(&key(realm), SecretString::from(lines.join("\n")))
    }

    /// What was said to this one; `None`: nothing yet.
    pub fn answer(&self, third_party: &ThirdParty) -> Option<bool> {
        self.0.get(third_party).copied()
    }

    /// The operator says so.
    pub fn say(&mut self, third_party: ThirdParty, allow: bool) {
        self.0.insert(third_party, allow);
    }

    /// All that were asked about.
    pub fn answered(&self) -> impl Iterator<Item = &ThirdParty> {
        self.0.keys()
    }

    /// Those that pages may load from.
    pub fn allowed(&self) -> impl Iterator<Item = &ThirdParty> {
        self.0.iter().filter(|(_, allowed)| **allowed).map(|(third_party, _)| third_party)
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{ThirdParties, ThirdParty};
    use crate::{realm::BaseUrl, secrets::Secrets};

    fn third_party(url: &str) -> Option<ThirdParty> {
        ThirdParty::of(&Url::parse(url).expect("a URL"))
    }

    #[test]
    fn only_a_named_host_over_tls_can_be_allowed() {
        assert_eq!(third_party("https://CDN.example/x.js?a").expect("can").as_str(), "https://cdn.example");
        assert_eq!(third_party("https://cdn.example:8443/").expect("can").host(), "cdn.example:8443");
        for url in [
            "http://cdn.example/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://10.0.0.1:8000/",
            "https://localhost/",
            "https://localhost./",
            "https://x.localhost/",
            "wss://cdn.example/",
            "https://*/",
            "https://*.com/",
            "https://a;sandbox/",
            "https://a,b/",
            "https://a'b/",
            "data:text/plain,x",
            "file:///etc/passwd",
        ] {
            assert_eq!(third_party(url), None, "{url}");
        }
    }

    #[test]
    fn what_was_said_comes_back_from_the_vault_and_nothing_else_is_allowed() {
        let mut said = ThirdParties::default();
        said.say(third_party("https://a.example/").expect("can"), true);
        said.say(third_party("https://b.example/").expect("can"), false);
        let realm = |url| BaseUrl::parse(url, false).expect("a base URL").realm();
        let (own, other) = (realm("https://admin.example/asyncmq"), realm("https://other.example/asyncmq"));
        let kept = said.record(&own);
        assert_eq!(ThirdParties::of(&kept, &own), said);
        assert_eq!(ThirdParties::of(&kept, &other), ThirdParties::default());
        assert_eq!(said.allowed().map(ThirdParty::as_str).collect::<Vec<_>>(), ["https://a.example"]);
        let odd = "allow https://127.0.0.1\nallow\nallow http://c.example\nperhaps https://d.example";
        let odd = Secrets::one(&super::key(&own), odd.to_owned().into());
        assert_eq!(ThirdParties::of(&odd, &own).allowed().count(), 0);
    }
}
