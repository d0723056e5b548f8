//! What is taken for a schema and what is refused, as one table of messages; hostile input; the accessors.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::*;

#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Person {
    name: String,
    age: Option<u32>,
    scores: BTreeMap<String, f64>,
    friends: Vec<Self>,
}

#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Endless {
    next: Box<Self>,
}

fn outcome(result: Result<Schema, Problem>) -> String {
    match result {
        Ok(schema) => format!("taken: {}", schema.as_json()),
        Err(Problem { message, hint, .. }) => format!("{message}\n        {}", hint.unwrap_or_default()),
    }
}

#[test]
fn a_schema_that_nothing_satisfies_is_refused_with_its_place() {
    let table = [
        json!(false),
        json!([]),
        json!("str"),
        json!({ "type": "strng" }),
        json!({ "type": [] }),
        json!({ "properties": [] }),
        json!({ "properties": { "a": ["b"] } }),
        json!({ "properties": { "a/b": { "enum": [] } } }),
        json!({ "properties": { "a": { "enum": ["x"], "const": "y" } } }),
        json!({ "properties": { "a": { "type": "string", "enum": [1, 2] } } }),
        json!({ "properties": { "a": { "type": "string", "const": 1 } } }),
        json!({ "items": { "minimum": 3, "maximum": 2 } }),
        json!({ "items": { "exclusiveMinimum": 3, "maximum": 3 } }),
        json!({ "items": { "exclusiveMinimum": 3, "exclusiveMaximum": 2 } }),
        json!({ "items": { "minimum": 3, "exclusiveMaximum": 3 } }),
        json!({ "minLength": 3, "maxLength": 2 }),
        json!({ "minItems": 3, "maxItems": 2 }),
        json!({ "minProperties": 3, "maxProperties": 2 }),
        json!({ "required": ["a", "b"], "maxProperties": 1 }),
        json!({ "properties": { "a": false }, "required": ["a"] }),
        json!({ "properties": { "a": {} }, "required": ["b"], "additionalProperties": false }),
        json!({ "anyOf": [] }),
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "anyOf": [] } } }),
        json!({ "anyOf": [false, { "allOf": [true, false] }] }),
        json!({ "not": true }),
        json!({ "items": { "allOf": [{ "type": "string" }, { "type": "integer" }] } }),
        json!({ "items": { "$ref": "#/$defs/a", "type": "string" }, "$defs": { "a": { "enum": [1] } } }),
        json!({ "$ref": "#/$defs/a" }),
        json!({ "$ref": "#a" }),
        json!({ "$ref": "#/title", "title": "x" }),
        json!({ "$ref": "https://example.org/a.json" }),
        json!({ "$ref": "other.json#/a" }),
        json!({ "$dynamicRef": "#a" }),
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "type": "null" }] } } }),
        json!({ "type": "object", "properties": { "next": { "$ref": "#" } }, "required": ["next"] }),
        json!({ "type": "array", "items": { "$ref": "#" }, "minItems": 1 }),
        json!({ "type": "object", "required": ["next"], "additionalProperties": { "$ref": "#" } }),
        json!({ "$ref": "#/$defs/a", "$defs": {
            "a": { "type": "object", "properties": { "b": { "$ref": "#/$defs/b" } }, "required": ["b"] },
            "b": { "type": "object", "properties": { "a": { "$ref": "#/$defs/a" } }, "required": ["a"] },
        } }),
        json!({ "properties": { "a": { "pattern": "(" } } }),
        json!({ "type": "string", "$schema": "https://example.org/of-my-own" }),
    ];
    let lines: Vec<String> = table
        .into_iter()
        .map(|json| format!("{json}\n    {}", outcome(Schema::from_json(json.clone()))))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r##"
    false
        schema: `false` allows no value, and a value is required here
            remove it, or make it optional
    []
        the schema is an array, expected an object
            give the path of a JSON Schema file, JSON Schema itself, or fields such as `name str, age int?`
    "str"
        the schema is a string, expected an object
            give the path of a JSON Schema file, JSON Schema itself, or fields such as `name str, age int?`
    {"type":"strng"}
        schema at `/type`: `strng` is not one of "array", "boolean", "integer", "null", "number", "object", "string"
            did you mean `string`?
    {"type":[]}
        schema: `type` is empty, expected at least one entry
            no value can satisfy this, change or remove one of them
    {"properties":[]}
        schema at `/properties`: is an array, expected an object
            see the JSON Schema specification for what is allowed here
    {"properties":{"a":["b"]}}
        schema at `/properties/a`: is an array, expected a boolean or an object
            see the JSON Schema specification for what is allowed here
    {"properties":{"a/b":{"enum":[]}}}
        schema at `/properties/a~1b`: `enum` is empty, expected at least one entry
            no value can satisfy this, change or remove one of them
    {"properties":{"a":{"enum":["x"],"const":"y"}}}
        schema at `/properties/a`: `const` "y" is not in `enum`
            no value can satisfy this, change or remove one of them
    {"properties":{"a":{"type":"string","enum":[1,2]}}}
        schema at `/properties/a`: `enum` allows only what `type` does not
            no value can satisfy this, change or remove one of them
    {"properties":{"a":{"type":"string","const":1}}}
        schema at `/properties/a`: `const` allows only what `type` does not
            no value can satisfy this, change or remove one of them
    {"items":{"minimum":3,"maximum":2}}
        schema at `/items`: `minimum` 3 and `maximum` 2 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"items":{"exclusiveMinimum":3,"maximum":3}}
        schema at `/items`: `exclusiveMinimum` 3 and `maximum` 3 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"items":{"exclusiveMinimum":3,"exclusiveMaximum":2}}
        schema at `/items`: `exclusiveMinimum` 3 and `exclusiveMaximum` 2 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"items":{"minimum":3,"exclusiveMaximum":3}}
        schema at `/items`: `minimum` 3 and `exclusiveMaximum` 3 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"minLength":3,"maxLength":2}
        schema: `minLength` 3 and `maxLength` 2 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"minItems":3,"maxItems":2}
        schema: `minItems` 3 and `maxItems` 2 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"minProperties":3,"maxProperties":2}
        schema: `minProperties` 3 and `maxProperties` 2 leave nothing between them
            no value can satisfy this, change or remove one of them
    {"required":["a","b"],"maxProperties":1}
        schema: more properties are required than `maxProperties` 1
            no value can satisfy this, change or remove one of them
    {"properties":{"a":false},"required":["a"]}
        schema: required property `a` is `false`
            no value can satisfy this, change or remove one of them
    {"properties":{"a":{}},"required":["b"],"additionalProperties":false}
        schema: required property `b` is not among `properties`, and no other is allowed
            no value can satisfy this, change or remove one of them
    {"anyOf":[]}
        schema: `anyOf` is empty, expected at least one entry
            no value can satisfy this, change or remove one of them
    {"type":"object","required":["a"],"properties":{"a":{"anyOf":[]}}}
        schema at `/properties/a`: `anyOf` is empty, expected at least one entry
            no value can satisfy this, change or remove one of them
    {"anyOf":[false,{"allOf":[true,false]}]}
        schema at `/anyOf/0`: `false` allows no value, and a value is required here
            remove it, or make it optional
    {"not":true}
        schema: `not` excludes every value
            no value can satisfy this, change or remove one of them
    {"items":{"allOf":[{"type":"string"},{"type":"integer"}]}}
        schema at `/items`: what it and its `allOf` or `$ref` allow has no type in common
            no value can satisfy both, change or remove one of them
    {"items":{"$ref":"#/$defs/a","type":"string"},"$defs":{"a":{"enum":[1]}}}
        schema at `/items`: what it and its `allOf` or `$ref` allow has no type in common
            no value can satisfy both, change or remove one of them
    {"$ref":"#/$defs/a"}
        schema: `$ref` to `#/$defs/a` points to nothing in the schema
            write the reference as `#/$defs/NAME` and the schema under `$defs`
    {"$ref":"#a"}
        schema: `$ref` to `#a` points to nothing in the schema
            write the reference as `#/$defs/NAME` and the schema under `$defs`
    {"$ref":"#/title","title":"x"}
        schema: `$ref` to `#/title` leads to something that is not a schema
            write the reference as `#/$defs/NAME` and the schema under `$defs`
    {"$ref":"https://example.org/a.json"}
        schema: `$ref` to `https://example.org/a.json` leads out of the schema, and rowcall fetches nothing
            copy what it points to under `$defs`
    {"$ref":"other.json#/a"}
        schema: `$ref` to `other.json#/a` leads out of the schema, and rowcall fetches nothing
            copy what it points to under `$defs`
    {"$dynamicRef":"#a"}
        schema: `$dynamicRef` to `#a` is not supported
            write the reference as `#/$defs/NAME` and the schema under `$defs`
    {"$ref":"#"}
        schema: it refers back to itself for the same value, or through more than 64 schemas in a row
            a reference may only come back within a property or an item
    {"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}}}
        schema at `/$defs/a`: it refers back to itself for the same value, or through more than 64 schemas in a row
            a reference may only come back within a property or an item
    {"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}
        schema at `/properties/next`: it requires itself, so that only an infinite value could satisfy it
            make the property that comes back optional, a list, or nullable
    {"type":"array","items":{"$ref":"#"},"minItems":1}
        schema at `/items`: it requires itself, so that only an infinite value could satisfy it
            make the property that comes back optional, a list, or nullable
    {"type":"object","required":["next"],"additionalProperties":{"$ref":"#"}}
        schema at `/additionalProperties`: it requires itself, so that only an infinite value could satisfy it
            make the property that comes back optional, a list, or nullable
    {"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"b":{"$ref":"#/$defs/b"}},"required":["b"]},"b":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"required":["a"]}}}
        schema at `/$defs/b/properties/a`: it requires itself, so that only an infinite value could satisfy it
            make the property that comes back optional, a list, or nullable
    {"properties":{"a":{"pattern":"("}}}
        schema at `/properties/a/pattern`: `(` is not a regular expression: a `(` is not closed
            JSON Schema has the regular expressions of JavaScript
    {"type":"string","$schema":"https://example.org/of-my-own"}
        schema at `/$schema`: `https://example.org/of-my-own` is not a known version of JSON Schema
            leave it out, or write `https://json-schema.org/draft/2020-12/schema`
    "##);
    insta::assert_snapshot!(outcome(Schema::from_type::<Endless>()), @r#"
    schema at `/properties/next`: it requires itself, so that only an infinite value could satisfy it
            make the property that comes back optional, a list, or nullable
    "#);
}

#[test]
fn what_has_a_way_out_is_taken() {
    for json in [
        json!(true),
        json!({}),
        json!({ "type": "array", "items": { "type": "string" } }),
        json!({ "enum": ["a", 1, null] }),
        json!({ "properties": { "a": false } }),
        json!({ "anyOf": [false, { "type": "string" }] }),
        json!({ "type": "object", "properties": { "next": { "$ref": "#" } } }),
        json!({ "type": "object", "properties": { "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } }, "required": ["next"] }),
        json!({ "type": "object", "properties": { "all": { "type": "array", "items": { "$ref": "#" } } }, "required": ["all"] }),
        json!({ "minimum": 3, "maximum": 3, "minItems": 0, "maxItems": 0 }),
        json!({ "$ref": "#/$defs/a%20b~1c", "$defs": { "a b/c": { "type": "string" } } }),
        json!({ "$id": "https://example.org/a.json", "$ref": "#/$defs/a", "$defs": { "a": { "type": "string" } } }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "definitions": { "a": { "type": "string" } } }),
        json!({ "x-anything": { "$ref": "nowhere" }, "default": { "enum": [] }, "const": { "anyOf": [] } }),
    ] {
        let text = json.to_string();
        let schema = Schema::from_json(json).unwrap();
        assert_eq!(schema.as_json().to_string(), text, "as given, key order included");
    }
    assert!(Schema::from_json(json!(true)).unwrap().validates(&json!([1, null])));
}

#[test]
fn text_and_files_are_distinguished_and_errors_say_where() {
    let directory = std::env::temp_dir().join(format!("rowcall-schema-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let place = file("person.JSON", "\u{feff} {\n  \"type\": \"integer\"\n}");
    assert_eq!(Schema::load(&place).unwrap().as_json(), &json!({ "type": "integer" }));
    assert_eq!(
        Schema::load("\u{feff}\n{\"type\": \"integer\"}").unwrap().as_json(),
        &json!({ "type": "integer" })
    );
    assert_eq!(Schema::load(" age int").unwrap().properties(), Some(vec!["age".to_owned()]));
    let broken = file("broken.json", "{\n  \"type\": integer\n}");
    let refused = file("refused.json", "{ \"items\": { \"enum\": [] } }");
    let deep = "{\"items\":".repeat(200);
    let outcomes: Vec<String> =
        ["nowhere/schema.json", &broken, &refused, "{\"type\": \"integer\"", &deep, "age itn"]
            .iter()
            .map(|argument| outcome(Schema::load(argument)).replace(directory.to_str().unwrap(), "DIR"))
            .collect();
    std::fs::remove_dir_all(&directory).unwrap();
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    schema file `nowhere/schema.json` cannot be read: No such file or directory (os error 2)
            give the path of a JSON Schema file, JSON Schema itself, or fields such as `name str, age int?`
    schema file `DIR/broken.json`: the schema is not valid JSON: expected value at line 2 column 11
            give the path of a JSON Schema file, JSON Schema itself, or fields such as `name str, age int?`
    schema file `DIR/refused.json`: schema at `/items`: `enum` is empty, expected at least one entry
            no value can satisfy this, change or remove one of them
    the schema is not valid JSON: EOF while parsing an object at line 1 column 18
            give the path of a JSON Schema file, JSON Schema itself, or fields such as `name str, age int?`
    the schema is nested too deeply, expected at most 64 levels
            give the inner parts names under `$defs` and refer to them
    field `age itn`: unknown type `itn` (known: str, int, float, bool)
            a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`
    "#);
}

#[test]
fn hostile_schemas_are_refused_without_exhausting_the_stack() {
    const FAR: usize = 200_000;
    let nested = |open: fn(Value) -> Value| (0..FAR).fold(json!({}), |inner, _| open(inner));
    let under = |keyword: &str, inner| Value::Object(Map::from_iter([(keyword.to_owned(), inner)]));
    for deep in [
        nested(|inner| Value::Array(vec![inner])),
        nested(|inner| Value::Object(Map::from_iter([("items".to_owned(), inner)]))),
        under("const", nested(|inner| Value::Array(vec![inner]))),
        under("anyOf", Value::Array(vec![json!({}), nested(|inner| Value::Array(vec![inner]))])),
    ] {
        assert_eq!(Schema::from_json(deep).unwrap_err(), satisfiable::too_deep());
    }
    let defs = |count: usize, def: fn(String) -> Value| -> Value {
        let mut defs: Map<String, Value> =
            (0..count).map(|n| (format!("d{n}"), def(format!("#/$defs/d{}", n + 1)))).collect();
        defs.insert(format!("d{count}"), json!({ "type": "string" }));
        json!({ "$ref": "#/$defs/d0", "$defs": defs })
    };
    let chain = defs(2_000, |next| json!({ "allOf": [{ "$ref": next }] }));
    assert!(Schema::from_json(chain).unwrap_err().message.contains("refers back"));
    let many = defs(20_000, |next| json!({ "type": "object", "properties": { "next": { "$ref": next } } }));
    assert!(Schema::from_json(many).unwrap_err().message.contains("more than 10000 subschemas"));
    let long = defs(3_000, |next| json!({ "type": "object", "properties": { "next": { "$ref": next } } }));
    assert!(Schema::from_json(long).unwrap().validates(&json!({ "next": { "next": {} } })));
    let doubling = defs(
        30,
        |next| json!({ "anyOf": [{ "$ref": next }, { "type": "array", "items": { "$ref": next } }] }),
    );
    assert!(Schema::from_json(doubling).unwrap().validates(&json!([["x"]])));
}

#[test]
fn a_schema_has_a_name_and_properties_in_order() {
    let named = |title: Value| Schema::from_generated(json!({ "title": title })).unwrap().name().to_owned();
    assert_eq!(named(json!("Person")), "Person");
    assert_eq!(named(json!("Ein Größen-Maß (in cm)")), "Ein_Gr__en-Ma___in_cm");
    assert_eq!(named(json!("???")), "answer");
    assert_eq!(named(json!("2024 invoice")), "answer_2024_invoice");
    assert_eq!(named(json!("x".repeat(100))), "x".repeat(64));
    assert_eq!(Schema::parse("a").unwrap().name(), "answer");

    let properties = |json: Value| Schema::from_json(json).unwrap().properties().map(|names| names.join(" "));
    assert_eq!(
        Schema::from_type::<Person>().unwrap().properties().unwrap(),
        ["name", "age", "scores", "friends"]
    );
    assert_eq!(Schema::from_type::<Person>().unwrap().name(), "Person");
    assert_eq!(Schema::from_type::<Vec<Person>>().unwrap().properties(), None);
    let base = json!({ "type": "object", "properties": { "z": {}, "a": {} } });
    let referred = json!({ "$ref": "#/$defs/base", "$defs": { "base": base } });
    assert_eq!(properties(referred), Some("z a".to_owned()));
    let merged =
        json!({ "properties": { "m": {} }, "allOf": [base, { "properties": { "b": {}, "a": {} } }] });
    assert_eq!(properties(merged), Some("m z a b".to_owned()));
    assert_eq!(properties(json!({ "type": "object" })), Some(String::new()));
    for none in [
        json!(true),
        json!({ "type": ["object", "null"], "properties": { "a": {} } }),
        json!({ "type": "object", "anyOf": [{ "properties": { "a": {} } }, { "properties": { "b": {} } }] }),
    ] {
        assert_eq!(properties(none), None);
    }
}

#[test]
fn an_object_may_have_further_fields_unless_its_schema_forbids_them() {
    for (schema, expected) in [
        (json!({ "type": "object" }), FurtherFields::Unmentioned),
        (json!({ "type": "object", "properties": { "a": {} } }), FurtherFields::Unmentioned),
        (json!({ "type": "object", "additionalProperties": false }), FurtherFields::Forbidden),
        (json!({ "type": "object", "unevaluatedProperties": false }), FurtherFields::Forbidden),
        (json!({ "type": "object", "additionalProperties": true }), FurtherFields::Allowed),
        (json!({ "type": "object", "additionalProperties": { "type": "string" } }), FurtherFields::Allowed),
        (json!({ "type": "object", "patternProperties": { "^x": {} } }), FurtherFields::Allowed),
        (
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object", "additionalProperties": false } } }),
            FurtherFields::Forbidden,
        ),
    ] {
        assert_eq!(Schema::from_json(schema.clone()).unwrap().further_fields(), expected, "{schema}");
    }
    assert_eq!(Schema::parse("name").unwrap().further_fields(), FurtherFields::Forbidden);
}
