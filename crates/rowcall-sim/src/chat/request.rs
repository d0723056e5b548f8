//! A chat completions request as read from its body, or what OpenAI would say is wrong with it.

use serde_json::{Map, Value};

use super::wanted::{self, Wanted};
use crate::complaint::Complaint;

/// What the simulator needs to know of a request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) model: String,
    /// The text that makes the row: of the last user message, or in a re-ask of the first.
    pub(crate) row: String,
    /// Whether the conversation holds an assistant's or a tool's turn.
    pub(crate) re_ask: bool,
    pub(crate) prompt_tokens: u64,
    pub(crate) wanted: Wanted,
    /// `max_completion_tokens` or `max_tokens`.
    pub(crate) most_tokens: Option<u64>,
    pub(crate) stream: Option<StreamOptions>,
}

/// How a stream is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamOptions {
    pub(crate) usage: bool,
}

/// Why a request is answered with 400, in OpenAI's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) message: String,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

const ROLES: [&str; 6] = ["system", "assistant", "user", "function", "tool", "developer"];

/// An honest estimate of tokens: a quarter of the bytes, rounded up, at least 1.
pub(crate) fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4).max(1)
}

impl Request {
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Invalid> {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else {
            let message =
                "We could not parse the JSON body of your request. The OpenAI API expects a JSON object.";
            return Err(Invalid { message: message.to_owned(), param: None, code: None });
        };
        let model = match body.remove("model") {
            Some(Value::String(model)) if !model.is_empty() => model,
            Some(other) => return Err(wrong_type("model", "a string", &other)),
            None => return Err(missing("model")),
        };
        let messages = Messages::of(body.remove("messages"))?;
        if let Some(n) = body.get("n").filter(|n| !n.is_null() && n.as_u64() != Some(1)) {
            return Err(unsupported("n", &format!("this simulator answers with one choice, but got {n}")));
        }
        let most_tokens = [most_tokens(&body, "max_completion_tokens")?, most_tokens(&body, "max_tokens")?];
        let stream = stream(&body)?;
        let (wanted, row) = wanted::read(&mut body, &messages)?;
        Ok(Self {
            model,
            row,
            re_ask: messages.re_ask,
            prompt_tokens: tokens(messages.texts.iter().map(|(_, text)| text.len()).sum()),
            wanted,
            most_tokens: most_tokens.into_iter().flatten().min(),
            stream,
        })
    }
}

impl Request {
    /// The refusal of a schema that no value was found for.
    pub(crate) fn no_value(&self, complaint: &Complaint) -> Invalid {
        let (message, param) = match &self.wanted {
            Wanted::Tool { name, .. } => {
                (format!("Invalid schema for function '{name}': {complaint}"), "tools")
            }
            Wanted::Text | Wanted::Object { .. } | Wanted::Schema(_) => {
                (format!("Invalid schema for response_format: {complaint}"), "response_format")
            }
        };
        Invalid { message, param: Some(param.to_owned()), code: None }
    }
}

/// The conversation: texts with their roles.
pub(super) struct Messages {
    pub(super) texts: Vec<(String, String)>,
    re_ask: bool,
}

impl Messages {
    fn of(messages: Option<Value>) -> Result<Self, Invalid> {
        let messages = match messages {
            Some(Value::Array(messages)) => messages,
            Some(other) => return Err(wrong_type("messages", "an array of objects", &other)),
            None => return Err(missing("messages")),
        };
        if messages.is_empty() {
            let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
            return Err(Invalid {
                message: message.to_owned(),
                param: Some("messages".to_owned()),
                code: Some("empty_array"),
            });
        }
        let texts = messages
            .into_iter()
            .enumerate()
            .map(|(n, message)| turn(n, message))
            .collect::<Result<Vec<_>, _>>()?;
        let re_ask = texts.iter().any(|(role, _)| matches!(role.as_str(), "assistant" | "tool" | "function"));
        Ok(Self { texts, re_ask })
    }

    /// Which text makes the row.
    pub(super) fn row(&self) -> usize {
        let users =
            || self.texts.iter().enumerate().filter(|(_, (role, _))| role == "user").map(|(at, _)| at);
        let found = if self.re_ask { users().next() } else { users().next_back() };
        found.unwrap_or(self.texts.len().saturating_sub(1))
    }
}

/// One message as role and text.
fn turn(n: usize, message: Value) -> Result<(String, String), Invalid> {
    let at = |field: &str| format!("messages[{n}]{field}");
    let Value::Object(mut message) = message else {
        return Err(wrong_type(&at(""), "an object", &message));
    };
    let role = match message.remove("role") {
        Some(Value::String(role)) => role,
        Some(other) => return Err(wrong_type(&at(".role"), "a string", &other)),
        None => return Err(missing(&at(".role"))),
    };
    if !ROLES.contains(&role.as_str()) {
        let message = format!(
            "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
        );
        return Err(Invalid { message, param: Some(at(".role")), code: Some("invalid_value") });
    }
    if role == "tool" && !message.get("tool_call_id").is_some_and(Value::is_string) {
        return Err(missing(&at(".tool_call_id")));
    }
    let may_be_absent = role == "assistant";
    let text = match message.remove("content") {
        Some(Value::String(text)) => text,
        Some(Value::Array(parts)) => text_of_parts(&parts, &at(".content"))?,
        None | Some(Value::Null) if may_be_absent => String::new(),
        None => return Err(missing(&at(".content"))),
        Some(other) => {
            return Err(wrong_type(&at(".content"), "one of a string or array of objects", &other));
        }
    };
    Ok((role, text))
}

fn text_of_parts(parts: &[Value], at: &str) -> Result<String, Invalid> {
    let mut text = String::new();
    for (n, part) in parts.iter().enumerate() {
        match (part.get("type").and_then(Value::as_str), part.get("text")) {
            (Some("text"), Some(Value::String(part))) => text.push_str(part),
            (Some("text"), _) => return Err(missing(&format!("{at}[{n}].text"))),
            (Some("image_url" | "input_audio" | "file" | "refusal"), _) => {}
            (Some(other), _) => {
                let message = format!(
                    "Invalid value: '{other}'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'."
                );
                return Err(Invalid {
                    message,
                    param: Some(format!("{at}[{n}].type")),
                    code: Some("invalid_value"),
                });
            }
            (None, _) => return Err(missing(&format!("{at}[{n}].type"))),
        }
    }
    Ok(text)
}

fn most_tokens(body: &Map<String, Value>, name: &str) -> Result<Option<u64>, Invalid> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(most) if most >= 1 => Ok(Some(most.unsigned_abs())),
            Some(most) => {
                let message = format!(
                    "Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {most} instead."
                );
                Err(Invalid { message, param: Some(name.to_owned()), code: Some("integer_below_min_value") })
            }
            None => Err(wrong_type(name, "an integer", value)),
        },
    }
}

fn stream(body: &Map<String, Value>) -> Result<Option<StreamOptions>, Invalid> {
    match body.get("stream") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => {
            let usage = body.get("stream_options").and_then(|options| options.get("include_usage"));
            Ok(Some(StreamOptions { usage: usage == Some(&Value::Bool(true)) }))
        }
        Some(other) => Err(wrong_type("stream", "a boolean", other)),
    }
}

pub(super) fn missing(param: &str) -> Invalid {
    let message = format!("Missing required parameter: '{param}'.");
    Invalid { message, param: Some(param.to_owned()), code: Some("missing_required_parameter") }
}

pub(super) fn unsupported(param: &str, why: &str) -> Invalid {
    let message = format!("Unsupported value: '{param}': {why}.");
    Invalid { message, param: Some(param.to_owned()), code: Some("unsupported_value") }
}

pub(super) fn wrong_type(param: &str, expected: &str, found: &Value) -> Invalid {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid type for '{param}': expected {expected}, but got {found} instead.");
    Invalid { message, param: Some(param.to_owned()), code: Some("invalid_type") }
}
