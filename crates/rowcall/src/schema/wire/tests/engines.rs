//! Schemas that constrained decoders would refuse, ignore or take for others as they are written.

use serde_json::{Value, json};

use super::{Dialect, wire_for};
use crate::schema::wire::Effect;

fn property(dialect: Dialect, schema: &str) -> (Value, Vec<(String, Effect)>) {
    let text = format!(
        r#"{{"type":"object","properties":{{"x":{schema}}},"required":["x"],"additionalProperties":false}}"#
    );
    let wire = wire_for(dialect, &serde_json::from_str(&text).expect("JSON"));
    let losses = wire.losses.into_iter().map(|loss| (loss.keyword, loss.effect)).collect();
    (wire.schema["properties"]["x"].clone(), losses)
}

#[test]
fn counts_are_written_as_integers() {
    for (dialect, given, sent) in [
        (
            Dialect::Xgrammar,
            r#"{"type":"string","minLength":2.0,"maxLength":3e0}"#,
            json!({"type": "string", "minLength": 2, "maxLength": 3}),
        ),
        (
            Dialect::LlamaCpp,
            r#"{"type":"array","items":{"type":"boolean"},"minItems":1.0,"maxItems":2.0}"#,
            json!({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2}),
        ),
    ] {
        let (found, _) = property(dialect, given);
        assert_eq!(found.to_string(), sent.to_string());
    }
}

#[test]
fn of_two_bounds_on_one_side_the_tighter_is_sent() {
    for (given, sent) in [
        (
            r#"{"type":"integer","minimum":1,"exclusiveMinimum":5,"maximum":9}"#,
            ["exclusiveMinimum", "maximum"],
        ),
        (
            r#"{"type":"integer","minimum":7,"exclusiveMinimum":5,"exclusiveMaximum":9,"maximum":9}"#,
            ["minimum", "exclusiveMaximum"],
        ),
    ] {
        let (found, _) = property(Dialect::LlamaCpp, given);
        let mut limits: Vec<&String> = found.as_object().expect("an object").keys().collect();
        limits.retain(|keyword| *keyword != "type");
        limits.sort();
        let mut expected = sent.to_vec();
        expected.sort_unstable();
        assert_eq!(limits, expected, "{found}");
    }
}

#[test]
fn numbers_that_an_engine_would_round_are_no_members() {
    let given = r#"{"enum":[9007199254740993,12345678901234567890]}"#;
    let (found, losses) = property(Dialect::Xgrammar, given);
    assert!(found.get("enum").is_none() && found["description"].to_string().contains("9007199254740993"));
    assert!(losses.contains(&("enum".to_owned(), Effect::Checked)), "{losses:?}");
    let (found, losses) = property(Dialect::LlamaCpp, given);
    assert_eq!(found["enum"][0].to_string(), "9007199254740993", "llama.cpp keeps digits");
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn what_an_engine_does_not_know_of_a_format_is_a_loss() {
    let lost = |dialect, format: &str| {
        let (found, losses) = property(dialect, &format!(r#"{{"type":"string","format":"{format}"}}"#));
        assert_eq!(found["format"], json!(format));
        losses.into_iter().map(|(_, effect)| effect.name()).collect::<Vec<_>>()
    };
    for (dialect, format, losses) in [
        (Dialect::Xgrammar, "date", &["checked"][..]),
        (Dialect::Xgrammar, "ipv6", &["narrowed"]),
        (Dialect::Xgrammar, "uuid", &[]),
        (Dialect::LlamaCpp, "date-time", &["checked", "narrowed"]),
        (Dialect::LlamaCpp, "time", &["narrowed"]),
        (Dialect::OpenAiStrict, "date", &[]),
    ] {
        assert_eq!(lost(dialect, format), losses, "{dialect:?} {format}");
    }
}

#[test]
fn an_open_object_that_is_closed_by_the_names_beside_it_is_a_loss() {
    let named = r#"{"properties":{"a":{"type":"string"}},"required":["a"]}"#;
    let narrowed = [("additionalProperties".to_owned(), Effect::Narrowed)];
    let closing = Dialect::NAMED.into_iter().filter(|dialect| *dialect != Dialect::Gemini);
    for dialect in closing.filter(|dialect| *dialect != Dialect::Anthropic) {
        for open in [r#"{"type":"object"}"#, r#"{"type":["object","null"],"description":"anything"}"#] {
            for schema in
                [format!(r#"{{"allOf":[{open},{named}]}}"#), format!(r#"{{"allOf":[{named},{open}]}}"#)]
            {
                let (sent, losses) = property(dialect, &schema);
                let object = sent.pointer("/anyOf/0").unwrap_or(&sent);
                assert_eq!(object["additionalProperties"], json!(false), "{dialect:?} {schema}: {sent}");
                assert_eq!(losses, narrowed, "{dialect:?} {schema}");
            }
        }
        // One that does not mention other properties is open as well; `false` closes it without a loss.
        for (others, losses) in [("", narrowed.as_slice()), (r#","additionalProperties":false"#, &[])] {
            let schema = format!(
                r#"{{"type":"object","properties":{{"a":{{"type":"string"}}}},"required":["a"]{others}}}"#
            );
            let (sent, lost) = property(dialect, &schema);
            assert_eq!(
                (&sent["additionalProperties"], lost.as_slice()),
                (&json!(false), losses),
                "{dialect:?} {schema}"
            );
        }
    }
}

#[test]
fn what_makes_valid_values_impossible_or_lets_invalid_ones_through_is_a_loss() {
    let (narrowed, checked) = (Effect::Narrowed, Effect::Checked);
    for (what, schema, expected) in [
        (
            "names that match no pattern may have any value",
            r#"{"type":"object","patternProperties":{"^x":{"type":"boolean"}}}"#,
            vec![("additionalProperties", narrowed), ("patternProperties", narrowed)],
        ),
        (
            "unless there are none",
            r#"{"type":"object","patternProperties":{"^[a-z]$":{"type":"boolean"}},"additionalProperties":false}"#,
            vec![],
        ),
        (
            "or none that nothing describes",
            r#"{"type":"object","patternProperties":{"^[a-z]$":{"type":"boolean"}},"unevaluatedProperties":false}"#,
            vec![],
        ),
        (
            "what nothing else describes has a schema",
            r#"{"type":"object","unevaluatedProperties":{"type":"boolean"}}"#,
            vec![],
        ),
        (
            "also beside names",
            r#"{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"],"unevaluatedProperties":{"type":"boolean"}}"#,
            vec![],
        ),
        (
            "a pattern says something of a named property",
            r#"{"type":"object","properties":{"xa":{"type":"boolean"}},"required":["xa"],"patternProperties":{"^x":{"const":true}},"additionalProperties":false}"#,
            vec![("patternProperties", checked), ("patternProperties", narrowed), ("maxItems", narrowed)],
        ),
        ("no type is given", r#"{"items":{"type":"boolean"},"maxItems":3}"#, vec![("type", narrowed)]),
        (
            "two alternatives may hold",
            r#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#,
            vec![("oneOf", checked), ("type", narrowed)],
        ),
        ("or cannot", r#"{"oneOf":[{"const":"a"},{"const":"b"},{"type":"boolean"}]}"#, vec![]),
        ("values are limited as well", r#"{"enum":[1,2,3],"minimum":2}"#, vec![]),
        ("so are lists", r#"{"enum":[[1],[1,2]],"minItems":2}"#, vec![]),
    ] {
        let (_, losses) = property(Dialect::Xgrammar, schema);
        let losses: Vec<(&str, Effect)> =
            losses.iter().map(|(keyword, effect)| (keyword.as_str(), *effect)).collect();
        assert_eq!(losses, expected, "{what}: {schema}");
    }
    let (sent, _) = property(Dialect::Xgrammar, r#"{"enum":[1,2,3],"minimum":2}"#);
    assert_eq!(sent, json!({"enum": [2, 3], "type": "integer"}));
    let (sent, _) =
        property(Dialect::Xgrammar, r#"{"type":"object","unevaluatedProperties":{"type":"boolean"}}"#);
    assert_eq!(sent, json!({"type": "object", "additionalProperties": {"type": "boolean"}}));
}

#[test]
fn alternatives_of_objects_that_exclude_one_another_are_no_loss() {
    let object = |name: &str| {
        format!(
            r#"{{"type":"object","properties":{{"{name}":{{"type":"boolean"}}}},"required":["{name}"],"additionalProperties":false}}"#
        )
    };
    for (one, other, expected) in [
        (object("a"), object("b"), vec![]),
        (object("a"), object("a"), vec![("oneOf".to_owned(), Effect::Checked)]),
        (object("a"), r#"{"type":"object"}"#.to_owned(), vec![("oneOf".to_owned(), Effect::Checked)]),
    ] {
        let (_, losses) = property(Dialect::LlamaCpp, &format!(r#"{{"oneOf":[{one},{other}]}}"#));
        let losses: Vec<_> = losses.into_iter().filter(|(keyword, _)| keyword == "oneOf").collect();
        assert_eq!(losses, expected, "{one} {other}");
    }
}
