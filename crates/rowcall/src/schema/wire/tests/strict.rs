//! The rules of OpenAI's strict subset, as OpenAI's guide to structured outputs lists them: a check of its own, which
//! shares nothing with the translation.

use serde_json::{Map, Value};

const KEYWORDS: [&str; 20] = [
    "type",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
    "definitions",
    "pattern",
    "format",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "minItems",
    "maxItems",
];
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// What in `schema` the provider would refuse.
pub(super) fn faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if schema["type"] != "object" || schema.get("anyOf").is_some() {
        faults.push(format!("the root is no object: {schema}"));
    }
    node(schema, schema, &mut faults);
    for keyword in ["$defs", "definitions"] {
        for definition in schema.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::values) {
            node(schema, definition, &mut faults);
        }
    }
    faults
}

fn node(root: &Value, schema: &Value, faults: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else { return faults.push(format!("no object: {schema}")) };
    let mut fault = |what: &str| faults.push(format!("{what}: {schema}"));
    for keyword in keywords.keys() {
        let at_root = std::ptr::eq(root, schema);
        if !KEYWORDS.contains(&keyword.as_str()) && keyword != "exclusiveMaximum" {
            fault(&format!("`{keyword}` is not supported"));
        }
        if ["$defs", "definitions"].contains(&keyword.as_str()) && !at_root {
            fault("definitions within");
        }
    }
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
        let local = reference == "#"
            || ["#/$defs/", "#/definitions/"].iter().any(|start| reference.starts_with(start));
        if !local || root.pointer(&reference[1..]).is_none() {
            fault("a reference to nowhere");
        }
        if keywords.len() > 1 {
            fault("keywords beside a reference");
        }
        return;
    }
    if let Some(branches) = keywords.get("anyOf").and_then(Value::as_array) {
        if branches.is_empty() || keywords.contains_key("type") {
            fault("no alternatives, or a type beside them");
        }
        return branches.iter().for_each(|branch| node(root, branch, faults));
    }
    let types: Vec<&str> = match &keywords.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    if types.is_empty() || types.iter().any(|name| !TYPES.contains(name)) {
        fault("no type");
    }
    let members = keywords.get("enum").and_then(Value::as_array);
    if members.is_some_and(Vec::is_empty) {
        fault("an empty enum");
    }
    for member in members.into_iter().flatten().chain(keywords.get("const")) {
        let name = match member {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) | Value::Object(_) => "compound",
        };
        let wider = if name == "integer" { "number" } else { name };
        if !types.contains(&name) && !types.contains(&wider) {
            fault("a member that is not of the type");
        }
    }
    if keywords.get("format").is_some_and(|format| !FORMATS.iter().any(|known| format == known)) {
        fault("an unknown format");
    }
    if keywords.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.contains("(?=")) {
        fault("a pattern that looks around");
    }
    if types.contains(&"object") && members.is_none() {
        let named = |keyword: &str| keywords.get(keyword).and_then(Value::as_object);
        let mut names: Vec<&str> =
            named("properties").into_iter().flat_map(|named| named.keys()).map(String::as_str).collect();
        let mut required: Vec<&str> = keywords
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        names.sort_unstable();
        required.sort_unstable();
        if names != required || named("properties").is_none() || !keywords.contains_key("required") {
            fault("not all properties are required");
        }
        if keywords.get("additionalProperties") != Some(&Value::Bool(false)) {
            fault("an open object");
        }
    }
    if types.contains(&"array") && !keywords.contains_key("items") {
        fault("a list without items");
    }
    for property in keywords.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values) {
        node(root, property, faults);
    }
    if let Some(items) = keywords.get("items") {
        node(root, items, faults);
    }
}
