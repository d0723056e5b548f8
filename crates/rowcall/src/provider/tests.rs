//! Helpers for the protocols' tests: the vectors under `tests/vectors/`, parsed into requests and expectations.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::completion::{self, Reading};
use crate::request::Request;
use crate::retry::{self, Decision, RetryPolicy, Tried};
use crate::schema::{Dialect, Schema, WireSchema};
use crate::standing::LimitedBy;
use crate::turn::{Content, Prompt, Turn};

pub(super) const OPENAI: Quirks = Quirks {
    output_limit_field: "max_completion_tokens",
    system_role: "developer",
    no_capacity_status: None,
};
pub(super) const PLAIN: Quirks =
    Quirks { output_limit_field: "max_tokens", system_role: "system", no_capacity_status: None };

/// The cases of a file of vectors.
pub(super) fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let file = fs::read(path).expect("the vectors are there");
    let file: Value = serde_json::from_slice(&file).expect("the vectors are JSON");
    file["cases"].as_array().expect("the vectors have cases").clone()
}

pub(super) fn case<'a>(cases: &'a [Value], id: &str) -> &'a Value {
    cases.iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("no case `{id}`"))
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("`{value}` is not a text")).to_owned()
}

pub(super) fn response(case: &Value) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).expect("a header's name");
        headers.insert(name, HeaderValue::try_from(text(value)).expect("a header's value"));
    }
    let body = match case.get("body_text").or(case.get("raw")) {
        Some(body) => text(body),
        None => case["body"].to_string(),
    };
    let status = case["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    Response { status, headers, body: Bytes::from(body), received: SystemTime::UNIX_EPOCH }
}

pub(super) fn ok(body: &str) -> Response {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Response { status: 200, headers: HeaderMap::new(), body, received: SystemTime::UNIX_EPOCH }
}

/// The wire schema of a vector's request, made from a user's schema of that name.
pub(super) fn wire(name: &str, description: Option<&str>, schema: &Value) -> Arc<WireSchema> {
    let users = Schema::from_json(schema.clone()).expect("a schema");
    let mut wire = users.wire(Dialect::OpenAiStrict).expect("fits the wire");
    name.clone_into(&mut wire.name);
    wire.schema = schema.clone();
    wire.description = description.map(str::to_owned);
    Arc::new(wire)
}

pub(super) fn form(mode: Mode, wire: Arc<WireSchema>) -> Form {
    Form { mode, dialect: Dialect::OpenAiStrict, wire }
}

pub(super) fn prompt(system: &Value, user: &Value) -> Prompt {
    Prompt::new(vec![Turn::System(text(system).into()), Turn::user(text(user))])
}

pub(super) fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("the body is JSON")
}

/// Checks what is read from a vector's response against the vector's expectations: the reading, the text and the figures, or the
/// fault.
pub(super) fn check(case: &Value, protocol: Protocol, schema: &Schema, wire: &WireSchema) {
    let (id, expect) = (&case["id"], &case["expect"]);
    let result = protocol.decode(&response(case));
    let (outcome, class) = (expect["outcome"].as_str(), expect["cls"].as_str().or(expect["class"].as_str()));
    let completion = match (outcome, class, result) {
        (Some("error" | "pending") | None, _, Ok(completion)) if class != Some("invalid_json") => {
            panic!("{id}: an answer, expected a fault: {completion:?}")
        }
        (Some("error" | "pending") | None, _, Err(fault)) => return check_fault(case, class, &fault),
        (_, _, Err(fault)) => panic!("{id}: {fault}"),
        (_, _, Ok(completion)) => completion,
    };
    let reading = completion::read(&completion, schema, wire);
    match (outcome.or(class).expect("an outcome"), &reading) {
        // Several values are all read, and none of them is chosen.
        ("ok", Reading::Invalid { .. }) if expect.get("values").is_some() => {
            let Content::Calls(calls) = &completion.content else { panic!("{id}: no calls") };
            let arguments =
                calls.iter().map(|call| serde_json::from_str::<Value>(&call.arguments).expect("JSON"));
            assert_eq!(arguments.collect::<Value>(), expect["values"], "{id}");
        }
        ("ok", Reading::Value { value, repairs }) => {
            assert_eq!((value, repairs.is_empty()), (&expect["value"], true), "{id}: {repairs:?}");
        }
        ("refusal", Reading::Refused(words)) => {
            assert!(expect.get("text").is_none_or(|text| text == words), "{id}: {words}");
        }
        ("truncated", Reading::Truncated) => {
            let said = Content::Text(expect["partial_text"].as_str().unwrap_or_default().to_owned());
            assert!(
                expect.get("partial_text").is_none() || completion.content == said,
                "{id}: {completion:?}"
            );
        }
        ("content_filter", Reading::Filtered) | ("invalid_json", Reading::Invalid { .. }) => {}
        _ => panic!("{id}: {reading:?}"),
    }
    let usage = completion.usage.unwrap_or_default();
    for (name, ours) in [
        ("input_tokens", usage.input_tokens),
        ("cached_tokens", usage.cached_tokens),
        ("output_tokens", usage.output_tokens),
        ("reasoning_tokens", usage.reasoning_tokens),
    ] {
        match expect.get(name) {
            None => {}
            Some(Value::Null) => assert_eq!(completion.usage, None, "{id}"),
            Some(expected) => assert_eq!(json!(ours), *expected, "{id} {name}"),
        }
    }
}

/// Checks a fault's kind, whether it is retried, how long to wait and which limit it names.
fn check_fault(case: &Value, class: Option<&str>, fault: &Fault) {
    let (id, expect) = (&case["id"], &case["expect"]);
    if let Some(class) = class {
        assert_eq!(fault.kind.name(), class.trim_end_matches("_error"), "{id}: {fault}");
    }
    let tried = Tried { faults: 1, limits: 1, answered: true, ..Tried::default() };
    let decided = retry::decide(fault, tried, RetryPolicy::default(), 0.5);
    if let Some(expected) = expect["retry"].as_bool() {
        assert_eq!(matches!(decided, Decision::Retry(_)), expected, "{id}: {fault}");
    }
    if expect["abort_run"] == true {
        assert_eq!(decided, Decision::Stop, "{id}: {fault}");
    }
    if let Some(wait) = expect["wait_s"].as_f64() {
        assert_eq!(fault.retry_after.map(|wait| wait.as_secs_f64()), Some(wait), "{id}");
    }
    if let Some(limited_by) = expect["limited_by"].as_str() {
        assert_eq!(fault.limited_by.map(LimitedBy::name), Some(limited_by), "{id}");
    }
    if expect["reduce_concurrency"] == true {
        assert_eq!(fault.limited_by, Some(LimitedBy::Growth), "{id}");
    }
    assert_eq!(fault.status.map(u64::from), case["status"].as_u64(), "{id}");
    assert!(!fault.message.is_empty(), "{id}");
}

#[test]
fn a_byte_order_mark_costs_no_answer() {
    for (protocol, answer) in [
        (Protocol::OpenAiChat, json!({"choices": [{"message": {"content": "1"}, "finish_reason": "stop"}]})),
        (
            Protocol::OpenAiResponses,
            json!({"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "1"}]}]}),
        ),
        (Protocol::Anthropic, json!({"content": [{"type": "text", "text": "1"}], "stop_reason": "end_turn"})),
        (
            Protocol::Gemini,
            json!({"candidates": [{"content": {"parts": [{"text": "1"}]}, "finishReason": "STOP"}]}),
        ),
    ] {
        let completion = protocol.decode(&ok(&format!("\u{feff}{answer}"))).expect("a completion");
        assert_eq!(completion.content, Content::Text("1".to_owned()), "{protocol:?}");
        let refused = Response { status: 401, ..ok("\u{feff}{\"error\":{\"message\":\"no key\"}}") };
        let fault = protocol.decode(&refused).expect_err("a fault");
        assert_eq!(fault.message, "no key", "{protocol:?}");
    }
}

#[test]
fn a_message_that_repeats_the_request_is_truncated() {
    let refused = json!({"error": {"message": "ł".repeat(5_000)}}).to_string();
    let fault = Protocol::OpenAiChat.decode(&Response { status: 400, ..ok(&refused) }).expect_err("a fault");
    assert_eq!(fault.message.chars().count(), 2_001);
}

#[test]
fn the_users_fields_next_to_the_format_stay_when_the_format_is_rejected() {
    let extra = json!({"text": {"verbosity": "low"}, "top_k": 4});
    let parameters =
        Parameters { extra: extra.as_object().expect("fields").clone(), ..Parameters::default() };
    let schema = Schema::parse("age int").expect("a schema");
    let forms =
        Forms::of(&schema, Protocol::OpenAiResponses, Protocol::OpenAiResponses.modes()).expect("forms");
    let target = Target::new(Protocol::OpenAiResponses, OPENAI, "m".to_owned(), forms.first, parameters);
    assert!(target.without("text.format").is_none() && target.asks_for_schema_by("text.format"));
    assert!(target.without("text.verbosity").is_some() && target.without("top_k").is_some());
}

#[test]
fn the_tier_of_an_answer_and_its_long_cache_writes_are_read() {
    let chat = |more: Value| {
        let mut body = json!({"choices": [{"message": {"content": "1"}, "finish_reason": "stop"}]});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let long = json!({"cached_tokens": 1, "cache_write_tokens": 5, "cache_write_tokens_details": {"ttl_12h_tokens": 3}});
    let message = |usage: Value| json!({"content": [{"type": "text", "text": "1"}], "stop_reason": "end_turn", "usage": usage});
    let written = json!({"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4});
    for (protocol, body, tier, long_writes) in [
        (Protocol::OpenAiChat, chat(json!({"service_tier": "flex"})), Some("flex"), None),
        (Protocol::OpenAiChat, chat(json!({"service_tier": null})), None, None),
        (
            Protocol::OpenAiChat,
            chat(
                json!({"service_tier": 7, "usage": {"prompt_tokens": 9, "completion_tokens": 4, "service_tier": "x"}}),
            ),
            Some("x"),
            Some(0),
        ),
        (
            Protocol::OpenAiChat,
            chat(
                json!({"usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": long}}),
            ),
            None,
            Some(3),
        ),
        (
            Protocol::OpenAiResponses,
            json!({"status": "completed", "output": [], "service_tier": "priority",
                "usage": {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": long}}),
            Some("priority"),
            Some(3),
        ),
        (
            Protocol::Anthropic,
            message(
                json!({"input_tokens": 1, "output_tokens": 4, "cache_creation_input_tokens": 6, "cache_creation": written, "service_tier": "standard",
                "inference_geo": "global"}),
            ),
            Some("standard"),
            Some(4),
        ),
        (
            Protocol::Anthropic,
            message(
                json!({"input_tokens": 1, "output_tokens": 4, "service_tier": "standard", "speed": "fast"}),
            ),
            Some("fast"),
            Some(0),
        ),
        (
            Protocol::Anthropic,
            message(
                json!({"input_tokens": 1, "output_tokens": 4, "service_tier": "batch", "inference_geo": "us"}),
            ),
            Some("batch+us"),
            Some(0),
        ),
        (
            Protocol::Gemini,
            json!({"candidates": [{"content": {"parts": [{"text": "1"}]}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "serviceTier": "flex"}}),
            Some("flex"),
            Some(0),
        ),
    ] {
        let completion =
            protocol.decode(&ok(&body.to_string())).unwrap_or_else(|fault| panic!("{body}: {fault}"));
        let writes = completion.usage.map(|usage| usage.cache_write_long_tokens);
        assert_eq!((completion.service_tier.as_deref(), writes), (tier, long_writes), "{body}");
    }
}
