//! What is respelled and what is left alone, as one table; the property that nothing valid becomes invalid.

use proptest::prelude::*;
use serde_json::json;

use crate::schema::Schema;

#[test]
fn numbers_and_booleans_are_respelled_only_where_nothing_else_will_do() {
    let integer = json!({ "type": "integer" });
    let number = json!({ "type": "number" });
    let boolean = json!({ "type": "boolean" });
    let circle = json!({ "type": "object", "properties": { "kind": { "const": "circle" }, "r": integer }, "required": ["kind", "r"] });
    let ruler = json!({ "type": "object", "properties": { "kind": { "const": "ruler" }, "r": { "type": "string" } }, "required": ["kind", "r"] });
    let table = [
        (integer.clone(), json!(3), json!(3)),
        (integer.clone(), json!(3.0), json!(3)),
        (integer.clone(), json!(-0.0), json!(0)),
        (integer.clone(), json!(3.5), json!(3.5)),
        (integer.clone(), json!(1e300), json!(1e300)),
        (integer.clone(), json!("3"), json!(3)),
        (integer.clone(), json!(" -3.0 "), json!(-3)),
        (integer.clone(), json!("3.5"), json!("3.5")),
        (integer.clone(), json!("18446744073709551615"), json!(u64::MAX)),
        (integer.clone(), json!("1e3"), json!(1000)),
        (integer.clone(), json!("007"), json!("007")),
        (integer.clone(), json!("1,000"), json!("1,000")),
        (integer.clone(), json!("three"), json!("three")),
        (integer.clone(), json!(""), json!("")),
        (integer.clone(), json!(null), json!(null)),
        (integer.clone(), json!(true), json!(true)),
        (integer.clone(), json!([3.0]), json!([3.0])),
        (number.clone(), json!(3.0), json!(3.0)),
        (number.clone(), json!(3), json!(3)),
        (number.clone(), json!("3.5"), json!(3.5)),
        (number.clone(), json!("NaN"), json!("NaN")),
        (number.clone(), json!("1e999"), json!("1e999")),
        (boolean.clone(), json!("true"), json!(true)),
        (boolean.clone(), json!("False "), json!(false)),
        (boolean.clone(), json!("yes"), json!("yes")),
        (boolean.clone(), json!("1"), json!("1")),
        (json!({ "type": "string" }), json!("3"), json!("3")),
        (json!({ "type": "string" }), json!(3.0), json!(3.0)),
        (json!(true), json!("3"), json!("3")),
        (json!({}), json!(3.0), json!(3.0)),
        (json!({ "type": ["integer", "null"] }), json!("3"), json!(3)),
        (json!({ "type": ["integer", "string"] }), json!("3"), json!("3")),
        (json!({ "type": ["integer", "string"] }), json!(3.0), json!(3)),
        (json!({ "type": ["integer", "number"] }), json!(3.0), json!(3.0)),
        (json!({ "enum": [1, 2] }), json!("2"), json!(2)),
        (json!({ "const": 1 }), json!(1.0), json!(1)),
        (json!({ "enum": ["1", 2] }), json!("2"), json!("2")),
        (json!({ "anyOf": [integer, { "type": "null" }] }), json!("3"), json!(3)),
        (json!({ "oneOf": [integer, number] }), json!(3.0), json!(3.0)),
        (
            json!({ "allOf": [number, { "$ref": "#/$defs/i" }], "$defs": { "i": integer } }),
            json!(3.0),
            json!(3),
        ),
        (json!({ "items": integer }), json!([3.0, "4", "x"]), json!([3, 4, "x"])),
        (
            json!({ "prefixItems": [integer, { "type": "string" }], "items": number }),
            json!([3.0, "4", "5"]),
            json!([3, "4", 5]),
        ),
        (
            json!({ "items": [integer], "additionalItems": number, "$schema": "http://json-schema.org/draft-07/schema#" }),
            json!([3.0, "5"]),
            json!([3, 5]),
        ),
        (
            json!({ "properties": { "a": integer, "b": { "type": "string" } } }),
            json!({ "a": "3", "b": "3", "c": "3" }),
            json!({ "a": 3, "b": "3", "c": "3" }),
        ),
        (
            json!({ "additionalProperties": integer, "properties": { "a": {} } }),
            json!({ "a": "3", "b": "3" }),
            json!({ "a": "3", "b": 3 }),
        ),
        (
            json!({ "patternProperties": { "^\\d+$": integer }, "additionalProperties": false }),
            json!({ "1": 3.0 }),
            json!({ "1": 3 }),
        ),
        (json!({ "patternProperties": { "^\\d+$": integer } }), json!({ "1": 3.0 }), json!({ "1": 3.0 })),
        (
            json!({ "oneOf": [circle, ruler] }),
            json!({ "kind": "circle", "r": "3" }),
            json!({ "kind": "circle", "r": 3 }),
        ),
        (
            json!({ "oneOf": [circle, ruler] }),
            json!({ "kind": "ruler", "r": "3" }),
            json!({ "kind": "ruler", "r": "3" }),
        ),
        (
            json!({ "anyOf": [{ "items": integer, "type": "array" }, { "items": { "type": "string" }, "type": "array" }] }),
            json!(["x", "3"]),
            json!(["x", "3"]),
        ),
        (
            json!({ "properties": { "n": integer, "next": { "$ref": "#" } } }),
            json!({ "next": { "next": { "n": "3" } } }),
            json!({ "next": { "next": { "n": 3 } } }),
        ),
    ];
    for (schema, value, expected) in table {
        let coerced = Schema::from_json(schema.clone()).unwrap().coerce(value.clone());
        // Compared as text, since 3 and 3.0 must differ.
        assert_eq!(coerced.to_string(), expected.to_string(), "{value} under {schema}");
    }
}

#[test]
fn a_whole_number_comes_out_as_rust_reads_it() {
    #[derive(serde::Deserialize, schemars::JsonSchema, Debug, PartialEq)]
    struct Count {
        n: u32,
        by_id: std::collections::BTreeMap<u32, Option<i64>>,
        ratio: f64,
    }
    let schema = Schema::from_type::<Count>().unwrap();
    let value = schema.coerce(json!({ "n": 3.0, "by_id": { "7": "8", "9": null }, "ratio": "0.5" }));
    assert_eq!(schema.violations(&value), []);
    let count: Count = serde_json::from_value(value).unwrap();
    assert_eq!(count, Count { n: 3, by_id: [(7, Some(8)), (9, None)].into(), ratio: 0.5 });
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        (-100.0..100.0).prop_map(|it: f64| json!(it)),
        (-100..100).prop_map(|it: i32| json!(f64::from(it))),
        "-?[0-9]{1,3}(\\.[05])?|true|false|[a-z]{0,3}".prop_map(|it| json!(it)),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_valid_becomes_invalid_and_twice_is_once(value in json_value()) {
        for schema in [
            json!({ "items": { "type": ["integer", "null", "boolean"] }, "properties": { "a": { "type": "integer" }, "b": { "$ref": "#" } } }),
            json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "array", "items": { "type": "integer" } },
                { "type": "array", "items": { "type": ["number", "string"] } },
                { "type": "object", "additionalProperties": { "$ref": "#" } }] }),
        ] {
            let schema = Schema::from_json(schema).unwrap();
            let coerced = schema.coerce(value.clone());
            prop_assert!(schema.validates(&coerced) || !schema.validates(&value), "{} became {}", value, coerced);
            prop_assert_eq!(schema.coerce(coerced.clone()).to_string(), coerced.to_string());
        }
    }
}
