//! Signs in at an `OpenID` provider in the system's browser: authorization code with PKCE, loopback redirect (RFC 8252).

use std::time::Duration;

use futures_util::future::BoxFuture;
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    core::{CoreAuthPrompt, CoreAuthenticationFlow},
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::time;
use url::Url;

use super::{
    Ask, Context, Grant, Method, SignIn, SignInError, Step,
    oauth::{
        ClientAuthentication, GrantKind, Parameter, Place, ProviderError, Sends, client_proof,
        discovery::{Client, Provider},
        failure, first,
        listener::{Answer, Awaited, Listener, Outcome},
        person::Person,
        preflight,
        settings::{tidy, tidy_parameters, tidy_scopes},
        tokens,
    },
};
use crate::{clock::UnixTime, environment::FieldError, secrets::Secrets};

/// For the operator in the browser.
const PATIENCE: Duration = Duration::from_mins(5);
/// For the browser, after the sign-in, to leave the address with the code in it.
const GRACE: Duration = Duration::from_secs(1);
/// Random bytes in `state`.
const STATE_BYTES: u32 = 32;

/// The provider, the client, and what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct OpenIdConnect {
    /// The issuer; its configuration is found below it (`OpenID` Connect Discovery).
    pub issuer: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// How the client proves itself; none for a public client, which a desktop app is.
    pub client_authentication: ClientAuthentication,
    /// Such as `openid`, `profile`, `offline_access`.
    pub scopes: Vec<String>,
    /// Which token goes to the admin.
    pub sends: Sends,
    /// The `audience` parameter that some providers want; empty for none.
    pub audience: String,
    /// The resource indicator (RFC 8707), an absolute URI; empty for none.
    pub resource: String,
    /// More parameters of the authorization request.
    pub extra_parameters: Vec<Parameter>,
    /// `prompt`; empty for none.
    pub prompt: String,
    /// `login_hint`; empty for none.
    pub login_hint: String,
    /// The ports that the provider knows for the redirect; empty: any free one.
    pub redirect_ports: Vec<u16>,
}

impl Default for OpenIdConnect {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_authentication: ClientAuthentication::None,
            scopes: ["openid", "profile", "offline_access"].map(str::to_owned).to_vec(),
            sends: Sends::AccessToken,
            audience: String::new(),
            resource: String::new(),
            extra_parameters: Vec::new(),
            prompt: String::new(),
            login_hint: String::new(),
            redirect_ports: Vec::new(),
        }
    }
}

/// What binds one attempt together. Made for it, never stored, gone with it.
struct Attempt {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl OpenIdConnect {
    fn person(&self) -> Person<'_> {
        Person {
            issuer: &self.issuer,
            client_id: &self.client_id,
            authentication: self.client_authentication,
            scopes: &self.scopes,
            sends: self.sends,
            audience: &self.audience,
            resource: &self.resource,
        }
    }

    /// The address for the browser, and what binds its answer to this attempt. `silent` asks for no page (see
    /// [`preflight`]).
    fn authorization(&self, client: &Client, redirect_uri: &RedirectUrl, silent: bool) -> (Url, Attempt) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = || CsrfToken::new_random_len(STATE_BYTES);
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, state, Nonce::new_random)
            .set_redirect_uri(std::borrow::Cow::Borrowed(redirect_uri))
            .set_pkce_challenge(challenge)
            .add_scopes(self.person().further_scopes());
        let extra = self.extra_parameters.iter().map(|one| (one.name.clone(), one.value.clone()));
        let target = self.person().target().into_iter().map(|(name, value)| (name.to_owned(), value));
        for (name, value) in extra.chain(target) {
            request = request.add_extra_param(name, value);
        }
        if silent {
            request = request.add_prompt(CoreAuthPrompt::None);
        } else if !self.prompt.is_empty() {
            request = request.add_extra_param("prompt", self.prompt.clone());
        }
        if !self.login_hint.is_empty() {
            request = request.set_login_hint(openidconnect::LoginHint::new(self.login_hint.clone()));
        }
        let (url, state, nonce) = request.url();
        (url, Attempt { state, nonce, verifier })
    }

    /// The whole sign-in. Dropping it closes the listener.
    async fn in_browser(&self, with: &Context<'_>, secrets: &Secrets) -> Result<Grant, SignInError> {
        let provider = self.person().discover(with, secrets).await?;
        if let Some(methods) = &provider.more().code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(ProviderError::NoPkce.into());
        }
        let listener = Listener::open(&self.redirect_ports).await?;
        let redirect = listener.redirect_uri();
        let redirect_uri = RedirectUrl::new(redirect.clone())
            .map_err(|error| ProviderError::NoListener { reason: error.to_string() })?;
        let (url, attempt) = self.authorization(&provider.client, &redirect_uri, false);
        let (silent, _) = self.authorization(&provider.client, &redirect_uri, true);
        let (mut awaited, serving) = listener.serve(attempt.state.secret().as_str().into());
        let patience = i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX);
        with.operator.show(Step::Browser { url, until: with.clock.now().plus(patience) });
        let signing_in = async {
            let client = with.reach.provider();
            let refused = preflight::refusal(&client, silent, &self.client_id, &redirect);
            let answer = self.answer(&provider, &mut awaited, refused).await?;
            let result = self.exchange(&provider, answer, attempt, &redirect_uri, secrets).await;
            let _ = time::timeout(GRACE, awaited.seen()).await;
            result
        };
        first(signing_in, async { match serving.await {} }).await
    }

    /// Waits for the operator, or until the provider plainly says that nobody will come.
    async fn answer(
        &self,
        provider: &Provider<'_>,
        awaited: &mut Awaited,
        refused: impl Future<Output = Option<ProviderError>>,
    ) -> Result<Answer, SignInError> {
        let comes = async {
            let answer = time::timeout(PATIENCE, awaited.answer()).await;
            answer.map_err(|_| ProviderError::TimedOut { minutes: PATIENCE.as_secs() / 60 })
        };
        let refused = async {
            match refused.await {
                Some(error) => Err(error),
                None => std::future::pending().await,
            }
        };
        let answer = first(comes, refused).await?;
        // RFC 9207 §2.4, for errors as well. Compared as text, as the RFC says.
        let required = provider.more().authorization_response_iss_parameter_supported;
        let is_theirs = answer.issuer.as_deref().map_or(!required, |issuer| issuer == provider.issuer());
        if !is_theirs {
            let theirs = answer.issuer.as_deref().map(super::oauth::error::shown_address);
            return Err(ProviderError::MixUp { ours: provider.issuer().to_owned(), theirs }.into());
        }
        Ok(answer)
    }

    /// The code for tokens.
    async fn exchange(
        &self,
        provider: &Provider<'_>,
        answer: Answer,
        attempt: Attempt,
        redirect_uri: &RedirectUrl,
        secrets: &Secrets,
    ) -> Result<Grant, SignInError> {
        let place = Place::Authorization;
        let code = match answer.outcome {
            Outcome::Code(code) => AuthorizationCode::new(code.expose_secret().to_owned()),
            Outcome::Error { error, said } => {
                return Err(ProviderError::from_code(place, GrantKind::Code, &error, said.as_deref()).into());
            }
            Outcome::Malformed => {
                let reason = "it holds neither one code nor one error".into();
                return Err(ProviderError::Answer { place, reason }.into());
            }
        };
        let mut request = provider
            .client
            .exchange_code(code)
            .set_pkce_verifier(attempt.verifier)
            .set_redirect_uri(std::borrow::Cow::Borrowed(redirect_uri));
        for (name, value) in self.person().target() {
            request = request.add_extra_param(name, value);
        }
        let call = provider.http.proving(Place::Token, &provider.proof);
        let response = request.request_async(&call).await;
        let response = response.map_err(|error| failure::of_request(Place::Token, GrantKind::Code, error))?;
        self.person().first_grant(provider, &response, Some(&attempt.nonce), secrets)
    }
}

impl SignIn for OpenIdConnect {
    fn tidied(&self) -> Method {
        let mut redirect_ports: Vec<u16> = Vec::new();
        for port in &self.redirect_ports {
            if !redirect_ports.contains(port) {
                redirect_ports.push(*port);
            }
        }
        Method::OpenIdConnect(Self {
            issuer: tidy(&self.issuer),
            client_id: tidy(&self.client_id),
            client_authentication: self.client_authentication,
            scopes: tidy_scopes(&self.scopes),
            sends: self.sends,
            audience: tidy(&self.audience),
            resource: tidy(&self.resource),
            extra_parameters: tidy_parameters(&self.extra_parameters),
            prompt: self.prompt.split_whitespace().collect::<Vec<_>>().join(" "),
            login_hint: tidy(&self.login_hint),
            redirect_ports,
        })
    }

    fn check(&self) -> Vec<FieldError> {
        self.person().check(|check| {
            check.extra_parameters(&self.extra_parameters);
            check.prompt(&self.prompt);
            if self.login_hint.chars().any(char::is_control) {
                check.wrong("sign_in.login_hint", "give the login hint in one line");
            }
            check.redirect_ports(&self.redirect_ports);
        })
    }

    fn asks(&self) -> Vec<Ask> {
        client_proof::asks(self.client_authentication)
    }

    fn endpoint(&self) -> Option<String> {
        Some(self.issuer.clone())
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move { self.in_browser(with, &secrets).await })
    }

    fn restore(&self, kept: &Secrets, now: UnixTime) -> Option<Grant> {
        tokens::restore(kept, now)
    }

    fn can_renew(&self, kept: &Secrets) -> bool {
        self.person().can_renew(kept)
    }

    fn renew<'a>(&'a self, with: &'a Context<'a>, kept: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move { self.person().renew(with, kept).await })
    }

    fn end<'a>(&'a self, with: &'a Context<'a>, kept: Secrets) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move { self.person().end(with, kept, true).await })
    }
}
