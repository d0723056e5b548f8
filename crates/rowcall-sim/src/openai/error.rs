//! Errors as OpenAI's JSON bodies.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fault::StatusFault;
use crate::quota::{Dimension, Refusal, Wait};
use crate::rate_limit::{go_duration, milliseconds, retry_seconds};
use crate::reply::{self, Reply};
use crate::trouble::Trouble;

/// The answer to a call in this trouble.
pub(crate) fn reply(trouble: Trouble<'_>, model: &str) -> Reply {
    match trouble {
        Trouble::Invalid(invalid) => {
            let param = invalid.param.as_deref();
            error(invalid.status, &invalid.message, "invalid_request_error", param, invalid.code)
        }
        Trouble::Key(_) => {
            let message = "Incorrect API key provided. This simulator lets in one key only.";
            error(401, message, "invalid_request_error", None, Some("invalid_api_key"))
        }
        Trouble::TooLarge => error(413, "Request body too large.", "invalid_request_error", None, None),
        Trouble::Lacking(refusal) => lacking(model, refusal),
        Trouble::TooFast(wait) => {
            let message = format!(
                "Traffic for {model} in organization org-simulated grew too fast. Please slow down and try again in {}.",
                go_duration(wait)
            );
            error(429, &message, "rate_limit_error", None, Some("slow_down")).with_headers(retry_after(wait))
        }
        Trouble::Closed(wait) => error(529, "Overloaded, as simulated.", "overloaded_error", None, None)
            .with_headers(retry_after(wait)),
        Trouble::Simulated(status) => simulated(status),
    }
}

/// An error with this message; `param` and `code` may be null.
pub(crate) fn error(
    status: u16,
    message: &str,
    kind: &str,
    param: Option<&str>,
    code: Option<&str>,
) -> Reply {
    Reply::json(status, body(message, kind, param, code).to_string().into_bytes())
}

/// The error instead of an answer, or in its stream, when the server's backend fails.
pub(crate) fn upstream() -> Value {
    body("The simulated upstream failed.", "server_error", None, Some("upstream_error"))
}

fn body(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
}

/// When to retry, in whole seconds and also in milliseconds.
fn retry_after(wait: Duration) -> Vec<(&'static str, String)> {
    vec![("retry-after", retry_seconds(wait).to_string()), ("retry-after-ms", milliseconds(wait).to_string())]
}

fn lacking(model: &str, refusal: Refusal) -> Reply {
    let Refusal { dimension, limit, used, requested, wait } = refusal;
    let (subject, kind) = match dimension {
        Dimension::Requests => ("requests per min (RPM)", "requests"),
        Dimension::Tokens => ("tokens per min (TPM)", "tokens"),
        Dimension::InputTokens => ("input tokens per min (ITPM)", "tokens"),
        Dimension::OutputTokens => ("output tokens per min (OTPM)", "tokens"),
        Dimension::RequestsPerDay => ("requests per day (RPD)", "requests"),
        Dimension::InFlight => ("concurrent requests", "requests"),
    };
    let reached = format!(
        "Rate limit reached for {model} in organization org-simulated on {subject}: Limit {limit}, Used {used}, Requested {requested}."
    );
    let (message, headers) = match wait {
        Wait::For(time) => {
            (format!("{reached} Please try again in {}.", go_duration(time)), retry_after(time))
        }
        Wait::ForAnotherToEnd => {
            (format!("{reached} Please try again when another request has ended."), vec![])
        }
        Wait::Forever => {
            let message = format!(
                "Request too large for {model} in organization org-simulated on {subject}: Limit {limit}, Requested {requested}. \
                 The input or output tokens must be reduced in order to run successfully."
            );
            (message, vec![("x-should-retry", "false".to_owned())])
        }
    };
    error(429, &message, kind, None, Some("rate_limit_exceeded")).with_headers(headers)
}

/// An HTTP error with the scenario's words, or the usual type and code for the status where it has none.
fn simulated(status: &StatusFault) -> Reply {
    let (kind, code) = match status.code {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        403 => ("request_forbidden", Some("unsupported_country_region_territory")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        503 => ("service_unavailable_error", Some("server_is_overloaded")),
        529 => ("overloaded_error", None),
        500..=599 => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    let kind = status.error_type.as_deref().unwrap_or(kind);
    let code = status.error_code.as_deref().or(code);
    Reply::simulated(status, &body(&status.message(), kind, None, code))
        .with_headers(reply::retry_headers(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_when_to_retry_if_known() {
        let lacking = |wait| {
            Trouble::Lacking(Refusal {
                dimension: Dimension::Requests,
                limit: 60,
                used: 60,
                requested: 1,
                wait,
            })
        };
        let soon = Duration::from_micros(1_500_001);
        let cases = [
            (lacking(Wait::For(soon)), 429, "rate_limit_exceeded", ["2", "1501"].as_slice()),
            (lacking(Wait::ForAnotherToEnd), 429, "rate_limit_exceeded", &[]),
            (lacking(Wait::Forever), 429, "rate_limit_exceeded", &["false"]),
            (Trouble::TooFast(soon), 429, "slow_down", &["2", "1501"]),
            (Trouble::Closed(soon), 529, "overloaded_error", &["2", "1501"]),
        ];
        for (trouble, status, word, values) in cases {
            let reply = reply(trouble, "m");
            let headers: Vec<&str> = reply.headers.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!((reply.status, headers.as_slice()), (status, values), "{trouble:?}");
            assert!(String::from_utf8_lossy(&reply.body).contains(word), "{trouble:?}");
        }
    }
}
