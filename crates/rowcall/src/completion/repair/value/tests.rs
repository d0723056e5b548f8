//! Scenarios of values that almost satisfy the schema, and of those that must not be repaired.

use serde_json::{Value, json};

use super::{Repair, Wanted};
use crate::schema::{Dialect, Schema};

/// Repairs `given`, shown as the value and the names of its repairs, or as `refused`.
fn repaired(schema: &Schema, given: &Value, is_item: bool) -> String {
    let wire = schema.wire(Dialect::OpenAiStrict).expect("a wire schema");
    let wanted = Wanted { schema, wire: &wire };
    match wanted.repaired(given.clone(), is_item, &[]) {
        Ok((value, repairs)) => {
            assert!(schema.validates(&value), "{value}");
            let names: Vec<&str> = repairs.into_iter().map(Repair::name).collect();
            format!("{value} {}", names.join(" ")).trim_end().to_owned()
        }
        Err((value, violations)) => {
            assert!(!violations.is_empty());
            assert_eq!(value, wanted.form(given.clone()).0);
            "refused".to_owned()
        }
    }
}

fn check(schema: &Value, stories: &[(Value, &str)]) {
    let schema = Schema::from_json(schema.clone()).expect("a schema");
    for (given, expected) in stories {
        assert_eq!(repaired(&schema, given, true), *expected, "given: {given}");
    }
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"title": "Person", "type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

#[test]
fn numbers_and_booleans_are_spelled_as_the_schema_asks() {
    let schema =
        object(&json!({"n": {"type": "integer"}, "x": {"type": "number"}, "b": {"type": "boolean"}}), &[]);
    check(
        &schema,
        &[
            (json!({"n": "3"}), r#"{"n":3}"#),
            (json!({"n": "3.0"}), r#"{"n":3}"#),
            (json!({"n": 3.0}), r#"{"n":3}"#),
            (json!({"x": " 3.5 "}), r#"{"x":3.5}"#),
            (json!({"b": "True"}), r#"{"b":true}"#),
            // Nothing ambiguous.
            (json!({"n": "12,34"}), "refused"),
            (json!({"n": 3.5}), "refused"),
            (json!({"n": "three"}), "refused"),
            (json!({"n": true}), "refused"),
            (json!({"b": 1}), "refused"),
            (json!({"b": "yes"}), r#"{"b":true} label"#),
            (json!({"b": "yes and no"}), "refused"),
        ],
    );
    check(
        &object(&json!({"code": {"type": "string"}}), &[]),
        &[(json!({"code": 1234}), r#"{"code":"1234"} number_as_text"#)],
    );
}

#[test]
fn an_enum_value_is_recognised_by_its_letters() {
    let of = |members: Value| object(&json!({"e": {"enum": members}}), &["e"]);
    check(
        &of(json!(["positive", "in_progress", "not-known"])),
        &[
            (json!({"e": "Positive"}), r#"{"e":"positive"} enum_spelling"#),
            (json!({"e": " positive\n"}), r#"{"e":"positive"} enum_spelling"#),
            (json!({"e": "In Progress"}), r#"{"e":"in_progress"} enum_spelling"#),
            (json!({"e": "not known"}), r#"{"e":"not-known"} enum_spelling"#),
            (json!({"e": "InProgress"}), r#"{"e":"in_progress"} enum_spelling"#),
            (json!({"e": "positive!"}), r#"{"e":"positive"} label"#),
            (json!({"e": "not positive"}), "refused"),
            (json!({"e": "positive, in progress"}), "refused"),
            (json!({"e": "pos"}), "refused"),
            (json!({"e": ["positive"]}), r#"{"e":"positive"} unwrapped"#),
            (json!({"e": null}), "refused"),
        ],
    );
    // The nearest spelling counts, and only if it is one member's.
    check(
        &of(json!(["a", "A", "B c", "b-c", "-1", "1"])),
        &[
            (json!({"e": " A"}), r#"{"e":"A"} enum_spelling"#),
            (json!({"e": "b C"}), r#"{"e":"B c"} enum_spelling"#),
            (json!({"e": "b_c"}), "refused"),
            (json!({"e": -1}), r#"{"e":"-1"} enum_spelling"#),
        ],
    );
    check(
        &of(json!(["1", "2"])),
        &[(json!({"e": 1}), r#"{"e":"1"} enum_spelling"#), (json!({"e": "-1"}), "refused")],
    );
    check(&of(json!([1, 2])), &[(json!({"e": "2"}), r#"{"e":2}"#), (json!({"e": "3"}), "refused")]);
    check(
        &of(json!(["c++", "java"])),
        &[(json!({"e": "C"}), "refused"), (json!({"e": "C++"}), r#"{"e":"c++"} enum_spelling"#)],
    );
    // In a list, and where null is an alternative.
    let nullable = json!({"anyOf": [{"enum": ["yes", "no"]}, {"type": "null"}]});
    check(
        &json!({"type": "array", "items": nullable}),
        &[(json!(["Yes", "NO", null]), r#"["yes","no",null] enum_spelling enum_spelling"#)],
    );
    // As the whole value.
    check(&json!({"enum": ["yes", "no"]}), &[(json!("Yes"), r#""yes" enum_spelling"#)]);
}

#[test]
fn one_and_many() {
    let person = object(&json!({"name": {"type": "string"}}), &["name"]);
    let several = object(
        &json!({"people": {"type": "array", "items": person}, "n": {"type": "array", "items": {"type": "integer"}}}),
        &[],
    );
    check(
        &several,
        &[
            (json!({"people": {"name": "Ann"}}), r#"{"people":[{"name":"Ann"}]} wrapped"#),
            // A string or number may be the first of several in words.
            (json!({"n": 3}), "refused"),
            (json!({"people": "Ann"}), "refused"),
        ],
    );
    let one = object(&json!({"person": person}), &["person"]);
    check(
        &one,
        &[
            (json!({"person": [{"name": "Ann"}]}), r#"{"person":{"name":"Ann"}} unwrapped"#),
            (json!({"person": [{"name": "Ann"}, {"name": "Bob"}]}), "refused"),
            (json!({"person": []}), "refused"),
        ],
    );
    // The same for the whole value.
    check(
        &person,
        &[
            (json!([{"name": "Ann"}]), r#"{"name":"Ann"} unwrapped"#),
            (json!([{"name": "Ann"}, {"name": "Bob"}]), "refused"),
        ],
    );
    let people = json!({"type": "array", "items": person});
    check(&people, &[(json!({"name": "Ann"}), r#"[{"name":"Ann"}] wrapped"#), (json!("Ann"), "refused")]);
    // Not if there are other values, which would be lost.
    let schema = Schema::from_json(people).expect("a schema");
    assert_eq!(repaired(&schema, &json!({"name": "Ann"}), false), "refused");
}

#[test]
fn an_envelope_is_opened() {
    let person = object(&json!({"name": {"type": "string"}}), &["name"]);
    check(
        &person,
        &[
            (json!({"value": {"name": "Ann"}}), r#"{"name":"Ann"} envelope"#),
            (json!({"person": {"name": "Ann"}}), r#"{"name":"Ann"} envelope"#),
            (json!({"properties": {"name": "Ann"}}), r#"{"name":"Ann"} envelope"#),
            (
                json!({"response": {"result": [{"name": "Ann"}]}}),
                r#"{"name":"Ann"} envelope envelope unwrapped"#,
            ),
            (json!({"name": "Person", "arguments": {"name": "Ann"}}), r#"{"name":"Ann"} envelope"#),
            (
                json!({"name": "Person", "arguments": "{\"name\": \"Ann\"}"}),
                r#"{"name":"Ann"} envelope stringified"#,
            ),
            // Not under any name, nor next to other properties.
            (json!({"mother": {"name": "Ann"}}), "refused"),
            (json!({"value": {"name": "Ann"}, "confidence": 1}), "refused"),
            (json!({"name": "Dog", "arguments": {"name": "Ann"}}), "refused"),
            (json!({"value": {"value": {"value": {"value": {"name": "Ann"}}}}}), "refused"),
        ],
    );
    // Nor if the content does not match the schema.
    check(
        &json!({"type": "object", "properties": {"note": {"type": "string"}}}),
        &[(json!({"value": {"name": "Ann"}}), "refused")],
    );
    // A list may have any name, unless it is empty.
    let people = json!({"type": "array", "items": person});
    check(
        &people,
        &[
            (
                json!({"staff": [{"name": "Ann"}, {"name": "Bob"}]}),
                r#"[{"name":"Ann"},{"name":"Bob"}] envelope"#,
            ),
            (json!({"errors": []}), "refused"),
            (json!({"items": []}), "refused"),
        ],
    );
}

#[test]
fn json_in_a_string_is_read() {
    let person = object(
        &json!({"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}),
        &["name"],
    );
    check(
        &person,
        &[
            (json!("{\"name\": \"Ann\"}"), r#"{"name":"Ann"} stringified"#),
            (json!("```json\n{'name': 'Ann'}\n```"), r#"{"name":"Ann"} single_quotes fence stringified"#),
            (
                json!({"name": "Ann", "tags": "[\"a\", \"b\"]"}),
                r#"{"name":"Ann","tags":["a","b"]} stringified"#,
            ),
            (json!({"name": "Ann", "tags": "a, b"}), "refused"),
            (json!({"name": "Ann", "tags": "such as [\"a\"]"}), "refused"),
            (json!("{\"name\": \"Ann\""), "refused"),
            // A wanted string stays one.
            (json!({"name": "{\"name\": \"Ann\"}"}), r#"{"name":"{\"name\": \"Ann\"}"}"#),
        ],
    );
}

#[test]
fn null_replaces_an_optional_property() {
    let schema = object(
        &json!({"name": {"type": "string"}, "a/b~c": {"type": "integer"}, "e": {"enum": ["x"]}}),
        &["name"],
    );
    check(
        &schema,
        &[
            (json!({"name": "Ann", "a/b~c": null, "e": null}), r#"{"name":"Ann"}"#),
            (json!({"value": {"name": "Ann", "a/b~c": null}}), r#"{"name":"Ann"} envelope"#),
            (json!({"name": null}), "refused"),
        ],
    );
    // Even if the wire schema does not allow null there.
    let schema = json!({"type": "object", "patternProperties": {"^x": {"type": "integer"}}});
    let map = Schema::from_json(schema).expect("a schema");
    assert_eq!(repaired(&map, &json!({"x/1~": null, "x2": 2}), true), r#"{"x2":2} null_dropped"#);
}

#[test]
fn repairs_combine_and_are_made_only_if_they_suffice() {
    let item = object(&json!({"kind": {"enum": ["good", "bad"]}, "n": {"type": "integer"}}), &["kind", "n"]);
    let schema = json!({"type": "array", "items": item, "minItems": 1});
    check(
        &schema,
        &[
            (json!({"items": "[{'kind': 'Good', 'n': '1'}]"}), "refused"),
            (
                json!({"result": "[{'kind': 'Good', 'n': '1'}]"}),
                r#"[{"kind":"good","n":1}] envelope single_quotes stringified enum_spelling"#,
            ),
            (json!([{"kind": "Good", "n": "one"}]), "refused"),
        ],
    );
    // More errors than are reported at once.
    let many: Vec<Value> = (0..200).map(|n| json!({"kind": "GOOD", "n": n})).collect();
    let schema = Schema::from_json(schema).expect("a schema");
    assert!(repaired(&schema, &Value::from(many), true).ends_with("enum_spelling"));
}
