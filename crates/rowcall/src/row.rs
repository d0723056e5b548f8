//! One input record on its way through the engine: its index, the fields a template may use, and the record as its
//! format read it. Sources make rows; the path asks about them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::violation::Violation;

/// The variable under which a template sees a row that is plain text.
pub const TEXT_FIELD: &str = "text";

/// One input record.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Position in the input, counted from 0. Indexes of one source are consecutive.
    pub index: u64,
    /// What a template may use, or why the record could not be read. An unreadable row is never asked about: its
    /// outcome is a failure.
    pub fields: Result<Map<String, Value>, Unreadable>,
    /// The record in its own format. The engine carries these bytes from the source to the sink and never looks
    /// inside; a row made from a Rust value has none.
    pub record: Bytes,
}

/// Why a record gave no fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The class of the problem, as shown in `_error.kind`.
    pub kind: UnreadableKind,
    /// A sentence fragment that names the location (a line number where the format has lines) and the offending value.
    pub message: String,
    /// The violations of the row's value in an earlier step, if known.
    pub violations: Vec<Violation>,
}

/// The classes of problems with an input record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableKind {
    /// The record violates its format: truncated JSON, a ragged CSV line.
    Input,
    /// The record is not text in the input's encoding.
    Encoding,
    /// One of the record's fields has the name of a field that the output adds.
    Clash,
}

impl Row {
    /// A row from anything that serialises: a string becomes the field `text`, a struct or map its own fields, and
    /// any other scalar or list the field `text` as well. A value that does not serialise makes an unreadable row.
    pub fn new(index: u64, item: &(impl Serialize + ?Sized)) -> Self {
        let fields = fields_of(item).map_err(|error| Unreadable {
            kind: UnreadableKind::Input,
            message: format!("row {index} does not serialise: {error}"),
            violations: Vec::new(),
        });
        Self { index, fields, record: Bytes::new() }
    }
}

/// A row with its known value: an example for the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredRow {
    /// What a template may use, as with any row.
    pub fields: Map<String, Value>,
    /// The right value for this row.
    pub value: Value,
    /// Where it comes from, as messages name it, for instance "`examples.jsonl`, line 3"; if `None`, messages give its number.
    #[serde(skip)]
    pub place: Option<String>,
}

impl AnsweredRow {
    /// A row, as for [`Row::new`], with its right value.
    ///
    /// # Errors
    /// If one of them does not serialise.
    pub fn new(item: &(impl Serialize + ?Sized), value: &(impl Serialize + ?Sized)) -> Result<Self, Problem> {
        let unfit = |error| Problem::new(format!("an example does not serialise: {error}"));
        let (fields, value) = (fields_of(item).map_err(unfit)?, serde_json::to_value(value).map_err(unfit)?);
        Ok(Self { fields, value, place: None })
    }

    /// The same row without its origin, for comparisons.
    pub(crate) fn without_place(&self) -> Self {
        Self { place: None, ..self.clone() }
    }
}

fn fields_of(item: &(impl Serialize + ?Sized)) -> serde_json::Result<Map<String, Value>> {
    Ok(match serde_json::to_value(item)? {
        Value::Object(fields) => fields,
        other => Map::from_iter([(TEXT_FIELD.to_owned(), other)]),
    })
}
