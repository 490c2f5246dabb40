//! What does the console hand to the system's browser?

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use super::Home;

/// Stands in for the system's browser: it writes down what it is asked to open.
pub(crate) struct Browser(PathBuf);

impl Browser {
    /// First in the path of this operator's programs.
    pub(crate) fn of(home: &mut Home) -> Self {
        let (folder, opened) = (home.path().join("bin"), home.path().join("opened"));
        fs::create_dir_all(&folder).expect("a folder");
        let program = folder.join("xdg-open");
        fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}'\n", opened.display())).expect("writes");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        let others = std::env::var_os("PATH").expect("PATH is set");
        let path = std::iter::once(folder).chain(std::env::split_paths(&others));
        home.set("PATH", Some(std::env::join_paths(path).expect("a path")));
        Self(opened)
    }

    /// What it was asked to open, in order.
    pub(crate) fn opened(&self) -> Vec<String> {
        fs::read_to_string(&self.0).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
