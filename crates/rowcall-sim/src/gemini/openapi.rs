//! Gemini's older form of a schema, `responseSchema` and `parameters`: a subset of OpenAPI 3.0, checked and converted
//! to JSON Schema.

use serde_json::{Map, Value, json};

use crate::ask::shape::snake_case;
use crate::complaint::Complaint;

/// The permitted keywords, in camelCase or snake_case. `additionalProperties` is in Google's message type as well,
/// but is rejected all the same.
const KEYWORDS: [&str; 22] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "propertyOrdering",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "anyOf",
    "default",
    "example",
];
const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

/// The schema as JSON Schema, or Google's error for it.
pub(super) fn json_schema(schema: &Value) -> Result<Value, Complaint> {
    convert(schema, &mut Vec::new())
}

fn convert(schema: &Value, path: &mut Vec<String>) -> Result<Value, Complaint> {
    let Value::Object(given) = schema else {
        return Err(Complaint::new(path, "schema must be an object."));
    };
    let mut keywords = Map::new();
    for (name, value) in given {
        let known = KEYWORDS.into_iter().find(|known| known == name || snake_case(known) == *name);
        let Some(known) = known else {
            let what = format!("Unknown name \"{name}\": Cannot find field.");
            return Err(Complaint::new(path, what));
        };
        if !value.is_null() {
            keywords.insert(known.to_owned(), value.clone());
        }
    }
    judge(&mut keywords, path)?;
    let mut inner = |steps: &[&str], schema: &Value| {
        let before = path.len();
        path.extend(steps.iter().map(|&step| step.to_owned()));
        let converted = convert(schema, path)?;
        path.truncate(before);
        Ok(converted)
    };
    if let Some(items) = keywords.get_mut("items") {
        *items = inner(&["items"], items)?;
    }
    for (name, schema) in keywords.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
    {
        *schema = inner(&["properties", name], schema)?;
    }
    let branches = keywords.get_mut("anyOf").and_then(Value::as_array_mut);
    for (n, schema) in branches.into_iter().flatten().enumerate() {
        *schema = inner(&["anyOf", &n.to_string()], schema)?;
    }
    for word in ["example", "default", "propertyOrdering"] {
        keywords.shift_remove(word);
    }
    let nullable = keywords.shift_remove("nullable") == Some(Value::Bool(true));
    let schema = Value::Object(keywords);
    Ok(if nullable { json!({ "anyOf": [schema, { "type": "null" }] }) } else { schema })
}

fn judge(keywords: &mut Map<String, Value>, path: &[String]) -> Result<(), Complaint> {
    let complain = |what: &str| Err(Complaint::new(path, what));
    let kind = match keywords.get("type") {
        Some(Value::String(name)) => name.to_ascii_lowercase(),
        None if keywords.contains_key("anyOf") => return Ok(()),
        _ => return complain("type: must be specified."),
    };
    if !TYPES.contains(&kind.as_str()) {
        return complain("type: must be one of STRING, NUMBER, INTEGER, BOOLEAN, ARRAY and OBJECT.");
    }
    if kind == "array" && !keywords.contains_key("items") {
        return complain("items: missing field.");
    }
    let properties = keywords.get("properties").and_then(Value::as_object);
    if kind == "object" && properties.is_none_or(Map::is_empty) {
        return complain("properties: should be non-empty for OBJECT type");
    }
    if let Some(values) = keywords.get("enum") {
        let text =
            values.as_array().is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_string));
        if kind != "string" || !text {
            return complain("enum: only allowed for STRING type");
        }
    }
    // Counts are 64-bit integers, which Google accepts as text.
    for word in ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"] {
        let Some(count) = keywords.get_mut(word) else { continue };
        let number = count.as_u64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
        match number {
            Some(number) => *count = json!(number),
            None => return complain(&format!("{word}: must be a count.")),
        }
    }
    keywords.insert("type".to_owned(), json!(kind));
    Ok(())
}
