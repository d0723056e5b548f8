//! OpenAI's Chat Completions, and the many servers that speak it more or less: `POST {base}/chat/completions`. The envelope is
//! read leniently, since compatible servers leave out or rename much of it; the payload is left to `completion/`.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Mode, Target, correction, openai_error, push_field, push_json};
use crate::fault::{Fault, FaultKind};
use crate::request::{Request, Response};
use crate::schema::WireSchema;
use crate::turn::{Completion, Content, Finish, Prompt, ToolCall, Turn, Usage};
use crate::violation::Violation;

const PATH: &str = "/chat/completions";

pub(super) fn encode(target: &Target, prompt: &Prompt) -> Request {
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"model\":");
    push_json(&mut body, &target.model);
    body.extend_from_slice(b",\"messages\":[");
    let mut separator = "";
    for turn in &prompt.turns {
        let mut message = |message: &Value| {
            body.extend_from_slice(separator.as_bytes());
            push_json(&mut body, message);
            separator = ",";
        };
        match turn {
            Turn::System(text) => message(&json!({"role": target.quirks.system_role, "content": &**text})),
            Turn::User(text) => message(&json!({"role": "user", "content": text})),
            Turn::Invalid { raw_turn, violations } => {
                message(raw_turn);
                for reply in replies(raw_turn, violations) {
                    message(&reply);
                }
            }
        }
    }
    body.push(b']');
    let limit_field = target.quirks.output_limit_field;
    if let Some(limit) = target.output_limit(prompt, limit_field) {
        push_field(&mut body, limit_field, &limit);
    }
    body.extend_from_slice(&target.tail);
    body.push(b'}');
    Request { path: PATH, body: body.into() }
}

/// The body's fields that say how the schema is asked for.
pub(super) fn fields(mode: Mode, wire: &WireSchema) -> Map<String, Value> {
    let described = |schema_field: &str| {
        let mut described = Map::new();
        described.insert("name".to_owned(), json!(wire.name));
        if let Some(description) = &wire.description {
            described.insert("description".to_owned(), json!(description));
        }
        described.insert("strict".to_owned(), json!(true));
        described.insert(schema_field.to_owned(), wire.schema.clone());
        Value::Object(described)
    };
    let fields = match mode {
        Mode::Schema => {
            vec![("response_format", json!({"type": "json_schema", "json_schema": described("schema")}))]
        }
        Mode::Tool => vec![
            ("tools", json!([{"type": "function", "function": described("parameters")}])),
            ("tool_choice", json!({"type": "function", "function": {"name": wire.name}})),
            ("parallel_tool_calls", json!(false)),
        ],
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What follows an invalid answer in a re-ask: a result for each tool call, since OpenAI refuses a call without one, or a
/// user's message.
fn replies(raw_turn: &Value, violations: &[Violation]) -> Vec<Value> {
    let text = correction(violations);
    let calls = raw_turn.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if calls.is_empty() {
        return vec![json!({"role": "user", "content": text})];
    }
    calls
        .iter()
        .map(|call| json!({"role": "tool", "tool_call_id": call.get("id"), "content": text}))
        .collect()
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<WireUsage>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<MessageContent>,
    #[serde(default)]
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
    #[serde(default, deserialize_with = "lenient")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default, deserialize_with = "lenient")]
    completion_tokens_details: Option<CompletionDetails>,
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
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

pub(super) fn decode(response: &Response) -> Result<Completion, Fault> {
    if !response.is_success() {
        return openai_error::failed_generation(response)
            .map_or_else(|| Err(openai_error::classify(response)), |text| Ok(refused_by_validator(text)));
    }
    // The decoder looks for a `<`-led page or a cut body too: both are a server's fault that a retry may mend.
    let unreadable = |what: String| openai_error::in_success(response, FaultKind::Server, what);
    let envelope: Envelope<'_> = serde_json::from_slice(&response.body)
        .map_err(|error| unreadable(format!("the body is not a chat completion: {error}")))?;
    if envelope.error.is_some_and(|error| error.get() != "null") {
        return Err(openai_error::classify(response));
    }
    let Some(choice) = envelope.choices.into_iter().next() else {
        return Err(unreadable("the body has no choices".to_owned()));
    };
    if choice.error.is_some_and(|error| error.get() != "null") {
        return Err(openai_error::classify(response));
    }
    let Some(raw_message) = choice.message else {
        return Err(unreadable("the first choice has no message".to_owned()));
    };
    let message: Message = serde_json::from_str(raw_message.get())
        .map_err(|error| unreadable(format!("the message cannot be read: {error}")))?;
    let finish_reason = choice.finish_reason.unwrap_or_default();
    if finish_reason == "insufficient_system_resource" {
        // DeepSeek's way of saying, within a 200, that it ran out of capacity.
        return Err(openai_error::in_success(
            response,
            FaultKind::Overloaded,
            "insufficient system resource".to_owned(),
        ));
    }
    Ok(Completion {
        raw_turn: replayable(raw_message, &message),
        content: content(message),
        finish: finish(&finish_reason),
        finish_reason,
        usage: envelope.usage.and_then(usage),
        model: envelope.model.unwrap_or_default(),
    })
}

/// An answer that the provider's own validator has refused (Groq): an answer all the same, only not a valid one.
fn refused_by_validator(text: String) -> Completion {
    Completion {
        raw_turn: json!({"role": "assistant", "content": text}),
        content: Content::Text(text),
        finish: Finish::Stop,
        finish_reason: "json_validate_failed".to_owned(),
        usage: None,
        model: String::new(),
    }
}

/// The message as it is sent back in a re-ask. Only what OpenAI takes in an assistant's message is kept: compatible
/// servers add fields (`reasoning_content`, `annotations`) that they refuse in a request.
fn replayable(raw: &RawValue, message: &Message) -> Value {
    let mut turn = Map::new();
    turn.insert("role".to_owned(), json!("assistant"));
    turn.insert(
        "content".to_owned(),
        message.content.as_ref().map_or(Value::Null, |content| json!(text(content))),
    );
    if message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())
        && let Ok(Value::Object(mut whole)) = serde_json::from_str(raw.get())
        && let Some(calls) = whole.remove("tool_calls")
    {
        turn.insert("tool_calls".to_owned(), calls);
    }
    Value::Object(turn)
}

fn content(message: Message) -> Content {
    if let Some(refusal) = message.refusal.filter(|refusal| !refusal.is_empty()) {
        return Content::Refusal(refusal);
    }
    match message.tool_calls {
        Some(calls) if !calls.is_empty() => Content::Calls(
            calls
                .into_iter()
                .map(|WireToolCall { function: WireFunction { name, arguments } }| ToolCall {
                    name,
                    // JSON text at OpenAI; some compatible servers send the object itself.
                    arguments: match arguments {
                        Value::String(text) => text,
                        other => other.to_string(),
                    },
                })
                .collect(),
        ),
        Some(_) | None => Content::Text(message.content.as_ref().map(text).unwrap_or_default()),
    }
}

fn text(content: &MessageContent) -> String {
    match content {
        MessageContent::Text(text) => text.clone(),
        MessageContent::Parts(parts) => parts.iter().filter_map(|part| part.text.as_deref()).collect(),
    }
}

/// Compatible servers add words of their own (Mistral's `model_length`), so this is an open set.
fn finish(reason: &str) -> Finish {
    match reason {
        "length" | "model_length" | "max_tokens" => Finish::Length,
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
    Some(Usage {
        input_tokens: wire.prompt_tokens.unwrap_or(0),
        cached_tokens: prompt.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0),
        cache_write_tokens: prompt.and_then(|details| details.cache_write_tokens).unwrap_or(0),
        output_tokens: wire.completion_tokens.unwrap_or(0),
        reasoning_tokens: completion.and_then(|details| details.reasoning_tokens).unwrap_or(0),
    })
}
