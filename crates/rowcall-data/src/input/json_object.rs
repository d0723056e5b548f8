//! A row from the text of a JSON value. The record is that text if it is an object. `json_lines.rs` and
//! `json_values.rs` find where values begin and end.

use std::borrow::Cow;
use std::fmt;

use rowcall::{TEXT_FIELD, UnreadableKind};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::notes::Counted;
use super::parser::Rows;
use super::rules::{self, Earlier, Rules};
use super::{json_number, json_odd};
use crate::layout::{ERROR_FIELD, is_own};
use crate::record::{self, Field};

/// How many characters of a text that is not an object are shown.
const SHOWN: usize = 40;

/// Adds the row for `text`, which has no space around it; `place` says where it was found.
///
/// A repeated name has its last value, in the fields and in the record. A string, a number or a boolean becomes the
/// field `text` of a row. Otherwise the record stays unchanged, except for fields that [`Rules`] drop, and for `NaN`
/// and `Infinity`, which are not JSON and become null.
pub(crate) fn push_value(text: &[u8], place: impl fmt::Display, rules: &Rules, rows: &mut Rows) {
    let Ok(text) = std::str::from_utf8(text) else {
        return rules.push_not_text(&format!("{place}: the text"), record::EMPTY, rows);
    };
    let (text, nulled) = readable(text);
    let Object { stood, fields, values } = match object(&text) {
        Ok(object) => object,
        Err(Unfit { message, record }) => {
            return rows.push_unreadable(UnreadableKind::Input, format!("{place}: {message}"), record);
        }
    };
    if nulled > 0 {
        rules.notes.count(Counted::NotNumbers, nulled);
    }
    let failed = if rules.is_output(values.keys().map(String::as_str)) {
        rules.note_left_out();
        values.get(ERROR_FIELD).map(rules::failure)
    } else {
        None
    };
    let is_output = failed.is_some();
    let names = values.keys().map(String::as_str).filter(|name| !(is_output && is_own(name)));
    if let Some(problem) = rules.clash("the field", names) {
        let record = stood.map_or_else(|| record::join(&fields), str::to_owned);
        return rows.push_clash(&place, problem, record);
    }
    let row = || {
        let mut values = values;
        let record = if is_output {
            values.retain(|name, _| !is_own(name));
            record::join(fields.iter().filter(|field| !is_own(&field.name)))
        } else {
            stood.map_or_else(|| record::join(&fields), str::to_owned)
        };
        (values, record.into_bytes())
    };
    rules.push(failed.flatten(), rows, &place, row, || rules::with_error_only(&fields));
}

/// The fields of a record's text for a template, or why it has none. A row that failed in an earlier step never has
/// any.
pub(crate) fn fields_of(text: &[u8]) -> Result<Map<String, Value>, Earlier> {
    let only = |why| Earlier { why, violations: Vec::new() };
    let text = std::str::from_utf8(text).map_err(|_| only("the text is not UTF-8".to_owned()))?;
    let Object { values, .. } = object(text).map_err(|why| only(why.message))?;
    match values.get(ERROR_FIELD).and_then(rules::failure) {
        Some(Earlier { why, violations }) => Err(Earlier { why: rules::earlier(&why), violations }),
        None => Ok(values),
    }
}

/// Why a text is not a row, and what can be kept of it.
struct Unfit {
    message: String,
    record: String,
}

/// `text` as an object if it is a scalar, with null for values such as `NaN` that only some writers produce; and how
/// many of these there were.
fn readable(text: &str) -> (Cow<'_, str>, u64) {
    let is_scalar = match text.as_bytes() {
        [b'"' | b'-' | b'0'..=b'9', ..] => true,
        _ => matches!(text, "true" | "false"),
    };
    if is_scalar && serde_json::from_str::<&RawValue>(text).is_ok() {
        return (Cow::Owned(format!("{{\"{TEXT_FIELD}\":{text}}}")), 0);
    }
    match json_odd::with_nulls(text) {
        Some((fixed, nulled)) if !is_json(text) && is_json(&fixed) => (Cow::Owned(fixed), nulled),
        Some(_) | None => (Cow::Borrowed(text), 0),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The parts of an object's text.
struct Object<'a> {
    /// The text, unless it has a repeated name.
    stood: Option<&'a str>,
    /// The fields as they are spelled in the text.
    fields: Vec<Field<'a>>,
    /// The fields as a template sees them.
    values: Map<String, Value>,
}

fn object(text: &str) -> Result<Object<'_>, Unfit> {
    let unfit = |message, record: &str| Unfit { message, record: record.to_owned() };
    if !text.starts_with('{') {
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        let message = format!("expected a JSON object or a string, found `{shown}{more}`");
        return Err(unfit(message, record::EMPTY));
    }
    let fields = record::fields(text).map_err(|error| {
        let column = if error.line() == 1 { format!(" (column {})", error.column()) } else { String::new() };
        // Half of a surrogate pair in a name: the record cannot stay unchanged, but everything else in it can.
        let whole = json_odd::without_surrogates(text).filter(|text| record::fields(text).is_ok());
        unfit(syntax(&error) + &column, whole.as_deref().unwrap_or(record::EMPTY))
    })?;
    let mut values = Map::with_capacity(fields.len());
    for field in &fields {
        let value = serde_json::from_str(field.raw).map_err(|error| {
            let message = format!("the field `{}`: {}", field.name, syntax(&error));
            unfit(message, text)
        })?;
        values.insert(field.name.clone().into_owned(), json_number::as_spelled(field.raw, value));
    }
    Ok(if values.len() == fields.len() {
        Object { stood: Some(text), fields, values }
    } else {
        Object { stood: None, fields: record::last_wins(fields), values }
    })
}

/// A parser's message without the position, which it counts from the start of the text it was given.
fn syntax(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if message.starts_with("trailing characters") {
        return "unexpected text after the JSON value, expected a single value, such as one per line"
            .to_owned();
    }
    let is_half = ["lone leading surrogate", "unexpected end of hex escape"];
    if is_half.iter().any(|words| message.starts_with(words)) {
        return "half of a surrogate pair, such as `\\ud83d`, is not a character, expected both halves, such as `\\ud83d\\ude00`"
            .to_owned();
    }
    message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (raw, expected) in [
            ("7", "7"),
            ("1.50", "1.50"),
            ("18446744073709551616", "18446744073709551616"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("0.10000000000000000001", "0.10000000000000000001"),
            ("[1e400,{\"n\":20000000000000000000001}]", "[1e400,{\"n\":20000000000000000000001}]"),
        ] {
            let text = format!("{{\"n\":{raw}}}");
            let values = fields_of(text.as_bytes()).expect("a row");
            assert_eq!(values["n"].to_string(), expected, "{raw}");
        }
    }
}
