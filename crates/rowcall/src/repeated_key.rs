//! Finds keys that occur twice in an object of a JSON text; a parsed value keeps only the last.

use std::collections::HashSet;
use std::fmt;

use memchr::memchr2;
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Whether some object of `text`, which is valid JSON and was parsed into `value`, has a duplicate key.
pub(crate) fn repeats_key(text: &str, value: &Value) -> bool {
    count_keys(value) != count_members(text)
}

/// How many keys the objects in a value have.
fn count_keys(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len() + fields.values().map(count_keys).sum::<usize>(),
        Value::Array(items) => items.iter().map(count_keys).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// How many members the objects in a valid JSON text have: each has a colon outside of strings.
fn count_members(text: &str) -> usize {
    let (mut members, mut rest) = (0, text.as_bytes());
    while let Some((at, is_quote)) = memchr2(b'"', b':', rest).map(|at| (at, rest.get(at) == Some(&b'"'))) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if is_quote {
            rest = after_string(rest);
        } else {
            members += 1;
        }
    }
    members
}

/// What follows the string that `rest` begins in.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        let is_end = rest.get(at) == Some(&b'"');
        // An escaped character begins with one byte that may be a quote.
        rest = rest.get(at + if is_end { 1 } else { 2 }..).unwrap_or_default();
        if is_end {
            return rest;
        }
    }
    &[]
}

/// The first name that an object of `text`, which is valid JSON, has twice.
pub(crate) fn repeated_key(text: &str) -> Option<String> {
    let mut found = None;
    // The text is valid, so the search cannot fail.
    let _ = Search(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
    found
}

/// Visits a value and everything in it.
struct Search<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Search(&mut *self.0))?.is_some() {}
        Ok(())
    }

    // With the feature `arbitrary_precision`, serde_json also visits numbers as maps.
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if names.contains(&name) {
                self.0.get_or_insert(name);
            } else {
                names.insert(name);
            }
            fields.next_value_seed(Search(&mut *self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_and_quotes_within_strings_are_no_members() {
        for (text, members) in [
            ("", 0),
            ("1", 0),
            (r#"":""#, 0),
            (r#"{"a":1}"#, 1),
            (r#"{"a:b":":", "\":"":", "":\"":{"ä:":[":",{"":2}]}}"#, 5),
        ] {
            assert_eq!(count_members(text), members, "{text}");
        }
    }

    #[test]
    fn a_name_that_occurs_twice_in_one_object_is_found_at_any_depth() {
        for (text, expected) in [
            (r#"{"a":1,"b":{"a":2.50,"c":[{"d":1,"e":{}}]},"c":null}"#, None),
            (r#"{"a":1,"b":true,"a":2}"#, Some("a")),
            (r#"{"a":[{"x":[],"\u0078":-1e400}]}"#, Some("x")),
            (r#"[{"a":{"b":"","b":1},"a":3}]"#, Some("b")),
            ("12345678901234567890.10", None),
        ] {
            assert_eq!(repeated_key(text).as_deref(), expected, "{text}");
        }
    }
}
