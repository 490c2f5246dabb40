//! How does the protocol library reach a provider? Over the environment's own client, bounded in time and size.
//!
//! Also the place where a client's assertion is added (RFC 7523 §2.2): the library has no `private_key_jwt`, repeats a
//! device's token request word by word, and providers take each assertion once only.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode, header};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use url::{Url, form_urlencoded};

use super::{
    client_proof::ClientProof,
    discovery::trusted,
    error::{Place, ProviderError, shown},
};
use crate::{
    clock::{Clock, UnixTime},
    sign_in::{Context, SignInError},
    upstream::{Reach, Unreachable},
};

/// For one request, in all.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is read of an answer, in bytes.
pub(crate) const LARGEST_ANSWER: usize = 256 * 1024;
/// `Date` has whole seconds, and an answer takes a moment.
const CLOCK_GRAIN: i64 = 2;

/// The way to one provider during one sign-in.
pub(crate) struct Http<'c> {
    reach: &'c Reach,
    clock: &'c dyn Clock,
    /// The issuer, or the token endpoint where there is none: every other address is judged by it.
    root: String,
    /// The provider's clock less ours, in seconds, by its last answer.
    ahead: AtomicI64,
}

impl<'c> Http<'c> {
    /// `root` is the issuer, or the token endpoint where there is none.
    pub(crate) fn new(with: &'c Context<'_>, root: &str) -> Self {
        Self { reach: with.reach, clock: &*with.clock, root: root.to_owned(), ahead: AtomicI64::new(0) }
    }

    /// The provider's clock less ours, in seconds.
    pub(crate) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// What our clock says.
    pub(crate) fn our_now(&self) -> UnixTime {
        self.clock.now()
    }

    /// What the provider's clock says, as far as it is known.
    pub(crate) fn provider_now(&self) -> UnixTime {
        self.clock.now().plus(self.ahead())
    }

    /// For requests that prove nothing.
    pub(crate) fn at(&self, place: Place) -> Call<'_> {
        Call { http: self, place, proof: None }
    }

    /// For requests with which the client proves itself.
    pub(crate) fn proving<'h>(&'h self, place: Place, proof: &'h ClientProof) -> Call<'h> {
        Call { http: self, place, proof: Some(proof) }
    }

    fn remember_clock(&self, headers: &HeaderMap) {
        // A cache in between answers with the date of long ago (RFC 9111 §5.1).
        if headers.contains_key(header::AGE) {
            return;
        }
        let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) {
            let ahead = UnixTime::from(date).seconds_since(self.clock.now());
            self.ahead.store(if ahead.abs() <= CLOCK_GRAIN { 0 } else { ahead }, Ordering::Relaxed);
        }
    }

    async fn send(&self, place: Place, request: HttpRequest) -> Result<HttpResponse, SignInError> {
        let (parts, body) = request.into_parts();
        let url = trusted(&self.root, place, &parts.uri.to_string())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let unreachable = |error: reqwest::Error| Unreachable::from_error(&error, &host);
        let request =
            self.reach.provider().request(parts.method, url).headers(parts.headers).body(body).timeout(PATIENCE);
        let mut response = request.send().await.map_err(unreachable)?;
        self.remember_clock(response.headers());
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() {
            let to = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            let to = to.and_then(|to| Url::parse(to).ok()).and_then(|to| to.host_str().map(str::to_owned));
            return Err(ProviderError::Redirect { place, to: shown(&to.unwrap_or(host)) }.into());
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ProviderError::Status { place, status: status.as_u16() }.into());
        }
        let mut body = zeroize::Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(ProviderError::TooLong { place }.into());
            }
            body.extend_from_slice(&chunk);
        }
        judge(place, status, &headers, &body)?;
        let mut answer = HttpResponse::new(std::mem::take(&mut *body));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

/// What the library would have no words for.
fn judge(place: Place, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<(), ProviderError> {
    // RFC 7009 §2.2: the status says all.
    if place == Place::Revocation && status.is_success() {
        return Ok(());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind.is_empty() || kind == "application/json" || kind.ends_with("+json");
    match (status.is_success(), is_json) {
        (true, true) => Ok(()),
        (true, false) => Err(ProviderError::NotJson { place, found: format!("`{}`", shown(&kind)) }),
        (false, true) if !body.is_empty() && matches!(body.first(), Some(b'{' | b' ' | b'\n' | b'\r' | b'\t')) => {
            Ok(())
        }
        (false, _) => Err(ProviderError::Status { place, status: status.as_u16() }),
    }
}

/// The library's HTTP client for one kind of request.
pub(crate) struct Call<'h> {
    http: &'h Http<'h>,
    place: Place,
    proof: Option<&'h ClientProof>,
}

impl Call<'_> {
    async fn perform(&self, mut request: HttpRequest) -> Result<HttpResponse, SignInError> {
        let is_keys =
            self.place == Place::Discovery && !request.uri().path().ends_with("/.well-known/openid-configuration");
        let place = if is_keys { Place::Keys } else { self.place };
        if let Some(proof) = self.proof
            && request.method() == Method::POST
        {
            let parameters = proof.assertion(self.http.provider_now())?;
            let body = String::from_utf8(std::mem::take(request.body_mut()))
                .map_err(|_| ProviderError::Answer { place, reason: "the request is not text".into() })?;
            let mut form = form_urlencoded::Serializer::for_suffix(body, 0);
            for (name, value) in &parameters {
                form.append_pair(name, value);
            }
            *request.body_mut() = form.finish().into_bytes();
        }
        self.http.send(place, request).await
    }
}

impl<'c> AsyncHttpClient<'c> for Call<'_> {
    type Error = SignInError;
    type Future = BoxFuture<'c, Result<HttpResponse, SignInError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.perform(request))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderValue, header};
    use openidconnect::{AsyncHttpClient as _, HttpRequest};

    use super::{Http, Place, ProviderError};
    use crate::{
        clock::{ManualClock, UnixTime},
        environment::{EnvironmentDraft, EnvironmentId},
        secrets::Secrets,
        sign_in::{Context, Operator, SignInError, Step},
        upstream::Reach,
    };

    struct Nobody;

    impl Operator for Nobody {
        fn show(&self, _step: Step) {}
    }

    #[tokio::test]
    async fn nothing_is_asked_in_clear_and_a_date_out_of_a_cache_is_no_clock() {
        let draft = EnvironmentDraft {
            name: "Test".into(),
            tag: "TEST".into(),
            base_url: "https://admin.example".into(),
            ..EnvironmentDraft::default()
        };
        let id = EnvironmentId::random().expect("random");
        let environment = draft.check().expect("sound").into_environment(id);
        let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
        let clock = Arc::new(ManualClock::at(UnixTime(784_111_777)));
        let context = Context { environment: &environment, reach: &reach, clock, operator: &Nobody };
        let http = Http::new(&context, "https://id.example");

        let mut request = HttpRequest::new(Vec::new());
        *request.uri_mut() = "http://127.0.0.1:1/jwks".parse().expect("an address");
        let error = http.at(Place::Keys).call(request).await.expect_err("refused");
        let insecure =
            matches!(&error, SignInError::Provider(ProviderError::InsecureEndpoint { place: Place::Keys, .. }));
        assert!(insecure, "{error}");

        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:59:37 GMT"));
        headers.insert(header::AGE, HeaderValue::from_static("600"));
        http.remember_clock(&headers);
        assert_eq!(http.ahead(), 0);
        headers.remove(header::AGE);
        http.remember_clock(&headers);
        assert_eq!(http.ahead(), 600);
    }
}
