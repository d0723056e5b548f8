//! The turns of a Messages request: speakers, whether tool calls have results, whether thoughts are ones that the
//! simulator issued.

use serde_json::{Map, Value};

use super::signature::is_signature;
use super::words::at;
use crate::ask::conversation::{Conversation, Speaker};
use crate::ask::field::{text, texts};
use crate::invalid::Invalid;

/// Whether the last answer, if it called a tool, must begin with its thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// As with a thinking budget.
    First,
    AsGiven,
}

/// The conversation in a body whose shape has been checked.
pub(super) fn read(body: &Map<String, Value>, thinking: Thinking) -> Result<Conversation, Invalid> {
    let mut conversation = Conversation::default();
    if let Some(system) = body.get("system") {
        conversation.say(Speaker::Instructions, texts(system));
    }
    let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let messages: Vec<Message<'_>> = messages.iter().filter_map(Value::as_object).map(Message::of).collect();
    match (messages.first(), messages.last()) {
        (None, _) | (_, None) => return Err(at("messages", "at least one message is required")),
        (Some(first), _) if first.role != "user" => {
            return Err(at("messages", "first message must use the \"user\" role"));
        }
        (_, Some(last)) if last.role == "assistant" => {
            let message = "This model does not support assistant message prefill. The conversation must end with a user message.";
            return Err(Invalid::new(message));
        }
        (Some(_), Some(_)) => {}
    }
    let last_answer = messages.iter().rposition(|message| message.role == "assistant");
    let mut called: Vec<&str> = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        if message.is_empty() {
            let what =
                "all messages must have non-empty content except for the optional final assistant message";
            return Err(at(&format!("messages.{n}"), what));
        }
        message.meets(&called, n)?;
        called = message.fields("tool_use", "id").collect();
        message.blocks_fit(n)?;
        let must_begin = thinking == Thinking::First && last_answer == Some(n) && !called.is_empty();
        if must_begin && !message.begins_with_thought() {
            let what = "Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.";
            return Err(at(&format!("messages.{n}.content.0.type"), what));
        }
        message.say(&mut conversation);
    }
    if called.is_empty() { Ok(conversation) } else { Err(unmet(&called, messages.len().saturating_sub(1))) }
}

struct Message<'m> {
    role: &'m str,
    /// Plain text instead of blocks.
    plain: Option<&'m str>,
    blocks: Vec<&'m Map<String, Value>>,
}

impl<'m> Message<'m> {
    fn of(message: &'m Map<String, Value>) -> Self {
        let content = message.get("content");
        let blocks = content.and_then(Value::as_array).into_iter().flatten();
        Self {
            role: message.get("role").and_then(Value::as_str).unwrap_or_default(),
            plain: content.and_then(Value::as_str),
            blocks: blocks.filter_map(Value::as_object).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.plain.map_or(self.blocks.is_empty(), str::is_empty)
    }

    fn begins_with_thought(&self) -> bool {
        let kind = self.blocks.first().map(|block| text(block, "type"));
        kind.is_some_and(|kind| kind == "thinking" || kind == "redacted_thinking")
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'m Map<String, Value>> {
        self.blocks.iter().copied().filter(move |block| block.get("type").is_some_and(|each| each == kind))
    }

    fn fields(&self, kind: &str, field: &str) -> impl Iterator<Item = &'m str> {
        self.of_kind(kind).filter_map(move |block| block.get(field).and_then(Value::as_str))
    }

    /// Each call of the previous message has its result here, and each result its call there.
    fn meets(&self, called: &[&str], n: usize) -> Result<(), Invalid> {
        let results: Vec<&str> = self.fields("tool_result", "tool_use_id").collect();
        let open: Vec<&str> = called.iter().copied().filter(|id| !results.contains(id)).collect();
        if !open.is_empty() {
            return Err(unmet(&open, n.saturating_sub(1)));
        }
        match results.iter().find(|id| !called.contains(id)) {
            None => Ok(()),
            Some(id) => {
                let what = format!(
                    "unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                );
                Err(at(&format!("messages.{n}.content"), &what))
            }
        }
    }

    fn blocks_fit(&self, n: usize) -> Result<(), Invalid> {
        for (m, block) in self.blocks.iter().enumerate() {
            let location = format!("messages.{n}.content.{m}");
            let kind = text(block, "type");
            let speaker = match kind {
                "tool_use" | "thinking" | "redacted_thinking" => "assistant",
                "tool_result" | "image" | "document" => "user",
                _ => self.role,
            };
            if speaker != self.role {
                let what = format!("`{kind}` blocks can only be in `{speaker}` messages");
                return Err(at(&location, &what));
            }
            if kind == "text" && text(block, "text").trim().is_empty() {
                return Err(at("messages", "text content blocks must contain non-whitespace text"));
            }
            if kind == "thinking" && !is_signature(text(block, "signature")) {
                return Err(at(&location, "Invalid `signature` in `thinking` block"));
            }
        }
        Ok(())
    }

    fn say(&self, conversation: &mut Conversation) {
        for result in self.of_kind("tool_result") {
            let content = result.get("content").unwrap_or(&Value::Null);
            conversation.say(Speaker::Tool, texts(content));
        }
        let speaker = match self.role {
            "user" => Speaker::User,
            "assistant" => Speaker::Model,
            _ => Speaker::Instructions,
        };
        let call = self.of_kind("tool_use").find_map(|call| call.get("input"));
        let said: String = match (self.plain, call) {
            (Some(plain), _) => plain.to_owned(),
            (None, Some(input)) => input.to_string(),
            (None, None) => self.fields("text", "text").collect(),
        };
        let sources: Vec<&Value> = self.blocks.iter().filter_map(|block| block.get("source")).collect();
        // A message with only results adds no turn.
        if !said.is_empty() || !sources.is_empty() || speaker == Speaker::Model {
            conversation.say(speaker, said);
        }
        for source in sources {
            let content =
                ["data", "url", "file_id", "content"].into_iter().find_map(|field| source.get(field));
            conversation.attach(&content.map_or_else(String::new, Value::to_string));
        }
    }
}

fn unmet(calls: &[&str], n: usize) -> Invalid {
    let what = format!(
        "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        calls.join(", ")
    );
    at(&format!("messages.{n}"), &what)
}
