//! What kind of token is it, and how does it say that it is signed?

use std::str::FromStr as _;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::{examination::Examination, step::Found};
use crate::{session::Credential, sign_in::shown, token::Identity};

/// An algorithm of RFC 7518 §3.1 that the library does not have, and admins may.
const FURTHER: [&str; 2] = ["ES512", "ES256K"];

/// What is at hand of a token.
pub(super) enum Reading {
    /// There is none, for this reason.
    None(&'static str),
    /// Nothing of it can be read.
    Opaque,
    /// What it says.
    Jwt(Box<Identity>),
}

impl Reading {
    /// Reads without trusting it, and whatever it says about its signature.
    pub(super) fn of(examination: &Examination<'_>) -> Self {
        let Some(signed_in) = &examination.subject.signed_in else {
            return Self::None(examination.no_credential());
        };
        match &signed_in.credential {
            // The library reads no header whose algorithm it does not know.
            Credential::Token(_) if !signed_in.identity.header.is_empty() => {
                Self::Jwt(Box::new(signed_in.identity.clone()))
            }
            Credential::Token(token) => jwt(token).map_or(Self::Opaque, |identity| Self::Jwt(Box::new(identity))),
            Credential::Headers(_) => Self::None("This environment signs in with fixed headers, not with a token."),
            Credential::Cookies(_) => Self::None("This environment signs in with a session cookie, not with a token."),
            Credential::Nothing => Self::None("This environment signs in with nothing."),
        }
    }

    /// The claims, else why there are none.
    pub(super) fn claims(self) -> Result<Box<Identity>, Found> {
        match self {
            Self::None(why) => Err(Found::skipped(why)),
            Self::Opaque => Err(Found::skipped("The token cannot be read from here.")),
            Self::Jwt(identity) => Ok(identity),
        }
    }
}

/// A JWS whose algorithm the library does not know, or that names none (RFC 7515 §3.1).
fn jwt(token: &SecretString) -> Option<Identity> {
    let parts: Vec<_> = token.expose_secret().split('.').collect();
    let [header, claims, _signature] = parts.as_slice() else { return None };
    let object = |part: &str| -> Option<Map<String, Value>> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    Some(Identity { header: object(header)?, ..Identity::from_claims(object(claims)?) })
}

/// What kind of token it is.
pub(super) fn shape(examination: &Examination<'_>) -> Found {
    match Reading::of(examination) {
        Reading::None(why) => Found::skipped(why),
        Reading::Opaque => Found::unknown(
            "The token is no JWT: what it says cannot be told from here.",
            "If the admin takes JWTs, sign in with one: three parts with dots between them, often beginning with `eyJ`.",
        ),
        Reading::Jwt(identity) => {
            let claims: Vec<_> = identity.claims.keys().map(|name| shown(name)).collect();
            Found::well(format!("A JWT with the claims {}.", super::network::listed(&claims)))
        }
    }
}

/// How it says that it is signed.
pub(super) fn algorithm(examination: &Examination<'_>) -> Found {
    let identity = match Reading::of(examination).claims() {
        Ok(identity) => identity,
        Err(skipped) => return skipped,
    };
    match identity.header.get("alg").and_then(Value::as_str) {
        Some(none) if none.eq_ignore_ascii_case("none") => Found::failed(
            "The token is not signed: its algorithm is `none`, which no admin may accept.",
            "Get a token that is signed, and show this one to whoever issued it.",
        ),
        Some(name) if Algorithm::from_str(name).is_ok() || FURTHER.contains(&name) => {
            Found::well(format!("Signed with `{name}`. Which ones the admin takes cannot be told from here."))
        }
        Some(name) => Found::unknown(
            format!("Signed with `{}`, which the console does not know.", shown(name)),
            "Ask the admin's administrator whether it is taken.",
        ),
        None => Found::failed("The token's header names no algorithm.", "Get a token that is signed."),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::jwt;

    #[test]
    fn a_token_without_a_signature_or_with_an_unknown_one_is_read_all_the_same() {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"XX1"}"#] {
            let token = format!("{}.{}.", part(header), part(r#"{"sub":"alice"}"#));
            let identity = jwt(&token.into()).expect("a JWT");
            assert_eq!(identity.subject.as_deref(), Some("alice"), "{header}");
        }
        assert!(jwt(&"a.b.c".to_owned().into()).is_none());
        assert!(jwt(&"opaque".to_owned().into()).is_none());
    }
}
