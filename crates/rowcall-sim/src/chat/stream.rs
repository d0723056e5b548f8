//! An answer as server-sent events, as OpenAI streams a chat completion.

use serde_json::{Value, json};

use super::body::{Usage, call_id, finish, id};
use crate::answer::{Answer, Finish, Said};
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::form::ChatForm;
use crate::openai::FINGERPRINT;
use crate::written::pieces;

/// The whole stream: the role, the text in pieces, the finish reason, the usage if requested, `[DONE]`.
pub(super) fn frames(envelope: Envelope, ask: &Ask, form: ChatForm, answer: &Answer) -> Vec<String> {
    let mut stream = Stream { envelope, model: &ask.model, form, frames: Vec::new() };
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
    if form == ChatForm::StreamWithUsage {
        stream.chunk(&json!([]), &json!(Usage::of(ask, answer)));
    }
    stream.frames.push("data: [DONE]\n\n".to_owned());
    stream.frames
}

struct Stream<'a> {
    envelope: Envelope,
    model: &'a str,
    form: ChatForm,
    frames: Vec<String>,
}

impl Stream<'_> {
    fn delta(&mut self, delta: &Value) {
        self.chunk(&choices(delta, None), &Value::Null);
    }

    fn chunk(&mut self, choices: &Value, usage: &Value) {
        let mut chunk = json!({
            "id": id(self.envelope), "object": "chat.completion.chunk", "created": self.envelope.created,
            "model": self.model, "service_tier": "default", "system_fingerprint": FINGERPRINT,
            "choices": choices,
        });
        if let Some(chunk) = chunk.as_object_mut().filter(|_| self.form == ChatForm::StreamWithUsage) {
            chunk.insert("usage".to_owned(), usage.clone());
        }
        self.frames.push(format!("data: {chunk}\n\n"));
    }
}

fn choices(delta: &Value, reason: Option<Finish>) -> Value {
    json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason.map(finish) }])
}
