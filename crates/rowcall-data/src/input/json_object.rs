//! A row from the text of a JSON object. The record is that text; where objects begin and end is for `json_lines.rs`
//! and `json_array.rs` to find.

use std::collections::HashSet;
use std::fmt;

use rowcall::UnreadableKind;
use serde_json::{Map, Value};

use super::parser::Rows;
use crate::record;

/// How much of a text that is no object is shown, in characters.
const SHOWN: usize = 40;

/// Adds the row that `text`, without space around it, stands for; `place` is where it was found.
///
/// A name that comes twice has its last value, in the fields and in the record, which then is the only one that
/// does not stand as it stood.
pub(crate) fn push_object(
    text: &[u8],
    place: impl fmt::Display,
    reserved: &HashSet<String>,
    rows: &mut Rows,
) {
    match object(text) {
        Ok((text, fields)) => match fields.keys().find(|name| reserved.contains(*name)) {
            Some(name) => {
                let message =
                    format!("{place}: the field `{name}` has the name of a field that the output adds");
                rows.push_unreadable(UnreadableKind::Clash, message, text);
            }
            None => rows.push(fields, text),
        },
        Err(message) => {
            rows.push_unreadable(UnreadableKind::Input, format!("{place}: {message}"), record::EMPTY);
        }
    }
}

/// The fields that the text of a JSON object has for a template, or why it has none.
pub(crate) fn fields_of(text: &[u8]) -> Result<Map<String, Value>, String> {
    object(text).map(|(_, fields)| fields)
}

fn object(bytes: &[u8]) -> Result<(String, Map<String, Value>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the text is not UTF-8".to_owned())?;
    if !text.starts_with('{') {
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        return Err(format!("expected a JSON object, found `{shown}{more}`"));
    }
    let fields = record::fields(text).map_err(|error| {
        let column = if error.line() == 1 { format!(" (column {})", error.column()) } else { String::new() };
        syntax(&error) + &column
    })?;
    let mut values = Map::with_capacity(fields.len());
    for field in &fields {
        let value =
            value(field.raw).map_err(|error| format!("the field `{}`: {}", field.name, syntax(&error)))?;
        values.insert(field.name.clone().into_owned(), value);
    }
    let text =
        if values.len() == fields.len() { text.to_owned() } else { record::join(&record::last_wins(fields)) };
    Ok((text, values))
}

/// A field's value for a template. A number that would come out of parsing as another number, such as one of 20 digits,
/// becomes a string as it is spelled, so that a prompt shows what the input says.
fn value(raw: &str) -> serde_json::Result<Value> {
    if !raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return serde_json::from_str(raw);
    }
    let exact = serde_json::from_str::<Value>(raw).ok().filter(|value| {
        let printed = value.to_string();
        printed == raw || decimal(&printed) == decimal(raw)
    });
    Ok(exact.unwrap_or_else(|| Value::String(raw.to_owned())))
}

/// A decimal number as its sign, its digits without zeros at either end, and the power of ten of the last digit.
fn decimal(number: &str) -> (bool, String, i128) {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let kept = digits.trim_end_matches('0');
    let power = exponent
        .parse::<i128>()
        .unwrap_or(i128::MAX)
        .saturating_sub(fraction.len() as i128)
        .saturating_add((digits.len() - kept.len()) as i128);
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        (false, String::new(), 0)
    } else {
        (mantissa.starts_with('-'), kept.to_owned(), power)
    }
}

/// A parser's message without the place, which it counts from the start of the text that it was given.
fn syntax(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_parsing_would_change_are_strings() {
        for (raw, expected) in [
            ("7", "7"),
            ("1.50", "1.5"),
            ("1e3", "1000.0"),
            ("0.1", "0.1"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "\"18446744073709551616\""),
            ("12345678901234567890123", "\"12345678901234567890123\""),
            ("1e23", "1e+23"),
            ("0.10000000000000000001", "\"0.10000000000000000001\""),
            ("1e400", "\"1e400\""),
            ("1e-99999999999999999999", "\"1e-99999999999999999999\""),
            ("-0", "-0.0"),
            ("0e99999999999999999999", "0.0"),
        ] {
            assert_eq!(value(raw).unwrap().to_string(), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn a_number_that_stays_one_is_the_same_number(
            whole in -99_999i64..99_999,
            fraction in "[0-9]{1,12}",
            exponent in -20i32..20,
        ) {
            let raw = format!("{whole}.{fraction}e{exponent}");
            match value(&raw).unwrap() {
                Value::Number(number) => prop_assert_eq!(decimal(&number.to_string()), decimal(&raw)),
                other => prop_assert_eq!(other, Value::String(raw)),
            }
        }
    }
}
