//! Fields of a row as the template engine's values. Numbers keep their digits: what neither its integers nor its floats hold is
//! rendered as it stands.

use std::fmt;
use std::sync::Arc;

use minijinja::Value as Field;
use minijinja::value::Object;
use serde_json::{Map, Number, Value};

use crate::number::is_exact_as_float;

/// A number as its digits.
#[derive(Debug)]
struct Digits(String);

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fields by name, in their order.
pub(super) fn all(fields: &Map<String, Value>) -> Field {
    Field::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), one(value))))
}

/// One field.
pub(super) fn one(value: &Value) -> Field {
    match value {
        Value::Null => Field::from(()),
        Value::Bool(value) => Field::from(*value),
        Value::Number(value) => number(value),
        Value::String(text) => Field::from(text.as_str()),
        Value::Array(items) => items.iter().map(one).collect(),
        Value::Object(fields) => all(fields),
    }
}

fn number(number: &Number) -> Field {
    if let Some(number) = number.as_i64() {
        return Field::from(number);
    }
    if let Some(number) = number.as_i128() {
        return Field::from(number);
    }
    if let Some(number) = number.as_u128() {
        return Field::from(number);
    }
    match number.as_f64().filter(|_| is_exact_as_float(number)) {
        Some(number) => Field::from(number),
        None => Field::from_object(Digits(number.as_str().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_reach_a_prompt_with_their_digits() {
        let environment = minijinja::Environment::new();
        for (json, rendered) in [
            ("3", "3"),
            ("1.5", "1.5"),
            ("3.0", "3.0"),
            ("18446744073709551616", "18446744073709551616"),
            ("-9223372036854775809", "-9223372036854775809"),
            (
                "123456789012345678901234567890123456789012345",
                "123456789012345678901234567890123456789012345",
            ),
            ("0.12345678901234567890", "0.12345678901234567890"),
        ] {
            let fields: Map<String, Value> =
                serde_json::from_str(&format!("{{\"n\":{json}}}")).expect("an object");
            let text = environment.render_str("{{ n }}", all(&fields)).expect("renders");
            assert_eq!(text, rendered);
        }
    }
}
