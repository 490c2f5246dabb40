//! How does a provider's token response become a grant, and what is kept of it?

use openidconnect::{
    OAuth2TokenResponse as _, TokenResponse as _,
    core::{CoreTokenResponse, CoreTokenType},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    EXPIRES_AT, NAME, REFRESH_TOKEN, SUBJECT, Sends,
    error::{ProviderError, shown},
    id_token::Who,
};
use crate::{
    clock::UnixTime,
    secrets::Secrets,
    sign_in::{Grant, TOKEN},
    token::Identity,
};

/// A grant from a response. `keep` is what was kept before, or what the client proves itself with; `who` is from the
/// verified ID token. Times are the provider's: `now` is when the response came.
///
/// # Errors
/// [`ProviderError::TokenType`], [`ProviderError::NotAToken`], [`ProviderError::NoIdToken`].
pub(crate) fn grant(
    response: &CoreTokenResponse,
    who: Option<&Who>,
    sends: Sends,
    now: UnixTime,
    mut keep: Secrets,
) -> Result<Grant, ProviderError> {
    let token: SecretString = match sends {
        Sends::AccessToken => {
            // RFC 6749 §7.1: a client must not use a token whose type it does not know.
            if *response.token_type() != CoreTokenType::Bearer {
                return Err(ProviderError::TokenType { found: shown(response.token_type().as_ref()) });
            }
            response.access_token().secret().as_str().into()
        }
        Sends::IdToken => response.id_token().ok_or(ProviderError::NoIdToken)?.to_string().into(),
    };
    if token.expose_secret().is_empty() || !token.expose_secret().chars().all(|c| c.is_ascii_graphic()) {
        return Err(ProviderError::NotAToken);
    }
    let life = response.expires_in().filter(|_| sends == Sends::AccessToken);
    let until = life.map(|life| now.plus(i64::try_from(life.as_secs()).unwrap_or(i64::MAX)));
    let mut set = |name: &str, value: Option<&str>| match value {
        Some(value) => keep.set(name, value.into()),
        None => drop(keep.remove(name)),
    };
    set(TOKEN, Some(token.expose_secret()));
    set(EXPIRES_AT, until.map(|until| until.0.to_string()).as_deref());
    // Rotation: a new refresh token replaces the old one; where none came the old one goes on (RFC 6749 §6).
    if let Some(refresh) = response.refresh_token().filter(|token| !token.secret().is_empty()) {
        set(REFRESH_TOKEN, Some(refresh.secret()));
    }
    if let Some(who) = who {
        set(SUBJECT, Some(&who.subject));
        set(NAME, who.name.as_deref());
    }
    Ok(read(token, until, keep))
}

/// What was kept, if its time is not up.
pub(crate) fn restore(kept: &Secrets, now: UnixTime) -> Option<Grant> {
    let token = kept.get(TOKEN)?.clone();
    let until = kept.expose(EXPIRES_AT).and_then(|text| text.parse().ok()).map(UnixTime);
    let grant = read(token, until, kept.clone());
    grant.identity.expires_at.is_none_or(|at| at > now).then_some(grant)
}

/// The token's own word counts; what it does not say, the ID token did.
fn read(token: SecretString, until: Option<UnixTime>, keep: Secrets) -> Grant {
    let mut grant = Grant::token(token, until, keep);
    let Identity { subject, name, opaque, .. } = &mut grant.identity;
    if let Some(known) = grant.keep.expose(SUBJECT)
        && (*opaque || subject.as_deref() == Some(known))
    {
        *subject = Some(known.to_owned());
        if name.is_none() {
            *name = grant.keep.expose(NAME).map(str::to_owned);
        }
    }
    grant
}

#[cfg(test)]
mod tests {
    use openidconnect::core::CoreTokenResponse;
    use serde_json::json;

    use super::{Grant, Identity, ProviderError, REFRESH_TOKEN, Secrets, Sends, UnixTime, Who, grant, restore};

    fn response(extra: &serde_json::Value) -> CoreTokenResponse {
        let mut all = json!({"access_token": "opaque-access", "token_type": "Bearer"});
        all.as_object_mut().expect("object").extend(extra.as_object().expect("object").clone());
        serde_json::from_value(all).expect("a response")
    }

    fn take(extra: &serde_json::Value, keep: Secrets) -> Result<Grant, ProviderError> {
        let who = Who { subject: "alice-1".into(), name: Some("Alice".into()) };
        grant(&response(extra), Some(&who), Sends::AccessToken, UnixTime(1_000), keep)
    }

    #[test]
    fn an_opaque_token_has_the_name_of_the_id_token_and_ends_when_it_was_said_to() {
        let grant = take(&json!({"expires_in": 60}), Secrets::default()).expect("a grant");
        let is_alice = |identity: &Identity| {
            (identity.subject.as_deref(), identity.name.as_deref(), identity.opaque)
                == (Some("alice-1"), Some("Alice"), true)
        };
        assert!(is_alice(&grant.identity));
        assert_eq!(grant.identity.expires_at, Some(UnixTime(1_060)));
        assert!(is_alice(&restore(&grant.keep, UnixTime(1_059)).expect("still good").identity));
        assert!(restore(&grant.keep, UnixTime(1_060)).is_none());
    }

    #[test]
    fn a_new_refresh_token_replaces_the_old_one_and_the_old_one_stays_where_none_came() {
        let kept = || Secrets::one(REFRESH_TOKEN, "old".to_owned().into());
        let refresh = |extra: &serde_json::Value| {
            take(extra, kept()).expect("a grant").keep.expose(REFRESH_TOKEN).map(str::to_owned)
        };
        assert_eq!(refresh(&json!({"refresh_token": "new"})).as_deref(), Some("new"));
        assert_eq!(refresh(&json!({})).as_deref(), Some("old"));
        assert_eq!(refresh(&json!({"refresh_token": ""})).as_deref(), Some("old"));
    }

    #[test]
    fn what_is_no_bearer_token_is_not_sent() {
        let of = |extra: &serde_json::Value| take(extra, Secrets::default()).expect_err("refused");
        assert_eq!(of(&json!({"token_type": "DPoP"})), ProviderError::TokenType { found: "dpop".into() });
        assert_eq!(of(&json!({"access_token": "canary\r\nX: y"})), ProviderError::NotAToken);
        assert_eq!(of(&json!({"access_token": ""})), ProviderError::NotAToken);
        let none = grant(&response(&json!({})), None, Sends::IdToken, UnixTime(0), Secrets::default());
        assert_eq!(none.err(), Some(ProviderError::NoIdToken));
    }

    #[test]
    fn a_life_without_end_does_not_overflow() {
        let grant = take(&json!({"expires_in": u64::MAX}), Secrets::default()).expect("a grant");
        assert_eq!(grant.identity.expires_at, Some(UnixTime(i64::MAX)));
    }
}
