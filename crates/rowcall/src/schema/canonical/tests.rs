//! What is spelled strictly, and that it then means the same.

use serde_json::json;

use crate::schema::Schema;

#[test]
fn an_id_that_nothing_refers_to_changes_nothing() {
    for id in ["#/properties/v", "/properties/v", "v", "http://h.example/v.json"] {
        let given = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": { "v": { "$id": id, "$ref": "#/definitions/t" }, "$id": { "type": "string" } },
            "definitions": { "t": { "type": "string" } },
            "enum": [{ "$id": "kept", "v": "x" }],
        });
        let schema = Schema::from_json(given).expect(id);
        assert_eq!(schema.as_json()["properties"]["v"], json!({ "$ref": "#/definitions/t" }), "{id}");
        assert!(schema.validates(&json!({ "$id": "kept", "v": "x" })), "{id}");
    }
}

#[test]
fn a_schema_with_an_id_keeps_its_own_definitions() {
    let given = json!({
        "properties": { "f": { "$ref": "#/$defs/f" } },
        "$defs": { "f": { "$id": "https://h.example/f", "$ref": "#/$defs/f", "$defs": { "f": { "type": "integer" } } } },
    });
    let schema = Schema::from_json(given).expect("taken");
    assert!(schema.validates(&json!({ "f": 1 })));
    assert!(!schema.validates(&json!({ "f": "x" })));
}

#[test]
fn references_are_followed_whatever_is_in_their_names() {
    for (name, written) in [
        ("a b", "a b"),
        ("a b", "a%20b"),
        ("Page<User>", "Page<User>"),
        ("Page[User]", "Page[User]"),
        ("a|b", "a|b"),
        ("Größe", "Größe"),
        ("Größe", "Gr%C3%B6%C3%9Fe"),
        ("50%", "50%"),
        ("a%20b", "a%20b"),
        ("a/b", "a~1b"),
        ("a~b", "a~0b"),
        ("a~b", "a~b"),
        ("a#b", "a#b"),
        ("{a}", "{a}"),
    ] {
        let given = json!({
            "properties": { "v": { "$ref": format!("#/$defs/{written}") } },
            "$defs": { name: { "type": "integer" } },
        });
        let schema = Schema::from_json(given).expect(written);
        assert!(schema.validates(&json!({ "v": 1 })), "{written}");
        assert!(!schema.validates(&json!({ "v": "x" })), "{written}");
        assert_eq!(schema.coerce(json!({ "v": "3" })), json!({ "v": 3 }), "{written}");
    }
}

#[test]
fn patterns_of_javascript_and_python_are_taken() {
    for (pattern, fits, not) in [
        (r"^[\w-_.]+$", "a-b_c.d", "a b"),
        (r"^[\w-.]+$", "a-b", "a b"),
        (r"^[a-\d]+$", "a-1", "b"),
        (r"^[a-c-e]+$", "b-e", "d"),
        (r"^\${.*?}$", "${x}", "$x"),
        (r"^]$", "]", "["),
        (r"^a}$", "a}", "a"),
        (r"^{a}$", "{a}", "a"),
        (r"^a{2}$", "aa", "a{2}"),
        (r"^\/\-\_\@\'$", "/-_@'", "x"),
        (r#"^[\"\'\@]$"#, "@", "x"),
        (r"\Aab\Z", "ab", "abc"),
        (r"^(?P<year>\d{4})$", "2026", "26"),
        (r"^[[a]$", "[", "b"),
        (r"/abc/$", "x/abc/", "abc"),
        (r"^/abc$", "/abc", "abc"),
    ] {
        let schema = Schema::from_json(json!({ "type": "string", "pattern": pattern })).expect(pattern);
        assert!(schema.validates(&json!(fits)), "{pattern} takes {fits}");
        assert!(!schema.validates(&json!(not)), "{pattern} refuses {not}");
        let named = json!({ "type": "object", "patternProperties": { pattern: { "type": "integer" } } });
        let named = Schema::from_json(named).expect(pattern);
        assert!(!named.validates(&json!({ (fits): "x" })), "{pattern} is a name's pattern");
    }
}

#[test]
fn what_is_wrong_with_a_pattern_is_named() {
    for (pattern, fault) in [
        ("(?i)abc", "flags"),
        ("(?>a)", "atomic"),
        ("/^[a-$/i", "slashes"),
        ("/^abc/", "slashes"),
        ("/abc$/gi", "slashes"),
        ("^(abc", "`(` is not closed"),
        ("abc)", "closes no group"),
        ("[abc", "`[` is not closed"),
        ("*abc", "nothing to repeat"),
        ("abc\\", "a backslash"),
        ("[z-a]", "low to high"),
    ] {
        let refused = Schema::from_json(json!({ "type": "string", "pattern": pattern })).expect_err(pattern);
        assert!(refused.message.starts_with("schema at `/pattern`: "), "{}", refused.message);
        assert!(refused.message.contains(fault), "{pattern}: {}", refused.message);
    }
}

#[test]
fn references_by_anchor_are_followed() {
    let item = |name: &str, value: &str| json!({ name: value, "type": "integer" });
    for named in [item("$anchor", "item"), item("$id", "#item")] {
        let given = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": { "v": { "$ref": "#item" } },
            "$defs": { "a/b": named },
            "default": { "$anchor": "item" },
        });
        let schema = Schema::from_json(given).expect("taken");
        assert_eq!(schema.as_json()["properties"]["v"], json!({ "$ref": "#/$defs/a~1b" }));
        assert!(schema.validates(&json!({ "v": 1 })));
        assert!(!schema.validates(&json!({ "v": "x" })));
    }
    let nowhere = json!({ "properties": { "v": { "$ref": "#item" } } });
    assert!(Schema::from_json(nowhere).expect_err("refused").message.contains("points to nothing"));
}

#[test]
fn limits_that_are_excluded_by_a_flag_are_exclusive_limits() {
    let number = |keywords: serde_json::Value| {
        let schema = Schema::from_json(json!({ "properties": { "v": keywords }, "required": ["v"] }));
        schema.map(|schema| schema.as_json()["properties"]["v"].clone())
    };
    for (given, spelled) in [
        (
            json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true }),
            json!({ "type": "number", "exclusiveMinimum": 0 }),
        ),
        (
            json!({ "type": "number", "maximum": 9, "exclusiveMaximum": false, "minimum": 1 }),
            json!({ "type": "number", "maximum": 9, "minimum": 1 }),
        ),
        (
            json!({ "type": "number", "exclusiveMinimum": 0 }),
            json!({ "type": "number", "exclusiveMinimum": 0 }),
        ),
    ] {
        assert_eq!(number(given).expect("taken"), spelled);
    }
    assert!(number(json!({ "type": "number", "exclusiveMinimum": true })).is_err(), "it excludes nothing");
}
