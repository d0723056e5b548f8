//! Writes the table of models as Rust source, sorted by provider and name, from `data/prices.json`: what uses it parses
//! nothing. What it means is said in `src/provider/models.rs`; prices are read by `src/price/table.rs`.
#![expect(clippy::disallowed_methods, reason = "a build script is told by a variable where to write")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

const SOURCE: &str = "data/prices.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let table: Value = serde_json::from_slice(&std::fs::read(SOURCE)?)?;
    let mut sorted = BTreeMap::new();
    for (provider, models) in table["providers"].as_object().ok_or("no `providers` in the table")? {
        for (name, facts) in models.as_object().ok_or("a provider without models")? {
            sorted.insert((provider.as_str(), name.as_str()), facts);
        }
    }
    let mut source =
        format!("/// When the table was taken.\npub const TAKEN_ON: &str = {};\n", table["about"]["taken"]);
    source.push_str("static MODELS: &[Model] = &[\n");
    for ((provider, name), facts) in sorted {
        writeln!(source, "{},", model(provider, name, facts))?;
    }
    source.push_str("];\n");
    let folder = std::env::var("OUT_DIR")?;
    Ok(std::fs::write(Path::new(&folder).join("models.rs"), source)?)
}

/// One model as a Rust expression.
fn model(provider: &str, name: &str, facts: &Value) -> String {
    let tokens = |key: &str| option(facts[key].as_u64().map(grouped));
    let can = |key: &str| facts["can"][key].as_bool();
    let forced_tool = can("forced_tool").or(can("tool").filter(|can| !can)).or(can("tool_choice"));
    let capabilities = [
        ("schema", can("schema")),
        ("tool", can("tool")),
        ("forced_tool", forced_tool),
        ("sampling", can("sampling")),
        ("vision", can("vision")),
        ("pdf", can("pdf")),
    ];
    let capabilities = capabilities.map(|(name, can)| format!("{name}: {can:?}")).join(", ");
    let fields = [
        format!("provider: {provider:?}"),
        format!("name: {name:?}"),
        format!("max_input_tokens: {}", tokens("max_in")),
        format!("max_output_tokens: {}", tokens("max_out")),
        format!("retires_on: {:?}", facts["retires"].as_str()),
        format!("only_responses: {}", facts["only_responses"] == true),
        format!("capabilities: Capabilities {{ {capabilities} }}"),
    ];
    format!("Model {{ {} }}", fields.join(", "))
}

fn option(text: Option<String>) -> String {
    text.map_or("None".to_owned(), |text| format!("Some({text})"))
}

/// A number as the lints want it: in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}
