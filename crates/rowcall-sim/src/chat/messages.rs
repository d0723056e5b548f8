//! The messages of a chat completions request: its turns, and whether each tool call has its result.

use serde_json::{Map, Value};

use crate::ask::conversation::{Conversation, Speaker};
use crate::ask::field::{text, texts};
use crate::invalid::Invalid;
use crate::openai::words::missing;

/// The conversation in messages whose shape has been checked.
pub(super) fn read(messages: Option<&Value>) -> Result<Conversation, Invalid> {
    let messages = messages.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Invalid::new(message).at("messages").with_code("empty_array"));
    }
    let mut conversation = Conversation::default();
    // The calls of the last answer without a result so far.
    let mut open: Vec<&str> = Vec::new();
    let mut called: Vec<&str> = Vec::new();
    for (n, message) in messages.iter().filter_map(Value::as_object).enumerate() {
        let role = text(message, "role");
        if role == "tool" {
            let id = text(message, "tool_call_id");
            if !called.contains(&id) {
                let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                return Err(Invalid::new(message).at(format!("messages.[{n}].role")));
            }
            open.retain(|call| *call != id);
        } else if !open.is_empty() {
            return Err(unmet(&open, n));
        }
        match role {
            "system" | "developer" => speak(&mut conversation, Speaker::Instructions, message, n)?,
            "user" => speak(&mut conversation, Speaker::User, message, n)?,
            "assistant" => {
                called = calls(message).filter_map(|call| call.get("id").and_then(Value::as_str)).collect();
                open.clone_from(&called);
                let arguments = calls(message).find_map(|call| call.pointer("/function/arguments"));
                match arguments.and_then(Value::as_str) {
                    Some(arguments) => conversation.say(Speaker::Model, arguments),
                    None => speak(&mut conversation, Speaker::Model, message, n)?,
                }
            }
            _ => speak(&mut conversation, Speaker::Tool, message, n)?,
        }
    }
    if open.is_empty() { Ok(conversation) } else { Err(unmet(&open, messages.len())) }
}

fn calls(message: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    message.get("tool_calls").and_then(Value::as_array).into_iter().flatten()
}

fn unmet(calls: &[&str], at: usize) -> Invalid {
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        calls.join(", ")
    );
    Invalid::new(message).at(format!("messages.[{at}].role"))
}

fn speak(
    conversation: &mut Conversation,
    speaker: Speaker,
    message: &Map<String, Value>,
    n: usize,
) -> Result<(), Invalid> {
    let content = message.get("content").unwrap_or(&Value::Null);
    conversation.say(speaker, texts(content));
    for (at, part) in content.as_array().into_iter().flatten().enumerate() {
        let field = |pointer: &str| part.pointer(pointer).and_then(Value::as_str);
        let attached = match part.get("type").and_then(Value::as_str) {
            Some("image_url") => field("/image_url/url"),
            Some("input_audio") => field("/input_audio/data"),
            Some("file") => {
                let found = field("/file/file_data").or_else(|| field("/file/file_id"));
                Some(found.ok_or_else(|| missing(&format!("messages[{n}].content[{at}].file.file_id")))?)
            }
            _ => None,
        };
        if let Some(attached) = attached {
            conversation.attach(attached);
        }
    }
    Ok(())
}
