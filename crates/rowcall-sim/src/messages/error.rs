//! Errors as Anthropic's JSON bodies.

use serde_json::{Value, json};

use crate::fault::StatusFault;
use crate::quota::{Dimension, Refusal, Wait};
use crate::rate_limit::retry_seconds;
use crate::reply::{self, Reply};
use crate::trouble::{Asked, Trouble};

/// The answer to a call in this trouble.
pub(crate) fn reply(trouble: Trouble<'_>, asked: Asked<'_>) -> Reply {
    let error = |status: u16, kind: &str, message: &str| {
        Reply::json(status, body(asked.id, kind, message, None).to_string().into_bytes())
    };
    let seconds = |wait| vec![("retry-after", retry_seconds(wait).to_string())];
    match trouble {
        Trouble::Invalid(invalid) => error(invalid.status, "invalid_request_error", &invalid.message),
        Trouble::Key(None) => error(401, "authentication_error", "x-api-key header is required"),
        Trouble::Key(Some(_)) => error(401, "authentication_error", "invalid x-api-key"),
        Trouble::TooLarge => error(413, "request_too_large", "Request exceeds the maximum size"),
        Trouble::Lacking(refusal) => {
            let headers = match refusal.wait {
                Wait::For(wait) => seconds(wait),
                Wait::ForAnotherToEnd => vec![],
                Wait::Forever => vec![("x-should-retry", "false".to_owned())],
            };
            error(429, "rate_limit_error", &lacking(refusal)).with_headers(headers)
        }
        Trouble::TooFast(wait) => {
            let message = "This request would exceed a ramp limit.";
            let body = body(asked.id, "rate_limit_error", message, Some("ramp_limit_exceeded"));
            Reply::json(429, body.to_string().into_bytes()).with_headers(seconds(wait))
        }
        // Anthropic does not say when it will be less busy.
        Trouble::Closed(_) => error(529, "overloaded_error", "Overloaded")
            .with_headers(vec![("x-should-retry", "true".to_owned())]),
        Trouble::Simulated(status) => simulated(status, asked.id),
    }
}

/// The error instead of an answer, or in its stream, when the server's backend fails.
pub(crate) fn upstream(id: &str) -> Value {
    body(id, "api_error", "The simulated upstream failed.", None)
}

fn body(id: &str, kind: &str, message: &str, code: Option<&str>) -> Value {
    let mut error = json!({ "type": kind, "message": message });
    if let (Some(error), Some(code)) = (error.as_object_mut(), code) {
        error.insert("details".to_owned(), json!({ "error_code": code }));
    }
    json!({ "type": "error", "error": error, "request_id": id })
}

fn lacking(refusal: Refusal) -> String {
    let unit = match refusal.dimension {
        Dimension::InFlight => {
            return "Number of concurrent connections has exceeded your rate limit. Please try again later."
                .to_owned();
        }
        Dimension::Requests => "requests per minute",
        Dimension::Tokens => "tokens per minute",
        Dimension::InputTokens => "input tokens per minute",
        Dimension::OutputTokens => "output tokens per minute",
        Dimension::RequestsPerDay => "requests per day",
    };
    format!(
        "This request would exceed your organization's rate limit of {} {unit}.",
        with_commas(refusal.limit)
    )
}

/// `2000000` as `2,000,000`.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// An HTTP error with the scenario's words, or the usual type for the status where it has none.
fn simulated(status: &StatusFault, id: &str) -> Reply {
    let usual = match status.code {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    };
    let (kind, code) = if status.is_out_of_money() {
        (usual, Some("enforced_spend_limit_reached"))
    } else {
        (status.error_type.as_deref().unwrap_or(usual), status.error_code.as_deref())
    };
    Reply::simulated(status, &body(id, kind, &status.message(), code))
        .with_headers(reply::retry_headers(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_have_separators() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (2_000_000, "2,000,000")] {
            assert_eq!(with_commas(number), expected);
        }
    }
}
