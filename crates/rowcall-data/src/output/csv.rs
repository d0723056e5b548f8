//! CSV and TSV: a header from the first record, the schema and the layout; nested values as JSON text, null and absent
//! ones empty. Fields that have no column are counted.

use std::borrow::Cow;

use serde_json::Value;

use super::LeftOut;
use super::row::{ErrorText, OutputRow};
use crate::layout::{ERROR_FIELD, Layout, META_FIELDS, Meta, meta_column};
use crate::record::{self, Field};

/// How many names of fields without a column are remembered.
const NAMES_LEFT_OUT: usize = 8;

/// The encoder of CSV.
#[derive(Debug)]
pub(crate) struct Csv {
    delimiter: u8,
    record_columns: Vec<String>,
    value_columns: Vec<String>,
    /// The header, until it is written: with the first row, so that a run that has none yet to show prints nothing.
    header: Option<Vec<String>>,
}

impl Csv {
    pub(crate) fn new(delimiter: u8, columns: &[String], layout: &Layout) -> Self {
        let reserved = layout.reserved();
        let record_columns: Vec<_> =
            columns.iter().filter(|name| !reserved.contains(name)).cloned().collect();
        let value_columns = layout.value_columns().to_vec();
        let mut header = [record_columns.as_slice(), &value_columns].concat();
        header.push(ERROR_FIELD.to_owned());
        if layout.meta == Meta::Shown {
            header.extend(META_FIELDS.map(meta_column));
        }
        Self { delimiter, record_columns, value_columns, header: Some(header) }
    }

    /// Adds the header, if it was not added before.
    pub(crate) fn push_header(&mut self, out: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            self.push_line(header.iter().map(|name| Cow::Borrowed(name.as_str())), out);
        }
    }

    /// Adds the line of `row`, and to `left_out` what has no column.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, out: &mut Vec<u8>, left_out: &mut LeftOut) {
        self.push_header(out);
        let record = self.record_columns.iter().enumerate().map(|(at, column)| {
            // Most records have their fields where the first one had them.
            let there = row.fields.get(at).filter(|field| field.name == *column);
            let field = there.or_else(|| row.fields.iter().find(|field| field.name == *column));
            field.map_or(Cow::Borrowed(""), |Field { raw, .. }| raw_cell(raw))
        });
        let value = self.value_columns.iter().map(|column| {
            let field = row.value.iter().find(|(name, _)| name == column);
            field.map_or(Cow::Borrowed(""), |(_, value)| cell(value))
        });
        let error = row.error.as_ref().map_or(Cow::Borrowed(""), |ErrorText { kind, message, .. }| {
            Cow::Owned(format!("{kind}: {message}"))
        });
        let meta = row.meta.iter().flatten().map(cell);
        self.push_line(record.chain(value).chain([error]).chain(meta), out);

        let is_in = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
        for Field { name, .. } in &row.fields {
            // A failed row's field in a value's column is most likely why it failed.
            let told = row.error.is_some() && is_in(&self.value_columns, name);
            if !told && !is_in(&self.record_columns, name) {
                left_out.add(name);
            }
        }
        for (name, _) in &row.value {
            if !is_in(&self.value_columns, name) {
                left_out.add(name);
            }
        }
    }

    fn push_line<'a>(&self, cells: impl Iterator<Item = Cow<'a, str>>, out: &mut Vec<u8>) {
        let start = out.len();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            self.push_cell(&cell, out);
        }
        // A line with nothing in it would be read as no record.
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
    fn add(&mut self, name: &str) {
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

/// The cell of a value's text: a string as it reads, null empty, all else as it is spelled.
fn raw_cell(raw: &str) -> Cow<'_, str> {
    if raw == "null" {
        return Cow::Borrowed("");
    }
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        // A string with half of a surrogate pair has no text but its spelling.
        Some(_) => serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::Owned),
        None => record::one_line(raw),
    }
}
