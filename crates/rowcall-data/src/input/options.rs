//! The user's options for reading an input: format, encoding, the characters of a CSV, and what to do with rows that
//! failed in an earlier step.

use std::fmt;
use std::str::FromStr;

use rowcall::{Hint, Problem, Setting};

use crate::format::InputFormat;

/// How an input is to be read.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// The format. By default that of the path's extension, and CSV for standard input. If it is given, the text is
    /// not examined to find out whether a JSON file is an array, lines, or consecutive values.
    pub format: Option<InputFormat>,
    /// Names that no record may have, because the output adds them: [`Layout::reserved`](crate::Layout::reserved). In
    /// a header and in the first record such a name is an error; in a later JSON record it makes the row unreadable.
    /// If `_error` is among them, a record that has it is the output of an earlier step, see [`FailedRows`].
    pub reserved: Vec<String>,
    /// What to do with rows that failed in an earlier step.
    pub failed_rows: FailedRows,
    /// The encoding of the text. By default UTF-16 if it has a byte order mark, otherwise UTF-8.
    pub encoding: Option<Encoding>,
    /// The characters of a CSV. Setting them for another format is an error.
    pub csv: CsvOptions,
}

/// What to do with rows whose `_error` says that they failed in an earlier step. In every case `_error` and `_meta`
/// themselves are dropped from the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailedRows {
    /// They fail again with the earlier error, without a request, so that no row is lost.
    #[default]
    Error,
    /// They are skipped, and counted in [`Notes`](crate::Notes).
    Skip,
    /// They are asked about like any other.
    Ask,
}

impl FromStr for FailedRows {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        match name {
            "error" => Ok(Self::Error),
            "skip" => Ok(Self::Skip),
            "ask" => Ok(Self::Ask),
            _ => Err(Problem::new(format!("unknown value `{name}`, expected `error`, `skip` or `ask`"))),
        }
    }
}

/// A text encoding, by one of the labels that browsers use, such as `windows-1252` or `shift_jis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(crate) &'static encoding_rs::Encoding);

impl FromStr for Encoding {
    type Err = Problem;

    fn from_str(label: &str) -> Result<Self, Problem> {
        // Python uses underscores where the registered names have hyphens.
        let hyphened = label.replace('_', "-");
        let found = [label, &hyphened]
            .into_iter()
            .find_map(|label| encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()));
        found.map(Self).ok_or_else(|| {
            Problem::new(format!(
                "unknown encoding `{label}`, expected a name such as `windows-1252`, `utf-16le` or `shift_jis`"
            ))
        })
    }
}

/// The characters of a CSV or TSV, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CsvOptions {
    /// What separates columns. Default: a comma for CSV and a tab for TSV.
    pub delimiter: Option<Character>,
    /// What encloses columns that contain delimiters or line breaks. Default: `"`.
    pub quote: Option<Quote>,
    /// What escapes a quote inside a column. Doubled quotes are read in any case.
    pub escape: Option<Character>,
    /// How many lines to skip above the header.
    pub skip_rows: u64,
}

/// One ASCII character that may have a special meaning in a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Character(pub(crate) u8);

/// What encloses the columns of a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// This character.
    Character(Character),
    /// Nothing: quotes are ordinary text.
    Nothing,
}

impl FromStr for Character {
    type Err = Problem;

    /// An ASCII character, or `tab` or `\t`.
    fn from_str(text: &str) -> Result<Self, Problem> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(Self(b'\t')),
            [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Ok(Self(*byte)),
            _ => Err(Problem::new(format!(
                "`{}` is not a single ASCII character, expected one such as `;` or `tab`",
                text.escape_debug()
            ))),
        }
    }
}

impl FromStr for Quote {
    type Err = Problem;

    /// An ASCII character, or `none`.
    fn from_str(text: &str) -> Result<Self, Problem> {
        if text == "none" { Ok(Self::Nothing) } else { text.parse().map(Self::Character) }
    }
}

impl fmt::Display for Character {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.0).escape_default())
    }
}

impl CsvOptions {
    /// Checks that each character has one meaning, and that the format uses such characters at all.
    pub(crate) fn check(&self, format: InputFormat) -> Result<(), Problem> {
        let named = [
            ("a delimiter applies", self.delimiter.is_some()),
            ("a quote applies", self.quote.is_some()),
            ("an escape applies", self.escape.is_some()),
            ("skipping lines above the header applies", self.skip_rows > 0),
        ];
        let delimiter = self.delimiter_of(format);
        match (delimiter, named.iter().find(|(_, is_given)| *is_given)) {
            (None, Some((option, _))) => {
                let hint = Hint::from("use ").with(Setting::InputFormat.exactly("csv"));
                return Err(Problem::new(format!("{option} to CSV, but the input is `{format}`"))
                    .hint(hint.with(" to read it as CSV")));
            }
            (None, None) => return Ok(()),
            (Some(_), _) => {}
        }
        let characters = [
            ("the delimiter", delimiter),
            ("the quote", self.quote_byte()),
            ("the escape", self.escape.map(|escape| escape.0)),
        ];
        for (at, (name, character)) in characters.iter().enumerate() {
            let earlier =
                characters.iter().take(at).find(|(_, other)| character.is_some() && other == character);
            if let (Some(character), Some((other, _))) = (character, earlier) {
                let shown = Character(*character);
                return Err(Problem::new(format!("`{shown}` is both {other} and {name}")));
            }
        }
        Ok(())
    }

    /// The delimiter, if the format has one.
    pub(crate) fn delimiter_of(&self, format: InputFormat) -> Option<u8> {
        let usual = match format {
            InputFormat::Csv => b',',
            InputFormat::Tsv => b'\t',
            InputFormat::JsonLines
            | InputFormat::Json
            | InputFormat::Text
            | InputFormat::Parquet
            | InputFormat::Arrow
            | InputFormat::Spreadsheet => return None,
        };
        Some(self.delimiter.map_or(usual, |delimiter| delimiter.0))
    }

    /// The quote, if there is one.
    pub(crate) fn quote_byte(&self) -> Option<u8> {
        match self.quote {
            None => Some(b'"'),
            Some(Quote::Character(character)) => Some(character.0),
            Some(Quote::Nothing) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_encodings_are_parsed_by_name() {
        for (text, expected) in [(";", b';'), ("tab", b'\t'), ("\\t", b'\t'), ("|", b'|')] {
            assert_eq!(text.parse(), Ok(Character(expected)));
        }
        for text in ["", ";;", "§", "\n"] {
            assert!(text.parse::<Character>().unwrap_err().message.contains("not a single ASCII character"));
        }
        assert_eq!("none".parse(), Ok(Quote::Nothing));
        for (label, name) in [
            ("latin1", "windows-1252"),
            ("CP1251", "windows-1251"),
            ("utf_8", "UTF-8"),
            ("utf-16", "UTF-16LE"),
        ] {
            assert_eq!(label.parse::<Encoding>().unwrap().0.name(), name);
        }
        let problem = "klingon".parse::<Encoding>().unwrap_err();
        assert!(problem.message.starts_with("unknown encoding `klingon`, expected a name such as"));
    }

    #[test]
    fn a_character_has_one_meaning() {
        let quoted =
            |delimiter: &str| CsvOptions { delimiter: delimiter.parse().ok(), ..CsvOptions::default() };
        for (options, format, message) in [
            (quoted("\""), InputFormat::Csv, "`\\\"` is both the delimiter and the quote"),
            (quoted(";"), InputFormat::Json, "a delimiter applies to CSV, but the input is `json`"),
        ] {
            assert_eq!(options.check(format).unwrap_err().message, message);
        }
        assert_eq!(quoted(";").check(InputFormat::Tsv), Ok(()));
        assert_eq!(CsvOptions::default().check(InputFormat::Text), Ok(()));
    }
}
