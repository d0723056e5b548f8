//! The rules of each provider for a schema, as its documentation states them: a check that shares nothing with the
//! translation. What all have in common is here.

mod anthropic;
mod engine;
mod gemini;
mod object;
mod openai;

use rowcall::schema::Dialect;
use serde_json::{Map, Value};

/// The faults in `schema`, which is sent instead of `users`, that the provider would reject.
pub(crate) fn faults(dialect: Dialect, schema: &Value, users: &Value) -> Vec<String> {
    match dialect {
        Dialect::OpenAiStrict => openai::faults(schema),
        Dialect::Anthropic => anthropic::faults(schema),
        Dialect::Gemini => gemini::faults(schema),
        Dialect::Xgrammar | Dialect::Sglang => engine::faults(schema, &engine::XGRAMMAR),
        Dialect::LlamaCpp | Dialect::Ollama => engine::faults(schema, &engine::LLAMA_CPP),
        Dialect::Plain => engine::faults(schema, &engine::PLAIN),
        Dialect::Object => object::faults(schema, users),
        Dialect::Text | Dialect::Verbatim => {
            // As text, so that the order of the keys counts.
            let [sent, given] = [schema, users].map(Value::to_string);
            if sent == given { Vec::new() } else { vec!["it is not the user's schema".to_owned()] }
        }
    }
}

type Keywords = Map<String, Value>;

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// A schema within a schema, and where it stands.
struct Node<'s> {
    pointer: String,
    keywords: &'s Keywords,
}

/// All schemas within `schema`, including itself, and a fault for each location with something else.
fn nodes<'s>(schema: &'s Value, faults: &mut Vec<String>) -> Vec<Node<'s>> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), schema)];
    while let Some((pointer, schema)) = open.pop() {
        let Some(keywords) = schema.as_object() else {
            faults.push(format!("`{pointer}` is not an object: {schema}"));
            continue;
        };
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                    open.extend(named.iter().map(|(name, schema)| {
                        (
                            format!("{pointer}/{keyword}/{}", name.replace('~', "~0").replace('/', "~1")),
                            schema,
                        )
                    }));
                }
                ("patternProperties", Value::Object(named)) => {
                    open.extend(
                        named.iter().map(|(name, schema)| (format!("{pointer}/{keyword}/{name}"), schema)),
                    );
                }
                ("anyOf" | "prefixItems", Value::Array(schemas)) if !schemas.is_empty() => {
                    open.extend((0..).zip(schemas).map(|(number, schema): (usize, _)| {
                        (format!("{pointer}/{keyword}/{number}"), schema)
                    }));
                }
                ("properties" | "$defs" | "definitions" | "anyOf" | "prefixItems", _) => {
                    faults.push(format!("`{pointer}/{keyword}` is {value}"));
                }
                ("additionalProperties", Value::Bool(_)) => {}
                ("items" | "additionalProperties", schema) => {
                    open.push((format!("{pointer}/{keyword}"), schema));
                }
                _ => {}
            }
        }
        found.push(Node { pointer, keywords });
    }
    found
}

/// The faults that every provider finds.
fn common_faults(schema: &Value, keywords: &[&str], definitions: &[&str], faults: &mut Vec<String>) {
    if schema["type"] != "object"
        || schema.get("properties").is_none() && schema.get("additionalProperties").is_none()
    {
        faults.push("the root is not an object".to_owned());
    }
    for Node { pointer, keywords: node } in nodes(schema, faults) {
        let mut fault =
            |what: String| faults.push(format!("`{pointer}`: {what} in {}", Value::Object(node.clone())));
        for keyword in node.keys().map(String::as_str) {
            if !keywords.contains(&keyword) {
                fault(format!("`{keyword}` is not supported"));
            }
            if ["$defs", "definitions"].contains(&keyword)
                && !(pointer.is_empty() && definitions.contains(&keyword))
            {
                fault(format!("`{keyword}` is not at the root"));
            }
        }
        if let Some(reference) = node.get("$ref") {
            let reference = reference.as_str().unwrap_or_default();
            let within =
                |keyword: &&str| reference.strip_prefix(&format!("#/{keyword}/")).is_some_and(is_plain);
            if reference != "#" && !definitions.iter().any(within)
                || schema.pointer(&reference[1..]).is_none()
            {
                fault("a reference to nowhere, or with escapes".to_owned());
            }
            if node.len() > 1 {
                fault("keywords beside a reference".to_owned());
            }
            continue;
        }
        if node.contains_key("anyOf") {
            if node.keys().any(|keyword| !["anyOf", "description", "title"].contains(&keyword.as_str())) {
                fault("keywords beside alternatives".to_owned());
            }
            continue;
        }
        let types = types(node);
        if types.iter().any(|name| !TYPES.contains(name))
            || node.get("type").is_some_and(|_| types.is_empty())
        {
            fault("an unknown type".to_owned());
        }
        if !node.contains_key("type") && !node.contains_key("enum") && !node.contains_key("const") {
            fault("neither type nor values".to_owned());
        }
        for member in
            node.get("enum").and_then(Value::as_array).into_iter().flatten().chain(node.get("const"))
        {
            if !types.is_empty() && !types.iter().any(|name| is_of(name, member)) {
                fault(format!("{member} is not of the type"));
            }
            if member.is_array() || member.is_object() {
                fault(format!("{member} is compound"));
            }
        }
        if node.get("enum").is_some_and(|members| members.as_array().is_none_or(Vec::is_empty)) {
            fault("an empty enum".to_owned());
        }
        if types.contains(&"array") && !node.contains_key("items") && !node.contains_key("prefixItems") {
            fault("a list without items".to_owned());
        }
        let required = names(node, "required");
        if required.iter().any(|name| !properties(node).contains(name)) {
            fault("something required that is not a property".to_owned());
        }
        if (1..required.len()).any(|number| required[..number].contains(&required[number])) {
            fault("something required twice".to_owned());
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn types(node: &Keywords) -> Vec<&str> {
    match node.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => {
            name == "number"
                || name == "integer" && number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

/// The names listed under `keyword`.
fn names<'s>(node: &'s Keywords, keyword: &str) -> Vec<&'s str> {
    node.get(keyword).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn properties(node: &Keywords) -> Vec<&str> {
    node.get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect()
}

/// Properties that are not required, in all of `schema`.
fn optional_properties(schema: &Value) -> usize {
    let count = |node: &Node<'_>| properties(node.keywords).len() - names(node.keywords, "required").len();
    nodes(schema, &mut Vec::new()).iter().map(count).sum()
}

/// Whether writing out `schema` comes to no end. With `Way::Required`, what is in a property that is not required need
/// not be written out.
fn is_endless(schema: &Value, way: Way) -> bool {
    let (mut open, mut done) = (Vec::new(), Vec::new());
    expands(schema, schema, way, &mut open, &mut done)
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Any,
    Required,
}

fn expands<'s>(
    root: &'s Value,
    schema: &'s Value,
    way: Way,
    open: &mut Vec<&'s Value>,
    done: &mut Vec<&'s Value>,
) -> bool {
    let is = |known: &&Value| std::ptr::eq(*known, schema);
    if open.iter().any(is) {
        return true;
    }
    if done.iter().any(is) {
        return false;
    }
    open.push(schema);
    let mut inner: Vec<&Value> = Vec::new();
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|reference| root.pointer(&reference[1..]))
    {
        inner.push(target);
    }
    let node = schema.as_object();
    let required = node.map(|node| names(node, "required")).unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    inner.extend(
        properties
            .filter(|(name, _)| way == Way::Any || required.contains(&name.as_str()))
            .map(|(_, each)| each),
    );
    for keyword in ["anyOf", "prefixItems"] {
        inner.extend(schema.get(keyword).and_then(Value::as_array).into_iter().flatten());
    }
    inner.extend(["items", "additionalProperties"].iter().filter_map(|keyword| schema.get(*keyword)));
    let endless = inner.into_iter().any(|each| expands(root, each, way, open, done));
    open.pop();
    done.push(schema);
    endless
}

/// The names of the root's properties that Anthropic refuses in a tool, as its message says.
fn odd_names(schema: &Value) -> Vec<&str> {
    let fits = |name: &&str| (1..=64).contains(&name.len()) && is_plain(name);
    schema.as_object().map(properties).unwrap_or_default().into_iter().filter(|name| !fits(name)).collect()
}
