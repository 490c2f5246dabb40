//! Signs in with tokens that the console signs itself, with a shared secret or a private key (RFC 7515, RFC 7519).

use futures_util::future::BoxFuture;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, jwk::Jwk};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Advice, Ask, AskKind, Context, Grant, Method, SignIn, SignInError};
use crate::{clock::UnixTime, environment::FieldError, secrets::Secrets, upstream::server_time};

/// The name under which the key is kept.
const KEY: &str = "key";
/// AsyncMQ's `JWTAuthBackend` refuses a shorter one.
const LEAST_SECRET: usize = 32;
/// In seconds.
const LIFETIMES: std::ops::RangeInclusive<u32> = 30..=24 * 60 * 60;
/// Claims that the console writes itself.
const OURS: [&str; 3] = ["iat", "nbf", "exp"];

/// What is signed, and how. The key is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct LocalSigning {
    /// Such as `HS256`, `RS256`, `PS256`, `ES256`, `EdDSA`.
    pub algorithm: String,
    /// `kid`; empty for none.
    pub key_id: String,
    /// In seconds.
    pub lifetime: u32,
    /// `sub`.
    pub subject: String,
    /// `name`; empty for none.
    pub name: String,
    /// `aud`; empty for none.
    pub audience: String,
    /// `iss`; empty for none.
    pub issuer: String,
    /// `roles`.
    pub roles: Vec<String>,
    /// `is_admin`.
    pub is_admin: bool,
    /// More claims: a JSON object, or empty.
    pub extra_claims: String,
}

impl Default for LocalSigning {
    fn default() -> Self {
        Self {
            algorithm: "HS256".into(),
            key_id: String::new(),
            lifetime: 300,
            subject: String::new(),
            name: String::new(),
            audience: String::new(),
            issuer: String::new(),
            roles: Vec::new(),
            is_admin: true,
            extra_claims: String::new(),
        }
    }
}

/// Why a key cannot sign. Never holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum KeyError {
    #[error("the shared secret has {length} bytes, and AsyncMQ refuses fewer than {LEAST_SECRET}")]
    Short { length: usize },
    #[error("a private key was given, and {algorithm} signs with a shared secret")]
    NotASecret { algorithm: String },
    #[error("{algorithm} signs with a private key in PEM form, and this is none")]
    NotPem { algorithm: String },
    #[error("the key is a {form}, which cannot be read here")]
    Form { form: String },
    #[error("the key is no {algorithm} key")]
    OtherKind { algorithm: String },
    #[error("the environment's settings name no algorithm and claims that can be signed")]
    Settings,
}

impl Advice for KeyError {
    fn code(&self) -> &'static str {
        "key"
    }

    fn advice(&self) -> String {
        match self {
            Self::Short { .. } => "Use the secret that the admin was given; its administrator has it.",
            Self::NotASecret { .. } => "Paste the shared secret, or choose the key's own algorithm in the settings.",
            Self::NotPem { .. } => "Paste the whole key, from -----BEGIN PRIVATE KEY----- to the end.",
            Self::Form { .. } => "Convert it with `openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.pem` and paste that.",
            Self::OtherKind { .. } => "Paste a key of that kind, or choose the key's own algorithm in the settings.",
            Self::Settings => "Check the sign-in settings of the environment.",
        }
        .into()
    }
}

fn algorithm(name: &str) -> Option<Algorithm> {
    // ES512 is not in the library, and `none` is no algorithm.
    name.parse().ok()
}

/// The key that signs with `algorithm`.
pub(super) fn encoding_key(algorithm: Algorithm, key: &SecretString) -> Result<EncodingKey, KeyError> {
    let name = || format!("{algorithm:?}");
    let text = key.expose_secret().trim();
    let is_pem = text.starts_with("-----BEGIN ");
    let read: fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey> = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            if is_pem {
                return Err(KeyError::NotASecret { algorithm: name() });
            }
            // The secret is what was typed, byte for byte: white space at its ends is a slip of copying.
            if text.len() < LEAST_SECRET {
                return Err(KeyError::Short { length: text.len() });
            }
            return Ok(EncodingKey::from_secret(text.as_bytes()));
        }
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem,
        Algorithm::EdDSA => EncodingKey::from_ed_pem,
        _ => EncodingKey::from_rsa_pem,
    };
    if !is_pem {
        return Err(KeyError::NotPem { algorithm: name() });
    }
    let form = text.lines().next().unwrap_or_default().trim_matches('-').trim().trim_start_matches("BEGIN ").to_owned();
    let converted = matches!(form.as_str(), "PRIVATE KEY" | "RSA PRIVATE KEY");
    if !converted {
        return Err(KeyError::Form { form });
    }
    read(text.as_bytes()).map_err(|_| KeyError::OtherKind { algorithm: name() })
}

impl LocalSigning {
    fn claims(&self, now: UnixTime) -> Option<Map<String, Value>> {
        let extra = self.extra()?;
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        for (name, text) in
            [("sub", &self.subject), ("name", &self.name), ("aud", &self.audience), ("iss", &self.issuer)]
        {
            if !text.is_empty() {
                set(name, json!(text));
            }
        }
        if !self.roles.is_empty() {
            set("roles", json!(self.roles));
        }
        if self.is_admin {
            set("is_admin", json!(true));
        }
        for (name, value) in extra {
            set(&name, value);
        }
        set("iat", json!(now.0));
        set("exp", json!(now.plus(i64::from(self.lifetime)).0));
        Some(claims)
    }

    /// What verifies the tokens that the kept key signs.
    pub(crate) fn verifying_key(&self, kept: &Secrets) -> Option<DecodingKey> {
        let algorithm = algorithm(&self.algorithm)?;
        let key = encoding_key(algorithm, kept.get(KEY)?).ok()?;
        DecodingKey::from_jwk(&Jwk::from_encoding_key(&key, algorithm).ok()?).ok()
    }

    fn extra(&self) -> Option<Map<String, Value>> {
        if self.extra_claims.is_empty() {
            return Some(Map::new());
        }
        serde_json::from_str(&self.extra_claims).ok()
    }

    /// A fresh token.
    fn mint(&self, key: &SecretString, now: UnixTime) -> Result<Grant, KeyError> {
        let algorithm = algorithm(&self.algorithm).ok_or(KeyError::Settings)?;
        let encoding = encoding_key(algorithm, key)?;
        let claims = self.claims(now).ok_or(KeyError::Settings)?;
        let header = Header { kid: Some(self.key_id.clone()).filter(|id| !id.is_empty()), ..Header::new(algorithm) };
        let token = jsonwebtoken::encode(&header, &claims, &encoding)
            .map_err(|_| KeyError::OtherKind { algorithm: self.algorithm.clone() })?;
        Ok(Grant::token(token.into(), None, Secrets::one(KEY, key.clone())))
    }
}

impl SignIn for LocalSigning {
    fn tidied(&self) -> Method {
        let tidy = |text: &String| text.trim().to_owned();
        Method::LocalSigning(Self {
            algorithm: tidy(&self.algorithm),
            key_id: tidy(&self.key_id),
            lifetime: self.lifetime,
            subject: tidy(&self.subject),
            name: tidy(&self.name),
            audience: tidy(&self.audience),
            issuer: tidy(&self.issuer),
            roles: self.roles.iter().map(tidy).filter(|role| !role.is_empty()).collect(),
            is_admin: self.is_admin,
            extra_claims: tidy(&self.extra_claims),
        })
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: &str| errors.push(FieldError::new(field, message));
        if algorithm(&self.algorithm).is_none() {
            wrong(
                "sign_in.algorithm",
                "choose HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA",
            );
        }
        if !LIFETIMES.contains(&self.lifetime) {
            wrong("sign_in.lifetime", "give a life of 30 seconds to 24 hours");
        }
        if self.subject.is_empty() {
            wrong("sign_in.subject", "give the user's name or id: AsyncMQ refuses a token without `sub`");
        }
        match self.extra() {
            None => wrong("sign_in.extra_claims", "give a JSON object, such as {\"tenant\": \"acme\"}, or nothing"),
            Some(extra) => {
                if let Some(name) = OURS.iter().find(|name| extra.contains_key(**name)) {
                    wrong("sign_in.extra_claims", &format!("leave `{name}` out: the console writes it anew each time"));
                }
            }
        }
        errors
    }

    fn asks(&self) -> Vec<Ask> {
        let shared = self.algorithm.starts_with("HS");
        vec![if shared {
            Ask::required(KEY, "Shared secret", AskKind::Password)
                .with_help("At least 32 bytes. It is kept in the keychain and signs a fresh token every time.")
        } else {
            Ask::required(KEY, "Private key (PEM)", AskKind::Key)
                .with_help("PKCS#8, unencrypted. It is kept in the keychain and signs a fresh token every time.")
        }]
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move {
            let key = secrets.get(KEY).ok_or_else(|| SignInError::Missing("the key".into()))?;
            // A key that cannot sign is said before anybody is asked.
            self.mint(key, with.clock.now())?;
            // The admin judges by its own clock.
            let now = server_time(with.reach, with.environment).await?.unwrap_or_else(|| with.clock.now());
            Ok(self.mint(key, now)?)
        })
    }

    fn restore(&self, kept: &Secrets, now: UnixTime) -> Option<Grant> {
        self.mint(kept.get(KEY)?, now).ok()
    }

    fn can_renew(&self, kept: &Secrets) -> bool {
        kept.get(KEY).is_some()
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use secrecy::{ExposeSecret, SecretString};
    use serde_json::{Value, json};

    use super::{KeyError, LocalSigning, encoding_key};
    use crate::{clock::UnixTime, session::Credential, sign_in::SignIn};

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_minted_token_holds_the_template_and_its_own_times() {
        let settings = LocalSigning {
            subject: "alice".into(),
            audience: "asyncmq-admin".into(),
            roles: vec!["ops".into()],
            key_id: "k1".into(),
            extra_claims: r#"{"tenant": "acme"}"#.into(),
            ..LocalSigning::default()
        };
        let key = secret("0123456789abcdef0123456789abcdef");
        let grant = settings.mint(&key, UnixTime(1_000)).expect("mints");
        let Credential::Token(token) = &grant.credential else { panic!("a token") };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["asyncmq-admin"]);
        validation.validate_exp = false;
        let decoding = DecodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
        let read = jsonwebtoken::decode::<Value>(token.expose_secret(), &decoding, &validation).expect("verifies");
        assert_eq!(read.header.kid.as_deref(), Some("k1"));
        assert_eq!(
            read.claims,
            json!({"sub": "alice", "aud": "asyncmq-admin", "roles": ["ops"], "is_admin": true, "tenant": "acme",
                   "iat": 1000, "exp": 1300})
        );
        assert_eq!(grant.identity.expires_at, Some(UnixTime(1_300)));
        assert!(!format!("{grant:?}").contains("0123456789"));
    }

    #[test]
    fn a_key_that_cannot_sign_is_named_and_not_repeated() {
        let of = |algorithm, text: &str| match encoding_key(algorithm, &secret(text)) {
            Err(error) => error,
            Ok(_) => panic!("{text} is a key"),
        };
        assert_eq!(of(Algorithm::HS256, "canary"), KeyError::Short { length: 6 });
        assert!(matches!(of(Algorithm::RS256, "canary-canary-canary-canary-canary"), KeyError::NotPem { .. }));
        let ec = "-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----";
        assert_eq!(of(Algorithm::ES256, ec), KeyError::Form { form: "EC PRIVATE KEY".into() });
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\ncanary\n-----END ENCRYPTED PRIVATE KEY-----";
        assert_eq!(of(Algorithm::ES256, encrypted), KeyError::Form { form: "ENCRYPTED PRIVATE KEY".into() });
        assert!(matches!(of(Algorithm::HS256, ec), KeyError::NotASecret { .. }));
    }

    #[test]
    fn settings_that_cannot_be_signed_are_named_by_field() {
        let fields = |settings: LocalSigning| settings.check().iter().map(|error| error.field).collect::<Vec<_>>();
        let sound = LocalSigning { subject: "a".into(), ..LocalSigning::default() };
        assert!(fields(sound.clone()).is_empty());
        assert_eq!(fields(LocalSigning { algorithm: "none".into(), ..sound.clone() }), ["sign_in.algorithm"]);
        assert_eq!(fields(LocalSigning { lifetime: 5, ..sound.clone() }), ["sign_in.lifetime"]);
        assert_eq!(fields(LocalSigning { extra_claims: "[]".into(), ..sound.clone() }), ["sign_in.extra_claims"]);
        assert_eq!(fields(LocalSigning { extra_claims: "{\"exp\": 1}".into(), ..sound }), ["sign_in.extra_claims"]);
    }
}
