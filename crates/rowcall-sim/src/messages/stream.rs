//! An answer as server-sent events, as Anthropic streams a message: named, block by block, the usage at the end.

use serde_json::{Value, json};

use super::body::{Block, begun, blocks, stop};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::written::pieces;

/// The whole stream, from `message_start` to `message_stop`.
pub(super) fn frames(envelope: Envelope, ask: &Ask, answer: &Answer) -> Vec<String> {
    let mut frames = vec![
        frame(&json!({ "type": "message_start", "message": begun(envelope, ask) })),
        frame(&json!({ "type": "ping" })),
    ];
    for (index, block) in blocks(envelope, ask, answer).iter().enumerate() {
        let (empty, deltas) = parts(block);
        let start = json!({ "type": "content_block_start", "index": index, "content_block": empty });
        frames.push(frame(&start));
        let delta = |delta| frame(&json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        frames.extend(deltas.into_iter().map(delta));
        frames.push(frame(&json!({ "type": "content_block_stop", "index": index })));
    }
    let stop = stop(answer);
    let mut usage = json!({
        "input_tokens": ask.prompt_tokens - ask.cached_tokens, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": ask.cached_tokens,
        "output_tokens": answer.tokens,
    });
    if let Some(usage) = usage.as_object_mut().filter(|_| answer.thought_tokens() > 0) {
        usage.insert(
            "output_tokens_details".to_owned(),
            json!({ "thinking_tokens": answer.thought_tokens() }),
        );
    }
    let delta = json!({ "stop_reason": stop.reason, "stop_sequence": null, "stop_details": stop.details });
    frames.push(frame(&json!({ "type": "message_delta", "delta": delta, "usage": usage })));
    frames.push(frame(&json!({ "type": "message_stop" })));
    frames
}

/// The block as it begins, and its deltas.
fn parts(block: &Block<'_>) -> (Value, Vec<Value>) {
    let mut empty = block.whole();
    let mut clear = |field: &str, value: Value| {
        if let Some(empty) = empty.as_object_mut() {
            empty.insert(field.to_owned(), value);
        }
    };
    let deltas = match block {
        Block::Thinking { thinking, signature } => {
            clear("thinking", json!(""));
            clear("signature", json!(""));
            let thinking =
                pieces(thinking).map(|piece| json!({ "type": "thinking_delta", "thinking": piece }));
            let signature = json!({ "type": "signature_delta", "signature": signature });
            thinking.chain([signature]).collect()
        }
        Block::Text(text) => {
            clear("text", json!(""));
            pieces(text).map(|piece| json!({ "type": "text_delta", "text": piece })).collect()
        }
        Block::ToolUse { call, .. } => {
            clear("input", json!({}));
            let piece = |piece: &str| json!({ "type": "input_json_delta", "partial_json": piece });
            std::iter::once(piece("")).chain(pieces(&call.arguments).map(piece)).collect()
        }
    };
    (empty, deltas)
}

fn frame(data: &Value) -> String {
    let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n")
}
