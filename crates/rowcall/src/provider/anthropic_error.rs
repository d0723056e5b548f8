//! Classifies Anthropic's error bodies: by the error's code, then its type, then the status. `retry.rs` decides how to react to each
//! kind.

use serde_json::Value;

use super::{limit_headers, openai_error, refusal, sse};
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::standing::LimitedBy;

/// The fault that a response with an error status or an error body reports. A body that is not Anthropic's, such as a proxy's page,
/// is read like any server's.
pub(super) fn classify(response: &Response) -> Fault {
    let fault = openai_error::classify(response);
    let body: Value = serde_json::from_slice(sse::without_mark(&response.body)).unwrap_or_default();
    let word = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (code, named) = (word("/error/details/error_code"), word("/error/type"));
    let (kind, param) = match (kind_by_code(code), kind_by_type(named)) {
        // A daily limit has the same type as one per minute.
        (None, Some(FaultKind::RateLimit)) if fault.kind == FaultKind::Quota => (FaultKind::Quota, None),
        // Local servers with this protocol report a prompt or schema that they cannot handle as a server error.
        (None, Some(FaultKind::Server)) if openai_error::is_of_request(fault.kind) => {
            (fault.kind, fault.param.clone())
        }
        (Some(kind), _) | (None, Some(kind)) => (kind, None),
        (None, None) if named == "invalid_request_error" => {
            Objection::of(&fault.message).kind(response.status)
        }
        (None, None) => (fault.kind, fault.param.clone()),
    };
    let limited_by =
        if kind == FaultKind::RateLimit { limited_by(code, &fault, response) } else { fault.limited_by };
    let request_id = fault.request_id.or_else(|| body.get("request_id")?.as_str().map(str::to_owned));
    Fault { kind, limited_by, param, request_id, ..fault }
}

/// The codes that are more specific than the type.
fn kind_by_code(code: &str) -> Option<FaultKind> {
    Some(match code {
        "organization_on_hold" | "user_profile_billing_not_authorized" => FaultKind::Permission,
        // Has the type and status of a rate limit, but waiting does not help.
        "enforced_spend_limit_reached" | "contract_spend_limit_reached" => FaultKind::Quota,
        "linked_organization_billing_unavailable" | "linked_organization_spend_limit_reached" => {
            FaultKind::Quota
        }
        "request_body_too_large_after_decoding" => FaultKind::TooLarge,
        _ => return None,
    })
}

/// The types that determine the kind. The only other one is `invalid_request_error`, which can mean anything.
fn kind_by_type(named: &str) -> Option<FaultKind> {
    Some(match named {
        "authentication_error" => FaultKind::Auth,
        "billing_error" => FaultKind::Quota,
        "permission_error" => FaultKind::Permission,
        "not_found_error" => FaultKind::NotFound,
        "conflict_error" => FaultKind::Conflict,
        "request_too_large" => FaultKind::TooLarge,
        "rate_limit_error" => FaultKind::RateLimit,
        "api_error" => FaultKind::Server,
        "timeout_error" => FaultKind::Timeout,
        "overloaded_error" => FaultKind::Overloaded,
        _ => return None,
    })
}

/// Which limit was exceeded: the code says so for growth, otherwise the message names it, or else the headers show what is used up.
fn limited_by(code: &str, fault: &Fault, response: &Response) -> Option<LimitedBy> {
    if code == "ramp_limit_exceeded" {
        return Some(LimitedBy::Growth);
    }
    let used_up = || {
        let standings = limit_headers::standings(response).into_iter();
        standings.filter(|standing| standing.remaining == Some(0.0)).map(|standing| standing.dimension).next()
    };
    fault.limited_by.or_else(|| used_up().map(LimitedBy::Amount))
}

/// What an `invalid_request_error` objects to. There are no codes: the message starts with the field's path, as in
/// `temperature: Extra inputs are not permitted`, or mentions the field.
struct Objection<'a> {
    message: &'a str,
    /// The path of a field, separated by dots.
    field: Option<&'a str>,
}

/// How messages without a path refer to the fields that request a schema.
const SPOKEN_OF: [(&str, &str); 6] = [
    ("output format", "output_config.format"),
    ("output_config", "output_config.format"),
    ("output_format", "output_config.format"),
    ("tructured output", "output_config.format"),
    ("tool_choice", "tool_choice"),
    ("orced tool", "tool_choice"),
];

/// The fields that all rows share, so a rejected value fails every row. The output limit is not among them: it grows for a row
/// whose answer was cut off.
const SHARED: [&str; 11] = [
    "temperature",
    "top_p",
    "top_k",
    "thinking",
    "output_config",
    "tools",
    "tool_choice",
    "stop_sequences",
    "metadata",
    "service_tier",
    "cache_control",
];

/// The fields that differ from row to row.
const OF_THE_ROW: [&str; 3] = ["messages", "system", "max_tokens"];

impl<'a> Objection<'a> {
    fn of(message: &'a str) -> Self {
        let before_colon = message.split_once(": ").map(|(path, _)| path);
        let quoted = || message.split('`').nth(1);
        let spoken_of =
            || SPOKEN_OF.iter().find(|(words, _)| message.contains(words)).map(|(_, field)| *field);
        let field = before_colon
            .filter(|path| is_path(path))
            .or_else(|| quoted().filter(|path| is_path(path)))
            .or_else(spoken_of)
            .or_else(|| openai_error::way_refused(message));
        Self { message, field }
    }

    /// The kind of fault, with the field to drop if that may fix it.
    fn kind(&self, status: u16) -> (FaultKind, Option<String>) {
        let says = |words: &str| self.message.contains(words);
        let root = self.field.and_then(|field| field.split('.').next()).unwrap_or_default();
        let kind = match status {
            _ if says("credit balance is too low") => FaultKind::Quota,
            _ if refusal::is_of_length(self.message) => FaultKind::ContextLength,
            _ if says("content filtering policy") => FaultKind::ContentPolicy,
            413 => FaultKind::TooLarge,
            422 => FaultKind::Unprocessable,
            _ if OF_THE_ROW.contains(&root) => FaultKind::InvalidRequest,
            _ if self.is_about_schema() => FaultKind::InvalidSchema,
            _ if self.refuses_field() => {
                return (FaultKind::UnsupportedParameter, self.field.map(str::to_owned));
            }
            // Only the value is rejected: dropping the field would give the user something other than what was requested.
            _ if SHARED.contains(&root) => FaultKind::UnsupportedParameter,
            _ => FaultKind::InvalidRequest,
        };
        (kind, None)
    }

    /// Whether the schema itself is rejected, rather than schemas in general.
    fn is_about_schema(&self) -> bool {
        let in_schema = |field: &str| field.split('.').any(|step| step == "schema" || step == "input_schema");
        self.field.is_some_and(in_schema)
            || refusal::is_of_schema(self.message)
            || self.field.is_none() && refusal::speaks_of_schema(self.message)
    }

    fn refuses_field(&self) -> bool {
        const REFUSING: [&str; 8] = [
            "not permitted",
            "not supported",
            "unsupported",
            "not support",
            "not allowed",
            "not available",
            "deprecated",
            "may not be",
        ];
        let is_refused = || REFUSING.iter().any(|words| self.message.contains(words));
        openai_error::way_refused(self.message).is_some() || self.field.is_some() && is_refused()
    }
}

fn is_path(text: &str) -> bool {
    let is_step = |step: &str| {
        !step.is_empty() && step.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.split('.').all(is_step)
}

#[cfg(test)]
mod tests;
