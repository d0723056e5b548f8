//! Wire schemas: awkward schemas, those of the vectors and random ones, in every dialect. What is sent follows the
//! provider's rules, which are written independently here, and a value survives the round trip.

mod models;
mod random;
mod rules;
mod strange;
mod values;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rowcall::Schema;
use rowcall::schema::{Dialect, Effect, WireSchema};
use serde_json::{Value, json};

use self::values::Dice;

const DIALECTS: [Dialect; 10] = [
    Dialect::OpenAiStrict,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Xgrammar,
    Dialect::Sglang,
    Dialect::LlamaCpp,
    Dialect::Ollama,
    Dialect::Plain,
    Dialect::Object,
    Dialect::Text,
];

/// Schemas that are awkward to express, each in a file.
const AWKWARD: [&str; 29] = [
    "any_value",
    "bounds",
    "constants",
    "dates",
    "decimals",
    "described_alternatives",
    "discriminated_union",
    "draft_7",
    "empty_object",
    "inheritance",
    "large_enum",
    "linked_list",
    "map_beside_properties",
    "map_of_lists",
    "map_of_maps",
    "map_with_known_keys",
    "mixed_enum",
    "mutual_recursion",
    "nested_lists",
    "nested_optional",
    "odd_names",
    "optional_and_nullable",
    "patterns",
    "ref_with_siblings",
    "root_array",
    "root_scalar",
    "root_union",
    "tree",
    "tuple",
];

/// The dialects that cannot express one of them, with their messages. No other dialect rejects any.
const REFUSED: [(&str, Dialect, &str); 5] = [
    (
        "linked_list",
        Dialect::Anthropic,
        "the schema contains itself at `?`, the provider takes no schema that does",
    ),
    (
        "mutual_recursion",
        Dialect::Anthropic,
        "the schema contains itself at `?`, the provider takes no schema that does",
    ),
    (
        "nested_lists",
        Dialect::Anthropic,
        "the schema contains itself at `?`, the provider takes no schema that does",
    ),
    (
        "nested_lists",
        Dialect::Gemini,
        "the schema contains itself at `?`, the provider takes that only through a property that is not required",
    ),
    ("tree", Dialect::Anthropic, "the schema contains itself at `?`, the provider takes no schema that does"),
];

fn awkward(name: &str) -> Value {
    let path = format!("{}/tests/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the file can be read");
    serde_json::from_str(&text).expect("JSON")
}

/// A wire schema, and the same compiled; one that no value satisfies does not compile.
type Sent = (WireSchema, Result<Schema, String>);

/// The wire schema for `schema`, if the dialect can express it.
///
/// # Errors
/// What the provider would reject.
fn sent(schema: &Schema, dialect: Dialect) -> Result<Option<Sent>, String> {
    let Ok(wire) = schema.wire(dialect) else { return Ok(None) };
    let faults = rules::faults(dialect, &wire.schema, schema.as_json());
    if !faults.is_empty() || wire.is_as_given() != (wire.schema == *schema.as_json()) {
        let faults = faults.join("; ");
        return Err(format!("{faults}: {dialect:?} of {} is {}", schema.as_json(), wire.schema));
    }
    let compiled = Schema::from_generated(wire.schema.clone()).map_err(|problem| problem.message);
    Ok(Some((wire, compiled)))
}

/// At which step a value was lost, and how.
#[derive(Debug, PartialEq)]
enum Lost {
    /// The wire schema has no form for it.
    There(String),
    /// It came back as a different value.
    OnTheWayBack(String),
}

/// Converts `value`, which is valid, to the wire form and back.
fn lost_on_the_way(schema: &Schema, (wire, compiled): &Sent, value: &Value) -> Result<(), Lost> {
    let sent = wire.express(value);
    let violations = compiled.as_ref().map(|compiled| compiled.violations(&sent));
    let describe = |what: &str| {
        format!("{what}: {value} went as {sent} under {} from {}", wire.schema, schema.as_json())
    };
    if violations != Ok(Vec::new()) {
        return Err(Lost::There(describe(&format!("not of the wire schema ({violations:?})"))));
    }
    let restored = wire.restore(sent.clone());
    let back = |what: &str| Err(Lost::OnTheWayBack(describe(&format!("came back as {restored}, {what}"))));
    // What a schema says of properties that another part of it names is validated only.
    let is_lost = wire.losses.iter().any(|loss| {
        loss.effect == Effect::Checked
            && matches!(&*loss.keyword, "additionalProperties" | "patternProperties")
    });
    if !same_but_for_nulls(value, &restored) || !is_lost && !schema.validates(&restored) {
        return back("which is a different value");
    }
    if wire.is_identity() && restored != sent {
        return back("but nothing should change");
    }
    if wire.restore(wire.express(&restored)) != restored {
        return back("and differently the second time");
    }
    Ok(())
}

/// Whether `restored` is `value`, except that properties which are absent there may be null here, and so may items at the
/// end of a tuple.
fn same_but_for_nulls(value: &Value, restored: &Value) -> bool {
    match (value, restored) {
        (Value::Object(value), Value::Object(restored)) => {
            value.keys().all(|name| restored.contains_key(name))
                && restored.iter().all(|(name, field)| match value.get(name) {
                    Some(before) => same_but_for_nulls(before, field),
                    None => field.is_null(),
                })
        }
        (Value::Array(value), Value::Array(restored)) => {
            value.len() <= restored.len()
                && value.iter().zip(restored).all(|(value, restored)| same_but_for_nulls(value, restored))
                && restored.iter().skip(value.len()).all(Value::is_null)
        }
        _ => value == restored,
    }
}

/// Runs `test` with many random series of decisions, the same each time.
fn with_dice(cases: u32, test: impl Fn(&mut Dice) -> Result<(), Lost>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let bytes = proptest::collection::vec(any::<u8>(), 0..96);
    let result = runner.run(&bytes, |bytes| {
        test(&mut Dice::new(bytes)).map_err(|lost| TestCaseError::fail(format!("{lost:?}")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn values_of_awkward_schemas_survive_the_round_trip_in_every_dialect() {
    let mut refused = Vec::new();
    for name in AWKWARD {
        let schema = Schema::from_json(awkward(name)).expect(name);
        for dialect in DIALECTS {
            let Some(sent) = sent(&schema, dialect).expect(name) else {
                let message = schema.wire(dialect).expect_err("refused").message;
                let path = message.split('`').nth(1).expect("a path").to_owned();
                refused.push((name, dialect, message.replace(&path, "?")));
                continue;
            };
            let valid = std::cell::Cell::new(0);
            with_dice(128, |dice| {
                let value = values::value(schema.as_json(), dice);
                if !schema.validates(&value) {
                    return Ok(());
                }
                valid.set(valid.get() + 1);
                lost_on_the_way(&schema, &sent, &value)
            });
            assert!(valid.get() >= 96, "{} values of {name} are valid", valid.get());
        }
    }
    assert_eq!(refused, REFUSED.map(|(name, dialect, message)| (name, dialect, message.to_owned())));
}

#[test]
fn every_file_of_an_awkward_schema_is_in_the_table() {
    let folder = format!("{}/tests/schemas", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name").replace(".json", ""))
        .collect();
    names.sort();
    assert_eq!(names, AWKWARD);
}

#[test]
fn the_schemas_of_the_vectors_follow_the_rules_of_every_dialect() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/schema_transforms.json"));
    let vectors: Value = serde_json::from_str(text).expect("JSON");
    let cases = vectors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 11);
    for case in cases {
        let schema = Schema::from_json(case["input"].clone()).expect("a schema");
        for dialect in DIALECTS {
            let sent = sent(&schema, dialect).expect("it follows the rules").expect("it can be expressed");
            with_dice(32, |dice| {
                let value = values::value(schema.as_json(), dice);
                if schema.validates(&value) { lost_on_the_way(&schema, &sent, &value) } else { Ok(()) }
            });
        }
    }
}

#[test]
fn the_short_form_follows_the_rules_too() {
    let schema = Schema::parse("name str, age int?: in years, tags str[]").expect("the short form");
    for dialect in DIALECTS {
        let sent = sent(&schema, dialect).expect("it follows the rules").expect("it can be expressed");
        let value = json!({ "name": "a", "tags": [] });
        assert_eq!(lost_on_the_way(&schema, &sent, &value), Ok(()));
    }
}
