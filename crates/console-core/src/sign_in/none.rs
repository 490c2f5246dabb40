//! Signs in to an admin that is open to whoever reaches it.

use futures_util::future::{self, BoxFuture};

use super::{Ask, Context, Grant, Method, SignIn, SignInError};
use crate::{clock::UnixTime, secrets::Secrets, session::Credential, token::Identity};

/// It has no settings.
#[derive(Debug, Clone, Copy)]
pub struct Open;

fn grant() -> Grant {
    let identity = Identity { name: Some("no sign-in".into()), ..Identity::default() };
    Grant { credential: Credential::Nothing, identity, keep: Secrets::default() }
}

impl SignIn for Open {
    fn tidied(&self) -> Method {
        Method::None
    }

    fn asks(&self) -> Vec<Ask> {
        Vec::new()
    }

    fn obtain<'a>(&'a self, _with: &'a Context<'a>, _secrets: Secrets) -> BoxFuture<'a, Result<Grant, SignInError>> {
        Box::pin(future::ready(Ok(grant())))
    }

    fn restore(&self, _kept: &Secrets, _now: UnixTime) -> Option<Grant> {
        Some(grant())
    }

    fn can_renew(&self, _kept: &Secrets) -> bool {
        false
    }
}
