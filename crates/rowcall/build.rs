//! Writes the table of models as Rust source, sorted by provider and name, from `data/prices.json`: whoever uses it parses
//! nothing. What the table means is said in `src/provider/models.rs`.
#![expect(clippy::disallowed_methods, reason = "a build script is told by a variable where to write")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

const SOURCE: &str = "data/prices.json";

/// What LiteLLM calls a provider, what stands before the names of its models there, and our name for it. Where two of theirs are one
/// of ours, what the later one says of a model counts.
const PROVIDERS: [(&str, &str, &str); 14] = [
    ("openai", "", "openai"),
    ("azure", "azure/", "azure"),
    ("anthropic", "", "anthropic"),
    ("gemini", "gemini/", "google"),
    ("mistral", "mistral/", "mistral"),
    ("groq", "groq/", "groq"),
    ("deepseek", "deepseek/", "deepseek"),
    ("together_ai", "together_ai/", "together"),
    ("fireworks_ai", "fireworks_ai/", "fireworks"),
    ("cerebras", "cerebras/", "cerebras"),
    ("xai", "xai/", "xai"),
    ("perplexity", "perplexity/", "perplexity"),
    ("bedrock_mantle", "bedrock_mantle/", "bedrock"),
    ("bedrock_converse", "", "bedrock"),
];

/// Entries of Together that are prices by size, not models.
const SIZES: &str = "together-ai-";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let table: Value = serde_json::from_slice(&std::fs::read(SOURCE)?)?;
    let models = table["models"].as_object().ok_or("no `models` in the table")?;
    let mut sorted = BTreeMap::new();
    for (theirs, prefix, ours) in PROVIDERS {
        let of_provider = || models.iter().filter(move |(_, facts)| facts["litellm_provider"] == theirs);
        // A name with the prefix is the surer one, so it comes last and counts.
        let (prefixed, bare): (Vec<_>, Vec<_>) =
            of_provider().partition(|(name, _)| name.starts_with(prefix));
        for (name, facts) in bare.into_iter().chain(prefixed) {
            let answers = facts["mode"] == "chat" || facts["mode"] == "responses";
            if answers && !name.starts_with(SIZES) {
                sorted.insert((ours, name.strip_prefix(prefix).unwrap_or(name)), facts);
            }
        }
    }
    let mut source =
        format!("/// When the table was taken.\npub const TAKEN_ON: &str = {};\n", table["_about"]["taken"]);
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
    let price = |key: &str| {
        // The table has a 0 as well for what is paid for otherwise than by tokens, so it says nothing.
        let usd = facts[key].as_f64().filter(|usd| *usd > 0.0);
        option(usd.map(|usd| format!("{usd:e}")))
    };
    let tokens = |key: &str| option(facts[key].as_u64().map(grouped));
    let can = |key: &str| facts[key].as_bool();
    let forced_tool = can("supports_forced_tool_use")
        .or(can("supports_function_calling").filter(|can| !can))
        .or(can("supports_tool_choice"));
    let capabilities = [
        ("schema", can("supports_response_schema")),
        ("tool", can("supports_function_calling")),
        ("forced_tool", forced_tool),
        ("sampling", can("supports_sampling_params")),
        ("vision", can("supports_vision")),
        ("pdf", can("supports_pdf_input")),
    ];
    let capabilities = capabilities.map(|(name, can)| format!("{name}: {can:?}")).join(", ");
    let fields = [
        format!("provider: {provider:?}"),
        format!("name: {name:?}"),
        format!("input_usd_per_token: {}", price("input_cost_per_token")),
        format!("output_usd_per_token: {}", price("output_cost_per_token")),
        format!("cached_usd_per_token: {}", price("cache_read_input_token_cost")),
        format!("written_usd_per_token: {}", price("cache_creation_input_token_cost")),
        format!("max_input_tokens: {}", tokens("max_input_tokens")),
        format!("max_output_tokens: {}", tokens("max_output_tokens")),
        format!("retires_on: {:?}", facts["deprecation_date"].as_str()),
        format!("only_responses: {}", facts["mode"] == "responses"),
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
