//! Was the token signed with the key that it should be, as far as that key is known here?
//!
//! Known are the public keys of an `OpenID` provider, and the key of an environment that signs its own tokens. The admin's
//! key is not: a good signature here says that the issuer made the token, not that the admin has the right key.

use jsonwebtoken::{
    Algorithm, DecodingKey, Header, TokenData, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
    jwk::Jwk,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{examination::Examination, step::Found, token::Reading};
use crate::{
    session::Credential,
    sign_in::{Advice as _, Context, Method, Operator, SignInError, Step, oauth, shown},
};

/// Nobody is asked for anything.
struct Nobody;

impl Operator for Nobody {
    fn show(&self, _step: Step) {}
}

/// The token's signature.
pub(super) async fn signature(examination: &Examination<'_>) -> Found {
    if let Err(skipped) = Reading::of(examination).claims() {
        return skipped;
    }
    let subject = examination.subject;
    let Some(signed_in) = &subject.signed_in else { return Found::skipped("There is no token at hand.") };
    let Credential::Token(token) = &signed_in.credential else { return Found::skipped("There is no token.") };
    let Ok(header) = decode_header(token.expose_secret()) else {
        return Found::skipped("How the token is signed cannot be read from here.");
    };
    match &subject.environment.sign_in {
        Method::LocalSigning(settings) => match settings.verifying_key(&signed_in.kept) {
            Some(key) => judge(
                &verified(token, &header, &key),
                "It was signed with this environment's own key. Whether the admin has the same cannot be told from here.",
            ),
            None => Found::unknown("This environment's own key is not at hand.", ""),
        },
        Method::OpenIdConnect(settings) => by_provider(examination, token, &header, &settings.issuer).await,
        Method::DeviceCode(settings) => by_provider(examination, token, &header, &settings.issuer).await,
        Method::ClientCredentials(settings) if !settings.issuer.is_empty() => {
            by_provider(examination, token, &header, &settings.issuer).await
        }
        _ => Found::unknown("The key is the admin's: whether the signature is good cannot be told from here.", ""),
    }
}

async fn by_provider(examination: &Examination<'_>, token: &SecretString, header: &Header, issuer: &str) -> Found {
    let subject = examination.subject;
    if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return Found::unknown("The token is signed with a secret that the provider and the admin share.", "");
    }
    let (environment, reach, clock) = (&subject.environment, &subject.reach, subject.clock.clone());
    let context = Context { environment, reach, clock, operator: &Nobody };
    let keys = match oauth::keys(&context, issuer).await {
        Ok(keys) => keys,
        Err(error) => {
            let advice = if let SignInError::Provider(error) = &error { error.advice() } else { String::new() };
            return Found::unknown(format!("The provider's keys could not be had: {error}."), advice);
        }
    };
    let named = keys.iter().filter(|key| header.kid.is_none() || key.common.key_id == header.kid);
    let fitting: Vec<DecodingKey> = named.filter_map(|key: &Jwk| DecodingKey::from_jwk(key).ok()).collect();
    if fitting.is_empty() {
        let kid = header.kid.as_deref().map(|kid| format!(" `{}`", shown(kid))).unwrap_or_default();
        return Found::failed(
            format!("The provider has no key{kid}, with which the token says that it is signed."),
            "Sign in again. If it stays so, the token is another provider's: check the issuer in the sign-in settings.",
        );
    }
    let results: Vec<_> = fitting.iter().map(|key| verified(token, header, key)).collect();
    let best = results.iter().find(|result| result.is_ok()).or(results.first()).expect("there is one for every key");
    judge(
        best,
        "It was signed with a key of the provider. Whether the admin asks the same provider cannot be told from here.",
    )
}

/// The signature alone: times, issuer and audience are other steps'.
fn verified(token: &SecretString, header: &Header, key: &DecodingKey) -> Result<TokenData<Value>, Error> {
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    decode(token.expose_secret(), key, &validation)
}

fn judge(result: &Result<TokenData<Value>, Error>, good: &str) -> Found {
    match result.as_ref().map_err(Error::kind) {
        Ok(_) => Found::well(good),
        Err(ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::Base64(_)) => Found::failed(
            "The signature is not that of the key: somebody else signed the token, or it was changed.",
            "Sign in again. If it stays so, show this to whoever issues the tokens.",
        ),
        Err(_) => Found::unknown("The signature could not be checked with the key that is known.", ""),
    }
}
