//! Checks what a user gives as a schema: a schema, a schema in a provider's wrapper, or something else. A schema that restricts
//! nothing would accept every answer, so it is rejected with a hint. `docs/mistakes.md` has the rules.

use serde_json::{Map, Value, json};

use super::subschemas::Subschemas;
use super::{JsonType, refused};
use crate::error::Problem;

mod effect;
mod properties;
mod spelling;

use crate::violation::escaped;
use effect::restricts;

/// The keys under which providers put a schema, possibly nested.
const WRAPPERS: [&str; 25] = [
    "schema",
    "json_schema",
    "jsonSchema",
    "function",
    "parameters",
    "input_schema",
    "inputSchema",
    "responseSchema",
    "response_schema",
    "responseJsonSchema",
    "response_json_schema",
    "response_format",
    "output_format",
    "output_config",
    "generationConfig",
    "format",
    "text",
    "toolSpec",
    "tools",
    "functions",
    "functionDeclarations",
    "function_declarations",
    "structured_outputs",
    "guided_json",
    "json",
];

/// The wrappers in which Bedrock and vLLM put the schema under `json`. Elsewhere, `json` is an ordinary name.
const AROUND_JSON: [&str; 3] = ["structured_outputs", "inputSchema", "input_schema"];

/// Keys beside a wrapped schema that do not affect it.
const BESIDE: [&str; 16] = [
    "name",
    "type",
    "strict",
    "description",
    "title",
    "temperature",
    "responseMimeType",
    "response_mime_type",
    "cache_control",
    "verbosity",
    "model",
    "messages",
    "input",
    "system",
    "max_tokens",
    "tool_choice",
];

/// Keywords that comment on a schema without restricting anything.
const COMMENTS: [&str; 14] = [
    "$schema",
    "$id",
    "id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$vocabulary",
    "$anchor",
];

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Types as people write them for a field.
const TYPE_WORDS: [(&str, &str); 16] = [
    ("str", "str"),
    ("string", "str"),
    ("text", "str"),
    ("int", "int"),
    ("integer", "int"),
    ("float", "float"),
    ("double", "float"),
    ("number", "float"),
    ("bool", "bool"),
    ("boolean", "bool"),
    ("list", "str[]"),
    ("array", "str[]"),
    ("str[]", "str[]"),
    ("string[]", "str[]"),
    ("int[]", "int[]"),
    ("list[str]", "str[]"),
];

/// Returns the schema in `given`, and a note if it was in a wrapper.
pub(super) fn unwrapped(given: Value) -> (Value, Option<String>) {
    const DEEPEST: usize = 6;
    let (mut pointer, mut inner, mut is_gemini, mut around) = (String::new(), &given, false, "");
    for _ in 0..DEEPEST {
        // A list of one tool. An entry that wraps nothing is not a tool.
        let only = inner.as_array().and_then(|list| <&[Value; 1]>::try_from(list.as_slice()).ok());
        let is_tool = |entry: &Value| entry.as_object().is_some_and(|entry| step_in(entry, "0").is_some());
        let step = match only {
            Some([only]) => is_tool(only).then_some(("0", only)),
            None => inner.as_object().and_then(|given| step_in(given, around)),
        };
        let Some((name, next)) = step else { break };
        is_gemini |= matches!(
            name,
            "responseSchema" | "response_schema" | "functionDeclarations" | "function_declarations"
        );
        pointer.push_str(&format!("/{name}"));
        (inner, around) = (next, name);
    }
    let is_schema = restricts(inner);
    if pointer.is_empty() || !is_schema {
        return (given, None);
    }
    let mut schema = inner.clone();
    if is_gemini {
        plain_types(&mut schema);
    }
    (schema, Some(format!("the schema was taken from `{pointer}` of what was given")))
}

/// Takes one step into a wrapper, if `given` is a wrapper and not a schema. `around` is the key that `given` was found under.
fn step_in<'a>(given: &'a Map<String, Value>, around: &str) -> Option<(&'static str, &'a Value)> {
    let is_beside = |name: &String| {
        BESIDE.contains(&&**name)
            && given
                .get(name)
                .is_none_or(|value| !value.is_object() || matches!(&**name, "cache_control" | "tool_choice"))
    };
    let mut others = given.keys().filter(|name| !is_beside(name));
    let (name, more) = (others.next()?, others.next());
    let wrapper = WRAPPERS.into_iter().find(|wrapper| wrapper == name)?;
    if wrapper == "json" && !AROUND_JSON.contains(&around) {
        return None;
    }
    // A property may have the same name. A wrapper has only known keys beside it and no JSON Schema type.
    let says_type =
        given.get("type").and_then(Value::as_str).is_some_and(|name| JsonType::named(name).is_some());
    let value = given.get(wrapper).filter(|value| value.is_object() || value.is_array())?;
    (more.is_none() && !says_type).then_some((wrapper, value))
}

/// Replaces Gemini's type names by those of JSON Schema, and its `nullable` by a list of types.
fn plain_types(schema: &mut Value) {
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        let Value::Object(keywords) = schema else { continue };
        let nullable = keywords.shift_remove("nullable") == Some(Value::Bool(true));
        if let Some(Value::String(name)) = keywords.get_mut("type") {
            name.make_ascii_lowercase();
            let name = name.clone();
            if nullable {
                keywords.insert("type".to_owned(), json!([name, "null"]));
            }
        }
        for (keyword, inner) in keywords.iter_mut() {
            match (keyword.as_str(), inner) {
                ("properties", Value::Object(named)) => open.extend(named.values_mut()),
                ("anyOf", Value::Array(listed)) => open.extend(listed),
                ("items", inner) => open.push(inner),
                _ => {}
            }
        }
    }
}

/// Checks that `schema` is meant as a schema: that it restricts something, or is `{}` or `true`.
///
/// # Errors
/// Anything else, with a hint at what was probably meant.
pub(super) fn check(schema: &Value) -> Result<(), Problem> {
    let Value::Object(keywords) = schema else { return Ok(()) };
    if let Some(problem) = foreign(keywords) {
        return Err(problem);
    }
    if effect::excludes_all(schema) {
        let problem = Problem::new("no value satisfies the schema: its `not` excludes every value");
        return Err(problem.hint("describe under `not` only what is not allowed, or leave it out"));
    }
    if keywords.is_empty() || restricts(schema) {
        return Ok(());
    }
    let (message, hint) = meant(keywords);
    Err(Problem::new(format!("the schema restricts nothing: {message}")).hint(hint))
}

/// The problem with a document of another kind, such as an OpenAPI document.
fn foreign(keywords: &Map<String, Value>) -> Option<Problem> {
    if keywords.contains_key("openapi") || keywords.contains_key("swagger") {
        let place = if keywords.contains_key("swagger") { "/definitions" } else { "/components/schemas" };
        let document = Value::Object(keywords.clone());
        let names = document.pointer(place).and_then(Value::as_object).map(names).unwrap_or_default();
        let hint = format!("give one of the schemas under `{place}` as its own file: {names}");
        return Some(Problem::new("the schema is an OpenAPI document, expected a JSON Schema").hint(hint));
    }
    let lists = ["tools", "functions", "functionDeclarations", "function_declarations"];
    if let Some(list) = lists.into_iter().find(|list| keywords.get(*list).is_some_and(Value::is_array)) {
        let hint = format!("give the schema of one of them, which is under `/{list}`, as its own file");
        return Some(Problem::new("the schema is a list of tools, expected a JSON Schema").hint(hint));
    }
    let is_record = keywords.get("type").is_some_and(|name| name == "record");
    if is_record && keywords.get("fields").is_some_and(Value::is_array) {
        let hint = "write its fields in the short form, such as `name str, age int`, or under `properties`";
        return Some(Problem::new("the schema is an Avro schema, expected a JSON Schema").hint(hint));
    }
    None
}

/// The message and the hint for a schema that restricts nothing: what it probably is, and what to do about it.
fn meant(keywords: &Map<String, Value>) -> (String, String) {
    let said: Vec<(&String, &Value)> =
        keywords.iter().filter(|(name, _)| !COMMENTS.contains(&name.as_str())).collect();
    if let Some((name, definitions)) = said.iter().find(|(name, _)| DEFINITIONS.contains(&name.as_str()))
        && said.len() == 1
    {
        let first =
            definitions.as_object().and_then(|named| named.keys().next()).map_or("NAME", String::as_str);
        return (
            format!("it only defines others, under `{name}`"),
            format!("add `\"$ref\": \"#/{name}/{first}\"` to say which one a value must satisfy"),
        );
    }
    if let Some((name, keyword)) = spelling::slip(keywords) {
        return (format!("`{name}` is not a keyword of JSON Schema"), format!("did you mean `{keyword}`?"));
    }
    if said.is_empty() {
        return (
            "it has comments only".to_owned(),
            "`{}` allows any value; fields are described under `properties`".to_owned(),
        );
    }
    if said.iter().all(|(name, value)| effect::is_keyword(name, value)) {
        return (
            "none of its keywords excludes a value".to_owned(),
            "`{}` allows any value; fields are described under `properties`".to_owned(),
        );
    }
    if said.iter().all(|(_, value)| restricts(value)) {
        let looks_whole = |value: &Value| value.get("properties").is_some();
        return match said.as_slice() {
            [(name, value)] if looks_whole(value) => (
                format!("it contains a schema under `{name}`"),
                format!("use the part under `{name}` as the schema"),
            ),
            _ => (
                "its keys look like the properties of an object".to_owned(),
                "put them into `{\"type\": \"object\", \"properties\": {…}}`".to_owned(),
            ),
        };
    }
    let fields = said.iter().map(|(name, value)| field(name, value)).collect::<Vec<_>>().join(", ");
    let words = said.iter().all(|(_, value)| value.as_str().is_some_and(|word| type_word(word).is_some()));
    let found = if words { "its keys have names of types" } else { "it looks like an example of a value" };
    (found.to_owned(), format!("describe the fields in the short form, such as `{fields}`"))
}

/// Writes a field in the short form, from an example of its value or the name of its type.
fn field(name: &str, value: &Value) -> String {
    let of = |value: &Value| match value {
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(word) => type_word(word).unwrap_or("str"),
        Value::Null | Value::Array(_) | Value::Object(_) => "str",
    };
    match value {
        Value::Array(items) => format!("{name} {}[]", items.first().map_or("str", of)),
        Value::Null => format!("{name} str?"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            format!("{name} {}", of(value))
        }
    }
}

fn type_word(word: &str) -> Option<&'static str> {
    let word = word.trim().to_lowercase();
    TYPE_WORDS.iter().find(|(written, _)| *written == word).map(|(_, short)| *short)
}

fn names(named: &Map<String, Value>) -> String {
    const MOST: usize = 8;
    let listed: Vec<String> = named.keys().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if named.len() > MOST { ", …" } else { "" };
    format!("{}{more}", listed.join(", "))
}

/// Checks every schema in the document for misspelled keywords, which would restrict nothing, for properties beside the keywords, and
/// for misspelled names under `required`.
///
/// # Errors
/// The first mistake, with its location and what was probably meant.
pub(super) fn check_spelling(schemas: &Subschemas<'_>) -> Result<(), Problem> {
    let named = properties::names(schemas);
    for each in schemas.all() {
        let Value::Object(keywords) = each.schema else { continue };
        if let Some((name, keyword)) = spelling::slip(keywords) {
            let place = format!("{}/{}", each.pointer, escaped(name));
            return Err(refused(&place, format!("`{name}` is not a keyword of JSON Schema"))
                .hint(format!("did you mean `{keyword}`? A keyword of your own may begin with `x-`")));
        }
        if let Some(names) = properties::bare(keywords) {
            let first = names.first().map_or("", |name| name.as_str());
            let place = format!("{}/{}", each.pointer, escaped(first));
            return Err(refused(&place, format!("`{first}` is not a keyword of JSON Schema"))
                .hint("put the properties into `{\"type\": \"object\", \"properties\": {…}}`"));
        }
        if let Some((name, property)) = properties::misnamed(keywords, &named) {
            let place = format!("{}/required", each.pointer);
            return Err(refused(&place, format!("there is no property `{name}`"))
                .hint(format!("did you mean `{property}`?")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
