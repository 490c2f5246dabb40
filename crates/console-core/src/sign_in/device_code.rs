//! Signs in on another device: the operator types a code there (RFC 8628).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use openidconnect::{
    AsyncHttpClient, DeviceAuthorizationUrl, HttpRequest, HttpResponse,
    core::{CoreDeviceAuthorizationResponse, CoreTokenResponse},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, time};
use url::Url;

use super::{
    Ask, Context, Grant, Method, SignIn, SignInError, Step,
    oauth::{
        ClientAuthentication, GrantKind, Place, ProviderError, Sends, client_proof,
        discovery::{Provider, trusted},
        failure, first,
        http::Call,
        person::Person,
        settings::{tidy, tidy_scopes},
        tokens,
    },
};
use crate::{clock::UnixTime, environment::FieldError, secrets::Secrets};

/// A code that lives longer is given up all the same.
const LONGEST_WAIT: Duration = Duration::from_mins(30);
/// However often the provider lets us ask.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// A provider that wants a longer one does not mean it: no code lives so long.
const LONGEST_INTERVAL: Duration = Duration::from_mins(10);
/// In characters. RFC 8628 §6.1 counts on eight or so.
const LONGEST_CODE: usize = 40;

/// The provider, the client, and what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct DeviceCode {
    /// The issuer; its configuration is found below it.
    pub issuer: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// How the client proves itself; none for a public client.
    pub client_authentication: ClientAuthentication,
    /// Such as `openid`, `profile`, `offline_access`.
    pub scopes: Vec<String>,
    /// Which token goes to the admin.
    pub sends: Sends,
    /// The `audience` parameter that some providers want; empty for none.
    pub audience: String,
    /// The resource indicator (RFC 8707), an absolute URI; empty for none.
    pub resource: String,
}

impl Default for DeviceCode {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_authentication: ClientAuthentication::None,
            scopes: ["openid", "profile", "offline_access"].map(str::to_owned).to_vec(),
            sends: Sends::AccessToken,
            audience: String::new(),
            resource: String::new(),
        }
    }
}

impl DeviceCode {
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

    async fn on_another_device(&self, with: &Context<'_>, secrets: &Secrets) -> Result<Grant, SignInError> {
        let provider = self.person().discover(with, secrets).await?;
        let details = self.ask(&provider).await?;
        let wait = details.expires_in().min(LONGEST_WAIT);
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        with.operator.show(step(&self.issuer, &details, with.clock.now().plus(seconds))?);
        let response = match time::timeout(wait, self.poll(&provider, &details)).await {
            Ok(result) => result?,
            Err(_) => return Err(ProviderError::DeviceExpired.into()),
        };
        self.person().first_grant(&provider, &response, None, secrets)
    }

    /// Asks for a code (RFC 8628 §3.1).
    async fn ask(&self, provider: &Provider<'_>) -> Result<CoreDeviceAuthorizationResponse, SignInError> {
        let place = Place::DeviceAuthorization;
        let endpoint = provider.endpoint(place, provider.more().device_authorization_endpoint.as_ref())?;
        let url = DeviceAuthorizationUrl::new(endpoint.clone())
            .map_err(|_| ProviderError::InsecureEndpoint { place, url: endpoint })?;
        let client = provider.client.clone().set_device_authorization_url(url);
        let mut request = client.exchange_device_code().add_scopes(self.person().further_scopes());
        for (name, value) in self.person().target() {
            request = request.add_extra_param(name, value);
        }
        let call = provider.http.proving(place, &provider.proof);
        let details: Result<CoreDeviceAuthorizationResponse, _> = request.request_async(&call).await;
        let details = details.map_err(|error| failure::of_request(place, GrantKind::Device, error))?;
        // The library adds to the interval without looking.
        if details.interval() > LONGEST_INTERVAL {
            return Err(ProviderError::Answer { place, reason: "`interval` is not what it must be".into() }.into());
        }
        Ok(details)
    }

    /// Asks for the token until the operator has typed the code (RFC 8628 §3.4, §3.5). The library keeps to the interval,
    /// to `slow_down`, and goes on after an answer that did not come; one that makes no sense ends it.
    async fn poll(
        &self,
        provider: &Provider<'_>,
        details: &CoreDeviceAuthorizationResponse,
    ) -> Result<CoreTokenResponse, SignInError> {
        let call = provider.http.proving(Place::Token, &provider.proof);
        let (senseless, ends) = oneshot::channel();
        let client = Polling { call: &call, senseless: Mutex::new(Some(senseless)) };
        let mut request = provider.client.exchange_device_access_token(details);
        for (name, value) in self.person().target() {
            request = request.add_extra_param(name, value);
        }
        let sleep = |interval: Duration| time::sleep(interval.max(SHORTEST_INTERVAL));
        let polling = request.request_async(&client, sleep, Some(LONGEST_WAIT));
        let polling =
            async { polling.await.map_err(|error| failure::of_request(Place::Token, GrantKind::Device, error)) };
        let ends = async {
            match ends.await {
                Ok(error) => Err(error),
                Err(_) => std::future::pending().await,
            }
        };
        first(polling, ends).await
    }
}

/// The library takes every failure of its client for a connection that timed out, and asks again. This client tells one
/// that will not get better to somebody else, and does not answer.
struct Polling<'p> {
    call: &'p Call<'p>,
    senseless: Mutex<Option<oneshot::Sender<SignInError>>>,
}

impl<'c> AsyncHttpClient<'c> for Polling<'_> {
    type Error = SignInError;
    type Future = BoxFuture<'c, Result<HttpResponse, SignInError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            match self.call.call(request).await {
                Err(error) if !error.is_transient() => {
                    let sender = self.senseless.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(sender) = sender {
                        let _ = sender.send(error);
                    }
                    std::future::pending().await
                }
                result => result,
            }
        })
    }
}

/// What is shown, if it can be.
fn step(issuer: &str, details: &CoreDeviceAuthorizationResponse, until: UnixTime) -> Result<Step, ProviderError> {
    let place = Place::DeviceAuthorization;
    let user_code = details.user_code().secret();
    if user_code.is_empty()
        || user_code.len() > LONGEST_CODE
        || !user_code.chars().all(|c| c == ' ' || c.is_ascii_graphic())
    {
        return Err(ProviderError::Answer { place, reason: "`user_code` is not what it must be".into() });
    }
    let page = |text: &str| -> Result<Url, ProviderError> { trusted(issuer, place, text) };
    Ok(Step::DeviceCode {
        user_code: user_code.clone(),
        verification_uri: page(details.verification_uri())?,
        verification_uri_complete: details.verification_uri_complete().and_then(|uri| page(uri.secret()).ok()),
        until,
    })
}

impl SignIn for DeviceCode {
    fn tidied(&self) -> Method {
        Method::DeviceCode(Self {
            issuer: tidy(&self.issuer),
            client_id: tidy(&self.client_id),
            client_authentication: self.client_authentication,
            scopes: tidy_scopes(&self.scopes),
            sends: self.sends,
            audience: tidy(&self.audience),
            resource: tidy(&self.resource),
        })
    }

    fn check(&self) -> Vec<FieldError> {
        self.person().check(|_| {})
    }

    fn asks(&self) -> Vec<Ask> {
        client_proof::asks(self.client_authentication)
    }

    fn endpoint(&self) -> Option<String> {
        Some(self.issuer.clone())
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move { self.on_another_device(with, &secrets).await })
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
        // The operator signed in on another device: there is no session in this one's browser.
        Box::pin(async move { self.person().end(with, kept, false).await })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ProviderError, Step, UnixTime, step};

    fn shown(changes: &Value) -> Result<Step, ProviderError> {
        let mut details = json!({
            "device_code": "canary",
            "user_code": "ABCD-EFGH",
            "verification_uri": "https://id.example/device",
            "verification_uri_complete": "https://id.example/device?user_code=ABCD-EFGH",
            "expires_in": 600,
        });
        details.as_object_mut().expect("object").extend(changes.as_object().expect("object").clone());
        step("https://id.example", &serde_json::from_value(details).expect("details"), UnixTime(600))
    }

    #[test]
    fn the_code_and_the_page_are_shown_and_the_device_code_is_not() {
        let Step::DeviceCode { user_code, verification_uri_complete, .. } = shown(&json!({})).expect("shown") else {
            panic!("a code");
        };
        assert_eq!(user_code, "ABCD-EFGH");
        assert!(verification_uri_complete.is_some());
        assert!(!format!("{:?}", shown(&json!({}))).contains("canary"));
    }

    #[test]
    fn a_page_that_is_no_secure_address_is_never_opened() {
        assert!(shown(&json!({"verification_uri": "http://id.example/device"})).is_err());
        assert!(shown(&json!({"verification_uri": "file:///etc/passwd"})).is_err());
        let Ok(Step::DeviceCode { verification_uri_complete, .. }) =
            shown(&json!({"verification_uri_complete": "javascript:alert(1)"}))
        else {
            panic!("a code");
        };
        assert_eq!(verification_uri_complete, None);
        assert!(shown(&json!({"user_code": "a\u{202e}b"})).is_err());
    }
}
