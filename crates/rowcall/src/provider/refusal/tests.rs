//! How servers word what they refuse, and what kind of fault that is, by the protocol that each of them speaks.

use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;

use crate::fault::FaultKind;
use crate::provider::Protocol;
use crate::request::Response;

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
fn a_refused_schema_is_known_by_the_words_of_each_server() {
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
        (400, "Invalid JSON payload received. Unknown name \"additionalProperties\": Cannot find field."),
    ] {
        assert_eq!(said(status, message), FaultKind::InvalidSchema, "{status} {message}");
    }
}

#[test]
fn anthropic_and_gemini_refuse_schemas_in_words_of_their_own() {
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
fn a_prompt_that_is_too_long_is_known_by_the_words_of_each_server() {
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
    ] {
        assert_eq!(said(status, message), FaultKind::ContextLength, "{status} {message}");
    }
}

#[test]
fn words_that_only_look_so_are_of_the_row() {
    for message in [
        "the image is invalid",
        "litellm.JSONSchemaValidationError: the model returned an invalid response for the schema",
        "[{'type': 'string_type', 'loc': ('body', 'messages', 0), 'msg': 'no', 'input': 'failed to parse grammar, invalid schema'}]",
    ] {
        assert_eq!(said(400, message), FaultKind::InvalidRequest, "{message}");
    }
}

#[test]
fn a_wrong_model_key_or_address_is_known_by_the_words_of_each_server() {
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
