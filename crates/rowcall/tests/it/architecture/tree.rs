//! The files of the workspace for the checks: Rust sources, in which lines of tests are distinguished, manifests and other files.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use super::arrows::Module;
use super::syntax::{blank, test_items, tokens};

const LIBRARY: &str = "crates/rowcall/src";

/// The top-level folders with Rust sources.
const SOURCES: [&str; 3] = ["crates", "xtask", "bench"];

/// All files, by their paths relative to the workspace.
#[derive(Debug)]
pub(super) struct Tree {
    files: Vec<String>,
    /// The files under a `src` folder.
    pub(super) sources: Vec<Source>,
}

/// A Rust file.
#[derive(Debug)]
pub(super) struct Source {
    /// The path relative to the workspace.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments and literals.
    pub(super) blanked: String,
    /// The lines that are compiled only for tests.
    pub(super) tests: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// A file at `path` with this text.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let blanked = blank(text);
        let tests = test_items(&tokens(&blanked));
        Self { path: path.to_owned(), text: text.to_owned(), blanked, tests }
    }

    /// Whether the whole file is for tests.
    pub(super) fn is_tests(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Whether a line, counted from 1, is only for tests.
    pub(super) fn is_test_line(&self, line: usize) -> bool {
        self.is_tests() || self.tests.iter().any(|item| item.contains(&line))
    }
}

impl Tree {
    /// Reads the workspace of this package.
    pub(super) fn read() -> Self {
        let mut files = Vec::new();
        list(&top(), "", &mut files);
        files.sort();
        let is_source = |path: &&String| {
            let mut parts = path.split('/');
            parts.next().is_some_and(|first| SOURCES.contains(&first))
                && parts.any(|part| part == "src")
                && is_rust(path)
        };
        let sources = files.iter().filter(is_source).map(|path| Source::new(path, &text(path))).collect();
        Self { files, sources }
    }

    /// The path of every Rust file, including tests and examples.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|path| is_rust(path))
    }

    /// The modules of the library, without `lib.rs` and without tests.
    pub(super) fn library(&self) -> Vec<Module<'_>> {
        let modules = self.sources.iter().filter(|source| !source.is_tests());
        modules.filter_map(|source| Module::new(source.path.strip_prefix(LIBRARY)?, source)).collect()
    }

    /// The names of the library's top-level modules.
    pub(super) fn library_entries(&self) -> Vec<String> {
        let entries = self.children(LIBRARY).filter(|entry| entry != "lib.rs");
        let mut entries: Vec<String> =
            entries.map(|entry| entry.trim_end_matches('/').trim_end_matches(".rs").to_owned()).collect();
        // `retry.rs` and `retry/` are one module.
        entries.dedup();
        entries
    }

    /// The entries of a folder: files as `name`, folders as `name/`.
    pub(super) fn children(&self, folder: &str) -> impl Iterator<Item = String> {
        let below = self.files.iter().filter_map(move |path| path.strip_prefix(folder)?.strip_prefix('/'));
        let mut children: Vec<String> = below
            .map(|path| {
                path.split_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/"))
            })
            .collect();
        children.sort();
        children.dedup();
        children.into_iter()
    }

    /// Whether some file or folder has a path that ends with `path`; if `path` ends with `/`, only a folder counts.
    pub(super) fn has(&self, path: &str) -> bool {
        let (path, is_folder) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
        let ends =
            |found: &str| found == path || found.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'));
        let mut folders =
            self.files.iter().flat_map(|file| file.match_indices('/').map(|(at, _)| &file[..at]));
        folders.any(ends) || (!is_folder && self.files.iter().any(|file| ends(file)))
    }

    /// The manifest of every package: its path and text.
    pub(super) fn manifests(&self) -> Vec<(String, String)> {
        let manifests = self.files.iter().filter(|path| path.ends_with("/Cargo.toml"));
        manifests.map(|path| (path.clone(), text(path))).collect()
    }

    /// A file's text; empty if there is no such file.
    pub(super) fn text(&self, path: &str) -> String {
        if self.files.iter().any(|file| file == path) { text(path) } else { String::new() }
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// The root folder of the workspace.
fn top() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
}

/// Adds the files under `folder` to `files`, except build output and hidden folders.
fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list `{prefix}`: {error}"));
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && (name == "target" || name.starts_with('.')) => {}
            Ok(kind) if kind.is_dir() => list(&entry.path(), &path, files),
            Ok(_) | Err(_) => files.push(path),
        }
    }
}

mod tests {
    use super::{Source, Tree};

    #[test]
    fn the_workspace_is_found() {
        let tree = Tree::read();
        assert!(tree.sources.iter().any(|source| source.path == "crates/rowcall/src/lib.rs"));
        assert!(tree.sources.iter().any(|source| source.path == "xtask/src/main.rs"));
        assert!(tree.children("crates").any(|child| child == "rowcall/"));
        assert!(tree.manifests().iter().any(|(path, _)| path == "crates/rowcall/Cargo.toml"));
        assert!(tree.library().len() > 10, "the library's modules are read");
    }

    #[test]
    fn paths_match_by_their_ends() {
        let tree = Tree { files: vec!["crates/a/src/row.rs".to_owned()], sources: Vec::new() };
        for (path, expected) in [
            ("row.rs", true),
            ("src/row.rs", true),
            ("src/", true),
            ("a/src/", true),
            ("w.rs", false),
            ("rc/", false),
            ("row.rs/", false),
            ("src", true),
            ("rc", false),
            ("column.rs", false),
        ] {
            assert_eq!(tree.has(path), expected, "{path}");
        }
    }

    #[test]
    fn test_files_are_recognised() {
        assert!(Source::new("crates/a/src/row/tests.rs", "").is_tests());
        assert!(Source::new("crates/a/src/row/tests/read.rs", "").is_tests());
        assert!(!Source::new("crates/a/src/row.rs", "").is_tests());
        let source = Source::new("crates/a/src/row.rs", "fn a() {}\n#[cfg(test)]\nmod tests;\n");
        assert_eq!([1, 2, 3].map(|line| source.is_test_line(line)), [false, true, true]);
    }
}
