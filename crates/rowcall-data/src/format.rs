//! Which format a path or a name stands for. What a format means is its parser's and its encoder's business.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use rowcall::Problem;

/// The formats that rows are read from. Each may be gzipped, which is recognised by the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputFormat {
    /// Comma-separated values with a header: `.csv`.
    Csv,
    /// Tab-separated values with a header, quoted as in CSV: `.tsv`.
    Tsv,
    /// A JSON object a line: `.jsonl`, `.ndjson`.
    JsonLines,
    /// One JSON array of objects: `.json`.
    Json,
    /// A row a line, in the field `text`: `.txt`.
    Text,
}

/// The formats that outcomes are written in. A path that ends in `.gz` is gzipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// A JSON object a line: `.jsonl`, `.ndjson`.
    JsonLines,
    /// Comma-separated values with a header: `.csv`.
    Csv,
    /// Tab-separated values with a header, quoted as in CSV: `.tsv`.
    Tsv,
}

/// Endings and what they stand for. The first ending of a format is also its name.
const INPUT_ENDINGS: [(&str, InputFormat); 6] = [
    ("csv", InputFormat::Csv),
    ("tsv", InputFormat::Tsv),
    ("jsonl", InputFormat::JsonLines),
    ("ndjson", InputFormat::JsonLines),
    ("json", InputFormat::Json),
    ("txt", InputFormat::Text),
];

const OUTPUT_ENDINGS: [(&str, OutputFormat); 4] = [
    ("jsonl", OutputFormat::JsonLines),
    ("ndjson", OutputFormat::JsonLines),
    ("csv", OutputFormat::Csv),
    ("tsv", OutputFormat::Tsv),
];

impl InputFormat {
    /// The format that the ending of `path` stands for, upper or lower case, with or without `.gz` after it.
    ///
    /// # Errors
    /// An ending that stands for none, with the known ones.
    pub fn of(path: &Path) -> Result<Self, Problem> {
        by_ending(path, &INPUT_ENDINGS)
            .map_err(|problem| problem.hint("name the format with `--input-format`"))
    }
}

impl OutputFormat {
    /// The format that the ending of `path` stands for, upper or lower case, with or without `.gz` after it.
    ///
    /// # Errors
    /// An ending that stands for none, with the known ones.
    pub fn of(path: &Path) -> Result<Self, Problem> {
        by_ending(path, &OUTPUT_ENDINGS)
            .map_err(|problem| problem.hint("name the format with `--output-format`"))
    }
}

impl FromStr for InputFormat {
    type Err = Problem;

    /// A format by one of its endings without the dot, such as `jsonl`.
    fn from_str(name: &str) -> Result<Self, Problem> {
        by_name(name, &INPUT_ENDINGS)
    }
}

impl FromStr for OutputFormat {
    type Err = Problem;

    /// A format by one of its endings without the dot, such as `jsonl`.
    fn from_str(name: &str) -> Result<Self, Problem> {
        by_name(name, &OUTPUT_ENDINGS)
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(*self, &INPUT_ENDINGS))
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(*self, &OUTPUT_ENDINGS))
    }
}

/// Whether `path` ends in `.gz`.
pub(crate) fn is_gzip(path: &Path) -> bool {
    ending(path).is_some_and(|ending| ending == "gz")
}

fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_lowercase())
}

fn by_ending<F: Copy>(path: &Path, endings: &[(&str, F)]) -> Result<F, Problem> {
    let stem = if is_gzip(path) { path.with_extension("") } else { path.to_owned() };
    let found = ending(&stem);
    let known = || list(endings, "`.");
    match found {
        None => Err(Problem::new(format!(
            "`{}` has no ending that tells its format, expected one of {}",
            path.display(),
            known()
        ))),
        Some(ending) => find(&ending, endings).ok_or_else(|| {
            Problem::new(format!(
                "`{}` has the unknown ending `.{ending}`, expected one of {}",
                path.display(),
                known()
            ))
        }),
    }
}

fn by_name<F: Copy>(name: &str, endings: &[(&str, F)]) -> Result<F, Problem> {
    find(name, endings).ok_or_else(|| {
        Problem::new(format!("unknown format `{name}`, expected one of {}", list(endings, "`")))
    })
}

fn find<F: Copy>(ending: &str, endings: &[(&str, F)]) -> Option<F> {
    endings.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format)
}

fn name_of<F: Copy + PartialEq>(format: F, endings: &[(&'static str, F)]) -> &'static str {
    endings.iter().find(|(_, known)| *known == format).map_or("", |(name, _)| name)
}

fn list<F>(endings: &[(&str, F)], opening: &str) -> String {
    endings.iter().map(|(ending, _)| format!("{opening}{ending}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_stand_for_formats() {
        for (path, expected) in [
            ("a.csv", InputFormat::Csv),
            ("dir.json/a.TSV", InputFormat::Tsv),
            ("a.b.jsonl.gz", InputFormat::JsonLines),
            ("a.ndjson", InputFormat::JsonLines),
            ("a.json.GZ", InputFormat::Json),
            ("a.txt", InputFormat::Text),
        ] {
            assert_eq!(InputFormat::of(Path::new(path)), Ok(expected), "{path}");
        }
    }

    #[test]
    fn an_unknown_ending_is_named_beside_the_known_ones() {
        for (path, message) in [
            (
                "a.xlsx",
                "`a.xlsx` has the unknown ending `.xlsx`, expected one of `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.txt`",
            ),
            (
                "b.gz",
                "`b.gz` has no ending that tells its format, expected one of `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.txt`",
            ),
        ] {
            let problem = InputFormat::of(Path::new(path)).unwrap_err();
            assert_eq!(problem.message, message);
            assert_eq!(problem.hint.as_deref(), Some("name the format with `--input-format`"));
        }
        let problem = OutputFormat::of(Path::new("a.json")).unwrap_err();
        assert_eq!(
            problem.message,
            "`a.json` has the unknown ending `.json`, expected one of `.jsonl`, `.ndjson`, `.csv`, `.tsv`"
        );
        assert_eq!(problem.hint.as_deref(), Some("name the format with `--output-format`"));
    }

    #[test]
    fn names_read_back_as_they_are_shown() {
        for (_, format) in INPUT_ENDINGS {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for (_, format) in OUTPUT_ENDINGS {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<OutputFormat>().unwrap_err().message,
            "unknown format `xml`, expected one of `jsonl`, `ndjson`, `csv`, `tsv`"
        );
    }
}
