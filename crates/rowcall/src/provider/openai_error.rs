//! Classifies error bodies of OpenAI and compatible servers. `said.rs` parses them, `objection.rs` finds the field that they reject;
//! `retry.rs` decides how to react to each kind.

use serde_json::{Value, json};

use super::{day_quota, limit_headers, looks_whole, refusal, said_or_nothing, sse};
use crate::fault::{Fault, FaultCause, FaultKind};
use crate::request::Response;
use crate::standing::{Dimension, LimitedBy};
use crate::turn::{Completion, Content, Finish};
use said::Said;
pub(super) use said::is_empty;

mod objection;
mod said;

pub(super) use objection::way_refused;

/// OpenAI's codes for quotas that waiting does not restore (all of type `insufficient_quota`), and LiteLLM's for a key's budget.
const QUOTA: [&str; 6] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "budget_exceeded",
];

/// Phrases before the number of requests that may be in flight, in lower case: LiteLLM's two, Moonshot's, and those worded like
/// OpenAI's limits.
const SLOTS: [&str; 7] = [
    "current limit: ",
    "max_parallel_requests: ",
    "parallel requests: ",
    "parallel request limit: ",
    "concurrency: ",
    "concurrency limit: ",
    "concurrent requests: limit ",
];

/// OpenAI's three, Anthropic's, and llama.cpp's for a model that is still loading.
const OVERLOAD: [&str; 5] = [
    "server_is_overloaded",
    "service_unavailable_error",
    "slow_down",
    "overloaded_error",
    "unavailable_error",
];

/// OpenAI's, llama.cpp's, LiteLLM's and GitHub's.
const CONTEXT: [&str; 4] = [
    "context_length_exceeded",
    "exceed_context_size_error",
    "ContextWindowExceededError",
    "tokens_limit_reached",
];

/// OpenAI's (the last four are from Responses), and Azure's inner code.
const POLICY: [&str; 8] = [
    "invalid_prompt",
    "content_filter",
    "content_policy_violation",
    "ResponsibleAIPolicyViolation",
    "bio_policy",
    "misalignment_policy_violation",
    "image_content_policy_violation",
    "moderation_blocked",
];

/// The fault that a response with an error status or an error body reports.
pub(super) fn classify(response: &Response) -> Fault {
    let said = Said::read(response);
    let status = if response.is_success() { said.status() } else { response.status };
    let kind = kind(status, &said);
    let is_by_code = QUOTA.iter().any(|code| said.is(code));
    let is_of_limit =
        kind == FaultKind::RateLimit || kind == FaultKind::Quota && status == 429 && !is_by_code;
    let fault = fault(response, kind, said);
    if is_of_limit && day_quota::is_in(&String::from_utf8_lossy(&response.body)) {
        return day_quota::used_up(fault);
    }
    fault
}

/// Reads an error. An answer that the provider's own validator rejected (Groq's, for JSON and tool calls) counts as an answer,
/// although not a valid one.
///
/// # Errors
/// The fault, if it is not such an answer.
pub(super) fn judge(response: &Response) -> Result<Completion, Fault> {
    let body: Value = serde_json::from_slice(sse::without_mark(&response.body)).unwrap_or_default();
    let word = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    match (word("/error/code"), word("/error/failed_generation").unwrap_or_default()) {
        (Some(code @ ("json_validate_failed" | "tool_use_failed")), generation) => {
            Ok(refused_by_validator(code, generation))
        }
        (Some(_) | None, _) => Err(classify(response)),
    }
}

/// What Groq returns instead of an answer that reached the output limit.
const CUT: &str = "max completion tokens reached";

fn refused_by_validator(code: &str, generation: &str) -> Completion {
    let finish = if generation.starts_with(CUT) { Finish::Length } else { Finish::Stop };
    Completion {
        content: Content::Text(if looks_whole(generation) { generation.to_owned() } else { String::new() }),
        finish,
        finish_reason: code.to_owned(),
        usage: None,
        model: String::new(),
        raw_turn: json!({"role": "assistant", "content": said_or_nothing(generation)}),
        service_tier: None,
        continuation: None,
        body: bytes::Bytes::new(),
    }
}

/// The error body in an event of a stream, if it is an error; `name` is the event's name.
pub(super) fn in_event(name: &str, data: &Value) -> Option<Value> {
    let is_error = |pointer: &str| data.pointer(pointer).is_some_and(|error| !is_empty(error));
    let is_called_so = |field: &str| data.get(field).and_then(Value::as_str) == Some("error");
    if is_error("/error") || is_error("/choices/0/error") {
        return Some(data.clone());
    }
    (name == "error" || is_called_so("type") || is_called_so("object")).then(|| json!({"error": data}))
}

/// The fault that a success body reports without OpenAI's wrapper, if any.
pub(super) fn unwrapped(response: &Response) -> Option<Fault> {
    let body: Value = serde_json::from_slice(sse::without_mark(&response.body)).ok()?;
    let is_error = body.get("object").is_some_and(|object| object == "error") || body.get("detail").is_some();
    is_error.then(|| classify(response))
}

/// The fault for an unusable response with a success status.
pub(super) fn in_success(response: &Response, kind: FaultKind, message: String) -> Fault {
    fault(response, kind, Said::of(message))
}

fn fault(response: &Response, kind: FaultKind, said: Said) -> Fault {
    let in_header = |name: &str| response.header(name).map(str::to_owned);
    let is_parallel =
        response.header("rate_limit_type").is_some_and(|limit| limit == "max_parallel_requests");
    let limited_by = if is_parallel { Some(LimitedBy::Concurrency) } else { limited_by(&said) };
    let retry_after = limit_headers::retry_after(response, &said.message);
    let is_of_slots = limited_by == Some(LimitedBy::Concurrency);
    let cause = reports_plain_http(&said.message).then_some(FaultCause::PlainHttp);
    Fault {
        kind,
        limited_by,
        places: if is_of_slots { slots(&said.message) } else { None },
        // A slot is free as soon as one of our requests finishes; LiteLLM asks to wait for the full minute.
        retry_after: retry_after.filter(|_| !is_of_slots),
        message: said.message,
        status: Some(response.status),
        should_retry: response.header("x-should-retry").and_then(|value| value.trim().parse().ok()),
        param: said.refused.or(said.param),
        request_id: ["x-request-id", "request-id", "apim-request-id"].into_iter().find_map(in_header),
        cause,
    }
}

/// Whether an HTTPS server reports that it received plain HTTP.
fn reports_plain_http(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["plain http", "http request to an https", "requires tls"].iter().any(|words| message.contains(words))
}

fn kind(status: u16, said: &Said) -> FaultKind {
    let is = |words: &[&str]| words.iter().any(|word| said.is(word));
    let text = said.message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    match status {
        _ if is(&QUOTA) => FaultKind::Quota,
        // Google, behind gateways, uses the same words for its limits per minute, but says when to try again.
        429 if says(&["exceeded your current quota"]) && !says(&["retry in ", "ai.google.dev"]) => {
            FaultKind::Quota
        }
        // Groq reports this with 413.
        413 | 429 if text.starts_with("request too large for") => FaultKind::RequestExceedsLimit,
        // OpenAI is out of capacity at the flexible price.
        429 if is(&["resource_unavailable"]) => FaultKind::Overloaded,
        429 => FaultKind::RateLimit,
        529 => FaultKind::Overloaded,
        // NVIDIA and gateways report this with the status of a failure.
        500 | 503
            if refusal::is_of_parallel(&said.message)
                && says(&["limit", "too many", "maximum", "exceed"]) =>
        {
            FaultKind::RateLimit
        }
        503 if is(&OVERLOAD) || says(&["overload", "busy", "capacity"]) => FaultKind::Overloaded,
        _ if refusal::is_of_address(&said.message) => FaultKind::NotFound,
        400 | 404 | 422 if is(&["invalid_json_schema"]) => FaultKind::InvalidSchema,
        400 | 413 | 422 | 500 if is(&CONTEXT) || refusal::is_of_length(&said.message) => {
            FaultKind::ContextLength
        }
        // llama.cpp and Ollama report a schema that they cannot compile as a server error.
        400 | 404 | 422 | 500 | 501 | 503 if refusal::is_of_schema(&said.message) => FaultKind::InvalidSchema,
        // OpenRouter reports this with 403.
        400 | 403 if is(&POLICY) || says(&["was flagged"]) => FaultKind::ContentPolicy,
        400 | 422 | 500 if is(refusal::KEY_CODES) || refusal::is_of_key(&said.message) => FaultKind::Auth,
        400 | 422 if is(refusal::MODEL_CODES) || refusal::is_of_model(&said.message) => FaultKind::NotFound,
        400 | 404 | 422 if said.refused.as_deref().is_some_and(refusal::is_schema_keyword) => {
            FaultKind::InvalidSchema
        }
        400 | 404 | 422 if said.refused.is_some() || is(&objection::CODES) => FaultKind::UnsupportedParameter,
        // The server of llama-cpp-python, and llama.cpp's of 2024, do not know the format and report that as a server error. Others
        // report missing permission or missing code.
        403 | 405 | 500 | 501 | 503 if said.refused.as_deref().is_some_and(objection::is_way_to_ask) => {
            FaultKind::UnsupportedParameter
        }
        401 => FaultKind::Auth,
        402 => FaultKind::Quota,
        403 => FaultKind::Permission,
        // Redirects are not followed: they would send the key elsewhere, and most turn a POST into a GET. A method that is not
        // allowed, gone, misdirected or not implemented is so for every row.
        300..=399 | 404 | 405 | 410 | 421 | 426 | 501 | 505 => FaultKind::NotFound,
        408 | 504 | 522 | 524 => FaultKind::Timeout,
        409 | 425 => FaultKind::Conflict,
        413 => FaultKind::TooLarge,
        400 | 422 if refusal::speaks_of_schema(&said.message) => FaultKind::InvalidSchema,
        422 => FaultKind::Unprocessable,
        400..=499 => FaultKind::InvalidRequest,
        _ => FaultKind::Server,
    }
}

/// Whether the request is at fault, whatever status the server reports.
pub(super) fn is_of_request(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::ContextLength | FaultKind::InvalidSchema | FaultKind::UnsupportedParameter)
}

/// Which limit was exceeded: OpenAI names it in the error's type and, with the figure, in the message.
fn limited_by(said: &Said) -> Option<LimitedBy> {
    let text = said.message.to_lowercase();
    let says = |words: &str| text.contains(words);
    if said.is("slow_down") {
        Some(LimitedBy::Growth)
    } else if refusal::is_of_parallel(&said.message) {
        Some(LimitedBy::Concurrency)
    } else if says("input tokens per min") {
        Some(LimitedBy::Amount(Dimension::InputTokens))
    } else if says("output tokens per min") {
        Some(LimitedBy::Amount(Dimension::OutputTokens))
    } else if said.is("tokens") {
        Some(LimitedBy::Amount(Dimension::Tokens))
    } else if said.is("requests") {
        Some(LimitedBy::Amount(Dimension::Requests))
    } else {
        None
    }
}

/// How many requests may be in flight, from the message of a refusal about concurrency. Where the number in flight comes first, as
/// in `current max_parallel_requests: 4, max_parallel_requests: 3`, the last number counts.
fn slots(message: &str) -> Option<usize> {
    let text = message.to_lowercase();
    SLOTS.iter().find_map(|words| {
        let (_, after) = text.rsplit_once(words)?;
        let slots = after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        (slots > 0).then_some(slots)
    })
}

#[cfg(test)]
mod tests;
