//! Commands about environments.

use console_ipc::{DraftReport, EnvironmentDraft, LookReport, ProtectionView, SaveOutcome};
use console_workspace::Workspace;
use tauri::State;

use super::Answer;

#[tauri::command]
pub(crate) async fn environment_check(
    workspace: State<'_, Workspace>,
    draft: EnvironmentDraft,
    id: Option<String>,
) -> Answer<DraftReport> {
    workspace.environment_check(draft, id).await
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn environment_look(
    workspace: State<'_, Workspace>,
    base_url: String,
    allow_plain_http: bool,
) -> Answer<LookReport> {
    workspace.environment_look(&base_url, allow_plain_http).await
}

#[tauri::command]
pub(crate) async fn environment_add(workspace: State<'_, Workspace>, draft: EnvironmentDraft) -> Answer<SaveOutcome> {
    workspace.environment_add(draft).await
}

#[tauri::command]
pub(crate) async fn environment_update(
    workspace: State<'_, Workspace>,
    id: String,
    draft: EnvironmentDraft,
) -> Answer<SaveOutcome> {
    workspace.environment_update(&id, draft).await
}

#[tauri::command]
pub(crate) async fn environment_remove(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.environment_remove(&id).await
}

#[tauri::command]
pub(crate) async fn environment_reorder(workspace: State<'_, Workspace>, ids: Vec<String>) -> Answer<()> {
    workspace.environment_reorder(ids).await
}

#[tauri::command]
pub(crate) async fn environment_select(workspace: State<'_, Workspace>, id: Option<String>) -> Answer<()> {
    workspace.environment_select(id).await
}

#[tauri::command]
pub(crate) async fn protection_set(
    workspace: State<'_, Workspace>,
    id: String,
    protection: ProtectionView,
) -> Answer<()> {
    workspace.protection_set(&id, protection).await
}
