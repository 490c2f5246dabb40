//! Signs in by exchanging a user name and a password for a token at an endpoint of the operator's own.
//!
//! No standard says what such endpoints look like: the form of the request, the fields, and where the answer holds the
//! token are settings. Refreshing goes to a refresh endpoint where there is one, else the exchange is repeated, if the
//! password was kept.

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{Advice, Ask, AskKind, Context, Grant, Method, SignIn, SignInError, TOKEN};
use crate::{clock::UnixTime, environment::FieldError, realm::is_loopback, secrets::Secrets, upstream::Unreachable};

const USER: &str = "user";
const PASSWORD: &str = "password";
const REMEMBER: &str = "remember";
const REFRESH_TOKEN: &str = "refresh_token";
const EXPIRES_AT: &str = "expires_at";
const PATIENCE: Duration = Duration::from_secs(20);
/// What is read of an answer, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;

/// How the fields travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// Where the endpoint is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct TokenEndpoint {
    /// Where to POST.
    pub url: String,
    /// How the fields travel.
    pub encoding: Encoding,
    /// The field of the user's name.
    pub user_field: String,
    /// The field of the password.
    pub password_field: String,
    /// More fields, not secret: a JSON object, or empty.
    pub extra_fields: String,
    /// Where the answer holds the token: names with dots between, such as `data.token.access`.
    pub token_path: String,
    /// Where it holds the refresh token; empty: there is none.
    pub refresh_token_path: String,
    /// Where it holds the token's life in seconds; empty: only the token tells.
    pub lifetime_path: String,
    /// Where to POST the refresh token; empty: the exchange is repeated.
    pub refresh_url: String,
    /// The field of the refresh token there.
    pub refresh_field: String,
}

impl Default for TokenEndpoint {
    fn default() -> Self {
        Self {
            url: String::new(),
            encoding: Encoding::Json,
            user_field: "username".into(),
            password_field: "password".into(),
            extra_fields: String::new(),
            token_path: "access_token".into(),
            refresh_token_path: "refresh_token".into(),
            lifetime_path: "expires_in".into(),
            refresh_url: String::new(),
            refresh_field: "refresh_token".into(),
        }
    }
}

/// Why an endpoint gave no token. Holds nothing of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EndpointError {
    #[error("the token endpoint did not accept this user name and password (it answered {status})")]
    Refused { status: u16 },
    #[error("the token endpoint did not accept the refresh token (it answered {status})")]
    RefreshRefused { status: u16 },
    #[error("the token endpoint `{url}` answered {status}")]
    Status { url: String, status: u16 },
    #[error("the token endpoint `{url}` answered with {found} instead of JSON")]
    NotJson { url: String, found: String },
    #[error("the token endpoint `{url}` answered with more than {LARGEST_ANSWER} bytes")]
    TooLong { url: String },
    #[error("the answer of the token endpoint holds no text at `{path}`")]
    NoToken { path: String },
    #[error("the token endpoint gave something that cannot stand in a header")]
    NotAToken,
    #[error("the token endpoint `{url}` is not an address that a password may be sent to")]
    Settings { url: String },
}

impl Advice for EndpointError {
    fn code(&self) -> &'static str {
        "token_endpoint"
    }

    fn advice(&self) -> String {
        match self {
            Self::Refused { .. } => "Type them again.",
            Self::RefreshRefused { .. } => super::error::SPENT,
            Self::Status { .. } => "Check the endpoint's address in the sign-in settings, or try again later.",
            Self::NotJson { .. } | Self::TooLong { .. } => {
                "Check the endpoint's address in the sign-in settings: this looks like a page, not like a token endpoint."
            }
            Self::NoToken { .. } => "Check where the answer holds the token, in the sign-in settings.",
            Self::NotAToken => "Show this to the endpoint's administrator.",
            Self::Settings { .. } => "Give an https address in the sign-in settings.",
        }
        .into()
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Status { status: 429 | 500.., .. })
    }
}

/// An address that a secret may be sent to: https, or http on this computer; no user info, no fragment.
pub(crate) fn endpoint_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "give an address such as https://id.example.com/token".to_owned())?;
    if !(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url))) {
        return Err("give an https address: a secret is sent there".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave the user name and password out of the address".into());
    }
    if url.fragment().is_some() {
        return Err("leave `#…` out of the address".into());
    }
    Ok(url)
}

/// The value at a path of names with dots between.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

impl TokenEndpoint {
    fn extra(&self) -> Option<Map<String, Value>> {
        if self.extra_fields.is_empty() { Some(Map::new()) } else { serde_json::from_str(&self.extra_fields).ok() }
    }

    /// POSTs fields and reads the JSON that comes back.
    async fn post(
        &self,
        with: &Context<'_>,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<(StatusCode, Value), SignInError> {
        let settings = || EndpointError::Settings { url: url.to_owned() };
        let address = endpoint_url(url).map_err(|_| settings())?;
        let host = address.host_str().unwrap_or_default().to_owned();
        let mut all = self.extra().ok_or_else(settings)?;
        let request = with.reach.provider().post(address).header(header::ACCEPT, "application/json").timeout(PATIENCE);
        let request = match self.encoding {
            Encoding::Json => {
                all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
                request.json(&all)
            }
            Encoding::Form => {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let mut pairs: Vec<(String, String)> =
                    all.iter().map(|(name, value)| (name.clone(), text(value))).collect();
                pairs.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
                request.form(&pairs)
            }
        };
        let unreachable = |error: reqwest::Error| Unreachable::from_error(&error, &host);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Ok((status, Value::Null));
        }
        let found = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let found = found
            .map_or("no content type".to_owned(), |found| format!("`{}`", found.split(';').next().unwrap_or(found)));
        let mut body = zeroize::Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(EndpointError::TooLong { url: url.to_owned() }.into());
            }
            body.extend_from_slice(&chunk);
        }
        let answer =
            serde_json::from_slice(&body).map_err(|_| EndpointError::NotJson { url: url.to_owned(), found })?;
        Ok((status, answer))
    }

    /// A grant from an answer; `kept` is what to keep besides.
    fn grant(&self, answer: &Value, now: UnixTime, mut keep: Secrets) -> Result<Grant, SignInError> {
        let text = at(answer, &self.token_path).and_then(Value::as_str);
        let text = text.ok_or_else(|| EndpointError::NoToken { path: self.token_path.clone() })?;
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(EndpointError::NotAToken.into());
        }
        let token = SecretString::from(text);
        let life = (!self.lifetime_path.is_empty()).then(|| at(answer, &self.lifetime_path)).flatten();
        let seconds = life.and_then(|life| life.as_i64().or_else(|| life.as_str()?.parse().ok()));
        let until = seconds.map(|seconds| now.plus(seconds));
        if !self.refresh_token_path.is_empty()
            && let Some(refresh) = at(answer, &self.refresh_token_path).and_then(Value::as_str)
        {
            keep.set(REFRESH_TOKEN, SecretString::from(refresh));
        }
        keep.set(TOKEN, token.clone());
        match until {
            Some(until) => keep.set(EXPIRES_AT, SecretString::from(until.0.to_string())),
            None => drop(keep.remove(EXPIRES_AT)),
        }
        Ok(Grant::token(token, until, keep))
    }

    async fn exchange(&self, with: &Context<'_>, secrets: &Secrets) -> Result<Grant, SignInError> {
        let missing = |what: &str| SignInError::Missing(what.to_owned());
        let user = secrets.get(USER).ok_or_else(|| missing("a user name"))?;
        let password = secrets.get(PASSWORD).ok_or_else(|| missing("a password"))?;
        let fields = [(&*self.user_field, user.expose_secret()), (&*self.password_field, password.expose_secret())];
        let (status, answer) = self.post(with, &self.url, &fields).await?;
        match status.as_u16() {
            200..=299 => {}
            status @ (400 | 401 | 403 | 422) => return Err(EndpointError::Refused { status }.into()),
            status => return Err(EndpointError::Status { url: self.url.clone(), status }.into()),
        }
        let mut keep = Secrets::one(USER, user.clone());
        if secrets.is_yes(REMEMBER) {
            keep.set(PASSWORD, password.clone());
            keep.set(REMEMBER, SecretString::from("yes"));
        }
        self.grant(&answer, with.clock.now(), keep)
    }

    async fn refresh(&self, with: &Context<'_>, kept: Secrets) -> Result<Grant, SignInError> {
        let refresh = kept.get(REFRESH_TOKEN).ok_or_else(|| SignInError::Missing("a refresh token".into()))?.clone();
        let fields = [(&*self.refresh_field, refresh.expose_secret())];
        let (status, answer) = self.post(with, &self.refresh_url, &fields).await?;
        match status.as_u16() {
            200..=299 => self.grant(&answer, with.clock.now(), kept),
            status @ (400 | 401 | 403 | 422) => Err(EndpointError::RefreshRefused { status }.into()),
            status => Err(EndpointError::Status { url: self.refresh_url.clone(), status }.into()),
        }
    }
}

impl SignIn for TokenEndpoint {
    fn tidied(&self) -> Method {
        let tidy = |text: &String| text.trim().to_owned();
        Method::TokenEndpoint(Self {
            url: tidy(&self.url),
            encoding: self.encoding,
            user_field: tidy(&self.user_field),
            password_field: tidy(&self.password_field),
            extra_fields: tidy(&self.extra_fields),
            token_path: tidy(&self.token_path),
            refresh_token_path: tidy(&self.refresh_token_path),
            lifetime_path: tidy(&self.lifetime_path),
            refresh_url: tidy(&self.refresh_url),
            refresh_field: tidy(&self.refresh_field),
        })
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: &str| errors.push(FieldError::new(field, message));
        if let Err(message) = endpoint_url(&self.url) {
            wrong("sign_in.url", &message);
        }
        if !self.refresh_url.is_empty() {
            match (endpoint_url(&self.refresh_url), endpoint_url(&self.url)) {
                (Err(message), _) => wrong("sign_in.refresh_url", &message),
                (Ok(refresh), Ok(url)) if refresh.origin() != url.origin() => {
                    wrong("sign_in.refresh_url", "give an address of the same server as the token endpoint");
                }
                _ => {}
            }
        }
        for (field, name) in [
            ("sign_in.user_field", &self.user_field),
            ("sign_in.password_field", &self.password_field),
            ("sign_in.token_path", &self.token_path),
        ] {
            if name.is_empty() {
                wrong(field, "give a name");
            }
        }
        if !self.refresh_url.is_empty() && self.refresh_field.is_empty() {
            wrong("sign_in.refresh_field", "give a name");
        }
        if self.extra().is_none() {
            wrong("sign_in.extra_fields", "give a JSON object, such as {\"realm\": \"ops\"}, or nothing");
        }
        errors
    }

    fn asks(&self) -> Vec<Ask> {
        vec![
            Ask::required(USER, "User name", AskKind::Text),
            Ask::required(PASSWORD, "Password", AskKind::Password),
            Ask::optional(REMEMBER, "Keep the password in the keychain", AskKind::Choice)
                .with_help("Only needed where the endpoint gives no refresh token."),
        ]
    }

    fn endpoint(&self) -> Option<String> {
        Some(self.url.clone())
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move { self.exchange(with, &secrets).await })
    }

    fn restore(&self, kept: &Secrets, now: UnixTime) -> Option<Grant> {
        let token = kept.get(TOKEN)?.clone();
        let until = kept.expose(EXPIRES_AT).and_then(|text| text.parse().ok()).map(UnixTime);
        let grant = Grant::token(token, until, kept.clone());
        grant.identity.expires_at.is_none_or(|at| at > now).then_some(grant)
    }

    fn can_renew(&self, kept: &Secrets) -> bool {
        let by_refresh = !self.refresh_url.is_empty() && kept.get(REFRESH_TOKEN).is_some();
        by_refresh || (kept.get(USER).is_some() && kept.get(PASSWORD).is_some())
    }

    fn renew<'a>(&'a self, with: &'a Context<'a>, kept: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move {
            if self.refresh_url.is_empty() || kept.get(REFRESH_TOKEN).is_none() {
                return self.exchange(with, &kept).await;
            }
            match self.refresh(with, kept.clone()).await {
                // A refresh token that has ended is no end where the password was kept.
                Err(SignInError::Endpoint(EndpointError::RefreshRefused { .. })) if kept.get(PASSWORD).is_some() => {
                    self.exchange(with, &kept).await
                }
                result => result,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{TokenEndpoint, at, endpoint_url};
    use crate::{clock::UnixTime, secrets::Secrets, sign_in::SignIn};

    #[test]
    fn an_answer_is_read_where_the_settings_say() {
        let answer = json!({"data": {"token": {"access": "a.b.c"}, "ttl": "60"}, "list": [{"r": "refresh"}]});
        let settings = TokenEndpoint {
            token_path: "data.token.access".into(),
            lifetime_path: "data.ttl".into(),
            refresh_token_path: "list.0.r".into(),
            ..TokenEndpoint::default()
        };
        let grant = settings.grant(&answer, UnixTime(100), Secrets::default()).expect("a grant");
        assert_eq!(grant.identity.expires_at, Some(UnixTime(160)));
        assert_eq!(grant.keep.expose("refresh_token"), Some("refresh"));
        assert!(settings.restore(&grant.keep, UnixTime(159)).is_some());
        assert!(settings.restore(&grant.keep, UnixTime(160)).is_none(), "an opaque token ends when it was said to");
        assert!(settings.grant(&json!({"data": 1}), UnixTime(0), Secrets::default()).is_err());
        assert_eq!(at(&answer, "data.nothing"), None);
    }

    #[test]
    fn a_password_is_sent_over_https_or_on_this_computer_only() {
        for sound in ["https://id.example/token", "http://127.0.0.1:8000/token", "http://localhost/token?x=1"] {
            assert!(endpoint_url(sound).is_ok(), "{sound}");
        }
        for wrong in ["http://id.example/", "ftp://a", "https://u:canary@a/", "https://a/#x", "a"] {
            assert!(!endpoint_url(wrong).expect_err(wrong).contains("canary"));
        }
    }

    #[test]
    fn a_refresh_token_goes_to_the_token_endpoints_own_server_only() {
        let settings = TokenEndpoint {
            url: "https://id.example/token".into(),
            refresh_url: "https://other.example/refresh".into(),
            ..TokenEndpoint::default()
        };
        assert_eq!(settings.check()[0].field, "sign_in.refresh_url");
    }
}
