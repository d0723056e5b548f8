//! Values in the wire's form, as few-shot examples show them; entries of a map with the same key.

use serde_json::{Value, json};

use super::{Dialect, wire_for};
use crate::schema::Schema;

#[test]
fn a_value_is_written_as_the_provider_would_have_written_it() {
    let string = json!({ "type": "string" });
    let person = json!({ "type": "object", "properties": { "name": string, "age": { "type": "integer" }, "nick": { "type": ["string", "null"] } }, "required": ["name"] });
    let map = json!({ "type": "object", "properties": { "id": string }, "additionalProperties": { "type": "array", "items": person } });
    let tuple = json!({ "type": "array", "prefixItems": [string, person, string], "minItems": 1 });
    let union = json!({ "type": "object", "properties": { "u": { "anyOf": [person, { "type": "array", "items": person }, { "type": "null" }] } }, "required": ["u"] });
    let open = json!({ "anyOf": [{ "type": "object", "properties": { "a": string } }, { "type": "object", "properties": { "a": string, "b": string } }] });
    let cases = [
        (&person, json!({ "age": 3, "name": "a" })),
        (&person, json!({ "extra": 1, "nick": null })),
        (&person, json!([1])),
        (&map, json!({ "k": [{ "name": "a" }], "id": "x" })),
        (&tuple, json!(["x", { "name": "a" }])),
        (&tuple, json!([1, 2, 3, 4])),
        (&tuple, json!([])),
        (&union, json!({ "u": { "name": "a" } })),
        (&union, json!({ "u": [{ "name": "a" }] })),
        (&union, json!({ "u": null })),
        (&union, json!({ "u": 3 })),
        // Both alternatives allow it, but only one asks for all that is in it.
        (&open, json!({ "b": "x" })),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(schema, value)| {
            let forms = [Dialect::OpenAiStrict, Dialect::Anthropic, Dialect::Gemini, Dialect::Object]
                .map(|dialect| format!("  {}", wire_for(dialect, schema).express(value)));
            format!("{value}\n{}", forms.join("\n"))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"age":3,"name":"a"}
      {"name":"a","age":3,"nick":null}
      {"age":3,"name":"a"}
      {"age":3,"name":"a"}
      {"age":3,"name":"a"}
    {"extra":1,"nick":null}
      {"age":null,"nick":null,"extra":1}
      {"extra":1,"nick":null}
      {"extra":1,"nick":null}
      {"extra":1,"nick":null}
    [1]
      [1]
      [1]
      [1]
      [1]
    {"k":[{"name":"a"}],"id":"x"}
      {"id":"x","other_properties":[{"key":"k","value":[{"name":"a","age":null,"nick":null}]}]}
      {"id":"x","other_properties":[{"key":"k","value":[{"name":"a"}]}]}
      {"k":[{"name":"a"}],"id":"x"}
      {"k":[{"name":"a"}],"id":"x"}
    ["x",{"name":"a"}]
      {"value":{"item_1":"x","item_2":{"name":"a","age":null,"nick":null},"item_3":null}}
      {"value":{"item_1":"x","item_2":{"name":"a"},"item_3":null}}
      {"value":["x",{"name":"a"}]}
      {"value":["x",{"name":"a"}]}
    [1,2,3,4]
      {"value":[1,2,3,4]}
      {"value":[1,2,3,4]}
      {"value":[1,2,3,4]}
      {"value":[1,2,3,4]}
    []
      {"value":[]}
      {"value":[]}
      {"value":[]}
      {"value":[]}
    {"u":{"name":"a"}}
      {"u":{"name":"a","age":null,"nick":null}}
      {"u":{"name":"a"}}
      {"u":{"name":"a"}}
      {"u":{"name":"a"}}
    {"u":[{"name":"a"}]}
      {"u":[{"name":"a","age":null,"nick":null}]}
      {"u":[{"name":"a"}]}
      {"u":[{"name":"a"}]}
      {"u":[{"name":"a"}]}
    {"u":null}
      {"u":null}
      {"u":null}
      {"u":null}
      {"u":null}
    {"u":3}
      {"u":3}
      {"u":3}
      {"u":3}
      {"u":3}
    {"b":"x"}
      {"value":{"a":null,"b":"x"}}
      {"value":{"b":"x"}}
      {"value":{"b":"x"}}
      {"value":{"b":"x"}}
    "#);
}

#[test]
fn a_key_given_twice_is_a_violation_and_not_merged() {
    let lists = json!({ "type": "array" });
    let map = json!({ "type": "object", "properties": { "m": { "type": "object", "additionalProperties": lists } }, "required": ["m"] });
    let mixed = json!({ "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"], "additionalProperties": lists });
    let nullable = json!({ "anyOf": [{ "type": "object", "additionalProperties": { "type": "integer" } }, { "type": "null" }] });
    let entry = |key: &str| json!({ "key": key, "value": [] });
    let number = json!({ "key": "k", "value": 1 });
    let cases = [
        (&map, json!({ "m": [entry("k"), entry("l"), entry("k")] })),
        (&mixed, json!({ "id": "x", "other_properties": [entry("k"), entry("k")] })),
        (&mixed, json!({ "id": "x", "other_properties": [entry("id")] })),
        (&nullable, json!({ "value": [number, number] })),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(schema, answer)| {
            let restored = wire_for(Dialect::OpenAiStrict, schema).restore(answer.clone());
            let violations = Schema::from_json((*schema).clone()).unwrap().violations(&restored);
            let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
            format!("{answer}\n  {}", violations.join("; "))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"m":[{"key":"k","value":[]},{"key":"l","value":[]},{"key":"k","value":[]}]}
      `/m`: has the key `k` more than once, expected each key once
    {"id":"x","other_properties":[{"key":"k","value":[]},{"key":"k","value":[]}]}
      has the key `k` more than once, expected each key once
    {"id":"x","other_properties":[{"key":"id","value":[]}]}
      has the key `id` more than once, expected each key once
    {"value":[{"key":"k","value":1},{"key":"k","value":1}]}
      has the key `k` more than once, expected each key once
    "#);
    // A property of that name is one like any other.
    let wire = wire_for(Dialect::OpenAiStrict, &mixed);
    let value = json!({ "id": "x", "other_properties": [], "k": [1] });
    let restored = wire.restore(wire.express(&value));
    assert_eq!(restored, value);
    assert_ne!(wire.express(&value), Value::Null);
}
