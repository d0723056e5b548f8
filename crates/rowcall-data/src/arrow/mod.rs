//! Tables with typed columns: Parquet and Arrow, in and out. The crates of Apache Arrow read and write the formats; this module
//! makes rows of their batches, and batches of rows: file → `parquet_file` or `ipc` → batches → `carried`, `exact` → `records` (rows);
//! output row → `shape` (of a value), `table` (columns) → batch → `encoder` (file).

mod carried;
mod encoder;
mod exact;
mod ipc;
mod parquet_file;
mod records;
mod schema_text;
mod shape;
mod table;
mod zstd_text;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use rowcall::Problem;

use crate::input::{Feed, Rules};
use records::BatchFeed;

pub(crate) use encoder::{Encoder, has_rows_of};
pub use shape::{Shape, batch, step};
pub(crate) use zstd_text::Zstd;

/// The rows of a Parquet file, and how many there are.
pub(crate) fn parquet_feed(name: &str, file: File, rules: &Rules) -> Result<(Box<dyn Feed>, u64), Problem> {
    let file = parquet_file::open(name, file)?;
    file.notes.iter().for_each(|note| rules.notes.say(note.clone()));
    let feed = BatchFeed::new(name, &file.schema, file.batches, rules.clone())?;
    Ok((Box::new(feed), file.rows))
}

/// The rows of an Arrow file, in either of its formats.
pub(crate) fn ipc_feed(name: &str, file: File, rules: &Rules) -> Result<Box<dyn Feed>, Problem> {
    let (schema, batches) = ipc::open(name, file)?;
    Ok(Box::new(BatchFeed::new(name, &schema, batches, rules.clone())?))
}

/// The rows of an Arrow stream.
pub(crate) fn ipc_stream_feed(
    name: &str,
    bytes: Box<dyn Read + Send>,
    rules: &Rules,
) -> Result<Box<dyn Feed>, Problem> {
    let (schema, batches) = ipc::stream(name, bytes)?;
    Ok(Box::new(BatchFeed::new(name, &schema, batches, rules.clone())?))
}

/// The text of a schema with further columns of text at its end.
pub(crate) fn with_texts(text: &str, names: &[String]) -> String {
    let Ok(schema) = schema_text::from_text(text) else { return text.to_owned() };
    let added = names.iter().map(|name| Arc::new(Field::new(name, DataType::Utf8, true)));
    let fields: Vec<_> = schema.fields().iter().cloned().chain(added).collect();
    schema_text::to_text(&Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// How the columns of the second schema differ from those of the first, before "than"; `None` if a row of one fits the other.
pub(crate) fn difference(known: &str, other: &str) -> Option<String> {
    if known == other {
        return None;
    }
    let (Ok(known), Ok(other)) = (schema_text::from_text(known), schema_text::from_text(other)) else {
        return Some("other columns".to_owned());
    };
    let missing = known.fields().iter().find(|field| other.index_of(field.name()).is_err());
    if let Some(field) = missing {
        return Some(format!("no column `{}` and so other columns", field.name()));
    }
    let added = other.fields().iter().find(|field| known.index_of(field.name()).is_err());
    if let Some(field) = added {
        return Some(format!("a column `{}` more", field.name()));
    }
    let changed = known.fields().iter().find_map(|field| {
        let found = other.field_with_name(field.name()).ok()?;
        let is_same = found.data_type().equals_datatype(field.data_type())
            && (field.is_nullable() || !found.is_nullable());
        (!is_same).then(|| (field, found.data_type()))
    });
    changed.map(|(field, found)| {
        format!("another type of `{}` (`{found}`, not `{}`)", field.name(), field.data_type())
    })
}
