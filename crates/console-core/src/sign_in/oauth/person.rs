//! What do the methods that sign a person in have in common? Settings, refreshing, and the end at the provider.

use openidconnect::{
    AccessToken, ClientId, EndSessionUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, RefreshToken, RevocationUrl,
    TokenResponse as _,
    core::{CoreRevocableToken, CoreTokenResponse},
};
use secrecy::ExposeSecret;

use super::{
    ClientAuthentication, REFRESH_TOKEN, SUBJECT, Sends,
    client_proof::{self, ClientProof},
    discovery::Provider,
    error::{GrantKind, Place, ProviderError},
    failure,
    id_token::{Expected, Who},
    settings::{Check, Common},
    tokens,
};
use crate::{
    environment::FieldError,
    secrets::Secrets,
    sign_in::{Context, Grant, SignInError, Step, TOKEN},
};

/// How long the browser's page for signing out is worth showing, in seconds.
const LOGOUT_PATIENCE: i64 = 300;
const OPENID: &str = "openid";

/// The settings that the methods share.
pub(crate) struct Person<'s> {
    pub(crate) issuer: &'s str,
    pub(crate) client_id: &'s str,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) scopes: &'s [String],
    pub(crate) sends: Sends,
    pub(crate) audience: &'s str,
    pub(crate) resource: &'s str,
}

impl Person<'_> {
    pub(crate) fn check(&self, more: impl FnOnce(&mut Check)) -> Vec<FieldError> {
        let mut check = Check::new();
        check.issuer(self.issuer);
        check.common(&Common {
            client_id: self.client_id,
            scopes: self.scopes,
            audience: self.audience,
            resource: self.resource,
        });
        check.sends(self.sends, self.scopes);
        more(&mut check);
        check.done()
    }

    pub(crate) fn can_renew(&self, kept: &Secrets) -> bool {
        kept.get(REFRESH_TOKEN).is_some() && client_proof::is_kept(self.authentication, kept)
    }

    /// The provider, found by its issuer. Nothing is found with settings that are wrong.
    pub(crate) async fn discover<'c>(
        &self,
        with: &'c Context<'_>,
        secrets: &Secrets,
    ) -> Result<Provider<'c>, SignInError> {
        let how = (self.authentication, "", "");
        let proof = ClientProof::new(self.client_id, self.issuer, how, secrets)?;
        let mut provider = Provider::discover(with, self.issuer, self.client_id, proof).await?;
        if !self.wants_id_token() {
            provider.client = provider.client.disable_openid_scope();
        }
        Ok(provider)
    }

    /// The scopes besides `openid`, which the library writes.
    pub(crate) fn further_scopes(&self) -> impl Iterator<Item = openidconnect::Scope> {
        self.scopes.iter().filter(|scope| *scope != OPENID).cloned().map(openidconnect::Scope::new)
    }

    /// The parameters of RFC 8707 and of the providers that know `audience`.
    pub(crate) fn target(&self) -> Vec<(&'static str, String)> {
        target(self.audience, self.resource)
    }

    fn wants_id_token(&self) -> bool {
        self.scopes.iter().any(|scope| scope == OPENID)
    }

    /// A grant from the first response; `nonce` is the one that was sent, where one was.
    pub(crate) fn first_grant(
        &self,
        provider: &Provider<'_>,
        response: &CoreTokenResponse,
        nonce: Option<&Nonce>,
        secrets: &Secrets,
    ) -> Result<Grant, SignInError> {
        let who = self.verify(provider, response, nonce)?;
        if self.wants_id_token() && who.is_none() {
            return Err(ProviderError::NoIdToken.into());
        }
        let keep = client_proof::kept(self.authentication, secrets);
        Ok(tokens::grant(response, who.as_ref(), self.sends, provider.http.provider_now(), keep)?)
    }

    fn verify(
        &self,
        provider: &Provider<'_>,
        response: &CoreTokenResponse,
        nonce: Option<&Nonce>,
    ) -> Result<Option<Who>, ProviderError> {
        let expected = Expected {
            metadata: &provider.metadata,
            client_id: self.client_id,
            nonce,
            now: provider.http.our_now(),
            ahead: provider.http.ahead(),
        };
        response.id_token().map(|token| expected.verify(token, response.access_token())).transpose()
    }

    /// A fresh grant by the refresh token (RFC 6749 §6).
    pub(crate) async fn renew(&self, with: &Context<'_>, kept: Secrets) -> Result<Grant, SignInError> {
        let refresh = kept.expose(REFRESH_TOKEN).ok_or_else(|| SignInError::Missing("a refresh token".into()))?;
        let refresh = RefreshToken::new(refresh.to_owned());
        let provider = self.discover(with, &kept).await?;
        let mut request = provider.client.exchange_refresh_token(&refresh);
        for (name, value) in self.target() {
            request = request.add_extra_param(name, value);
        }
        let call = provider.http.proving(Place::Token, &provider.proof);
        let response = request.request_async(&call).await;
        let response = response.map_err(|error| failure::of_request(Place::Token, GrantKind::Refresh, error))?;
        // An ID token need not come again; one that comes must be the same person's (`OpenID` Connect Core §12.2).
        let who = self.verify(&provider, &response, None)?;
        if who.is_none() && self.sends == Sends::IdToken {
            return Err(ProviderError::NoFreshIdToken.into());
        }
        if let (Some(who), Some(known)) = (&who, kept.expose(SUBJECT))
            && who.subject != known
        {
            return Err(ProviderError::OtherSubject.into());
        }
        Ok(tokens::grant(&response, who.as_ref(), self.sends, provider.http.provider_now(), kept)?)
    }

    /// Revokes what was kept (RFC 7009); with `browser`, also shows the provider's logout. Answers what was not done.
    pub(crate) async fn end(&self, with: &Context<'_>, kept: Secrets, browser: bool) -> Vec<String> {
        let provider = match self.discover(with, &kept).await {
            Ok(provider) => provider,
            Err(error) => return vec![format!("The provider was not told: {error}.")],
        };
        let mut notes = Vec::new();
        // The refresh token first: with it a provider ends the access tokens too (RFC 7009 §2.1).
        let refresh = kept.get(REFRESH_TOKEN).map(|token| RefreshToken::new(token.expose_secret().to_owned()));
        let access = kept.get(TOKEN).filter(|_| self.sends == Sends::AccessToken);
        let access = access.map(|token| AccessToken::new(token.expose_secret().to_owned()));
        let all = refresh.map(CoreRevocableToken::from).into_iter().chain(access.map(CoreRevocableToken::from));
        for token in all {
            let what = match token {
                CoreRevocableToken::RefreshToken(_) => "refresh",
                _ => "access",
            };
            if let Err(error) = revoke(&provider, token).await {
                notes.push(format!("The {what} token was not revoked: {error}. It is good until it ends by itself."));
            }
        }
        if browser {
            self.show_logout(with, &provider);
        }
        notes
    }

    /// RP-initiated logout 1.0, where the provider has it. Without `id_token_hint`: no token goes into an address, so
    /// the provider asks the operator itself.
    fn show_logout(&self, with: &Context<'_>, provider: &Provider<'_>) {
        let named = provider.more().end_session_endpoint.as_ref();
        let Ok(endpoint) = provider.endpoint(Place::Logout, named) else { return };
        let Ok(endpoint) = EndSessionUrl::new(endpoint) else { return };
        let request = LogoutRequest::from(endpoint).set_client_id(ClientId::new(self.client_id.to_owned()));
        with.operator
            .show(Step::Browser { url: request.http_get_url(), until: with.clock.now().plus(LOGOUT_PATIENCE) });
    }
}

/// The parameters of RFC 8707 and of the providers that know `audience`.
pub(crate) fn target(audience: &str, resource: &str) -> Vec<(&'static str, String)> {
    let both = [("audience", audience.to_owned()), ("resource", resource.to_owned())];
    both.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

async fn revoke(provider: &Provider<'_>, token: CoreRevocableToken) -> Result<(), SignInError> {
    let place = Place::Revocation;
    let endpoint = provider.endpoint(place, provider.more().revocation_endpoint.as_ref())?;
    let insecure = |_| ProviderError::InsecureEndpoint { place, url: endpoint.clone() };
    let url = RevocationUrl::new(endpoint.clone()).map_err(insecure)?;
    let client = provider.client.clone().set_revocation_url(url);
    // The library refuses an endpoint without TLS (RFC 7009 §2), on this computer too.
    let request =
        client.revoke_token(token).map_err(|_| ProviderError::InsecureEndpoint { place, url: endpoint.clone() })?;
    let call = provider.http.proving(place, &provider.proof);
    let revoked = request.request_async(&call).await;
    revoked.map_err(|error| failure::of_request(place, GrantKind::Refresh, error))
}
