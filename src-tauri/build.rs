//! Declares every IPC command to the access control list, so that a command is denied unless a capability names it.

fn main() {
    println!("cargo:rerun-if-changed=ui/dist");
    tauri_build::try_build(
        tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*"),
    )
    .expect("tauri.conf.json and the capabilities must be valid");
}
