//! Where does this run keep its things? A profile is a namespace of its own: folders and keychain entries apart.

use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

/// The vault's service name of the operator's own profile.
const NAMESPACE: &str = "dev.asyncmq.console";

/// A namespace for settings, logs and keychain entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: Option<String>,
    config: PathBuf,
    data: PathBuf,
    state: PathBuf,
}

/// Why a profile could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The name would not be a folder's name.
    #[error("the profile name `{0}` cannot be used: give 1 to 32 lower-case letters, digits or dashes")]
    Name(String),
    /// The platform has no home folder for this user.
    #[error("this user has no home folder: set HOME and start again")]
    NoHome,
}

impl Profile {
    /// The profile with this name; `None` is the operator's own.
    ///
    /// # Errors
    /// [`ProfileError::Name`] for anything but 1 to 32 of `a-z`, `0-9`, `-`; [`ProfileError::NoHome`] without a home.
    pub fn named(name: Option<&str>) -> Result<Self, ProfileError> {
        if let Some(name) = name {
            let fits = (1..=32).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !fits {
                return Err(ProfileError::Name(name.to_owned()));
            }
        }
        let project = ProjectDirs::from("dev", "asyncmq", "asyncmq-console").ok_or(ProfileError::NoHome)?;
        let within = |folder: &Path| match name {
            Some(name) => folder.join("profiles").join(name),
            None => folder.to_owned(),
        };
        Ok(Self {
            name: name.map(str::to_owned),
            config: within(project.config_dir()),
            data: within(project.data_local_dir()),
            state: within(project.state_dir().unwrap_or_else(|| project.data_local_dir())),
        })
    }

    /// A profile whose folders all lie below `folder`. For tests.
    pub fn below(folder: &Path) -> Self {
        Self {
            name: Some("test".to_owned()),
            config: folder.join("config"),
            data: folder.join("data"),
            state: folder.join("state"),
        }
    }

    /// Its name; `None` is the operator's own.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The folder of the environments' file.
    pub fn config_dir(&self) -> &Path {
        &self.config
    }

    /// The environments' file.
    pub fn environments_file(&self) -> PathBuf {
        self.config.join("environments.toml")
    }

    /// The folder for what the app keeps for itself (the shell webview's own storage).
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The folder of the log files.
    pub fn log_dir(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The folder of the locks between consoles that run at the same time.
    pub fn locks_dir(&self) -> PathBuf {
        self.data.join("locks")
    }

    /// The service name of its keychain entries.
    pub fn vault_namespace(&self) -> String {
        match &self.name {
            Some(name) => format!("{NAMESPACE}.{name}"),
            None => NAMESPACE.to_owned(),
        }
    }

    /// The user's folder for downloads, else the home folder.
    pub fn downloads_dir() -> PathBuf {
        directories::UserDirs::new()
            .and_then(|dirs| dirs.download_dir().map(Path::to_owned))
            .or_else(|| BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()))
            .unwrap_or_else(std::env::temp_dir)
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn profiles_share_neither_folders_nor_keychain_entries() {
        let own = Profile::named(None).expect("own");
        let demo = Profile::named(Some("demo")).expect("demo");
        assert_ne!(own.environments_file(), demo.environments_file());
        assert_ne!(own.log_dir(), demo.log_dir());
        assert_ne!(own.vault_namespace(), demo.vault_namespace());
    }

    #[test]
    fn a_profile_name_cannot_leave_the_folder() {
        for name in ["", "..", "a/b", "A", "a b", &"x".repeat(33)] {
            assert!(Profile::named(Some(name)).is_err(), "{name}");
        }
    }
}
