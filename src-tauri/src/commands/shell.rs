//! Commands about the shell itself and the stage under it.

use console_ipc::{Cover, ShellState};
use console_workspace::Workspace;
use tauri::{State, Webview};

use super::Answer;
use crate::stage::ShellIsUp;

#[tauri::command]
pub(crate) async fn shell_state(
    workspace: State<'_, Workspace>,
    shell_is_up: State<'_, ShellIsUp>,
) -> Answer<ShellState> {
    tracing::debug!("the shell asks what there is");
    shell_is_up.tell();
    workspace.shell_state().await
}

#[tauri::command]
pub(crate) async fn dashboard_reload(workspace: State<'_, Workspace>, id: String) -> Answer<()> {
    workspace.dashboard_reload(&id).await
}

#[tauri::command]
pub(crate) async fn stage_cover(workspace: State<'_, Workspace>, cover: Cover) -> Answer<()> {
    workspace.stage_cover(cover).await
}

#[tauri::command]
pub(crate) async fn stage_focus_shell(shell: Webview) -> Answer<()> {
    if let Err(error) = shell.set_focus() {
        tracing::warn!(%error, "the shell could not be focused");
    }
    Ok(())
}
