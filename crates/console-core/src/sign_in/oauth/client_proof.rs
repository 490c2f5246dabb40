//! How does the client prove itself at a provider (RFC 6749 §2.3, RFC 7523)?

use jsonwebtoken::{Algorithm, Header};
use openidconnect::{AuthType, CsrfToken};
use secrecy::SecretString;
use serde_json::json;

use super::{CLIENT_KEY, CLIENT_SECRET, ClientAuthentication};
use crate::{
    clock::UnixTime,
    secrets::Secrets,
    sign_in::{
        Ask, AskKind, SignInError,
        local_signing::{KeyError, encoding_key},
    },
};

/// How long an assertion may be used, in seconds. It is made for one request.
const ASSERTION_LIFE: i64 = 60;
/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Where the settings name no algorithm the key decides: the first that it can sign with.
const BY_KEY: [Algorithm; 4] = [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256];

/// A client's private key, and how it signs.
struct SigningKey {
    key: SecretString,
    algorithms: Vec<Algorithm>,
    key_id: Option<String>,
}

enum Proof {
    None,
    Secret { secret: SecretString, auth_type: AuthType },
    Key(SigningKey),
}

/// A client with what it proves itself with.
pub(crate) struct ClientProof {
    client_id: String,
    /// Whom an assertion is for: the issuer, or the token endpoint where there is none.
    audience: String,
    proof: Proof,
}

/// What the operator is asked for.
pub(crate) fn asks(authentication: ClientAuthentication) -> Vec<Ask> {
    match authentication {
        ClientAuthentication::None => Vec::new(),
        ClientAuthentication::Basic | ClientAuthentication::Post => {
            vec![Ask::required(CLIENT_SECRET, "Client secret", AskKind::Password)]
        }
        ClientAuthentication::PrivateKeyJwt => {
            vec![
                Ask::required(CLIENT_KEY, "Client's private key (PEM)", AskKind::Key).with_help(
                    "PKCS#8, unencrypted. It is kept in the keychain and signs an assertion for each request.",
                ),
            ]
        }
    }
}

/// Whether `kept` has what the client proves itself with.
pub(crate) fn is_kept(authentication: ClientAuthentication, kept: &Secrets) -> bool {
    asks(authentication).iter().all(|ask| kept.get(&ask.key).is_some())
}

/// The part of `secrets` that the client proves itself with.
pub(crate) fn kept(authentication: ClientAuthentication, secrets: &Secrets) -> Secrets {
    let asked = asks(authentication);
    secrets.clone().only(|name| asked.iter().any(|ask| ask.key == name))
}

impl ClientProof {
    /// Takes what the client needs out of `secrets`. `algorithm` and `key_id` are for a private key; empty where the
    /// settings do not name them.
    ///
    /// # Errors
    /// [`SignInError::Missing`], [`SignInError::Key`].
    pub(crate) fn new(
        client_id: &str,
        audience: &str,
        (authentication, algorithm, key_id): (ClientAuthentication, &str, &str),
        secrets: &Secrets,
    ) -> Result<Self, SignInError> {
        let find = |name: &str, what: &str| secrets.get(name).cloned().ok_or_else(|| SignInError::Missing(what.into()));
        let proof = match authentication {
            ClientAuthentication::None => Proof::None,
            ClientAuthentication::Basic => {
                Proof::Secret { secret: find(CLIENT_SECRET, "the client secret")?, auth_type: AuthType::BasicAuth }
            }
            ClientAuthentication::Post => {
                Proof::Secret { secret: find(CLIENT_SECRET, "the client secret")?, auth_type: AuthType::RequestBody }
            }
            ClientAuthentication::PrivateKeyJwt => {
                let algorithms = if algorithm.is_empty() {
                    BY_KEY.to_vec()
                } else {
                    vec![signing_algorithm(algorithm).ok_or(KeyError::Settings)?]
                };
                let key = find(CLIENT_KEY, "the client's private key")?;
                Proof::Key(SigningKey { key, algorithms, key_id: Some(key_id.to_owned()).filter(|id| !id.is_empty()) })
            }
        };
        let proof = Self { client_id: client_id.to_owned(), audience: audience.to_owned(), proof };
        // A key that cannot sign is said before anybody is asked.
        proof.assertion(UnixTime(0))?;
        Ok(proof)
    }

    /// The secret that the protocol library sends, and how.
    pub(crate) fn secret(&self) -> Option<(&SecretString, AuthType)> {
        match &self.proof {
            Proof::Secret { secret, auth_type } => Some((secret, auth_type.clone())),
            Proof::None | Proof::Key(_) => None,
        }
    }

    /// The parameters of a fresh assertion (RFC 7523 §3), if the client proves itself with one. `now` is the provider's.
    ///
    /// # Errors
    /// [`SignInError::Key`].
    pub(crate) fn assertion(&self, now: UnixTime) -> Result<Vec<(&'static str, String)>, SignInError> {
        let Proof::Key(signing) = &self.proof else { return Ok(Vec::new()) };
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": CsrfToken::new_random_len(16).secret(),
            "iat": now.0,
            "exp": now.plus(ASSERTION_LIFE).0,
        });
        let mut failed = KeyError::Settings;
        for algorithm in &signing.algorithms {
            let header = Header { kid: signing.key_id.clone(), ..Header::new(*algorithm) };
            let signed = encoding_key(*algorithm, &signing.key).and_then(|key| {
                jsonwebtoken::encode(&header, &claims, &key)
                    .map_err(|_| KeyError::OtherKind { algorithm: format!("{algorithm:?}") })
            });
            match signed {
                Ok(assertion) => {
                    return Ok(vec![("client_assertion_type", ASSERTION_TYPE.into()), ("client_assertion", assertion)]);
                }
                Err(error) => failed = error,
            }
        }
        Err(failed.into())
    }
}

/// An algorithm that a private key signs with.
pub(crate) fn signing_algorithm(name: &str) -> Option<Algorithm> {
    let shared = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    name.parse().ok().filter(|algorithm| !shared.contains(algorithm))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, dangerous::insecure_decode_claims, decode_header};
    use serde_json::Value;

    use super::{ClientProof, signing_algorithm};
    use crate::{
        clock::UnixTime,
        secrets::Secrets,
        sign_in::{
            SignInError,
            oauth::{CLIENT_KEY, ClientAuthentication},
        },
    };

    /// P-256, made for this test.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxPKrMjkANe1bLE7h
m0lA7bcEAd7Ey32uYk81+ToPmP2hRANCAAQYDMwbJVYPfgDSAUsR/oDtc06B9wXe
wSnrHcBpoS8yti11dbiCk/VUaQojoj7W0idePG7Taw6KESn1KxNiQvpP
-----END PRIVATE KEY-----";

    fn with(algorithm: &str, key: &str) -> Result<ClientProof, SignInError> {
        let secrets = Secrets::one(CLIENT_KEY, key.to_owned().into());
        let how = (ClientAuthentication::PrivateKeyJwt, algorithm, "k1");
        ClientProof::new("console", "https://id.example", how, &secrets)
    }

    #[test]
    fn an_assertion_is_for_the_issuer_lives_a_minute_and_is_never_the_same_twice() {
        let proof = with("ES256", KEY).expect("a key");
        let assertion = |proof: &ClientProof| proof.assertion(UnixTime(1_000)).expect("signs").remove(1).1;
        let (one, two) = (assertion(&proof), assertion(&proof));
        let claims: Value = insecure_decode_claims(&one).expect("claims");
        assert_eq!(claims["aud"], "https://id.example");
        assert_eq!((&claims["iss"], &claims["sub"]), (&"console".into(), &"console".into()));
        assert_eq!((&claims["iat"], &claims["exp"]), (&1_000.into(), &1_060.into()));
        assert_eq!(decode_header(&one).expect("header").kid.as_deref(), Some("k1"));
        let other: Value = insecure_decode_claims(&two).expect("claims");
        assert_ne!(claims["jti"], other["jti"]);
    }

    #[test]
    fn where_the_settings_name_no_algorithm_the_key_decides() {
        let assertion = with("", KEY).expect("a key").assertion(UnixTime(0)).expect("signs").remove(1).1;
        assert_eq!(decode_header(&assertion).expect("header").alg, Algorithm::ES256);
    }

    #[test]
    fn a_key_of_another_kind_is_said_before_anybody_is_asked() {
        assert!(matches!(with("RS256", KEY), Err(SignInError::Key(_))));
        assert!(matches!(with("ES256", "canary"), Err(SignInError::Key(_))));
        assert!(signing_algorithm("HS256").is_none());
    }
}
