//! The files that a path stands for: itself, those that match a pattern, or those of a folder and the folders in it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use rowcall::Problem;

use super::feed::FoundFile;
use super::reason;
use crate::format::InputFormat;

/// Whether `path` stands for any number of files.
pub(crate) fn is_many(path: &Path) -> bool {
    path.is_dir() || (is_pattern(path) && !path.exists())
}

fn is_pattern(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().contains(['*', '?', '['])
}

/// The files of `path`, in the order of their names, with the format that they share.
///
/// # Errors
/// If there are none, or if they have several formats.
pub(crate) fn found(
    path: &Path,
    named: Option<InputFormat>,
) -> Result<(Vec<FoundFile>, InputFormat), Problem> {
    let shown = path.display();
    let (base, mut paths) = if path.is_dir() {
        let mut paths = Vec::new();
        list(path, &mut paths)?;
        (path.to_owned(), paths)
    } else {
        (fixed_part(path), matches(path)?)
    };
    // Other files are often beside the data, such as a description of it.
    if named.is_none() {
        paths.retain(|path| InputFormat::of(path).is_ok());
    }
    paths.sort();
    let Some(first) = paths.first() else {
        let what = if path.is_dir() { "has no file of a known format" } else { "matches no file" };
        return Err(Problem::new(format!("`{shown}` {what}"))
            .hint("check the path; names that begin with `.` or `_` are skipped"));
    };
    let format = named.map_or_else(|| InputFormat::of(first), Ok)?;
    let is_other = |path: &&PathBuf| named.is_none() && InputFormat::of(path) != Ok(format);
    if let Some(other) = paths.iter().find(is_other) {
        let message = format!(
            "`{shown}` has files of several formats, such as `{}` and `{}`",
            first.display(),
            other.display()
        );
        return Err(Problem::new(message).hint("use a pattern for one of them, such as `data/*.parquet`"));
    }
    let files = paths.into_iter().map(|path| FoundFile { partitions: partitions(&base, &path), path });
    Ok((files.collect(), format))
}

/// The folders at the start of a pattern that are not patterns themselves.
fn fixed_part(pattern: &Path) -> PathBuf {
    pattern.components().take_while(|part| !is_pattern(Path::new(part.as_os_str()))).collect()
}

fn matches(pattern: &Path) -> Result<Vec<PathBuf>, Problem> {
    let text = pattern.to_string_lossy();
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let invalid =
        |error: glob::PatternError| Problem::new(format!("`{text}` is not a valid pattern: {error}"));
    let found = glob::glob_with(&text, options).map_err(invalid)?;
    Ok(found.filter_map(Result::ok).filter(|path| path.is_file() && !is_hidden(path)).collect())
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let unreadable = |error: &std::io::Error| {
        Problem::new(format!("cannot read the folder `{}`: {}", folder.display(), reason(error)))
    };
    for entry in fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        if is_hidden(&path) {
            continue;
        }
        if path.is_dir() {
            list(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// Whether readers of data sets skip a file of this name: such files are under way, or describe others.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

/// The columns in the names of the folders below `base`.
fn partitions(base: &Path, path: &Path) -> Vec<(String, String)> {
    let below = path.strip_prefix(base).unwrap_or(path);
    let folders = below.parent().into_iter().flat_map(Path::components);
    let named = folders.filter_map(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            let (key, value) = name.split_once('=')?;
            Some((key.to_owned(), decoded(value)))
        }
        _ => None,
    });
    named.collect()
}

/// A value in a folder's name: characters that a path cannot have are written as `%20` by Hive and Spark.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(code) if byte == b'%' => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_pattern_give_files_in_order_with_their_partitions() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["d/year=2026/b.csv", "d/year=2025/c%20/a.csv", "d/_x.csv", "d/.y.csv", "d/readme.md"] {
            fs::create_dir_all(at(name).parent().expect("a parent")).expect("a folder");
            fs::write(at(name), "a\n1\n").expect("a file");
        }
        let shown = |path: &str| {
            let (files, format) = found(&at(path), None).expect("files");
            assert_eq!(format, InputFormat::Csv);
            let file = |file: FoundFile| {
                (file.path.strip_prefix(folder.path()).expect("below").to_owned(), file.partitions)
            };
            files.into_iter().map(file).collect::<Vec<_>>()
        };
        let year = |year: &str| vec![("year".to_owned(), year.to_owned())];
        let expected = [
            (PathBuf::from("d/year=2025/c%20/a.csv"), year("2025")),
            (PathBuf::from("d/year=2026/b.csv"), year("2026")),
        ];
        assert_eq!(shown("d"), expected);
        assert_eq!(shown("d/**/*.csv"), expected);
        assert_eq!(shown("d/*/b.csv"), expected[1..]);
        assert_eq!(decoded("a%20b%zz%"), "a b%zz%");
        let problem = found(&at("d/*.parquet"), None).expect_err("nothing");
        assert!(problem.message.ends_with("matches no file"), "{problem}");
        fs::write(at("d/z.jsonl"), "{}").expect("a file");
        let problem = found(&at("d"), None).expect_err("two formats");
        assert!(problem.message.contains("has files of several formats"), "{problem}");
    }
}
