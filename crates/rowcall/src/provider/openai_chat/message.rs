//! The message of a chat completion in all the forms in which servers send it: what it says, what it calls, and how it is
//! shown again in a re-ask. No form of it may cost an answer.

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::super::{said_or_nothing, thoughts_alone};
use crate::turn::{Content, ToolCall};

/// Where servers put the thoughts of a model that they take out of its answer.
pub(super) const THOUGHTS: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];

/// What one message holds.
pub(super) struct Message {
    /// What is said in text, if there is a content at all.
    said: Option<String>,
    refusal: String,
    calls: Vec<Call>,
    thoughts: String,
    /// Whether the content is the answer itself, read by the server, which closes what was cut.
    pub(super) came_parsed: bool,
    /// The calls as they came, which a re-ask shows again.
    raw_calls: Value,
}

struct Call {
    id: String,
    name: String,
    arguments: Value,
}

impl Message {
    /// Reads a message: an object, or its text alone.
    ///
    /// # Errors
    /// What stands in its place, for a sentence.
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
            // The form that calls had before there were tools.
            calls.extend(fields.get("function_call").filter(|call| call.is_object()).and_then(Call::read));
        }
        let content = fields.get("content").filter(|content| !content.is_null());
        let beside = THOUGHTS.iter().filter_map(|name| fields.get(*name)?.as_str());
        Ok(Self {
            said: content.map(text),
            came_parsed: content.is_some_and(is_answer),
            refusal: word(fields.get("refusal")),
            calls,
            thoughts: beside.chain(content.into_iter().flat_map(thoughts)).collect(),
            raw_calls,
        })
    }

    /// What it amounts to: a refusal comes before calls, and calls before text.
    pub(super) fn content(self) -> Content {
        if !self.refusal.is_empty() {
            return Content::Refusal(self.refusal);
        }
        if !self.calls.is_empty() {
            let call = |call: Call| ToolCall {
                name: call.name,
                arguments: arguments(&call.arguments),
                came_parsed: call.arguments.is_object(),
            };
            return Content::Calls(self.calls.into_iter().map(call).collect());
        }
        thoughts_alone(self.said.unwrap_or_default(), self.thoughts)
    }

    /// The message as it is sent back in a re-ask. Only what OpenAI takes in an assistant's message is kept: compatible
    /// servers add fields (`reasoning_content`, `annotations`) that they refuse in a request.
    pub(super) fn replayable(&self) -> Value {
        let mut turn = Map::new();
        turn.insert("role".to_owned(), json!("assistant"));
        if self.calls.is_empty() {
            // Without calls, OpenAI refuses a null.
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
    /// A call whose name and arguments stand under `function`, or beside the id as some servers have it. One without either is
    /// what gateways send that always have the field.
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

    /// Whether it can be sent back as such. It needs an id by which to answer it, and vLLM refuses one whose arguments are
    /// no JSON; others go back as text.
    fn is_replayable(&self) -> bool {
        !self.id.is_empty()
            && match &self.arguments {
                Value::String(text) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
            }
    }
}

/// JSON text at OpenAI; some compatible servers send the object itself.
pub(super) fn arguments(given: &Value) -> String {
    match given {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => given.to_string(),
    }
}

/// The text of a content: a string as OpenAI sends it, one part or a list of parts, which may be strings, or the answer itself
/// where a server has read it already.
pub(super) fn text(content: &Value) -> String {
    match content {
        content if is_answer(content) => arguments(content),
        Value::Array(parts) => parts.iter().filter_map(said_in).collect(),
        part => said_in(part).unwrap_or_default().to_owned(),
    }
}

/// Whether what has this name is the answer itself, and no text.
pub(super) fn is_answer_of(name: &str, value: &Value) -> bool {
    name == "arguments" || name == "content" && is_answer(value)
}

/// Whether a content is the answer itself, and no text.
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
            Value::Array(parts) => parts.iter().find_map(said_in),
            thoughts => thoughts.as_str(),
        })
    })
}

/// A string, an object of a type that parts have, or one that has nothing but a text. Others are the answer itself.
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

/// The text of a part that is no thought.
fn said_in(part: &Value) -> Option<&str> {
    if is_thought(part) {
        return None;
    }
    part.as_str().or_else(|| part.get("text")?.as_str())
}

fn word(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
