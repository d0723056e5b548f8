//! Checks whether a schema excludes any value: `{"anyOf": [{}]}` has a keyword, and lets every answer pass.

use serde_json::{Map, Value};

use super::{COMMENTS, DEFINITIONS};
use crate::schema::JsonType;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::constrains;
use crate::schema::subschemas::target;

/// The most schemas that may apply to one value through one another; a longer chain is rejected elsewhere.
const LONGEST_CHAIN: usize = 64;

/// Whether `schema` is an object of keywords that excludes some value. References are followed within it.
pub(super) fn restricts(schema: &Value) -> bool {
    schema.is_object() && excludes(schema, schema, 0)
}

/// Whether `schema` excludes every value by a `not` of keywords that exclude none.
pub(super) fn excludes_all(schema: &Value) -> bool {
    let inner = schema.get("not").and_then(Value::as_object);
    inner.is_some_and(|keywords| {
        let are_known = keywords.keys().all(|name| constrains(name) || COMMENTS.contains(&name.as_str()));
        are_known && !excludes(&schema["not"], schema, 0)
    })
}

/// Whether this is a keyword of JSON Schema, with something that may be its value.
pub(super) fn is_keyword(name: &str, value: &Value) -> bool {
    let takes_text = matches!(name, "$ref" | "$dynamicRef" | "$recursiveRef");
    DEFINITIONS.contains(&name)
        || constrains(name) && (takes_text || !value.is_string() && !matches!(name, "format" | "pattern"))
}

fn excludes(schema: &Value, root: &Value, depth: usize) -> bool {
    let keywords = match schema {
        Value::Bool(allows) => return !allows,
        Value::Object(keywords) if depth < LONGEST_CHAIN => keywords,
        // Anything that is not a schema is rejected elsewhere.
        _ => return true,
    };
    let inner = |schema: &Value| excludes(schema, root, depth + 1);
    keywords.iter().any(|(name, value)| match (name.as_str(), value) {
        ("type", value) => is_type(keywords, value) && JsonTypes::spelled(value) != JsonTypes::ANY,
        ("$ref", Value::String(reference)) => target(root, reference).is_none_or(|(_, schema)| inner(schema)),
        ("$dynamicRef" | "$recursiveRef" | "format" | "pattern", value) => value.is_string(),
        ("$ref" | "if", _) | ("not", Value::Bool(false)) => false,
        ("items" | "not", value) if !(value.is_object() || value.is_array() || value.is_boolean()) => false,
        (
            "items"
            | "additionalItems"
            | "unevaluatedItems"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "propertyNames",
            schema @ (Value::Object(_) | Value::Bool(_)),
        ) => inner(schema),
        ("then" | "else", schema) => keywords.contains_key("if") && inner(schema),
        (
            "properties" | "patternProperties" | "dependentRequired" | "dependentSchemas" | "dependencies",
            Value::Object(named),
        ) => !named.is_empty(),
        ("required" | "prefixItems", Value::Array(listed)) => !listed.is_empty(),
        ("allOf", Value::Array(all)) => all.iter().any(inner),
        ("anyOf", Value::Array(all)) => all.iter().all(inner),
        ("oneOf", Value::Array(all)) => all.len() != 1 || all.iter().all(inner),
        ("minLength" | "minItems" | "minProperties", Value::Number(least)) => least.as_f64() != Some(0.0),
        ("uniqueItems", Value::Bool(unique)) => *unique,
        (name, _) => constrains(name),
    })
}

/// Whether `value` is meant as a type. An unknown type is a misspelling, unless other keys suggest that this is not a schema.
fn is_type(keywords: &Map<String, Value>, value: &Value) -> bool {
    let alone = keywords.keys().all(|name| name == "type" || COMMENTS.contains(&name.as_str()));
    match value {
        Value::String(name) => {
            alone || JsonType::named(name).is_some() || JsonType::named(&name.to_lowercase()).is_some()
        }
        _ => true,
    }
}
