//! Gemini's errors: the vectors, and the fields that its messages reject.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::provider::Protocol;
use crate::provider::tests::{check, response, vectors};
use crate::schema::{Dialect, Schema};

/// Where we deliberately differ from the vectors; see `docs/faults.md`.
const OURS: [(&str, &str); 1] = [("invalid_argument", "unsupported_parameter")];

fn refused(status: u16, body: &Value) -> Fault {
    let headers = HeaderMap::new();
    classify(&Response { status, headers, body: body.to_string().into(), received: SystemTime::UNIX_EPOCH })
}

fn error(code: u16, status: &str, message: &str, details: &Value) -> Value {
    json!({"error": {"code": code, "message": message, "status": status, "details": details}})
}

#[test]
fn errors_are_classified_as_in_the_vectors() {
    let person = Schema::parse("name").expect("a schema");
    let wire = person.wire(Dialect::Text).expect("fits the wire");
    let cases = vectors("gemini_errors.json");
    for case in &cases {
        let mut case = case.clone();
        if let Some((_, ours)) = OURS.iter().find(|(id, _)| case["id"] == *id) {
            case["expect"]["cls"] = json!(ours);
        }
        check(&case, Protocol::Gemini, &person, &wire);
        let said = case["body"].get(0).unwrap_or(&case["body"]);
        assert_eq!(classify(&response(&case)).message, said["error"]["message"]);
    }
    assert_eq!(cases.len(), 11);
}

#[test]
fn the_message_determines_what_is_invalid() {
    let unsupported = FaultKind::UnsupportedParameter;
    let unknown = |name: &str, location: &str| {
        format!("Invalid JSON payload received. Unknown name \"{name}\"{location}: Cannot find field.")
    };
    for (message, kind, param) in [
        (unknown("foo", " at 'generation_config'"), unsupported, Some("foo")),
        (unknown("foo", ""), unsupported, Some("foo")),
        (
            unknown("responseJsonSchema", " at 'generation_config'"),
            unsupported,
            Some("generation_config.responseJsonSchema"),
        ),
        (
            unknown("parametersJsonSchema", " at 'tools[0].function_declarations[0]'"),
            unsupported,
            Some("tools[0].function_declarations[0].parametersJsonSchema"),
        ),
        (unknown("const", " at 'generation_config.response_schema'"), FaultKind::InvalidSchema, None),
        (
            unknown("const", " at 'tools[0].function_declarations[0].parameters'"),
            FaultKind::InvalidSchema,
            None,
        ),
        (unknown("foo", " at 'contents[0].parts[0]'"), FaultKind::InvalidRequest, None),
        ("Unknown name \"".to_owned(), FaultKind::InvalidRequest, None),
        (
            "JSON mode is not enabled for models/gemma-3".to_owned(),
            unsupported,
            Some("generation_config.response_mime_type"),
        ),
        ("Function calling is not enabled for models/gemma-3".to_owned(), unsupported, Some("tools")),
        ("Developer instruction is not enabled for models/gemma-3".to_owned(), unsupported, None),
        ("Invalid value at 'generation_config.temperature' (TYPE_FLOAT)".to_owned(), unsupported, None),
        (
            "The specified schema produces a constraint that has too many states for serving.".to_owned(),
            FaultKind::InvalidSchema,
            None,
        ),
        (
            "GenerateContentRequest.generation_config.response_json_schema: too deep".to_owned(),
            FaultKind::InvalidSchema,
            None,
        ),
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
                .to_owned(),
            FaultKind::ContextLength,
            None,
        ),
        ("Request payload size exceeds the limit: 20971520 bytes.".to_owned(), FaultKind::TooLarge, None),
        ("API key not valid. Please pass a valid API key.".to_owned(), FaultKind::Auth, None),
        (
            "* GenerateContentRequest.contents: contents is not specified".to_owned(),
            FaultKind::InvalidRequest,
            None,
        ),
    ] {
        let fault = refused(400, &error(400, "INVALID_ARGUMENT", &message, &json!([])));
        assert_eq!((fault.kind, fault.param.as_deref()), (kind, param), "{message}");
    }
}

#[test]
fn statuses_and_reasons_are_more_specific_than_the_status_code() {
    let reason =
        |reason: &str| json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]);
    for (code, status, details, kind) in [
        (400, "INVALID_ARGUMENT", reason("API_KEY_INVALID"), FaultKind::Auth),
        (400, "FAILED_PRECONDITION", json!([]), FaultKind::Permission),
        (401, "UNAUTHENTICATED", json!([]), FaultKind::Auth),
        (403, "PERMISSION_DENIED", reason("SERVICE_DISABLED"), FaultKind::Permission),
        (409, "ABORTED", json!([]), FaultKind::Conflict),
        (499, "CANCELLED", json!([]), FaultKind::InvalidRequest),
        (500, "UNKNOWN", json!([]), FaultKind::Server),
        (500, "A_FUTURE_STATUS", json!([]), FaultKind::Server),
        (504, "DEADLINE_EXCEEDED", json!([]), FaultKind::Timeout),
    ] {
        assert_eq!(refused(code, &error(code, status, "no", &details)).kind, kind, "{status}");
    }
    for (status, body) in [(502, json!("busy")), (500, json!([])), (500, json!({"error": "no"}))] {
        assert_eq!(refused(status, &body).kind, FaultKind::Server, "{body}");
    }
}

#[test]
fn a_minute_is_waited_for_and_a_day_is_not() {
    let exceeded = |quotas: &[&str], message: &str| {
        let violations: Vec<_> = quotas.iter().map(|quota| json!({"quotaId": quota})).collect();
        let failure =
            json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations});
        let fault = refused(429, &error(429, "RESOURCE_EXHAUSTED", message, &json!([failure])));
        (fault.kind, fault.limited_by)
    };
    let amount = |dimension| Some(LimitedBy::Amount(dimension));
    let requests = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
    let tokens = "GenerateContentInputTokensPerModelPerMinute-FreeTier";
    let day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    for (quotas, message, expected) in [
        (&[requests][..], "no", (FaultKind::RateLimit, amount(Dimension::Requests))),
        (&[tokens], "no", (FaultKind::RateLimit, amount(Dimension::InputTokens))),
        (&[requests, day], "no", (FaultKind::Quota, amount(Dimension::Requests))),
        (&[requests], "requests, limit: 0, model: gemini-3", (FaultKind::Quota, amount(Dimension::Requests))),
        (&[], "requests, limit: 0", (FaultKind::Quota, None)),
        (&[], "requests, limit: 10, model: gemini-3", (FaultKind::RateLimit, None)),
        (&[], "requests, limit: 00, model: gemini-3", (FaultKind::RateLimit, None)),
        (&["ANewQuota"], "no", (FaultKind::RateLimit, None)),
    ] {
        assert_eq!(exceeded(quotas, message), expected, "{quotas:?} {message}");
    }
}

#[test]
fn the_wait_comes_from_a_header_then_the_details_then_the_message() {
    let delayed =
        |delay: &str| json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]);
    let wait = |details: Value, header: Option<&'static str>| {
        let header =
            header.map(|value| (HeaderName::from_static("retry-after"), HeaderValue::from_static(value)));
        let message = "You exceeded your current quota. Please retry in 9h54m5.5s.";
        let body = error(429, "RESOURCE_EXHAUSTED", message, &details).to_string().into();
        let headers = header.into_iter().collect();
        let response = Response { status: 429, headers, body, received: SystemTime::UNIX_EPOCH };
        classify(&response).retry_after.map(|wait| wait.as_secs_f64())
    };
    assert_eq!(wait(delayed("46s"), Some("7")), Some(7.0));
    assert_eq!(wait(delayed("46s"), None), Some(46.0));
    assert_eq!(wait(delayed("0.812500s"), None), Some(0.8125));
    for no_wait in [delayed("0s"), delayed("soon"), json!([]), json!("?")] {
        assert_eq!(wait(no_wait, None), Some(35_645.5));
    }
}

/// Google sends `NOT_FOUND` for everything unknown; a server that does not may have the other version of the API.
#[test]
fn a_missing_path_may_exist_in_the_other_version() {
    for (body, cause) in [
        (error(404, "NOT_FOUND", "models/x is not found", &json!([])), None),
        (json!({"error": {"message": "Not found"}}), Some(FaultCause::ApiVersion)),
        (json!({"error": "Not found"}), Some(FaultCause::ApiVersion)),
        (json!("404 page not found"), Some(FaultCause::ApiVersion)),
    ] {
        let fault = refused(404, &body);
        assert_eq!((fault.kind, fault.cause), (FaultKind::NotFound, cause), "{body}");
        let hint = fault.hint().map(|hint| hint.to_string()).unwrap_or_default();
        assert_eq!(hint.contains("/v1beta"), cause.is_some(), "{body}");
    }
}
