//! Answers as OpenAI's Responses: the items of the output, and the response around them.

use serde_json::{Value, json};

use crate::answer::{Answer, Finish, Said};
use crate::ask::{Ask, Thinking};
use crate::envelope::Envelope;
use crate::form::ResponsesForm;

/// The response without an answer because the model failed, although the status is 200.
pub(crate) fn failed(envelope: Envelope, ask: &Ask, form: &ResponsesForm) -> Value {
    let error =
        json!({ "code": "server_error", "message": "The simulated model failed to generate a response." });
    let outcome = json!({ "status": "failed", "completed_at": null, "background": false, "error": error, "incomplete_details": null });
    response(envelope, form, &outcome, &[], &Value::Null, &ask.model)
}

/// The response before its first item.
pub(super) fn begun(envelope: Envelope, ask: &Ask, form: &ResponsesForm) -> Value {
    let outcome = json!({ "status": "in_progress", "completed_at": null, "background": false, "error": null, "incomplete_details": null });
    response(envelope, form, &outcome, &[], &Value::Null, &ask.model)
}

/// The response with its whole output.
pub(super) fn finished(envelope: Envelope, ask: &Ask, form: &ResponsesForm, answer: &Answer) -> Value {
    let reason = incomplete(answer);
    let completed_at = if reason.is_none() { json!(envelope.created) } else { Value::Null };
    let details = reason.map_or(Value::Null, |reason| json!({ "reason": reason }));
    let outcome = json!({
        "status": status(answer), "completed_at": completed_at, "background": false, "error": null,
        "incomplete_details": details,
    });
    let usage = json!({
        "input_tokens": ask.prompt_tokens,
        "input_tokens_details": { "cached_tokens": ask.cached_tokens, "cache_write_tokens": 0 },
        "output_tokens": answer.tokens,
        "output_tokens_details": { "reasoning_tokens": answer.thought_tokens() },
        "total_tokens": ask.prompt_tokens + answer.tokens,
    });
    response(envelope, form, &outcome, &items(envelope, ask, answer), &usage, &ask.model)
}

fn response(
    envelope: Envelope,
    form: &ResponsesForm,
    outcome: &Value,
    output: &[Value],
    usage: &Value,
    model: &str,
) -> Value {
    let mut response = json!({
        "id": format!("resp_sim_{:012x}", envelope.number), "object": "response", "created_at": envelope.created,
    });
    if let (Some(fields), Some(outcome)) = (response.as_object_mut(), outcome.as_object()) {
        fields.extend(outcome.clone());
        fields.extend(form.echo.clone());
        fields.insert("model".to_owned(), json!(model));
        fields.insert("output".to_owned(), json!(output));
        fields.insert("usage".to_owned(), usage.clone());
    }
    response
}

/// Why the answer is not complete, if it is not.
pub(super) fn incomplete(answer: &Answer) -> Option<&'static str> {
    match answer.finish {
        Finish::Stop | Finish::ToolCalls => None,
        Finish::Length => Some("max_output_tokens"),
        Finish::ContentFilter => Some("content_filter"),
    }
}

pub(super) fn status(answer: &Answer) -> &'static str {
    if incomplete(answer).is_some() { "incomplete" } else { "completed" }
}

/// The items of the output: reasoning if there was any, then a message or calls, if there are any.
fn items(envelope: Envelope, ask: &Ask, answer: &Answer) -> Vec<Value> {
    let reasoning = answer.thought.as_deref().map(|thought| reasoning(envelope, ask, thought));
    let content = content(answer).map(|part| message(envelope, status(answer), &[part]));
    let calls = match &answer.said {
        Said::Calls(calls) => calls.as_slice(),
        Said::Content(_) | Said::Refusal(_) => &[],
    };
    let calls = calls
        .iter()
        .enumerate()
        .map(|(n, each)| call(envelope, n, status(answer), &each.name, &each.arguments));
    reasoning.into_iter().chain(content).chain(calls).collect()
}

/// The content part of a message; `None` if there is no message.
pub(super) fn content(answer: &Answer) -> Option<Value> {
    match &answer.said {
        Said::Content(text) if text.is_empty() => None,
        Said::Content(text) => Some(text_part(text)),
        Said::Refusal(text) => Some(refusal_part(text)),
        Said::Calls(_) => None,
    }
}

pub(super) fn text_part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

pub(super) fn refusal_part(text: &str) -> Value {
    json!({ "type": "refusal", "refusal": text })
}

pub(super) fn message_id(envelope: Envelope) -> String {
    format!("msg_sim_{:012x}", envelope.number)
}

pub(super) fn message(envelope: Envelope, status: &str, content: &[Value]) -> Value {
    json!({ "type": "message", "id": message_id(envelope), "status": status, "role": "assistant", "content": content })
}

pub(super) fn item_id(envelope: Envelope, n: usize) -> String {
    format!("fc_sim_{:012x}_{n}", envelope.number)
}

/// The `n`th call of an answer.
pub(super) fn call(envelope: Envelope, n: usize, status: &str, name: &str, arguments: &str) -> Value {
    json!({
        "type": "function_call", "id": item_id(envelope, n), "call_id": format!("call_sim_{:012x}_{n}", envelope.number),
        "name": name, "arguments": arguments, "status": status,
    })
}

pub(super) fn reasoning_id(envelope: Envelope) -> String {
    format!("rs_sim_{:012x}", envelope.number)
}

/// The thought, readable if a summary of it was requested. The encrypted content is opaque to clients, and empty.
pub(super) fn reasoning(envelope: Envelope, ask: &Ask, thought: &str) -> Value {
    let summary = match ask.thinking {
        Thinking::Off | Thinking::Hidden => json!([]),
        Thinking::Shown => json!([{ "type": "summary_text", "text": thought }]),
    };
    json!({
        "type": "reasoning", "id": reasoning_id(envelope), "summary": summary,
        "encrypted_content": format!("gAAAAsim{:012x}", envelope.number),
    })
}
