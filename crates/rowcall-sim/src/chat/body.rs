//! A whole answer as an OpenAI chat completion, and the parts that a stream shares.

use serde::Serialize;

use crate::answer::{Answer, Finish, Said};
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::openai::FINGERPRINT;

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

/// Tokens in OpenAI's breakdown; the simulator caches nothing.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Usage {
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
    pub(super) fn of(ask: &Ask, answer: &Answer) -> Self {
        Self {
            prompt_tokens: ask.prompt_tokens,
            completion_tokens: answer.tokens,
            total_tokens: ask.prompt_tokens + answer.tokens,
            prompt_tokens_details: PromptDetails {
                cached_tokens: ask.cached_tokens,
                ..PromptDetails::default()
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: answer.thought_tokens(),
                ..CompletionDetails::default()
            },
        }
    }
}

/// The body of a whole answer.
pub(super) fn completion(envelope: Envelope, ask: &Ask, answer: &Answer) -> String {
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
    let completion = Completion {
        id: &id(envelope),
        object: "chat.completion",
        created: envelope.created,
        model: &ask.model,
        choices: [Choice { index: 0, message, logprobs: None, finish_reason: finish(answer.finish) }],
        usage: Usage::of(ask, answer),
        service_tier: "default",
        system_fingerprint: FINGERPRINT,
    };
    // Nothing here can fail to serialise: no maps with odd keys, no fallible types.
    serde_json::to_string(&completion).unwrap_or_default()
}

pub(super) fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
    }
}

pub(super) fn id(envelope: Envelope) -> String {
    format!("chatcmpl-sim-{:012x}", envelope.number)
}

/// The id of the `n`th tool call of an answer.
pub(super) fn call_id(envelope: Envelope, n: usize) -> String {
    format!("call_sim_{:012x}_{n}", envelope.number)
}
