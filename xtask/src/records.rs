//! Do the records say what is there? SECURITY.md and docs/asvs.md name tests and files, docs/dependencies.md versions; and
//! `unsafe` is where ARCHITECTURE.md says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Folders that hold what was made or fetched, and no source.
const MADE: [&str; 6] = ["target", "node_modules", "dist", "gen", ".git", "__pycache__"];
/// The one file of each platform whose interface has no safe binding (ARCHITECTURE.md).
const PLATFORMS: [&str; 3] =
    ["src-tauri/src/stage/linux.rs", "src-tauri/src/stage/macos.rs", "src-tauri/src/stage/windows.rs"];
/// Where packages of npm are used.
const NPM: [&str; 3] = ["ui", "tests/provider", "tests/proxies"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every source, by its path from the root.
fn sources() -> Vec<String> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            let name = entry.file_name();
            if entry.file_type().expect("a type").is_dir() {
                folders.extend((!MADE.iter().any(|made| name == *made)).then(|| entry.path()));
            } else if let Some(path) = entry.path().strip_prefix(&root).expect("below the root").to_str() {
                found.push(path.replace('\\', "/"));
            }
        }
    }
    found
}

/// Every source of Rust, with its path.
fn rust() -> impl Iterator<Item = (String, String)> {
    let rust = |path: &String| Path::new(path).extension().is_some_and(|extension| extension == "rs");
    sources().into_iter().filter(rust).map(|path| (read(&path), path)).map(|(text, path)| (path, text))
}

/// The tests by name: the functions that a test attribute stands above, and the titles of the UI's.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in rust() {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[") {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            } else if !line.starts_with("//") {
                let name = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next());
                names.extend(name.filter(|_| is_test).map(str::to_owned));
                is_test = false;
            }
        }
    }
    for path in sources().iter().filter(|path| path.ends_with(".test.ts") || path.ends_with(".test.mjs")) {
        let text = read(path);
        let titles = text.lines().filter_map(|line| line.trim().strip_prefix("it('").or(line.strip_prefix("test('")));
        names.extend(titles.filter_map(|title| title.split_once("', ")).map(|(title, _)| title.to_owned()));
    }
    names
}

/// The rows of a page's tables, each as its cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix('|')?.trim_end().strip_suffix('|'));
    rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn is_file(word: &str) -> bool {
    let kinds = ["rs", "ts", "svelte", "mjs", "py", "json", "toml", "yml", "md"];
    Path::new(word).extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known)) && !word.contains(' ')
}

/// Whether a test has this name. An ellipsis stands for any rest of it.
fn names_test(tests: &BTreeSet<String>, word: &str) -> bool {
    match word.split_once('…') {
        Some((begin, end)) => tests.iter().any(|test| test.starts_with(begin) && test.ends_with(end)),
        None => tests.contains(word),
    }
}

#[test]
fn every_test_and_every_file_that_the_records_name_is_there() {
    let (tests, sources) = (tests(), sources());
    let mut missing = Vec::new();
    for page in ["SECURITY.md", "docs/asvs.md"] {
        let rows = rows(&read(page));
        assert!(rows.len() > 20, "{page} has tables");
        for row in rows {
            let (last, others) = row.split_last().expect("a row has cells");
            let is_there = |word: &str| sources.iter().any(|path| path == word || path.ends_with(&format!("/{word}")));
            let mut words: Vec<_> = others.iter().flat_map(|cell| quoted(cell)).filter(|word| is_file(word)).collect();
            words.extend(quoted(last));
            let known = |word: &str| if is_file(word) { is_there(word) } else { names_test(&tests, word) };
            missing.extend(words.into_iter().filter(|word| !known(word)).map(|word| format!("{page}: `{word}`")));
        }
    }
    assert!(missing.is_empty(), "neither a test nor a file:\n{}", missing.join("\n"));
}

#[test]
fn unsafe_code_is_in_the_platforms_parts_of_the_stage_only() {
    // Not written in one piece, or this file would be found.
    let word = ["un", "safe"].concat();
    let is_part = |other: Option<char>| other.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let holds = |line: &str| {
        // Neither in a text nor in a comment.
        let code: String = line.split('"').step_by(2).collect::<Vec<_>>().join("\"");
        let code = code.split("//").next().unwrap_or_default();
        let stands_alone = |(at, _): (usize, &str)| {
            !is_part(code[..at].chars().next_back()) && !is_part(code[at + word.len()..].chars().next())
        };
        code.match_indices(&word).any(stands_alone) || code.contains(&format!("({word}_code"))
    };
    let found: Vec<_> = rust().filter(|(_, text)| text.lines().any(holds)).map(|(path, _)| path).collect();
    let elsewhere: Vec<_> = found.iter().filter(|path| !PLATFORMS.contains(&path.as_str())).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(found.iter().any(|path| path == PLATFORMS[0]), "it is looked for in earnest: {found:?}");
    // And the compiler forbids it: to the workspace's crates, and to the app but for what those files allow.
    for path in sources().iter().filter(|path| path.ends_with("Cargo.toml") && !path.starts_with("fuzz/")) {
        let manifest: toml::Table = read(path).parse().expect("a manifest");
        let lints = &manifest["lints"];
        let is_strict = match path.as_str() {
            "Cargo.toml" => lints["rust"]["unsafe_code"].as_str() == Some("deny"),
            _ => lints["workspace"].as_bool() == Some(true),
        };
        assert!(is_strict, "{path}: {lints}");
    }
    let workspace: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

/// What the packages of a lock file of cargo that lie in this project use by themselves: name and version.
fn used_by_ours(lock: &str) -> BTreeSet<(String, String)> {
    let lock: toml::Table = read(lock).parse().expect("a lock file");
    let packages = lock["package"].as_array().expect("packages");
    let text = |package: &toml::Value, key: &str| package[key].as_str().expect("a text").to_owned();
    let versions: BTreeMap<_, _> = packages.iter().map(|it| (text(it, "name"), text(it, "version"))).collect();
    let ours: Vec<_> = packages.iter().filter(|package| package.get("source").is_none()).collect();
    let own_names: Vec<_> = ours.iter().map(|package| text(package, "name")).collect();
    let uses = ours.iter().filter_map(|package| package.get("dependencies")?.as_array()).flatten();
    uses.filter_map(toml::Value::as_str)
        // `name`, or `name version` where there are several.
        .map(|used| used.split_once(' ').unwrap_or_else(|| (used, &*versions[used])))
        .filter(|(name, _)| !own_names.iter().any(|own| own == name))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect()
}

/// The same of a folder of npm packages.
fn used_by_folder(folder: &str) -> BTreeSet<(String, String)> {
    let json = |name: &str| serde_json::from_str::<Value>(&read(&format!("{folder}/{name}"))).expect("JSON");
    let (manifest, lock) = (json("package.json"), json("package-lock.json"));
    let asked = ["dependencies", "devDependencies"].into_iter().filter_map(|kind| manifest[kind].as_object()).flatten();
    let locked = asked.map(|(name, asked)| {
        let version = lock["packages"][format!("node_modules/{name}")]["version"].as_str().expect("a locked version");
        assert_eq!(asked, version, "{folder}: {name} is pinned");
        (name.clone(), version.to_owned())
    });
    locked.collect()
}

#[test]
fn every_direct_dependency_has_its_line_with_the_version_of_the_lock_file() {
    let mut used = used_by_ours("Cargo.lock");
    used.extend(used_by_ours("fuzz/Cargo.lock"));
    used.extend(NPM.into_iter().flat_map(used_by_folder));
    let recorded: BTreeSet<_> = rows(&read("docs/dependencies.md"))
        .into_iter()
        .filter(|row| row.len() == 6)
        .filter_map(|row| Some((quoted(&row[0]).next()?.to_owned(), row[1].clone())))
        .collect();
    let without_line: Vec<_> = used.difference(&recorded).collect();
    let stale: Vec<_> = recorded.difference(&used).collect();
    assert!(without_line.is_empty() && stale.is_empty(), "without a line: {without_line:?}\nnot used: {stale:?}");
}
