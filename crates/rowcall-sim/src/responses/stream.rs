//! An answer as server-sent events, as OpenAI streams a response: named, numbered, with the whole response in the
//! last.

use serde_json::{Map, Value, json};

use super::body::{
    begun, call, content, finished, incomplete, item_id, message, message_id, reasoning, reasoning_id,
    refusal_part, status, text_part,
};
use crate::answer::{Answer, Said};
use crate::ask::{Ask, Thinking};
use crate::envelope::Envelope;
use crate::form::ResponsesForm;
use crate::written::pieces;

/// The whole stream, from `response.created` to `response.completed` or `response.incomplete`.
pub(super) fn frames(envelope: Envelope, ask: &Ask, form: &ResponsesForm, answer: &Answer) -> Vec<String> {
    let mut stream = Stream { envelope, frames: Vec::new(), items: 0 };
    let begun = begun(envelope, ask, form);
    stream.event("response.created", &json!({ "response": begun }));
    stream.event("response.in_progress", &json!({ "response": begun }));
    if let Some(thought) = &answer.thought {
        stream.thought(ask, thought);
    }
    match &answer.said {
        Said::Content(text) if text.is_empty() => {}
        Said::Content(text) => stream.message(answer, text, "output_text", "text"),
        Said::Refusal(text) => stream.message(answer, text, "refusal", "refusal"),
        Said::Calls(calls) => {
            for (n, each) in calls.iter().enumerate() {
                stream.call(n, status(answer), &each.name, &each.arguments);
            }
        }
    }
    let last = if incomplete(answer).is_some() { "response.incomplete" } else { "response.completed" };
    stream.event(last, &json!({ "response": finished(envelope, ask, form, answer) }));
    stream.frames
}

/// The event that ends a stream whose model failed, with this sequence number.
pub(crate) fn failure_frame(number: usize) -> String {
    let error = json!({ "code": "server_error", "message": "The simulated upstream failed.", "param": null });
    frame("error", &error, number)
}

fn frame(kind: &str, fields: &Value, number: usize) -> String {
    let mut data = Map::new();
    data.insert("type".to_owned(), json!(kind));
    data.extend(fields.as_object().cloned().unwrap_or_default());
    data.insert("sequence_number".to_owned(), json!(number));
    format!("event: {kind}\ndata: {}\n\n", Value::Object(data))
}

struct Stream {
    envelope: Envelope,
    frames: Vec<String>,
    /// How many items of the output were sent.
    items: usize,
}

impl Stream {
    fn event(&mut self, kind: &str, fields: &Value) {
        self.frames.push(frame(kind, fields, self.frames.len()));
    }

    /// An item from `begun` to `done`, with the events that `between` adds for it.
    fn item(&mut self, begun: &Value, done: &Value, between: impl FnOnce(&mut Self, usize)) {
        let index = self.items;
        self.items += 1;
        self.event("response.output_item.added", &json!({ "output_index": index, "item": begun }));
        between(self, index);
        self.event("response.output_item.done", &json!({ "output_index": index, "item": done }));
    }

    /// A message of one part, with events named for `kind` and the text in `field`.
    fn message(&mut self, answer: &Answer, text: &str, kind: &str, field: &str) {
        let Some(whole) = content(answer) else { return };
        let empty = if kind == "refusal" { refusal_part("") } else { text_part("") };
        let begun = message(self.envelope, "in_progress", &[]);
        let done = message(self.envelope, status(answer), std::slice::from_ref(&whole));
        let id = message_id(self.envelope);
        self.item(&begun, &done, |stream, index| {
            let with_position = |more: Value| {
                let mut fields = json!({ "item_id": id, "output_index": index, "content_index": 0 });
                if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
                    fields.extend(more);
                    // Only texts have log probabilities.
                    if kind == "output_text" && !fields.contains_key("part") {
                        fields.insert("logprobs".to_owned(), json!([]));
                    }
                }
                fields
            };
            stream.event("response.content_part.added", &with_position(json!({ "part": empty })));
            for piece in pieces(text) {
                stream.event(&format!("response.{kind}.delta"), &with_position(json!({ "delta": piece })));
            }
            stream.event(&format!("response.{kind}.done"), &with_position(json!({ field: text })));
            stream.event("response.content_part.done", &with_position(json!({ "part": whole })));
        });
    }

    fn call(&mut self, n: usize, status: &str, name: &str, arguments: &str) {
        let begun = call(self.envelope, n, "in_progress", name, "");
        let done = call(self.envelope, n, status, name, arguments);
        let id = item_id(self.envelope, n);
        self.item(&begun, &done, |stream, index| {
            for piece in pieces(arguments) {
                let delta = json!({ "item_id": id, "output_index": index, "delta": piece });
                stream.event("response.function_call_arguments.delta", &delta);
            }
            let whole = json!({ "item_id": id, "output_index": index, "arguments": arguments });
            stream.event("response.function_call_arguments.done", &whole);
        });
    }

    fn thought(&mut self, ask: &Ask, thought: &str) {
        let done = reasoning(self.envelope, ask, thought);
        let mut begun = done.clone();
        if let Some(begun) = begun.as_object_mut() {
            begun.insert("summary".to_owned(), json!([]));
        }
        let id = reasoning_id(self.envelope);
        self.item(&begun, &done, |stream, index| {
            if ask.thinking != Thinking::Shown {
                return;
            }
            let with_position = |field: &str, value: Value| json!({ "item_id": id, "output_index": index, "summary_index": 0, field: value });
            let part = |text: &str| json!({ "type": "summary_text", "text": text });
            stream.event("response.reasoning_summary_part.added", &with_position("part", part("")));
            for piece in pieces(thought) {
                stream.event("response.reasoning_summary_text.delta", &with_position("delta", json!(piece)));
            }
            stream.event("response.reasoning_summary_text.done", &with_position("text", json!(thought)));
            stream.event("response.reasoning_summary_part.done", &with_position("part", part(thought)));
        });
    }
}
