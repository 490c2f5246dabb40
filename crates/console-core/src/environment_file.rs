//! Where are the environments kept? A versioned TOML file, written atomically, never overwritten when it cannot be read.
//!
//! A write goes to a temporary file in the same folder, which is flushed to disk and then renamed over the old one (the
//! folder is flushed too), so that whoever reads finds the old state or the new one. The last good state before the
//! newest change stays beside it as `environments.toml.bak`. Two consoles that write at the same moment are kept apart by a
//! lock on `environments.toml.lock`; the second one is told.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::environment::{
    Accent, CheckedDraft, Environment, EnvironmentDraft, EnvironmentId, EnvironmentIdError, Protection,
};
use crate::{network::Network, sign_in::Method};

/// The version that this program writes. It reads every earlier one: version 1 knew no sign-in methods and no network.
const VERSION: u32 = 2;
const OLDEST: i64 = 1;
const HEAD: &str = "# The environments of AsyncMQ Console. No secret is ever kept here: credentials are in the keychain.\n\
                    # The console writes this file anew after every change there; comments of your own do not stay.\n\n";
const TEMPORARY: (&str, &str) = (".environments-", ".tmp");

/// Why the environments' file could not be read or written. Nothing was changed. Quotes no line of the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EnvironmentFileError {
    #[error(
        "`{path}` could not be read, so it is left alone ({source}): see to its permissions, then start the console again"
    )]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "`{path}` is not a sound environments' file, so it is left alone ({reason}): mend it, or move it away, then start \
             the console again"
    )]
    Unsound { path: PathBuf, reason: String },
    #[error(
        "`{path}` comes from a newer version of the console (file version {version}; this one knows {VERSION}): \
             start that version, or move the file away"
    )]
    Newer { path: PathBuf, version: i64 },
    #[error(
        "`{path}` is missing, but its backup `{backup}` is there: rename the backup to go on with it, or move it away"
    )]
    OnlyBackup { path: PathBuf, backup: PathBuf },
    #[error(
        "`{path}` could not be taken in at the start, so it is left alone: mend or move it, then start the console again"
    )]
    LeftAlone { path: PathBuf },
    #[error("`{path}` was changed by another program since it was read: start the console again to take that in")]
    ChangedElsewhere { path: PathBuf },
    #[error(
        "another console is writing `{path}` at this moment: close it, and start this one again to take its changes in"
    )]
    InUse { path: PathBuf },
    #[error("`{path}` could not be written ({source}): see to free space and permissions, then try again")]
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
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cookie_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    expected_issuer: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    expected_audience: String,
    allow_plain_http: bool,
    #[serde(default)]
    allow_token_copy: bool,
    protection: Protection,
    #[serde(default)]
    sign_in: Method,
    #[serde(default, skip_serializing_if = "Network::is_default")]
    network: Network,
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
            header_name: environment.header_name.to_string(),
            scheme: environment.scheme.clone(),
            cookie_name: environment.cookie_name.clone(),
            expected_issuer: environment.expected_issuer.clone(),
            expected_audience: environment.expected_audience.clone(),
            allow_plain_http: environment.allow_plain_http,
            allow_token_copy: environment.allow_token_copy,
            protection: environment.protection,
            sign_in: environment.sign_in.clone(),
            network: environment.network.clone(),
        }
    }
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
            cookie_name: record.cookie_name,
            expected_issuer: record.expected_issuer,
            expected_audience: record.expected_audience,
            sign_in: record.sign_in,
            network: record.network,
            allow_token_copy: record.allow_token_copy,
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
        let text = render(&environments)
            .map_err(|error| EnvironmentFileError::Unsound { path: self.path.clone(), reason: error.to_string() })?;
        let _lock = self.lock()?;
        if read_if_there(&self.path)? != self.known {
            return Err(EnvironmentFileError::ChangedElsewhere { path: self.path.clone() });
        }
        // A link to a file kept elsewhere stays a link.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        sweep_temporary_files(&self.path);
        sweep_temporary_files(&target);
        if let Some(known) = &self.known {
            write_atomically(&backup_of(&self.path), known)?;
        }
        write_atomically(&target, &text)?;
        self.environments = environments;
        self.known = Some(text);
        Ok(())
    }

    /// Held while writing, and let go by the operating system when the program ends in any way. Where the file system
    /// knows no locks, there is none.
    fn lock(&self) -> Result<Option<Lock>, EnvironmentFileError> {
        let path = with_ending(&self.path, ".lock");
        let failed = |source| EnvironmentFileError::Write { path: path.clone(), source };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Err(EnvironmentFileError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }
}

/// A lock that is held. Let go explicitly: a process that another thread starts at this moment has a copy of the open file
/// until its `exec`, and closing ours would leave the lock with it.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock on the environments' file goes with its handle only");
        }
    }
}

fn backup_of(path: &Path) -> PathBuf {
    with_ending(path, ".bak")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes what a write that was killed left behind. Called with the lock held, so that none of these is being written.
fn sweep_temporary_files(path: &Path) {
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1));
        if ours && let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(file = %entry.path().display(), %error, "a temporary file stays behind");
        }
    }
}

fn read_if_there(path: &Path) -> Result<Option<String>, EnvironmentFileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EnvironmentFileError::Read { path: path.to_owned(), source }),
    }
}

/// The text of a file with these environments.
pub(crate) fn render(environments: &[Environment]) -> Result<String, toml::ser::Error> {
    let document = Document { version: VERSION, environments: environments.iter().map(Record::from).collect() };
    Ok(format!("{HEAD}{}", toml::to_string(&document)?))
}

pub(crate) fn parse(path: &Path, text: &str) -> Result<Vec<Environment>, EnvironmentFileError> {
    let unsound = |reason: String| EnvironmentFileError::Unsound { path: path.to_owned(), reason };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| unsound(place_and_message(text, &error)))?;
    match table.get("version").and_then(toml::Value::as_integer) {
        Some(version) if (OLDEST..=i64::from(VERSION)).contains(&version) => {}
        Some(version) if version > i64::from(VERSION) => {
            return Err(EnvironmentFileError::Newer { path: path.to_owned(), version });
        }
        _ => return Err(unsound("it has no `version` that this console knows".into())),
    }
    let document: Document = toml::from_str(text).map_err(|error| unsound(place_and_message(text, &error)))?;
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

/// The parser's own text quotes the whole line, and somebody may have written a token there by hand.
fn place_and_message(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Old or new, never neither: temporary file beside it, flushed, renamed, folder flushed.
fn write_atomically(path: &Path, text: &str) -> Result<(), EnvironmentFileError> {
    let failed = |source| EnvironmentFileError::Write { path: path.to_owned(), source };
    let folder = path.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    // `tempfile` makes it readable by its owner only.
    let builder = tempfile::Builder::new().prefix(TEMPORARY.0).suffix(TEMPORARY.1).tempfile_in(folder);
    let mut file = builder.map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The new state is in place: from here on "nothing was changed" would be untrue. Some file systems flush no folder.
    if let Err(error) = flush_folder(folder) {
        tracing::warn!(folder = %folder.display(), %error, "the folder could not be flushed to disk");
    }
    Ok(())
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
mod tests;
