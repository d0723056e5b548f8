//! Servers' errors and the kind of fault that each one is.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::provider::Protocol;
use crate::provider::tests::{check, ok, vectors, wire};
use crate::schema::Schema;

/// A server's response with this status and body.
fn answered(status: u16, body: &str) -> Response {
    Response { status, body: Bytes::copy_from_slice(body.as_bytes()), ..ok("") }
}

#[test]
fn errors_are_classified_as_in_the_vectors() {
    let schema = Schema::parse("vendor").expect("a schema");
    let wire = wire("invoice", None, schema.as_json());
    for mut case in vectors("openai_errors.json") {
        if case["id"] == "flex_unavailable" {
            // A known difference: the provider is out of capacity, the account has not used up its own.
            case["expect"]["cls"] = json!("overloaded");
        }
        for protocol in [Protocol::OpenAiChat, Protocol::OpenAiResponses] {
            check(&case, protocol, &schema, &wire);
        }
    }
}

/// The vectors decide what is retried by status and `x-should-retry` alone.
#[test]
fn statuses_are_retried_as_in_the_vectors() {
    let cases = vectors("retry_and_limits.json");
    let mut judged = 0;
    for case in cases.iter().filter(|case| case["kind"] == "should_retry") {
        let status = case["status"].as_u64().expect("a status");
        // Known differences: a complete answer is not requested again, 425 asks for a retry, two minutes are not too long to
        // wait, what is not implemented is so for every row, and a gateway's hint to retry is followed once.
        let is_of_gateway =
            matches!(status, 502..=504 | 520..=522) && case["headers"]["x-should-retry"] == "false";
        if (200..300).contains(&status)
            || status == 425
            || status == 501
            || is_of_gateway
            || case["headers"]["retry-after"] == "121"
        {
            continue;
        }
        let fault = classify(&crate::provider::tests::response(&with_body(case)));
        let tried = crate::retry::Tried { faults: 1, limits: 1, answered: true, ..Default::default() };
        let decided = crate::retry::decide(&fault, tried, crate::retry::RetryPolicy::default(), 0.5);
        let retries = matches!(decided, crate::retry::Decision::Retry(_));
        assert_eq!(Some(retries), case["openai"].as_bool(), "{}: {fault}", case["id"]);
        judged += 1;
    }
    assert!(judged > 40, "the vectors were read: {judged}");
}

fn with_body(case: &Value) -> Value {
    let mut case = case.clone();
    case["body_text"] = json!("");
    case
}

#[test]
fn rejected_fields_are_found_in_each_servers_words() {
    use FaultKind::{InvalidRequest, InvalidSchema, NotFound, Server, Unprocessable, UnsupportedParameter};
    let said = |message: &str| json!({"error": {"message": message}}).to_string();
    for (status, body, kind, param) in [
        // OpenAI.
        (
            400,
            json!({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"}}).to_string(),
            UnsupportedParameter,
            Some("max_tokens"),
        ),
        (400, said("Unsupported parameter: 'max_tokens' is not supported with this model."), UnsupportedParameter, Some("max_tokens")),
        (400, said("Unsupported value: 'temperature' does not support 0 with this model."), UnsupportedParameter, Some("temperature")),
        (400, said("'temperature' does not support 0.2"), UnsupportedParameter, Some("temperature")),
        (400, said("Unrecognized request argument supplied: top_k"), UnsupportedParameter, Some("top_k")),
        (400, said("Unknown parameter: 'reasoning.effort'."), UnsupportedParameter, Some("reasoning.effort")),
        (
            400,
            json!({"error": {"message": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", "param": "response_format", "code": null}}).to_string(),
            UnsupportedParameter,
            Some("response_format"),
        ),
        (
            400,
            json!({"error": {"message": "Invalid value: 'x'. Supported values are: 'text'.", "param": "text.format.type", "code": "invalid_value"}}).to_string(),
            UnsupportedParameter,
            Some("text.format.type"),
        ),
        (
            400,
            json!({"error": {"message": "Invalid schema for function 'answer': no", "param": "tools[0].function.parameters", "code": "invalid_function_parameters"}}).to_string(),
            InvalidSchema,
            Some("tools[0].function.parameters"),
        ),
        (
            400,
            json!({"error": {"message": "no", "param": "text.format.schema", "code": "invalid_json_schema"}}).to_string(),
            InvalidSchema,
            Some("text.format.schema"),
        ),
        (400, json!({"error": {"message": "too big", "param": "temperature", "code": "decimal_above_max_value"}}).to_string(), InvalidRequest, Some("temperature")),
        (404, said("The model `gpt-9` does not exist or you do not have access to it."), NotFound, None),
        // Groq.
        (400, said("This model does not support response format `json_schema`. See supported models."), UnsupportedParameter, Some("response_format")),
        (400, said("invalid JSON schema for response_format: 'person': /required: is missing"), InvalidSchema, Some("response_format")),
        (400, said("property 'top_k' is unsupported"), UnsupportedParameter, Some("top_k")),
        // DeepSeek.
        (400, said("This response_format type is unavailable now"), UnsupportedParameter, Some("response_format")),
        (422, said("Failed to deserialize the JSON body into the target type: unknown field `top_k`, expected one of `model`"), UnsupportedParameter, Some("top_k")),
        // vLLM, which formats its validator's list as text.
        (400, said("[{'type': 'extra_forbidden', 'loc': ('body', 'top_k'), 'msg': 'Extra inputs are not permitted', 'input': 4}]"), UnsupportedParameter, Some("top_k")),
        (400, said("1 validation error for ChatCompletionRequest\ntop_k\n  Extra inputs are not permitted [type=extra_forbidden]"), UnsupportedParameter, Some("top_k")),
        (400, said("The provided JSON schema contains features not supported by xgrammar."), InvalidSchema, None),
        (400, json!({"object": "error", "message": "`top_k` is not supported", "type": "BadRequestError", "code": 400}).to_string(), UnsupportedParameter, Some("top_k")),
        // FastAPI and Mistral.
        (422, json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}).to_string(), UnsupportedParameter, Some("seed")),
        (422, json!({"detail": [{"type": "literal_error", "loc": ["body", "response_format", "type"], "msg": "Input should be 'text'"}]}).to_string(), UnsupportedParameter, Some("response_format.type")),
        (422, json!({"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra"}]}}).to_string(), UnsupportedParameter, Some("seed")),
        (422, json!({"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}).to_string(), Unprocessable, Some("messages")),
        (422, json!({"detail": "no"}).to_string(), Unprocessable, None),
        // Gemini's compatible layer, Cerebras, xAI, Ollama, OpenRouter.
        (400, said("Invalid JSON payload received. Unknown name \"seed\": Cannot find field."), UnsupportedParameter, Some("seed")),
        (400, said("body.seed: property 'body.seed' is unsupported"), UnsupportedParameter, Some("seed")),
        (400, said("Argument not supported on this model: presence_penalty"), UnsupportedParameter, Some("presence_penalty")),
        (400, json!({"error": "gemma:latest does not support tools"}).to_string(), UnsupportedParameter, Some("tools")),
        (404, said("No endpoints found that support tool use."), UnsupportedParameter, Some("tools")),
        (
            400,
            json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "{\"error\":{\"message\":\"Unknown parameter: 'seed'.\"}}"}}}).to_string(),
            UnsupportedParameter,
            Some("seed"),
        ),
        // llama.cpp and llama-cpp-python.
        (400, said("JSON schema conversion failed:\nUnrecognized schema: {}"), InvalidSchema, None),
        (500, said("response_format type must be one of \"text\" or \"json_object\", but got: json_schema"), UnsupportedParameter, Some("response_format")),
        (500, said("[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\"}]"), UnsupportedParameter, Some("response_format")),
        (500, said("Unknown parameter: 'seed'."), Server, Some("seed")),
        // Lookalikes.
        (400, said("The value of 'seed' is too large"), InvalidRequest, None),
        (400, said("This value is not supported"), InvalidRequest, None),
        (400, said("[{'type': 'string_type', 'loc': ('body', 'messages', 0), 'msg': 'no', 'input': 'I like json_schema'}]"), InvalidRequest, None),
        (400, said("Unsupported value for a parameter"), InvalidRequest, None),
        (400, said("Unknown parameter: ''"), InvalidRequest, None),
    ] {
        let fault = classify(&answered(status, &body));
        assert_eq!((fault.kind, fault.param.as_deref()), (kind, param), "{status} {body}");
    }
}

#[test]
fn errors_are_classified_in_each_servers_words() {
    let said = |message: &str| json!({"error": {"message": message}}).to_string();
    for (status, body, kind) in [
        // Azure.
        (429, json!({"error": {"code": "429", "message": "Please retry after 6 seconds."}}).to_string(), FaultKind::RateLimit),
        (400, json!({"error": {"code": "400", "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}).to_string(), FaultKind::ContentPolicy),
        (404, json!({"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}).to_string(), FaultKind::NotFound),
        // Mistral, without a wrapper.
        (401, json!({"object": "error", "message": "Unauthorized", "type": "invalid_request_error", "code": null}).to_string(), FaultKind::Auth),
        (429, json!({"message": "Requests rate limit exceeded"}).to_string(), FaultKind::RateLimit),
        (400, said("Prompt contains 40000 tokens, too large for model with 32768 maximum context length"), FaultKind::ContextLength),
        // OpenRouter, LiteLLM.
        (403, said("Your chosen model requires moderation and your input was flagged."), FaultKind::ContentPolicy),
        (403, said("Key disabled"), FaultKind::Permission),
        (503, said("No available model provider that meets your routing requirements"), FaultKind::Server),
        (400, json!({"error": {"message": "Budget has been exceeded!", "type": "budget_exceeded", "code": "400"}}).to_string(), FaultKind::Quota),
        (400, said("litellm.ContextWindowExceededError: the context window is full"), FaultKind::ContextLength),
        (429, json!({"error": {"message": "no", "type": "throttling_error", "code": "429"}}).to_string(), FaultKind::RateLimit),
        // Groq.
        (498, String::new(), FaultKind::InvalidRequest),
        (413, said("Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000"), FaultKind::RequestExceedsLimit),
        // OpenAI.
        (429, json!({"error": {"message": "no", "type": "resource_unavailable", "code": "resource_unavailable"}}).to_string(), FaultKind::Overloaded),
        (429, said("You exceeded your current quota, please check your plan and billing details."), FaultKind::Quota),
        (200, json!({"choices": null, "error": {"message": "Insufficient credits", "code": 402}}).to_string(), FaultKind::Quota),
        // Google behind a gateway.
        (429, said("You exceeded your current quota, please check your plan. Please retry in 46.2s."), FaultKind::RateLimit),
        (503, json!({"error": {"message": "no", "type": "service_unavailable_error", "code": "server_is_overloaded"}}).to_string(), FaultKind::Overloaded),
        // llama.cpp, Ollama, DeepSeek.
        (503, json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}).to_string(), FaultKind::Overloaded),
        (503, json!({"error": "server busy, please try again. maximum pending requests exceeded"}).to_string(), FaultKind::Overloaded),
        (503, said("Server Overloaded"), FaultKind::Overloaded),
        (503, "<html>Service Unavailable</html>".to_owned(), FaultKind::Server),
        // An error in the form of a stream.
        (429, "event: error\ndata: {\"error\": {\"message\": \"no\", \"code\": \"insufficient_quota\"}}\n\n".to_owned(), FaultKind::Quota),
    ] {
        let fault = classify(&answered(status, &body));
        assert_eq!(fault.kind, kind, "{status} {body}: {fault}");
    }
}

#[test]
fn an_error_in_a_200_is_the_error_that_it_is() {
    for (error, kind) in [
        (json!({"code": 502, "message": "no"}), FaultKind::Server),
        (json!({"code": 429, "message": "no"}), FaultKind::RateLimit),
        (json!({"code": "429", "message": "no"}), FaultKind::RateLimit),
        (json!({"code": "rate_limit_exceeded", "message": "no"}), FaultKind::RateLimit),
        (json!({"code": "server_error", "message": "no"}), FaultKind::Server),
        (json!({"code": "invalid_prompt", "message": "no"}), FaultKind::ContentPolicy),
        (json!({"code": "bio_policy", "message": "no"}), FaultKind::ContentPolicy),
        (json!({"code": "image_content_policy_violation", "message": "no"}), FaultKind::ContentPolicy),
        (json!({"code": "image_too_large", "message": "no"}), FaultKind::InvalidRequest),
        (json!({"code": "failed_to_download_image", "message": "no"}), FaultKind::Server),
        (json!({"code": "data_residency_mismatch", "message": "no"}), FaultKind::Permission),
        (json!({"code": "server_is_overloaded", "message": "no"}), FaultKind::Overloaded),
        (json!({"type": "insufficient_quota", "message": "no"}), FaultKind::Quota),
        (
            json!({"type": "invalid_request_error", "message": "maximum context length"}),
            FaultKind::ContextLength,
        ),
        (json!({"type": "server_error", "code": null, "message": "no"}), FaultKind::Server),
        (json!("something"), FaultKind::Server),
    ] {
        let fault = classify(&ok(&json!({ "error": error }).to_string()));
        assert_eq!(fault.kind, kind, "{error}: {fault}");
        let event = in_event("", &json!({ "error": error })).expect("an error");
        assert_eq!(classify(&ok(&event.to_string())), fault, "{error}");
    }
    for no_error in
        [json!({"choices": []}), json!({"error": null}), json!({"error": {}}), json!([]), json!(1)]
    {
        assert_eq!(in_event("", &no_error), None, "{no_error}");
    }
    let unwrapped = json!({"type": "error", "code": "rate_limit_exceeded", "message": "no"});
    let fault = classify(&ok(&in_event("", &unwrapped).expect("an error").to_string()));
    assert_eq!((fault.kind, &*fault.message), (FaultKind::RateLimit, "no"));
}

#[test]
fn complaints_are_reported_in_their_own_words() {
    let body = json!({"detail": [
        {"loc": ["body", "messages", 0, "content"], "msg": "Field required"},
        {"loc": [], "msg": "and more"},
    ]});
    let fault = classify(&answered(422, &body.to_string()));
    assert_eq!(fault.message, "messages.content: Field required; and more");
    assert_eq!(classify(&answered(500, " a \n b ")).message, "a b");
    for (body, message) in [
        ("", "no message"),
        (r#""""#, r#""""#),
        (r#"{"error":{"message":""}}"#, r#"{"error":{"message":""}}"#),
        (r#"{"detail":""}"#, "no message"),
        (r#"{"detail":[]}"#, r#"{"detail":[]}"#),
    ] {
        assert_eq!(classify(&answered(500, body)).message, message, "{body}");
    }
    assert_eq!(classify(&answered(500, &"x".repeat(900))).message.chars().count(), 201);
}

#[test]
fn a_concurrency_limit_is_read_from_the_message() {
    for (message, places) in [
        (
            "Rate limit exceeded for api_key: x. Limit type: max_parallel_requests. Current limit: 3, Remaining: 0. Limit resets at: 2026-11-29 00:13:35 UTC",
            Some(3),
        ),
        ("Crossed the limit: current max_parallel_requests: 4, max_parallel_requests: 3", Some(3)),
        ("Too many, max parallel requests: 3", Some(3)),
        (
            "Your account reached its max organization concurrency: 3, please try again after 1 seconds",
            Some(3),
        ),
        ("Rate limit reached on concurrent requests: Limit 40, Used 40, Requested 1.", Some(40)),
        ("Max parallel request limit reached", None),
        ("max parallel requests: 0", None),
        ("max parallel requests: many", None),
        ("Rate limit reached. Current limit: 3", None),
    ] {
        let body = json!({"error": {"message": message}}).to_string();
        assert_eq!(classify(&answered(429, &body)).places, places, "{message}");
    }
}
