//! How servers word their rejections, and the kind of fault that each one is, by the server's protocol.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::fault::FaultKind;
use crate::provider::Protocol;
use crate::request::Response;
use crate::standing::LimitedBy;

fn kind(protocol: Protocol, status: u16, body: &str) -> FaultKind {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let response = Response { status, headers: HeaderMap::new(), body, received: SystemTime::UNIX_EPOCH };
    protocol.decode(&response).expect_err("a refusal").kind
}

/// The kind of an error with this message, as OpenAI's protocol wraps it.
fn said(status: u16, message: &str) -> FaultKind {
    kind(Protocol::OpenAiChat, status, &json!({"error": {"message": message}}).to_string())
}

#[test]
fn a_rejected_schema_is_recognised_in_each_servers_words() {
    for (status, message) in [
        (400, "Grammar error: Unimplemented keys: [\"contains\"]"),
        (400, "Invalid grammar specification: no rule root"),
        (400, "Failed to transform json schema into a grammar"),
        (400, "The provided JSON schema contains features not supported by outlines."),
        (400, "Failed to compile json grammar: JSON Schema at #/a is not supported by xgrammar: multipleOf"),
        (400, "failed to parse grammar"),
        (500, "Failed to initialize samplers: failed to parse grammar"),
        (500, "JSON schema conversion failed: Unrecognized schema: true"),
        (400, "Unable to generate parser for this template. Automatic parser generation failed"),
        (400, "unsupported $ref: #/x"),
        (
            400,
            "litellm.BadRequestError: OpenAIException - Failed to initialize samplers: failed to parse grammar",
        ),
        (400, "invalid format: expected \"json\" or a JSON schema"),
        (500, "failed to load model vocabulary required for format"),
        (400, "Invalid JSON Schema in request: `not` is unknown here"),
        (422, "the schema of the answer is too deep for this model"),
        (400, "guided decoding is not available on this backend"),
        (500, "Guided decoding with tools is disabled"),
        (500, "Compiling the JSON schema took too long"),
        (500, "Compilation of the grammar timed out after 10 s"),
        (503, "the schema could not be compiled"),
        (500, "the grammar stack is empty after accepting a piece"),
        (400, "Invalid JSON payload received. Unknown name \"additionalProperties\": Cannot find field."),
    ] {
        assert_eq!(said(status, message), FaultKind::InvalidSchema, "{status} {message}");
    }
}

#[test]
fn anthropic_and_gemini_reject_schemas_in_their_own_words() {
    for message in [
        "Grammar compilation timed out.",
        "output_config.format.schema: For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        "The schema is too complex for compilation.",
        "tools.0.custom.input_schema.properties: Property keys should match pattern '^[a-z]{1,64}$'",
    ] {
        let body = json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
        assert_eq!(kind(Protocol::Anthropic, 400, &body.to_string()), FaultKind::InvalidSchema, "{message}");
    }
    let body = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "'m' does not support output format."}});
    assert_eq!(kind(Protocol::Anthropic, 400, &body.to_string()), FaultKind::UnsupportedParameter);
    for message in [
        "The specified schema produces a constraint that has too many states for serving.",
        "Invalid JSON payload received. Unknown name \"additionalProperties\": Cannot find field.",
    ] {
        let body = json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}});
        assert_eq!(kind(Protocol::Gemini, 400, &body.to_string()), FaultKind::InvalidSchema, "{message}");
    }
}

#[test]
fn a_prompt_that_is_too_long_is_recognised_in_each_servers_words() {
    for (status, message) in [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."),
        (400, "The decoder prompt (length 9000) is longer than the maximum model length of 4096."),
        (400, "Requested token count exceeds the model's maximum context length of 4096 tokens."),
        (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000"),
        (422, "Input validation error: `inputs` must have less than 1024 tokens. Given: 5000"),
        (400, "the request exceeds the available context size. try increasing the context size"),
        (400, "the input length exceeds the context length"),
        (500, "the input length exceeds the context length"),
        (400, "Input token length is greater than the context length of the model"),
        (400, "litellm.ContextWindowExceededError: litellm.BadRequestError: too long"),
        (413, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
        (
            400,
            "There are 4097 input tokens and the context length is only 4096 tokens. (parameter=input_tokens)",
        ),
        (500, "Context size was exceeded."),
        (400, "the model has a context length of only 4096 tokens, which is not enough for the first 5000"),
        (400, "The maximum prompt length of the model is 131072, the request contains 200000 tokens."),
        (400, "Input is too long for this model."),
        (400, "The range of input length should be [1, 30720]"),
        (400, "Please reduce the length of the messages or completion."),
        (400, "Your request exceeded model token limit: 8192"),
    ] {
        assert_eq!(said(status, message), FaultKind::ContextLength, "{status} {message}");
    }
}

/// Local servers report these as server errors in Anthropic's and Gemini's protocols.
#[test]
fn a_request_that_a_server_cannot_serve_is_the_requests_fault() {
    for (message, expected) in [
        ("Context size was exceeded.", FaultKind::ContextLength),
        ("Compiling the schema failed", FaultKind::InvalidSchema),
        ("oops", FaultKind::Server),
    ] {
        let anthropic = json!({"type": "error", "error": {"type": "api_error", "message": message}});
        assert_eq!(kind(Protocol::Anthropic, 500, &anthropic.to_string()), expected, "{message}");
        let gemini = json!({"error": {"code": 500, "message": message, "status": "INTERNAL"}});
        assert_eq!(kind(Protocol::Gemini, 500, &gemini.to_string()), expected, "{message}");
    }
}

#[test]
fn a_concurrency_limit_is_recognised_in_each_servers_words() {
    for (status, message) in [
        (429, "Number of concurrent connections has exceeded the limit. Try again later."),
        (429, "Too many connections, wait before the next."),
        (429, "The most simultaneous requests were reached"),
        (429, "There are too many active requests (3)."),
        (429, "Too many in-flight requests"),
        (429, "Too many inflight requests"),
        (503, "Worker local total request limit reached (33/32)"),
        (500, "Too many concurrent requests"),
    ] {
        let said = |protocol: Protocol, body: serde_json::Value| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("60"))]);
            let body = body.to_string().into();
            let response = Response { status, headers, body, received: SystemTime::UNIX_EPOCH };
            let fault = protocol.decode(&response).expect_err("a refusal");
            (fault.kind, fault.limited_by, fault.retry_after)
        };
        let expected = (FaultKind::RateLimit, Some(LimitedBy::Concurrency), None);
        let plain = json!({"error": {"message": message}});
        assert_eq!(said(Protocol::OpenAiChat, plain.clone()), expected, "{message}");
        assert_eq!(said(Protocol::OpenAiResponses, plain.clone()), expected, "{message}");
        assert_eq!(said(Protocol::Anthropic, plain.clone()), expected, "{message}");
        assert_eq!(said(Protocol::Gemini, plain), expected, "{message}");
    }
    for (status, message, expected) in [
        (429, "Rate limit reached for requests per minute", FaultKind::RateLimit),
        (500, "concurrent modification", FaultKind::Server),
        (503, "no server is available", FaultKind::Server),
    ] {
        let body = Bytes::from(json!({"error": {"message": message}}).to_string());
        let response = Response { status, headers: HeaderMap::new(), body, received: SystemTime::UNIX_EPOCH };
        let fault = Protocol::OpenAiChat.decode(&response).expect_err("a refusal");
        assert_eq!(fault.kind, expected, "{message}");
        assert_ne!(
            (fault.kind, fault.limited_by),
            (FaultKind::RateLimit, Some(LimitedBy::Concurrency)),
            "{message}"
        );
    }
}

#[test]
fn lookalikes_concern_only_the_row() {
    for message in [
        "the image is invalid",
        "the number of images exceeds the maximum",
        "'max_tokens' is too large: 5000, at most 4096 completion tokens are possible",
        "litellm.JSONSchemaValidationError: the model returned an invalid response for the schema",
        "[{'type': 'string_type', 'loc': ('body', 'messages', 0), 'msg': 'no', 'input': 'failed to parse grammar, invalid schema'}]",
    ] {
        assert_eq!(said(400, message), FaultKind::InvalidRequest, "{message}");
    }
}

#[test]
fn a_wrong_model_key_or_address_is_recognised_in_each_servers_words() {
    use FaultKind::{Auth, NotFound};
    for (status, message, expected) in [
        (400, "Model Not Exist", NotFound),
        (
            400,
            "/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to see them.",
            NotFound,
        ),
        (400, "Invalid model: x", NotFound),
        (400, "x is not a valid model ID", NotFound),
        (400, "The provided model identifier is invalid.", NotFound),
        (400, "The model `x` has been decommissioned and is no longer supported.", NotFound),
        (410, "x has been deprecated", NotFound),
        (405, "Method Not Allowed", NotFound),
        (421, "Misdirected Request", NotFound),
        (501, "Unsupported method ('POST')", NotFound),
        (400, "Incorrect API key provided: x. You can obtain one from the console.", Auth),
        (400, "litellm.AuthenticationError: no", Auth),
        (400, "<html>400 The plain HTTP request was sent to HTTPS port</html>", NotFound),
        (400, "Client sent an HTTP request to an HTTPS server.", NotFound),
    ] {
        assert_eq!(said(status, message), expected, "{status} {message}");
        assert_eq!(kind(Protocol::OpenAiChat, status, message), expected, "bare: {status} {message}");
    }
    for code in ["model_not_found", "invalid_model"] {
        let body = json!({"error": {"message": "no", "code": code}}).to_string();
        assert_eq!(kind(Protocol::OpenAiChat, 400, &body), NotFound, "{code}");
    }
    let forgotten = json!({"error": "Unexpected endpoint or method. (POST /chat/completions)"}).to_string();
    assert_eq!(kind(Protocol::OpenAiChat, 200, &forgotten), NotFound);
}
