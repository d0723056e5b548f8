//! A chat completion, read. The envelope is read leniently, since compatible servers leave out or rename much of it; its
//! message is `message.rs`'s, and the payload is left to `completion/`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::{body, openai_error, sse};
use super::message::{Message, is_answer_of};
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::turn::{Completion, Content, Finish, Usage};

#[derive(Deserialize)]
struct Envelope<'a> {
    /// Gateways written in Go have a null for none.
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default, deserialize_with = "lenient")]
    model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<WireUsage>,
    #[serde(default, deserialize_with = "lenient")]
    service_tier: Option<String>,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    /// Where the pieces of a stream have theirs, which some gateways send whole.
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    /// Where completions that are no chat have their answer.
    #[serde(default, deserialize_with = "lenient")]
    text: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    finish_reason: Option<String>,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default, deserialize_with = "lenient")]
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's own word for cached tokens, beside OpenAI's in newer versions.
    prompt_cache_hit_tokens: Option<u64>,
    /// Where Mistral has it.
    #[serde(default, deserialize_with = "lenient")]
    service_tier: Option<String>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    cache_write_tokens_details: Option<WriteDetails>,
}

#[derive(Deserialize)]
struct WriteDetails {
    ttl_12h_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// A part of the envelope whose odd shape must not cost the answer: what does not fit is read as absent.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// Reads a response that is no stream.
pub(super) fn read(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return openai_error::judge(response);
    }
    // A page that begins with `<` or a body that was cut comes here too: both are a server's fault that a retry may mend.
    let unreadable = |what: String| openai_error::in_success(response, FaultKind::Server, what);
    let envelope: Envelope<'_> = serde_json::from_slice(sse::without_mark(&response.body))
        .map_err(|error| unreadable(format!("the body is not a chat completion: {error}")))?;
    if !openai_error::is_empty(&envelope.error) {
        return openai_error::judge(response);
    }
    let Some(choice) = envelope.choices.into_iter().flatten().next() else {
        return Err(openai_error::unwrapped(response)
            .unwrap_or_else(|| unreadable("the body has no choices".to_owned())));
    };
    if !openai_error::is_empty(&choice.error) {
        return openai_error::judge(response);
    }
    let finish_reason = choice.finish_reason.unwrap_or_default();
    if let Some((kind, words)) = broken_off(&finish_reason) {
        return Err(openai_error::in_success(response, kind, words.to_owned()));
    }
    let message = match (choice.message.or(choice.delta), choice.text) {
        (Some(raw), _) => body::read(raw.get(), is_answer_of)
            .map_err(|error| unreadable(format!("the message cannot be read: {error}")))?,
        (None, Some(text)) => Value::String(text),
        (None, None) => return Err(unreadable("the first choice has no message".to_owned())),
    };
    let message = Message::read(message)
        .map_err(|found| unreadable(format!("the message is {found}, expected an object with `content`")))?;
    let finish = finish(&finish_reason);
    let of_usage = || envelope.usage.as_ref().and_then(|usage| usage.service_tier.clone());
    let service_tier = envelope.service_tier.or_else(of_usage);
    let is_cut = message.came_parsed && finish == Finish::Length;
    Ok(Completion {
        raw_turn: message.replayable(),
        content: if is_cut { Content::Text(String::new()) } else { message.content() },
        finish,
        finish_reason,
        usage: envelope.usage.and_then(usage),
        service_tier,
        model: envelope.model.unwrap_or_default(),
        continuation: None,
        body: bytes::Bytes::new(),
    })
}

/// The finish reasons with which servers say that they have failed, all within a 200.
fn broken_off(finish_reason: &str) -> Option<(FaultKind, &'static str)> {
    match finish_reason {
        // DeepSeek's.
        "insufficient_system_resource" => Some((FaultKind::Overloaded, "insufficient system resource")),
        // Mistral's and OpenRouter's.
        "error" => Some((FaultKind::Server, "the server broke the answer off with an error")),
        _ => None,
    }
}

/// Compatible servers add words of their own (Mistral's `model_length`), so this is an open set.
pub(super) fn finish(reason: &str) -> Finish {
    match reason.to_ascii_lowercase().as_str() {
        "" => Finish::Unstated,
        "length"
        | "model_length"
        | "max_tokens"
        | "max_output_tokens"
        | "max_new_tokens"
        | "model_context_window_exceeded"
        | "context_length_exceeded" => Finish::Length,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}

fn usage(wire: WireUsage) -> Option<Usage> {
    if wire.prompt_tokens.is_none() && wire.completion_tokens.is_none() {
        return None;
    }
    let prompt = wire.prompt_tokens_details;
    let completion = wire.completion_tokens_details;
    let (input, output) = (wire.prompt_tokens.unwrap_or(0), wire.completion_tokens.unwrap_or(0));
    let reasoning = completion.and_then(|details| details.reasoning_tokens).unwrap_or(0);
    // xAI counts reasoning beside the completion, which only the total tells.
    let is_beside = wire.total_tokens == Some(input.saturating_add(output).saturating_add(reasoning));
    let cached_tokens = prompt.as_ref().and_then(|details| details.cached_tokens);
    let long = prompt.as_ref().and_then(|details| details.cache_write_tokens_details.as_ref());
    let long = long.and_then(|details| details.ttl_12h_tokens);
    Some(Usage {
        input_tokens: input,
        cached_tokens: cached_tokens.or(wire.prompt_cache_hit_tokens).unwrap_or(0),
        cache_write_tokens: prompt.and_then(|details| details.cache_write_tokens).unwrap_or(0),
        cache_write_long_tokens: long.unwrap_or(0),
        output_tokens: if is_beside { output.saturating_add(reasoning) } else { output },
        reasoning_tokens: reasoning,
    })
}
