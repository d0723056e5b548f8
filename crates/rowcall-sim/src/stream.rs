//! An answer as server-sent events, the way OpenAI streams it.

use serde_json::{Value, json};

use crate::chat::answer::{Answer, Finish, Said};
use crate::chat::body::{Envelope, FINGERPRINT, Usage, call_id};
use crate::chat::request::{Request, StreamOptions};

/// A piece of text is about so many bytes, some three tokens.
const PIECE: usize = 12;

/// The whole stream: the role, the text in pieces, the finish reason, the usage if asked for, `[DONE]`.
pub(crate) fn events(
    envelope: &Envelope<'_>,
    request: &Request,
    answer: &Answer,
    options: StreamOptions,
) -> Vec<u8> {
    let mut stream = Stream { envelope, options, text: String::new() };
    match &answer.said {
        Said::Content(text) => {
            stream.delta(&json!({ "role": "assistant", "content": "", "refusal": null }));
            pieces(text).for_each(|piece| stream.delta(&json!({ "content": piece })));
        }
        Said::Refusal(text) => {
            stream.delta(&json!({ "role": "assistant", "content": null, "refusal": "" }));
            pieces(text).for_each(|piece| stream.delta(&json!({ "refusal": piece })));
        }
        Said::Calls(calls) => {
            stream.delta(&json!({ "role": "assistant", "content": null }));
            for (index, call) in calls.iter().enumerate() {
                let function = json!({ "name": call.name, "arguments": "" });
                let head = json!({ "index": index, "id": call_id(envelope, index), "type": "function", "function": function });
                stream.delta(&json!({ "tool_calls": [head] }));
                for piece in pieces(&call.arguments) {
                    stream.delta(
                        &json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] }),
                    );
                }
            }
        }
    }
    stream.chunk(&choices(&json!({}), Some(answer.finish)), &Value::Null);
    if options.usage {
        stream.chunk(&json!([]), &json!(Usage::of(request, answer)));
    }
    stream.text.push_str("data: [DONE]\n\n");
    stream.text.into_bytes()
}

struct Stream<'e, 'r> {
    envelope: &'e Envelope<'r>,
    options: StreamOptions,
    text: String,
}

impl Stream<'_, '_> {
    fn delta(&mut self, delta: &Value) {
        self.chunk(&choices(delta, None), &Value::Null);
    }

    fn chunk(&mut self, choices: &Value, usage: &Value) {
        let mut chunk = json!({
            "id": self.envelope.id, "object": "chat.completion.chunk", "created": self.envelope.created,
            "model": self.envelope.model, "service_tier": "default", "system_fingerprint": FINGERPRINT,
            "choices": choices,
        });
        if let Some(chunk) = chunk.as_object_mut().filter(|_| self.options.usage) {
            chunk.insert("usage".to_owned(), usage.clone());
        }
        for part in ["data: ", &chunk.to_string(), "\n\n"] {
            self.text.push_str(part);
        }
    }
}

fn choices(delta: &Value, finish: Option<Finish>) -> Value {
    json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish.map(Finish::name) }])
}

/// The text in pieces that end between characters.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let cut =
            (PIECE..PIECE + 4).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len()).min(rest.len());
        let (piece, after) = rest.split_at_checked(cut)?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
