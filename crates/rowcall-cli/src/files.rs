//! The files of a run: they must all differ, and an output is overwritten only if its journal can rebuild it.

use std::path::Path;

use rowcall::{Error, Hint, Problem, Result, Setting};
use rowcall_data::same_file;

/// The files of a run. `-` is not a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files<'a> {
    /// Where rows come from.
    pub input: Option<&'a Path>,
    /// Where outcomes go.
    pub output: Option<&'a Path>,
    /// Where failed rows are copied.
    pub failed: Option<&'a Path>,
    /// Where outcomes are kept.
    pub journal: Option<&'a Path>,
    /// Where answers are shared with other runs.
    pub cache: Option<&'a Path>,
}

impl Files<'_> {
    /// Checks that no two of them are the same file, existing or not, under any name.
    ///
    /// # Errors
    /// The first file used twice, with both uses.
    pub fn check_apart(&self) -> Result<()> {
        let Self { input, output, failed, journal, cache } = *self;
        let all = [
            ("the input", input),
            ("the output", output),
            ("the file for failed rows", failed),
            ("the journal", journal),
            ("the cache", cache),
        ];
        let mut named: Vec<(&str, &Path)> = Vec::new();
        for (what, path) in all {
            let Some(path) = path.filter(|path| path.as_os_str() != "-") else { continue };
            if let Some((other, _)) = named.iter().find(|(_, other)| is_one(path, other)) {
                let message = format!("`{}` is both {other} and {what}", path.display());
                return Err(Error::Config(Problem::new(message).hint("give one of them another name")));
            }
            named.push((what, path));
        }
        Ok(())
    }

    /// Checks that an existing output can be rebuilt from its journal.
    ///
    /// # Errors
    /// If it cannot.
    pub fn check_output(&self) -> Result<()> {
        match (self.output, self.journal) {
            (Some(output), Some(journal)) if has_content(output) && !has_content(journal) => {
                let (output, journal) = (output.display(), journal.display());
                let message = format!("the output `{output}` exists, but its journal `{journal}` does not");
                Err(Error::Config(Problem::new(message).hint(overwrite_hint())))
            }
            _ => Ok(()),
        }
    }
}

/// What to do about an output that a run would overwrite.
pub(crate) fn overwrite_hint() -> Hint {
    Hint::from("use ")
        .with(Setting::Force.on())
        .with(" to overwrite it, or choose another output or ")
        .with(Setting::Journal)
        .with(" to keep it")
}

/// Whether two paths are the same file. For files that do not exist yet, compares folders and names.
fn is_one(a: &Path, b: &Path) -> bool {
    let is_stream =
        |path: &Path| std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir());
    if is_stream(a) || is_stream(b) {
        return false;
    }
    same_file(a, b) || same_file(b, a) || location(a).is_some_and(|a| Some(a) == location(b))
}

/// The path of a file that may not exist yet, with links to its folder resolved.
pub(crate) fn location(path: &Path) -> Option<std::path::PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => Some(folder.join(name)),
        (_, _) => Some(absolute),
    }
}

/// Whether there is a file at `path` with content that could be lost, or a folder with visible files.
pub(crate) fn has_content(path: &Path) -> bool {
    let is_visible = |entry: std::fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => {
            std::fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(is_visible))
        }
        Ok(there) => there.is_file() && there.len() > 0,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_two_names_is_found_before_it_exists() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("sub")).expect("a folder");
        std::os::unix::fs::symlink(at("sub"), at("link")).expect("a link");
        for (one, other, same) in [
            ("o.jsonl", "o.jsonl", true),
            ("sub/o.jsonl", "link/o.jsonl", true),
            ("sub/../o.jsonl", "o.jsonl", true),
            ("./o.jsonl", "o.jsonl", true),
            ("o.jsonl", "o.jsonl.journal", false),
            ("sub/o.jsonl", "o.jsonl", false),
        ] {
            let (one, other) = (at(one), at(other));
            for files in [
                Files { input: Some(&one), failed: Some(&other), ..Files::default() },
                Files { output: Some(&one), journal: Some(&other), ..Files::default() },
                Files { failed: Some(&one), journal: Some(&other), ..Files::default() },
                Files { output: Some(&one), cache: Some(&other), ..Files::default() },
            ] {
                assert_eq!(files.check_apart().is_err(), same, "{files:?}");
            }
        }
    }

    #[test]
    fn a_stream_is_not_a_file() {
        let dash = Some(Path::new("-"));
        Files { input: dash, output: dash, ..Files::default() }.check_apart().expect("apart");
    }
}
