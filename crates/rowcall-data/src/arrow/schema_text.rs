//! An Arrow schema as text, for a journal's memo: the schema of an IPC stream in base64.

use std::io::Cursor;

use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Schema, SchemaRef};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rowcall::Problem;

/// The text of `schema`; empty for one that has no such form.
pub(crate) fn to_text(schema: &Schema) -> String {
    let mut bytes = Vec::new();
    let written = StreamWriter::try_new(&mut bytes, schema).and_then(|mut writer| writer.finish());
    if written.is_err() { String::new() } else { STANDARD.encode(bytes) }
}

/// The schema in `text`.
///
/// # Errors
/// Any other text.
pub(crate) fn from_text(text: &str) -> Result<SchemaRef, Problem> {
    let unreadable = || Problem::new("the columns of the journal's input cannot be read");
    let bytes = STANDARD.decode(text).map_err(|_| unreadable())?;
    let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(|_| unreadable())?;
    Ok(reader.schema())
}
