//! Random, unrealistic schemas: keywords of all drafts in any combination. Each that is accepted as a schema is translated
//! without a panic and follows the provider's rules.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use rowcall::Schema;
use serde_json::{Map, Value, json};

use super::values::{self, Dice};
use super::{DIALECTS, Lost, lost_on_the_way, sent};

/// A schema with references to definitions, of which there are always these.
fn roots() -> impl Strategy<Value = Value> {
    let definitions = (schemas(), schemas(), schemas());
    (schemas(), definitions).prop_map(|(root, (a, b, odd))| {
        let Value::Object(mut root) = root else { return root };
        root.insert("$defs".to_owned(), json!({ "a": a, "b": b, "odd %/name": odd }));
        root.insert("definitions".to_owned(), json!({ "a": b }));
        let mut root = Value::Object(root);
        let text = root.to_string();
        if text.contains("additionalItems") && !text.contains("prefixItems") {
            root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        }
        root
    })
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => scalars(),
        1 => prop::sample::select(vec![json!(true), json!({}), json!({ "description": "what?" })]),
        2 => prop::sample::select(vec!["#", "#/$defs/a", "#/$defs/b", "#/$defs/odd%20%25~1name", "#/definitions/a"])
            .prop_map(|reference| json!({ "$ref": reference })),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        let sometimes = prop::option::weighted(0.3, inner.clone());
        prop_oneof![
            4 => objects(inner.clone()),
            2 => (inner.clone(), sometimes, limits("minItems", "maxItems")).prop_map(|(items, contains, limits)| {
                with(json!({ "type": "array", "items": items }), contains.map(|each| ("contains", each)), limits)
            }),
            1 => (list.clone(), prop::option::of(inner.clone())).prop_map(|(first, rest)| {
                let least = first.len();
                with(json!({ "type": "array", "prefixItems": first, "minItems": least }), rest.map(|each| ("items", each)), None)
            }),
            1 => list.clone().prop_map(|list| json!({ "type": "array", "items": list, "additionalItems": false })),
            1 => list.clone().prop_map(|list| json!({ "anyOf": list, "description": "one of several" })),
            1 => list.clone().prop_map(|list| json!({ "oneOf": list })),
            1 => list.clone().prop_map(|list| json!({ "allOf": list })),
            1 => (objects(inner.clone()), list).prop_map(|(object, list)| with(object, Some(("anyOf", json!(list))), None)),
            1 => inner.clone().prop_map(|each| json!({ "anyOf": [each, { "type": "null" }], "default": null })),
            1 => inner.clone().prop_map(|each| json!({ "type": ["object", "array", "string"], "properties": { "p": each }, "items": each })),
            1 => (inner.clone(), inner).prop_map(|(one, other)| json!({ "type": "object", "not": one, "if": other, "then": true })),
        ]
    })
}

fn scalars() -> impl Strategy<Value = Value> {
    let members = prop::sample::subsequence(
        vec![
            json!("a"),
            json!("b"),
            json!(1),
            json!(0.5),
            json!(true),
            json!(false),
            json!(null),
            json!([1]),
            json!({ "k": null }),
        ],
        1..5,
    );
    let types = prop::sample::subsequence(
        vec!["string", "integer", "number", "boolean", "null", "array", "object"],
        1..4,
    );
    prop_oneof![
        3 => prop::sample::select(vec!["string", "integer", "number", "boolean", "null"]).prop_map(|name| json!({ "type": name })),
        1 => types.prop_map(|names| json!({ "type": names })),
        2 => members.clone().prop_map(|members| json!({ "enum": members })),
        1 => members.prop_map(|members| json!({ "const": members[0], "description": "always so" })),
        1 => limits("minimum", "maximum").prop_map(|limits| with(json!({ "type": ["integer", "null"] }), None, limits)),
        1 => limits("minLength", "maxLength").prop_map(|limits| with(json!({ "type": "string", "default": "d" }), None, limits)),
        1 => prop::sample::select(vec!["date", "uri", "uuid", "byte", "date-time"])
            .prop_map(|format| json!({ "type": "string", "format": format })),
        1 => Just(json!({ "type": "number", "multipleOf": 0.5, "exclusiveMinimum": 0 })),
        1 => Just(json!({ "type": "string", "pattern": "^[a-z]+$", "examples": ["abc"] })),
    ]
}

fn objects(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let names = prop::sample::subsequence(vec!["a", "b c", "value", "key", "other_properties", "$ref"], 0..4);
    let required = prop::sample::subsequence(vec!["a", "value", "z"], 0..3);
    let others = prop_oneof![
        3 => Just(None),
        1 => Just(Some(json!(false))),
        1 => Just(Some(json!(true))),
        2 => inner.clone().prop_map(Some),
    ];
    let matching = prop::option::weighted(0.2, inner.clone());
    (names, prop::collection::vec(inner, 4), required, others, matching).prop_map(
        |(names, schemas, required, others, matching)| {
            let mut object = json!({ "type": "object" });
            if !names.is_empty() {
                let properties: Map<String, Value> =
                    names.into_iter().map(str::to_owned).zip(schemas).collect();
                object["properties"] = Value::Object(properties);
            }
            if !required.is_empty() {
                object["required"] = json!(required);
            }
            let matching = matching.map(|each| ("patternProperties", json!({ "^x-": each })));
            with(with(object, matching, None), others.map(|each| ("additionalProperties", each)), None)
        },
    )
}

fn limits(least: &'static str, most: &'static str) -> impl Strategy<Value = Option<Value>> {
    prop::option::of((0..3, 2..5).prop_map(move |(low, high)| json!({ least: low, most: high })))
}

fn with(mut schema: Value, keyword: Option<(&str, Value)>, more: Option<Value>) -> Value {
    if let Some((keyword, value)) = keyword {
        schema[keyword] = value;
    }
    if let (Value::Object(schema), Some(Value::Object(more))) = (&mut schema, more) {
        schema.extend(more);
    }
    schema
}

#[test]
fn random_schemas_are_expressed_within_the_rules_or_refused() {
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (taken, expressed) = (Cell::new(0), Cell::new(0));
    let (values, beyond) = (Cell::new(0), Cell::new(0));
    let more = |count: &Cell<u32>| count.set(count.get() + 1);
    let bytes = prop::collection::vec(any::<u8>(), 0..48);
    let result = runner.run(&(roots(), bytes), |(root, bytes)| {
        let Ok(schema) = Schema::from_json(root) else { return Ok(()) };
        more(&taken);
        let value = values::value(schema.as_json(), &mut Dice::new(bytes));
        for dialect in DIALECTS {
            let Some(sent) = sent(&schema, dialect).map_err(TestCaseError::fail)? else { continue };
            more(&expressed);
            if schema.validates(&value) {
                more(&values);
                match lost_on_the_way(&schema, &sent, &value) {
                    Ok(()) => {}
                    // A value of an open object may have what is not asked for.
                    Err(Lost::There(_)) => more(&beyond),
                    Err(Lost::OnTheWayBack(what)) => return Err(TestCaseError::fail(what)),
                }
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(taken.get() > 700, "{} of the schemas are taken for some", taken.get());
    assert!(expressed.get() > 4 * taken.get(), "{} of {} are expressed", expressed.get(), 5 * taken.get());
    assert!(
        values.get() > 2_000 && beyond.get() < values.get() / 100,
        "{} of {}",
        beyond.get(),
        values.get()
    );
}
