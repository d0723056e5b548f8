//! Writes outcomes to a file, to a folder of parts, to standard output or to any writer, and failed rows also to a separate file.
//! `row.rs` decides what a line contains, the encoders how it is spelled, `target.rs` where the bytes go.

mod csv;
mod json_lines;
mod own;
mod parts;
mod row;
mod target;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowcall::{Error, Hint, Outcome, Problem, Result, Row, Setting, Sink};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::format::OutputFormat;
use crate::layout::Layout;
use parts::Parts;
use row::Names;
use target::Target;
use writer::Writer;

pub use own::is_output_of;
pub(crate) use row::OutputRow;
pub use row::took;
pub(crate) use target::Ends;
pub use target::{is_reader_gone, same_file};

/// How to write an output.
#[derive(Debug, Clone)]
pub struct OutputOptions {
    /// The format. By default that of the path's extension, and JSON Lines for standard output.
    pub format: Option<OutputFormat>,
    /// What is added to the records.
    pub layout: Layout,
    /// The JSON Schema of the values, for the types of the columns in Parquet and Arrow.
    pub schema: Value,
    /// The records' columns in a CSV: [`Input::first_record_fields`](crate::Input::first_record_fields). Columns that
    /// the layout adds are dropped.
    pub columns: Vec<String>,
    /// The types of these columns: [`Input::record_schema`](crate::Input::record_schema). Without it they are text in Parquet and
    /// Arrow.
    pub record_schema: Option<String>,
    /// A field of the value that is a list: the output has one row for each of its elements, and one with null if there are none.
    pub explode: Option<String>,
    /// For a folder of parts, how many rows of the input a part has. By default a part ends at about 64 MB.
    pub part_rows: Option<NonZeroU64>,
    /// A file that failed rows are also written to, as JSON Lines.
    pub failed: Option<PathBuf>,
}

impl OutputOptions {
    /// An output of this layout, of records without known columns.
    pub fn new(layout: Layout) -> Self {
        Self {
            format: None,
            layout,
            schema: Value::Bool(true),
            columns: Vec::new(),
            record_schema: None,
            explode: None,
            part_rows: None,
            failed: None,
        }
    }
}

/// An open output: a sink. A line has the record's fields, the value's, `_error`, and `_meta` if the layout has it. A
/// failed row has no value fields. For a record without text, as for a row made from a Rust value, the row's fields
/// are used.
///
/// No line has a name twice: if the value of an open schema has a field that the record has too, all of the value's fields that the
/// layout does not name go under `value`. A record with a field that the layout names or adds is written as failed, with an `_error` of the
/// kind `clash`; [`Input`](crate::Input) yields no such record.
///
/// A file is written under its name plus `.part` until [`Output::finish`], and stays there if that is not called. A folder has
/// parts, `part-00000.parquet` and so on, each with the rows between two positions of the input; it is complete if
/// `_manifest.json` is in it.
/// Each batch is written on a blocking thread, one batch at a time; a write that has begun is completed even if its
/// future is dropped. It needs a tokio runtime.
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

/// Where the rows go.
struct Open {
    layout: Layout,
    explode: Option<String>,
    body: Body,
    failed: Option<Target>,
    written: Written,
}

enum Body {
    One(Box<Writer>),
    Parts(Box<Parts>),
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// Calls `push` with the output row of each of `rows`.
///
/// # Errors
/// A row whose record is not the text of an object, and what `push` returns.
pub(crate) fn lines_for(
    rows: &[(Row, Outcome)],
    layout: &Layout,
    push: &mut dyn FnMut(&OutputRow<'_>) -> io::Result<()>,
) -> Result<()> {
    for (row, outcome) in rows {
        let record = row::record_text(row)?;
        let row = OutputRow::new(&record, outcome, layout, Names::OfColumns)?;
        push(&row).map_err(|error| Error::Sink(Problem::new(error.to_string())))?;
    }
    Ok(())
}

impl Output {
    /// Opens the file at `path`, or standard output for `-` and without a path, and the file for failed rows. A path that ends in
    /// `/`, and an existing folder, is a folder of parts.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown extension, a file that cannot be written, a column that the format cannot hold, and the
    /// same file for both.
    pub fn open(path: Option<&Path>, options: OutputOptions) -> Result<Self> {
        let path = path.filter(|path| path.as_os_str() != "-");
        let is_folder = path.is_some_and(is_folder);
        let by_ending = match path {
            None => Ok(OutputFormat::JsonLines),
            Some(path) if is_folder => options.format.ok_or_else(|| {
                let message = format!("`{}` is a folder, whose name implies no format", path.display());
                Problem::new(message)
                    .hint(Hint::from("give the format with ").with(Setting::OutputFormat.exactly("parquet")))
            }),
            Some(path) => OutputFormat::of(path),
        };
        let format = options.format.map_or(by_ending, Ok).map_err(Error::Config)?;
        check_explode(&options).map_err(Error::Config)?;
        if options.part_rows.is_some() && !is_folder {
            let problem = Problem::new("rows per part apply to a folder of parts, but the output is a file");
            return Err(Error::Config(problem.hint("end the output's name with `/`")));
        }
        if let Some(failed) = &options.failed {
            check_failed(failed, path)?;
        }
        let body = match path {
            Some(folder) if is_folder => Body::Parts(Box::new(Parts::open(folder, format, options.clone())?)),
            Some(path) => Body::One(Box::new(Writer::new(Target::file(path)?, format, &options)?)),
            None => {
                let target = Target::stream("standard output", io::stdout());
                Body::One(Box::new(Writer::new(target, format, &options)?))
            }
        };
        let failed = options.failed.as_deref().map(Target::file).transpose()?;
        Ok(Self::new(body, failed, options))
    }

    /// The same for any writer; messages call it `name`. It is flushed after each batch.
    ///
    /// # Errors
    /// [`Error::Config`] for a column that the format cannot hold.
    pub fn from_writer(
        name: &str,
        writer: impl Write + Send + 'static,
        format: OutputFormat,
        options: OutputOptions,
    ) -> Result<Self> {
        let writer = Writer::new(Target::stream(name, writer), format, &options)?;
        Ok(Self::new(Body::One(Box::new(writer)), None, options))
    }

    fn new(body: Body, failed: Option<Target>, options: OutputOptions) -> Self {
        let OutputOptions { layout, explode, .. } = options;
        let open = Open { layout, explode, body, failed, written: Written::default() };
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
        // Waiting comes first, so that blocking threads cannot overtake each other.
        let mut open = Arc::clone(&self.open).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // After a panic, it stays closed.
            let mut taken = open.take();
            let done = work(&mut taken);
            *open = taken;
            done
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
        let Self { layout, explode, body, failed, written } = self;
        let mut failed_lines = Vec::new();
        for (row, outcome) in done {
            let (index, record) = (row.index, row::record_text(row)?);
            let mut row = OutputRow::new(&record, outcome, layout, body.names())?;
            written.rows += 1;
            written.clashes += u64::from(row.error.is_some() && outcome.result.is_ok());
            if row.error.is_some() && failed.is_some() {
                json_lines::push(&row, &mut failed_lines);
            }
            let list = explode.as_deref().and_then(|field| row.take_list(field));
            let lines = list.map_or(1, |(_, list)| list.len());
            body.begin(index, u64::from(row.error.is_some()), lines as u64)?;
            match list {
                None => body.push(&row, written)?,
                Some((name, list)) => {
                    for element in list {
                        row.value.push((name, element));
                        body.push(&row, written)?;
                        row.value.pop();
                    }
                }
            }
            body.end(written)?;
        }
        body.flush()?;
        match failed {
            Some(failed) => failed.write(&failed_lines).and_then(|()| failed.flush()),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Result<Written> {
        self.written.clashes += match self.body {
            Body::One(writer) => {
                let (target, misfits) = writer.finish()?;
                target.finish()?;
                misfits
            }
            Body::Parts(parts) => parts.finish()?,
        };
        self.failed.map_or(Ok(()), Target::finish)?;
        Ok(self.written)
    }

    fn leave(self) -> Result<Option<PathBuf>> {
        let part = match self.body {
            Body::One(writer) => writer.finish()?.0.leave()?,
            Body::Parts(parts) => parts.leave()?,
        };
        // The file of failed rows is always complete, however many there are.
        self.failed.map_or(Ok(()), Target::finish)?;
        Ok(part)
    }
}

impl Body {
    fn names(&self) -> Names {
        match self {
            Self::One(writer) => writer.names(),
            Self::Parts(parts) => parts.names(),
        }
    }

    /// The row at this position of the input comes next, with this many rows of the output.
    fn begin(&mut self, index: u64, failed: u64, lines: u64) -> Result<()> {
        match self {
            Self::One(_) => Ok(()),
            Self::Parts(parts) => parts.begin(index, failed, lines),
        }
    }

    fn push(&mut self, row: &OutputRow<'_>, written: &mut Written) -> Result<()> {
        written.clashes += match self {
            Self::One(writer) => writer.push(row, &mut written.left_out)?,
            Self::Parts(parts) => parts.push(row, &mut written.left_out)?,
        };
        Ok(())
    }

    fn end(&mut self, written: &mut Written) -> Result<()> {
        written.clashes += match self {
            Self::One(_) => 0,
            Self::Parts(parts) => parts.end()?,
        };
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::One(writer) => writer.flush(),
            Self::Parts(_) => Ok(()),
        }
    }
}

/// Whether an output at `path` is a folder of parts.
pub fn is_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

/// Checks that the value has the field that is to be exploded.
fn check_explode(options: &OutputOptions) -> std::result::Result<(), Problem> {
    let Some(field) = &options.explode else { return Ok(()) };
    let columns = options.layout.value_columns();
    if columns.contains(field) {
        return Ok(());
    }
    let message = format!("the value has no field `{field}` whose elements could be rows");
    Err(Problem::new(message).hint(format!("its fields are `{}`", columns.join("`, `"))))
}

/// Checks that failed rows can go to `path`, before anything is opened.
fn check_failed(path: &Path, output: Option<&Path>) -> Result<()> {
    if output.is_some_and(|output| path == output || same_file(path, output)) {
        let message = format!("`{}` is both the output and the file for failed rows", path.display());
        return Err(Error::Config(Problem::new(message)));
    }
    match OutputFormat::of(path) {
        Ok(OutputFormat::Csv | OutputFormat::Tsv | OutputFormat::Parquet | OutputFormat::Arrow) => {
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
