//! Signs in as a client, without a person (RFC 6749 §4.4).

use futures_util::future::BoxFuture;
use openidconnect::{
    ClientId, ClientSecret, IssuerUrl, JsonWebKeySet, Scope, TokenUrl,
    core::{CoreClient, CoreTokenResponse},
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{
    Ask, Context, Grant, Method, SignIn, SignInError,
    oauth::{
        ClientAuthentication, GrantKind, Place, ProviderError, Sends,
        client_proof::{self, ClientProof, signing_algorithm},
        discovery::Provider,
        failure,
        http::Http,
        person::target,
        settings::{Check, Common, tidy, tidy_scopes},
        tokens,
    },
};
use crate::{clock::UnixTime, environment::FieldError, secrets::Secrets};

/// The provider, the client, and what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct ClientCredentials {
    /// The issuer, whose configuration names the token endpoint; empty where `token_url` is given.
    pub issuer: String,
    /// The token endpoint of a provider without discovery; empty where `issuer` is given.
    pub token_url: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// How the client proves itself; never none.
    pub client_authentication: ClientAuthentication,
    /// Such as `jobs:read`.
    pub scopes: Vec<String>,
    /// The `audience` parameter that some providers want; empty for none.
    pub audience: String,
    /// The resource indicator (RFC 8707), an absolute URI; empty for none.
    pub resource: String,
    /// The algorithm of the client's private key, for `private_key_jwt`.
    pub algorithm: String,
    /// The `kid` of that key; empty for none.
    pub key_id: String,
}

impl Default for ClientCredentials {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            token_url: String::new(),
            client_id: String::new(),
            client_authentication: ClientAuthentication::Basic,
            scopes: Vec::new(),
            audience: String::new(),
            resource: String::new(),
            algorithm: "ES256".into(),
            key_id: String::new(),
        }
    }
}

impl ClientCredentials {
    fn proof(&self, audience: &str, secrets: &Secrets) -> Result<ClientProof, SignInError> {
        let algorithm =
            if self.client_authentication == ClientAuthentication::PrivateKeyJwt { &*self.algorithm } else { "" };
        ClientProof::new(&self.client_id, audience, (self.client_authentication, algorithm, &self.key_id), secrets)
    }

    async fn exchange(&self, with: &Context<'_>, secrets: &Secrets) -> Result<Grant, SignInError> {
        let (response, now) = if self.issuer.is_empty() {
            let proof = self.proof(&self.token_url, secrets)?;
            let http = Http::new(with, &self.token_url);
            (self.request(&http, &proof, &self.token_url, &self.token_url).await?, http.provider_now())
        } else {
            let proof = self.proof(&self.issuer, secrets)?;
            let provider = Provider::discover(with, &self.issuer, &self.client_id, proof).await?;
            let token_url = provider.client.token_uri().to_string();
            let response = self.request(&provider.http, &provider.proof, provider.issuer(), &token_url).await?;
            (response, provider.http.provider_now())
        };
        let keep = client_proof::kept(self.client_authentication, secrets);
        Ok(tokens::grant(&response, None, Sends::AccessToken, now, keep)?)
    }

    /// RFC 6749 §4.4.2.
    async fn request(
        &self,
        http: &Http<'_>,
        proof: &ClientProof,
        issuer: &str,
        token_url: &str,
    ) -> Result<CoreTokenResponse, SignInError> {
        let place = Place::Token;
        let insecure = |_| ProviderError::InsecureEndpoint { place, url: token_url.to_owned() };
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(insecure)?;
        let mut client = CoreClient::new(ClientId::new(self.client_id.clone()), issuer, JsonWebKeySet::default())
            .set_token_uri(TokenUrl::new(token_url.to_owned()).map_err(insecure)?);
        if let Some((secret, auth_type)) = proof.secret() {
            client =
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())).set_auth_type(auth_type);
        }
        let mut request = client.exchange_client_credentials().add_scopes(self.scopes.iter().cloned().map(Scope::new));
        for (name, value) in target(&self.audience, &self.resource) {
            request = request.add_extra_param(name, value);
        }
        let call = http.proving(place, proof);
        let response = request.request_async(&call).await;
        response.map_err(|error| failure::of_request(place, GrantKind::Credentials, error))
    }
}

impl SignIn for ClientCredentials {
    fn tidied(&self) -> Method {
        Method::ClientCredentials(Self {
            issuer: tidy(&self.issuer),
            token_url: tidy(&self.token_url),
            client_id: tidy(&self.client_id),
            client_authentication: self.client_authentication,
            scopes: tidy_scopes(&self.scopes),
            audience: tidy(&self.audience),
            resource: tidy(&self.resource),
            algorithm: tidy(&self.algorithm),
            key_id: tidy(&self.key_id),
        })
    }

    fn check(&self) -> Vec<FieldError> {
        let mut check = Check::new();
        match (self.issuer.is_empty(), self.token_url.is_empty()) {
            (_, true) => check.issuer(&self.issuer),
            (true, false) => {
                if let Err(message) = super::token_endpoint::endpoint_url(&self.token_url) {
                    check.wrong("sign_in.token_url", &message);
                }
            }
            (false, false) => check.wrong("sign_in.token_url", "give the issuer or the token endpoint, not both"),
        }
        check.common(&Common {
            client_id: &self.client_id,
            scopes: &self.scopes,
            audience: &self.audience,
            resource: &self.resource,
        });
        check.proves_itself(self.client_authentication);
        let by_key = self.client_authentication == ClientAuthentication::PrivateKeyJwt;
        if by_key && signing_algorithm(&self.algorithm).is_none() {
            let choice = "choose RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA";
            check.wrong("sign_in.algorithm", choice);
        }
        check.done()
    }

    fn asks(&self) -> Vec<Ask> {
        client_proof::asks(self.client_authentication)
    }

    fn endpoint(&self) -> Option<String> {
        Some(if self.issuer.is_empty() { &self.token_url } else { &self.issuer }.clone())
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move { self.exchange(with, &secrets).await })
    }

    fn restore(&self, kept: &Secrets, now: UnixTime) -> Option<Grant> {
        tokens::restore(kept, now)
    }

    fn can_renew(&self, kept: &Secrets) -> bool {
        self.client_authentication != ClientAuthentication::None
            && client_proof::is_kept(self.client_authentication, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientAuthentication, ClientCredentials};
    use crate::sign_in::SignIn as _;

    #[test]
    fn a_client_proves_itself_at_an_issuer_or_a_token_endpoint_not_both() {
        let fields =
            |settings: &ClientCredentials| settings.check().iter().map(|error| error.field).collect::<Vec<_>>();
        let sound = ClientCredentials {
            issuer: "https://id.example".into(),
            client_id: "console".into(),
            ..ClientCredentials::default()
        };
        assert!(fields(&sound).is_empty());
        let token_url = "https://id.example/token".to_owned();
        assert!(
            fields(&ClientCredentials { issuer: String::new(), token_url: token_url.clone(), ..sound.clone() })
                .is_empty()
        );
        assert_eq!(fields(&ClientCredentials { token_url, ..sound.clone() }), ["sign_in.token_url"]);
        assert_eq!(fields(&ClientCredentials { issuer: String::new(), ..sound.clone() }), ["sign_in.issuer"]);
        let nobody = ClientCredentials { client_authentication: ClientAuthentication::None, ..sound.clone() };
        assert_eq!(fields(&nobody), ["sign_in.client_authentication"]);
        let shared = ClientCredentials {
            client_authentication: ClientAuthentication::PrivateKeyJwt,
            algorithm: "HS256".into(),
            ..sound
        };
        assert_eq!(fields(&shared), ["sign_in.algorithm"]);
    }
}
