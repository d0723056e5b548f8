//! Decodes a chat completion. The envelope is read leniently, since compatible servers omit or rename much of it; `message.rs`
//! reads the message, and `completion/` the answer in it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::{body, chosen, openai_error, sse};
use super::message::{Message, is_answer_of};
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::turn::{Choice, Completion, Content, Finish, Usage};

#[derive(Deserialize)]
struct Envelope<'a> {
    /// Gateways written in Go send null instead of an empty list.
    #[serde(borrow, default)]
    choices: Option<Vec<WireChoice<'a>>>,
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
struct WireChoice<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    /// The message of a stream's chunks, which some gateways send complete.
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    /// The answer of completions that are not chats.
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
    /// DeepSeek's name for cached tokens, sent along with OpenAI's in newer versions.
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

/// Reads a part of the envelope whose odd shape must not cost the answer: a value that does not fit counts as absent.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// Decodes a response that is not a stream.
pub(super) fn read(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return openai_error::judge(response);
    }
    // Also reached by a web page or a body that was cut off: both are server faults that a retry may fix.
    let unreadable = |what: String| openai_error::in_success(response, FaultKind::Server, what);
    let envelope: Envelope<'_> = serde_json::from_slice(sse::without_mark(&response.body))
        .map_err(|error| unreadable(format!("the body is not a chat completion: {error}")))?;
    if !openai_error::is_empty(&envelope.error) {
        return openai_error::judge(response);
    }
    let mut choices = envelope.choices.into_iter().flatten();
    let Some(choice) = choices.next() else {
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
    let message = read_message(choice.message.or(choice.delta), choice.text).map_err(unreadable)?;
    let (first, raw_turn) = answered(message, &finish_reason);
    // Several choices come although only one was asked for. Those that cannot be read or have no content do not count.
    let others = choices.filter(|choice| openai_error::is_empty(&choice.error)).filter_map(|choice| {
        let reason = choice.finish_reason.unwrap_or_default();
        let message = read_message(choice.message.or(choice.delta), choice.text).ok()?;
        broken_off(&reason).is_none().then(|| answered(message, &reason).0)
    });
    let Choice { content, finish } = chosen(first, others.collect());
    let of_usage = || envelope.usage.as_ref().and_then(|usage| usage.service_tier.clone());
    let service_tier = envelope.service_tier.or_else(of_usage);
    Ok(Completion {
        raw_turn,
        content,
        finish,
        finish_reason,
        usage: envelope.usage.and_then(usage),
        service_tier,
        model: envelope.model.unwrap_or_default(),
        continuation: None,
        body: bytes::Bytes::new(),
    })
}

/// Reads the message of a choice.
///
/// # Errors
/// Why it cannot be read.
fn read_message(raw: Option<&RawValue>, text: Option<String>) -> Result<Message, String> {
    if let Some(message) = raw.and_then(|raw| Message::plain(raw.get())) {
        return Ok(message);
    }
    let message = match (raw, text) {
        (Some(raw), _) => body::read(raw.get(), is_answer_of)
            .map_err(|error| format!("the message cannot be read: {error}"))?,
        (None, Some(text)) => Value::String(text),
        (None, None) => return Err("the first choice has no message".to_owned()),
    };
    Message::read(message)
        .map_err(|found| format!("the message is {found}, expected an object with `content`"))
}

/// The content of a message with its finish, and the turn to send back in a re-ask.
fn answered(message: Message, finish_reason: &str) -> (Choice, Value) {
    let finish = finish(finish_reason);
    let raw_turn = message.replayable();
    let is_cut = message.came_parsed && finish == Finish::Length;
    let content = if is_cut { Content::Text(String::new()) } else { message.content() };
    (Choice { content, finish }, raw_turn)
}

/// The finish reasons with which servers report a failure in a 200.
fn broken_off(finish_reason: &str) -> Option<(FaultKind, &'static str)> {
    match finish_reason {
        // DeepSeek's.
        "insufficient_system_resource" => Some((FaultKind::Overloaded, "insufficient system resource")),
        // Mistral's and OpenRouter's.
        "error" => Some((FaultKind::Server, "the server aborted the answer with an error")),
        _ => None,
    }
}

/// Reads a finish reason. Compatible servers add their own (Mistral's `model_length`), so the set is open.
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
    let (input, output) = (wire.prompt_tokens?, wire.completion_tokens?);
    let prompt = wire.prompt_tokens_details;
    let completion = wire.completion_tokens_details;
    let reasoning = completion.and_then(|details| details.reasoning_tokens).unwrap_or(0);
    // xAI counts reasoning separately from the completion, which shows only in the total.
    let sum = input.checked_add(output)?;
    let is_separate = wire.total_tokens == Some(sum.checked_add(reasoning)?);
    if !is_separate && wire.total_tokens.is_some_and(|total| total != sum) {
        return None;
    }
    let cached_tokens = prompt.as_ref().and_then(|details| details.cached_tokens);
    let long = prompt.as_ref().and_then(|details| details.cache_write_tokens_details.as_ref());
    let long = long.and_then(|details| details.ttl_12h_tokens);
    let usage = Usage {
        input_tokens: input,
        cached_tokens: cached_tokens.or(wire.prompt_cache_hit_tokens).unwrap_or(0),
        cache_write_tokens: prompt.and_then(|details| details.cache_write_tokens).unwrap_or(0),
        cache_write_long_tokens: long.unwrap_or(0),
        output_tokens: if is_separate { output.checked_add(reasoning)? } else { output },
        reasoning_tokens: reasoning,
    };
    usage.plausible()
}
