//! CSV and TSV: a header from the first record, the schema and the layout; nested values as JSON text; null and
//! absent values empty. Fields that an open schema allows beyond its properties share one column; other fields
//! without a column are counted.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::LeftOut;
use super::row::{ErrorText, OutputRow};
use crate::layout::{
    ERROR_FIELD, Layout, META_FIELDS, Meta, Rest, UNVALIDATED_FIELD, Values, meta_column, rest_field,
};
use crate::record::{self, Field};

/// How many names of fields without a column are kept.
const NAMES_LEFT_OUT: usize = 8;

/// The CSV encoder.
#[derive(Debug)]
pub(crate) struct Csv {
    delimiter: u8,
    record: Columns,
    value: Columns,
    rest: Rest,
    /// The header, until it is written together with the first row, so that a run without rows yet prints nothing.
    header: Option<Vec<String>>,
}

/// Columns, looked up by name however many there are.
#[derive(Debug)]
struct Columns {
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Columns {
    fn new(names: Vec<String>) -> Self {
        let positions = names.iter().cloned().zip(0..).collect();
        Self { names, positions }
    }

    /// The column of the field `name`, which is number `at` in its row.
    fn position(&self, at: usize, name: &str) -> Option<usize> {
        // Most rows have their fields in the same order as the first.
        if self.names.get(at).is_some_and(|column| column == name) {
            return Some(at);
        }
        self.positions.get(name).copied()
    }

    /// An empty cell for each column.
    fn cells<'a>(&self) -> Vec<Cow<'a, str>> {
        vec![Cow::Borrowed(""); self.names.len()]
    }
}

impl Csv {
    pub(crate) fn new(delimiter: u8, columns: &[String], layout: &Layout) -> Self {
        let reserved: HashSet<String> = layout.reserved().into_iter().collect();
        let record = Columns::new(columns.iter().filter(|name| !reserved.contains(*name)).cloned().collect());
        let value = Columns::new(layout.value_columns().to_vec());
        let mut header = [record.names.as_slice(), &value.names].concat();
        if layout.rest == Rest::Column {
            let is_free =
                |name: &str| [&record, &value].iter().all(|columns| !columns.positions.contains_key(name));
            header.push(rest_field(is_free));
        }
        header.push(ERROR_FIELD.to_owned());
        if layout.meta == Meta::Shown {
            header.extend(META_FIELDS.map(meta_column));
        }
        if layout.values == Values::Unvalidated {
            header.push(UNVALIDATED_FIELD.to_owned());
        }
        Self { delimiter, record, value, rest: layout.rest, header: Some(header) }
    }

    /// Adds the header, unless it was added before.
    pub(crate) fn push_header(&mut self, out: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            self.push_line(header.iter().map(|name| Cow::Borrowed(name.as_str())), out);
        }
    }

    /// Adds the line of `row`, and adds fields without a column to `left_out`.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, out: &mut Vec<u8>, left_out: &mut LeftOut) {
        self.push_header(out);
        let mut record = self.record.cells();
        for (at, Field { name, raw }) in row.fields.iter().enumerate() {
            match self.record.position(at, name).and_then(|position| record.get_mut(position)) {
                Some(cell) => *cell = raw_cell(raw),
                // A failed row's field with the name of a value's column is most likely why it failed.
                None if row.error.is_some() && self.value.positions.contains_key(&**name) => {}
                None => left_out.add(name),
            }
        }
        let (mut value, mut rest) = (self.value.cells(), Map::new());
        for (at, (name, field)) in row.value.iter().enumerate() {
            match self.value.position(at, name).and_then(|position| value.get_mut(position)) {
                Some(slot) => *slot = cell(field),
                None if self.rest == Rest::Column => {
                    rest.insert((*name).to_owned(), (*field).clone());
                }
                None => left_out.add(name),
            }
        }
        if self.rest == Rest::Column {
            let text = if rest.is_empty() && !self.is_map(row) {
                Cow::Borrowed("")
            } else {
                Cow::Owned(Value::Object(rest).to_string())
            };
            value.push(text);
        }
        let error = row.error.as_ref().map_or(Cow::Borrowed(""), |ErrorText { kind, message, .. }| {
            Cow::Owned(format!("{kind}: {message}"))
        });
        let meta = row.meta.iter().flatten().map(cell);
        let marks = row.unvalidated.iter().map(cell);
        self.push_line(record.into_iter().chain(value).chain([error]).chain(meta).chain(marks), out);
    }

    /// Whether a row's whole value is in the column for the rest: an empty map is a value too.
    fn is_map(&self, row: &OutputRow<'_>) -> bool {
        self.value.names.is_empty() && row.error.is_none()
    }

    fn push_line<'a>(&self, cells: impl Iterator<Item = Cow<'a, str>>, out: &mut Vec<u8>) {
        let start = out.len();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            self.push_cell(&cell, out);
        }
        // A line without any text would not be read as a record.
        if out.len() == start {
            out.extend_from_slice(b"\"\"");
        }
        out.push(b'\n');
    }

    fn push_cell(&self, text: &str, out: &mut Vec<u8>) {
        let special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || *byte == self.delimiter;
        if !text.as_bytes().iter().any(special) {
            return out.extend_from_slice(text.as_bytes());
        }
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }
}

impl LeftOut {
    /// Counts a field without a column.
    pub(crate) fn add(&mut self, name: &str) {
        self.fields += 1;
        if self.names.len() < NAMES_LEFT_OUT && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }
}

fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Cow::Owned(value.to_string())
        }
    }
}

/// The cell for a value's text: a string unquoted, null empty, anything else as it is spelled.
fn raw_cell(raw: &str) -> Cow<'_, str> {
    if raw == "null" {
        return Cow::Borrowed("");
    }
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        // A string with half of a surrogate pair can only be shown as it is spelled.
        Some(_) => serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::Owned),
        None => record::one_line(raw),
    }
}
