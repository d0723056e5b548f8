//! Answers as Anthropic's messages: content blocks, the stop reason, the usage.

use serde_json::{Map, Value, json};

use super::signature::signature;
use crate::answer::{Answer, Call, Finish, Said};
use crate::ask::{Ask, Thinking};
use crate::envelope::Envelope;

/// The message with its whole content.
pub(super) fn whole(envelope: Envelope, ask: &Ask, answer: &Answer) -> Value {
    let Stop { reason, details } = stop(answer);
    let content: Vec<Value> = blocks(envelope, ask, answer).into_iter().map(|block| block.whole()).collect();
    let mut message = begun(envelope, ask);
    if let Some(message) = message.as_object_mut() {
        message.insert("content".to_owned(), json!(content));
        message.insert("stop_reason".to_owned(), json!(reason));
        message.insert("stop_details".to_owned(), details);
        message.insert("usage".to_owned(), usage(ask, answer.tokens, answer.thought_tokens()));
    }
    message
}

/// The message before its content.
pub(super) fn begun(envelope: Envelope, ask: &Ask) -> Value {
    json!({
        "id": format!("msg_sim_{:012x}", envelope.number), "type": "message", "role": "assistant",
        "model": ask.model, "content": [], "stop_reason": null, "stop_sequence": null, "stop_details": null,
        "usage": usage(ask, 1, 0),
    })
}

/// Tokens in Anthropic's breakdown: thinking is output, and cached tokens do not count as input.
fn usage(ask: &Ask, output: u64, thinking: u64) -> Value {
    let mut usage = json!({
        "input_tokens": ask.prompt_tokens - ask.cached_tokens, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": ask.cached_tokens,
        "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
        "output_tokens": output, "service_tier": "standard", "inference_geo": "global",
    });
    if let Some(usage) = usage.as_object_mut().filter(|_| thinking > 0) {
        usage.insert("output_tokens_details".to_owned(), json!({ "thinking_tokens": thinking }));
    }
    usage
}

/// The stop reason.
pub(super) struct Stop {
    pub(super) reason: &'static str,
    pub(super) details: Value,
}

/// Anthropic has no filter apart from the model's refusal, which may come in the middle of a text.
pub(super) fn stop(answer: &Answer) -> Stop {
    let reason = match (&answer.said, answer.finish) {
        (Said::Refusal(_), _) | (_, Finish::ContentFilter) => "refusal",
        (_, Finish::Length) => "max_tokens",
        (Said::Calls(_), Finish::Stop | Finish::ToolCalls) => "tool_use",
        (Said::Content(_), Finish::Stop | Finish::ToolCalls) => "end_turn",
    };
    let explanation = match &answer.said {
        Said::Refusal(words) => json!(words),
        Said::Content(_) | Said::Calls(_) => Value::Null,
    };
    let details = json!({ "type": "refusal", "category": "general_harms", "explanation": explanation });
    Stop { reason, details: if reason == "refusal" { details } else { Value::Null } }
}

/// A content block, with the parts of it that are streamed.
pub(super) enum Block<'a> {
    Thinking { thinking: &'a str, signature: String },
    Text(&'a str),
    ToolUse { id: String, call: &'a Call },
}

impl Block<'_> {
    pub(super) fn whole(&self) -> Value {
        match self {
            Self::Thinking { thinking, signature } => {
                json!({ "type": "thinking", "thinking": thinking, "signature": signature })
            }
            Self::Text(text) => json!({ "type": "text", "text": text, "citations": null }),
            Self::ToolUse { id, call } => json!({
                "type": "tool_use", "id": id, "name": call.name, "input": input(&call.arguments),
                "caller": { "type": "direct" },
            }),
        }
    }
}

/// The blocks of the answer; none for a refusal or an empty answer.
pub(super) fn blocks<'a>(envelope: Envelope, ask: &Ask, answer: &'a Answer) -> Vec<Block<'a>> {
    let thought = answer.thought.as_deref().map(|thought| Block::Thinking {
        thinking: if ask.thinking == Thinking::Shown { thought } else { "" },
        signature: signature(envelope.number),
    });
    let said: Vec<Block<'_>> = match &answer.said {
        Said::Content(text) if text.is_empty() => Vec::new(),
        Said::Content(text) => vec![Block::Text(text)],
        Said::Refusal(_) => Vec::new(),
        Said::Calls(calls) => {
            let id = |n| format!("toolu_sim_{:012x}_{n}", envelope.number);
            let calls = calls.iter().enumerate();
            calls.map(|(n, call)| Block::ToolUse { id: id(n), call }).collect()
        }
    };
    thought.into_iter().chain(said).collect()
}

/// The input of a call whose arguments the model has written as this text. Truncated text keeps its complete
/// properties; any other text that is not an object is wrapped in one, as in Anthropic's documentation.
fn input(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(input)) => Value::Object(input),
        Ok(other) => json!({ "INVALID_JSON": other.to_string() }),
        Err(error) if error.is_eof() => Value::Object(whole_properties(arguments)),
        Err(_) => json!({ "INVALID_JSON": arguments }),
    }
}

/// The complete properties of an object in a truncated text.
fn whole_properties(text: &str) -> Map<String, Value> {
    let ends = text.rmatch_indices(',').map(|(at, _)| at);
    let object = |at: usize| serde_json::from_str(&format!("{}}}", text.get(..at)?)).ok();
    ends.into_iter().find_map(object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_of_a_call_is_always_an_object() {
        for (arguments, expected) in [
            ("{\"a\":1,\"b\":[2]}", json!({ "a": 1, "b": [2] })),
            ("{\"a\":1,\"b\":[2,", json!({ "a": 1 })),
            ("{\"a\":\"x, y", json!({})),
            ("", json!({})),
            ("[1]", json!({ "INVALID_JSON": "[1]" })),
            ("{\"a\":1, simulated", json!({ "INVALID_JSON": "{\"a\":1, simulated" })),
        ] {
            assert_eq!(input(arguments), expected, "{arguments}");
        }
    }
}
