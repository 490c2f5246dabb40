//! Which environment is meant, and what does the vault hold for its examination? For the command line, where no window is.
//!
//! As a start does it, with two differences: nothing is renewed (a refresh token that rotates would be spent), and nothing
//! that the operator has not approved is used.

use std::sync::Arc;

use super::{
    SignedIn, Subject,
    usable::{Usable, sentence},
};
use crate::{
    clock::Clock,
    environment::{Environment, EnvironmentDraft, EnvironmentId, FieldError},
    network::Network,
    secrets::Secrets,
    sign_in::Advice as _,
    tunnel::Tunnel,
    upstream::ReachError,
    vault::{Slot, StoredCredential, Vault, VaultError},
};

/// Which environment is meant cannot be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ChoiceError {
    #[error("there is no environment `{asked}`; there {}", known(names))]
    None { asked: String, names: Vec<String> },
    #[error("`{asked}` is more than one environment: give the id of one of {}", names.join(", "))]
    Several { asked: String, names: Vec<String> },
    #[error("`{asked}` cannot be examined: {reason}")]
    Address { asked: String, reason: String },
}

fn known(names: &[String]) -> String {
    match names {
        [] => "is none in this profile".into(),
        names => format!("are {}", names.join(", ")),
    }
}

/// Why an environment cannot be examined at all.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CaseError {
    #[error("{source}. {}", source.advice())]
    Reach {
        #[from]
        source: ReachError,
    },
}

/// The environment with this id, name or tag, in whatever case; else one for this address, which signs in with nothing.
///
/// # Errors
/// [`ChoiceError`].
pub fn choose(environments: &[Environment], asked: &str) -> Result<Chosen, ChoiceError> {
    let asked = asked.trim();
    let same = |text: &str| text.to_lowercase() == asked.to_lowercase();
    // An id is one environment's; a name comes before a tag, which several may share.
    let by: [fn(&Environment) -> &str; 3] = [|one| one.id.as_str(), |one| &one.name, |one| &one.tag];
    for word in by {
        let found: Vec<_> = environments.iter().filter(|one| same(word(one))).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(Chosen::Environment(Box::new((*one).clone()))),
            several => {
                let names = several.iter().map(|one| format!("{} ({})", one.name, one.id)).collect();
                return Err(ChoiceError::Several { asked: asked.into(), names });
            }
        }
    }
    if asked.contains("://") || asked.contains(['.', ':', '/']) {
        return of_address(asked).map(|environment| Chosen::Address(Box::new(environment)));
    }
    let names = environments.iter().map(|one| format!("{} ({})", one.name, one.tag)).collect();
    Err(ChoiceError::None { asked: asked.into(), names })
}

/// What was asked for.
#[derive(Debug)]
pub enum Chosen {
    /// An environment of the profile.
    Environment(Box<Environment>),
    /// An address: no credential is sent there.
    Address(Box<Environment>),
}

fn of_address(asked: &str) -> Result<Environment, ChoiceError> {
    let failed = |reason: String| {
        // What may be shown of an address: nothing before an `@`.
        let asked = asked.rsplit_once('@').map_or(asked, |(_, rest)| rest);
        let asked = asked.split(['?', '#']).next().unwrap_or_default();
        ChoiceError::Address { asked: asked.into(), reason }
    };
    let draft = EnvironmentDraft {
        name: "An address".into(),
        tag: "URL".into(),
        base_url: asked.into(),
        // No credential is sent that could be read on the way.
        allow_plain_http: true,
        ..EnvironmentDraft::default()
    };
    let first = |errors: Vec<FieldError>| errors.into_iter().next().map(|error| error.message).unwrap_or_default();
    let checked = draft.check().map_err(|errors| failed(first(errors)))?;
    let id = EnvironmentId::random().map_err(|error| failed(error.to_string()))?;
    Ok(checked.into_environment(id))
}

/// What is examined, and what of it is stored.
pub struct Case {
    /// To be examined.
    pub subject: Subject,
    /// Why there is no credential, in whole sentences.
    pub remarks: Vec<String>,
    /// Runs as long as this lives.
    tunnel: Option<Tunnel>,
}

impl Case {
    /// Of an address or an environment, with what the vault holds for an environment.
    ///
    /// # Errors
    /// [`CaseError`].
    pub async fn of(chosen: Chosen, vault: &Vault, clock: Arc<dyn Clock>) -> Result<Self, CaseError> {
        match chosen {
            Chosen::Address(environment) => {
                let usable = Usable::of(*environment, Secrets::default(), Ok(Secrets::default()));
                let remarks =
                    vec!["An address is examined without a credential: give an environment's name for more.".into()];
                Ok(Self { subject: usable.subject(None, clock)?, remarks, tunnel: None })
            }
            Chosen::Environment(environment) => Self::of_environment(*environment, vault, clock).await,
        }
    }

    /// Ends the tunnel, and comes back when that is done: its command would outlive a program that ends right after this.
    pub async fn end(self) {
        if let Some(tunnel) = self.tunnel {
            tunnel.end().await;
        }
    }

    async fn of_environment(environment: Environment, vault: &Vault, clock: Arc<dyn Clock>) -> Result<Self, CaseError> {
        let network = if environment.network.asks().is_empty() {
            // Nothing to look for: a keychain that is not there is no matter.
            Ok(Secrets::default())
        } else {
            let stored = kept(&environment, Slot::Network, vault).await;
            stored.map(|stored| stored.map(|stored| stored.secrets).unwrap_or_default())
        };
        let approved = vault.load(&environment.id, Slot::Approvals).await.ok().flatten();
        let approved = approved.map(|stored| stored.secrets).unwrap_or_default();
        let mut usable = Usable::of(environment, approved, network);
        let tunnel = match &usable.environment().network.tunnel {
            Some(command) => Tunnel::start(command, usable.environment().base_url.as_url()).await.map(Some),
            None => Ok(None),
        };
        let tunnel = tunnel.unwrap_or_else(|error| {
            usable.leave_out(error.into());
            None
        });
        let mut remarks = Vec::new();
        let signed_in = if usable.is_whole() {
            signed_in(usable.environment(), vault, clock.as_ref(), &mut remarks).await
        } else {
            None
        };
        match usable.subject(signed_in, clock) {
            Ok(subject) => Ok(Self { subject, remarks, tunnel }),
            Err(error) => {
                if let Some(tunnel) = tunnel {
                    tunnel.end().await;
                }
                Err(error.into())
            }
        }
    }
}

/// What the vault holds for this environment as it is now; nothing that was given for another address or method.
async fn kept(environment: &Environment, slot: Slot, vault: &Vault) -> Result<Option<StoredCredential>, VaultError> {
    let stored = vault.load(&environment.id, slot).await?;
    let (endpoint, method) = match slot {
        Slot::Credential => (environment.sign_in.implementation().endpoint(), environment.sign_in.name()),
        Slot::Network => (environment.network.endpoint(), ""),
        Slot::Approvals => (None, ""),
    };
    let realm = environment.base_url.realm();
    Ok(stored.filter(|stored| stored.is_for(&realm, endpoint.as_deref()) && stored.method == method))
}

/// What is stored, if it is a credential already.
async fn signed_in(
    environment: &Environment,
    vault: &Vault,
    clock: &dyn Clock,
    remarks: &mut Vec<String>,
) -> Option<SignedIn> {
    let method = environment.sign_in.implementation();
    let stored = match kept(environment, Slot::Credential, vault).await {
        Ok(stored) => stored,
        Err(error) => {
            remarks.push(sentence(&error.to_string()));
            return None;
        }
    };
    let secrets = stored.filter(|stored| stored.in_use).map(|stored| stored.secrets);
    let has_any = secrets.is_some();
    let kept = secrets.unwrap_or_default().only(|name| !Network::owns(name));
    match method.restore(&kept, clock.now()) {
        Some(grant) => Some(SignedIn { credential: grant.credential, identity: grant.identity, kept }),
        None if has_any => {
            remarks
                .push("What is stored is not a token yet, and the doctor obtains none: sign in in the window.".into());
            None
        }
        None => {
            remarks
                .push("No credential of this environment, as it is set now, is in use: sign in in the window.".into());
            None
        }
    }
}
