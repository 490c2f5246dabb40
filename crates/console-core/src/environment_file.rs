//! Where are the environments kept? A versioned TOML file, written atomically, never overwritten when it cannot be read.
//!
//! A write goes to a temporary file in the same folder, which is flushed to disk and then renamed over the old one (the
//! folder is flushed too), so that whoever reads finds the old state or the new one. The last good state before the
//! newest change stays beside it as `environments.toml.bak`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::environment::{
    Accent, CheckedDraft, Environment, EnvironmentDraft, EnvironmentId, EnvironmentIdError, Protection,
};

/// The version that this program writes.
const VERSION: u32 = 1;
const HEAD: &str = "# The environments of AsyncMQ Console. No secret is ever kept here: credentials are in the keychain.\n\n";

/// Why the environments' file could not be read or written. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EnvironmentFileError {
    #[error("`{path}` could not be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` is not a sound environments' file: {reason}")]
    Unsound { path: PathBuf, reason: String },
    #[error("`{path}` comes from a newer version of the console (file version {version}; this one knows {VERSION}): \
             start that version, or move the file away")]
    Newer { path: PathBuf, version: i64 },
    #[error("`{path}` is missing, but its backup `{backup}` is there: rename the backup to go on with it, or move it away")]
    OnlyBackup { path: PathBuf, backup: PathBuf },
    #[error("`{path}` could not be read at the start, so it is left alone: mend or move it, then start the console again")]
    LeftAlone { path: PathBuf },
    #[error("`{path}` was changed by another program since it was read: start the console again to take that in")]
    ChangedElsewhere { path: PathBuf },
    #[error("`{path}` could not be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("there is no environment `{0}`")]
    Unknown(EnvironmentId),
    #[error("the new order must name every environment once")]
    Order,
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, rename = "environment", skip_serializing_if = "Vec::is_empty")]
    environments: Vec<Record>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: String,
    name: String,
    base_url: String,
    tag: String,
    accent: Accent,
    login_path: String,
    header_name: String,
    scheme: String,
    allow_plain_http: bool,
    protection: Protection,
}

impl From<&Environment> for Record {
    fn from(environment: &Environment) -> Self {
        Self {
            id: environment.id.to_string(),
            name: environment.name.clone(),
            base_url: environment.base_url.to_string(),
            tag: environment.tag.clone(),
            accent: environment.accent,
            login_path: environment.login_path.clone(),
            header_name: canonical_name(&environment.header_name),
            scheme: environment.scheme.clone(),
            allow_plain_http: environment.allow_plain_http,
            protection: environment.protection,
        }
    }
}

fn canonical_name(name: &HeaderName) -> String {
    name.to_string()
}

impl TryFrom<Record> for Environment {
    type Error = String;

    fn try_from(record: Record) -> Result<Self, String> {
        let id: EnvironmentId = record.id.parse().map_err(|error: EnvironmentIdError| error.to_string())?;
        let name = record.name.clone();
        let draft = EnvironmentDraft {
            name: record.name,
            base_url: record.base_url,
            tag: record.tag,
            accent: record.accent,
            login_path: record.login_path,
            header_name: record.header_name,
            scheme: record.scheme,
            allow_plain_http: record.allow_plain_http,
            protection: record.protection,
        };
        draft.check().map(|checked| checked.into_environment(id)).map_err(|errors| {
            let all: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
            format!("environment `{name}`: {}", all.join(" "))
        })
    }
}

/// The environments in the order of the rail, and their file.
#[derive(Debug)]
pub struct EnvironmentFile {
    path: PathBuf,
    environments: Vec<Environment>,
    /// What the file held when it was last read or written; `None`: there was no file.
    known: Option<String>,
    left_alone: bool,
}

impl EnvironmentFile {
    /// Reads the file at `path`; none there means no environments yet. With an error the list is empty, the file is left
    /// as it is, and every change answers [`EnvironmentFileError::LeftAlone`].
    pub fn open(path: &Path) -> (Self, Option<EnvironmentFileError>) {
        let mut file = Self { path: path.to_owned(), environments: Vec::new(), known: None, left_alone: false };
        match file.read() {
            Ok(()) => (file, None),
            Err(error) => {
                file.left_alone = true;
                (file, Some(error))
            }
        }
    }

    fn read(&mut self) -> Result<(), EnvironmentFileError> {
        let Some(text) = read_if_there(&self.path)? else {
            let backup = backup_of(&self.path);
            if backup.exists() {
                return Err(EnvironmentFileError::OnlyBackup { path: self.path.clone(), backup });
            }
            return Ok(());
        };
        self.environments = parse(&self.path, &text)?;
        self.known = Some(text);
        Ok(())
    }

    /// The environments in the order of the rail.
    pub fn list(&self) -> &[Environment] {
        &self.environments
    }

    /// Adds an environment at the end.
    ///
    /// # Errors
    /// When the file was left alone, was changed by another program, or cannot be written; nothing was changed.
    pub fn add(&mut self, draft: CheckedDraft) -> Result<Environment, EnvironmentFileError> {
        let environment = draft.into_environment(EnvironmentId::random()?);
        let mut changed = self.environments.clone();
        changed.push(environment.clone());
        self.save(changed)?;
        Ok(environment)
    }

    /// Replaces what the operator said about an environment.
    ///
    /// # Errors
    /// As [`Self::add`], and [`EnvironmentFileError::Unknown`].
    pub fn update(&mut self, id: &EnvironmentId, draft: CheckedDraft) -> Result<Environment, EnvironmentFileError> {
        let index = self.index(id)?;
        let environment = draft.into_environment(id.clone());
        let mut changed = self.environments.clone();
        changed[index] = environment.clone();
        self.save(changed)?;
        Ok(environment)
    }

    /// Removes an environment.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub fn remove(&mut self, id: &EnvironmentId) -> Result<(), EnvironmentFileError> {
        let index = self.index(id)?;
        let mut changed = self.environments.clone();
        changed.remove(index);
        self.save(changed)
    }

    /// Sets the order of the rail.
    ///
    /// # Errors
    /// As [`Self::add`], and [`EnvironmentFileError::Order`] unless `ids` names every environment once.
    pub fn reorder(&mut self, ids: &[EnvironmentId]) -> Result<(), EnvironmentFileError> {
        let mut rest = self.environments.clone();
        let mut changed = Vec::with_capacity(rest.len());
        for id in ids {
            let index = rest.iter().position(|environment| environment.id == *id).ok_or(EnvironmentFileError::Order)?;
            changed.push(rest.remove(index));
        }
        if !rest.is_empty() {
            return Err(EnvironmentFileError::Order);
        }
        self.save(changed)
    }

    fn index(&self, id: &EnvironmentId) -> Result<usize, EnvironmentFileError> {
        self.environments
            .iter()
            .position(|environment| environment.id == *id)
            .ok_or_else(|| EnvironmentFileError::Unknown(id.clone()))
    }

    fn save(&mut self, environments: Vec<Environment>) -> Result<(), EnvironmentFileError> {
        if self.left_alone {
            return Err(EnvironmentFileError::LeftAlone { path: self.path.clone() });
        }
        if read_if_there(&self.path)? != self.known {
            return Err(EnvironmentFileError::ChangedElsewhere { path: self.path.clone() });
        }
        let document = Document { version: VERSION, environments: environments.iter().map(Record::from).collect() };
        let body = toml::to_string(&document).map_err(|error| EnvironmentFileError::Unsound {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        let text = format!("{HEAD}{body}");
        let written = self.known.as_ref().map_or(Ok(()), |known| write_atomically(&backup_of(&self.path), known));
        written
            .and_then(|()| write_atomically(&self.path, &text))
            .map_err(|source| EnvironmentFileError::Write { path: self.path.clone(), source })?;
        self.environments = environments;
        self.known = Some(text);
        Ok(())
    }
}

fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bak");
    name.into()
}

fn read_if_there(path: &Path) -> Result<Option<String>, EnvironmentFileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EnvironmentFileError::Read { path: path.to_owned(), source }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<Environment>, EnvironmentFileError> {
    let unsound = |reason: String| EnvironmentFileError::Unsound { path: path.to_owned(), reason };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| unsound(error.to_string()))?;
    match table.get("version").and_then(toml::Value::as_integer) {
        Some(version) if version == i64::from(VERSION) => {}
        Some(version) if version > i64::from(VERSION) => {
            return Err(EnvironmentFileError::Newer { path: path.to_owned(), version });
        }
        _ => return Err(unsound("it has no `version` that this console knows".into())),
    }
    let document: Document = toml::from_str(text).map_err(|error| unsound(error.to_string()))?;
    let mut environments: Vec<Environment> = Vec::new();
    for record in document.environments {
        let environment = Environment::try_from(record).map_err(unsound)?;
        if environments.iter().any(|known| known.id == environment.id) {
            return Err(unsound(format!("two environments have the id `{}`", environment.id)));
        }
        environments.push(environment);
    }
    Ok(environments)
}

/// Old or new, never neither: temporary file beside it, flushed, renamed, folder flushed.
fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    // `tempfile` makes it readable by its owner only.
    let mut file = tempfile::Builder::new().prefix(".environments-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    flush_folder(folder)
}

#[cfg(unix)]
fn flush_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "Windows cannot flush a folder; the signature is the other platforms'")]
fn flush_folder(_folder: &Path) -> io::Result<()> {
    let _ = File::open;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{EnvironmentFile, EnvironmentFileError};
    use crate::environment::{Accent, CheckedDraft, EnvironmentDraft, Protection};

    fn draft(name: &str) -> CheckedDraft {
        EnvironmentDraft {
            name: name.into(),
            base_url: "https://a.example/asyncmq".into(),
            tag: "PROD".into(),
            accent: Accent::Red,
            login_path: "/login".into(),
            header_name: "Authorization".into(),
            scheme: "Bearer".into(),
            allow_plain_http: false,
            protection: Protection::Locked,
        }
        .check()
        .expect("sound")
    }

    fn names(file: &EnvironmentFile) -> Vec<&str> {
        file.list().iter().map(|environment| environment.name.as_str()).collect()
    }

    #[test]
    fn what_is_added_edited_reordered_and_removed_is_there_after_reopening() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("deep/environments.toml");
        let (mut file, error) = EnvironmentFile::open(&path);
        assert!(error.is_none() && file.list().is_empty());
        let one = file.add(draft("one")).expect("adds").id;
        let two = file.add(draft("two")).expect("adds").id;
        file.update(&one, draft("uno")).expect("updates");
        file.reorder(&[two.clone(), one.clone()]).expect("reorders");
        let (mut again, error) = EnvironmentFile::open(&path);
        assert!(error.is_none());
        assert_eq!(names(&again), ["two", "uno"]);
        again.remove(&two).expect("removes");
        assert_eq!(names(&EnvironmentFile::open(&path).0), ["uno"]);
        assert_eq!(again.list()[0].id, one);
        let backup = fs::read_to_string(folder.path().join("deep/environments.toml.bak")).expect("backup");
        assert!(backup.contains("two"), "the last good state before the newest change");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_left_alone_and_reported() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("environments.toml");
        for text in [
            "not toml at all [",
            "version = 1\nunknown = 2\n",
            "version = 0\n",
            "nothing = 1\n",
            "version = 1\n[[environment]]\nid = \"x\"\n",
        ] {
            fs::write(&path, text).expect("writes");
            let (mut file, error) = EnvironmentFile::open(&path);
            let message = error.expect("reported").to_string();
            assert!(message.contains("environments.toml"), "{message}");
            assert!(matches!(file.add(draft("x")), Err(EnvironmentFileError::LeftAlone { .. })));
            assert_eq!(fs::read_to_string(&path).expect("reads"), text, "left as it was");
        }
    }

    #[test]
    fn a_file_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("environments.toml");
        fs::write(&path, "version = 2\nfuture = true\n").expect("writes");
        let (mut file, error) = EnvironmentFile::open(&path);
        assert!(matches!(error, Some(EnvironmentFileError::Newer { version: 2, .. })));
        assert!(file.add(draft("x")).is_err());
        assert_eq!(fs::read_to_string(&path).expect("reads"), "version = 2\nfuture = true\n");
    }

    #[test]
    fn a_change_by_another_program_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("environments.toml");
        let (mut one, _) = EnvironmentFile::open(&path);
        let (mut two, _) = EnvironmentFile::open(&path);
        one.add(draft("one")).expect("adds");
        assert!(matches!(two.add(draft("two")), Err(EnvironmentFileError::ChangedElsewhere { .. })));
        assert_eq!(names(&EnvironmentFile::open(&path).0), ["one"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("environments.toml");
        EnvironmentFile::open(&path).0.add(draft("one")).expect("adds");
        assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    }
}
