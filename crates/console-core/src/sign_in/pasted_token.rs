//! Signs in with a token that the operator pasted.

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;

use super::{Ask, AskKind, Context, Grant, Method, SignIn, SignInError, TOKEN};
use crate::{clock::UnixTime, secrets::Secrets, token::from_pasted_text};

pub use super::attachment;

/// It has no settings.
#[derive(Debug, Clone, Copy)]
pub struct PastedToken;

impl SignIn for PastedToken {
    fn tidied(&self) -> Method {
        Method::PastedToken
    }

    fn asks(&self) -> Vec<Ask> {
        vec![Ask::required(TOKEN, "Token", AskKind::Token)]
    }

    fn obtain<'a>(&'a self, with: &'a Context<'a>, secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(async move {
            let typed = secrets.get(TOKEN).ok_or_else(|| SignInError::Missing("a token".into()))?;
            let token = from_pasted_text(typed.expose_secret(), &with.environment.scheme)?;
            Ok(Grant::token(token.clone(), None, Secrets::one(TOKEN, token)))
        })
    }

    fn restore(&self, kept: &Secrets, _now: UnixTime) -> Option<Grant> {
        let token = kept.get(TOKEN)?.clone();
        Some(Grant::token(token, None, kept.clone()))
    }

    fn can_renew(&self, _kept: &Secrets) -> bool {
        false
    }
}
