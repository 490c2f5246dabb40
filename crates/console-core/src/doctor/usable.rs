//! What of an environment may an examination use? The rest is left out, and said.
//!
//! The doctor is asked most where something is wrong, so it looks at what is left. Two rules keep that safe: where the way is
//! another one than the operator set and approved, none of its secrets goes along; and wherever anything at all is left out,
//! no credential does.

use std::sync::Arc;

use super::{SignedIn, Subject, examination::Examination, step::Found};
use crate::{
    approval::{self, Approval},
    clock::Clock,
    environment::Environment,
    network::secret,
    secrets::Secrets,
    sign_in::Advice as _,
    tunnel::TunnelError,
    upstream::{Reach, ReachError},
    vault::VaultError,
};

/// Why something of an environment is left out. Never holds a secret.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum LeftOut {
    #[error("not approved in this profile, hence not used ({kind}): `{named}`")]
    Unapproved { kind: &'static str, named: String },
    #[error("`{label}` is not at hand")]
    Missing { label: String },
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Reach(#[from] ReachError),
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
}

impl LeftOut {
    fn advice(&self) -> String {
        match self {
            Self::Unapproved { .. } => "Look at it in the window, and approve it if it is yours.".into(),
            Self::Missing { .. } => "Sign in in the window, which asks for it.".into(),
            Self::Vault(_) => "Unlock the keychain (on Linux: gnome-keyring or KWallet) and try again.".into(),
            Self::Reach(error) => error.advice(),
            Self::Tunnel(error) => error.advice(),
        }
    }
}

/// An environment as far as it may be used.
pub struct Usable {
    environment: Environment,
    network: Secrets,
    approved: Secrets,
    left_out: Vec<LeftOut>,
}

impl Usable {
    /// Of `environment`: what `approved` (see [`approval::record`]) covers at this moment, and `network`, the secrets of the way
    /// as far as they are at hand.
    pub fn of(environment: Environment, approved: Secrets, network: Result<Secrets, VaultError>) -> Self {
        let mut usable = Self { environment, network: Secrets::default(), approved, left_out: Vec::new() };
        if usable.leave_out_unapproved() {
            return usable;
        }
        match network {
            Ok(network) => usable.network = network,
            Err(error) => {
                usable.leave_out(error.into());
                return usable;
            }
        }
        for ask in usable.environment.network.asks() {
            if ask.required && usable.network.get(&ask.key).is_none() {
                usable.leave_out(LeftOut::Missing { label: ask.label });
            }
        }
        usable
    }

    /// As it is set, without what is left out. A tunnel that it still has is the caller's to start.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether nothing is left out.
    pub fn is_whole(&self) -> bool {
        self.left_out.is_empty()
    }

    /// Does without something else.
    pub fn leave_out(&mut self, what: LeftOut) {
        let network = &mut self.environment.network;
        let is_another_way = match &what {
            LeftOut::Unapproved { kind, .. } => {
                match *kind {
                    "tunnel" => network.tunnel = None,
                    "proxy" => network.proxy.clear(),
                    "ca" => network.ca_file.clear(),
                    // The doctor runs no command that signs in.
                    _ => {}
                }
                true
            }
            // Whoever answers in its place gets nothing.
            LeftOut::Tunnel(_) => {
                network.tunnel = None;
                true
            }
            LeftOut::Reach(ReachError::Proxy { .. }) => {
                network.proxy.clear();
                true
            }
            // Without its authorities, or without a certificate of ours, the same way lets less pass.
            LeftOut::Reach(ReachError::CaFile { .. }) => {
                network.ca_file.clear();
                false
            }
            LeftOut::Reach(ReachError::ClientIdentity(_)) => {
                network.client_certificate_file.clear();
                false
            }
            // One of the values cannot be sent, whichever it is.
            LeftOut::Reach(ReachError::Extra(_) | ReachError::Trust(_) | ReachError::Client { .. }) => true,
            LeftOut::Missing { .. } | LeftOut::Vault(_) => false,
        };
        if is_another_way {
            // A certificate's key may be in its file.
            network.client_certificate_file.clear();
            self.network = Secrets::default();
        }
        if self.network.get(secret::PROXY_PASSWORD).is_none() {
            // A log-in without its password fails, and a proxy may count such.
            network.proxy_user.clear();
        }
        self.left_out.push(what);
    }

    /// Whether there was anything new to leave out.
    fn leave_out_unapproved(&mut self) -> bool {
        // An environment has one of each kind.
        let is_known = |one: &Approval| {
            self.left_out.iter().any(|known| matches!(known, LeftOut::Unapproved { kind, .. } if *kind == one.kind))
        };
        let mut unapproved = approval::missing(&self.environment, &self.approved);
        unapproved.retain(|one| !is_known(one));
        let any = !unapproved.is_empty();
        for Approval { kind, named, .. } in unapproved {
            self.leave_out(LeftOut::Unapproved { kind, named });
        }
        any
    }

    /// What is examined. `signed_in` goes along only where nothing is left out.
    ///
    /// # Errors
    /// [`ReachError::Client`], [`ReachError::Trust`]: no HTTP client can be made on this computer.
    pub fn subject(mut self, signed_in: Option<SignedIn>, clock: Arc<dyn Clock>) -> Result<Subject, ReachError> {
        // What is in the way is taken away, so that this ends.
        let reach = loop {
            match Reach::new(&self.environment, &self.network) {
                // As its files were read just now: one may have changed since it was approved.
                Ok(reach) if !self.leave_out_unapproved() => break reach,
                Ok(_) => {}
                Err(error @ (ReachError::Trust(_) | ReachError::Client { .. })) => return Err(error),
                Err(error) => self.leave_out(error.into()),
            }
        };
        let signed_in = signed_in.filter(|_| self.is_whole());
        let Self { environment, network, left_out, approved: _ } = self;
        Ok(Subject { environment, reach, network, signed_in, left_out, clock })
    }
}

/// What of the settings is not used in this examination.
pub(super) fn settings(examination: &Examination<'_>) -> Found {
    let left_out = &examination.subject.left_out;
    if left_out.is_empty() {
        return Found::well("All that this environment names is used.");
    }
    let findings: Vec<_> = left_out.iter().map(|one| sentence(&one.to_string())).collect();
    let mut advice: Vec<_> = left_out.iter().map(LeftOut::advice).collect();
    advice.dedup();
    Found::failed(
        format!("{} The rest is looked at without it, and without a credential.", findings.join(" ")),
        advice.join(" "),
    )
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let begun: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if begun.ends_with('.') { begun } else { format!("{begun}.") }
}
