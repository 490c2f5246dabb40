//! The desktop shell: one window, thin. No HTTP, no keychain; everything is asked of the workspace.

mod arguments;
mod commands;
mod doctor;
mod log;
mod stage;

use std::{ffi::OsString, sync::Arc};

use console_core::profile::Profile;
use console_workspace::{Options, Workspace};
use tauri::{Emitter, EventTarget, Manager};

use arguments::Arguments;
use commands::{environment, prompt, session, shell};
use stage::{ShellIsUp, Stage, Surroundings};

pub use arguments::Stop;

/// The label of the shell webview, which the capability names.
const SHELL: &str = "shell";
/// Tauri lets `WebDriver` in when this variable is set, in release builds too.
const AUTOMATION: &str = "TAURI_WEBVIEW_AUTOMATION";
/// The log level where the command line names none.
const LOG_LEVEL: &str = "ASYNCMQ_CONSOLE_LOG";

/// Runs the console until its window is closed.
///
/// # Errors
/// [`Stop`]: what to print instead.
pub fn start(words: impl IntoIterator<Item = OsString>) -> Result<(), Stop> {
    let arguments = Arguments::read(words, std::env::var_os(LOG_LEVEL))?;
    if std::env::var_os(AUTOMATION).is_some() && !cfg!(feature = "automation") {
        return Err(Stop::Automation);
    }
    let profile = Profile::named(arguments.profile.as_deref())?;
    let _log = log::start(&profile.log_dir(), arguments.log_level);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), profile = profile.name(), "started");
    if let Some(asked) = &arguments.doctor {
        return doctor::run(&profile, asked);
    }
    if !stage::has_display() {
        return Err(Stop::Display);
    }
    let downloads = Profile::downloads_dir();
    let options = Options { profile: arguments.profile, downloads: downloads.clone() };
    let (workspace, orders) = tauri::async_runtime::block_on(Workspace::start(options))?;
    let (reports, ending, closing) = (workspace.clone(), workspace.clone(), workspace.clone());
    let surroundings = Surroundings {
        shell_data: profile.data_dir().join("shell"),
        downloads,
        report: Arc::new(move |report| reports.report(report)),
        may_close: Arc::new(move || closing.may_quit()),
    };

    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            environment::environment_add,
            environment::environment_check,
            environment::environment_look,
            environment::environment_remove,
            environment::environment_reorder,
            environment::environment_select,
            environment::environment_update,
            environment::protection_set,
            commands::doctor::doctor_close,
            commands::doctor::doctor_open,
            commands::doctor::doctor_run,
            prompt::external_link_answer,
            prompt::held_carry_out,
            prompt::held_drop,
            prompt::notice_dismiss,
            prompt::quit_answer,
            prompt::third_parties_answer,
            prompt::third_parties_open,
            session::approvals_accept,
            session::keychain_retry,
            session::keychain_use_memory,
            session::session_try_now,
            session::sign_in,
            session::sign_in_browser,
            session::sign_in_cancel,
            session::sign_in_confirm,
            session::sign_in_open,
            session::sign_in_with_stored,
            session::sign_out,
            session::sign_out_all,
            session::sign_out_all_cancel,
            session::sign_out_all_open,
            session::sign_out_cancel,
            session::sign_out_open,
            session::stored_credential_confirm,
            session::stored_credential_forget,
            session::token_copy,
            session::token_copy_open,
            shell::dashboard_reload,
            shell::shell_state,
            shell::stage_cover,
            shell::stage_focus_shell,
        ])
        .setup(move |app| {
            app.manage(workspace.clone());
            let shell_is_up = ShellIsUp::default();
            app.manage(shell_is_up.clone());
            let stage = Stage::open(app.handle(), surroundings)?;
            tauri::async_runtime::spawn(stage.carry_out(orders, shell_is_up));
            tauri::async_runtime::spawn(publish(app.handle().clone(), workspace));
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(move |_, event| {
        if matches!(event, tauri::RunEvent::Exit) {
            // The program ends right after this, without dropping anything.
            tauri::async_runtime::block_on(ending.end());
        }
    });
    Ok(())
}

/// Sends every new state to the shell webview, and to no other.
async fn publish(app: tauri::AppHandle, workspace: Workspace) {
    let mut states = workspace.subscribe();
    while states.changed().await.is_ok() {
        let state = states.borrow_and_update().clone();
        if let Err(error) = app.emit_to(EventTarget::webview(SHELL), console_ipc::STATE_EVENT, &*state) {
            tracing::warn!(%error, "a state was not sent to the shell");
        }
    }
}
