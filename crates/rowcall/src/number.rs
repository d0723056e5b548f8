//! JSON numbers as decimals: whether they are whole, and whether a 64-bit float represents them exactly. Numbers are kept as digits
//! everywhere, so that none is rounded between answer and output.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::violation::escaped;

mod decimal;

pub(crate) use decimal::Decimal;

/// The most trailing zeros with which a number with an exponent is written out.
const MOST_WRITTEN_OUT: i64 = 40;

/// Whether a text is ambiguous between a fraction and a whole number with dots between thousands: `5.000`.
pub(crate) fn is_grouped_by_dots(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['-', '+']);
    let mut groups = digits.split('.');
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let mut others = groups.peekable();
    (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && is_digits(first)
        && others.peek().is_some()
        && others.all(|group| group.len() == 3 && is_digits(group))
}

/// The digits of a whole number, if it is one: `3` for `3.0` and `1200` for `1.2e3`. `None` for a number that would end
/// with more than 40 zeros.
pub(crate) fn whole(number: &Number) -> Option<String> {
    let text = number.as_str();
    if !text.contains(['.', 'e', 'E']) {
        return Some(text.to_owned());
    }
    let Decimal { is_negative, digits, exponent } = Decimal::of(text);
    if !(0..=MOST_WRITTEN_OUT).contains(&exponent) {
        return None;
    }
    let zeros = "0".repeat(usize::try_from(exponent).ok()?);
    let sign = if is_negative { "-" } else { "" };
    Some(if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}{zeros}") })
}

/// Whether a 64-bit float represents the number: converted to a float and back, it is the same decimal.
pub fn is_exact_as_float(number: &Number) -> bool {
    let text = number.as_str();
    // Every decimal with this few digits survives, as long as its exponent is small.
    if text.len() <= 15 && !text.contains(['e', 'E']) {
        return true;
    }
    let Some(float) = number.as_f64() else { return false };
    Decimal::of(text) == Decimal::of(&format!("{float:e}"))
}

/// `value` as a `T`. A type that holds fewer digits than the number has, such as `f64`, gets the nearest float.
///
/// # Errors
/// Those of `T`.
pub(crate) fn deserialised<T: DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(value).or_else(|error| {
        // Within tagged and flattened types, serde passes on only numbers that fit Rust's own types.
        if has(value, is_beyond_types) {
            T::deserialize(&as_floats(value)).map_err(|_| error)
        } else {
            Err(error)
        }
    })
}

fn is_beyond_types(number: &Number) -> bool {
    !is_exact_as_float(number) && number.as_i128().is_none() && number.as_u128().is_none()
}

fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) if is_beyond_types(number) => number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.iter().map(as_floats).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), as_floats(field))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Whether a number is too large for a 64-bit float. Whole numbers written out in digits are never too large.
pub(crate) fn is_too_large(number: &Number) -> bool {
    number.as_str().contains(['.', 'e', 'E']) && number.as_f64().is_none()
}

/// The locations in `value` with numbers that are too large, as JSON Pointers, at most `most`.
pub(crate) fn too_large(value: &Value, most: usize) -> Vec<(String, &Number)> {
    fn walk<'v>(value: &'v Value, path: &mut String, found: &mut Vec<(String, &'v Number)>, most: usize) {
        let length = path.len();
        match value {
            Value::Number(number) if found.len() < most && is_too_large(number) => {
                found.push((path.clone(), number));
            }
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    path.push_str(&format!("/{position}"));
                    walk(item, path, found, most);
                    path.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    path.push('/');
                    path.push_str(&escaped(name));
                    walk(field, path, found, most);
                    path.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    if has_too_large(value) {
        walk(value, &mut String::new(), &mut found, most);
    }
    found
}

/// A copy of `value` with zeros for the numbers that are too large; `None` if it has no such number.
pub(crate) fn without_too_large(value: &Value) -> Option<Value> {
    fn replace(value: &mut Value) {
        match value {
            Value::Number(number) if is_too_large(number) => *value = Value::from(0),
            Value::Array(items) => items.iter_mut().for_each(replace),
            Value::Object(fields) => fields.values_mut().for_each(replace),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    has_too_large(value).then(|| {
        let mut value = value.clone();
        replace(&mut value);
        value
    })
}

/// Whether `value` has a number that is too large for a 64-bit float.
pub(crate) fn has_too_large(value: &Value) -> bool {
    has(value, is_too_large)
}

/// The number of significant digits that a 64-bit float preserves for every decimal; a sign and a point may be among them.
const SHORT: usize = 15;

/// Whether a number needs to be compared by its digits: with at most 15 digits, floats compare as decimals do.
fn is_long(number: &Number) -> bool {
    let text = number.as_str();
    text.len() > SHORT || text.contains(['e', 'E'])
}

/// Whether any number in `value` needs to be compared by its digits.
pub(crate) fn has_long(value: &Value) -> bool {
    has(value, is_long)
}

/// Whether two values are equal as JSON Schema defines it: numbers by value, however they are written, and objects in any
/// order.
pub(crate) fn are_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_str() == other.as_str() || Decimal::of(one.as_str()) == Decimal::of(other.as_str())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_equal = |(name, field): (&String, &Value)| {
                other.get(name).is_some_and(|other| are_equal(field, other))
            };
            one.len() == other.len() && one.iter().all(has_equal)
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => one == other,
    }
}

/// Whether `value` is equal to one of `members`.
pub(crate) fn is_among<'v>(value: &Value, members: impl IntoIterator<Item = &'v Value>) -> bool {
    members.into_iter().any(|member| are_equal(value, member))
}

/// A text that is the same for two values exactly if they are equal.
pub(crate) fn canonical(value: &Value) -> String {
    fn write(value: &Value, text: &mut String) {
        match value {
            Value::Number(number) => text.push_str(&Decimal::of(number.as_str()).to_string()),
            Value::Array(items) => {
                text.push('[');
                for item in items {
                    write(item, text);
                    text.push(',');
                }
                text.push(']');
            }
            Value::Object(fields) => write_sorted(fields, text),
            Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
        }
    }
    fn write_sorted(fields: &Map<String, Value>, text: &mut String) {
        let mut sorted: Vec<_> = fields.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        text.push('{');
        for (name, field) in sorted {
            text.push_str(&Value::from(name.as_str()).to_string());
            text.push(':');
            write(field, text);
            text.push(',');
        }
        text.push('}');
    }
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// Whether any number in `value` has an exponent.
pub(crate) fn has_exponent(value: &Value) -> bool {
    has(value, |number| number.as_str().contains(['e', 'E']))
}

/// Whether any number in `value` is `wanted`.
fn has(value: &Value, wanted: fn(&Number) -> bool) -> bool {
    match value {
        Value::Number(number) => wanted(number),
        Value::Array(items) => items.iter().any(|item| has(item, wanted)),
        Value::Object(fields) => fields.values().any(|field| has(field, wanted)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).expect("a number")
    }

    #[test]
    fn whole_numbers_are_written_out_exactly() {
        for (text, digits) in [
            ("12345678901234567890123", Some("12345678901234567890123")),
            ("3.0", Some("3")),
            ("-1.20e3", Some("-1200")),
            ("12345678901234567890.0", Some("12345678901234567890")),
            ("1e22", Some("10000000000000000000000")),
            ("-0.0", Some("0")),
            ("0e9", Some("0")),
            ("0.5", None),
            ("12345678901234567.5", None),
            ("1e-1", None),
            ("1e999999999999999999999", None),
        ] {
            assert_eq!(whole(&number(text)).as_deref(), digits, "{text}");
        }
    }

    #[test]
    fn numbers_that_a_float_would_round_are_detected() {
        for (text, exact) in [
            ("0.1", true),
            ("1.50", true),
            ("0.30000000000000004", true),
            ("9007199254740992", true),
            ("9007199254740993", false),
            ("0.12345678901234567890", false),
            ("123456789.123456789123", false),
            ("1e300", true),
            ("1e400", false),
            ("1e-400", false),
            ("100000000000000000000", true),
        ] {
            assert_eq!(is_exact_as_float(&number(text)), exact, "{text}");
        }
    }

    #[test]
    fn types_get_the_numbers_that_they_can_hold() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        enum Shape {
            Circle { radius: f64, id: u64, note: Option<Value> },
        }
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Outer {
            #[serde(flatten)]
            shape: Shape,
            count: i32,
        }
        let text = r#"{"kind":"circle","radius":0.12345678901234567890123,"id":18446744073709551615,
            "note":3,"count":-7}"#;
        let value: Value = serde_json::from_str(text).expect("JSON");
        let circle =
            Shape::Circle { radius: 0.123_456_789_012_345_68, id: u64::MAX, note: Some(Value::from(3)) };
        assert_eq!(deserialised::<Outer>(&value).expect("it fits"), Outer { shape: circle, count: -7 });
        let digits: Value = serde_json::from_str("-123456789012345678901234567890").expect("JSON");
        assert_eq!(deserialised::<i128>(&digits).expect("it fits"), -123_456_789_012_345_678_901_234_567_890);
        assert!(deserialised::<i64>(&digits).is_err());
        assert!(deserialised::<u64>(&Value::from(-1)).is_err());
    }

    #[test]
    fn values_are_compared_by_the_values_of_their_numbers() {
        let value = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
        for (one, other, equal) in [
            ("1", "1.0", true),
            ("1e2", "100", true),
            (r#"{"a":1,"b":[2.50]}"#, r#"{"b":[2.5],"a":1}"#, true),
            ("9007199254740993", "9007199254740992", false),
            ("0.1", "0.10000000000000000001", false),
            ("1", "\"1\"", false),
            ("[1]", "[1,1]", false),
            (r#"{"a":null}"#, r#"{"b":null}"#, false),
        ] {
            let (one, other) = (value(one), value(other));
            assert_eq!(are_equal(&one, &other), equal, "{one} {other}");
            assert_eq!(canonical(&one) == canonical(&other), equal, "{one} {other}");
        }
    }

    #[test]
    fn numbers_that_are_too_large_are_located() {
        let value: Value =
            serde_json::from_str(r#"{"a/b":[1,1e400],"c":-5E85518451,"d":1e-400,"e":0e999}"#).expect("JSON");
        let found = too_large(&value, 8);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/a~1b/1", "/c"]);
        let plain = without_too_large(&value).expect("some are too large").to_string();
        assert_eq!(plain, r#"{"a/b":[1,0],"c":0,"d":1e-400,"e":0e+999}"#);
        let digits = "9".repeat(400);
        assert!(too_large(&serde_json::from_str(&digits).expect("a number"), 8).is_empty());
    }
}
