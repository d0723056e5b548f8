//! The format of a path, and formats by name. Parsers and encoders define what a format means.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use rowcall::{Hint, Problem, Setting};

/// The formats that rows are read from. Each may be gzipped, which is detected from the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputFormat {
    /// Comma-separated values with a header: `.csv`.
    Csv,
    /// Tab-separated values with a header, quoted as in CSV: `.tsv`.
    Tsv,
    /// One JSON object per line: `.jsonl`, `.ndjson`.
    JsonLines,
    /// One JSON array of objects: `.json`.
    Json,
    /// One row per line, in the field `text`: `.txt`.
    Text,
}

/// The formats that outcomes are written in. The output is gzipped if the path ends in `.gz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// One JSON object per line: `.jsonl`, `.ndjson`.
    JsonLines,
    /// Comma-separated values with a header: `.csv`.
    Csv,
    /// Tab-separated values with a header, quoted as in CSV: `.tsv`.
    Tsv,
}

/// File extensions and their formats. The first extension of a format is also its name.
const INPUT_EXTENSIONS: [(&str, InputFormat); 6] = [
    ("csv", InputFormat::Csv),
    ("tsv", InputFormat::Tsv),
    ("jsonl", InputFormat::JsonLines),
    ("ndjson", InputFormat::JsonLines),
    ("json", InputFormat::Json),
    ("txt", InputFormat::Text),
];

const OUTPUT_EXTENSIONS: [(&str, OutputFormat); 4] = [
    ("jsonl", OutputFormat::JsonLines),
    ("ndjson", OutputFormat::JsonLines),
    ("csv", OutputFormat::Csv),
    ("tsv", OutputFormat::Tsv),
];

impl InputFormat {
    /// The format for the extension of `path`, in any case, with or without `.gz` after it.
    ///
    /// # Errors
    /// An unknown extension, with the known ones.
    pub fn of(path: &Path) -> Result<Self, Problem> {
        by_ending(path, &INPUT_EXTENSIONS)
            .map_err(|problem| problem.hint(Hint::from("give the format with ").with(Setting::InputFormat)))
    }
}

impl OutputFormat {
    /// The format for the extension of `path`, in any case, with or without `.gz` after it.
    ///
    /// # Errors
    /// An unknown extension, with the known ones.
    pub fn of(path: &Path) -> Result<Self, Problem> {
        by_ending(path, &OUTPUT_EXTENSIONS)
            .map_err(|problem| problem.hint(Hint::from("give the format with ").with(Setting::OutputFormat)))
    }
}

impl FromStr for InputFormat {
    type Err = Problem;

    /// A format by one of its extensions without the dot, such as `jsonl`.
    fn from_str(name: &str) -> Result<Self, Problem> {
        by_name(name, &INPUT_EXTENSIONS)
    }
}

impl FromStr for OutputFormat {
    type Err = Problem;

    /// A format by one of its extensions without the dot, such as `jsonl`.
    fn from_str(name: &str) -> Result<Self, Problem> {
        by_name(name, &OUTPUT_EXTENSIONS)
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(*self, &INPUT_EXTENSIONS))
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(*self, &OUTPUT_EXTENSIONS))
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
            "`{}` has no file extension that identifies its format, expected one of {}",
            path.display(),
            known()
        ))),
        Some(ending) => find(&ending, endings).ok_or_else(|| {
            Problem::new(format!(
                "`{}` has the unknown file extension `.{ending}`, expected one of {}",
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
    fn file_extensions_identify_formats() {
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
    fn an_unknown_extension_is_reported_with_the_known_ones() {
        for (path, message) in [
            (
                "a.xlsx",
                "`a.xlsx` has the unknown file extension `.xlsx`, expected one of `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.txt`",
            ),
            (
                "b.gz",
                "`b.gz` has no file extension that identifies its format, expected one of `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.txt`",
            ),
        ] {
            let problem = InputFormat::of(Path::new(path)).unwrap_err();
            assert_eq!(problem.message, message);
            assert_eq!(problem.hint, Some(Hint::from("give the format with ").with(Setting::InputFormat)));
        }
        let problem = OutputFormat::of(Path::new("a.json")).unwrap_err();
        assert_eq!(
            problem.message,
            "`a.json` has the unknown file extension `.json`, expected one of `.jsonl`, `.ndjson`, `.csv`, `.tsv`"
        );
        assert_eq!(problem.hint, Some(Hint::from("give the format with ").with(Setting::OutputFormat)));
    }

    #[test]
    fn format_names_round_trip() {
        for (_, format) in INPUT_EXTENSIONS {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for (_, format) in OUTPUT_EXTENSIONS {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<OutputFormat>().unwrap_err().message,
            "unknown format `xml`, expected one of `jsonl`, `ndjson`, `csv`, `tsv`"
        );
    }
}
