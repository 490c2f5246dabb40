//! Signs the demo's profile in and out. One JSON line on standard input says what to do, so that no secret is in the
//! arguments or the environment; a line on standard output tells what was done.
//!
//! `{"do": "probe"}`, `{"do": "sign_in", "environments": […]}`, `{"do": "sign_out"}`.

use std::{io, process::ExitCode};

use console_core::{
    clock::{Clock as _, SystemClock},
    environment::{Accent, EnvironmentDraft, Protection},
    environment_file::{EnvironmentFile, EnvironmentFileError},
    profile::{Profile, ProfileError},
    secrets::Secrets,
    sign_in::TOKEN,
    vault::{Slot, StoredCredential, Vault, VaultError, VaultStatus},
};
use jsonwebtoken::{EncodingKey, Header};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

const PROFILE: &str = "demo";
/// Twelve hours, in seconds.
const TOKEN_LIFE: i64 = 12 * 3600;

#[derive(Debug, thiserror::Error)]
enum DemoProfileError {
    #[error("standard input could not be read, or no threads started: {0}")]
    Read(#[from] io::Error),
    #[error("standard input does not say what to do: {0}")]
    Request(#[from] serde_json::Error),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    File(#[from] EnvironmentFileError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the environment `{name}` is not sound: {errors}")]
    Draft { name: String, errors: String },
    #[error("a token could not be signed: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Request {
    Probe,
    SignIn { environments: Vec<DemoEnvironment> },
    SignOut,
}

#[derive(Deserialize)]
struct DemoEnvironment {
    name: String,
    tag: String,
    accent: Accent,
    protection: Protection,
    base_url: String,
    secret: String,
    audience: String,
    issuer: String,
}

fn main() -> ExitCode {
    match start() {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("demo-profile: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<Value, DemoProfileError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let request = serde_json::from_str(&line)?;
    let profile = Profile::named(Some(PROFILE))?;
    // Outlives the runtime: the Secret Service's connection may not be dropped on an async thread.
    let vault = Vault::platform(&profile.vault_namespace());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(answer(request, &profile, &vault));
    drop(runtime);
    done
}

async fn answer(request: Request, profile: &Profile, vault: &Vault) -> Result<Value, DemoProfileError> {
    match request {
        Request::Probe => Ok(match vault.status().await {
            VaultStatus::Available => json!({ "keychain": true }),
            VaultStatus::Unavailable { reason } | VaultStatus::Memory { reason } => {
                json!({ "keychain": false, "reason": reason })
            }
        }),
        Request::SignIn { environments } => {
            let (mut file, error) = EnvironmentFile::open(&profile.environments_file());
            error.map_or(Ok(()), Err)?;
            for environment in &environments {
                sign_in(&mut file, vault, environment).await?;
            }
            Ok(json!({ "file": profile.environments_file() }))
        }
        Request::SignOut => {
            let (file, _) = EnvironmentFile::open(&profile.environments_file());
            for environment in file.list() {
                vault.forget(&environment.id, Slot::Credential).await?;
            }
            Ok(json!({ "forgotten": file.list().len() }))
        }
    }
}

/// An environment of the same name is updated: its place in the rail stays, and what an operator added beside it too.
async fn sign_in(file: &mut EnvironmentFile, vault: &Vault, wanted: &DemoEnvironment) -> Result<(), DemoProfileError> {
    let draft = EnvironmentDraft {
        name: wanted.name.clone(),
        base_url: wanted.base_url.clone(),
        tag: wanted.tag.clone(),
        accent: wanted.accent,
        protection: wanted.protection,
        ..EnvironmentDraft::default()
    };
    let draft = draft.check().map_err(|errors| {
        let errors: Vec<_> = errors.into_iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
        DemoProfileError::Draft { name: wanted.name.clone(), errors: errors.join(" ") }
    })?;
    let known = file.list().iter().find(|environment| environment.name == wanted.name).map(|known| known.id.clone());
    let environment = match known {
        Some(id) => file.update(&id, draft)?,
        None => file.add(draft)?,
    };
    let now = SystemClock.now();
    let claims = json!({
        "sub": "alice@acme.example",
        "name": "Alice Archer",
        "is_admin": true,
        "roles": ["admin", "operator"],
        "aud": wanted.audience,
        "iss": wanted.issuer,
        "iat": now.0,
        "exp": now.plus(TOKEN_LIFE).0,
    });
    let key = EncodingKey::from_secret(wanted.secret.as_bytes());
    let token = jsonwebtoken::encode(&Header::default(), &claims, &key)?;
    let credential = StoredCredential {
        realm: environment.base_url.realm(),
        endpoint: None,
        method: "pasted_token".into(),
        secrets: Secrets::one(TOKEN, SecretString::from(token)),
        stored_at: now,
        in_use: true,
    };
    vault.store(&environment.id, Slot::Credential, &credential).await?;
    Ok(())
}
