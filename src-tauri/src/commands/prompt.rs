//! Commands that answer what waits for the operator.

use console_workspace::Workspace;
use tauri::State;

use super::Answer;

#[tauri::command]
pub(crate) async fn external_link_answer(workspace: State<'_, Workspace>, id: String, open: bool) -> Answer<()> {
    workspace.external_link_answer(&id, open).await
}

#[tauri::command]
pub(crate) async fn notice_dismiss(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.notice_dismiss(&id).await
}
