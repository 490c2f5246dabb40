//! Why did a provider give no token, or one that is not to be trusted? Never holds a token or a code.

use crate::sign_in::Advice;

/// What went wrong with an `OpenID` or OAuth 2.0 provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ProviderError {
    #[error("the provider's answer at {place} could not be understood: {reason}")]
    Answer { place: &'static str, reason: String },
}

impl Advice for ProviderError {
    fn code(&self) -> &'static str {
        "provider"
    }

    fn advice(&self) -> String {
        "Check the issuer in the sign-in settings.".into()
    }
}
