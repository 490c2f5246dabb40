//! Commands about sessions and the credentials behind them.

use console_ipc::SignInOutcome;
use console_workspace::Workspace;
use secrecy::SecretString;
use tauri::State;

use super::Answer;

#[tauri::command]
pub(crate) async fn sign_in_open(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.sign_in_open(&id).await
}

/// The only command that takes a secret. It goes in once; none comes back.
#[tauri::command]
pub(crate) async fn sign_in_with_token(
    workspace: State<'_, Workspace>,
    id: String,
    token: String,
) -> Answer<SignInOutcome> {
    workspace.sign_in_with_token(&id, SecretString::from(token)).await
}

#[tauri::command]
pub(crate) async fn sign_in_confirm(
    workspace: State<'_, Workspace>,
    id: String,
    attempt: String,
) -> Answer<SignInOutcome> {
    workspace.sign_in_confirm(&id, &attempt).await
}

#[tauri::command]
pub(crate) async fn sign_in_cancel(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.sign_in_cancel(&id).await
}

#[tauri::command]
pub(crate) async fn sign_in_with_stored(workspace: State<'_, Workspace>, id: String) -> Answer<SignInOutcome> {
    workspace.sign_in_with_stored(&id).await
}

#[tauri::command]
pub(crate) async fn stored_credential_confirm(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.stored_credential_confirm(&id).await
}

#[tauri::command]
pub(crate) async fn stored_credential_forget(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.stored_credential_forget(&id).await
}

#[tauri::command]
pub(crate) async fn sign_out_open(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.sign_out_open(&id).await
}

#[tauri::command]
pub(crate) async fn sign_out(workspace: State<'_, Workspace>, id: String, forget: bool) -> Answer<()> {
    workspace.sign_out(&id, forget).await
}

#[tauri::command]
pub(crate) async fn sign_out_cancel(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.sign_out_cancel(&id).await
}

#[tauri::command]
pub(crate) async fn keychain_retry(workspace: State<'_, Workspace>) -> Answer<()> {
    workspace.keychain_retry().await
}

#[tauri::command]
pub(crate) async fn keychain_use_memory(workspace: State<'_, Workspace>) -> Answer<()> {
    workspace.keychain_use_memory().await
}
