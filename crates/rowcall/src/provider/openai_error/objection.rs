//! Which field of a request a server rejects, read from its message. These are the known phrases that name the field rather than
//! only say that something is wrong.

/// OpenAI's codes for a rejected field.
pub(super) const CODES: [&str; 3] = ["unsupported_parameter", "unsupported_value", "unknown_parameter"];

/// Servers' words for a field that requests a schema, in lower case, with the field.
const WAYS_TO_ASK: [(&str, &str); 13] = [
    ("response_format", "response_format"),
    ("response format", "response_format"),
    ("text.format", "text.format"),
    ("json_schema", "response_format"),
    ("json_object", "response_format"),
    ("structured output", "response_format"),
    ("tool_choice", "tool_choice"),
    ("tool choice", "tool_choice"),
    ("parallel_tool_calls", "parallel_tool_calls"),
    // Ollama, OpenRouter, llama.cpp.
    ("not support tools", "tools"),
    ("support tool use", "tools"),
    ("tools param", "tools"),
    ("function calling", "tools"),
];

/// Further words for such a field, in lower case, which count only together with words that reject it.
const SPOKEN_OF: [(&str, &str); 12] = [
    ("structured_output", "response_format"),
    ("structured-output", "response_format"),
    ("json mode", "response_format"),
    ("json output", "response_format"),
    ("constrained output", "response_format"),
    ("tool call", "tools"),
    ("tool-call", "tools"),
    ("tool use", "tools"),
    ("tool-use", "tools"),
    ("tool_use", "tools"),
    ("tools", "tools"),
    ("function call", "tools"),
];

/// The words that reject it.
const REFUSING: [&str; 12] = [
    "not supported",
    "unsupported",
    "not support",
    "n't support",
    "not enabled",
    "not available",
    "unavailable",
    "not allowed",
    "disabled",
    "not implemented",
    "cannot be used",
    "no support",
];

/// How far into a message these are searched for, in characters: some servers append the request.
const BEGINNING: usize = 300;

/// Phrases before a name, in lower case: OpenAI, Google's and Rust's JSON parsers, Python, xAI.
const BEFORE: [&str; 10] = [
    "unsupported parameter",
    "unsupported value",
    "unknown parameter",
    "unrecognized parameter",
    "unrecognized request argument supplied",
    "unrecognized request arguments supplied",
    "unknown field",
    "unknown name",
    "unexpected keyword argument",
    "argument not supported on this model",
];

/// Phrases after a quoted name.
const AFTER: [&str; 3] = ["is not supported", "is unsupported", "does not support"];

/// Pydantic's phrases for an unknown field, after its name.
const EXTRA: [&str; 2] = ["extra inputs are not permitted", "extra fields not permitted"];

const QUOTES: [char; 3] = ['\'', '"', '`'];

/// Whether a field requests a schema.
pub(super) fn is_way_to_ask(param: &str) -> bool {
    let field = param.split(['.', '[']).next().unwrap_or(param);
    ["response_format", "text", "tools", "tool_choice", "parallel_tool_calls"].contains(&field)
}

/// The field that a message rejects.
pub(super) fn refused(message: &str) -> Option<String> {
    // Pydantic appends the input, which may come from a row.
    let message = message.split("'input':").next().unwrap_or_default();
    // Only ASCII letters change, so positions are the same in both.
    let small = message.to_ascii_lowercase();
    let way =
        WAYS_TO_ASK.iter().find(|(words, _)| small.contains(words)).map(|(_, field)| (*field).to_owned());
    way.or_else(|| BEFORE.iter().find_map(|words| after(message.get(small.find(words)? + words.len()..)?)))
        .or_else(|| AFTER.iter().find_map(|words| quoted(message.get(..small.find(words)?)?)))
        .or_else(|| EXTRA.iter().find_map(|words| extra(message, small.find(words)?)))
        .or_else(|| way_refused(message).map(str::to_owned))
}

/// The schema field that a message rejects in free text, if it does.
pub(in crate::provider) fn way_refused(message: &str) -> Option<&'static str> {
    let start: String = message.chars().take(BEGINNING).collect::<String>().to_ascii_lowercase();
    let is_refused = REFUSING.iter().any(|words| start.contains(words));
    let of_chat = WAYS_TO_ASK.iter().chain(&SPOKEN_OF).find(|(words, _)| start.contains(words));
    of_chat.filter(|_| is_refused).map(|(_, field)| *field)
}

/// The name at the start of a text, after a colon or in quotes.
fn after(rest: &str) -> Option<String> {
    let name = rest.trim_start_matches("(s)").trim_start();
    let name = name
        .strip_prefix(':')
        .map(str::trim_start)
        .or_else(|| Some(name).filter(|name| name.starts_with(QUOTES)))?;
    let name = name.strip_prefix(QUOTES).unwrap_or(name);
    field(name.split(|c| !is_of_name(c)).next()?)
}

/// The quoted name at the end of a text.
fn quoted(before: &str) -> Option<String> {
    let before = before.trim_end().strip_suffix(QUOTES)?;
    let at = before.rfind(QUOTES)?;
    field(before.get(at + 1..)?)
}

/// The name before Pydantic's phrase for an unknown field; in the list that vLLM formats as text, the name is in the location.
fn extra(message: &str, at: usize) -> Option<String> {
    const LOCATION: &str = "'loc': ('body', ";
    let before = message.get(..at)?;
    if let Some(found) = before.rfind(LOCATION) {
        return after(before.get(found + LOCATION.len()..)?);
    }
    field(before.trim_end().trim_end_matches(':').split_whitespace().next_back()?)
}

/// A name as it is spelled in the request.
fn field(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.');
    let name = name.strip_prefix("body.").unwrap_or(name);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_of_name);
    is_name.then(|| name.to_owned())
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']')
}
