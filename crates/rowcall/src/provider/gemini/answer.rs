//! Decodes a response: the parts of its candidate, why it stopped and its usage. Nearly every field may be missing.

use serde_json::{Value, json};

use crate::provider::{called_or_said, chosen, looks_whole};
use crate::turn::{Choice, Completion, Content, Finish, ToolCall, Usage};

/// Decodes a response; `None` if it has neither a candidate nor a reason why it has none.
pub(super) fn read(answer: &Value) -> Option<Completion> {
    let blocked = text(answer, "/promptFeedback/blockReason");
    let candidate = answer.pointer("/candidates/0");
    if candidate.is_none() && blocked.is_none() {
        return None;
    }
    let candidate = candidate.unwrap_or(&Value::Null);
    let reason = text(candidate, "/finishReason").or(blocked).unwrap_or_default();
    let said = candidate.get("content").unwrap_or(&Value::Null);
    let Choice { content, finish } = match blocked {
        Some(reason) if candidate.is_null() => Choice {
            finish: Finish::ContentFilter,
            content: Content::Refusal(format!("the prompt was blocked as {reason}")),
        },
        _ => {
            let candidates = answer.get("candidates").and_then(Value::as_array);
            let others = candidates.into_iter().flatten().skip(1).map(|other| choice(other, blocked));
            chosen(choice(candidate, blocked), others.collect())
        }
    };
    Some(Completion {
        content,
        finish,
        finish_reason: reason.to_owned(),
        usage: answer.get("usageMetadata").and_then(usage),
        service_tier: text(answer, "/usageMetadata/serviceTier").map(str::to_owned),
        model: text(answer, "/modelVersion").unwrap_or_default().to_owned(),
        raw_turn: json!({"role": "model", "parts": replayable(parts(said))}),
        continuation: text(candidate, "/continuationToken").map(str::to_owned),
        body: bytes::Bytes::new(),
    })
}

/// Reads a candidate; its `blocked` prompt is the reason if it has none of its own.
fn choice(candidate: &Value, blocked: Option<&str>) -> Choice {
    let reason = text(candidate, "/finishReason").or(blocked).unwrap_or_default();
    let said = candidate.get("content").unwrap_or(&Value::Null);
    let (finish, content) = match reason {
        word if is_refusal(word) => {
            let words = text(candidate, "/finishMessage").filter(|words| !words.is_empty());
            let refusal = words.map_or_else(|| word.to_owned(), |words| format!("{word}: {words}"));
            (Finish::ContentFilter, Content::Refusal(refusal))
        }
        "MAX_TOKENS" => (Finish::Length, content(parts(said))),
        "" => (Finish::Unstated, content(parts(said))),
        "CONTINUATION" => (Finish::Paused, content(parts(said))),
        word if is_mishap(word) => (Finish::Stop, whole(content(parts(said)))),
        // `STOP`, and future reasons.
        _ => (Finish::Stop, content(parts(said))),
    };
    Choice { content, finish }
}

/// The finish reasons with which the provider withholds an answer, even if asked again.
fn is_refusal(word: &str) -> bool {
    let withheld = [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "ESCALATION",
        "MODEL_ARMOR",
    ];
    withheld.contains(&word)
}

/// The finish reasons of a model that went off track, mostly without content; it may succeed if asked again.
fn is_mishap(word: &str) -> bool {
    word.starts_with("MALFORMED_")
        || ["OTHER", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"]
            .contains(&word)
}

/// The content if it looks complete, else an empty answer.
fn whole(content: Content) -> Content {
    match content {
        Content::Text(text) if !looks_whole(&text) => Content::Text(String::new()),
        Content::Text(_)
        | Content::Calls(_)
        | Content::Refusal(_)
        | Content::Thoughts(_)
        | Content::Choices(_) => content,
    }
}

/// The calls if there are any, else the text of all parts except thoughts.
fn content(parts: &[Value]) -> Content {
    let calls: Vec<_> = parts
        .iter()
        .filter_map(|part| part.get("functionCall"))
        .map(|call| ToolCall {
            name: text(call, "/name").unwrap_or_default().to_owned(),
            arguments: match call.get("args") {
                None | Some(Value::Null) => "{}".to_owned(),
                // With a duplicate key.
                Some(Value::String(text)) => text.clone(),
                Some(arguments) => arguments.to_string(),
            },
            came_parsed: !call.get("args").is_some_and(Value::is_string),
        })
        .collect();
    let (thoughts, said): (Vec<&Value>, Vec<&Value>) = parts.iter().partition(|part| is_thought(part));
    let joined = |parts: Vec<&Value>| parts.into_iter().filter_map(|part| text(part, "/text")).collect();
    called_or_said(calls, joined(said), joined(thoughts))
}

/// The parts as received, including thoughts and signatures, since Gemini 3 rejects a call without its signature. Empty parts, and
/// thoughts with nothing after them, are dropped, and arguments that are text are parsed, since only objects are accepted.
fn replayable(parts: &[Value]) -> Vec<Value> {
    let is_empty = |part: &Value| part.get("thoughtSignature").is_none() && text(part, "/text") == Some("");
    let mut kept: Vec<_> = parts.iter().filter(|part| !is_empty(part)).cloned().collect();
    for arguments in kept.iter_mut().filter_map(|part| part.pointer_mut("/functionCall/args")) {
        if let Some(object) = arguments.as_str().and_then(|text| serde_json::from_str(text).ok()) {
            *arguments = object;
        }
    }
    if kept.iter().all(is_thought) { Vec::new() } else { kept }
}

/// The usage. Google does not count thoughts in the candidates, we do; its prompt count includes cached tokens, but not what tools
/// have added.
pub(super) fn usage(wire: &Value) -> Option<Usage> {
    let count = |name: &str| wire.get(name).and_then(Value::as_u64);
    let prompt = count("promptTokenCount")?;
    let candidates = count("candidatesTokenCount");
    let reasoning_tokens = count("thoughtsTokenCount").unwrap_or(0);
    let input_tokens = prompt.checked_add(count("toolUsePromptTokenCount").unwrap_or(0))?;
    let output_tokens = candidates.unwrap_or(0).checked_add(reasoning_tokens)?;
    let total = count("totalTokenCount");
    // Google leaves out counts that are 0, which the total confirms.
    let is_confirmed = total == Some(input_tokens.checked_add(output_tokens)?);
    if !is_confirmed && (total.is_some() || candidates.is_none()) {
        return None;
    }
    let usage = Usage {
        input_tokens,
        cached_tokens: count("cachedContentTokenCount").unwrap_or(0),
        cache_write_tokens: 0,
        cache_write_long_tokens: 0,
        output_tokens,
        reasoning_tokens,
    };
    usage.plausible()
}

/// Whether the field of this name has the arguments of a call.
pub(super) fn is_arguments(name: &str, _: &Value) -> bool {
    name == "args"
}

/// The parts of a turn.
pub(super) fn parts(content: &Value) -> &[Value] {
    content.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_thought(part: &Value) -> bool {
    part.get("thought") == Some(&Value::Bool(true))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}
