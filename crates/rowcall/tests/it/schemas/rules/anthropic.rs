//! The rules of Anthropic's subset for `output_config.format` and strict tools, as Anthropic's documentation lists them.

use serde_json::{Value, json};

use super::{Node, Way, common_faults, is_endless, nodes, odd_names, optional_properties, types};

const KEYWORDS: [&str; 15] = [
    "type",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "title",
    "description",
    "properties",
    "required",
    "items",
    "format",
    "minItems",
    "additionalProperties",
];
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

pub(super) fn faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    common_faults(schema, &KEYWORDS, &["$defs"], &mut faults);
    let mut unions = 0;
    for Node { pointer, keywords: node } in nodes(schema, &mut Vec::new()) {
        let mut fault = |what: &str| faults.push(format!("`{pointer}`: {what} in {}", json!(node)));
        let is_object = types(node).contains(&"object") && !node.contains_key("enum");
        if is_object && node.get("additionalProperties") != Some(&json!(false)) {
            fault("an open object");
        }
        if node.get("format").is_some_and(|format| !FORMATS.iter().any(|known| format == known)) {
            fault("an unknown format");
        }
        if node.get("minItems").is_some_and(|least| *least != json!(0) && *least != json!(1)) {
            fault("a `minItems` that is neither 0 nor 1");
        }
        unions += usize::from(node.contains_key("anyOf") || node.get("type").is_some_and(Value::is_array));
    }
    if !odd_names(schema).is_empty() {
        faults.push(format!("odd names: {:?}", odd_names(schema)));
    }
    if is_endless(schema, Way::Any) {
        faults.push("it contains itself".to_owned());
    }
    let optional = optional_properties(schema);
    if optional > 24 || unions > 16 {
        faults.push(format!("{optional} optional properties, {unions} unions"));
    }
    faults
}
