//! Names that Anthropic's tools refuse: asked for under others, and put back.

use serde_json::{Value, json};

use super::{Dialect, WireSchema};
use crate::schema::Schema;

fn tool(schema: Value) -> WireSchema {
    let schema = Schema::from_generated(schema).expect("a schema");
    let strict = schema.wire(Dialect::Anthropic).or_else(|_| schema.wire(Dialect::Object));
    strict.expect("a form").with_plain_names()
}

/// All names of properties in a wire schema.
fn named(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(keywords) => keywords
            .iter()
            .flat_map(|(keyword, value)| {
                let own = value.as_object().filter(|_| keyword == "properties");
                let own = own.into_iter().flat_map(|properties| properties.keys().cloned());
                own.chain(named(value)).collect::<Vec<_>>()
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(named).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn names_are_plain_on_the_wire_and_the_users_in_the_value() {
    let long = "x".repeat(70);
    let names = ["größe", "first name", "filter[id]", "$ref", "@type", "", "名前", "first_name", &long];
    let string = json!({"type": "string"});
    let properties: Value = names
        .iter()
        .map(|name| ((*name).to_owned(), string.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let inner =
        json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false});
    for schema in [
        inner.clone(),
        json!({"type": "object", "properties": {"list": {"type": "array", "items": inner}}, "required": ["list"]}),
        json!({"type": "object", "properties": {"a b": {"$ref": "#/$defs/ä"}}, "required": ["a b"], "$defs": {"ä": inner}}),
        // What strict tools cannot have goes as it is.
        json!({"type": "object", "properties": {"a b": {"type": "array", "items": {"$ref": "#"}}, "c d": inner}, "required": ["c d"]}),
    ] {
        let wire = tool(schema.clone());
        let plain = |name: &String| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let on_wire = named(&wire.schema);
        assert!(!on_wire.is_empty() && on_wire.iter().all(plain), "{}", wire.schema);
        assert!(wire.losses.iter().any(|loss| loss.note.contains("asked for as")), "{:?}", wire.losses);
        let fields: Value = names
            .iter()
            .map(|name| ((*name).to_owned(), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let value =
            match schema["properties"].as_object().expect("properties").keys().next().map(String::as_str) {
                Some("list") => json!({"list": [fields]}),
                Some("a b") if schema["properties"].get("c d").is_some() => json!({"a b": [], "c d": fields}),
                Some("a b") => json!({"a b": fields}),
                _ => fields,
            };
        let expressed = wire.express(&value);
        assert_ne!(expressed, value);
        assert_eq!(wire.restore(expressed), value);
        assert_eq!(
            wire.restore(value.clone())["first name"],
            value["first name"],
            "the user's own names are taken as well"
        );
    }
}

#[test]
fn a_violation_has_the_names_that_were_asked_for() {
    let item = json!({"type": "object", "properties": {"first name": {"type": "string"}, "größe": {"type": "integer"}, "age": {"type": "integer"}},
        "required": ["first name"], "additionalProperties": false});
    let schema = Schema::from_json(json!({"type": "object", "properties": {"a/b": {"type": "array", "items": item}}, "required": ["a/b"]}))
        .expect("a schema");
    let wire = schema.wire(Dialect::Object).expect("a form").with_plain_names();
    let messages = |value: Value| -> Vec<String> {
        schema.violations(&value).iter().map(|violation| wire.expressed(violation).to_string()).collect()
    };
    for (value, expected) in [
        (json!({}), "required property `a_b.` is missing"),
        (json!({"a/b": [{"größe": 3}]}), "`/a_b./0`: required property `first_name.` is missing"),
        (
            json!({"a/b": [{"first name": "größe", "größe": "x"}]}),
            "`/a_b./0/groesse.`: is a string, expected an integer",
        ),
        (
            json!({"a/b": [{"first name": "x", "zz": 1, "yy": 1}]}),
            "`/a_b./0`: unexpected properties `zz`, `yy` (known: first_name., groesse., age)",
        ),
    ] {
        assert_eq!(messages(value), [expected]);
    }
}

#[test]
fn names_that_are_plain_stay() {
    let schema = json!({"type": "object", "properties": {"a-b.c_1": {"type": "string"}}, "required": ["a-b.c_1"], "additionalProperties": false});
    assert_eq!(tool(schema.clone()).schema["properties"], schema["properties"]);
}
