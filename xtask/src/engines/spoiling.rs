//! Values with one thing wrong.

use serde_json::{Value, json};

/// `value` with one thing wrong, in several ways: another type at each place, a property too many or too few, an item too many.
pub(super) fn spoilt(value: &Value) -> Vec<Value> {
    let mut found: Vec<Value> = others(value);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let mut without = fields.clone();
                without.shift_remove(name);
                found.push(Value::Object(without));
                for spoilt in spoilt(field) {
                    let mut with = fields.clone();
                    with.insert(name.clone(), spoilt);
                    found.push(Value::Object(with));
                }
            }
            let mut more = fields.clone();
            more.insert("not_in_the_schema".to_owned(), json!("x"));
            found.push(Value::Object(more));
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                for spoilt in spoilt(item) {
                    let mut with = items.clone();
                    if let Some(slot) = with.get_mut(number) {
                        *slot = spoilt;
                    }
                    found.push(Value::Array(with));
                }
            }
            found.push(items.iter().cloned().chain([json!({ "odd": 1 })]).collect());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

/// Values of other types, and one of the same type that is less likely.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![json!(0)],
        Value::Bool(_) => vec![json!("true")],
        Value::Number(_) => vec![json!("1"), json!(-1_000_003)],
        Value::String(text) => {
            let mut found = vec![json!(1), json!(""), json!("?!?")];
            found.extend(not_in_the_calendar(text));
            found
        }
        Value::Array(_) => vec![json!({}), json!(null)],
        Value::Object(_) => vec![json!([]), json!("x")],
    }
}

/// A date, or a date with a time, on a day that the month does not have.
fn not_in_the_calendar(text: &str) -> Option<Value> {
    let is_date = text.len() >= 10
        && text.bytes().take(10).enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let (year, rest) = (text.get(..4)?, text.get(10..)?);
    is_date.then(|| json!(format!("{year}-02-31{rest}")))
}
