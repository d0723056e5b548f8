//! What Anthropic accepts of JSON Schema and what it rejects, in tables.

use serde_json::{Map, Value, json};

use super::{Size, check};

fn object(properties: &Value) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

#[test]
fn a_schema_with_every_permitted_keyword_is_accepted() {
    let schema = json!({
        "title": "T", "description": "d", "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {
            "a": { "type": ["string", "null"], "format": "uri", "default": "x" },
            "b": { "type": "array", "items": { "$ref": "#/$defs/n" }, "minItems": 1 },
            "c": { "anyOf": [{ "type": "number" }, { "const": "x" }] },
            "d": { "allOf": [{ "$ref": "#/definitions/m" }] },
        },
        "$defs": { "n": { "enum": [1, "two", null, true] } },
        "definitions": { "m": { "type": "boolean" } },
    });
    assert_eq!(check(&schema).unwrap(), Size { optional: 3, unions: 2 });
}

#[test]
fn each_breach_is_reported_with_its_path() {
    let within = |schema: Value| object(&json!({ "x": schema }));
    let node = object(&json!({ "next": { "$ref": "#/$defs/node" } }));
    let recursive = json!({ "$ref": "#/$defs/node", "$defs": { "node": node } });
    let closed = "For 'object' type, 'additionalProperties' must be explicitly set to false";
    let members = "'enum' must be a non-empty list of strings, numbers, booleans or nulls";
    let cases = [
        (json!({ "type": "object", "properties": {} }), "", closed),
        (within(json!({ "type": "object", "additionalProperties": true })), "properties.x", closed),
        (within(json!({ "type": "array", "items": { "properties": {} } })), "properties.x.items", closed),
        (
            within(json!({ "type": "integer", "minimum": 0 })),
            "properties.x",
            "For 'integer' type, property 'minimum' is not supported",
        ),
        (
            within(json!({ "type": "string", "pattern": "a" })),
            "properties.x",
            "For 'string' type, property 'pattern' is not supported",
        ),
        (
            within(json!({ "type": "array", "items": {}, "minItems": 2 })),
            "properties.x",
            "For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        ),
        (
            within(json!({ "oneOf": [{}] })),
            "properties.x",
            "For 'any' type, property 'oneOf' is not supported",
        ),
        (
            within(json!({ "type": "string", "format": "regex" })),
            "properties.x",
            "For 'string' type, format \"regex\" is not supported",
        ),
        (within(json!({ "type": "date" })), "properties.x", "Schema type \"date\" is not supported"),
        (within(json!({ "enum": [{}] })), "properties.x", members),
        (within(json!({ "enum": [] })), "properties.x", members),
        (within(json!({ "anyOf": [] })), "properties.x", "'anyOf' must be a non-empty list of schemas"),
        (within(json!(true)), "properties.x", "Schema must be an object"),
        (
            within(json!({ "$ref": "#/nowhere" })),
            "properties.x",
            "Reference \"#/nowhere\" does not lead to a definition of the schema",
        ),
        (
            json!({ "type": "object", "additionalProperties": false, "required": ["z"] }),
            "",
            "Required property \"z\" is not defined in 'properties'",
        ),
        (recursive, "", "Recursive schemas are not supported: '#/$defs/node' leads back to itself"),
        (within(json!({ "$ref": "#" })), "", "Recursive schemas are not supported: '#' leads back to itself"),
    ];
    for (schema, path, what) in cases {
        let complaint = check(&schema).unwrap_err();
        assert_eq!((complaint.path.join(".").as_str(), complaint.what.as_str()), (path, what), "{schema}");
    }
}

#[test]
fn what_is_optional_and_what_is_a_union_is_limited() {
    let wide = |count: usize, schema: &Value| -> Value {
        object(&(0..count).map(|n| (n.to_string(), schema.clone())).collect::<Map<_, _>>().into())
    };
    let complaint = |schema: &Value| {
        let complaint = check(schema).unwrap().check().err();
        complaint.map(|complaint| complaint.what)
    };
    assert_eq!(complaint(&wide(24, &json!({ "type": "null" }))), None);
    assert_eq!(
        complaint(&wide(25, &json!({ "type": "null" }))).unwrap(),
        "Schemas contain too many optional parameters (25), which would make grammar compilation inefficient (limit: 24)"
    );
    let either = json!({ "type": ["string", "null"] });
    assert_eq!(complaint(&wide(16, &either)), None);
    assert_eq!(
        complaint(&wide(17, &either)).unwrap(),
        "Schemas contain too many parameters with union types (17), which would make grammar compilation inefficient (limit: 16)"
    );
}
