//! The rules of constrained decoders, as `docs/engines.md` states them.

use serde_json::Value;

use super::{Keywords, Node, common_faults, names, nodes, properties, types};

const COMMON: [&str; 14] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
    "description",
];

/// What of a string is limited, of which one at most may be.
const TEXTS: [&[&str]; 3] = [&["format"], &["pattern"], &["minLength", "maxLength"]];

/// What else one engine takes.
pub(super) struct Engine {
    pub(super) keywords: &'static [&'static str],
    pub(super) formats: &'static [&'static str],
    /// Whether any value may be asked for as such.
    pub(super) anything: bool,
}

pub(super) const XGRAMMAR: Engine = Engine {
    keywords: &[
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "patternProperties",
    ],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
    anything: true,
};

pub(super) const LLAMA_CPP: Engine = Engine {
    keywords: &[
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    ],
    formats: &["date-time", "time", "date", "uuid"],
    anything: false,
};

pub(super) const PLAIN: Engine = Engine { keywords: &[], formats: &[], anything: false };

pub(super) fn faults(schema: &Value, engine: &Engine) -> Vec<String> {
    let mut faults = Vec::new();
    let keywords: Vec<&str> = COMMON.iter().chain(engine.keywords).copied().collect();
    common_faults(schema, &keywords, &["$defs"], &mut faults);
    if engine.anything {
        // An empty schema is any value.
        faults.retain(|fault| !fault.contains("neither type nor values"));
    }
    for Node { pointer, keywords: node } in nodes(schema, &mut Vec::new()) {
        faults.extend(of_node(node, engine).into_iter().map(|fault| format!("`{pointer}`: {fault}")));
    }
    faults
}

fn of_node(node: &Keywords, engine: &Engine) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| faults.push(format!("{what} in {}", Value::Object(node.clone())));
    if node.get("$ref").is_some_and(|reference| reference == "#") {
        fault("the root is referred to");
    }
    let sent = TEXTS.iter().filter(|keywords| keywords.iter().any(|keyword| node.contains_key(*keyword)));
    if sent.count() > 1 {
        fault("several limits of a string");
    }
    let formats = node.get("format").and_then(Value::as_str);
    if formats.is_some_and(|format| !engine.formats.contains(&format)) {
        fault("a format that is refused");
    }
    if let Some(pattern) = node.get("pattern").and_then(Value::as_str) {
        let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
        if inner.is_none_or(|inner| {
            ["(?", "\\d", "\\w", "\\s", "\\b", "\\p", "\\1"].iter().any(|odd| inner.contains(odd))
        }) {
            fault("a pattern that is refused or means something else");
        }
    }
    if properties(node).len() != names(node, "required").len() {
        fault("an optional property");
    }
    if node.contains_key("properties") && !node.contains_key("additionalProperties") {
        fault("an open object");
    }
    if node.contains_key("prefixItems")
        && (node.get("minItems") != node.get("maxItems") || node.contains_key("items"))
    {
        fault("a tuple that may be longer or shorter");
    }
    let listed = !engine.keywords.is_empty() && types(node).contains(&"array");
    if listed && !node.contains_key("maxItems") && !node.contains_key("enum") && !node.contains_key("const") {
        fault("a list without end");
    }
    faults
}
