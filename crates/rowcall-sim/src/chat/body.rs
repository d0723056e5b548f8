//! Answers and errors as OpenAI's JSON bodies.

use serde::Serialize;

use super::answer::{Answer, Said};
use super::request::Request;

/// How the simulator signs its answers.
pub(crate) const FINGERPRINT: &str = "rowcall-simulator";

/// What all pieces of one answer share.
#[derive(Clone, Debug)]
pub(crate) struct Envelope<'r> {
    /// `chatcmpl-sim-…`.
    pub(crate) id: String,
    /// Unix time in seconds.
    pub(crate) created: u64,
    pub(crate) model: &'r str,
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
    service_tier: &'static str,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    annotations: [(); 0],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: String,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// Tokens as OpenAI counts them out; the simulator caches nothing and does not reason.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Clone, Copy, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are named as on the wire")]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Clone, Copy, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are named as on the wire")]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl Usage {
    pub(crate) fn of(request: &Request, answer: &Answer) -> Self {
        Self {
            prompt_tokens: request.prompt_tokens,
            completion_tokens: answer.tokens,
            total_tokens: request.prompt_tokens + answer.tokens,
            prompt_tokens_details: PromptDetails::default(),
            completion_tokens_details: CompletionDetails::default(),
        }
    }
}

/// The body of a whole answer.
pub(crate) fn completion(envelope: &Envelope<'_>, request: &Request, answer: &Answer) -> Vec<u8> {
    let (content, refusal, calls) = match &answer.said {
        Said::Content(text) => (Some(text.as_str()), None, &[][..]),
        Said::Refusal(text) => (None, Some(text.as_str()), &[][..]),
        Said::Calls(calls) => (None, None, calls.as_slice()),
    };
    let tool_calls = calls.iter().enumerate().map(|(n, each)| ToolCall {
        id: call_id(envelope, n),
        r#type: "function",
        function: Function { name: &each.name, arguments: &each.arguments },
    });
    let message =
        Message { role: "assistant", content, refusal, annotations: [], tool_calls: tool_calls.collect() };
    json(&Completion {
        id: &envelope.id,
        object: "chat.completion",
        created: envelope.created,
        model: envelope.model,
        choices: [Choice { index: 0, message, logprobs: None, finish_reason: answer.finish.name() }],
        usage: Usage::of(request, answer),
        service_tier: "default",
        system_fingerprint: FINGERPRINT,
    })
}

/// The id of the `n`th tool call of an answer.
pub(crate) fn call_id(envelope: &Envelope<'_>, n: usize) -> String {
    format!("call_sim_{}_{n}", envelope.id.rsplit('-').next().unwrap_or(""))
}

/// An error body; `param` and `code` may be null.
pub(crate) fn error(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Vec<u8> {
    json(&serde_json::json!({ "error": { "message": message, "type": kind, "param": param, "code": code } }))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Nothing here can fail to serialise: no maps with odd keys, no fallible types.
    serde_json::to_vec(value).unwrap_or_default()
}
