//! Bodies in which an answer is JSON rather than text. Parsing an object with a duplicate key keeps only one of the two values, so
//! such an answer is kept as text and later rejected as invalid.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::repeated_key::repeats_key;

/// Parses `text`. A field for which `is_answer` says that it is an answer, or a part of one, becomes a string with its JSON text if
/// it contains a duplicate key.
///
/// # Errors
/// Those of the parser.
pub(super) fn read(text: &str, is_answer: impl Fn(&str, &Value) -> bool) -> serde_json::Result<Value> {
    let value = serde_json::from_str(text)?;
    if repeats_key(text, &value) { with_texts(text, &is_answer) } else { Ok(value) }
}

fn with_texts(text: &str, is_answer: &impl Fn(&str, &Value) -> bool) -> serde_json::Result<Value> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(text)?;
            let field = |(name, raw): (String, &RawValue)| {
                let value: Value = serde_json::from_str(raw.get())?;
                let is_twice = repeats_key(raw.get(), &value);
                let value = match is_twice {
                    true if is_answer(&name, &value) => Value::String(raw.get().to_owned()),
                    true => with_texts(raw.get(), is_answer)?,
                    false => value,
                };
                Ok((name, value))
            };
            fields.into_iter().map(field).collect::<serde_json::Result<_>>().map(Value::Object)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            items.into_iter().map(|item| with_texts(item.get(), is_answer)).collect()
        }
        Some(_) | None => serde_json::from_str(text),
    }
}

/// The fields of an object, in order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
            fields.push((name, raw));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_with_a_duplicate_key_stays_text() {
        for (text, expected) in [
            (
                r#"{"a":{"input":{"x":1,"y":[{"x":2}]}},"x":3}"#,
                json!({"a": {"input": {"x": 1, "y": [{"x": 2}]}}, "x": 3}),
            ),
            (r#"[{"input": {"x":1, "x":2}, "b":[1]}]"#, json!([{"input": "{\"x\":1, \"x\":2}", "b": [1]}])),
            (r#"{"input":{"y":[{"x":1,"x":1}]}}"#, json!({"input": "{\"y\":[{\"x\":1,\"x\":1}]}"})),
            (r#"{"other":{"x":1,"x":2},"input":{"x":1}}"#, json!({"other": {"x": 2}, "input": {"x": 1}})),
        ] {
            assert_eq!(read(text, |name, _| name == "input").expect("JSON"), expected);
        }
        assert!(read("{", |_, _| true).is_err());
    }
}
