//! The user's schema as it was given, for servers that receive it but do not enforce it. It is wrapped in an object if a tool
//! cannot have its root.

use serde_json::{Map, Value, json};

use super::WRAPPER;
use super::dialect::RootNames;
use crate::error::Problem;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::Place;
use crate::schema::subschemas::{Subschemas, target};

/// Keywords that OpenAI and Anthropic refuse at the root of a tool's schema.
const NOT_AT_ROOT: [&str; 5] = ["anyOf", "oneOf", "allOf", "not", "enum"];

/// Keywords that stay at the root of a schema that is wrapped.
const AT_ROOT: [&str; 3] = ["$schema", "$defs", "definitions"];

/// The schema `root` with an object at its root; `None` if it has to be wrapped for that.
pub(super) fn as_object(root: &Value) -> Option<Value> {
    let accepted = Place::new(root, vec![Part::new(String::new(), root)]).accepted(root);
    let plain = |named: &Map<String, Value>| named.keys().all(|name| RootNames::Plain.allow(name));
    let keywords = root.as_object().filter(|keywords| {
        accepted == JsonTypes::OBJECT
            && !NOT_AT_ROOT.iter().any(|keyword| keywords.contains_key(*keyword))
            && keywords.get("properties").and_then(Value::as_object).is_none_or(plain)
    })?;
    let mut schema = Map::new();
    if keywords.get("type") != Some(&json!("object")) {
        schema.insert("type".to_owned(), json!("object"));
    }
    for (keyword, value) in keywords.iter().filter(|(keyword, value)| !is_about_document(keyword, value)) {
        schema.entry(keyword).or_insert_with(|| value.clone());
    }
    Some(Value::Object(schema))
}

/// The schema `root` as the only property of an object, with its definitions at the root.
///
/// # Errors
/// None for a schema that was taken from the user.
pub(super) fn wrapped(root: &Value) -> Result<Value, Problem> {
    let mut inner = root.clone();
    for subschema in Subschemas::of(root)?.all() {
        let reference = subschema.schema.get("$ref").and_then(Value::as_str);
        let moved = reference.and_then(|reference| moved(root, reference));
        let slot = inner.pointer_mut(&subschema.pointer).and_then(|schema| schema.get_mut("$ref"));
        if let (Some(moved), Some(slot)) = (moved, slot) {
            *slot = Value::String(moved);
        }
    }
    let mut outer = Map::new();
    if let Value::Object(keywords) = &mut inner {
        keywords.retain(|keyword, value| !is_about_document(keyword, value));
        for keyword in AT_ROOT {
            outer.extend(keywords.shift_remove(keyword).map(|value| (keyword.to_owned(), value)));
        }
    }
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), json!({ WRAPPER: inner })),
        ("required".to_owned(), json!([WRAPPER])),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    schema.extend(outer);
    Ok(Value::Object(schema))
}

/// A local reference as it reads once the schema is wrapped; `None` if it stays as it is.
fn moved(root: &Value, reference: &str) -> Option<String> {
    let (pointer, _) = target(root, reference)?;
    let stays = AT_ROOT.iter().any(|keyword| {
        let within = pointer.strip_prefix('/').and_then(|pointer| pointer.strip_prefix(keyword));
        within.is_some_and(|within| within.starts_with('/'))
    });
    let fragment = reference.strip_prefix('#')?;
    (!stays).then(|| format!("#/properties/{WRAPPER}{fragment}"))
}

/// Whether a keyword at the root is about the document alone: some servers reject it as an unknown field of a tool. An
/// older version of JSON Schema is kept, since it changes what keywords mean.
fn is_about_document(keyword: &str, value: &Value) -> bool {
    keyword == "$id"
        || keyword == "$schema" && value.as_str().is_some_and(|version| version.contains("2020-12"))
}
