//! Where rows come from and how they are read, as typed.

use std::path::PathBuf;

use clap::Args;
use rowcall_data::{
    Character, CsvOptions, Encoding, FailedRows, Input, InputFormat, InputOptions, Layout, Quote,
};

/// Where rows come from, and how they are read.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// CSV, TSV, JSON Lines, JSON or text file, also gzipped; `-` is stdin
    #[arg(value_name = "INPUT")]
    pub(crate) path: PathBuf,
    /// The input's format, whatever its name and its text
    #[arg(long, value_name = "csv|tsv|jsonl|json|txt")]
    pub(crate) input_format: Option<InputFormat>,
    /// What becomes of rows that failed in an earlier step (`_error` is not empty): they fail again without being asked
    /// (`error`), are left out (`skip`) or are asked about (`ask`)
    #[arg(long, value_name = "error|skip|ask", default_value = "error")]
    pub(crate) failed_rows: FailedRows,
    /// The input's encoding, such as `windows-1252` or `shift_jis`; UTF-8, or UTF-16 with a byte order mark, if left out
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<Encoding>,
    /// What stands between the columns of a CSV, such as `;` or `tab`; a comma if left out
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<Character>,
    /// What encloses columns of a CSV, or `none`; `"` if left out
    #[arg(long, value_name = "CHARACTER|none")]
    pub(crate) quote: Option<Quote>,
    /// What stands before a quote that belongs to a CSV's text, such as `\\`; only doubled quotes do if left out
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) escape: Option<Character>,
    /// How many lines stand above the header of a CSV
    #[arg(long, value_name = "LINES", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) skip_rows: u64,
}

impl InputArguments {
    /// Opens the input for an output of this layout.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub(crate) fn open(&self, layout: &Layout) -> rowcall::Result<Input> {
        let Self { path, input_format, failed_rows, encoding, delimiter, quote, escape, skip_rows } = self;
        let options = InputOptions {
            format: *input_format,
            reserved: layout.reserved(),
            failed_rows: *failed_rows,
            encoding: *encoding,
            csv: CsvOptions { delimiter: *delimiter, quote: *quote, escape: *escape, skip_rows: *skip_rows },
        };
        Input::open(path, options)
    }
}
