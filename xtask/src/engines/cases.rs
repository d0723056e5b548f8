//! The cases for the engines: wire schemas, with texts of valid and of spoilt values.

use std::fs;
use std::path::Path;

use rowcall::Schema;
use rowcall::schema::{Dialect, Effect};
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

/// A case a line, as `judge_engines.py` reads them.
///
/// # Errors
/// Files of our own that cannot be read.
pub(super) fn lines(folders: &[&str]) -> Result<String> {
    let mut lines = String::new();
    for (name, schema) in all(folders)? {
        let Ok(schema) = Schema::from_json(schema) else { continue };
        for dialect in DIALECTS {
            if let Some(line) = line(&name, &schema, dialect) {
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

fn line(name: &str, schema: &Schema, dialect: Dialect) -> Option<Value> {
    let wire = schema.wire(dialect).ok()?;
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for seed in 0..VALUES {
        let value = super::values::value(schema.as_json(), &mut super::values::Dice::new(bytes(seed)));
        if !schema.validates(&value) {
            continue;
        }
        let sent = wire.express(&value);
        let all = spoilt(&sent);
        // A large value can be spoilt in thousands of ways: some from all over it are judged.
        let step = all.len().div_ceil(SPOILT).max(1);
        for spoilt in all.into_iter().step_by(step) {
            if !schema.validates(&wire.restore(spoilt.clone())) {
                invalid.push(spoilt.to_string());
            }
        }
        valid.push(sent.to_string());
    }
    valid.dedup();
    invalid.sort();
    invalid.dedup();
    Some(json!({
        "name": name,
        "dialect": dialect.name(),
        "schema": wire.schema.to_string(),
        "valid": valid,
        "invalid": invalid.into_iter().take(12).collect::<Vec<_>>(),
        "losses": wire.losses.len(),
        "narrowed": wire.losses.iter().any(|loss| loss.effect == Effect::Narrowed),
    }))
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
