//! What Gemini accepts of JSON Schema and what it rejects, in tables.

use serde_json::{Value, json};

use super::check;

#[test]
fn a_schema_with_every_permitted_keyword_is_accepted() {
    let schema = json!({
        "$id": "a", "$anchor": "b", "title": "T", "description": "d", "type": "object", "required": ["a"],
        "propertyOrdering": ["a", "b", "c", "d"], "additionalProperties": false,
        "properties": {
            "a": { "type": ["number", "null"], "minimum": 0, "maximum": 9 },
            "b": { "type": "array", "prefixItems": [{ "type": "string" }], "items": false, "minItems": 1, "maxItems": 3 },
            "c": { "anyOf": [{ "enum": ["x", 1] }, { "oneOf": [{ "type": "string", "format": "date" }] }] },
            "d": { "type": "object", "additionalProperties": { "$ref": "#/$defs/n" } },
        },
        "$defs": { "n": { "type": "object", "properties": { "next": { "$ref": "#/$defs/n" } } } },
    });
    assert_eq!(check(&schema), Ok(()));
}

#[test]
fn each_breach_is_reported_with_its_path() {
    let within = |schema: Value| json!({ "type": "object", "properties": { "x": schema } });
    let members = "'enum' must be a non-empty list of strings or numbers.";
    let node = |required: &Value| {
        let next = json!({ "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] });
        let node = json!({ "type": "object", "properties": { "next": next }, "required": required });
        json!({ "type": "object", "properties": { "n": { "$ref": "#/$defs/node" } }, "$defs": { "node": node } })
    };
    assert_eq!(check(&node(&json!([]))), Ok(()));
    let cases = [
        (json!(true), "", "schema must be an object."),
        (within(json!({ "const": 1 })), "properties.x", "keyword 'const' is not supported."),
        (within(json!({ "pattern": "a" })), "properties.x", "keyword 'pattern' is not supported."),
        (within(json!({ "allOf": [{}] })), "properties.x", "keyword 'allOf' is not supported."),
        (
            within(json!({ "$ref": "#", "description": "d" })),
            "properties.x",
            "'description' cannot stand beside '$ref', only keywords that begin with '$' can.",
        ),
        (within(json!({ "enum": [null] })), "properties.x", members),
        (within(json!({ "enum": [true] })), "properties.x", members),
        (
            within(json!({ "items": { "minLength": 1 } })),
            "properties.x.items",
            "keyword 'minLength' is not supported.",
        ),
        (
            within(json!({ "propertyOrdering": ["y"] })),
            "properties.x",
            "'propertyOrdering' must be a list of the properties' names.",
        ),
        (
            node(&json!(["next"])),
            "",
            "Cyclic references may only be used within non-required properties: '#/$defs/node' leads back to itself.",
        ),
    ];
    for (schema, path, what) in cases {
        let complaint = check(&schema).unwrap_err();
        assert_eq!((complaint.path.join(".").as_str(), complaint.what.as_str()), (path, what), "{schema}");
    }
}
