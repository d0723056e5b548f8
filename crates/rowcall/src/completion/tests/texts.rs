//! JSON as text, where the wire has no schema for a value, follows the same rules as an answer. And names in another case in unions.

use serde_json::{Value, json};

use super::{Asked, calls, text};
use crate::turn::Finish;

/// An answer whose property `data`, which may have any value, is this text.
fn with(data: &str) -> String {
    json!({ "id": 1, "data": data }).to_string()
}

#[test]
fn json_in_a_text_is_complete_or_rejected() {
    let asked = Asked::new(
        r#"{"type":"object","properties":{"id":{"type":"integer"},"data":{}},"required":["id","data"],"additionalProperties":false}"#,
    );
    let of_schema = asked.wire.schema.to_string();
    assert!(
        asked.wire.restore(json!({"id": 1, "data": "[1]"})) == json!({"id": 1, "data": [1]}),
        "{of_schema}"
    );
    for (data, value) in [
        (r#"{"a":1,"b":[2]}"#, r#"{"id":1,"data":{"a":1,"b":[2]}}"#),
        ("12345678901234567890.10", r#"{"id":1,"data":12345678901234567890.10}"#),
        (" \"words\" ", r#"{"id":1,"data":"words"}"#),
        ("words", r#"{"id":1,"data":"words"}"#),
        ("a {brace}", r#"{"id":1,"data":"a {brace}"}"#),
        (r#""Hello" he said"#, r#"{"id":1,"data":"\"Hello\" he said"}"#),
        (r#"{"a":{"b":1},"b":1}"#, r#"{"id":1,"data":{"a":{"b":1},"b":1}}"#),
    ] {
        asked.check(Finish::Stop, &[(text(&with(data)), &format!("value {value}"))]);
    }
    let cut = "holds JSON that ends before it is complete, expected one whole value";
    let twice = "holds JSON with a key more than once in an object, expected each key once";
    for (data, why) in [
        (r#"{"a":1,"a":2}"#, twice),
        (r#"[{"x":[{"a":1,"b":2,"a":1}]}]"#, twice),
        (r#"{"a":1,"b":"#, cut),
        (r#"{"a":1"#, cut),
        ("[1,2", cut),
        ("\"half of a text", cut),
        (
            "{'a':1}",
            "begins like JSON and cannot be read, expected one value as JSON: key must be a string at line 1 column 2",
        ),
        (
            "[1,2]]",
            "begins like JSON and cannot be read, expected one value as JSON: trailing characters at line 1 column 6",
        ),
    ] {
        let best = json!({ "id": 1, "data": data });
        let expected = format!("invalid, best {best}; `/data`: {why}");
        let answer = with(data);
        asked.check(Finish::Stop, &[(text(&answer), &expected), (calls(&[("answer", &answer)]), &expected)]);
    }
}

#[test]
fn a_path_within_a_list_or_a_map_is_named() {
    let asked = Asked::new(
        r#"{"type":"object","properties":{"all":{"type":"array","items":{}}},"required":["all"]}"#,
    );
    let answer = json!({"all": ["1", "[1", "{\"a\":1}"]}).to_string();
    let best = json!({"all": [1, "[1", {"a": 1}]});
    let why = "holds JSON that ends before it is complete, expected one whole value";
    asked.check(Finish::Stop, &[(text(&answer), &format!("invalid, best {best}; `/all/1`: {why}"))]);
}

#[test]
fn the_wire_keeps_the_users_digits() {
    let schema = r#"{"type":"object","properties":{"id":{"enum":[12345678901234567890123,9007199254740993]},
        "size":{"type":"number","minimum":0.10000000000000000001,"maximum":36893488147419103233.50,"multipleOf":0.000000000000000000010},
        "count":{"type":"integer","minimum":36893488147419103232}},"required":["id","size","count"],"additionalProperties":false}"#;
    let wire = Asked::new(schema).wire.schema.to_string();
    for digits in [
        "12345678901234567890123",
        "9007199254740993",
        "0.10000000000000000001",
        "36893488147419103233.50",
        "0.000000000000000000010",
        "36893488147419103232",
    ] {
        assert!(wire.contains(digits), "{digits}: {wire}");
    }
}

#[test]
fn names_in_another_case_are_read_in_unions_as_elsewhere() {
    let asked = Asked::new(
        r#"{"type":"object","properties":{"shape":{"anyOf":[
            {"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind","radius"],"additionalProperties":false},
            {"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},"required":["kind","side"],"additionalProperties":false}]}},
            "required":["shape"],"additionalProperties":false}"#,
    );
    let value = |shape: Value| format!("value {} key_spelling", json!({ "shape": shape }));
    for (shape, expected) in [
        (json!({"kind": "circle", "Radius": 1}), value(json!({"kind": "circle", "radius": 1}))),
        (json!({"Kind": "square", "SIDE": 2}), value(json!({"kind": "square", "side": 2})) + " key_spelling"),
    ] {
        asked.check(Finish::Stop, &[(text(&json!({ "shape": shape }).to_string()), &expected)]);
    }
    let mixed = asked.read(text(r#"{"shape":{"kind":"circle","Side":1}}"#), Finish::Stop);
    assert!(matches!(mixed, super::Reading::Invalid { .. }), "{mixed:?}");
}
