//! Commands that answer what waits for the operator.

use console_workspace::Workspace;
use tauri::State;

use super::Answer;

#[tauri::command]
pub(crate) async fn external_link_answer(workspace: State<'_, Workspace>, id: String, open: bool) -> Answer<()> {
    workspace.external_link_answer(&id, open).await
}

#[tauri::command]
pub(crate) async fn third_parties_open(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.third_parties_open(&id).await
}

#[tauri::command]
pub(crate) async fn third_parties_answer(
    workspace: State<'_, Workspace>,
    id: String,
    origins: Vec<String>,
    allow: bool,
) -> Answer<()> {
    workspace.third_parties_answer(&id, &origins, allow).await
}

#[tauri::command]
pub(crate) async fn notice_dismiss(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.notice_dismiss(&id).await
}

#[tauri::command]
pub(crate) async fn held_carry_out(
    workspace: State<'_, Workspace>,
    id: String,
    held: String,
    late_confirmed: bool,
) -> Answer<()> {
    workspace.held_carry_out(&id, &held, late_confirmed).await
}

#[tauri::command]
pub(crate) async fn held_drop(workspace: State<'_, Workspace>, id: String, held: String) -> Answer<()> {
    workspace.held_drop(&id, &held).await
}

#[tauri::command]
pub(crate) async fn quit_answer(workspace: State<'_, Workspace>, quit: bool) -> Answer<()> {
    workspace.quit_answer(quit).await
}
