//! Sources and sinks for rowcall: rows from CSV, TSV, JSON Lines, JSON and text, outcomes to JSON Lines, CSV and TSV,
//! optionally gzipped. Both directions are streams, so memory does not grow with the data.
//!
//! An [`Input`] is a [`Source`](rowcall::Source). Opening it reads as far as the header or the first record, so that
//! problems with a file or its columns are found before the first request. A thread reads ahead of the run:
//!
//! ```text
//! bytes → encoding (gzip, byte order mark) → csv | json_lines | json_values | text → rows
//! ```
//!
//! Whatever the format, a row's record is the text of a JSON object. An [`Output`], which is a
//! [`Sink`](rowcall::Sink), writes it next to the row's value. A [`Layout`] defines which fields the output adds. An
//! input that already has one of those names is rejected when it is read.
//!
//! ```text
//! row, outcome → output row (layout, clashes, `_error`, `_meta`) → json_lines | csv → target (`.part`, gzip, stdout)
//! ```

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
pub use output::{LeftOut, Output, OutputOptions, Written, is_output_of, is_reader_gone, same_file, took};
