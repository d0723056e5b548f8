//! Finds a JSON Schema in a prompt's text, for the modes that give the schema to the model only in words.

use std::ops::Range;

use serde_json::Value;

/// How many opening braces are tried as the beginning of a schema.
const TRIES: usize = 32;

/// A schema and its byte range in the text.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) schema: Value,
    pub(super) range: Range<usize>,
}

/// The first JSON Schema in `text` that the simulator can make a value for.
pub(super) fn find(text: &str) -> Option<Found> {
    const SIGNS: [&str; 8] = ["type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"];
    if !SIGNS.iter().any(|sign| text.contains(&format!("\"{sign}\""))) {
        return None;
    }
    let mut from = 0;
    for _ in 0..TRIES {
        let at = from + text.get(from..)?.find('{')?;
        let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<Value>();
        let parsed = values.next().and_then(Result::ok);
        let end = at + if parsed.is_some() { values.byte_offset() } else { 1 };
        if let Some(schema) = parsed.filter(is_schema) {
            return Some(Found { schema, range: at..end });
        }
        from = end;
    }
    None
}

fn is_schema(value: &Value) -> bool {
    const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];
    let typed = value.get("type").and_then(Value::as_str).is_some_and(|name| TYPES.contains(&name));
    // A recursive Pydantic model is a reference to one of its definitions.
    let refers =
        value.get("$ref").and_then(Value::as_str).is_some_and(|reference| reference.starts_with('#'));
    let combines =
        ["anyOf", "oneOf", "allOf"].iter().any(|keyword| value.get(keyword).is_some_and(Value::is_array));
    let describes = value.get("properties").is_some_and(Value::is_object)
        || value.get("enum").is_some_and(Value::is_array)
        || value.get("const").is_some();
    (typed || refers || combines || describes) && crate::value::supported(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_found_among_other_braces() {
        let text = "Use {braces} and {\"type\": \"car\"}. Schema: {\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}} for {{x}}";
        let found = find(text).unwrap();
        assert_eq!(
            found.schema,
            serde_json::json!({ "type": "object", "properties": { "a": { "type": "string" } } })
        );
        assert_eq!(
            text.get(found.range),
            Some("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}")
        );
        for schema in [
            r##"{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"n":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]}}}}}"##,
            r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
            r#"{"enum":["a","b"]}"#,
        ] {
            assert!(find(&format!("Answer by {schema}")).is_some(), "{schema}");
        }
        assert!(find("{\"type\": \"truck\"} \"properties\" {").is_none());
        assert!(find(&"{\"type\":".repeat(100_000)).is_none());
    }
}
