//! Takes the text of a JSON object apart and puts it together without touching its values: numbers keep their
//! spelling, keys their order. What the fields mean to a template or a column is decided elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The record of a row that could not be read at all.
pub(crate) const EMPTY: &str = "{}";

/// One field of an object's text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field<'a> {
    /// The name, unescaped.
    pub name: Cow<'a, str>,
    /// The value's text, unchanged.
    pub raw: &'a str,
}

/// The fields of the object in `text`, in its order, including repeated names.
pub(crate) fn fields(text: &str) -> serde_json::Result<Vec<Field<'_>>> {
    serde_json::from_str(text).map(|Fields(fields)| fields)
}

struct Fields<'a>(Vec<Field<'a>>);

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
        #[derive(serde::Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut fields = Vec::new();
        while let Some((Name(name), raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            fields.push(Field { name, raw: raw.get() });
        }
        Ok(Fields(fields))
    }
}

/// `fields` without repeated names: the last value at the first position, as JSON readers do it.
pub(crate) fn last_wins(fields: Vec<Field<'_>>) -> Vec<Field<'_>> {
    let mut places = HashMap::with_capacity(fields.len());
    let mut kept: Vec<Field<'_>> = Vec::with_capacity(fields.len());
    for field in fields {
        let place = *places.entry(field.name.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => earlier.raw = field.raw,
            None => kept.push(field),
        }
    }
    kept
}

/// An object's text, from the texts of its values.
pub(crate) fn join<'a>(fields: impl IntoIterator<Item = &'a Field<'a>>) -> String {
    let mut text = String::from("{");
    for field in fields {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&quoted(&field.name));
        text.push(':');
        text.push_str(field.raw);
    }
    text.push('}');
    text
}

/// Appends `value` as JSON text. Strings and JSON values always serialise, and writing to a `Vec` never fails.
pub(crate) fn push_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).unwrap_or_default();
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON `text` on one line. It is unchanged unless it has line breaks, which can only be between tokens; then all
/// space between tokens is removed.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut in_string, mut escaped) = (false, false);
    let kept = text.chars().filter(|&character| {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            return true;
        }
        in_string = character == '"';
        !matches!(character, ' ' | '\t' | '\n' | '\r')
    });
    Cow::Owned(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_spelling() {
        let text = r#"{ "a" : 1.50, "b\n":[1, {"c":12345678901234567890}], "a": "\u00e9" }"#;
        let fields = fields(text).unwrap();
        let shown: Vec<_> = fields.iter().map(|field| (&*field.name, field.raw)).collect();
        assert_eq!(
            shown,
            [("a", "1.50"), ("b\n", r#"[1, {"c":12345678901234567890}]"#), ("a", r#""\u00e9""#)]
        );
        let kept = last_wins(fields);
        assert_eq!(join(&kept), r#"{"a":"\u00e9","b\n":[1, {"c":12345678901234567890}]}"#);
        assert_eq!(join(&[]), "{}");
    }

    #[test]
    fn one_line_removes_line_breaks_outside_strings() {
        for (text, expected) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("{\n  \"a b\": [1,\r\n 2]\n}", r#"{"a b":[1,2]}"#),
            ("{\n\"a \\\" b\\\\\": \" c \"}", r#"{"a \" b\\":" c "}"#),
        ] {
            assert_eq!(one_line(text), expected);
        }
    }
}
