//! Commands about the doctor: "Why can't I get in?"

use console_workspace::Workspace;
use tauri::State;

use super::Answer;

#[tauri::command]
pub(crate) async fn doctor_open(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.doctor_open(&id).await
}

#[tauri::command]
pub(crate) async fn doctor_run(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.doctor_run(&id).await
}

#[tauri::command]
pub(crate) async fn doctor_close(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.doctor_close(&id).await
}
