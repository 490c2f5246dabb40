//! What does a provider say about itself, and what client follows from it? (`OpenID` Connect Discovery, RFC 8414)

use jsonwebtoken::jwk::Jwk;
use openidconnect::{
    AdditionalProviderMetadata, ClientId, ClientSecret, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, ProviderMetadata, TokenUrl,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    client_proof::ClientProof,
    error::{Place, ProviderError, shown_address},
    failure::unreadable,
    http::Http,
};
use crate::{
    realm::is_loopback,
    sign_in::{Context, SignInError},
};

/// What the library does not read of a discovery document.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct More {
    pub(crate) device_authorization_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) end_session_endpoint: Option<String>,
    /// RFC 9207 §3.
    pub(crate) authorization_response_iss_parameter_supported: bool,
    /// RFC 8414 §2.
    pub(crate) code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for More {}

pub(crate) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

pub(crate) type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointMaybeSet>;

/// A provider during one sign-in, and our client there.
pub(crate) struct Provider<'c> {
    pub(crate) http: Http<'c>,
    pub(crate) metadata: Metadata,
    pub(crate) client: Client,
    pub(crate) proof: ClientProof,
}

impl<'c> Provider<'c> {
    /// Reads the discovery document below `issuer`, and the provider's keys.
    ///
    /// # Errors
    /// What [`ProviderError`] says of the discovery document; [`SignInError::Unreachable`].
    pub(crate) async fn discover(
        with: &'c Context<'_>,
        issuer: &str,
        client_id: &str,
        proof: ClientProof,
    ) -> Result<Self, SignInError> {
        let http = Http::new(with, issuer);
        let answer = |reason: &str| ProviderError::Answer { place: Place::Discovery, reason: reason.into() };
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| answer("the issuer is no address"))?;
        let found = Metadata::discover_async(url, &http.at(Place::Discovery)).await;
        let metadata = found.map_err(|error| failed(issuer, error))?;
        let token_endpoint =
            metadata.token_endpoint().ok_or(ProviderError::NoEndpoint { place: Place::Token })?.clone();
        trusted(issuer, Place::Token, &token_endpoint)?;
        trusted(issuer, Place::Authorization, metadata.authorization_endpoint())?;
        let mut client = client(&metadata, client_id, token_endpoint);
        if let Some((secret, auth_type)) = proof.secret() {
            client =
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())).set_auth_type(auth_type);
        }
        Ok(Self { http, metadata, client, proof })
    }

    /// The issuer, as both sides write it.
    pub(crate) fn issuer(&self) -> &str {
        self.metadata.issuer()
    }

    /// What the discovery document names besides what the library reads.
    pub(crate) fn more(&self) -> &More {
        self.metadata.additional_metadata()
    }

    /// An endpoint of [`More`].
    ///
    /// # Errors
    /// [`ProviderError::NoEndpoint`], [`ProviderError::InsecureEndpoint`].
    pub(crate) fn endpoint(&self, place: Place, named: Option<&String>) -> Result<String, ProviderError> {
        let named = named.ok_or(ProviderError::NoEndpoint { place })?;
        trusted(self.issuer(), place, named)?;
        Ok(named.clone())
    }
}

/// The public keys of the provider with this issuer. No client is needed, and nothing is proven.
///
/// # Errors
/// As [`Provider::discover`], of the discovery document and the keys.
pub(crate) async fn keys(with: &Context<'_>, issuer: &str) -> Result<Vec<Jwk>, SignInError> {
    let http = Http::new(with, issuer);
    let answer = |reason: &str| ProviderError::Answer { place: Place::Discovery, reason: reason.into() };
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| answer("the issuer is no address"))?;
    let found = Metadata::discover_async(url, &http.at(Place::Discovery)).await;
    let metadata = found.map_err(|error| failed(issuer, error))?;
    let keys = metadata.jwks().keys().iter().filter_map(|key| serde_json::to_value(key).ok());
    Ok(keys.filter_map(|key| serde_json::from_value(key).ok()).collect())
}

fn client(metadata: &Metadata, client_id: &str, token_endpoint: TokenUrl) -> Client {
    CoreClient::from_provider_metadata(metadata.clone(), ClientId::new(client_id.to_owned()), None)
        .set_token_uri(token_endpoint)
}

/// Secrets and people go to https addresses; to http only on this computer, and only where `issuer` itself is such an address.
pub(crate) fn trusted(issuer: &str, place: Place, endpoint: &str) -> Result<Url, ProviderError> {
    let insecure = || ProviderError::InsecureEndpoint { place, url: shown_address(endpoint) };
    let url = Url::parse(endpoint).map_err(|_| insecure())?;
    let is_local = |url: &Url| url.scheme() == "http" && is_loopback(url);
    let sound = url.scheme() == "https" || (is_local(&url) && Url::parse(issuer).is_ok_and(|issuer| is_local(&issuer)));
    if sound && url.username().is_empty() && url.password().is_none() && url.fragment().is_none() {
        Ok(url)
    } else {
        Err(insecure())
    }
}

fn failed(issuer: &str, error: DiscoveryError<SignInError>) -> SignInError {
    let place = Place::Discovery;
    match error {
        DiscoveryError::Request(SignInError::Provider(ProviderError::Status { place: Place::Discovery, status }))
            if (400..500).contains(&status) && status != 429 =>
        {
            ProviderError::NoDiscovery { issuer: issuer.to_owned(), status }.into()
        }
        DiscoveryError::Request(error) => error,
        DiscoveryError::Response(status, ..) if status.is_client_error() => {
            ProviderError::NoDiscovery { issuer: issuer.to_owned(), status: status.as_u16() }.into()
        }
        DiscoveryError::Response(status, ..) => ProviderError::Status { place, status: status.as_u16() }.into(),
        DiscoveryError::Parse(error) => unreadable(place, &error).into(),
        // The library's only check: the message holds both sides, ours last.
        DiscoveryError::Validation(message) => {
            let theirs = message.split('`').nth(1).unwrap_or_default();
            ProviderError::IssuerMismatch { ours: issuer.to_owned(), theirs: shown_address(theirs) }.into()
        }
        _ => ProviderError::Answer { place, reason: "its addresses cannot be used".into() }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, trusted};

    #[test]
    fn a_provider_elsewhere_cannot_send_secrets_in_clear_or_to_this_computer() {
        let of = |issuer: &str, endpoint: &str| trusted(issuer, Place::Token, endpoint).is_ok();
        assert!(of("https://id.example", "https://login.example/token"));
        assert!(of("http://127.0.0.1:3000", "http://127.0.0.1:3000/token"));
        assert!(!of("https://127.0.0.1:3000", "http://127.0.0.1:3001/token"));
        for wrong in ["http://id.example/token", "http://127.0.0.1:22/", "file:///etc", "https://u:p@a/", "x"] {
            assert!(!of("https://id.example", wrong), "{wrong}");
        }
    }
}
