//! Converts a row's fields to the template engine's values. `spelling.rs` decides how numbers are written.

use minijinja::Value as Field;
use serde_json::{Map, Value};

use super::null;
use super::spelling::{self, Numbers};

/// How to convert the values for which the engine has more than one form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forms<'a> {
    pub(super) numbers: &'a Numbers,
    pub(super) nulls: Nulls,
}

/// How nulls are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// To the engine's own null.
    None,
    /// To a value that writes a mark.
    Marked,
}

/// The fields by name, in order.
pub(super) fn all(fields: &Map<String, Value>, forms: Forms<'_>) -> Field {
    let fields = fields.iter().map(|(name, value)| (name.as_str(), one(value, forms)));
    Field::from_pairs(fields.chain(forms.numbers.variable()))
}

/// One field.
pub(super) fn one(value: &Value, forms: Forms<'_>) -> Field {
    match value {
        Value::Null if forms.nulls == Nulls::Marked => null::marked(),
        Value::Null => Field::from(()),
        Value::Bool(value) => Field::from(*value),
        Value::Number(value) => spelling::number(value, forms.numbers),
        Value::String(text) => Field::from(text.as_str()),
        Value::Array(items) => items.iter().map(|item| one(item, forms)).collect(),
        Value::Object(fields) => {
            Field::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), one(value, forms))))
        }
    }
}
