//! Writes the tables of models and of prices as Rust source, sorted by provider and name, from `data/prices.json`: a start parses
//! nothing but the price of its own model. What they mean is documented in `src/provider/models.rs` and `src/price/table.rs`.
#![expect(clippy::disallowed_methods, reason = "a variable says where a build script writes")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const SOURCE: &str = "data/prices.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let text = std::fs::read(SOURCE)?;
    let table: Value = serde_json::from_slice(&text)?;
    let mut sorted = BTreeMap::new();
    for (provider, models) in table["providers"].as_object().ok_or("no `providers` in the table")? {
        for (name, facts) in models.as_object().ok_or("a provider without models")? {
            sorted.insert((provider.as_str(), name.as_str()), facts);
        }
    }
    let mut source =
        format!("/// When the table was taken.\npub const TAKEN_ON: &str = {};\n", table["about"]["taken"]);
    source.push_str("static MODELS: &[Model] = &[\n");
    for ((provider, name), facts) in &sorted {
        writeln!(source, "{},", model(provider, name, facts))?;
    }
    source.push_str("];\n");
    let folder = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&folder).join("models.rs"), source)?;
    Ok(std::fs::write(Path::new(&folder).join("prices.rs"), prices(&text, &table, &sorted)?)?)
}

/// What is known of the table as a whole, and each price as the JSON text that `table.rs` reads.
fn prices(
    text: &[u8],
    table: &Value,
    sorted: &BTreeMap<(&str, &str), &Value>,
) -> Result<String, Box<dyn Error>> {
    let taken = &table["about"]["taken"];
    let mut source = format!(
        "pub(super) const TAKEN: &str = {taken};\npub(super) const HASH: &str = \"{:x}\";\n",
        Sha256::digest(text)
    );
    source.push_str("pub(super) static SOURCES: &[[&str; 4]] = &[\n");
    for each in table["about"]["sources"].as_array().ok_or("no `sources` in the table")? {
        let [name, version, sha256, licence] = ["name", "version", "sha256", "licence"].map(|key| &each[key]);
        writeln!(source, "[{name}, {version}, {sha256}, {licence}],")?;
    }
    source.push_str("];\npub(super) static PRICES: &[Priced] = &[\n");
    for ((provider, name), facts) in sorted {
        let prices = &facts["prices"];
        if prices.is_array() {
            let entry = json!({"prices": prices, "dated": facts["dated"] == true}).to_string();
            writeln!(source, "({provider:?}, {name:?}, {entry:?}),")?;
        }
    }
    source.push_str("];\n");
    Ok(source)
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
