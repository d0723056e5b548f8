//! Which schemas the simulator can make values for, beyond the rules of `strict`. A keyword that it would have to
//! ignore is reported.

use serde_json::Value;

use super::conjunction::{resolve, type_names};
use super::pattern::Pattern;
use crate::complaint::Complaint;

/// Keywords that affect which values are valid but that the generator does not support.
const UNHEEDED: [&str; 18] = [
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedProperties",
    "unevaluatedItems",
    "additionalItems",
    "$dynamicRef",
    "$recursiveRef",
    "extends",
];
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// The first keyword in `schema` that prevents making a value.
pub(crate) fn check(schema: &Value) -> Result<(), Complaint> {
    walk(schema, schema, &mut Vec::new())
}

fn walk(root: &Value, schema: &Value, path: &mut Vec<String>) -> Result<(), Complaint> {
    let keywords = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(keywords) => keywords,
        _ => return Err(Complaint::new(path, "schema must be an object or a boolean.")),
    };
    for (word, value) in keywords {
        let unheeded = UNHEEDED.contains(&word.as_str());
        let sound = match word.as_str() {
            "type" => {
                !type_names(value).is_empty() && type_names(value).iter().all(|name| TYPES.contains(name))
            }
            "pattern" => value.as_str().is_some_and(|source| Pattern::parse(source).is_some()),
            "$ref" => value.as_str().and_then(|target| resolve(root, target)).is_some(),
            "enum" | "anyOf" | "oneOf" | "allOf" => value.as_array().is_some_and(|list| !list.is_empty()),
            "items" => !value.is_array(),
            "properties" | "$defs" | "definitions" => value.is_object(),
            _ => true,
        };
        if unheeded || !sound {
            return Err(Complaint::new(path, format!("'{word}' is not supported here by the simulator.")));
        }
        let before = path.len();
        match (word.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                for (name, schema) in schemas {
                    path.extend([word.clone(), name.clone()]);
                    walk(root, schema, path)?;
                    path.truncate(before);
                }
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                for (n, schema) in schemas.iter().enumerate() {
                    path.extend([word.clone(), n.to_string()]);
                    walk(root, schema, path)?;
                    path.truncate(before);
                }
            }
            ("items" | "additionalProperties", schema) => {
                path.push(word.clone());
                walk(root, schema, path)?;
                path.truncate(before);
            }
            _ => {}
        }
    }
    Ok(())
}
