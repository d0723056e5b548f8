//! Parquet and Arrow files from batches. `table.rs` makes the batches.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use rowcall::{Error, Outcome, Problem, Result, Row};

use super::records::{BatchFeed, Batches};
use super::table::Table;
use super::{ipc, parquet_file};
use crate::format::OutputFormat;
use crate::input::{Feed, Rules};
use crate::output::{Ends, LeftOut, OutputOptions, OutputRow, lines_for};

/// How many rows a row group has. A reader that holds a whole row group, as most do, then holds little.
const GROUP_ROWS: usize = 16_384;

/// The most bytes of a row group in memory.
const GROUP_BYTES: usize = 64 * 1024 * 1024;

/// How many rows of a file are compared with others.
const BEGINNING: usize = 4096;

/// A file that is written, batch by batch.
pub(crate) struct Encoder<W: Write + Send> {
    table: Table,
    file: FileOf<W>,
}

enum FileOf<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>),
    Arrow(FileWriter<Counted<W>>),
    Stream(StreamWriter<Counted<W>>),
}

/// Bytes, counted.
struct Counted<W> {
    bytes: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.bytes.write(bytes)?;
        self.count += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bytes.flush()
    }
}

impl<W: Write + Send> Encoder<W> {
    /// Begins a file of this format in `bytes`.
    ///
    /// # Errors
    /// A column that the format cannot hold, and a format of text.
    pub(crate) fn new(format: OutputFormat, bytes: W, options: &OutputOptions, ends: Ends) -> Result<Self> {
        let table = |format| Table::new(format, options).map_err(Error::Config);
        let failed = |error: ArrowError| cannot_begin(&error);
        let counted = |bytes| Counted { bytes, count: 0 };
        let (table, file) = match format {
            OutputFormat::JsonLines | OutputFormat::Csv | OutputFormat::Tsv => {
                return Err(Error::Config(Problem::new(format!("`{format}` is text, expected a table"))));
            }
            OutputFormat::Parquet => {
                let table = table(format)?;
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .set_created_by(format!("rowcall {}", env!("CARGO_PKG_VERSION")))
                    .build();
                let writer = ArrowWriter::try_new(bytes, table.schema(), Some(properties))
                    .map_err(|error| failed(error.into()))?;
                (table, FileOf::Parquet(Box::new(writer)))
            }
            OutputFormat::Arrow if ends == Ends::Stream => {
                let table = table(format)?;
                let writer = StreamWriter::try_new(counted(bytes), &table.schema()).map_err(failed)?;
                (table, FileOf::Stream(writer))
            }
            OutputFormat::Arrow => {
                let table = table(format)?;
                let writer = FileWriter::try_new(counted(bytes), &table.schema()).map_err(failed)?;
                (table, FileOf::Arrow(writer))
            }
        };
        Ok(Self { table, file })
    }

    /// Adds a row. Returns how many rows were found not to fit their columns meanwhile.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, left_out: &mut LeftOut) -> io::Result<u64> {
        self.table.push(row, left_out);
        if self.table.is_full() { self.write() } else { Ok(0) }
    }

    /// Writes the waiting rows. Returns how many do not fit their columns.
    fn write(&mut self) -> io::Result<u64> {
        let (batch, misfits) = self.table.batch().map_err(io_error)?;
        self.write_batch(&batch)?;
        Ok(misfits)
    }

    fn write_batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        match &mut self.file {
            FileOf::Parquet(writer) => {
                writer.write(batch).map_err(|error| io_error(error.into()))?;
                // Only here, at a fixed number of rows: the file depends on nothing but the rows.
                if writer.in_progress_size() >= GROUP_BYTES {
                    writer.flush().map_err(|error| io_error(error.into()))?;
                }
                Ok(())
            }
            FileOf::Arrow(writer) => writer.write(batch).map_err(io_error),
            FileOf::Stream(writer) => writer.write(batch).map_err(io_error),
        }
    }

    /// How many bytes the file has so far; `None` while rows wait, since it depends on nothing but the rows then.
    pub(crate) fn size(&self) -> Option<u64> {
        if !self.table.is_empty() {
            return None;
        }
        Some(match &self.file {
            FileOf::Parquet(writer) => (writer.bytes_written() + writer.in_progress_size()) as u64,
            FileOf::Arrow(writer) => writer.get_ref().count,
            FileOf::Stream(writer) => writer.get_ref().count,
        })
    }

    /// Completes the file. Returns its bytes and how many rows do not fit their columns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<(W, u64)> {
        let misfits = self.write()?;
        let bytes = match self.file {
            FileOf::Parquet(writer) => writer.into_inner().map_err(|error| io_error(error.into()))?,
            FileOf::Arrow(mut writer) => {
                writer.finish().map_err(io_error)?;
                writer.into_inner().map_err(io_error)?.bytes
            }
            FileOf::Stream(mut writer) => {
                writer.finish().map_err(io_error)?;
                writer.into_inner().map_err(io_error)?.bytes
            }
        };
        Ok((bytes, misfits))
    }
}

fn cannot_begin(error: &ArrowError) -> Error {
    Error::Config(Problem::new(format!("the output cannot be written: {}", super::records::reason(error))))
}

/// The system's own error, if that was the reason.
fn io_error(error: ArrowError) -> io::Error {
    let text = super::records::reason(&error);
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::ExternalError(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source.to_string()),
        },
        _ => io::Error::other(text),
    }
}

/// Whether a file in this format has one of these rows, as an output has it.
///
/// # Errors
/// A row whose record is not the text of an object.
pub(crate) fn has_rows_of(
    path: &Path,
    format: OutputFormat,
    rows: &[(Row, Outcome)],
    options: &OutputOptions,
) -> Result<bool> {
    let mut encoder = Encoder::new(format, Vec::new(), options, Ends::Stream)?;
    lines_for(rows, &options.layout, &mut |row| encoder.push(row, &mut LeftOut::default()).map(drop))?;
    let Ok((own, _)) = encoder.finish() else { return Ok(false) };
    let records = |batches: Batches, schema: &SchemaRef| {
        let mut feed = BatchFeed::new("the output", schema, batches, Rules::default()).ok()?;
        while feed.rows().len() < BEGINNING && feed.step() {}
        Some(feed.take_rows().into_iter().map(|row| row.record).collect::<HashSet<_>>())
    };
    let open = |bytes: bytes::Bytes, file: Option<File>| match (format, file) {
        (OutputFormat::Parquet, None) => {
            parquet_file::of("the output", bytes).ok().map(|file| (file.schema, file.batches))
        }
        (OutputFormat::Parquet, Some(file)) => {
            parquet_file::open("the output", file).ok().map(|file| (file.schema, file.batches))
        }
        (_, None) => ipc::stream("the output", io::Cursor::new(bytes)).ok(),
        (_, Some(file)) => ipc::open("the output", file).ok(),
    };
    let own = open(own.into(), None).and_then(|(schema, batches)| records(batches, &schema));
    let Ok(file) = File::open(path) else { return Ok(false) };
    let there = open(bytes::Bytes::new(), Some(file)).and_then(|(schema, batches)| records(batches, &schema));
    Ok(own.zip(there).is_some_and(|(own, there)| !own.is_disjoint(&there)))
}
