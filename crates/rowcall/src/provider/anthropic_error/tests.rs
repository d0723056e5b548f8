//! Anthropic's errors: the vectors, and the fields that its messages reject.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::provider::Protocol;
use crate::provider::tests::{check, response, vectors};
use crate::schema::{Dialect, Schema};
use crate::standing::Dimension;

/// Where we deliberately differ from the vectors; see `docs/faults.md`.
const OURS: [(&str, &str); 2] =
    [("invalid_temperature", "unsupported_parameter"), ("unknown_type", "invalid_request")];

fn refused(status: u16, body: String, headers: HeaderMap) -> Fault {
    classify(&Response { status, headers, body: body.into(), received: SystemTime::UNIX_EPOCH })
}

fn error(status: u16, kind: &str, message: &str) -> Fault {
    let body = json!({"type": "error", "error": {"type": kind, "message": message}});
    refused(status, body.to_string(), HeaderMap::new())
}

#[test]
fn errors_are_classified_as_in_the_vectors() {
    let person = Schema::parse("name").expect("a schema");
    let wire = person.wire(Dialect::Text).expect("fits the wire");
    let cases = vectors("anthropic_errors.json");
    for case in &cases {
        let mut case = case.clone();
        if let Some((_, ours)) = OURS.iter().find(|(id, _)| case["id"] == *id) {
            case["expect"]["cls"] = json!(ours);
        }
        check(&case, Protocol::Anthropic, &person, &wire);
        let fault = classify(&response(&case));
        assert_eq!(fault.request_id.as_deref(), case["body"]["request_id"].as_str());
        assert_eq!(fault.message, case["body"]["error"]["message"]);
    }
    assert_eq!(cases.len(), 15);
}

#[test]
fn the_field_in_the_message_determines_what_is_invalid() {
    let unsupported = FaultKind::UnsupportedParameter;
    for (message, kind, param) in [
        ("temperature: Extra inputs are not permitted", unsupported, Some("temperature")),
        ("foo.bar: Extra inputs are not permitted", unsupported, Some("foo.bar")),
        ("`top_p` is deprecated for this model.", unsupported, Some("top_p")),
        ("output_config.format: Extra inputs are not permitted", unsupported, Some("output_config.format")),
        ("'claude-x' does not support output_config.format", unsupported, Some("output_config.format")),
        ("This model does not support structured outputs.", unsupported, Some("output_config.format")),
        ("tool_choice: type 'tool' is not supported by this model", unsupported, Some("tool_choice")),
        ("Forced tool use is not supported on this model.", unsupported, Some("tool_choice")),
        ("Thinking may not be enabled when tool_choice forces tool use.", unsupported, Some("tool_choice")),
        ("tools.0.custom.strict: Extra inputs are not permitted", unsupported, Some("tools.0.custom.strict")),
        // The value is rejected, not the field: dropping it is not what the user wants.
        ("temperature: Input should be less than or equal to 1", unsupported, None),
        ("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024", unsupported, None),
        // A limit that was enlarged for one row must not stop the others.
        ("max_tokens: 99999 > 64000, which is the maximum", FaultKind::InvalidRequest, None),
        ("messages.0.content.0: Extra inputs are not permitted", FaultKind::InvalidRequest, None),
        ("messages.0.content.0.image.source: unsupported media type", FaultKind::InvalidRequest, None),
        ("Could not process image", FaultKind::InvalidRequest, None),
        ("output_config.format.schema: Recursive schemas are not supported", FaultKind::InvalidSchema, None),
        ("tools.0.custom.input_schema: JSON schema is invalid", FaultKind::InvalidSchema, None),
        ("The compiled grammar is too large", FaultKind::InvalidSchema, None),
        ("output_config.format: Schema is too complex", FaultKind::InvalidSchema, None),
        ("prompt is too long: 210000 tokens > 200000 maximum", FaultKind::ContextLength, None),
        (
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
            FaultKind::ContextLength,
            None,
        ),
        ("Your credit balance is too low to access the Anthropic API.", FaultKind::Quota, None),
        ("Output blocked by content filtering policy", FaultKind::ContentPolicy, None),
        ("", FaultKind::InvalidRequest, None),
        ("`: ` `", FaultKind::InvalidRequest, None),
    ] {
        let fault = error(400, "invalid_request_error", message);
        assert_eq!((fault.kind, fault.param.as_deref()), (kind, param), "{message}");
    }
}

#[test]
fn the_code_comes_before_the_type_and_the_type_before_the_status() {
    let coded = |status, kind: &str, code: &str| {
        let body = json!({"type": "error",
            "error": {"type": kind, "message": "no", "details": {"error_code": code}}, "request_id": "req_b"});
        refused(status, body.to_string(), HeaderMap::new())
    };
    for (status, kind, code, expected) in [
        (402, "billing_error", "linked_organization_spend_limit_reached", FaultKind::Quota),
        (403, "permission_error", "user_profile_billing_not_authorized", FaultKind::Permission),
        (400, "invalid_request_error", "request_body_too_large_after_decoding", FaultKind::TooLarge),
        (400, "invalid_request_error", "image_dimensions_too_large", FaultKind::InvalidRequest),
        (400, "invalid_request_error", "request_body_encoding_invalid", FaultKind::InvalidRequest),
        (529, "overloaded_error", "compaction_unavailable", FaultKind::Overloaded),
        (503, "api_error", "cmek_unavailable", FaultKind::Server),
        (429, "rate_limit_error", "a_future_code", FaultKind::RateLimit),
        (400, "overloaded_error", "", FaultKind::Overloaded),
        (409, "conflict_error", "", FaultKind::Conflict),
        (504, "timeout_error", "", FaultKind::Timeout),
        (529, "a_future_error", "", FaultKind::Overloaded),
        (422, "invalid_request_error", "", FaultKind::Unprocessable),
    ] {
        let fault = coded(status, kind, code);
        assert_eq!(fault.kind, expected, "{kind} {code}");
        assert_eq!(fault.request_id.as_deref(), Some("req_b"));
    }
}

#[test]
fn a_body_that_is_not_anthropics_is_read_like_any_servers() {
    for (status, body, kind) in [
        (502, "<html>Bad Gateway</html>", FaultKind::Server),
        (529, "", FaultKind::Overloaded),
        (401, r#"{"error": "no"}"#, FaultKind::Auth),
        (
            429,
            r#"{"error": {"type": "throttling_error", "code": "429", "message": "wait"}}"#,
            FaultKind::RateLimit,
        ),
    ] {
        assert_eq!(refused(status, body.to_owned(), HeaderMap::new()).kind, kind, "{body}");
    }
}

#[test]
fn a_rate_limit_names_what_is_used_up() {
    let at = |message: &str, used_up: &[&'static str]| {
        let body = json!({"type": "error", "error": {"type": "rate_limit_error", "message": message}});
        let headers =
            used_up.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("0")));
        refused(429, body.to_string(), headers.collect()).limited_by
    };
    let amount = |dimension| Some(LimitedBy::Amount(dimension));
    let input = "anthropic-ratelimit-input-tokens-remaining";
    let requests = "anthropic-ratelimit-requests-remaining";
    assert_eq!(at("Slower, please.", &[input]), amount(Dimension::InputTokens));
    assert_eq!(at("Slower, please.", &[requests]), amount(Dimension::Requests));
    assert_eq!(at("rate limit of 16,000 output tokens per minute", &[]), amount(Dimension::OutputTokens));
    assert_eq!(
        at("Number of concurrent connections has exceeded your rate limit", &[]),
        Some(LimitedBy::Concurrency)
    );
    assert_eq!(at("Slower, please.", &[]), None);
}
