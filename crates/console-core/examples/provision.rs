//! Fills a profile with environments that are signed in: for the demo, never for an operator's own profile.
//!
//! Reads one JSON document from standard input: `{"profile": NAME, "environments": [{"name", "tag", "accent",
//! "protection", "base_url", "secret", "claims"}]}`. Each token is signed here (HS256) and goes straight into the keychain.

use std::io::Read as _;

use console_core::{
    clock::{Clock, SystemClock},
    environment::{Accent, EnvironmentDraft, Protection},
    environment_file::EnvironmentFile,
    profile::Profile,
    vault::{StoredCredential, Vault},
};
use jsonwebtoken::{EncodingKey, Header};
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wanted {
    profile: String,
    environments: Vec<WantedEnvironment>,
}

#[derive(Deserialize)]
struct WantedEnvironment {
    name: String,
    tag: String,
    accent: Accent,
    protection: Protection,
    base_url: String,
    secret: String,
    claims: serde_json::Map<String, serde_json::Value>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let wanted: Wanted = serde_json::from_str(&text)?;
    let profile = Profile::named(Some(&wanted.profile))?;
    let vault = Vault::platform(&profile.vault_namespace());
    let path = profile.environments_file();
    let (mut file, error) = EnvironmentFile::open(&path);
    if let Some(error) = error {
        return Err(error.into());
    }
    // The last run's environments had other ports.
    for old in file.list().to_vec() {
        vault.forget(&old.id).await?;
        file.remove(&old.id)?;
    }
    for environment in wanted.environments {
        let key = EncodingKey::from_secret(environment.secret.as_bytes());
        let token = SecretString::from(jsonwebtoken::encode(&Header::default(), &environment.claims, &key)?);
        let draft = EnvironmentDraft {
            name: environment.name,
            base_url: environment.base_url,
            tag: environment.tag,
            accent: environment.accent,
            login_path: "/login".into(),
            header_name: "Authorization".into(),
            scheme: "Bearer".into(),
            allow_plain_http: false,
            protection: environment.protection,
        };
        let checked = draft.check().map_err(|errors| format!("{errors:?}"))?;
        let added = file.add(checked)?;
        let credential =
            StoredCredential { realm: added.base_url.realm(), token, stored_at: SystemClock.now(), in_use: true };
        vault.store(&added.id, &credential).await?;
    }
    println!("{}", path.display());
    Ok(())
}
