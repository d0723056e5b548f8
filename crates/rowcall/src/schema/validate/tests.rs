//! What violations say and what breaches expect, as one table; formats; the bound on their number and length.

use serde_json::{Value, json};

use crate::schema::{Breach, Expected, JsonType, Schema};

fn breaches(schema: &Value, value: &Value) -> Vec<Breach> {
    Schema::from_json(schema.clone()).unwrap().breaches(value, super::MOST_VIOLATIONS)
}

fn described(schema: &Value, value: &Value) -> String {
    let breaches = breaches(schema, value);
    let lines = breaches.iter().map(|breach| {
        let expected = match &breach.expected {
            Expected::Types(types) => {
                format!(" → {}", types.iter().map(|each| each.name()).collect::<Vec<_>>().join("|"))
            }
            Expected::Member(members) => format!(" → {}", json!(members)),
            Expected::Name { .. } | Expected::Other => String::new(),
        };
        format!("    {:?} {}{expected}", breach.path, breach.message)
    });
    format!("{value}\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn each_breach_says_what_is_wrong_where_and_what_was_expected() {
    let person = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[A-Z]" },
            "age": { "type": "integer", "minimum": 0, "maximum": 150 },
            "height": { "type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 3, "multipleOf": 0.5 },
            "color": { "enum": ["red", "blue"] },
            "kind": { "const": "person" },
            "born": { "type": "string", "format": "date" },
            "site/~": { "type": "string", "format": "uri" },
            "tags": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 2, "uniqueItems": true },
            "pair": { "prefixItems": [{ "type": "string" }], "items": false },
            "meta": { "type": "object", "minProperties": 1, "propertyNames": { "pattern": "^x" } },
            "not": { "not": { "type": "string" } },
            "has": { "contains": { "type": "integer" } },
            "gone": false,
        },
        "required": ["name", "age"],
        "additionalProperties": false,
    });
    let base = json!({ "name": "Al", "age": 3 });
    let with = |more: Value| {
        let mut value = base.clone();
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    assert_eq!(breaches(&person, &base), []);
    let values = [
        json!("Al"),
        json!({ "nmae": "Al" }),
        with(json!({ "a": 1, "b": 2 })),
        with(json!({ "name": 3, "age": "3" })),
        with(json!({ "name": "a" })),
        with(json!({ "name": "ALFRED", "age": -1 })),
        with(json!({ "age": 151, "height": 0 })),
        with(json!({ "age": 2.5, "height": 3.25 })),
        with(json!({ "height": "tall", "color": "purple", "kind": "Person" })),
        with(json!({ "color": 3, "kind": null, "gone": 1 })),
        with(json!({ "born": "yesterday", "site/~": "here", "not": "x", "has": ["a"] })),
        with(json!({ "tags": [] })),
        with(json!({ "tags": ["a", "a", 3] })),
        with(json!({ "tags": "a", "pair": ["a", "b"], "meta": { "y": 1 } })),
        with(json!({ "tags": { "a": 1 }, "meta": {} })),
    ];
    let lines: Vec<String> = values.iter().map(|value| described(&person, value)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "Al"
        "" is a string, expected an object → object
    {"nmae":"Al"}
        "" required property `name` is missing
        "" required property `age` is missing
        "" unexpected property `nmae`, did you mean `name`?
    {"name":"Al","age":3,"a":1,"b":2}
        "" unexpected properties `a`, `b` (known: name, age, height, color, kind, born, site/~, tags, pair, meta, not, has, gone)
    {"name":3,"age":"3"}
        "/name" is an integer, expected a string → string
        "/age" is a string, expected an integer → integer
    {"name":"a","age":3}
        "/name" has 1 character, expected at least 2
        "/name" `a` does not match the pattern `^[A-Z]`
    {"name":"ALFRED","age":-1}
        "/name" has 6 characters, expected at most 3
        "/age" -1 is less than the minimum 0
    {"name":"Al","age":151,"height":0}
        "/age" 151 is greater than the maximum 150
        "/height" 0 is not greater than 0
    {"name":"Al","age":2.5,"height":3.25}
        "/age" is a number, expected an integer → integer
        "/height" 3.25 is not less than 3
        "/height" 3.25 is not a multiple of 0.5
    {"name":"Al","age":3,"height":"tall","color":"purple","kind":"Person"}
        "/height" is a string, expected a number or null → number|null
        "/color" `purple` is not one of "red", "blue" → ["red","blue"]
        "/kind" is `Person`, expected "person" → ["person"]
    {"name":"Al","age":3,"color":3,"kind":null,"gone":1}
        "/color" `3` is not one of "red", "blue" → ["red","blue"]
        "/kind" is `null`, expected "person" → ["person"]
        "/gone" is not allowed here
    {"name":"Al","age":3,"born":"yesterday","site/~":"here","not":"x","has":["a"]}
        "/born" `yesterday` is not a valid `date` (YYYY-MM-DD)
        "/site~1~0" `here` is not a valid `uri` (absolute, such as https://example.org/)
        "/not" `x` is excluded by `not` {"type":"string"}
        "/has" has too few or too many items that match `contains`
    {"name":"Al","age":3,"tags":[]}
        "/tags" has 0 items, expected at least 1
    {"name":"Al","age":3,"tags":["a","a",3]}
        "/tags" has 3 items, expected at most 2
        "/tags" has items that are equal, expected each only once
        "/tags/2" is an integer, expected a string → string
    {"name":"Al","age":3,"tags":"a","pair":["a","b"],"meta":{"y":1}}
        "/tags" is a string, expected an array → array
        "/pair/1" is not allowed here
        "/meta" the property name `y` is not allowed: `y` does not match the pattern `^x`
    {"name":"Al","age":3,"tags":{"a":1},"meta":{}}
        "/tags" is an object, expected an array → array
        "/meta" has 0 properties, expected at least 1
    "#);
}

#[test]
fn the_closest_alternative_is_reported() {
    let circle = json!({ "type": "object", "properties": { "kind": { "const": "circle" }, "r": { "type": "number" } },
        "required": ["kind", "r"] });
    let square = json!({ "type": "object", "properties": { "kind": { "const": "square" }, "a": { "type": "number" } },
        "required": ["kind", "a"] });
    let cases = [
        (json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }), json!("3")),
        (json!({ "type": ["integer", "null"] }), json!("3")),
        (json!({ "anyOf": [{ "enum": ["red", "blue"] }, { "type": "null" }] }), json!("Red")),
        (json!({ "anyOf": [{ "enum": ["red", "blue"] }, { "type": "null" }] }), json!(3)),
        (json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }), json!("A")),
        (json!({ "oneOf": [circle, square] }), json!({ "kind": "square", "a": "3" })),
        (json!({ "oneOf": [circle, square] }), json!({ "kind": "oval", "a": 3 })),
        (json!({ "oneOf": [circle, square] }), json!("circle")),
        (json!({ "anyOf": [circle, { "type": "null" }] }), json!({ "kind": "square", "r": "3" })),
        (
            json!({ "anyOf": [{ "$ref": "#/$defs/c" }, { "type": "null" }], "$defs": { "c": circle } }),
            json!({ "kind": "circle" }),
        ),
        (
            json!({ "anyOf": [{ "type": "array", "items": circle }, circle] }),
            json!([{ "kind": "circle", "r": null }]),
        ),
        (
            json!({ "anyOf": [{ "minimum": 3, "type": "number" }, { "maximum": 1, "type": "number" }] }),
            json!(2),
        ),
        (json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] }), json!(2)),
    ];
    let lines: Vec<String> = cases.iter().map(|(schema, value)| described(schema, value)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "3"
        "" is a string, expected an integer or null → integer|null
    "3"
        "" is a string, expected an integer or null → integer|null
    "Red"
        "" `Red` is not one of "red", "blue", null → ["red","blue",null]
    3
        "" `3` is not one of "red", "blue", null → ["red","blue",null]
    "A"
        "" `A` is not one of "a", "b" → ["a","b"]
    {"kind":"square","a":"3"}
        "/a" is a string, expected a number → number
    {"kind":"oval","a":3}
        "/kind" `oval` is not one of "circle", "square" → ["circle","square"]
    "circle"
        "" is a string, expected an object → object
    {"kind":"square","r":"3"}
        "/kind" is `square`, expected "circle" → ["circle"]
        "/r" is a string, expected a number → number
    {"kind":"circle"}
        "" required property `r` is missing
    [{"kind":"circle","r":null}]
        "/0/r" is null, expected a number → number
    2
        "" matches none of the alternatives: 2 is less than the minimum 3; or 2 is greater than the maximum 1
    2
        "" matches more than one alternative of `oneOf`, expected exactly one
    "#);
}

#[test]
fn formats_are_checked_and_unknown_ones_are_not() {
    for (format, good, bad) in [
        ("date", "2026-01-31", "2026-02-30"),
        ("date-time", "2026-01-31T12:00:00Z", "2026-01-31 noon"),
        ("time", "12:00:00Z", "25:00:00Z"),
        ("duration", "P1DT2H", "1 day"),
        ("email", "name@example.org", "name at example"),
        ("hostname", "example.org", "-example-"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("ipv6", "::1", "::g"),
        ("uri", "https://example.org/", "example"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
    ] {
        let schema = json!({ "type": "string", "format": format });
        assert_eq!(breaches(&schema, &json!(good)), [], "{format}");
        assert_eq!(breaches(&schema, &json!(bad)).len(), 1, "{format}");
    }
    assert_eq!(breaches(&json!({ "format": "wibble" }), &json!("x")), []);
}

#[test]
fn breaches_are_bounded_in_number_and_length() {
    let many = breaches(&json!({ "items": { "type": "string" } }), &json!(vec![1; 1_000]));
    assert_eq!(many.len(), 32);
    assert_eq!(many[31].path, "/31");
    assert_eq!(many[31].expected, Expected::Types(vec![JsonType::String]));

    let long = "ä".repeat(2_000);
    let known: Vec<String> = (0..100).map(|number| format!("{number}{long}")).collect();
    let named: serde_json::Map<String, Value> = known.iter().map(|name| (name.clone(), json!({}))).collect();
    let union: Vec<Value> = known.iter().map(|name| json!({ "required": [name], "pattern": name })).collect();
    for (schema, value) in [
        (json!({ "enum": known }), json!(long)),
        (json!({ "const": long }), json!([long])),
        (json!({ "pattern": format!("^{}$", "a".repeat(1_000)) }), json!(long)),
        (json!({ "properties": named, "additionalProperties": false }), json!({ long.clone(): 1 })),
        (json!({ "additionalProperties": false }), Value::Object(named.clone())),
        (json!({ "not": { "enum": [long, "b"] } }), json!(long)),
        (json!({ "propertyNames": { "maxLength": 3 } }), json!({ long.clone(): 1 })),
        (json!({ "anyOf": union }), json!(long)),
    ] {
        for breach in breaches(&schema, &value) {
            assert!(breach.message.chars().count() < 800, "{}", breach.message);
        }
        assert_ne!(breaches(&schema, &value), []);
    }
}
