//! Parquet files as batches, read page by page, so that memory does not depend on the size of a row group.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{ConvertedType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;
use rowcall::{Hint, Problem, Setting};

use super::records::Batches;
use crate::input::reason;

/// The size that a batch of rows should have, in bytes.
const BATCH_BYTES: i64 = 1024 * 1024;

/// The most rows of a batch.
const BATCH_ROWS: i64 = 1024;

const MAGIC: [u8; 4] = *b"PAR1";

/// The magic of a file with an encrypted footer.
const ENCRYPTED: [u8; 4] = *b"PARE";

/// The length of the magic, twice, with the length of the footer.
const SHORTEST: u64 = 12;

/// A Parquet file whose footer was read.
pub(crate) struct ParquetFile {
    pub(crate) schema: Arc<Schema>,
    pub(crate) rows: u64,
    pub(crate) notes: Vec<String>,
    pub(crate) batches: Batches,
}

/// Opens a local file.
///
/// # Errors
/// What is wrong with it; the message names it `name`.
pub(crate) fn open(name: &str, mut file: File) -> Result<ParquetFile, Problem> {
    check_ends(name, &mut file)?;
    of(name, file)
}

/// Checks the first and last bytes, which say more than the library does.
fn check_ends(name: &str, file: &mut File) -> Result<(), Problem> {
    let ends = |file: &mut File| {
        let length = file.seek(SeekFrom::End(0))?;
        if length < SHORTEST {
            return Ok((length, [0; 4], [0; 4]));
        }
        let (mut first, mut last) = ([0; 4], [0; 4]);
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut first)?;
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut last)?;
        file.seek(SeekFrom::Start(0))?;
        Ok((length, first, last))
    };
    let (length, first, last) = ends(file)
        .map_err(|error: std::io::Error| Problem::new(format!("cannot read {name}: {}", reason(&error))))?;
    let problem = |text: &str, hint: Hint| Err(Problem::new(format!("{name} {text}")).hint(hint));
    match (length, first, last) {
        (0, _, _) => {
            problem("is empty, expected a Parquet file", "check that it was written to its end".into())
        }
        (length, _, _) if length < SHORTEST => problem(
            "is too short for a Parquet file",
            "copy or write it again; without its end nothing in it can be read".into(),
        ),
        (_, ENCRYPTED, _) | (_, _, ENCRYPTED) => {
            problem("is encrypted", "decrypt it first: rowcall has no keys for Parquet files".into())
        }
        (_, MAGIC, MAGIC) => Ok(()),
        (_, MAGIC, _) => problem(
            "is cut off: it begins like a Parquet file, but its end is missing",
            "copy or write it again; without its end nothing in it can be read".into(),
        ),
        _ => problem(
            "is not a Parquet file: it does not begin with `PAR1`",
            Hint::from("name its real format with ").with(Setting::InputFormat),
        ),
    }
}

/// Opens a Parquet file by anything that reads ranges of it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn of<R: ChunkReader + 'static>(name: &str, file: R) -> Result<ParquetFile, Problem> {
    let unreadable = |error: ParquetError| {
        let problem = Problem::new(format!("cannot read {name}: {}", parquet_reason(&error)));
        if error.to_string().contains("ncrypt") { problem.hint("decrypt it first") } else { problem }
    };
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(unreadable)?;
    let metadata = match without_int96(&metadata) {
        Some(schema) => {
            let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).map_err(unreadable)?
        }
        None => metadata,
    };
    let parquet = Arc::clone(metadata.metadata());
    let intervals = intervals(&metadata);
    let rows: i64 =
        parquet.row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).sum();
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(batch_rows(&parquet));
    let mut notes = Vec::new();
    if !intervals.is_empty() {
        let names: Vec<_> = intervals.iter().map(|at| builder.schema().field(*at).name().clone()).collect();
        notes.push(format!(
            "{name}: `{}` left out: Parquet's intervals of months, days and milliseconds cannot be read without loss",
            names.join("`, `")
        ));
        let kept = (0..builder.schema().fields().len()).filter(|at| !intervals.contains(at));
        let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
        builder = builder.with_projection(mask);
    }
    let kept = builder.schema().fields().iter().enumerate();
    let kept: Vec<FieldRef> =
        kept.filter(|(at, _)| !intervals.contains(at)).map(|(_, field)| Arc::clone(field)).collect();
    let schema = Arc::new(Schema::new_with_metadata(kept, builder.schema().metadata().clone()));
    let reader = builder.build().map_err(unreadable)?;
    Ok(ParquetFile {
        schema,
        rows: u64::try_from(rows).unwrap_or_default(),
        notes,
        batches: Box::new(reader),
    })
}

/// How many rows a batch may have.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let groups = metadata.row_groups();
    let rows: i64 = groups.iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).sum();
    let bytes: i64 = groups.iter().map(parquet::file::metadata::RowGroupMetaData::total_byte_size).sum();
    let of_a_row = (bytes / rows.max(1)).max(1);
    usize::try_from((BATCH_BYTES / of_a_row).clamp(1, BATCH_ROWS)).unwrap_or(1)
}

/// The schema with microseconds for times of 96 bits, whose nanoseconds do not fit 64 bits before 1677 and after 2262; `None`
/// if there are none. Spark, which still writes such times, has microseconds.
fn without_int96(metadata: &ArrowReaderMetadata) -> Option<Schema> {
    let parquet = metadata.parquet_schema();
    let mut found = false;
    let mut fields: Vec<FieldRef> = metadata.schema().fields().iter().cloned().collect();
    for (at, column) in parquet.columns().iter().enumerate() {
        let root = parquet.get_column_root_idx(at);
        if column.physical_type() == Physical::INT96
            && let Some(field) = fields.get_mut(root)
        {
            found = true;
            *field = in_microseconds(field);
        }
    }
    found.then(|| Schema::new_with_metadata(fields, metadata.schema().metadata().clone()))
}

fn in_microseconds(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        DataType::List(items) => DataType::List(in_microseconds(items)),
        DataType::LargeList(items) => DataType::LargeList(in_microseconds(items)),
        DataType::Struct(members) => {
            DataType::Struct(members.iter().map(in_microseconds).collect::<Fields>())
        }
        DataType::Map(entries, sorted) => DataType::Map(in_microseconds(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// The columns with Parquet's own intervals, unless the writer was an Arrow library that says which kind they are.
fn intervals(metadata: &ArrowReaderMetadata) -> Vec<usize> {
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    if pairs.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == "ARROW:schema")) {
        return Vec::new();
    }
    let parquet = metadata.parquet_schema();
    let columns = parquet.columns().iter().enumerate();
    let found = columns.filter(|(_, column)| column.converted_type() == ConvertedType::INTERVAL);
    let mut roots: Vec<_> = found.map(|(at, _)| parquet.get_column_root_idx(at)).collect();
    roots.dedup();
    roots
}

/// The library's message without its prefixes.
pub(crate) fn parquet_reason(error: &ParquetError) -> String {
    super::records::reason(&ArrowError::ParquetError(error.to_string()))
}
