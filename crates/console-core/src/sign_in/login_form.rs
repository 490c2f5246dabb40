//! Signs in through the admin's own login form (`SimpleUsernamePasswordBackend`): posts it, and keeps the cookies.
//!
//! A failure is the form again with 200, a success is a redirect that leads anywhere but to the form. The cookies are in
//! memory only. The admin's session cookie is signed and kept by no server: after a sign-out it stays valid there until
//! it ends, which the console says.

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method as Verb, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Advice, Ask, AskKind, Context, Grant, Method, SignIn, SignInError};
use crate::{
    clock::UnixTime,
    environment::FieldError,
    secrets::Secrets,
    session::{Credential, cookie_header},
    token::Identity,
    upstream::{Outcome, Unreachable, judge},
};

const USER: &str = "user";
const PASSWORD: &str = "password";
const REMEMBER: &str = "remember";
const COOKIE: &str = "cookie:";
const PATIENCE: Duration = Duration::from_secs(20);

/// The form's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct LoginForm {
    /// The field of the user's name.
    pub user_field: String,
    /// The field of the password.
    pub password_field: String,
}

impl Default for LoginForm {
    fn default() -> Self {
        Self { user_field: "username".into(), password_field: "password".into() }
    }
}

/// Why the form did not let the operator in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum LoginError {
    #[error("the admin's login form did not accept this user name and password")]
    Refused,
    #[error("there is no login form at `{path}` (the admin answered {status})")]
    NoForm { path: String, status: u16 },
    #[error("the login form accepted the password and set no cookie")]
    NoCookie,
}

impl Advice for LoginError {
    fn code(&self) -> &'static str {
        "login_form"
    }

    fn advice(&self) -> String {
        match self {
            Self::Refused => "Type them again. The admin does not say which of the two is wrong.",
            Self::NoForm { .. } => {
                "Check the login path in the environment's settings, or choose another sign-in method."
            }
            Self::NoCookie => "Choose another sign-in method: this one needs a session cookie.",
        }
        .into()
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::NoForm { status: 500.., .. })
    }
}

/// Name and value of every cookie that a response sets, the last of each name.
fn cookies_of(headers: &HeaderMap) -> Vec<(String, SecretString)> {
    let mut cookies: Vec<(String, SecretString)> = Vec::new();
    for value in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
        let pair = value.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            let name = name.trim();
            cookies.retain(|(known, _)| known != name);
            if !value.trim().is_empty() {
                cookies.push((name.to_owned(), SecretString::from(value.trim())));
            }
        }
    }
    cookies
}

impl LoginForm {
    async fn post(&self, with: &Context<'_>, user: &str, password: &SecretString) -> Result<Grant, SignInError> {
        let environment = with.environment;
        let url = environment.base_url.join(&environment.login_path);
        let host = url.host_str().unwrap_or_default().to_owned();
        let fields = [(self.user_field.as_str(), user), (self.password_field.as_str(), password.expose_secret())];
        let response = with
            .reach
            .request(Verb::POST, url.clone())
            .header(header::ORIGIN, url.origin().ascii_serialization())
            .header(header::ACCEPT, "text/html")
            .form(&fields)
            .timeout(PATIENCE)
            .send()
            .await
            .map_err(|error| Unreachable::from_error(&error, &host))?;
        let (status, headers) = (response.status(), response.headers());
        let no_form = LoginError::NoForm { path: environment.login_path.clone(), status: status.as_u16() };
        match status {
            StatusCode::SEE_OTHER | StatusCode::FOUND => match judge(environment, &Verb::POST, &url, status, headers) {
                Outcome::Answered => {}
                Outcome::GateRefused => return Err(LoginError::Refused.into()),
                outcome => {
                    return Err(SignInError::NotAccepted { outcome, identity: Box::default() });
                }
            },
            StatusCode::OK | StatusCode::UNAUTHORIZED => return Err(LoginError::Refused.into()),
            _ => return Err(no_form.into()),
        }
        let cookies = cookies_of(headers);
        if cookies.is_empty() {
            return Err(LoginError::NoCookie.into());
        }
        let identity = Identity { subject: Some(user.to_owned()), ..Identity::default() };
        Ok(Grant { credential: Credential::Cookies(cookies), identity, keep: Secrets::default() })
    }
}

impl SignIn for LoginForm {
    fn tidied(&self) -> Method {
        Method::LoginForm(Self {
            user_field: self.user_field.trim().to_owned(),
            password_field: self.password_field.trim().to_owned(),
        })
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (field, name) in
            [("sign_in.user_field", &self.user_field), ("sign_in.password_field", &self.password_field)]
        {
            if name.is_empty() || name.chars().any(char::is_control) {
                errors.push(FieldError::new(field, "give the name of the form's field, such as username"));
            }
        }
        errors
    }

    fn asks(&self) -> Vec<Ask> {
        vec![
            Ask::required(USER, "User name", AskKind::Text),
            Ask::required(PASSWORD, "Password", AskKind::Password),
            Ask::optional(REMEMBER, "Keep the password in the keychain", AskKind::Choice)
                .with_help("Then the console signs in again by itself when the session ends."),
        ]
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move {
            let missing = |what: &str| SignInError::Missing(what.to_owned());
            let user = secrets.get(USER).ok_or_else(|| missing("a user name"))?.clone();
            let password = secrets.get(PASSWORD).ok_or_else(|| missing("a password"))?.clone();
            let mut grant = self.post(with, user.expose_secret(), &password).await?;
            grant.keep.set(USER, user);
            if secrets.is_yes(REMEMBER) {
                grant.keep.set(PASSWORD, password);
                grant.keep.set(REMEMBER, SecretString::from("yes"));
            }
            Ok(grant)
        })
    }

    fn restore(&self, _kept: &Secrets, _now: UnixTime) -> Option<Grant> {
        None
    }

    fn can_renew(&self, kept: &Secrets) -> bool {
        kept.get(USER).is_some() && kept.get(PASSWORD).is_some()
    }

    fn ends_always(&self) -> bool {
        true
    }

    /// `kept` holds the session's cookies as `cookie:NAME`, as the jar has them at the end.
    fn end<'a>(&'a self, with: &'a Context<'a>, kept: Secrets) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let cookies: Vec<_> = kept
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(COOKIE)?.to_owned(), value.clone())))
                .chain(with.reach.extras().cookies().iter().cloned())
                .collect();
            let url = with.environment.base_url.join("/logout");
            let mut request = with.reach.admin(&Verb::POST).post(url.clone()).timeout(PATIENCE);
            for (name, value) in with.reach.extras().headers() {
                request = request.header(name, value);
            }
            if let Some(cookies) = cookie_header(&cookies) {
                request = request.header(header::COOKIE, cookies);
            }
            let told = request.header(header::ORIGIN, url.origin().ascii_serialization()).send().await;
            let mut notes = vec![
                "The console forgot the admin's session cookie. The admin keeps no list of sessions: a copy of that cookie \
                 would work until it ends."
                    .to_owned(),
            ];
            if told.is_err() {
                notes.push("The admin could not be told of the sign-out.".to_owned());
            }
            notes
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};
    use secrecy::ExposeSecret;

    use super::cookies_of;

    #[test]
    fn the_last_cookie_of_each_name_counts_and_an_emptied_one_is_none() {
        let mut headers = HeaderMap::new();
        for value in ["session=old; Path=/", "session=new; HttpOnly", "gone=x", "gone=; Max-Age=0"] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(value));
        }
        let cookies = cookies_of(&headers);
        let read: Vec<_> = cookies.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(read, [("session", "new")]);
    }
}
