//! Did the inputs of a step change since it was last done? A stamp holds the hash of their content.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
};

/// The folder of the stamps.
pub(crate) struct Stamps(PathBuf);

impl Stamps {
    /// Below `folder`.
    pub(crate) fn within(folder: &Path) -> Self {
        Self(folder.join("stamps"))
    }

    /// Whether the step was last done with these inputs.
    pub(crate) fn is_current(&self, step: &str, inputs: &Inputs) -> bool {
        fs::read_to_string(self.0.join(step)).is_ok_and(|text| text == inputs.text())
    }

    /// The step was done with these inputs. A stamp that cannot be written only means that the step is done again.
    pub(crate) fn set(&self, step: &str, inputs: &Inputs) {
        drop(fs::create_dir_all(&self.0).and_then(|()| fs::write(self.0.join(step), inputs.text())));
    }
}

/// What a step depends on. Not a cryptographic hash: it guards against forgetting, not against an enemy.
#[derive(Default)]
pub(crate) struct Inputs(DefaultHasher);

impl Inputs {
    /// Adds a text, such as a tool's version.
    pub(crate) fn text_of(mut self, text: &str) -> Self {
        text.hash(&mut self.0);
        self
    }

    /// Adds the content of a file.
    pub(crate) fn file(mut self, path: &Path) -> io::Result<Self> {
        path.hash(&mut self.0);
        fs::read(path)?.hash(&mut self.0);
        Ok(self)
    }

    /// Adds the content of every file below `folder`, without the entries of `folder` itself that `left_out` names.
    pub(crate) fn folder(mut self, folder: &Path, left_out: &[&str]) -> io::Result<Self> {
        let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if left_out.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let path = entry.path();
            self = if entry.file_type()?.is_dir() { self.folder(&path, &[])? } else { self.file(&path)? };
        }
        Ok(self)
    }

    fn text(&self) -> String {
        format!("{:016x}\n", self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Inputs, Stamps};

    #[test]
    fn a_step_is_done_again_only_when_an_input_changed() {
        let folder = tempfile::tempdir().expect("folder");
        let sources = folder.path().join("sources");
        fs::create_dir_all(sources.join("deep")).expect("folder");
        fs::create_dir_all(sources.join("left")).expect("folder");
        fs::write(sources.join("deep/a"), "1").expect("write");
        let stamps = Stamps::within(folder.path());
        let inputs = || Inputs::default().folder(&sources, &["left"]).expect("inputs");

        assert!(!stamps.is_current("step", &inputs()));
        stamps.set("step", &inputs());
        fs::write(sources.join("left/b"), "1").expect("write");
        assert!(stamps.is_current("step", &inputs()));
        fs::write(sources.join("deep/a"), "2").expect("write");
        assert!(!stamps.is_current("step", &inputs()));
    }
}
