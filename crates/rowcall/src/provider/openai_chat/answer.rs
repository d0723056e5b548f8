//! A chat completion, read. The envelope is read leniently, since compatible servers leave out or rename much of it; the
//! payload is left to `completion/`.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::{openai_error, said_or_nothing, sse};
use crate::fault::{Fault, FaultKind};
use crate::request::Response;
use crate::turn::{Completion, Content, Finish, ToolCall, Usage};

#[derive(Deserialize)]
struct Envelope<'a> {
    /// Gateways written in Go have a null for none.
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default, deserialize_with = "lenient")]
    model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "lenient")]
    finish_reason: Option<String>,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<MessageContent>,
    #[serde(default, deserialize_with = "lenient")]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<WireToolCall>>,
}

/// A string as OpenAI sends it, or a list of parts as some compatible servers do.
#[derive(Deserialize)]
#[serde(untagged)]
enum MessageContent {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Deserialize)]
struct ContentPart {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
struct WireToolCall {
    #[serde(default)]
    id: Option<String>,
    function: WireFunction,
}

#[derive(Deserialize)]
struct WireFunction {
    #[serde(default)]
    name: String,
    #[serde(default)]
    arguments: Value,
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
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
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
    let Some(raw_message) = choice.message else {
        return Err(unreadable("the first choice has no message".to_owned()));
    };
    let message: Message = serde_json::from_str(raw_message.get())
        .map_err(|error| unreadable(format!("the message cannot be read: {error}")))?;
    Ok(Completion {
        raw_turn: replayable(raw_message, &message),
        content: content(message),
        finish: finish(&finish_reason),
        finish_reason,
        usage: envelope.usage.and_then(usage),
        model: envelope.model.unwrap_or_default(),
        continuation: None,
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

/// The message as it is sent back in a re-ask. Only what OpenAI takes in an assistant's message is kept: compatible
/// servers add fields (`reasoning_content`, `annotations`) that they refuse in a request.
fn replayable(raw: &RawValue, message: &Message) -> Value {
    let calls = message.tool_calls.as_deref().unwrap_or_default();
    let said = message.content.as_ref().map(text);
    let mut turn = Map::new();
    turn.insert("role".to_owned(), json!("assistant"));
    if calls.is_empty() {
        // Without calls, OpenAI refuses a null.
        turn.insert("content".to_owned(), json!(said_or_nothing(&said.unwrap_or_default())));
    } else if calls.iter().all(is_replayable)
        && let Ok(Value::Object(mut whole)) = serde_json::from_str(raw.get())
        && let Some(calls) = whole.remove("tool_calls")
    {
        turn.insert("content".to_owned(), said.map_or(Value::Null, Value::String));
        turn.insert("tool_calls".to_owned(), calls);
    } else {
        let calls = calls.iter().map(|call| arguments(&call.function.arguments));
        let said = said.into_iter().filter(|said| !said.is_empty()).chain(calls);
        let said = said.collect::<Vec<_>>().join("\n");
        turn.insert("content".to_owned(), json!(said_or_nothing(&said)));
    }
    Value::Object(turn)
}

/// Whether a call can be sent back as such. It needs an id by which to answer it, and vLLM refuses one whose arguments are no
/// JSON; others go back as text.
fn is_replayable(call: &WireToolCall) -> bool {
    call.id.as_ref().is_some_and(|id| !id.is_empty())
        && match &call.function.arguments {
            Value::String(text) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
        }
}

fn content(message: Message) -> Content {
    if let Some(refusal) = message.refusal.filter(|refusal| !refusal.is_empty()) {
        return Content::Refusal(refusal);
    }
    match message.tool_calls {
        Some(calls) if !calls.is_empty() => {
            Content::Calls(
                calls
                    .into_iter()
                    .map(|WireToolCall { id: _, function: WireFunction { name, arguments: given } }| {
                        ToolCall { name, arguments: arguments(&given), came_parsed: given.is_object() }
                    })
                    .collect(),
            )
        }
        Some(_) | None => Content::Text(message.content.as_ref().map(text).unwrap_or_default()),
    }
}

/// JSON text at OpenAI; some compatible servers send the object itself.
pub(super) fn arguments(given: &Value) -> String {
    match given {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => given.to_string(),
    }
}

fn text(content: &MessageContent) -> String {
    match content {
        MessageContent::Text(text) => text.clone(),
        MessageContent::Parts(parts) => parts.iter().filter_map(|part| part.text.as_deref()).collect(),
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
    Some(Usage {
        input_tokens: input,
        cached_tokens: cached_tokens.or(wire.prompt_cache_hit_tokens).unwrap_or(0),
        cache_write_tokens: prompt.and_then(|details| details.cache_write_tokens).unwrap_or(0),
        output_tokens: if is_beside { output.saturating_add(reasoning) } else { output },
        reasoning_tokens: reasoning,
    })
}
