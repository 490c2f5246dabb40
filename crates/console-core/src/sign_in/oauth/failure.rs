//! What does a failure of the protocol library mean?

use std::str::FromStr as _;

use openidconnect::{ErrorResponseType, RequestTokenError, StandardErrorResponse, core::CoreIdToken};
use serde_json::Value;

use super::error::{GrantKind, Place, ProviderError, shown};
use crate::sign_in::SignInError;

/// Says where JSON is not what is expected, and nothing of what is there: it may be a token.
pub(crate) fn unreadable(place: Place, error: &serde_path_to_error::Error<serde_json::Error>) -> ProviderError {
    let path = shown(&error.path().to_string());
    let reason = match error.inner().classify() {
        serde_json::error::Category::Data if path == "." || path == "?" => {
            "something that must be in it is missing".into()
        }
        serde_json::error::Category::Data => format!("`{path}` is not what it must be"),
        _ => "it is no JSON".into(),
    };
    ProviderError::Answer { place, reason }
}

/// The library refuses the whole answer for the sake of an ID token, and does not say so.
fn has_unreadable_id_token(body: &[u8]) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return false };
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    text("access_token").is_some()
        && text("token_type").is_some()
        && text("id_token").is_some_and(|token| CoreIdToken::from_str(token).is_err())
}

/// What a failed request to a token, device or revocation endpoint means.
pub(crate) fn of_request<T>(
    place: Place,
    grant: GrantKind,
    error: RequestTokenError<SignInError, StandardErrorResponse<T>>,
) -> SignInError
where
    T: ErrorResponseType + std::fmt::Display + AsRef<str> + 'static,
{
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => {
            let said = answer.error_description().map(String::as_str);
            ProviderError::from_code(place, grant, answer.error().as_ref(), said).into()
        }
        RequestTokenError::Parse(_, body) if has_unreadable_id_token(&body) => {
            ProviderError::IdTokenUnreadable { reason: "it is no signed token of a kind that is known here".into() }
                .into()
        }
        RequestTokenError::Parse(error, _) => unreadable(place, &error).into(),
        RequestTokenError::Other(_) => ProviderError::Answer { place, reason: "it is empty or no JSON".into() }.into(),
    }
}
