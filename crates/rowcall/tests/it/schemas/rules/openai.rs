//! The rules of OpenAI's strict subset, as OpenAI's guide to structured outputs lists them.

use serde_json::{Value, json};

use super::{Keywords, Node, common_faults, names, nodes, properties, types};

const KEYWORDS: [&str; 21] = [
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
    "exclusiveMaximum",
    "minItems",
    "maxItems",
];
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

pub(super) fn faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    common_faults(schema, &KEYWORDS, &["$defs", "definitions"], &mut faults);
    for Node { pointer, keywords } in nodes(schema, &mut Vec::new()) {
        node_faults(keywords, |what| faults.push(format!("`{pointer}`: {what} in {}", json!(keywords))));
    }
    let objects: usize =
        nodes(schema, &mut Vec::new()).iter().map(|node| properties(node.keywords).len()).sum();
    let members: usize = nodes(schema, &mut Vec::new())
        .iter()
        .filter_map(|node| Some(node.keywords.get("enum")?.as_array()?.len()))
        .sum();
    if objects > 5_000 || members > 1_000 {
        faults.push(format!("{objects} properties, {members} values"));
    }
    if depth(schema) > 10 {
        faults.push("more than ten levels".to_owned());
    }
    faults
}

fn node_faults(node: &Keywords, mut fault: impl FnMut(&str)) {
    if node.contains_key("$ref") || node.contains_key("anyOf") {
        return;
    }
    if !node.contains_key("type") {
        fault("no type");
    }
    if node.get("format").is_some_and(|format| !FORMATS.iter().any(|known| format == known)) {
        fault("an unknown format");
    }
    if node.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.contains("(?=")) {
        fault("a pattern that looks around");
    }
    let is_object =
        types(node).contains(&"object") && !node.contains_key("enum") && !node.contains_key("const");
    if is_object {
        let (mut names, mut required) = (properties(node), names(node, "required"));
        names.sort_unstable();
        required.sort_unstable();
        if names != required || !node.contains_key("properties") || !node.contains_key("required") {
            fault("not all properties are required");
        }
        if node.get("additionalProperties") != Some(&json!(false)) {
            fault("an open object");
        }
    }
}

/// Levels of objects, definitions each for themselves.
fn depth(schema: &Value) -> usize {
    let Value::Object(node) = schema else { return 0 };
    let own = usize::from(node.contains_key("properties"));
    let inner = node.iter().map(|(keyword, value)| match (keyword.as_str(), value) {
        ("properties" | "$defs" | "definitions", Value::Object(named)) => {
            named.values().map(depth).max().unwrap_or(0)
        }
        ("anyOf", Value::Array(schemas)) => schemas.iter().map(depth).max().unwrap_or(0),
        ("items", schema) => depth(schema),
        _ => 0,
    });
    own + inner.max().unwrap_or(0)
}
