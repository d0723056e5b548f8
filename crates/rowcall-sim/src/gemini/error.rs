//! Errors as Google's JSON bodies. Headers carry no information: everything is in the details.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fault::StatusFault;
use crate::form::GeminiForm;
use crate::invalid::Invalid;
use crate::quota::{Dimension, Refusal, Wait};
use crate::rate_limit::{go_duration, milliseconds};
use crate::reply::Reply;
use crate::trouble::Trouble;

const JSON: &str = "application/json; charset=UTF-8";

/// The retry delay reported for an exhausted daily quota.
const OUT_OF_MONEY: Duration = Duration::from_hours(10);

/// The answer to a call in this trouble; for an array, an array with the error.
pub(crate) fn reply(trouble: Trouble<'_>, model: &str, form: GeminiForm) -> Reply {
    let (code, body) = match trouble {
        Trouble::Invalid(invalid) => (invalid.status, refused(invalid)),
        Trouble::Key(None) => {
            let message = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
            (403, error(403, message, "PERMISSION_DENIED", &[]))
        }
        Trouble::Key(Some(_)) => {
            let message = "API key not valid. Please pass a valid API key.";
            (400, error(400, message, "INVALID_ARGUMENT", &[info("API_KEY_INVALID")]))
        }
        Trouble::TooLarge => {
            let message = "Request payload size exceeds the limit: 67108864 bytes.";
            (400, error(400, message, "INVALID_ARGUMENT", &[]))
        }
        Trouble::Lacking(refusal) => (429, lacking(refusal, model)),
        Trouble::TooFast(_) => {
            let message = "Resource has been exhausted (e.g. check quota).";
            (429, error(429, message, "RESOURCE_EXHAUSTED", &[]))
        }
        Trouble::Closed(_) => {
            let message = "The model is overloaded. Please try again later.";
            (503, error(503, message, "UNAVAILABLE", &[]))
        }
        Trouble::Simulated(status) => {
            return Reply::simulated(status, &delivered(simulated(status, model), form));
        }
    };
    Reply::new(code, JSON, delivered(body, form).to_string().into_bytes())
}

fn delivered(error: Value, form: GeminiForm) -> Value {
    match form {
        GeminiForm::Whole | GeminiForm::Events => error,
        GeminiForm::Array => json!([error]),
    }
}

/// The error instead of an answer, or in its stream, when the server's backend fails.
pub(crate) fn upstream() -> Value {
    error(500, "The simulated upstream failed.", "INTERNAL", &[])
}

fn error(code: u16, message: &str, status: &str, details: &[Value]) -> Value {
    let mut error = json!({ "code": code, "message": message, "status": status });
    if let Some(error) = error.as_object_mut().filter(|_| !details.is_empty()) {
        error.insert("details".to_owned(), json!(details));
    }
    json!({ "error": error })
}

fn info(reason: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
        "metadata": { "service": "generativelanguage.googleapis.com" },
    })
}

fn refused(invalid: &Invalid) -> Value {
    let violation = invalid.param.as_deref().map(|field| {
        let violation = json!({ "field": field, "description": invalid.message });
        json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation] })
    });
    error(invalid.status, &invalid.message, "INVALID_ARGUMENT", violation.as_slice())
}

fn lacking(refusal: Refusal, model: &str) -> Value {
    let (metric, id) = match refusal.dimension {
        Dimension::Requests => ("requests", "GenerateRequestsPerMinutePerProjectPerModel"),
        Dimension::Tokens | Dimension::InputTokens => {
            ("input_token_count", "GenerateContentInputTokensPerModelPerMinute")
        }
        Dimension::OutputTokens => ("output_token_count", "GenerateContentOutputTokensPerModelPerMinute"),
        Dimension::RequestsPerDay => ("requests", "GenerateRequestsPerDayPerProjectPerModel"),
        Dimension::InFlight => ("concurrent_requests", "GenerateConcurrentRequestsPerProjectPerModel"),
    };
    let wait = match refusal.wait {
        Wait::For(wait) => Some(wait),
        Wait::ForAnotherToEnd | Wait::Forever => None,
    };
    exhausted(metric, id, &refusal.limit.to_string(), model, wait)
}

fn exhausted(metric: &str, id: &str, limit: &str, model: &str, wait: Option<Duration>) -> Value {
    let retry = wait.map_or_else(String::new, |wait| format!(" Please retry in {}.", go_duration(wait)));
    let message = format!(
        "You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_{metric}, limit: {limit}, model: {model}.{retry}"
    );
    let link = json!({ "description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits" });
    let violation = json!({
        "quotaMetric": format!("generativelanguage.googleapis.com/generate_content_{metric}"), "quotaId": id,
        "quotaDimensions": { "model": model, "location": "global" }, "quotaValue": limit,
    });
    let mut details = vec![
        json!({ "@type": "type.googleapis.com/google.rpc.Help", "links": [link] }),
        json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation] }),
    ];
    details.extend(wait.map(retry_info));
    error(429, &message, "RESOURCE_EXHAUSTED", &details)
}

/// A duration as Protocol Buffers write it in JSON: `46s`, `0.812s`; rounded up to milliseconds.
fn retry_info(wait: Duration) -> Value {
    let millis = milliseconds(wait);
    let delay = match millis % 1_000 {
        0 => format!("{}s", millis / 1_000),
        rest => format!("{}.{rest:03}s", millis / 1_000),
    };
    json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay })
}

/// An HTTP error with the scenario's words, or the usual status for the code where it has none.
fn simulated(fault: &StatusFault, model: &str) -> Value {
    if fault.is_out_of_money() {
        let id = "GenerateRequestsPerDayPerProjectPerModel";
        return exhausted("requests", id, "0", model, Some(fault.retry_after().unwrap_or(OUT_OF_MONEY)));
    }
    let usual = match fault.code {
        401 => "UNAUTHENTICATED",
        402 | 412 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        504 => "DEADLINE_EXCEEDED",
        502..=599 => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    };
    let status = fault.error_type.as_deref().unwrap_or(usual);
    let details: Vec<Value> = fault
        .error_code
        .as_deref()
        .map(info)
        .into_iter()
        .chain(fault.retry_after().map(retry_info))
        .collect();
    error(fault.code, &fault.message(), status, &details)
}
