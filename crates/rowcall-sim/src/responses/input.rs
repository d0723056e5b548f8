//! The input of a Responses request: its turns, and whether tool calls and reasoning have the items that belong to
//! them.

use serde_json::{Map, Value, json};

use crate::ask::conversation::{Conversation, Speaker};
use crate::ask::field::{text, texts};
use crate::invalid::Invalid;
use crate::openai::words::{missing, wrong_value};

/// Gives items with a role but no type the type `message`, which OpenAI allows to omit.
pub(super) fn name_messages(body: &mut Value) {
    let items = body.get_mut("input").and_then(Value::as_array_mut).into_iter().flatten();
    for item in items.filter_map(Value::as_object_mut) {
        if item.contains_key("role") && !item.contains_key("type") {
            item.insert("type".to_owned(), json!("message"));
        }
    }
}

/// The conversation in an input whose shape has been checked.
pub(super) fn read(body: &Map<String, Value>) -> Result<Conversation, Invalid> {
    let mut conversation = Conversation::default();
    if let Some(instructions) = body.get("instructions").and_then(Value::as_str) {
        conversation.say(Speaker::Instructions, instructions);
    }
    let items = match body.get("input") {
        Some(Value::String(text)) => {
            conversation.say(Speaker::User, text.as_str());
            return Ok(conversation);
        }
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    if items.is_empty() {
        let message = "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Invalid::new(message).at("input").with_code("empty_array"));
    }
    let kept = body.get("store") != Some(&Value::Bool(false));
    let mut calls = Calls::default();
    for (n, item) in items.iter().filter_map(Value::as_object).enumerate() {
        let next = items.get(n + 1).and_then(|next| next.get("type")).and_then(Value::as_str);
        match text(item, "type") {
            "message" => message(&mut conversation, item, n)?,
            "function_call" => {
                calls.open.push(text(item, "call_id"));
                conversation.say(Speaker::Model, text(item, "arguments"));
            }
            "function_call_output" => {
                calls.meet(text(item, "call_id"))?;
                conversation.say(Speaker::Tool, item.get("output").map(texts).unwrap_or_default());
            }
            "reasoning" => reasoning(item, next, kept)?,
            _ => return Err(not_found(text(item, "id"), "")),
        }
    }
    match calls.open.first() {
        None => Ok(conversation),
        Some(call) => {
            Err(Invalid::new(format!("No tool output found for function call {call}.")).at("input"))
        }
    }
}

/// Tool calls without an output so far.
#[derive(Default)]
struct Calls<'c> {
    open: Vec<&'c str>,
}

impl Calls<'_> {
    fn meet(&mut self, id: &str) -> Result<(), Invalid> {
        let before = self.open.len();
        self.open.retain(|call| *call != id);
        if self.open.len() < before {
            return Ok(());
        }
        let message = format!("No tool call found for function call output with call_id {id}.");
        Err(Invalid::new(message).at("input"))
    }
}

fn message(conversation: &mut Conversation, item: &Map<String, Value>, n: usize) -> Result<(), Invalid> {
    let speaker = match text(item, "role") {
        "user" => Speaker::User,
        "assistant" => Speaker::Model,
        _ => Speaker::Instructions,
    };
    let content = item.get("content").unwrap_or(&Value::Null);
    conversation.say(speaker, texts(content));
    for (at, part) in content.as_array().into_iter().flatten().filter_map(Value::as_object).enumerate() {
        let location = format!("input[{n}].content[{at}]");
        let kind = text(part, "type");
        let known: &[&str] = match speaker {
            Speaker::Model => &["output_text", "refusal"],
            Speaker::Instructions | Speaker::User | Speaker::Tool => {
                &["input_text", "input_image", "input_file"]
            }
        };
        if !known.contains(&kind) {
            return Err(wrong_value(&location, kind, known));
        }
        let fields: &[&str] = match kind {
            "input_image" => &["image_url", "file_id"],
            "input_file" => &["file_data", "file_url", "file_id"],
            _ => continue,
        };
        let found = fields.iter().find_map(|field| part.get(*field)).and_then(Value::as_str);
        let last = fields.last().copied().unwrap_or_default();
        conversation.attach(found.ok_or_else(|| missing(&format!("{location}.{last}")))?);
    }
    Ok(())
}

/// A reasoning item precedes what it led to, and is complete in itself where nothing is stored.
fn reasoning(item: &Map<String, Value>, next: Option<&str>, kept: bool) -> Result<(), Invalid> {
    let id = text(item, "id");
    if !matches!(next, Some("message" | "function_call" | "reasoning")) {
        let message =
            format!("Item '{id}' of type 'reasoning' was provided without its required following item.");
        return Err(Invalid::new(message).at("input"));
    }
    if !kept && item.get("encrypted_content").is_none_or(Value::is_null) {
        let why = " Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.";
        return Err(not_found(id, why));
    }
    Ok(())
}

fn not_found(id: &str, why: &str) -> Invalid {
    let message = format!("Item with id '{id}' not found.{why}");
    Invalid { status: 404, ..Invalid::new(message).at("input") }
}
