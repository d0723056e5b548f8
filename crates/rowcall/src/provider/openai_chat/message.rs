//! The message of a chat completion in all the shapes that servers send: its text, its tool calls, and how it is replayed in a
//! re-ask. An unusual shape must not cost the answer.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::super::{called_or_said, said_or_nothing};
use crate::turn::{Content, ToolCall};

/// The fields in which servers put a model's thoughts that they separate from its answer.
pub(super) const THOUGHTS: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];

/// A parsed message.
pub(super) struct Message {
    /// The text, if there is any content.
    said: Option<String>,
    refusal: String,
    calls: Vec<Call>,
    thoughts: String,
    /// Whether the content is the answer itself, already parsed by the server, which closes JSON that was cut off.
    pub(super) came_parsed: bool,
    /// The calls as received, for the replay in a re-ask.
    raw_calls: Value,
}

/// A message as most servers send most of theirs: a text, and nothing else that would matter.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    refusal: Option<IgnoredAny>,
    function_call: Option<IgnoredAny>,
    tool_calls: Option<Vec<IgnoredAny>>,
    reasoning_content: Option<IgnoredAny>,
    reasoning: Option<IgnoredAny>,
    thinking: Option<IgnoredAny>,
}

struct Call {
    id: String,
    name: String,
    arguments: Value,
}

impl Message {
    /// Reads a message of which only the text matters, in one pass; `None` if it has to be [`read`](Self::read).
    pub(super) fn plain(raw: &str) -> Option<Self> {
        let Plain { content, refusal, function_call, tool_calls, reasoning_content, reasoning, thinking } =
            serde_json::from_str(raw).ok()?;
        let others = [refusal, function_call, reasoning_content, reasoning, thinking];
        let is_plain = others.iter().all(Option::is_none) && tool_calls.is_none_or(|calls| calls.is_empty());
        is_plain.then(|| Self {
            said: Some(content.into_owned()),
            refusal: String::new(),
            calls: Vec::new(),
            thoughts: String::new(),
            came_parsed: false,
            raw_calls: Value::Null,
        })
    }

    /// Reads a message: an object, or just its text.
    ///
    /// # Errors
    /// A phrase for what was found instead.
    pub(super) fn read(message: Value) -> Result<Self, &'static str> {
        let mut fields = match message {
            Value::Object(fields) => fields,
            Value::String(_) => Map::from_iter([("content".to_owned(), message)]),
            Value::Null => return Err("null"),
            Value::Bool(_) => return Err("a boolean"),
            Value::Number(_) => return Err("a number"),
            Value::Array(_) => return Err("a list"),
        };
        let raw_calls = fields.remove("tool_calls").unwrap_or_default();
        let mut calls: Vec<Call> = match &raw_calls {
            Value::Array(calls) => calls.iter().filter_map(Call::read).collect(),
            Value::Object(_) => Call::read(&raw_calls).into_iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        if calls.is_empty() {
            // The older form of calls, from before there were tools.
            calls.extend(fields.get("function_call").filter(|call| call.is_object()).and_then(Call::read));
        }
        let content = fields.get("content").filter(|content| !content.is_null());
        let separate = THOUGHTS.iter().filter_map(|name| fields.get(*name)?.as_str());
        Ok(Self {
            said: content.map(text),
            came_parsed: content.is_some_and(is_answer),
            refusal: word(fields.get("refusal")),
            calls,
            thoughts: separate.chain(content.into_iter().flat_map(thoughts)).collect(),
            raw_calls,
        })
    }

    /// The content: a refusal takes precedence over calls, and calls over text.
    pub(super) fn content(self) -> Content {
        if !self.refusal.is_empty() {
            return Content::Refusal(self.refusal);
        }
        let call = |call: Call| ToolCall {
            name: call.name,
            arguments: arguments(&call.arguments),
            came_parsed: call.arguments.is_object(),
        };
        let calls = self.calls.into_iter().map(call).collect();
        called_or_said(calls, self.said.unwrap_or_default(), self.thoughts)
    }

    /// The message to send back in a re-ask, with only the fields that OpenAI accepts in an assistant message: compatible servers add
    /// fields (`reasoning_content`, `annotations`) that they reject in a request.
    pub(super) fn replayable(&self) -> Value {
        let mut turn = Map::new();
        turn.insert("role".to_owned(), json!("assistant"));
        if self.calls.is_empty() {
            // Without calls, OpenAI rejects null.
            turn.insert(
                "content".to_owned(),
                json!(said_or_nothing(self.said.as_deref().unwrap_or_default())),
            );
        } else if self.raw_calls.is_array() && self.calls.iter().all(Call::is_replayable) {
            turn.insert("content".to_owned(), self.said.clone().map_or(Value::Null, Value::String));
            turn.insert("tool_calls".to_owned(), self.raw_calls.clone());
        } else {
            let calls = self.calls.iter().map(|call| arguments(&call.arguments));
            let said = self.said.clone().into_iter().filter(|said| !said.is_empty()).chain(calls);
            let said = said.collect::<Vec<_>>().join("\n");
            turn.insert("content".to_owned(), json!(said_or_nothing(&said)));
        }
        Value::Object(turn)
    }
}

impl Call {
    /// Reads a call with its name and arguments under `function`, or next to the id as some servers have it. A call without either is
    /// a placeholder of gateways that always send the field.
    fn read(call: &Value) -> Option<Self> {
        let function = call.get("function").filter(|function| function.is_object()).unwrap_or(call);
        let read = Self {
            id: word(call.get("id")),
            name: word(function.get("name")),
            arguments: function.get("arguments").cloned().unwrap_or_default(),
        };
        let is_empty = read.name.is_empty() && arguments(&read.arguments).trim().is_empty();
        (!is_empty).then_some(read)
    }

    /// Whether it can be sent back as a call: its result needs an id, and vLLM rejects arguments that are not JSON. Other calls are
    /// sent back as text.
    fn is_replayable(&self) -> bool {
        !self.id.is_empty()
            && match &self.arguments {
                Value::String(text) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
            }
    }
}

/// The arguments as JSON text: OpenAI sends text, some compatible servers the object itself.
pub(super) fn arguments(given: &Value) -> String {
    match given {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => given.to_string(),
    }
}

/// The text of a content: a string as from OpenAI, a part or a list of parts, which may be strings, or the answer itself if the
/// server has already parsed it.
pub(super) fn text(content: &Value) -> String {
    match content {
        content if is_answer(content) => arguments(content),
        Value::Array(parts) => parts.iter().filter_map(text_of).collect(),
        part => text_of(part).unwrap_or_default().to_owned(),
    }
}

/// Whether the field of this name is the answer itself rather than text.
pub(super) fn is_answer_of(name: &str, value: &Value) -> bool {
    name == "arguments" || name == "content" && is_answer(value)
}

/// Whether a content is the answer itself rather than text.
fn is_answer(content: &Value) -> bool {
    match content {
        Value::Array(parts) => !parts.iter().all(is_part),
        content => !is_part(content),
    }
}

/// The thoughts among the parts of a content.
fn thoughts(content: &Value) -> impl Iterator<Item = &str> {
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    parts.iter().filter(|part| is_thought(part)).filter_map(|part| {
        let texts = THOUGHTS.iter().copied().chain(["text"]);
        texts.filter_map(|name| part.get(name)).find_map(|thoughts| match thoughts {
            Value::Array(parts) => parts.iter().find_map(text_of),
            thoughts => thoughts.as_str(),
        })
    })
}

/// Whether a value is a part: a string, an object of a type that parts have, or an object with only a text. Anything else is the
/// answer itself.
fn is_part(part: &Value) -> bool {
    match part {
        Value::String(_) => true,
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some(kind) => is_thoughtful(kind) || kind.ends_with("text") || fields.contains_key(kind),
            None => fields.len() == 1 && fields.get("text").is_some_and(Value::is_string),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}

fn is_thought(part: &Value) -> bool {
    part.get("type").and_then(Value::as_str).is_some_and(is_thoughtful)
}

fn is_thoughtful(kind: &str) -> bool {
    kind.contains("thinking") || kind.contains("reasoning")
}

/// The text of a part that is not a thought.
fn text_of(part: &Value) -> Option<&str> {
    if is_thought(part) {
        return None;
    }
    part.as_str().or_else(|| part.get("text")?.as_str())
}

fn word(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
