//! What is taken for a schema, what is taken out of its wrapping, and what is refused with what was meant.

use serde_json::{Value, json};

use crate::schema::Schema;

fn inner() -> Value {
    json!({ "type": "object", "properties": { "a": { "type": "string" } } })
}

#[test]
fn what_providers_wrap_a_schema_in_is_taken_off_with_a_note() {
    for (given, place) in [
        (json!({ "name": "p", "strict": true, "schema": inner() }), "/schema"),
        (json!({ "type": "json_schema", "name": "p", "schema": inner() }), "/schema"),
        (
            json!({ "type": "json_schema", "json_schema": { "name": "p", "schema": inner() } }),
            "/json_schema/schema",
        ),
        (json!({ "json_schema": { "schema": inner() } }), "/json_schema/schema"),
        (json!({ "name": "p", "description": "d", "input_schema": inner() }), "/input_schema"),
        (json!({ "name": "p", "inputSchema": inner() }), "/inputSchema"),
        (json!({ "name": "p", "parameters": inner() }), "/parameters"),
        (
            json!({ "type": "function", "function": { "name": "p", "parameters": inner() } }),
            "/function/parameters",
        ),
        (
            json!([{ "type": "function", "function": { "name": "p", "parameters": inner() } }]),
            "/0/function/parameters",
        ),
        (
            json!({ "model": "m", "tools": [{ "name": "p", "input_schema": inner() }] }),
            "/tools/0/input_schema",
        ),
        (
            json!({ "functionDeclarations": [{ "name": "p", "parameters": {
                "type": "OBJECT", "properties": { "a": { "type": "STRING" } }
            } }] }),
            "/functionDeclarations/0/parameters",
        ),
        (
            json!({ "text": { "format": { "type": "json_schema", "schema": inner() } } }),
            "/text/format/schema",
        ),
        (
            json!({ "responseMimeType": "application/json", "responseSchema": {
                "type": "OBJECT", "properties": { "a": { "type": "STRING" } }
            } }),
            "/responseSchema",
        ),
        (json!({ "guided_json": inner() }), "/guided_json"),
        (json!({ "structured_outputs": { "json": inner() } }), "/structured_outputs/json"),
        (
            json!({ "toolSpec": { "name": "p", "description": "d", "inputSchema": { "json": inner() } } }),
            "/toolSpec/inputSchema/json",
        ),
        (
            json!({ "tools": [{ "toolSpec": { "name": "p", "inputSchema": { "json": inner() } } }] }),
            "/tools/0/toolSpec/inputSchema/json",
        ),
    ] {
        let schema = Schema::from_json(given.clone()).expect("taken");
        assert_eq!(schema.as_json(), &inner(), "{given}");
        assert_eq!(schema.notes(), [format!("the schema was taken from `{place}` of what was given")]);
    }
}

#[test]
fn a_list_of_one_is_only_unwrapped_if_it_is_a_tool() {
    for given in [
        json!([{ "name": "name", "type": "string" }]),
        json!([{ "type": "object", "properties": { "a": { "type": "string" } } }]),
        json!([[inner()]]),
        json!([]),
    ] {
        let problem = Schema::from_json(given.clone()).expect_err("it is not a tool");
        assert_eq!(problem.message, "the schema is an array, expected an object", "{given}");
    }
}

#[test]
fn json_is_a_name_like_any_other_outside_of_its_wrappers() {
    let problem = Schema::from_json(json!({ "json": inner() })).expect_err("it is not a wrapper");
    assert!(problem.message.contains("under `json`"), "{}", problem.message);
}

#[test]
fn what_restricts_nothing_is_refused_with_what_was_meant() {
    for (given, message, hint) in [
        (json!({ "Person": inner() }), "it contains a schema", "`Person`"),
        (json!({ "$defs": { "Person": inner() } }), "only defines others", "\"$ref\": \"#/$defs/Person\""),
        (json!({ "openapi": "3.1.0", "components": { "schemas": { "Pet": inner() } } }), "OpenAPI", "`Pet`"),
        (json!({ "swagger": "2.0", "definitions": { "Pet": inner() } }), "OpenAPI", "`Pet`"),
        (json!({ "tools": [{ "name": "p" }, { "name": "q" }] }), "list of tools", "`/tools`"),
        (json!({ "type": "record", "name": "P", "fields": [] }), "Avro", "short form"),
        (json!({ "name": "Ann", "age": 30, "tags": ["x"] }), "example", "`name str, age int, tags str[]`"),
        (json!({ "type": "person", "age": 1.5 }), "example", "`type str, age float`"),
        (json!({ "name": "str", "age": "int" }), "names of types", "`name str, age int`"),
        (
            json!({ "name": { "type": "string" }, "age": { "type": "integer" } }),
            "properties",
            "\"properties\"",
        ),
        (
            json!({ "schema": { "type": "string" }, "other": { "type": "string" } }),
            "properties",
            "\"properties\"",
        ),
        (json!({ "propertys": { "a": { "type": "string" } } }), "`propertys`", "`properties`"),
        (json!({ "type": "object", "requird": ["a"] }), "`requird`", "`required`"),
        (
            json!({ "type": "object", "additional_properties": false }),
            "`additional_properties`",
            "`additionalProperties`",
        ),
        (
            json!({ "properties": { "a": { "anyof": [{ "type": "string" }] } } }),
            "`/properties/a/anyof`",
            "`anyOf`",
        ),
        (json!({ "items": { "type": "string", "maxlenght": 3 } }), "`/items/maxlenght`", "`maxLength`"),
        (json!({ "title": "Person" }), "comments only", "`{}`"),
        (json!({ "anyOf": [{}] }), "none of its keywords", "`{}`"),
        (json!({ "anyOf": [{ "type": "string" }, true] }), "none of its keywords", "`{}`"),
        (json!({ "allOf": [{}] }), "none of its keywords", "`{}`"),
        (json!({ "oneOf": [{ "description": "any" }] }), "none of its keywords", "`{}`"),
        (json!({ "$ref": "#/$defs/A", "$defs": { "A": {} } }), "none of its keywords", "`{}`"),
        (json!({ "$ref": "#/$defs/A", "$defs": { "A": true } }), "none of its keywords", "`{}`"),
        (json!({ "title": "P", "properties": {} }), "none of its keywords", "`properties`"),
        (json!({ "additionalProperties": true }), "none of its keywords", "`properties`"),
        (json!({ "required": [] }), "none of its keywords", "`properties`"),
        (json!({ "items": {} }), "none of its keywords", "`{}`"),
        (json!({ "minLength": 0, "uniqueItems": false }), "none of its keywords", "`{}`"),
        (json!({ "if": { "type": "string" } }), "none of its keywords", "`{}`"),
        (json!({ "then": { "type": "string" } }), "none of its keywords", "`{}`"),
        (
            json!({ "type": ["object", "array", "string", "number", "boolean", "null"] }),
            "none of its keywords",
            "`{}`",
        ),
        (json!({ "not": {} }), "no value", "`not`"),
        (json!({ "type": "object", "not": { "anyOf": [true] } }), "no value", "`not`"),
        (json!({ "properties": { "name": { "typ": "string" } } }), "`/properties/name/typ`", "`type`"),
        (
            json!({ "properties": { "d": { "type": "string", "formta": "date" } } }),
            "`/properties/d/formta`",
            "`format`",
        ),
        (
            json!({ "properties": { "a": { "type": "object", "property": { "x": { "type": "string" } } } } }),
            "`/properties/a/property`",
            "`properties`",
        ),
        (
            json!({ "type": "object", "fields": { "x": { "type": "string" }, "y": { "enum": [1] } } }),
            "`/fields`",
            "`properties`",
        ),
        (
            json!({ "type": "object", "name": { "type": "string" }, "age": { "type": "integer" } }),
            "`/name`",
            "\"properties\"",
        ),
        (
            json!({ "items": { "type": "object", "required": ["a"], "a": { "type": ["string", "null"] } } }),
            "`/items/a`",
            "\"properties\"",
        ),
        (
            json!({ "type": "object", "properties": { "name": {} }, "required": ["nmae"] }),
            "`/required`: there is no property `nmae`",
            "`name`",
        ),
        (
            json!({ "properties": { "homeTown": {}, "age": {} }, "required": ["home_town"] }),
            "`home_town`",
            "`homeTown`",
        ),
        (json!({ "properties": { "a": {} }, "required": ["b"], "additionalProperties": false }), "`b`", ""),
    ] {
        let problem = Schema::from_json(given.clone()).expect_err("refused");
        assert!(problem.message.contains(message), "{given}: {}", problem.message);
        let found = problem.hint.unwrap_or_default().to_string();
        assert!(found.contains(hint), "{given}: {found}");
    }
}

#[test]
fn what_is_meant_as_it_stands_is_taken() {
    for given in [
        json!({}),
        json!(true),
        json!({ "x-order": 1, "type": "object", "x-required": ["a"], "propertyOrdering": ["a"] }),
        json!({ "type": "string", "enumNames": ["A"], "markdownDescription": "m", "note": "n", "container": "c" }),
        json!({ "type": "object", "properties": { "propertys": { "type": "string" }, "requird": {} } }),
        json!({ "enum": [{ "propertys": {} }] }),
        json!({ "const": { "requird": ["a"] } }),
        json!({ "properties": { "schema": { "type": "string" }, "name": { "type": "string" } } }),
        json!({ "type": "integer", "minimumm_": 3, "options": { "hidden": true } }),
        json!({ "type": "object" }),
        json!({ "type": "object", "properties": {}, "additionalProperties": true }),
        json!({ "type": "object", "ui": { "type": "select" }, "externalDocs": { "url": "u" } }),
        json!({ "type": "object", "additionalProperties": {}, "template": { "type": "string" } }),
        json!({ "type": "object", "fields": ["a"], "attributes": { "a": { "hidden": true } } }),
        json!({ "type": "array", "items": {} }),
        json!({ "type": "string", "formal": "evening", "typo": "string" }),
        json!({ "if": { "type": "string" }, "then": { "minLength": 1 } }),
        json!({ "not": { "type": "string" } }),
        json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["b"] }),
        json!({ "properties": { "name": { "type": "string" }, "names": { "type": "array" } }, "required": ["name"] }),
        json!({ "properties": { "name": { "type": "string" } }, "required": ["names"], "allOf": [{ "properties": { "names": {} } }] }),
        json!({ "properties": { "a": { "not": {} }, "b": { "type": "string" } } }),
    ] {
        let schema = Schema::from_json(given.clone()).expect("taken");
        assert_eq!((schema.as_json(), schema.notes()), (&given, &[][..]));
    }
    Schema::from_generated(json!({ "title": "Anything" })).expect("a type may allow any value");
}
