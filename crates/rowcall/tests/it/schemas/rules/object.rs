//! What servers that do not enforce a schema still refuse in a tool: a root that is not an object, as the messages of OpenAI and
//! Anthropic say, and a reference to nothing.

use rowcall::Schema;
use serde_json::Value;

pub(super) fn faults(schema: &Value, users: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if schema["type"] != "object" {
        faults.push("the root is not an object".to_owned());
    }
    let at_root = |keyword: &&&str| schema.get(**keyword).is_some();
    if let Some(keyword) = ["anyOf", "oneOf", "allOf", "not", "enum", "$id"].iter().find(at_root) {
        faults.push(format!("`{keyword}` at the root"));
    }
    if !super::odd_names(schema).is_empty() {
        faults.push(format!("odd names: {:?}", super::odd_names(schema)));
    }
    if let Err(problem) = Schema::from_json(schema.clone()) {
        faults.push(problem.to_string());
    }
    let inner = schema.pointer("/properties/value").cloned().unwrap_or_default();
    for keyword in
        ["properties", "required", "items", "prefixItems", "enum", "description", "$defs", "definitions"]
    {
        let written = |schema: &Value| {
            // Of what was put into an object, only references out of it are written otherwise.
            let said = schema.get(keyword).map(Value::to_string).unwrap_or_default();
            said.replace("#/properties/value/", "#/").replace("\"#/properties/value\"", "\"#\"")
        };
        if ![schema, &inner].iter().any(|schema| written(schema) == written(users)) {
            faults.push(format!("`{keyword}` is not as it was given"));
        }
    }
    faults
}
