//! The rules of Gemini's `responseJsonSchema` and `parametersJsonSchema`, as Google's reference lists them.

use serde_json::{Value, json};

use super::{Node, Way, common_faults, is_endless, names, nodes, properties, types};

const KEYWORDS: [&str; 21] = [
    "$id",
    "$defs",
    "$ref",
    "$anchor",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "properties",
    "additionalProperties",
    "required",
    "propertyOrdering",
];

pub(super) fn faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    common_faults(schema, &KEYWORDS, &["$defs"], &mut faults);
    for Node { pointer, keywords: node } in nodes(schema, &mut Vec::new()) {
        let mut fault = |what: &str| faults.push(format!("`{pointer}`: {what} in {}", json!(node)));
        let members = node.get("enum").and_then(Value::as_array);
        if members.into_iter().flatten().any(|member| !member.is_string() && !member.is_number()) {
            fault("a value that is neither a string nor a number");
        }
        if !properties(node).is_empty() && names(node, "propertyOrdering") != properties(node) {
            fault("the order of the properties is not said");
        }
        let types = types(node);
        let scalar = !types.contains(&"object") && !types.contains(&"array");
        if node.get("type").is_some_and(Value::is_array)
            && !(scalar && types.len() == 2 && types.contains(&"null"))
        {
            fault("several types");
        }
        let of = |keyword: &str, kinds: &[&str]| {
            node.contains_key(keyword) && !kinds.iter().any(|kind| types.contains(kind))
        };
        if of("properties", &["object"])
            || of("items", &["array"])
            || of("minimum", &["number", "integer"])
            || of("format", &["string"])
        {
            fault("keywords that are not of the type");
        }
        if node
            .get("format")
            .is_some_and(|format| !["date-time", "date", "time"].iter().any(|known| format == known))
        {
            fault("an unknown format");
        }
    }
    if is_endless(schema, Way::Required) {
        faults.push("it contains itself otherwise than by a property that is not required".to_owned());
    }
    faults
}
