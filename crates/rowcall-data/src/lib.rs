//! Sources and sinks of rowcall: rows from CSV, TSV, JSON Lines, JSON and text, outcomes to JSON Lines, CSV and TSV,
//! each also as gzip. Both ways are streams, so memory does not grow with the data.
//!
//! An [`Input`] is a [`Source`](rowcall::Source). Opening it reads as far as the header or the first record, so that
//! what is wrong with a file or its columns is known before the first request. A thread reads on ahead of the run:
//!
//! ```text
//! bytes → encoding (gzip, byte order mark) → csv | json_lines | json_values | text → rows
//! ```
//!
//! Whatever the format, a row's record is the text of a JSON object, which an [`Output`], a [`Sink`](rowcall::Sink),
//! puts beside the row's value. A [`Layout`] says which fields the output adds; an input that has one of those names
//! itself clashes, and that is found by the input.
//!
//! ```text
//! row, outcome → output row (layout, clashes, `_error`, `_meta`) → json_lines | csv → target (`.part`, gzip, stdout)
//! ```

// Which format a name stands for.
mod format;

// What the output adds, and the JSON text that it adds it to.
mod layout;
mod record;

// The two ends of a run, and what a journal has kept of one.
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
