//! The format of a path, and formats by name. Parsers and encoders define what a format means.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use rowcall::{Hint, Problem, Setting};

/// The formats that rows are read from. Those of text may be compressed (gzip, zstd, bzip2, xz), which is detected from the first
/// bytes.
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
    /// Parquet: `.parquet`. Needs the feature `parquet`.
    Parquet,
    /// Arrow IPC, a file or a stream: `.arrow`, `.arrows`, `.feather`, `.ipc`. Needs the feature `parquet`.
    Arrow,
    /// The first sheet of a spreadsheet: `.xlsx`, `.ods`. Needs the feature `spreadsheets`.
    Spreadsheet,
}

/// The formats that outcomes are written in. Text is compressed if the path ends in `.gz` or `.zst`; the latter needs the feature
/// `parquet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// One JSON object per line: `.jsonl`, `.ndjson`.
    JsonLines,
    /// Comma-separated values with a header: `.csv`.
    Csv,
    /// Tab-separated values with a header, quoted as in CSV: `.tsv`.
    Tsv,
    /// Parquet: `.parquet`. Needs the feature `parquet`.
    Parquet,
    /// Arrow's file format: `.arrow`, `.feather`; its stream format on standard output. Needs the feature `parquet`.
    Arrow,
}

/// File extensions and their formats. The first extension of a format is also its name.
const INPUT_EXTENSIONS: [(&str, InputFormat); 13] = [
    ("csv", InputFormat::Csv),
    ("tsv", InputFormat::Tsv),
    ("jsonl", InputFormat::JsonLines),
    ("ndjson", InputFormat::JsonLines),
    ("json", InputFormat::Json),
    ("txt", InputFormat::Text),
    ("parquet", InputFormat::Parquet),
    ("arrow", InputFormat::Arrow),
    ("arrows", InputFormat::Arrow),
    ("feather", InputFormat::Arrow),
    ("ipc", InputFormat::Arrow),
    ("xlsx", InputFormat::Spreadsheet),
    ("ods", InputFormat::Spreadsheet),
];

const OUTPUT_EXTENSIONS: [(&str, OutputFormat); 7] = [
    ("jsonl", OutputFormat::JsonLines),
    ("ndjson", OutputFormat::JsonLines),
    ("csv", OutputFormat::Csv),
    ("tsv", OutputFormat::Tsv),
    ("parquet", OutputFormat::Parquet),
    ("arrow", OutputFormat::Arrow),
    ("feather", OutputFormat::Arrow),
];

/// The extensions of compressed text, after that of its format.
const COMPRESSED: [&str; 4] = ["gz", "zst", "bz2", "xz"];

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

impl InputFormat {
    /// What it is called in a sentence, for a format that is not text.
    pub(crate) fn binary(self) -> Option<&'static str> {
        match self {
            Self::Parquet => Some("Parquet"),
            Self::Arrow => Some("Arrow"),
            Self::Spreadsheet => Some("a spreadsheet"),
            Self::Csv | Self::Tsv | Self::JsonLines | Self::Json | Self::Text => None,
        }
    }

    /// What it is called in a sentence.
    pub(crate) fn what(self) -> &'static str {
        self.binary().unwrap_or("text")
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

/// How an output is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compressed {
    No,
    Gzip,
    Zstd,
}

impl Compressed {
    /// As the extension of `path` says.
    ///
    /// # Errors
    /// A compression that is only read.
    pub(crate) fn of(path: &Path) -> Result<Self, Problem> {
        match ending(path).as_deref() {
            Some("gz") => Ok(Self::Gzip),
            Some("zst") => Ok(Self::Zstd),
            Some(ending @ ("bz2" | "xz")) => {
                let message = format!("`{}`: outputs are not compressed as `.{ending}`", path.display());
                Err(Problem::new(message).hint("use `.gz` or `.zst`"))
            }
            _ => Ok(Self::No),
        }
    }
}

fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_lowercase())
}

fn by_ending<F: Copy>(path: &Path, endings: &[(&str, F)]) -> Result<F, Problem> {
    let is_compressed = ending(path).is_some_and(|ending| COMPRESSED.contains(&ending.as_str()));
    let stem = if is_compressed { path.with_extension("") } else { path.to_owned() };
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
            ("a.csv.zst", InputFormat::Csv),
            ("a.parquet", InputFormat::Parquet),
            ("a.txt", InputFormat::Text),
        ] {
            assert_eq!(InputFormat::of(Path::new(path)), Ok(expected), "{path}");
        }
    }

    #[test]
    fn an_unknown_extension_is_reported_with_the_known_ones() {
        for (path, message) in [
            (
                "a.xls",
                "`a.xls` has the unknown file extension `.xls`, expected one of `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.txt`, `.parquet`, `.arrow`, `.arrows`, `.feather`, `.ipc`, `.xlsx`, `.ods`",
            ),
            (
                "b.gz",
                "`b.gz` has no file extension that identifies its format, expected one of `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.txt`, `.parquet`, `.arrow`, `.arrows`, `.feather`, `.ipc`, `.xlsx`, `.ods`",
            ),
        ] {
            let problem = InputFormat::of(Path::new(path)).unwrap_err();
            assert_eq!(problem.message, message);
            assert_eq!(problem.hint, Some(Hint::from("give the format with ").with(Setting::InputFormat)));
        }
        let problem = OutputFormat::of(Path::new("a.json")).unwrap_err();
        assert_eq!(
            problem.message,
            "`a.json` has the unknown file extension `.json`, expected one of `.jsonl`, `.ndjson`, `.csv`, `.tsv`, `.parquet`, `.arrow`, `.feather`"
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
            "unknown format `xml`, expected one of `jsonl`, `ndjson`, `csv`, `tsv`, `parquet`, `arrow`, `feather`"
        );
    }
}
