//! Where does a download go? Into the downloads folder, under a safe name that overwrites nothing.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// File systems take 255 bytes; this leaves room for a number.
const LONGEST_NAME: usize = 200;
/// Names that Windows gives to devices, whatever their extension.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// The downloads folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Downloads {
    folder: PathBuf,
    /// Given out and perhaps not yet on disk.
    under_way: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Downloads {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, under_way: Arc::default() }
    }

    /// The path for a new download that the page calls `suggested`, kept for it until [`Self::end`].
    ///
    /// # Errors
    /// The folder is not there and cannot be made.
    pub(crate) fn begin(&self, suggested: &str) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.folder)?;
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let path = candidates(&self.folder, &safe_name(suggested))
            .find(|path| path.symlink_metadata().is_err() && !under_way.contains(path))
            .ok_or(io::ErrorKind::AlreadyExists)?;
        under_way.insert(path.clone());
        Ok(path)
    }

    /// The download that was given `path` ended, well or not.
    pub(crate) fn end(&self, path: &Path) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}

/// A file's name: no folder, no control or bidi character, not hidden, no device, not too long, its extension kept.
pub(crate) fn safe_name(suggested: &str) -> String {
    let cleaned: String = suggested
        .chars()
        .filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '_' } else { c })
        .collect();
    let name = cleaned.trim_matches([' ', '.']);
    let (stem, extension) = split(name);
    let mut stem = cut(stem, LONGEST_NAME.saturating_sub(extension.len()).max(1)).to_owned();
    let base = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = base.strip_prefix("COM").or_else(|| base.strip_prefix("LPT"));
    if DEVICES.contains(&base.as_str()) || numbered.is_some_and(|rest| rest.chars().count() == 1) {
        stem.insert(0, '_');
    }
    let name = format!("{stem}{}", cut(extension, LONGEST_NAME));
    if name.is_empty() { "download".to_owned() } else { name }
}

/// `("report", ".csv")`; an extension is short and plain, else it is part of the name.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// At most `bytes` of `text`, whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= bytes).last();
    &text[..end.unwrap_or(0)]
}

/// `name`, `name (2)`, `name (3)`, …
fn candidates(folder: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    let (stem, extension) = split(name);
    std::iter::once(folder.join(name))
        .chain((2..10_000).map(move |number| folder.join(format!("{stem} ({number}){extension}"))))
}

#[cfg(test)]
mod tests {
    use super::{Downloads, safe_name};

    #[test]
    fn a_name_cannot_leave_the_folder_or_hide_what_it_is() {
        assert_eq!(safe_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(safe_name(r"..\..\boot.ini"), r"_.._boot.ini");
        assert_eq!(safe_name(".bashrc"), "bashrc");
        assert_eq!(safe_name("a\u{202e}gpj.exe"), "agpj.exe");
        assert_eq!(safe_name("a\nb\0c.csv"), "a_b_c.csv");
        assert_eq!(safe_name("con.csv"), "_con.csv");
        assert_eq!(safe_name("com1"), "_com1");
        assert_eq!(safe_name("compare.csv"), "compare.csv");
        assert_eq!(safe_name("jobs 2026.11.tar.gz"), "jobs 2026.11.tar.gz");
        for nothing in ["", ".", "..", " . "] {
            assert_eq!(safe_name(nothing), "download", "{nothing:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension_and_fits() {
        for long in ["x".repeat(500), "ж".repeat(500), "🦀".repeat(500)] {
            let name = safe_name(&format!("{long}.csv"));
            assert!(name.len() <= super::LONGEST_NAME && super::split(&name).1 == ".csv", "{name}");
        }
    }

    #[test]
    fn nothing_is_overwritten_even_while_a_download_of_the_same_name_is_under_way() {
        let folder = tempfile::tempdir().expect("folder");
        let downloads = Downloads::new(folder.path().join("not yet there"));
        let mut paths = Vec::new();
        for expected in ["a.csv", "a (2).csv", "a (3).csv"] {
            let path = downloads.begin("a.csv").expect("begins");
            assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(expected));
            paths.push(path);
        }
        std::fs::write(&paths[0], "x").expect("writes");
        for path in &paths {
            downloads.end(path);
        }
        assert_eq!(downloads.begin("a.csv").expect("begins"), paths[1], "the first is on disk, the others are free");
    }
}
