//! The options for the input: where rows come from and how they are read.

use std::path::PathBuf;

use clap::Args;
use rowcall_data::{
    Character, CsvOptions, Encoding, FailedRows, Input, InputFormat, InputOptions, Layout, Quote,
};

/// Where rows come from, and how they are read.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// A CSV, TSV, JSON Lines, JSON, text, Parquet or Arrow file or a spreadsheet, a folder of them, or a pattern such as
    /// `data/*.parquet`; text may be compressed; `-` reads stdin
    #[arg(value_name = "INPUT")]
    pub(crate) path: PathBuf,
    /// The input's format, regardless of its file name and content
    #[arg(long, value_name = "csv|tsv|jsonl|json|txt|parquet|arrow|xlsx")]
    pub(crate) input_format: Option<InputFormat>,
    /// What to do with rows that failed in an earlier step (`_error` is not empty): fail them again without a request
    /// (`error`), leave them out (`skip`) or ask about them (`ask`)
    #[arg(long, value_name = "error|skip|ask", default_value = "error")]
    pub(crate) failed_rows: FailedRows,
    /// The input's encoding, such as `windows-1252` or `shift_jis` [default: UTF-8, or UTF-16 with a byte order mark]
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<Encoding>,
    /// The character between the columns of a CSV, such as `;` or `tab` [default: a comma]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<Character>,
    /// The character that encloses columns of a CSV, or `none` [default: `"`]
    #[arg(long, value_name = "CHARACTER|none")]
    pub(crate) quote: Option<Quote>,
    /// The character that escapes a quote within a CSV's text, such as `\\` [default: a quote is doubled]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) escape: Option<Character>,
    /// How many lines to skip above the header of a CSV
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
