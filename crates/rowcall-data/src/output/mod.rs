//! Writes outcomes to a file, to standard output or to any writer, and failed rows also to a separate file. `row.rs`
//! decides what a line contains, the encoders how it is spelled, `target.rs` where the bytes go.

mod csv;
mod json_lines;
mod own;
mod row;
mod target;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rowcall::{Error, Outcome, Problem, Result, Row, Sink};

use crate::format::OutputFormat;
use crate::layout::Layout;
use csv::Csv;
use row::{Names, OutputRow};
use target::Target;

pub use own::is_output_of;
pub use row::took;
pub use target::{is_reader_gone, same_file};

/// How many bytes of text are collected before a write. The end of a batch is always written.
const PIECE: usize = 64 * 1024;

/// How to write an output.
#[derive(Debug, Clone)]
pub struct OutputOptions {
    /// The format. By default that of the path's extension, and JSON Lines for standard output.
    pub format: Option<OutputFormat>,
    /// What is added to the records.
    pub layout: Layout,
    /// The records' columns in a CSV: [`Input::first_record_fields`](crate::Input::first_record_fields). Columns that
    /// the layout adds are dropped.
    pub columns: Vec<String>,
    /// A file that failed rows are also written to, as JSON Lines.
    pub failed: Option<PathBuf>,
}

/// An open output: a sink. A line has the record's fields, the value's, `_error`, and `_meta` if the layout has it. A
/// failed row has no value fields. For a record without text, as for a row made from a Rust value, the row's fields
/// are used.
///
/// No line has a name twice: if the value of an open schema has a field that the record has too, all of the value's fields that the
/// layout does not name go under `value`. A record with a field that the layout names or adds is written as failed, with an `_error` of the
/// kind `clash`; [`Input`](crate::Input) yields no such record.
///
/// A file is written under its name plus `.part` until [`Output::finish`], and stays there if that is not called.
/// Each batch is written on a blocking thread, one batch at a time; a write whose future is dropped is still
/// completed. It needs a tokio runtime.
#[derive(Debug)]
pub struct Output {
    open: Arc<Mutex<Option<Open>>>,
}

/// The counts of a complete output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows in the output.
    pub rows: u64,
    /// Of these, rows whose value was not written because one of its fields is also in the record.
    pub clashes: u64,
    /// Fields that had no column in a CSV.
    pub left_out: LeftOut,
}

/// Fields that had no column in a CSV, because they are neither in the first record nor in the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many, over all rows.
    pub fields: u64,
    /// The first few names.
    pub names: Vec<String>,
}

/// Where the lines go.
#[derive(Debug)]
struct Open {
    layout: Layout,
    encoder: Encoder,
    target: Target,
    failed: Option<Target>,
    written: Written,
}

#[derive(Debug)]
enum Encoder {
    JsonLines,
    Csv(Csv),
}

impl Encoder {
    fn new(format: OutputFormat, layout: &Layout, columns: &[String]) -> Self {
        match format {
            OutputFormat::JsonLines => Self::JsonLines,
            OutputFormat::Csv => Self::Csv(Csv::new(b',', columns, layout)),
            OutputFormat::Tsv => Self::Csv(Csv::new(b'\t', columns, layout)),
        }
    }

    /// Adds a CSV's header, unless it was added before.
    fn push_header(&mut self, lines: &mut Vec<u8>) {
        if let Self::Csv(csv) = self {
            csv.push_header(lines);
        }
    }

    /// Adds the line of a row.
    fn push(&mut self, row: &OutputRow<'_>, lines: &mut Vec<u8>, left_out: &mut LeftOut) {
        match self {
            Self::JsonLines => json_lines::push(row, lines),
            Self::Csv(csv) => csv.push(row, lines, left_out),
        }
    }

    fn names(&self) -> Names {
        match self {
            Self::JsonLines => Names::OfFields,
            Self::Csv(_) => Names::OfColumns,
        }
    }
}

/// Adds the lines of `rows`.
fn encode(
    rows: &[(Row, Outcome)],
    encoder: &mut Encoder,
    layout: &Layout,
    lines: &mut Vec<u8>,
    left_out: &mut LeftOut,
) -> Result<()> {
    for (row, outcome) in rows {
        let record = row::record_text(row)?;
        encoder.push(&OutputRow::new(&record, outcome, layout, encoder.names())?, lines, left_out);
    }
    Ok(())
}

impl Output {
    /// Opens the file at `path`, or standard output for `-` and without a path, and the file for failed rows.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown extension, a file that cannot be written, and the same file for both.
    pub fn open(path: Option<&Path>, options: OutputOptions) -> Result<Self> {
        let path = path.filter(|path| path.as_os_str() != "-");
        let by_ending = path.map_or(Ok(OutputFormat::JsonLines), OutputFormat::of);
        let format = options.format.map_or(by_ending, Ok).map_err(Error::Config)?;
        if let Some(failed) = &options.failed {
            check_failed(failed, path)?;
        }
        let target = match path {
            Some(path) => Target::file(path)?,
            None => Target::stream("standard output", io::stdout()),
        };
        let failed = options.failed.as_deref().map(Target::file).transpose()?;
        Ok(Self::new(target, failed, format, options.layout, &options.columns))
    }

    /// The same for any writer; messages call it `name`. It is flushed after each batch.
    pub fn from_writer(
        name: &str,
        writer: impl Write + Send + 'static,
        format: OutputFormat,
        layout: Layout,
        columns: &[String],
    ) -> Self {
        Self::new(Target::stream(name, writer), None, format, layout, columns)
    }

    fn new(
        target: Target,
        failed: Option<Target>,
        format: OutputFormat,
        layout: Layout,
        columns: &[String],
    ) -> Self {
        let encoder = Encoder::new(format, &layout, columns);
        let open = Open { layout, encoder, target, failed, written: Written::default() };
        Self { open: Arc::new(Mutex::new(Some(open))) }
    }

    /// Completes the output. A file gets its final name.
    ///
    /// # Errors
    /// [`Error::Sink`] if it cannot be completed.
    pub async fn finish(self) -> Result<Written> {
        self.blocking(|open| open.take().ok_or_else(closed)?.finish()).await
    }

    /// Closes the output of a run that ended early. A file stays under its name plus `.part`, which is returned.
    ///
    /// # Errors
    /// [`Error::Sink`] if what was written so far cannot be completed.
    pub async fn leave(self) -> Result<Option<PathBuf>> {
        self.blocking(|open| open.take().ok_or_else(closed)?.leave()).await
    }

    /// Runs `work` with the open output on a blocking thread.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Option<Open>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let open = Arc::clone(&self.open);
        let done = tokio::task::spawn_blocking(move || match open.lock() {
            Ok(mut open) => work(&mut open),
            Err(_) => Err(closed()),
        });
        done.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Sink for Output {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> Result<()> {
        self.blocking(move |open| open.as_mut().ok_or_else(closed)?.write(&done)).await
    }
}

impl Open {
    fn write(&mut self, done: &[(Row, Outcome)]) -> Result<()> {
        let (mut lines, mut failed_lines) = (Vec::new(), Vec::new());
        for (row, outcome) in done {
            let record = row::record_text(row)?;
            let row = OutputRow::new(&record, outcome, &self.layout, self.encoder.names())?;
            self.written.rows += 1;
            self.written.clashes += u64::from(row.error.is_some() && outcome.result.is_ok());
            self.encoder.push(&row, &mut lines, &mut self.written.left_out);
            if row.error.is_some() && self.failed.is_some() {
                json_lines::push(&row, &mut failed_lines);
            }
            if lines.len() >= PIECE {
                self.target.write(&lines)?;
                lines.clear();
            }
        }
        self.target.write(&lines)?;
        self.target.flush()?;
        match &mut self.failed {
            Some(failed) => failed.write(&failed_lines).and_then(|()| failed.flush()),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Result<Written> {
        self.write_header()?;
        self.target.finish()?;
        self.failed.map_or(Ok(()), Target::finish)?;
        Ok(self.written)
    }

    fn leave(mut self) -> Result<Option<PathBuf>> {
        self.write_header()?;
        let part = self.target.leave()?;
        // The file of failed rows is always complete, however many there are.
        self.failed.map_or(Ok(()), Target::finish)?;
        Ok(part)
    }

    /// Writes a CSV's header if there was no row to write it with.
    fn write_header(&mut self) -> Result<()> {
        let mut lines = Vec::new();
        self.encoder.push_header(&mut lines);
        self.target.write(&lines)
    }
}

/// Checks that failed rows can go to `path`, before anything is opened.
fn check_failed(path: &Path, output: Option<&Path>) -> Result<()> {
    if output.is_some_and(|output| path == output || same_file(path, output)) {
        let message = format!("`{}` is both the output and the file for failed rows", path.display());
        return Err(Error::Config(Problem::new(message)));
    }
    match OutputFormat::of(path) {
        Ok(OutputFormat::Csv | OutputFormat::Tsv) => {
            let message =
                format!("failed rows are written as JSON Lines, but the file is called `{}`", path.display());
            Err(Error::Config(Problem::new(message).hint("use a name that ends in `.jsonl`")))
        }
        Ok(OutputFormat::JsonLines) | Err(_) => Ok(()),
    }
}

/// After a write that panicked, the state of the output is unknown.
fn closed() -> Error {
    Error::Sink(Problem::new("the output is closed"))
}
