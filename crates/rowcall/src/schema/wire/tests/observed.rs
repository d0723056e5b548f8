//! What is sent to a server of which something was observed: scenarios, each a dialect, a property of the user's, what was observed, what is
//! sent in its place, and what is lost.

use serde_json::{Value, json};

use super::Dialect;
use crate::schema::Schema;
use crate::schema::observed::{Feature, Finding, Observation, Observed};
use crate::schema::wire::{Wanted, WireSchema};

/// A scenario: why, dialect, property, what was observed, what is sent, keywords that are lost.
type Scenario = (
    &'static str,
    Dialect,
    &'static str,
    &'static [(&'static str, Finding)],
    &'static str,
    &'static [&'static str],
);

const SCENARIOS: &[Scenario] = &[
    (
        "what is enforced is sent although the dialect does not have it",
        Dialect::LlamaCpp,
        r#"{"type":"number","maximum":2.125}"#,
        &[("number_bounds", Finding::Enforced)],
        r#"{"type":"number","maximum":2.125}"#,
        &[],
    ),
    (
        "what nobody has asked about stays as the dialect has it",
        Dialect::LlamaCpp,
        r#"{"type":"number","maximum":2.125}"#,
        &[("number_bounds", Finding::Unknown), ("integer_bounds", Finding::Enforced)],
        r#"{"type":"number","description":"at most 2.125"}"#,
        &["maximum checked"],
    ),
    (
        "bounds of integers are another matter than those of numbers",
        Dialect::Xgrammar,
        r#"{"type":"integer","minimum":1,"maximum":9}"#,
        &[("integer_bounds", Finding::Ignored), ("number_bounds", Finding::Enforced)],
        r#"{"type":"integer","minimum":-9000000000000000000,"maximum":9000000000000000000,"description":"at least 1; at most 9"}"#,
        &["minimum checked", "maximum checked", "type narrowed"],
    ),
    (
        "and so are exclusive ones",
        Dialect::LlamaCpp,
        r#"{"type":"integer","minimum":1,"exclusiveMaximum":9}"#,
        &[("exclusive_integer_bounds", Finding::Refused)],
        r#"{"type":"integer","minimum":1,"description":"less than 9"}"#,
        &["exclusiveMaximum checked", "type narrowed"],
    ),
    (
        "what is ignored is described, and leaves room for what stands beside it",
        Dialect::LlamaCpp,
        r#"{"type":"string","pattern":"^[a-z]+$","maxLength":5}"#,
        &[("pattern", Finding::Ignored)],
        r#"{"type":"string","maxLength":5,"description":"matching the regular expression ^[a-z]+$"}"#,
        &["pattern checked"],
    ),
    (
        "what is refused is described",
        Dialect::Xgrammar,
        r#"{"type":"integer","minimum":0,"maximum":9,"multipleOf":3}"#,
        &[("multiple_of", Finding::Refused)],
        r#"{"type":"integer","minimum":0,"maximum":9,"description":"a multiple of 3"}"#,
        &["multipleOf checked"],
    ),
    (
        "lengths that a service enforces by now",
        Dialect::OpenAiStrict,
        r#"{"type":"string","minLength":2,"maxLength":1000}"#,
        &[("length", Finding::Enforced)],
        r#"{"type":"string","minLength":2,"maxLength":1000}"#,
        &[],
    ),
    (
        "longer ones than were asked about",
        Dialect::OpenAiStrict,
        r#"{"type":"string","maxLength":1001}"#,
        &[("length", Finding::Enforced)],
        r#"{"type":"string","description":"at most 1001 characters"}"#,
        &["maxLength checked"],
    ),
    (
        "how a dialect has what is enforced says more than that it is",
        Dialect::Xgrammar,
        r#"{"type":"string","maxLength":100}"#,
        &[("length", Finding::Enforced)],
        r#"{"type":"string","description":"at most 100 characters"}"#,
        &["maxLength checked"],
    ),
    (
        "items that differ",
        Dialect::LlamaCpp,
        r#"{"type":"array","items":{"type":"boolean"},"maxItems":2,"uniqueItems":true}"#,
        &[("unique_items", Finding::Enforced)],
        r#"{"type":"array","items":{"type":"boolean"},"maxItems":2,"uniqueItems":true}"#,
        &[],
    ),
    (
        "counts of items that are ignored",
        Dialect::OpenAiStrict,
        r#"{"type":"array","items":{"type":"boolean"},"minItems":2}"#,
        &[("item_count", Finding::Ignored)],
        r#"{"type":"array","items":{"type":"boolean"},"description":"at least 2 items"}"#,
        &["minItems checked"],
    ),
    (
        "each format is asked about by itself",
        Dialect::LlamaCpp,
        r#"{"type":"string","format":"email"}"#,
        &[("format_email", Finding::Enforced), ("format_uri", Finding::Ignored)],
        r#"{"type":"string","format":"email"}"#,
        &[],
    ),
    (
        "one that is ignored",
        Dialect::Xgrammar,
        r#"{"type":"string","format":"uuid"}"#,
        &[("format_uuid", Finding::Ignored)],
        r#"{"type":"string","description":"in the format uuid"}"#,
        &["format checked"],
    ),
    (
        "one that nobody asks about",
        Dialect::Xgrammar,
        r#"{"type":"string","format":"iban"}"#,
        &[("format_uuid", Finding::Enforced)],
        r#"{"type":"string","description":"in the format iban"}"#,
        &["format checked"],
    ),
    (
        "a map that is enforced",
        Dialect::OpenAiStrict,
        r#"{"type":"object","additionalProperties":{"type":"boolean"}}"#,
        &[("map", Finding::Enforced)],
        r#"{"type":"object","additionalProperties":{"type":"boolean"}}"#,
        &[],
    ),
    (
        "a map that is refused",
        Dialect::LlamaCpp,
        r#"{"type":"object","additionalProperties":{"type":"boolean"}}"#,
        &[("map", Finding::Refused)],
        r#"{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"boolean"}},"required":["key","value"],"additionalProperties":false},"maxItems":1000}"#,
        &["maxItems narrowed"],
    ),
    (
        "a tuple that is enforced",
        Dialect::OpenAiStrict,
        r#"{"type":"array","prefixItems":[{"type":"boolean"},{"type":"null"}],"minItems":2,"maxItems":2}"#,
        &[("tuple", Finding::Enforced)],
        r#"{"type":"array","prefixItems":[{"type":"boolean"},{"type":"null"}],"minItems":2,"maxItems":2}"#,
        &[],
    ),
    (
        "a tuple that is ignored",
        Dialect::Xgrammar,
        r#"{"type":"array","prefixItems":[{"type":"boolean"},{"type":"null"}],"minItems":2,"maxItems":2}"#,
        &[("tuple", Finding::Ignored)],
        r#"{"type":"object","properties":{"item_1":{"type":"boolean"},"item_2":{"type":"null"}},"required":["item_1","item_2"],"additionalProperties":false}"#,
        &["prefixItems checked"],
    ),
    (
        "any value that is not taken",
        Dialect::Xgrammar,
        "{}",
        &[("any_value", Finding::Refused)],
        r#"{"type":"string","description":"any JSON value, written as JSON text"}"#,
        &["type checked"],
    ),
];

fn wire(dialect: Dialect, schema: Value, observed: &[(&str, Finding)]) -> Result<WireSchema, String> {
    let observed = observed.iter().map(|(name, finding)| {
        let feature: Feature = serde_json::from_value(json!(name)).expect("the name of a feature");
        Observation { feature, finding: *finding, answers: 1, note: None }
    });
    let observed = Observed(observed.collect());
    let schema = Schema::from_json(schema).expect("a schema");
    schema.wire_as(Wanted { observed, ..Wanted::from(dialect) }).map_err(|problem| problem.message)
}

#[test]
fn what_was_observed_decides_what_is_sent() {
    for (why, dialect, given, observed, sent, lost) in SCENARIOS {
        let given: Value = serde_json::from_str(given).expect("JSON");
        let schema = json!({ "type": "object", "properties": { "x": given }, "required": ["x"], "additionalProperties": false });
        let wire = wire(*dialect, schema, observed).expect("it can be sent");
        assert_eq!(wire.schema["properties"]["x"].to_string(), *sent, "{why}");
        let found: Vec<String> =
            wire.losses.iter().map(|loss| format!("{} {}", loss.keyword, loss.effect.name())).collect();
        assert_eq!(found, *lost, "{why}");
    }
}

#[test]
fn properties_keep_their_order_where_the_server_does_not() {
    let schema = json!({ "type": "object", "properties": { "z": { "type": "null" }, "a": { "type": "null" } },
        "required": ["z", "a"], "additionalProperties": false });
    for (dialect, finding, names) in [
        (Dialect::Xgrammar, Finding::Unknown, ["z", "a"]),
        (Dialect::Xgrammar, Finding::Enforced, ["z", "a"]),
        (Dialect::Xgrammar, Finding::Ignored, ["1_z", "2_a"]),
        (Dialect::Ollama, Finding::Unknown, ["1_z", "2_a"]),
        (Dialect::Ollama, Finding::Enforced, ["z", "a"]),
    ] {
        let wire = wire(dialect, schema.clone(), &[("order", finding)]).expect("it can be sent");
        assert_eq!(wire.schema["required"], json!(names), "{dialect:?}, order {finding:?}");
        let answered = json!({ (names[0]): null, (names[1]): null });
        assert_eq!(wire.restore(answered), json!({ "z": null, "a": null }));
    }
}

#[test]
fn a_property_is_absent_only_where_that_is_taken() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "boolean" } }, "additionalProperties": false });
    for (finding, required, kind) in [
        (Finding::Unknown, Value::Null, json!("boolean")),
        (Finding::Enforced, Value::Null, json!("boolean")),
        (Finding::Refused, json!(["a"]), json!(["boolean", "null"])),
    ] {
        let wire = wire(Dialect::Anthropic, schema.clone(), &[("optional_property", finding)])
            .expect("it can be sent");
        assert_eq!(
            (&wire.schema["required"], &wire.schema["properties"]["a"]["type"]),
            (&required, &kind),
            "{finding:?}"
        );
    }
}

#[test]
fn a_schema_that_contains_itself_goes_where_that_is_taken() {
    let schema = json!({ "type": "object", "properties": { "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } },
        "required": ["next"], "additionalProperties": false });
    for (dialect, finding, is_sent) in [
        (Dialect::Anthropic, Finding::Unknown, false),
        (Dialect::Anthropic, Finding::Ignored, false),
        (Dialect::Anthropic, Finding::Enforced, true),
        (Dialect::Xgrammar, Finding::Unknown, true),
        (Dialect::Xgrammar, Finding::Refused, false),
    ] {
        let wire = wire(dialect, schema.clone(), &[("recursion", finding)]);
        assert_eq!(wire.is_ok(), is_sent, "{dialect:?}, recursion {finding:?}: {wire:?}");
    }
}
