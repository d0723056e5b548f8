//! JSON Lines: the record's text, with the added fields before its closing brace.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::row::OutputRow;
use crate::layout::{ERROR_FIELD, META_FIELD, META_FIELDS, UNVALIDATED_FIELD};
use crate::record;

/// Adds the line of `row`.
pub(crate) fn push(row: &OutputRow<'_>, out: &mut Vec<u8>) {
    let record = row.record.map_or_else(|| Cow::Owned(record::join(&row.fields)), Cow::Borrowed);
    let record = record::one_line(&record);
    let open = record.strip_suffix('}').unwrap_or(&record).trim_end();
    out.extend_from_slice(open.as_bytes());
    for (name, value) in &row.value {
        push_field(out, name, value);
    }
    if let Some((name, rest)) = &row.rest {
        push_field(out, name, rest);
    }
    push_field(out, ERROR_FIELD, &row.error);
    if let Some(meta) = &row.meta {
        let meta: Map<String, Value> = META_FIELDS.map(str::to_owned).into_iter().zip(meta.clone()).collect();
        push_field(out, META_FIELD, &meta);
    }
    if let Some(mark) = &row.unvalidated {
        push_field(out, UNVALIDATED_FIELD, mark);
    }
    out.extend_from_slice(b"}\n");
}

fn push_field<T: Serialize>(out: &mut Vec<u8>, name: &str, value: &T) {
    if !out.ends_with(b"{") {
        out.push(b',');
    }
    record::push_json(out, name);
    out.push(b':');
    record::push_json(out, value);
}
