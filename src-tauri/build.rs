//! Declares every IPC command to the access control list: a command that no capability names is denied to everyone.

const COMMANDS: &[&str] = &[
    "approvals_accept",
    "dashboard_reload",
    "doctor_close",
    "doctor_open",
    "doctor_run",
    "environment_add",
    "environment_check",
    "environment_look",
    "environment_remove",
    "environment_reorder",
    "environment_select",
    "environment_update",
    "external_link_answer",
    "held_carry_out",
    "held_drop",
    "keychain_retry",
    "keychain_use_memory",
    "notice_dismiss",
    "protection_set",
    "quit_answer",
    "session_try_now",
    "shell_state",
    "sign_in",
    "sign_in_browser",
    "sign_in_cancel",
    "sign_in_confirm",
    "sign_in_open",
    "sign_in_with_stored",
    "sign_out",
    "sign_out_all",
    "sign_out_all_cancel",
    "sign_out_all_open",
    "sign_out_cancel",
    "sign_out_open",
    "stage_cover",
    "stage_focus_shell",
    "stored_credential_confirm",
    "stored_credential_forget",
    "third_parties_answer",
    "third_parties_open",
    "token_copy",
    "token_copy_open",
];

fn main() {
    println!("cargo:rerun-if-changed=ui/dist");
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*")
            .app_manifest(tauri_build::AppManifest::new().commands(COMMANDS)),
    )
    .expect("tauri.conf.json and the capabilities must be valid");
}
