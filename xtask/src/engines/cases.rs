//! The cases for the engines: wire schemas, with texts of valid and of spoilt values.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rowcall::schema::{Dialect, Effect, Loss, WireSchema};
use rowcall::{Schema, Violation};
use serde_json::{Value, json};

use super::spoiling::spoilt;
use crate::{Result, schemas, workspace};

/// The dialects that engines read.
const DIALECTS: [Dialect; 5] =
    [Dialect::Xgrammar, Dialect::Sglang, Dialect::LlamaCpp, Dialect::Ollama, Dialect::Plain];

/// Values of a schema.
const VALUES: u64 = 6;

/// The most ways in which a value is spoilt.
const SPOILT: usize = 200;

/// The longest text of a value that is spoilt.
const LARGEST_SPOILT: usize = 8_000;

/// The most variants of a valid value.
const CHANGED: usize = 4;

/// The most values of a case.
const MOST_VALID: usize = 16;
const MOST_INVALID: usize = 16;

/// A case a line, as `judge_engines.py` reads them.
///
/// # Errors
/// Files of our own that cannot be read.
pub(super) fn lines(folders: &[&str], random: u32, seed: u8) -> Result<String> {
    let mut lines = String::new();
    let mut schemas = all(folders)?;
    schemas.extend(at_random(random, seed));
    for (name, schema) in schemas {
        let Ok(schema) = Schema::from_json(schema) else { continue };
        let values = values_of(&schema);
        for dialect in DIALECTS {
            if let Some(line) = line(&name, &schema, &values, dialect) {
                lines.push_str(&line.to_string());
                lines.push('\n');
            }
        }
    }
    Ok(lines)
}

fn all(folders: &[&str]) -> Result<Vec<(String, Value)>> {
    let ours = workspace().join("crates/rowcall/tests");
    let read = |path: &Path| -> Result<Value> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))
    };
    let folder = fs::read_dir(ours.join("schemas"))
        .map_err(|error| format!("cannot list the awkward schemas: {error}"))?;
    let mut paths: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        found.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), read(&path)?));
    }
    let vectors = read(&ours.join("vectors/schema_transforms.json"))?;
    for case in vectors["cases"].as_array().into_iter().flatten() {
        found.push((case["id"].as_str().unwrap_or_default().to_owned(), case["input"].clone()));
    }
    found.extend(schemas::found(folders));
    Ok(found)
}

/// Random schemas, the same each time.
fn at_random(count: u32, seed: u8) -> Vec<(String, Value)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let roots = super::strange::roots();
    let made = (0..count).filter_map(|number| {
        let schema = roots.new_tree(&mut runner).ok()?.current();
        Some((format!("random {number} of seed {seed}"), schema))
    });
    made.collect()
}

fn line(name: &str, schema: &Schema, values: &[Value], dialect: Dialect) -> Option<Value> {
    let wire = schema.wire(dialect).ok()?;
    let explanations = Explanations::of(&wire);
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    let mut known = HashSet::new();
    for value in values {
        let sent = wire.express(value);
        if known.insert(sent.to_string()) {
            valid.push((sent.to_string(), explanations.of_impossible(&sent)));
        }
        for spoilt in some_spoilt(&sent) {
            let restored = wire.restore(spoilt.clone());
            let violations = schema.violations(&restored);
            if !violations.is_empty() && known.insert(spoilt.to_string()) {
                invalid.push((spoilt.to_string(), explanations.of_accepted(&spoilt, &restored, &violations)));
            }
        }
    }
    Some(json!({
        "name": name,
        "dialect": dialect.name(),
        "schema": wire.schema.to_string(),
        "valid": some_of(valid, MOST_VALID),
        "invalid": some_of(invalid, MOST_INVALID),
    }))
}

/// Valid values of a schema: some that are made for it, and variants of each that are valid as well.
fn values_of(schema: &Schema) -> Vec<Value> {
    let mut found = Vec::new();
    for seed in 0..VALUES {
        let value = super::values::value(schema.as_json(), &mut super::values::Dice::new(bytes(seed)));
        if !schema.validates(&value) {
            continue;
        }
        let changed = some_spoilt(&value);
        found.push(value);
        found.extend(some_of(changed.into_iter().filter(|value| schema.validates(value)).collect(), CHANGED));
    }
    found
}

/// Some of the ways in which `value` is spoilt; none of a large one, which has too many.
fn some_spoilt(value: &Value) -> Vec<Value> {
    if value.to_string().len() > LARGEST_SPOILT { Vec::new() } else { some_of(spoilt(value), SPOILT) }
}

/// At most `most` of `all`, from all over it.
fn some_of<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

/// The recorded losses that explain what an engine does.
struct Explanations<'w> {
    losses: &'w [Loss],
    /// The wire schema, read as a schema; `None` if no value satisfies it.
    compiled: Option<Schema>,
}

impl<'w> Explanations<'w> {
    fn of(wire: &'w WireSchema) -> Self {
        Self { losses: &wire.losses, compiled: Schema::from_generated(wire.schema.clone()).ok() }
    }

    fn having(&self, effect: Effect) -> impl Iterator<Item = &'w Loss> {
        self.losses.iter().filter(move |loss| loss.effect == effect)
    }

    /// Whether a loss explains that a model cannot answer `sent`: if the wire schema itself forbids it, one at that location; otherwise one
    /// that says what the engine forbids in a text or a number.
    fn of_impossible(&self, sent: &Value) -> bool {
        let Some(compiled) = &self.compiled else { return false };
        let forbidden = compiled.violations(sent);
        if forbidden.is_empty() {
            return is_odd(sent) && self.having(Effect::Narrowed).any(|loss| is_read_narrowly(&loss.keyword));
        }
        self.having(Effect::Narrowed).any(|loss| forbidden.iter().any(|each| relates(loss, each, sent)))
    }

    /// Whether a loss explains that a model can answer `spoilt`, which has these violations: one at that location and, if the wire schema
    /// itself forbids it, one that says what the engine does not check.
    fn of_accepted(&self, spoilt: &Value, restored: &Value, violations: &[Violation]) -> bool {
        let forbidden = self.compiled.as_ref().is_some_and(|compiled| !compiled.validates(spoilt));
        self.having(Effect::Checked).any(|loss| {
            (!forbidden || loss.keyword == "format")
                && violations.iter().any(|each| relates(loss, each, restored))
        })
    }
}

/// Whether engines read a keyword more narrowly than JSON Schema does: what limits texts, numbers and names.
fn is_read_narrowly(keyword: &str) -> bool {
    matches!(keyword, "pattern" | "patternProperties" | "format")
        || ["Length", "minimum", "Minimum", "maximum", "Maximum"].iter().any(|end| keyword.ends_with(*end))
}

/// Whether a value has what an engine may forbid where the schema does not: characters that JSON escapes, decimals of a second, an IPv6
/// address that ends as one of IPv4, or a number with an exponent or many digits.
fn is_odd(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => {
            let text = number.to_string();
            text.len() > 15
                || text.contains('e')
                || text.split_once('.').is_some_and(|(_, digits)| digits.len() > 6)
        }
        Value::String(text) => {
            text.chars().any(|c| c.is_control() || c == '"' || c == '\\')
                || text.contains(':') && text.contains('.')
        }
        Value::Array(items) => items.iter().any(is_odd),
        Value::Object(fields) => fields.iter().any(|(name, field)| is_odd(&json!(name)) || is_odd(field)),
    }
}

/// Whether a loss may be about the location of a violation of `value`: both have the same innermost property, or one of them has none, or
/// the property is in the object of which an alternative was expected.
fn relates(loss: &Loss, violation: &Violation, value: &Value) -> bool {
    let mut steps = loss.path.split('/').skip(1);
    let (mut innermost, mut names) = (None, HashSet::new());
    while let Some(step) = steps.next() {
        match step {
            "properties" => {
                innermost = steps.next();
                names.extend(innermost);
            }
            // A schema elsewhere, or one for any name.
            "$defs" | "definitions" | "components" | "additionalProperties" | "patternProperties" => {
                innermost = None;
            }
            _ => {}
        }
    }
    let is_name = |step: &&str| step.parse::<usize>().is_err();
    let within: Vec<&str> = violation.path.split('/').skip(1).filter(is_name).collect();
    match (innermost, within.last()) {
        (None, _) | (_, None) => true,
        (Some(innermost), Some(last)) => {
            let parent = violation.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let has =
                |pointer: &str| value.pointer(pointer).is_some_and(|object| object.get(innermost).is_some());
            within.contains(&innermost) || names.contains(last) || has(&violation.path) || has(parent)
        }
    }
}

/// Decisions that are the same each time: none for the first value, which is the smallest one.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let count = if seed == 0 { 0 } else { 64 };
    (0..count).map(|_| next()).collect()
}
