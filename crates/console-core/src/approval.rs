//! What of an environment must the operator have seen before it is used? Whatever runs a program, passes everything
//! through somebody else, or makes strangers trusted: a settings file that came from elsewhere could hold it.

use std::fmt::Write as _;

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::{environment::Environment, secrets::Secrets};

/// A file of certificate authorities is a few kilobytes.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// One thing to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// `command`, `tunnel`, `proxy`, `ca`.
    pub kind: &'static str,
    /// Exactly what is used.
    pub shown: String,
    /// The program, the proxy or the file: what may be told of it, as a command's arguments may hold a secret.
    pub named: String,
}

/// All that must be approved for `environment`. A file of certificate authorities is approved with its content: one that
/// changes is asked about again.
pub fn needed(environment: &Environment) -> Vec<Approval> {
    let network = &environment.network;
    let mut needed = Vec::new();
    let mut add = |kind, shown, named: &str| needed.push(Approval { kind, shown, named: named.to_owned() });
    if let Some(command) = environment.sign_in.implementation().command() {
        add("command", command.shown(), &command.program);
    }
    if let Some(tunnel) = &network.tunnel {
        add("tunnel", tunnel.shown(), &tunnel.program);
    }
    if !network.proxy.is_empty() {
        add("proxy", network.proxy.clone(), &network.proxy);
    }
    if !network.ca_file.is_empty() {
        add("ca", format!("{} {}", network.ca_file, fingerprint(&network.ca_file)), &network.ca_file);
    }
    needed
}

/// Those that `approved` does not hold.
pub fn missing(environment: &Environment, approved: &Secrets) -> Vec<Approval> {
    needed(environment).into_iter().filter(|one| approved.expose(one.kind) != Some(one.shown.as_str())).collect()
}

/// What the vault keeps of what the operator approved.
pub fn record(approved: impl IntoIterator<Item = Approval>) -> Secrets {
    approved.into_iter().map(|one| (one.kind.to_owned(), SecretString::from(one.shown))).collect()
}

fn fingerprint(path: &str) -> String {
    // A pipe or a device would be read for ever.
    let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST_FILE);
    match if is_file { std::fs::read(path) } else { Err(std::io::ErrorKind::InvalidInput.into()) } {
        Ok(bytes) => Sha256::digest(&bytes).iter().fold("SHA-256 ".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        Err(_) => "(cannot be read)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{missing, record};
    use crate::{
        command_line::CommandLine,
        environment::{EnvironmentDraft, EnvironmentId},
        network::Network,
        secrets::Secrets,
    };

    #[test]
    fn what_was_approved_counts_only_as_long_as_it_is_exactly_that() {
        let folder = tempfile::tempdir().expect("folder");
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, "one").expect("writes");
        let tunnel = |argument: &str| CommandLine { program: "ssh".into(), arguments: vec![argument.into()] };
        let network = Network {
            ca_file: ca.display().to_string(),
            proxy: "http://p.example:1".into(),
            tunnel: Some(tunnel("a b")),
            ..Network::default()
        };
        let draft = EnvironmentDraft {
            name: "n".into(),
            tag: "T".into(),
            base_url: "https://a.example".into(),
            network,
            ..EnvironmentDraft::default()
        };
        let mut environment = draft.check().expect("sound").into_environment(EnvironmentId::random().expect("id"));
        assert_eq!(missing(&environment, &Secrets::default()).len(), 3);
        let approved = record(super::needed(&environment));
        assert!(missing(&environment, &approved).is_empty());
        std::fs::write(&ca, "two").expect("writes");
        assert_eq!(missing(&environment, &approved)[0].kind, "ca");
        std::fs::write(&ca, "one").expect("writes");
        environment.network.tunnel =
            Some(CommandLine { program: "ssh".into(), arguments: vec!["a".into(), "b".into()] });
        assert_eq!(missing(&environment, &approved)[0].kind, "tunnel", "other words, though they look alike");
    }
}
