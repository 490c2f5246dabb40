//! What may the settings of an OAuth method say?

use url::Url;

use super::{ClientAuthentication, Parameter, Sends};
use crate::{environment::FieldError, sign_in::token_endpoint::endpoint_url};

/// Parameters that the console writes itself, or that would change how the answer comes back. Lower case.
const PROTOCOL: [&str; 22] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "request",
    "request_uri",
    "id_token_hint",
    "prompt",
    "login_hint",
    "audience",
    "resource",
];

/// Without white space around.
pub(crate) fn tidy(text: &str) -> String {
    text.trim().to_owned()
}

/// Each scope by itself, once.
pub(crate) fn tidy_scopes(scopes: &[String]) -> Vec<String> {
    let mut tidied: Vec<String> = Vec::new();
    for scope in scopes.iter().flat_map(|scope| scope.split_whitespace()) {
        if !tidied.iter().any(|known| known == scope) {
            tidied.push(scope.to_owned());
        }
    }
    tidied
}

/// Without those of no name and no value.
pub(crate) fn tidy_parameters(parameters: &[Parameter]) -> Vec<Parameter> {
    let tidied = parameters.iter().map(|one| Parameter { name: tidy(&one.name), value: tidy(&one.value) });
    tidied.filter(|one| *one != Parameter::default()).collect()
}

/// What all methods say about the provider and the client. Texts are tidied.
pub(crate) struct Common<'s> {
    pub(crate) client_id: &'s str,
    pub(crate) scopes: &'s [String],
    pub(crate) audience: &'s str,
    pub(crate) resource: &'s str,
}

/// Collects what is wrong.
pub(crate) struct Check(Vec<FieldError>);

impl Check {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn wrong(&mut self, field: &'static str, message: &str) {
        self.0.push(FieldError::new(field, message));
    }

    pub(crate) fn done(self) -> Vec<FieldError> {
        self.0
    }

    pub(crate) fn issuer(&mut self, issuer: &str) {
        match endpoint_url(issuer) {
            Err(_) if issuer.is_empty() => {
                self.wrong("sign_in.issuer", "give the issuer, such as https://id.example.com");
            }
            Err(message) => self.wrong("sign_in.issuer", &message),
            // `OpenID` Connect Core §2: an issuer has neither.
            Ok(url) if url.query().is_some() => self.wrong("sign_in.issuer", "leave `?…` out of the issuer"),
            Ok(url) if url.path().ends_with("/.well-known/openid-configuration") => {
                self.wrong("sign_in.issuer", "leave `/.well-known/openid-configuration` out: it is found by itself");
            }
            Ok(_) => {}
        }
    }

    pub(crate) fn common(&mut self, common: &Common<'_>) {
        if common.client_id.is_empty() {
            self.wrong("sign_in.client_id", "give the client's id at the provider");
        } else if common.client_id.chars().any(char::is_control) {
            self.wrong("sign_in.client_id", "give the client's id in one line");
        }
        // RFC 6749 §3.3.
        let is_scope = |scope: &String| scope.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
        if !common.scopes.iter().all(is_scope) {
            self.wrong("sign_in.scopes", "a scope has letters, digits and signs only, without quotes");
        }
        if common.audience.chars().any(char::is_control) {
            self.wrong("sign_in.audience", "give the audience in one line");
        }
        // RFC 8707 §2.
        let is_resource = || Url::parse(common.resource).is_ok_and(|url| url.fragment().is_none());
        if !common.resource.is_empty() && !is_resource() {
            self.wrong("sign_in.resource", "give an absolute URI without `#…`, such as https://admin.example.com");
        }
    }

    pub(crate) fn sends(&mut self, sends: Sends, scopes: &[String]) {
        if sends == Sends::IdToken && !scopes.iter().any(|scope| scope == "openid") {
            self.wrong("sign_in.scopes", "add `openid`: without it there is no ID token to send");
        }
    }

    pub(crate) fn extra_parameters(&mut self, parameters: &[Parameter]) {
        const FIELD: &str = "sign_in.extra_parameters";
        for (index, Parameter { name, value }) in parameters.iter().enumerate() {
            if name.is_empty() || name.chars().chain(value.chars()).any(char::is_control) {
                self.wrong(FIELD, "give each parameter a name, and name and value in one line");
            } else if PROTOCOL.contains(&name.to_ascii_lowercase().as_str()) {
                self.wrong(FIELD, &format!("leave `{name}` out: the console writes it itself"));
            } else if parameters[..index].iter().any(|earlier| earlier.name == *name) {
                self.wrong(FIELD, &format!("give `{name}` once"));
            }
        }
    }

    pub(crate) fn prompt(&mut self, prompt: &str) {
        let words: Vec<_> = prompt.split(' ').collect();
        let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if !prompt.is_empty() && !words.iter().all(is_word) {
            self.wrong("sign_in.prompt", "give login, consent, select_account, or several with spaces between");
        } else if words.contains(&"none") {
            self.wrong("sign_in.prompt", "leave `none` out: the operator could not sign in");
        }
    }

    pub(crate) fn redirect_ports(&mut self, ports: &[u16]) {
        if ports.contains(&0) {
            self.wrong("sign_in.redirect_ports", "give ports from 1 to 65535, or none for any free one");
        }
    }

    pub(crate) fn proves_itself(&mut self, authentication: ClientAuthentication) {
        if authentication == ClientAuthentication::None {
            self.wrong("sign_in.client_authentication", "choose how the client proves itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Common, Parameter, Sends, tidy_parameters, tidy_scopes};

    fn fields(check: impl FnOnce(&mut Check)) -> Vec<&'static str> {
        let mut all = Check::new();
        check(&mut all);
        all.done().iter().map(|error| error.field).collect()
    }

    #[test]
    fn an_issuer_is_an_https_address_or_one_on_this_computer() {
        for sound in ["https://id.example", "https://id.example/realms/ops", "http://127.0.0.1:3000"] {
            assert!(fields(|check| check.issuer(sound)).is_empty(), "{sound}");
        }
        for wrong in [
            "",
            "id.example",
            "http://id.example",
            "https://a/?x=1",
            "https://a/#x",
            "https://a/.well-known/openid-configuration",
        ] {
            assert_eq!(fields(|check| check.issuer(wrong)), ["sign_in.issuer"], "{wrong}");
        }
    }

    #[test]
    fn what_all_methods_share_is_checked_field_by_field() {
        let sound = Common { client_id: "console", scopes: &["openid".into()], audience: "a", resource: "urn:x:y" };
        assert!(fields(|check| check.common(&sound)).is_empty());
        let wrong = Common { client_id: "", scopes: &["a\"b".into()], audience: "a\nb", resource: "https://a/#x" };
        let expected = ["sign_in.client_id", "sign_in.scopes", "sign_in.audience", "sign_in.resource"];
        assert_eq!(fields(|check| check.common(&wrong)), expected);
        assert_eq!(fields(|check| check.common(&Common { resource: "admin", ..sound })), ["sign_in.resource"]);
        assert_eq!(fields(|check| check.sends(Sends::IdToken, &["profile".into()])), ["sign_in.scopes"]);
        assert_eq!(fields(|check| check.redirect_ports(&[8250, 0])), ["sign_in.redirect_ports"]);
        assert_eq!(fields(|check| check.prompt("login none")), ["sign_in.prompt"]);
        assert!(fields(|check| check.prompt("login consent")).is_empty());
    }

    #[test]
    fn extra_parameters_never_override_the_protocols_own() {
        let one = |name: &str| vec![Parameter { name: name.into(), value: "x".into() }];
        assert!(fields(|check| check.extra_parameters(&one("organization"))).is_empty());
        for name in ["state", "redirect_uri", "Code_Challenge", "response_mode", "nonce", ""] {
            assert_eq!(fields(|check| check.extra_parameters(&one(name))), ["sign_in.extra_parameters"], "{name}");
        }
        let twice = [one("a"), one("a")].concat();
        assert_eq!(fields(|check| check.extra_parameters(&twice)).len(), 1);
        assert!(tidy_parameters(&[Parameter::default()]).is_empty());
    }

    #[test]
    fn scopes_typed_in_one_field_are_several() {
        assert_eq!(tidy_scopes(&[" openid  profile".into(), "profile".into()]), ["openid", "profile"]);
    }
}
