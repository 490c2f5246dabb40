//! Where does a download go? Into the downloads folder, under a safe name that overwrites nothing.

use std::path::{Path, PathBuf};

use console_core::environment::EnvironmentId;
use console_workspace::StageReport;
use tauri::webview::DownloadEvent;

const LONGEST_NAME: usize = 120;

/// The downloads of one dashboard.
pub(crate) struct Downloads {
    environment: EnvironmentId,
    folder: PathBuf,
}

impl Downloads {
    pub(crate) fn new(environment: EnvironmentId, folder: PathBuf) -> Self {
        Self { environment, folder }
    }

    /// Names what begins, reports what ends. Whether it may go on.
    pub(crate) fn handle(&self, event: DownloadEvent<'_>, report: &impl Fn(StageReport)) -> bool {
        match event {
            DownloadEvent::Requested { url, destination } => {
                let suggested = destination.file_name().map(|name| name.to_string_lossy().into_owned());
                let last = url.path_segments().and_then(|mut segments| segments.next_back().map(str::to_owned));
                let name = safe_name(&suggested.or(last).unwrap_or_default());
                if let Err(error) = std::fs::create_dir_all(&self.folder) {
                    tracing::warn!(%error, "the downloads folder cannot be made");
                    report(StageReport::Downloaded { environment: self.environment.clone(), path: None, name });
                    return false;
                }
                *destination = free_path(&self.folder, &name);
                true
            }
            DownloadEvent::Finished { path, success, .. } => {
                let name = path
                    .as_deref()
                    .and_then(Path::file_name)
                    .map_or_else(|| "The download".to_owned(), |name| name.to_string_lossy().into_owned());
                let path = path.filter(|_| success);
                report(StageReport::Downloaded { environment: self.environment.clone(), path, name });
                true
            }
            _ => true,
        }
    }
}

/// A file's name: no folder, no control character, not hidden, not too long.
fn safe_name(suggested: &str) -> String {
    let cleaned: String = suggested
        .chars()
        .map(|c| if c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { c })
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .take(LONGEST_NAME)
        .collect();
    let name = cleaned.trim_matches([' ', '.']);
    if name.is_empty() { "download".to_owned() } else { name.to_owned() }
}

/// `name`, or `name (2)`, … : the first that is not there.
fn free_path(folder: &Path, name: &str) -> PathBuf {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    std::iter::once(folder.join(name))
        .chain((2_u32..).map(|number| folder.join(format!("{stem} ({number}){extension}"))))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::{free_path, safe_name};

    #[test]
    fn a_name_cannot_leave_the_folder_or_hide_what_it_is() {
        assert_eq!(safe_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(safe_name(".bashrc"), "bashrc");
        assert_eq!(safe_name("a\u{202e}gpj.exe"), "agpj.exe");
        assert_eq!(safe_name(""), "download");
        assert_eq!(safe_name(&"x".repeat(500)).len(), 120);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("folder");
        for expected in ["a.csv", "a (2).csv", "a (3).csv"] {
            let path = free_path(folder.path(), "a.csv");
            assert_eq!(path, folder.path().join(expected));
            std::fs::write(path, "x").expect("writes");
        }
    }
}
