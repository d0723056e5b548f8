//! Classifies Gemini's error bodies (`google.rpc.Status`). `retry.rs` decides how to react to each kind.

use std::time::Duration;

use serde_json::Value;

use super::{limit_headers, openai_error, refusal, sse};
use crate::fault::{Fault, FaultCause, FaultKind};
use crate::request::Response;
use crate::standing::{Dimension, LimitedBy};

/// The fault that a response with an error status or an error body reports. A body that is not Google's, such as a proxy's page, is
/// read like any server's.
pub(super) fn classify(response: &Response) -> Fault {
    let body: Value = serde_json::from_slice(sse::without_mark(&response.body)).unwrap_or_default();
    // If the stream would have been an array, the error is its only item.
    if let Some(body) =
        body.as_array().and_then(|items| items.iter().find(|item| item.get("error").is_some()))
    {
        return classify(&Response { body: body.to_string().into(), ..response.clone() });
    }
    let fault = openai_error::classify(response);
    let Some(error) = body.get("error").filter(|error| error.is_object()) else {
        return of_version(fault);
    };
    let details = Details::of(error);
    let (kind, param) = match error.get("status").and_then(Value::as_str).unwrap_or_default() {
        _ if details.is_bad_key() || fault.message.starts_with("API key not valid") => {
            (FaultKind::Auth, None)
        }
        "INVALID_ARGUMENT" => invalid_argument(&fault.message),
        "FAILED_PRECONDITION" if fault.kind == FaultKind::Quota => (FaultKind::Quota, None),
        // Sent to regions that are not served.
        "FAILED_PRECONDITION" | "PERMISSION_DENIED" => (FaultKind::Permission, None),
        "UNAUTHENTICATED" => (FaultKind::Auth, None),
        "NOT_FOUND" => (FaultKind::NotFound, None),
        "" if fault.kind == FaultKind::NotFound => return of_version(fault),
        "RESOURCE_EXHAUSTED" if details.is_for_long() || has_no_access(&fault.message) => {
            (FaultKind::Quota, None)
        }
        "RESOURCE_EXHAUSTED" => (FaultKind::RateLimit, None),
        "ABORTED" => (FaultKind::Conflict, None),
        // Local servers with this protocol report a prompt or schema that they cannot handle as a server error.
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" if openai_error::is_of_request(fault.kind) => {
            (fault.kind, fault.param)
        }
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => (FaultKind::Server, None),
        "UNAVAILABLE" => (FaultKind::Overloaded, None),
        "DEADLINE_EXCEEDED" => (FaultKind::Timeout, None),
        _ => (fault.kind, fault.param),
    };
    let asked = limit_headers::in_headers(response).or(details.retry_delay()).or(fault.retry_after);
    // After the seconds that come with a daily quota, the next request would be refused, too.
    let retry_after = asked.filter(|wait| !details.is_for_long() || limit_headers::is_for_long(*wait));
    let limited_by = details.limited_by().or(fault.limited_by);
    // A slot is free as soon as one of our requests finishes.
    let retry_after = retry_after.filter(|_| limited_by != Some(LimitedBy::Concurrency));
    Fault { kind, retry_after, limited_by, param, ..fault }
}

/// Google sends `NOT_FOUND` for everything unknown; a server that reports it in another way may have the other version of the API.
fn of_version(fault: Fault) -> Fault {
    match (fault.kind, fault.cause) {
        (FaultKind::NotFound, None) => fault.caused_by(FaultCause::ApiVersion),
        (_, _) => fault,
    }
}

/// The `details` of an error, each with its own type.
struct Details<'a>(&'a [Value]);

impl<'a> Details<'a> {
    fn of(error: &'a Value) -> Self {
        Self(error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default())
    }

    /// The values of a field in all details of a type.
    fn all(&self, of_type: &str, field: &str) -> impl Iterator<Item = &'a Value> {
        let is_of_type = move |detail: &&Value| {
            let named = detail.get("@type").and_then(Value::as_str).unwrap_or_default();
            named.rsplit('.').next() == Some(of_type)
        };
        self.0.iter().filter(is_of_type).filter_map(move |detail| detail.get(field))
    }

    /// Whether the key is at fault; the status is 400.
    fn is_bad_key(&self) -> bool {
        self.all("ErrorInfo", "reason")
            .any(|reason| reason == "API_KEY_INVALID" || reason == "API_KEY_EXPIRED")
    }

    fn retry_delay(&self) -> Option<Duration> {
        self.all("RetryInfo", "retryDelay").find_map(|delay| limit_headers::duration(delay.as_str()?))
    }

    /// The quotas that are exceeded, such as `GenerateRequestsPerMinutePerProjectPerModel-FreeTier`.
    fn quotas(&self) -> impl Iterator<Item = &'a str> {
        let violations = self.all("QuotaFailure", "violations").filter_map(Value::as_array).flatten();
        violations.filter_map(|violation| violation.get("quotaId")?.as_str())
    }

    /// Whether a daily quota is used up, which comes with a delay of hours.
    fn is_for_long(&self) -> bool {
        self.quotas().any(|quota| quota.contains("PerDay"))
    }

    fn limited_by(&self) -> Option<LimitedBy> {
        self.quotas().find_map(|quota| {
            if quota.contains("Concurrent") {
                return Some(LimitedBy::Concurrency);
            }
            let dimension = if quota.contains("InputToken") {
                Dimension::InputTokens
            } else if quota.contains("OutputToken") {
                Dimension::OutputTokens
            } else if quota.contains("Token") {
                Dimension::Tokens
            } else if quota.contains("Requests") {
                Dimension::Requests
            } else {
                return None;
            };
            Some(LimitedBy::Amount(dimension))
        })
    }
}

/// Whether a message reports a quota of 0 for the account, as in `…_free_tier_requests, limit: 0, model: …`.
fn has_no_access(message: &str) -> bool {
    message.split("limit: ").skip(1).any(|after| {
        after.strip_prefix('0').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The kind of a 400 `INVALID_ARGUMENT`, from its message, and the field to drop if that may fix it.
fn invalid_argument(message: &str) -> (FaultKind, Option<String>) {
    let says = |words: &str| message.contains(words);
    if let Some(unknown) = UnknownField::of(message) {
        return unknown.kind();
    }
    if says("token count") && says("exceeds the maximum") || refusal::is_of_length(message) {
        return (FaultKind::ContextLength, None);
    }
    if says("payload size exceeds") {
        return (FaultKind::TooLarge, None);
    }
    // `JSON mode is not enabled for models/…`, and the like for other features that older models lack.
    if says("is not enabled for") || says("is unsupported") {
        let field = if says("JSON mode") || says("response mime type") {
            Some("generation_config.response_mime_type")
        } else if says("unction calling") || says("ool use") {
            Some("tools")
        } else {
            None
        };
        return (FaultKind::UnsupportedParameter, field.map(str::to_owned));
    }
    if says("schema") || says("Schema") || refusal::is_of_schema(message) {
        return (FaultKind::InvalidSchema, None);
    }
    if let Some(way) = openai_error::way_refused(message) {
        return (FaultKind::UnsupportedParameter, Some(way.to_owned()));
    }
    // A value that all rows share.
    if says("Invalid value at 'generation_config") || says("Invalid value at 'tool") {
        return (FaultKind::UnsupportedParameter, None);
    }
    (FaultKind::InvalidRequest, None)
}

/// `Unknown name "topK" at 'generation_config': Cannot find field.`; the location is omitted for the top level of the body.
struct UnknownField<'a> {
    name: &'a str,
    location: &'a str,
}

impl<'a> UnknownField<'a> {
    fn of(message: &'a str) -> Option<Self> {
        let (name, rest) = message.split_once("Unknown name \"")?.1.split_once('"')?;
        let location = rest.strip_prefix(" at '").and_then(|rest| rest.split_once('\''));
        Some(Self { name, location: location.map_or("", |(location, _)| location) })
    }

    fn kind(&self) -> (FaultKind, Option<String>) {
        let is_in_schema = self.location.contains("schema") || self.location.contains("parameters");
        if is_in_schema || refusal::is_schema_keyword(self.name) {
            return (FaultKind::InvalidSchema, None);
        }
        if self.location.starts_with("contents") {
            return (FaultKind::InvalidRequest, None);
        }
        // A field that requests the schema is recognised by its location, any other by its name.
        let asks_for_schema = self.location.starts_with("tool")
            || self.name.starts_with("response") && self.location.starts_with("generation");
        let field =
            if asks_for_schema { format!("{}.{}", self.location, self.name) } else { self.name.to_owned() };
        (FaultKind::UnsupportedParameter, Some(field))
    }
}

#[cfg(test)]
mod tests;
