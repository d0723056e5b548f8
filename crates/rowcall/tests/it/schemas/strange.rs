//! Strategies for random, unrealistic schemas: keywords of all drafts in any combination.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A schema with references to definitions, of which there are always these.
pub(crate) fn roots() -> impl Strategy<Value = Value> {
    let definitions = (schemas(), schemas(), schemas());
    (schemas(), definitions).prop_map(|(root, (a, b, odd))| {
        let Value::Object(mut root) = root else { return root };
        root.insert("$defs".to_owned(), json!({ "a": a, "b": b, "odd %/name": odd }));
        root.insert("definitions".to_owned(), json!({ "a": b }));
        let mut root = Value::Object(root);
        let text = root.to_string();
        // What refers to a root without a type means another one where a tool needs an object there.
        if text.contains(r##""$ref":"#""##) && root.get("properties").is_some() {
            root["type"] = json!("object");
        }
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
            1 => (list.clone(), inner.clone(), 0_usize..4).prop_map(|(first, rest, count)| {
                json!({ "type": "array", "prefixItems": first, "unevaluatedItems": rest, "minItems": count, "maxItems": count + 1 })
            }),
            1 => inner.clone().prop_map(|items| json!({ "type": "array", "items": items, "uniqueItems": true, "maxItems": 2_000 })),
            1 => (objects(inner.clone()), conditions()).prop_map(|(object, condition)| with(object, None, Some(condition))),
            1 => inner.clone().prop_map(|each| json!({ "type": "object", "unevaluatedProperties": each })),
            1 => inner.clone().prop_map(|each| json!({ "properties": { "a": each }, "patternProperties": { "^[a-c]": each, "z$": true } })),
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
        2 => texts(),
        2 => numbers(),
    ]
}

/// Strings with any limits, some without a type.
fn texts() -> impl Strategy<Value = Value> {
    let patterns = vec![
        "^[a-z]+$",
        "[0-9]{3}",
        r"^\d{2}-\w+$",
        "^(a|b)+c?$",
        "^[^,]+$",
        "^.*$",
        "(?=a)a",
        r"\bfoo\b",
        r"^\p{L}+$",
        "a{2,}",
        "^a|b$",
        r"^\s*\S+$",
        r"^\/x\.y$",
        "^$",
        r#"^"[a-z]*"$"#,
        r"\\",
    ];
    let formats = vec![
        "date",
        "time",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uuid",
        "regex",
        "phone",
    ];
    let pattern = prop::option::weighted(0.4, prop::sample::select(patterns));
    let format = prop::option::weighted(0.3, prop::sample::select(formats));
    let lengths = prop::option::of(prop::sample::select(vec![
        json!({ "minLength": 1 }),
        json!({ "maxLength": 5 }),
        json!({ "minLength": 2, "maxLength": 40 }),
        json!({ "maxLength": 5_000 }),
        json!({ "minLength": 3.0 }),
        json!({ "minLength": 0 }),
    ]));
    (pattern, format, lengths, prop::bool::weighted(0.9)).prop_map(|(pattern, format, lengths, typed)| {
        let text = if typed { json!({ "type": "string" }) } else { json!({}) };
        let text = with(text, pattern.map(|each| ("pattern", json!(each))), lengths);
        with(text, format.map(|each| ("format", json!(each))), None)
    })
}

/// Numbers with any limits, and a few values with limits.
fn numbers() -> impl Strategy<Value = Value> {
    let least = prop::option::of(prop::sample::select(vec![
        json!({ "minimum": 0 }),
        json!({ "minimum": -2.5 }),
        json!({ "exclusiveMinimum": 1 }),
        json!({ "minimum": 1, "exclusiveMinimum": 1 }),
        json!({ "minimum": 1e-7 }),
        json!({ "minimum": 3.0 }),
        json!({ "exclusiveMinimum": 0.125 }),
    ]));
    let most = prop::option::of(prop::sample::select(vec![
        json!({ "maximum": 9 }),
        json!({ "maximum": 99.99 }),
        json!({ "exclusiveMaximum": 100 }),
        json!({ "maximum": 1e20 }),
        json!({ "maximum": 9_007_199_254_740_993_i64 }),
        json!({ "multipleOf": 3 }),
        json!({ "multipleOf": 0.1 }),
    ]));
    let kinds = vec![
        json!({ "type": "integer" }),
        json!({ "type": "number" }),
        json!({ "type": ["integer", "null"] }),
        json!({}),
        json!({ "type": ["string", "number"] }),
        json!({ "enum": [0, 2, 3.5, 12] }),
    ];
    (prop::sample::select(kinds), least, most)
        .prop_map(|(kind, least, most)| with(with(kind, None, least), None, most))
}

/// What objects must be like as a whole.
fn conditions() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({ "minProperties": 1 }),
        json!({ "maxProperties": 2 }),
        json!({ "propertyNames": { "maxLength": 8 } }),
        json!({ "propertyNames": { "pattern": "^[a-z]" } }),
        json!({ "propertyNames": { "enum": ["a", "b c"] } }),
        json!({ "dependentRequired": { "a": ["value"] } }),
        json!({ "unevaluatedProperties": false }),
        json!({ "not": { "required": ["key"] } }),
        json!({ "anyOf": [{ "required": ["a"] }, { "required": ["key"] }] }),
    ])
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
