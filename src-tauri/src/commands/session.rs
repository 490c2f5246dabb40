//! Commands about sessions and the credentials behind them.

use std::collections::HashMap;

use console_ipc::SignInOutcome;
use console_workspace::Workspace;
use secrecy::SecretString;
use tauri::State;

use super::Answer;

#[tauri::command]
pub(crate) async fn sign_in_open(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.sign_in_open(&id).await
}

/// The only command that takes secrets. They go in once; none comes back.
#[tauri::command]
pub(crate) async fn sign_in(
    workspace: State<'_, Workspace>,
    id: String,
    answers: HashMap<String, String>,
) -> Answer<SignInOutcome> {
    let answers = answers.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect();
    workspace.sign_in(&id, answers).await
}

#[tauri::command]
pub(crate) async fn sign_in_browser(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.sign_in_browser(&id).await
}

#[tauri::command]
pub(crate) async fn approvals_accept(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.approvals_accept(&id).await
}

#[tauri::command]
pub(crate) async fn token_copy_open(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.token_copy_open(&id).await
}

/// The token goes from the core to the clipboard; it does not pass here.
#[tauri::command]
pub(crate) async fn token_copy(workspace: State<'_, Workspace>, id: String, yes: bool) -> Answer<()> {
    workspace.token_copy(&id, yes).await
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

#[tauri::command]
pub(crate) async fn session_try_now(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.session_try_now(&id).await
}

#[tauri::command]
pub(crate) async fn sign_out_all_open(workspace: State<'_, Workspace>) -> Answer<()> {
    workspace.sign_out_all_open().await
}

#[tauri::command]
pub(crate) async fn sign_out_all(workspace: State<'_, Workspace>, forget: bool) -> Answer<()> {
    workspace.sign_out_all(forget).await
}

#[tauri::command]
pub(crate) async fn sign_out_all_cancel(workspace: State<'_, Workspace>) -> Answer<()> {
    workspace.sign_out_all_cancel().await
}
