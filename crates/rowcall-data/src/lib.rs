//! Sources and sinks for rowcall: rows from CSV, TSV, JSON Lines, JSON, text, Parquet, Arrow and spreadsheets, outcomes to JSON
//! Lines, CSV, TSV, Parquet and Arrow. Both directions are streams, so memory does not grow with the data.
//!
//! The features `parquet` and `spreadsheets` add what their names say; without them, such a file is an error that
//! says so.
//!
//! An [`Input`] is a [`Source`](rowcall::Source). Opening it reads as far as the header or the first record, so that
//! problems with a file or its columns are found before the first request. A thread reads ahead of the run:
//!
//! ```text
//! bytes → encoding (compression, byte order mark) → csv | json_lines | json_values | text → rows
//! file → batches (module `arrow`) → rows
//! ```
//!
//! Whatever the format, a row's record is the text of a JSON object. An [`Output`], which is a
//! [`Sink`](rowcall::Sink), writes it next to the row's value. A [`Layout`] defines which fields the output adds. An
//! input that already has one of those names is rejected when it is read.
//!
//! ```text
//! row, outcome → output row (layout, clashes, `_error`, `_meta`) → json_lines | csv → target (`.part`, gzip, stdout)
//! ```

// Formats that are features.
#[cfg(feature = "parquet")]
pub mod arrow;
#[cfg(not(feature = "parquet"))]
#[path = "arrow_absent.rs"]
mod arrow;
#[cfg(not(all(feature = "parquet", feature = "spreadsheets")))]
mod lacking;
#[cfg(feature = "spreadsheets")]
mod spreadsheet;
#[cfg(not(feature = "spreadsheets"))]
#[path = "spreadsheet_absent.rs"]
mod spreadsheet;

// The format of a path or name.
mod format;

// What the output adds, and the JSON text that it adds it to.
mod layout;
mod record;

// The two ends of a run, and rows kept in a journal.
mod input;
mod kept;
mod output;

pub use format::{InputFormat, OutputFormat};
pub use input::{
    Character, CsvOptions, Encoding, FailedRows, Gauge, Input, InputOptions, MAX_RECORD_BYTES, Notes, Quote,
    RowsInAll, failed_earlier,
};
pub use kept::KeptRows;
pub use layout::Layout;
pub use output::{
    LeftOut, Output, OutputOptions, Written, is_folder, is_output_of, is_reader_gone, same_file, took,
};
