//! Is an ID token to be trusted? (`OpenID` Connect Core §3.1.3.7)

use chrono::{DateTime, Utc};
use jsonwebtoken::decode_header;
use openidconnect::{
    AccessToken, AccessTokenHash, Audience, ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm},
};

use super::{
    discovery::Metadata,
    error::{Place, ProviderError, shown, shown_address},
};
use crate::{clock::UnixTime, token::Identity};

/// Never `none`, never a shared secret: whoever knows that of a desktop app can sign with it (RFC 8725 §3.1).
const ALLOWED: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// What two clocks may differ without anybody noticing, in seconds.
const LEEWAY: i64 = 60;

/// Whom a verified ID token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) subject: String,
    pub(crate) name: Option<String>,
}

/// What an ID token has to fit.
pub(crate) struct Expected<'e> {
    pub(crate) metadata: &'e Metadata,
    pub(crate) client_id: &'e str,
    /// The nonce that was sent, where one was.
    pub(crate) nonce: Option<&'e Nonce>,
    /// Our clock.
    pub(crate) now: UnixTime,
    /// The provider's clock less ours, in seconds.
    pub(crate) ahead: i64,
}

impl Expected<'_> {
    /// Verifies signature, issuer, audience, times, nonce, and that `access` came with it.
    ///
    /// # Errors
    /// What [`ProviderError`] says of the ID token.
    pub(crate) fn verify(&self, token: &CoreIdToken, access: &AccessToken) -> Result<Who, ProviderError> {
        let algorithm = token.signing_alg().map_err(|error| match error {
            SignatureVerificationError::NoSignature => ProviderError::Algorithm { algorithm: "none".into() },
            _ => ProviderError::Algorithm { algorithm: "encryption".into() },
        })?;
        if !ALLOWED.contains(algorithm) {
            return Err(ProviderError::Algorithm { algorithm: name_of(algorithm) });
        }
        let now = time(self.now.plus(-LEEWAY));
        let latest_issue = time(self.now.plus(LEEWAY));
        // A verifier of a public client also where there is a secret: it refuses every shared-secret algorithm by itself.
        let verifier = CoreIdTokenVerifier::new_public_client(
            ClientId::new(self.client_id.to_owned()),
            self.metadata.issuer().clone(),
            self.metadata.jwks().clone(),
        )
        .set_allowed_algs(ALLOWED)
        // Others may be named besides us where `azp` says that it was made for us; that is checked below.
        .set_other_audience_verifier_fn(|_: &Audience| true)
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued| if issued <= latest_issue { Ok(()) } else { Err(String::new()) });
        let nonce = |given: Option<&Nonce>| match self.nonce {
            Some(sent) => openidconnect::NonceVerifier::verify(sent, given),
            None => Ok(()),
        };
        let claims = token.claims(&verifier, nonce).map_err(|error| self.refused(token, &error))?;
        self.check_party(token, claims)?;
        if let Some(expected) = claims.access_token_hash() {
            let key = token.signing_key(&verifier).map_err(|_| ProviderError::Signature)?;
            let hash =
                AccessTokenHash::from_token(access, algorithm, key).map_err(|_| ProviderError::AccessTokenHash)?;
            if hash != *expected {
                return Err(ProviderError::AccessTokenHash);
            }
        }
        Ok(who(claims))
    }

    /// `azp`: ours where it is there, and there where several audiences are named.
    fn check_party(&self, token: &CoreIdToken, claims: &CoreIdTokenClaims) -> Result<(), ProviderError> {
        let ours = match claims.authorized_party() {
            Some(party) => party.as_str() == self.client_id,
            None => claims.audiences().len() == 1,
        };
        if ours { Ok(()) } else { Err(self.wrong_audience(token)) }
    }

    fn wrong_audience(&self, token: &CoreIdToken) -> ProviderError {
        let read = unverified(token);
        let mut theirs = read.audience;
        theirs.extend(read.claims.get("azp").and_then(serde_json::Value::as_str).map(|azp| format!("azp {azp}")));
        ProviderError::IdTokenAudience { ours: self.client_id.to_owned(), theirs: shown(&theirs.join(", ")) }
    }

    fn refused(&self, token: &CoreIdToken, error: &ClaimsVerificationError) -> ProviderError {
        match error {
            ClaimsVerificationError::InvalidIssuer(_) => ProviderError::IdTokenIssuer {
                ours: self.metadata.issuer().to_string(),
                theirs: shown_address(&unverified(token).issuer.unwrap_or_default()),
            },
            ClaimsVerificationError::InvalidAudience(_) => self.wrong_audience(token),
            ClaimsVerificationError::InvalidNonce(_) => ProviderError::Nonce,
            ClaimsVerificationError::Expired(_) if self.ahead.abs() > LEEWAY => {
                ProviderError::ClockOff { minutes: self.ahead.unsigned_abs().div_ceil(60), behind: self.ahead > 0 }
            }
            ClaimsVerificationError::Expired(_) => ProviderError::IdTokenTime,
            ClaimsVerificationError::SignatureVerification(error) => match error {
                SignatureVerificationError::NoMatchingKey => {
                    let key_id = decode_header(token.to_string()).ok().and_then(|header| header.kid);
                    ProviderError::UnknownKey { key_id: shown(&key_id.unwrap_or_default()) }
                }
                SignatureVerificationError::CryptoError(_) => ProviderError::Signature,
                SignatureVerificationError::AmbiguousKeyId(_) | SignatureVerificationError::InvalidKey(_) => {
                    ProviderError::Answer { place: Place::Keys, reason: "no single key fits the ID token".into() }
                }
                _ => ProviderError::Algorithm { algorithm: token.signing_alg().map(name_of).unwrap_or_default() },
            },
            _ => ProviderError::IdTokenUnreadable { reason: "it is no ID token by its type".into() },
        }
    }
}

/// For what is shown only: nothing is decided by it.
fn unverified(token: &CoreIdToken) -> Identity {
    Identity::read(&token.to_string().into())
}

fn who(claims: &CoreIdTokenClaims) -> Who {
    let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    let name = name.or_else(|| claims.preferred_username().map(|name| name.as_str().to_owned()));
    let name = name.or_else(|| claims.email().map(|email| email.as_str().to_owned()));
    Who { subject: claims.subject().as_str().to_owned(), name: name.filter(|name| !name.trim().is_empty()) }
}

fn name_of(algorithm: &CoreJwsSigningAlgorithm) -> String {
    let name = serde_json::to_value(algorithm).ok();
    name.as_ref().and_then(serde_json::Value::as_str).map(shown).unwrap_or_default()
}

fn time(at: UnixTime) -> DateTime<Utc> {
    DateTime::from_timestamp(at.0, 0).unwrap_or(DateTime::UNIX_EPOCH)
}
