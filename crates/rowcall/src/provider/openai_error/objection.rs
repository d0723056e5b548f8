//! Which field of a request a server does not take, read from its words. Servers have many, of which these are known to say
//! what is wrong and not only that something is.

/// The codes that say so; OpenAI's.
pub(super) const CODES: [&str; 3] = ["unsupported_parameter", "unsupported_value", "unknown_parameter"];

/// What asks for a schema, by the words in which servers speak of it, in small letters.
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

/// What is said of a way to ask for a schema where it is named, beside words that refuse it; in small letters.
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

/// The words that refuse it.
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

/// How far into a message these are looked for, in characters: some servers go on to repeat the request.
const BEGINNING: usize = 300;

/// What stands before a name, in small letters: OpenAI, Google's and Rust's JSON readers, Python, xAI.
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

/// What stands after a name in quotes.
const AFTER: [&str; 3] = ["is not supported", "is unsupported", "does not support"];

/// What Pydantic says of a field that it does not know, after its name.
const EXTRA: [&str; 2] = ["extra inputs are not permitted", "extra fields not permitted"];

const QUOTES: [char; 3] = ['\'', '"', '`'];

/// Whether a field is one by which a schema is asked for.
pub(super) fn is_way_to_ask(param: &str) -> bool {
    let field = param.split(['.', '[']).next().unwrap_or(param);
    ["response_format", "text", "tools", "tool_choice", "parallel_tool_calls"].contains(&field)
}

/// The field that a message says is not taken.
pub(super) fn refused(message: &str) -> Option<String> {
    // Pydantic ends with the input, which may be a row's.
    let message = message.split("'input':").next().unwrap_or_default();
    // Only ASCII letters change, so that places in one are places in the other.
    let small = message.to_ascii_lowercase();
    let way =
        WAYS_TO_ASK.iter().find(|(words, _)| small.contains(words)).map(|(_, field)| (*field).to_owned());
    way.or_else(|| BEFORE.iter().find_map(|words| after(message.get(small.find(words)? + words.len()..)?)))
        .or_else(|| AFTER.iter().find_map(|words| quoted(message.get(..small.find(words)?)?)))
        .or_else(|| EXTRA.iter().find_map(|words| extra(message, small.find(words)?)))
        .or_else(|| way_refused(message).map(str::to_owned))
}

/// The field of the way to ask for a schema that a message refuses in words of its own, if it does.
pub(in crate::provider) fn way_refused(message: &str) -> Option<&'static str> {
    let start: String = message.chars().take(BEGINNING).collect::<String>().to_ascii_lowercase();
    let is_refused = REFUSING.iter().any(|words| start.contains(words));
    let of_chat = WAYS_TO_ASK.iter().chain(&SPOKEN_OF).find(|(words, _)| start.contains(words));
    of_chat.filter(|_| is_refused).map(|(_, field)| *field)
}

/// The name at the beginning of a text, behind a colon or in quotes.
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

/// The name that Pydantic gives before it says that it does not know it; in the list that vLLM makes a text of, it stands in the
/// location.
fn extra(message: &str, at: usize) -> Option<String> {
    const LOCATION: &str = "'loc': ('body', ";
    let before = message.get(..at)?;
    if let Some(found) = before.rfind(LOCATION) {
        return after(before.get(found + LOCATION.len()..)?);
    }
    field(before.trim_end().trim_end_matches(':').split_whitespace().next_back()?)
}

/// A name as it stands in the request.
fn field(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.');
    let name = name.strip_prefix("body.").unwrap_or(name);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_of_name);
    is_name.then(|| name.to_owned())
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']')
}
