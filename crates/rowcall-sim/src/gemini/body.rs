//! Answers as Gemini's responses: parts of a candidate, the finish reason, the usage.

use serde_json::{Map, Value, json};

use super::signature::signature;
use crate::answer::{Answer, Call, Finish, Said};
use crate::ask::{Ask, Thinking};
use crate::envelope::Envelope;

/// The response with the whole answer.
pub(super) fn whole(envelope: Envelope, ask: &Ask, answer: &Answer) -> Value {
    last(envelope, ask, answer, &parts(envelope, ask, answer))
}

/// The response with these parts, the finish reason and the usage.
pub(super) fn last(envelope: Envelope, ask: &Ask, answer: &Answer, parts: &[Value]) -> Value {
    let thoughts = answer.thought_tokens();
    let said = answer.tokens - thoughts;
    let mut usage = json!({
        "promptTokenCount": ask.prompt_tokens, "candidatesTokenCount": said,
        "totalTokenCount": ask.prompt_tokens + answer.tokens,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": ask.prompt_tokens }],
    });
    if let Some(usage) = usage.as_object_mut().filter(|_| ask.cached_tokens > 0) {
        usage.insert("cachedContentTokenCount".to_owned(), json!(ask.cached_tokens));
    }
    if let Some(usage) = usage.as_object_mut().filter(|_| thoughts > 0) {
        usage.insert("thoughtsTokenCount".to_owned(), json!(thoughts));
    }
    if let Said::Refusal(_) = &answer.said {
        let blocked = json!({ "promptTokenCount": ask.prompt_tokens, "totalTokenCount": ask.prompt_tokens });
        let mut response = response(envelope, ask, &[], &blocked);
        if let Some(response) = response.as_object_mut() {
            response.shift_remove("candidates");
            response.insert("promptFeedback".to_owned(), json!({ "blockReason": "PROHIBITED_CONTENT" }));
        }
        return response;
    }
    let (reason, message) = finish(answer);
    let mut candidate = json!({ "index": 0, "finishReason": reason });
    if let Some(candidate) = candidate.as_object_mut() {
        if reason != MALFORMED {
            candidate.insert("content".to_owned(), content(parts));
        }
        if let Some(message) = message {
            candidate.insert("finishMessage".to_owned(), json!(message));
        }
        if reason == "SAFETY" {
            let rating = json!({ "category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true });
            candidate.insert("safetyRatings".to_owned(), json!([rating]));
        }
    }
    response(envelope, ask, &[candidate], &usage)
}

pub(super) fn response(envelope: Envelope, ask: &Ask, candidates: &[Value], usage: &Value) -> Value {
    json!({
        "candidates": candidates, "usageMetadata": usage, "modelVersion": ask.model,
        "responseId": format!("sim-{:012x}", envelope.number),
    })
}

/// A content without parts does not have a list of them either.
pub(super) fn content(parts: &[Value]) -> Value {
    if parts.is_empty() { json!({ "role": "model" }) } else { json!({ "parts": parts, "role": "model" }) }
}

const MALFORMED: &str = "MALFORMED_FUNCTION_CALL";

/// The finish reason, with a message where Gemini has one.
fn finish(answer: &Answer) -> (&'static str, Option<String>) {
    match answer.finish {
        Finish::Length => ("MAX_TOKENS", None),
        Finish::ContentFilter => ("SAFETY", None),
        Finish::Stop | Finish::ToolCalls => match &answer.said {
            Said::Calls(calls) if calls.iter().any(|call| arguments(call).is_none()) => {
                let written: Vec<_> =
                    calls.iter().map(|call| format!("{}({})", call.name, call.arguments)).collect();
                (MALFORMED, Some(format!("Malformed function call: {}", written.join(" "))))
            }
            Said::Calls(_) | Said::Content(_) | Said::Refusal(_) => ("STOP", None),
        },
    }
}

fn arguments(call: &Call) -> Option<Map<String, Value>> {
    match serde_json::from_str(&call.arguments) {
        Ok(Value::Object(arguments)) => Some(arguments),
        _ => None,
    }
}

/// The parts of the answer. A text that can be split comes in two parts, as Gemini sometimes does. If any call is
/// incomplete, there are none.
pub(super) fn parts(envelope: Envelope, ask: &Ask, answer: &Answer) -> Vec<Value> {
    let shown = answer.thought.as_deref().filter(|_| ask.thinking == Thinking::Shown);
    let mut parts: Vec<Value> =
        shown.map(|thought| json!({ "text": thought, "thought": true })).into_iter().collect();
    match &answer.said {
        Said::Refusal(_) => {}
        Said::Content(text) => {
            let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (first, second) = text.split_at_checked(middle).unwrap_or((text, ""));
            let texts = [first, second].into_iter().filter(|text| !text.is_empty());
            parts.extend(texts.map(|text| json!({ "text": text })));
            let signs = answer.thought.is_some() && !text.is_empty();
            if let Some(part) = parts.last_mut().and_then(Value::as_object_mut).filter(|_| signs) {
                part.insert("thoughtSignature".to_owned(), json!(signature(envelope.number)));
            }
        }
        Said::Calls(calls) => {
            let whole: Vec<_> = calls.iter().filter_map(|call| Some((call, arguments(call)?))).collect();
            let whole = if whole.len() == calls.len() { whole } else { Vec::new() };
            for (n, (call, arguments)) in whole.into_iter().enumerate() {
                let id = format!("fc-sim-{:012x}-{n}", envelope.number);
                let mut part = json!({ "functionCall": { "id": id, "name": call.name, "args": arguments } });
                if let Some(part) = part.as_object_mut().filter(|_| n == 0) {
                    part.insert("thoughtSignature".to_owned(), json!(signature(envelope.number)));
                }
                parts.push(part);
            }
        }
    }
    parts
}
