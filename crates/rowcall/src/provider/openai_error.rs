//! Error bodies of OpenAI and of the servers that imitate it, classified. What is done about each kind is decided by
//! `retry.rs`.

use serde_json::Value;

use super::limit_headers;
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::standing::{Dimension, LimitedBy};

/// The codes with which OpenAI says that waiting does not help (all of type `insufficient_quota`).
const QUOTA_CODES: [&str; 5] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
];

/// The longest piece of a body that is not JSON to be shown, in characters.
const EXCERPT: usize = 200;

/// What an error body says, wherever it keeps it.
struct Said {
    message: String,
    kind: String,
    code: String,
    param: Option<String>,
}

/// The fault that a response with an error status or an error body tells of.
pub(super) fn classify(response: &Response) -> Fault {
    let said = read(&response.body);
    // Within a 200 OpenRouter passes on its upstream's status as the error's code.
    let upstream =
        said.code.parse().ok().filter(|status| response.is_success() && (400..600).contains(status));
    fault(response, kind(upstream.unwrap_or(response.status), &said), said)
}

/// The answer that the provider's own validator has refused, if that is what the error is about.
pub(super) fn failed_generation(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    let error = body.get("error")?;
    (error.get("code")? == "json_validate_failed")
        .then(|| error.get("failed_generation").and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// A fault in a response that has a status of success and is of no use.
pub(super) fn in_success(response: &Response, kind: FaultKind, message: String) -> Fault {
    fault(response, kind, Said { message, kind: String::new(), code: String::new(), param: None })
}

fn fault(response: &Response, kind: FaultKind, said: Said) -> Fault {
    Fault {
        kind,
        limited_by: limited_by(&said),
        retry_after: limit_headers::retry_after(response, &said.message),
        message: said.message,
        status: Some(response.status),
        should_retry: response.header("x-should-retry").and_then(|value| value.trim().parse().ok()),
        param: said.param,
        request_id: response
            .header("x-request-id")
            .or_else(|| response.header("request-id"))
            .map(str::to_owned),
    }
}

fn kind(status: u16, said: &Said) -> FaultKind {
    let is = |word: &str| said.code == word || said.kind == word;
    match status {
        _ if QUOTA_CODES.iter().any(|code| is(code)) => FaultKind::Quota,
        429 if said.message.starts_with("Request too large") => FaultKind::RequestExceedsLimit,
        429 => FaultKind::RateLimit,
        529 => FaultKind::Overloaded,
        503 if is("server_is_overloaded") || is("slow_down") || is("overloaded_error") => {
            FaultKind::Overloaded
        }
        400 | 404 | 422 if is_about_schema(said) => FaultKind::InvalidSchema,
        400 if is("unsupported_parameter") || is("unsupported_value") => FaultKind::UnsupportedParameter,
        400 if is("context_length_exceeded") || is("exceed_context_size_error") => FaultKind::ContextLength,
        400 if is("invalid_prompt") || is("content_filter") || is("content_policy_violation") => {
            FaultKind::ContentPolicy
        }
        401 => FaultKind::Auth,
        402 => FaultKind::Quota,
        403 => FaultKind::Permission,
        // Redirects are not followed: they would carry the key elsewhere, and most turn a POST into a GET.
        300..=399 | 404 => FaultKind::NotFound,
        408 | 504 | 522 | 524 => FaultKind::Timeout,
        409 | 425 => FaultKind::Conflict,
        413 => FaultKind::TooLarge,
        422 => FaultKind::Unprocessable,
        400..=499 => FaultKind::InvalidRequest,
        _ => FaultKind::Server,
    }
}

/// What a refusal was about: OpenAI names it in the error's type and, with the limit, in the message.
fn limited_by(said: &Said) -> Option<LimitedBy> {
    let says = |words: &str| said.message.contains(words);
    let is = |word: &str| said.code == word || said.kind == word;
    if is("slow_down") || is("ramp_limit_exceeded") {
        Some(LimitedBy::Growth)
    } else if says("concurrent requests") || says("parallel requests") {
        Some(LimitedBy::Concurrency)
    } else if says("input tokens per min") {
        Some(LimitedBy::Amount(Dimension::InputTokens))
    } else if says("output tokens per min") {
        Some(LimitedBy::Amount(Dimension::OutputTokens))
    } else if is("tokens") {
        Some(LimitedBy::Amount(Dimension::Tokens))
    } else if is("requests") {
        Some(LimitedBy::Amount(Dimension::Requests))
    } else {
        None
    }
}

fn is_about_schema(said: &Said) -> bool {
    said.code == "invalid_json_schema"
        || said.message.starts_with("Invalid schema for")
        || said.param.as_deref().is_some_and(|param| param.starts_with("response_format"))
}

/// Reads `{"error":{…}}`, `{"error":"text"}`, the same without a wrapper (Mistral, older vLLM), FastAPI's `detail`, and
/// whatever a proxy says in HTML or plain text.
fn read(body: &[u8]) -> Said {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Said { message: excerpt(body), kind: String::new(), code: String::new(), param: None };
    };
    let in_choice = body.pointer("/choices/0/error").filter(|error| !error.is_null());
    let error = body.get("error").filter(|error| !error.is_null()).or(in_choice).unwrap_or(&body);
    let word = |name: &str| match error.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) | None => String::new(),
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let message = text(error)
        .or_else(|| error.get("message").and_then(text))
        .or_else(|| {
            body.get("detail")
                .map(|detail| text(detail).unwrap_or_else(|| excerpt(detail.to_string().as_bytes())))
        })
        .unwrap_or_else(|| excerpt(body.to_string().as_bytes()));
    Said {
        message,
        kind: word("type"),
        code: match word("code") {
            // Anthropic has it one level deeper.
            code if code.is_empty() => detail(error),
            code => code,
        },
        param: Some(word("param")).filter(|param| !param.is_empty()),
    }
}

/// The code in an error's `details`.
fn detail(error: &Value) -> String {
    let code = error.pointer("/details/error_code").and_then(Value::as_str);
    code.unwrap_or_default().to_owned()
}

/// The beginning of a body, on one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return "no message".to_owned();
    }
    if let Some((cut, _)) = words.char_indices().nth(EXCERPT) {
        words.truncate(cut);
        words.push('…');
    }
    words
}
