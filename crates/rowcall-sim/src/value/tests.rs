//! Values checked by an independent validator, and values read from a text for a schema.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{make, supported, violate};
use crate::chance::Chance;
use crate::reading::Reading;

fn value(schema: &Value, text: &str) -> Result<Value, String> {
    make(schema, &Reading::of(text), Chance::of(7, text)).map_err(|complaint| complaint.to_string())
}

fn valid(schema: &Value, value: &Value) -> Result<(), String> {
    let validator =
        jsonschema::options().should_validate_formats(true).build(schema).map_err(|e| e.to_string())?;
    validator.validate(value).map_err(|error| format!("{error} at {} in {value}", error.instance_path()))
}

const ANN: &str =
    "Extract the person: Ann Lee is a 30-year-old nurse from Berlin, Germany. Write to ann@example.org.";

#[test]
fn values_from_the_text_go_where_the_schema_wants_them() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "age": { "type": "integer", "minimum": 0, "maximum": 150 },
            "occupation": { "type": ["string", "null"] },
            "email": { "anyOf": [{ "type": "string", "format": "email" }, { "type": "null" }] },
            "phone": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "salary": { "type": ["number", "null"], "minimum": 100 },
            "job_kind": { "enum": ["teacher", "nurse", "other"] },
            "address": { "type": "object", "properties": { "city": { "type": "string" }, "country": { "type": "string" } }, "required": ["city", "country"] },
            "nickname": { "type": "string" },
            "people": { "type": "array", "items": { "$ref": "#/$defs/person" } },
        },
        "$defs": { "person": { "type": "object", "properties": { "full_name": { "type": "string" } }, "required": ["full_name"] } },
        "required": ["name", "age", "occupation", "email", "phone", "salary", "job_kind", "address", "people"],
    });
    let expected = json!({
        "name": "Ann Lee", "age": 30, "occupation": "nurse", "email": "ann@example.org", "phone": null, "salary": null,
        "job_kind": "nurse", "address": { "city": "Berlin", "country": "Germany" }, "people": [{ "full_name": "Ann Lee" }],
    });
    assert_eq!(value(&schema, ANN).unwrap(), expected);
}

#[test]
fn other_values_are_made_up_reproducibly_and_say_so() {
    let schema = json!({ "type": "object", "properties": { "colour": { "type": "string" }, "id": { "type": "string", "format": "uuid" } }, "required": ["colour", "id"] });
    let first = value(&schema, "nothing").unwrap();
    assert_eq!(value(&schema, "nothing").unwrap(), first);
    assert_ne!(value(&schema, "nothing else").unwrap(), first);
    assert!(first["colour"].as_str().unwrap().starts_with("simulated colour "), "{first}");
}

#[test]
fn sentiment_follows_the_words() {
    let schema = json!({ "enum": ["positive", "negative", "neutral"] });
    for (text, expected) in
        [("I love it", "positive"), ("It broke, terrible", "negative"), ("A table", "neutral")]
    {
        assert_eq!(value(&schema, text).unwrap(), expected);
    }
}

#[test]
fn hand_written_schemas_get_valid_values() {
    let cases = [
        json!(true),
        json!({}),
        json!({ "const": { "a": [1] } }),
        json!({ "enum": [1, "a", null], "type": "string" }),
        json!({ "type": ["integer", "string"], "minimum": 5, "minLength": 40 }),
        json!({ "type": "number", "multipleOf": 0.1, "minimum": 0.25, "maximum": 0.35 }),
        json!({ "type": "integer", "multipleOf": 2.5, "exclusiveMinimum": 10 }),
        json!({ "allOf": [{ "type": "number", "multipleOf": 6 }, { "type": "integer", "multipleOf": 4 }], "minimum": 13 }),
        json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-9 }),
        json!({ "type": "number", "minimum": 1e300 }),
        json!({ "type": "string", "minLength": 3, "maxLength": 3 }),
        json!({ "type": "string", "maxLength": 0 }),
        json!({ "type": "string", "pattern": "^[A-Z]{3}$", "allOf": [{ "pattern": "X" }] }),
        json!({ "type": "array", "items": { "enum": [1, 2, 3] }, "minItems": 3, "uniqueItems": true }),
        json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "uniqueItems": true }),
        json!({ "type": "array", "items": { "type": ["string", "null"] }, "minItems": 5, "uniqueItems": true }),
        json!({ "type": "array", "items": { "type": "object", "properties": { "n": { "type": "string" } }, "required": ["n"] }, "minItems": 4, "uniqueItems": true }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "const": 2 }], "items": false }),
        json!({ "type": "object", "additionalProperties": { "type": "number" }, "minProperties": 3 }),
        json!({ "type": "object", "properties": { "a": { "type": "null" }, "b": { "type": "null" }, "c": {} }, "minProperties": 2, "maxProperties": 2 }),
        json!({ "oneOf": [{ "type": "integer", "multipleOf": 3 }, { "type": "integer", "multipleOf": 5 }] }),
        json!({ "oneOf": [{ "properties": { "kind": { "const": "a" } }, "required": ["kind"] }, { "properties": { "kind": { "const": "b" }, "x": { "type": "null" } }, "required": ["kind", "x"] }], "type": "object" }),
        json!({ "allOf": [{ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] }, { "properties": { "a": { "minimum": 1000 }, "b": { "type": "string" } }, "required": ["b"] }] }),
        json!({ "type": "string", "nullable": true }),
        json!({ "$ref": "#/definitions/a", "definitions": { "a": { "type": "string", "format": "ipv6" } } }),
        json!({ "anyOf": [{ "type": "string" }, { "type": "null" }], "minLength": 30 }),
        json!({ "anyOf": [{ "type": "string" }, { "type": "null" }], "type": "string" }),
    ];
    for schema in cases {
        supported(&schema).unwrap_or_else(|complaint| panic!("{schema}: {complaint}"));
        for text in ["", ANN, "I have 3 apples, 7 pears and 0.3 kilos"] {
            let value = value(&schema, text).unwrap_or_else(|complaint| panic!("{schema}: {complaint}"));
            valid(&schema, &value).unwrap_or_else(|error| panic!("{schema}: {error}"));
        }
    }
}

#[test]
fn recursive_schemas_terminate() {
    let tree = json!({ "type": "object", "properties": { "v": { "type": "string" }, "kids": { "type": "array", "items": { "$ref": "#" } } }, "required": ["v", "kids"], "additionalProperties": false });
    let list = json!({ "$ref": "#/$defs/n", "$defs": { "n": { "type": "object", "properties": { "next": { "anyOf": [{ "$ref": "#/$defs/n" }, { "type": "null" }] } }, "required": ["next"] } } });
    let formula = json!({ "$ref": "#/$defs/e", "$defs": {
        "e": { "anyOf": [{ "$ref": "#/$defs/sum" }, { "$ref": "#/$defs/leaf" }] },
        "sum": { "type": "object", "properties": { "l": { "$ref": "#/$defs/e" }, "r": { "$ref": "#/$defs/e" } }, "required": ["l", "r"] },
        "leaf": { "type": "object", "properties": { "n": { "type": "number" } }, "required": ["n"] },
    } });
    let optional = json!({ "type": "object", "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" }, "c": { "$ref": "#" } } });
    for schema in [tree, list, formula, optional] {
        let value = value(&schema, ANN).unwrap_or_else(|complaint| panic!("{schema}: {complaint}"));
        valid(&schema, &value).unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert!(value.to_string().len() < 20_000);
    }
}

#[test]
fn unsupported_keywords_are_reported() {
    let object =
        |schema: Value| json!({ "type": "object", "properties": { "x": schema }, "required": ["x"] });
    let cases = [
        (
            json!({ "not": {} }),
            "In context=('properties', 'x'), 'not' is not supported here by the simulator.",
        ),
        (
            json!({ "type": "date" }),
            "In context=('properties', 'x'), 'type' is not supported here by the simulator.",
        ),
        (
            json!({ "pattern": "(?=a)" }),
            "In context=('properties', 'x'), 'pattern' is not supported here by the simulator.",
        ),
        (
            json!({ "$ref": "other.json" }),
            "In context=('properties', 'x'), '$ref' is not supported here by the simulator.",
        ),
        (
            json!({ "items": [{}] }),
            "In context=('properties', 'x'), 'items' is not supported here by the simulator.",
        ),
        (
            json!({ "anyOf": [{ "allOf": [{ "if": {} }] }] }),
            "In context=('properties', 'x', 'anyOf', '0', 'allOf', '0'), 'if' is not supported here by the simulator.",
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(supported(&object(schema)).unwrap_err().to_string(), expected);
    }
    let cases = [
        (json!({ "type": "integer", "minimum": 3, "maximum": 2 }), "minimum"),
        (json!({ "type": "string", "minLength": 3, "maxLength": 2 }), "minLength"),
        (json!({ "type": "string", "pattern": "^a$", "minLength": 3 }), "pattern"),
        (json!({ "enum": ["a"], "type": "integer" }), "enum"),
        (
            json!({ "type": "array", "items": { "const": 1 }, "minItems": 2, "uniqueItems": true }),
            "uniqueItems",
        ),
        (json!({ "allOf": [{ "type": "string" }, { "type": "null" }] }), "type"),
        (json!({ "oneOf": [{ "type": "string" }, { "type": "string" }] }), "oneOf"),
        (json!({ "$ref": "#/properties/x" }), "$ref"),
        (json!({ "$ref": "#" }), "$ref"),
        (json!({ "type": "object", "required": ["a"], "additionalProperties": false }), "false"),
        (json!({ "type": "object", "maxProperties": 0, "required": ["a"] }), "maxProperties"),
        (json!({ "type": "object", "minProperties": 1, "additionalProperties": false }), "minProperties"),
    ];
    for (schema, keyword) in cases {
        let complaint = value(&object(schema.clone()), "x").unwrap_err();
        assert!(
            complaint.ends_with(&format!("the simulator finds no value for '{keyword}'.")),
            "{schema}: {complaint}"
        );
    }
}

/// Schemas that have a valid value.
fn schemas() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "name", "age", "total", "city", "note", "tags", "kind", "email", "active", "date",
    ]);
    let string = (0_usize..30, 0_usize..30)
        .prop_map(|(min, more)| json!({ "type": "string", "minLength": min, "maxLength": min + more }));
    let pattern =
        prop::sample::select(vec!["^[A-Z]{2}\\d{4}$", "^(red|green)$", "\\d", "^\\S+@\\S+$", "^[^x]*$"])
            .prop_map(|source| json!({ "type": "string", "pattern": source }));
    let format = prop::sample::select(vec![
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uuid",
        "uri",
        "uri-reference",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        "uri-template",
        "unknown",
    ])
    .prop_map(|format| json!({ "type": "string", "format": format }));
    let integer = (-1_000_i64..1_000, 1_i64..300, 1_i64..20).prop_map(|(low, width, step)| json!({ "type": "integer", "minimum": low, "maximum": low + width.max(step), "multipleOf": step }));
    let number = (-1_000_i64..1_000, 1_i64..300, prop::sample::select(vec![0.01, 0.1, 0.25, 0.3, 1.0, 2.5, 7.0])).prop_map(|(low, width, step)| {
        json!({ "type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + width.max(8), "multipleOf": step })
    });
    let open = (any::<bool>(), -1e6..1e6).prop_map(
        |(low, bound)| json!({ "type": "number", if low { "minimum" } else { "exclusiveMaximum" }: bound }),
    );
    let plain = prop::sample::select(vec![
        json!({ "type": "boolean" }),
        json!({ "type": "null" }),
        json!({ "type": ["string", "null"] }),
        json!({ "type": ["integer", "number", "boolean"] }),
        json!({ "enum": ["nurse", "x", 3, null, [1]] }),
        json!({ "const": { "a": 1.5 } }),
        json!({ "enum": ["positive", "negative"] }),
        json!({}),
        json!(true),
        json!({ "type": "string" }),
        json!({ "type": "integer" }),
    ]);
    let leaf = prop_oneof![string, pattern, format, integer, number, open, plain];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let object = (prop::collection::vec((name.clone(), inner.clone(), any::<bool>()), 0..5), prop::option::of(inner.clone()), 0_usize..3, any::<bool>()).prop_map(|(fields, extra, more, closed)| {
            let required: Vec<_> = fields.iter().filter(|(_, _, must)| *must).map(|(name, _, _)| *name).collect();
            let required: std::collections::BTreeSet<_> = required.into_iter().collect();
            let properties: serde_json::Map<_, _> = fields.iter().map(|(name, schema, _)| ((*name).to_owned(), schema.clone())).collect();
            let least = if closed { properties.len().min(more) } else { required.len() + more };
            let rest = if closed { json!(false) } else { extra.unwrap_or(json!(true)) };
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": rest, "minProperties": least })
        });
        let array = (inner.clone(), 0_usize..4, 0_usize..3).prop_map(|(items, min, more)| json!({ "type": "array", "items": items, "minItems": min, "maxItems": min + more }));
        let unique = (1_usize..6).prop_map(|min| json!({ "type": "array", "items": { "type": ["integer", "string"], "minimum": 0, "maximum": 50 }, "minItems": min, "uniqueItems": true }));
        let tuple = (prop::collection::vec(inner.clone(), 1..3), inner.clone(), 0_usize..5).prop_map(|(listed, rest, min)| json!({ "type": "array", "prefixItems": listed, "items": rest, "minItems": min }));
        let any_of = prop::collection::vec(inner.clone(), 1..4).prop_map(|branches| json!({ "anyOf": branches }));
        let one_of = (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({ "type": "object", "oneOf": [
            { "properties": { "kind": { "const": "a" }, "v": a }, "required": ["kind", "v"] },
            { "properties": { "kind": { "const": "b" }, "v": b }, "required": ["kind"] },
        ] }));
        let all_of = (inner.clone(), 0_i64..9).prop_map(|(schema, low)| json!({ "allOf": [
            { "type": "object", "properties": { "a": schema, "n": { "type": "number" } }, "required": ["a", "n"] },
            { "properties": { "n": { "type": "integer", "minimum": low } } },
        ] }));
        let tree = inner.prop_map(|schema| json!({ "type": "object", "properties": { "v": schema, "more": { "type": "array", "items": { "anyOf": [{ "type": "object", "properties": { "deep": { "type": ["string", "null"] } } }, { "type": "null" }] } } }, "required": ["v"] }));
        prop_oneof![object, array, unique, tuple, any_of, one_of, all_of, tree]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn every_made_value_satisfies_an_independent_validator(schema in schemas(), text in "[A-Za-z0-9 ,.@$-]{0,60}") {
        for text in [ANN, &text] {
            let made = value(&schema, text);
            prop_assert!(made.is_ok(), "{}: {:?}", schema, made);
            let made = made.unwrap_or_default();
            let judged = valid(&schema, &made);
            prop_assert!(judged.is_ok(), "{}: {:?}", schema, judged);
        }
    }

    #[test]
    fn a_violation_is_invalid_unless_everything_is_valid(schema in schemas()) {
        let made = value(&schema, ANN).unwrap_or_default();
        let wrong = violate(&schema, &made, Chance::of(1, "x"));
        if wrong != made {
            prop_assert!(valid(&schema, &wrong).is_err(), "{} of {}", wrong, schema);
        }
        if schema.get("type").is_some() {
            prop_assert!(wrong != made, "no violation of {}", schema);
        }
    }

    #[test]
    fn any_json_as_a_schema_is_rejected_or_served_without_panic(text in "[\\PC]{0,30}", word in prop::sample::select(vec!["type", "items", "enum", "anyOf", "minimum", "minLength", "minItems", "required", "properties", "pattern", "$ref", "additionalProperties", "prefixItems", "multipleOf", "uniqueItems", "const", "format"]), odd in prop::sample::select(vec![json!(null), json!(-1), json!(1e308), json!("x"), json!([]), json!({}), json!([{}]), json!([1, "a"]), json!("#"), json!(true)])) {
        for kind in ["string", "integer", "number", "array", "object", "boolean"] {
            for schema in [json!({ "type": kind, word: odd }), json!({ word: odd })] {
                let _ = crate::openai::judged(&schema, crate::openai::Strict::Yes);
                if supported(&schema).is_ok() {
                    let _ = value(&schema, &text);
                }
            }
        }
    }
}
