//! Assembles a streamed message from its events into what a plain body would have been.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::is_input;
use crate::fault::{Fault, FaultKind};
use crate::provider::{anthropic_error, body, openai_error, sse};
use crate::repeated_key::repeats_key;
use crate::request::Response;

/// A block that is being assembled.
#[derive(Default)]
struct Block {
    fields: Map<String, Value>,
    /// A tool's input, which is streamed as pieces of JSON text.
    input: String,
}

/// The message of a stream. Unknown events and deltas are skipped, as Anthropic's documentation asks.
///
/// # Errors
/// The fault that an error event reports, or a broken connection if the stream ends before the message does.
pub(super) fn whole(response: &Response) -> Result<Value, Fault> {
    let mut message = Map::new();
    let mut blocks: BTreeMap<u64, Block> = BTreeMap::new();
    for event in sse::events(&response.body) {
        // An event that was cut off; nothing after it would be complete.
        let Ok(event_data) = body::read(&event.data, is_input) else { break };
        if let Some(error) = openai_error::in_event(event.name, &event_data) {
            let body = error.to_string().into();
            return Err(anthropic_error::classify(&Response { body, ..response.clone() }));
        }
        let mut event_data = object(Some(event_data));
        let index = event_data.get("index").and_then(Value::as_u64).unwrap_or(0);
        match event_data.get("type").and_then(Value::as_str).unwrap_or(event.name) {
            "message_start" => message = object(event_data.remove("message")),
            "content_block_start" => {
                let fields = object(event_data.remove("content_block"));
                blocks.insert(index, Block { fields, input: String::new() });
            }
            "content_block_delta" => {
                blocks.entry(index).or_default().add(&object(event_data.remove("delta")));
            }
            "message_delta" => {
                message.extend(object(event_data.remove("delta")));
                // The figures are cumulative, so they replace those at the start.
                let figures =
                    object(event_data.remove("usage")).into_iter().filter(|(_, figure)| !figure.is_null());
                let mut usage = object(message.remove("usage"));
                usage.extend(figures);
                message.insert("usage".to_owned(), Value::Object(usage));
            }
            _ => {}
        }
    }
    if !message.get("stop_reason").is_some_and(Value::is_string) {
        let words = "the stream ended before the message did".to_owned();
        return Err(openai_error::in_success(response, FaultKind::Connection, words));
    }
    let content = blocks.into_values().map(Block::whole).collect();
    message.insert("content".to_owned(), Value::Array(content));
    Ok(Value::Object(message))
}

impl Block {
    fn add(&mut self, delta: &Map<String, Value>) {
        let piece = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        match piece("type") {
            "text_delta" => self.append("text", piece("text")),
            "thinking_delta" => self.append("thinking", piece("thinking")),
            "signature_delta" => self.append("signature", piece("signature")),
            "input_json_delta" => self.input.push_str(piece("partial_json")),
            _ => {}
        }
    }

    fn append(&mut self, name: &str, piece: &str) {
        match self.fields.get_mut(name) {
            Some(Value::String(text)) => text.push_str(piece),
            Some(_) | None => {
                self.fields.insert(name.to_owned(), piece.into());
            }
        }
    }

    /// The block with its input. The input stays text if it is not an object, since it may have been cut off, or if it has a duplicate
    /// key, of which an object would keep only one.
    fn whole(mut self) -> Value {
        if !self.input.is_empty() {
            let input = serde_json::from_str(&self.input).ok();
            let input = input.filter(|input: &Value| input.is_object() && !repeats_key(&self.input, input));
            self.fields.insert("input".to_owned(), input.unwrap_or(Value::String(self.input)));
        }
        Value::Object(self.fields)
    }
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        Some(_) | None => Map::new(),
    }
}
