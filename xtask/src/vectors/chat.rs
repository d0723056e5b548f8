//! `openai_chat.json`: requests, encoded where one of our modes can produce them, and responses, read to what they give.

use std::sync::Arc;

use rowcall::completion::{self, Reading, json};
use rowcall::provider::{Parameters, Protocol, Quirks, Target};
use rowcall::retry::Decision;
use rowcall::schema::{Dialect, WireSchema};
use rowcall::{Completion, Content, Finish, Mode, Prompt, Schema, Turn, Usage};
use serde_json::{Map, Value};

use super::case::{Case, Difference, Verdict, decision, retried};

/// Judges a case: its request if it has one, and its response.
pub(super) fn judge(case: Case<'_>) -> Result<Verdict, String> {
    let request = case.get("/request");
    let streams = request.is_some_and(|request| request.get("stream") == Some(&Value::Bool(true)));
    if streams || case.get("/raw").is_some() || case.get("/events").is_some() {
        return Ok(Verdict::Skipped("streams".to_owned()));
    }
    let wanted = request.and_then(Wanted::of);
    let mut differences = Vec::new();
    if let Some(request) = request {
        let fields = request.as_object().ok_or("no object at `/request`")?;
        if let Some((target, prompt)) = wanted.as_ref().and_then(|wanted| asked(fields, wanted)) {
            let sent =
                serde_json::from_slice(&target.encode(&prompt).body).map_err(|error| error.to_string())?;
            differences.extend(first_difference("the request", request, &sent));
        }
    }
    differences.extend(judge_response(case, wanted.as_ref())?);
    Ok(Verdict::Judged(differences))
}

/// What a request wants of the model, in one of our modes.
struct Wanted {
    mode: Mode,
    /// The user's schema that would be sent so.
    schema: Schema,
    wire: Arc<WireSchema>,
}

impl Wanted {
    /// Reads it off a request; `None` if the request asks in a way that we do not.
    fn of(request: &Value) -> Option<Self> {
        let (mode, described, schema_field) = match (request.get("response_format"), request.get("tools")) {
            (Some(format), None) if format.get("type")? == "json_schema" => {
                (Mode::Schema, format.get("json_schema")?, "schema")
            }
            (None, Some(Value::Array(tools))) if tools.len() == 1 => {
                (Mode::Tool, tools.first()?.get("function")?, "parameters")
            }
            (Some(_) | None, Some(_) | None) => return None,
        };
        let schema = Schema::from_json(described.get(schema_field)?.clone()).ok()?;
        let mut wire = schema.wire(Dialect::OpenAiStrict).ok()?;
        // What becomes of a schema on its way is judged elsewhere.
        wire.schema = described.get(schema_field)?.clone();
        described.get("name")?.as_str()?.clone_into(&mut wire.name);
        wire.description = described.get("description").and_then(Value::as_str).map(str::to_owned);
        Some(Self { mode, schema, wire: Arc::new(wire) })
    }
}

/// What we would have to be asked to send a request; `None` if none of our requests has that form.
fn asked(request: &Map<String, Value>, wanted: &Wanted) -> Option<(Target, Prompt)> {
    const LIMITS: [&str; 2] = ["max_completion_tokens", "max_tokens"];
    const OURS: [&str; 6] =
        ["model", "messages", "response_format", "tools", "tool_choice", "parallel_tool_calls"];
    let is_strict = |field: &str, pointer: &str| {
        request.get(field).and_then(|value| value.pointer(pointer)) == Some(&Value::Bool(true))
    };
    let is_ours = match wanted.mode {
        Mode::Schema => is_strict("response_format", "/json_schema/strict"),
        // A tool that the model need not call, or may call more than once, is not how we ask.
        Mode::Tool => {
            is_strict("tools", "/0/function/strict")
                && request.get("tool_choice").is_some_and(Value::is_object)
                && request.get("parallel_tool_calls") == Some(&Value::Bool(false))
        }
    };
    if !is_ours {
        return None;
    }
    let mut system_role = None;
    let mut turns = Vec::new();
    for message in request.get("messages")?.as_array()? {
        let text = message.get("content")?.as_str()?;
        match message.get("role")?.as_str()? {
            "user" => turns.push(Turn::User(text.to_owned())),
            role @ ("developer" | "system") => {
                system_role = Some(if role == "system" { "system" } else { "developer" });
                turns.push(Turn::System(text.into()));
            }
            _ => return None,
        }
    }
    let limit_field = LIMITS.into_iter().find(|field| request.contains_key(*field));
    let max_output_tokens = match limit_field.and_then(|field| request.get(field)) {
        Some(limit) => Some(u32::try_from(limit.as_u64()?).ok()?),
        None => None,
    };
    let is_extra = |name: &str| !OURS.contains(&name) && Some(name) != limit_field;
    let extra = request.iter().filter(|(name, _)| is_extra(name));
    let parameters = Parameters {
        temperature: None,
        max_output_tokens,
        extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    let quirks = Quirks {
        output_limit_field: limit_field.unwrap_or("max_tokens"),
        system_role: system_role.unwrap_or("developer"),
    };
    let model = request.get("model")?.as_str()?.to_owned();
    let target =
        Target::new(Protocol::OpenAiChat, quirks, model, wanted.mode, Arc::clone(&wanted.wire), parameters);
    Some((target, Prompt { turns, output_limit: None }))
}

/// The first place, in the order of what is expected, where two JSON texts say different things.
fn first_difference(place: &str, expected: &Value, got: &Value) -> Option<Difference> {
    let absent = || "nothing".to_owned();
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let in_both = expected.iter().find_map(|(name, expected)| {
                let place = format!("{place}/{name}");
                match got.get(name) {
                    Some(got) => first_difference(&place, expected, got),
                    None => Some(Difference::new(format!("{place} {expected}"), absent())),
                }
            });
            let more = || got.iter().find(|(name, _)| !expected.contains_key(*name));
            in_both.or_else(|| {
                more().map(|(name, got)| Difference::new(format!("{place}/{name} {}", absent()), got))
            })
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            let mut pairs = expected.iter().zip(got).enumerate();
            pairs.find_map(|(at, (expected, got))| first_difference(&format!("{place}/{at}"), expected, got))
        }
        _ => Difference::between(place, expected, got),
    }
}

/// The differences between what a response should give and what we read in it.
fn judge_response(case: Case<'_>, wanted: Option<&Wanted>) -> Result<Vec<Difference>, String> {
    let outcome = case.text("/expect/outcome")?;
    let completion = match Protocol::OpenAiChat.decode(&case.response(None)?) {
        Ok(completion) => completion,
        Err(fault) if outcome == "error" => {
            let class = case.get("/expect/class").and_then(Value::as_str);
            let class = class.map(|class| class.strip_suffix("_error").unwrap_or(class));
            let mut differences = Vec::new();
            differences
                .extend(class.and_then(|class| Difference::between("the fault", class, fault.kind.name())));
            let retry = case.truth("/expect/retry")?;
            differences.extend(retry.and_then(|retry| retried(retry, Some(&fault))));
            return Ok(differences);
        }
        Err(fault) => {
            let decided = match decision(&fault) {
                Decision::Retry(_) => "retried",
                Decision::GiveUp => "the row's end",
                Decision::Stop => "the run's end",
            };
            return Ok(vec![Difference::new(outcome, format!("the fault {fault} ({decided})"))]);
        }
    };
    let mut differences = Vec::new();
    let got = read(&completion, wanted);
    let same_text = |pointer: &str, got: &str| -> Option<Difference> {
        let expected = case.get(pointer).and_then(Value::as_str)?;
        Difference::between("the text", &Value::from(expected), &Value::from(got))
    };
    match (outcome, &got) {
        ("ok", Reading::Value { value, .. }) => {
            let (what, expected, got) = match (case.get("/expect/values"), case.get("/expect/value")) {
                (Some(expected), _) => ("the values", expected, &Value::Array(values(&completion))),
                (None, Some(expected)) => ("the value", expected, value),
                (None, None) => return Err("neither `value` nor `values` in `/expect`".to_owned()),
            };
            differences.extend(first_difference(what, expected, got));
        }
        ("refusal", Reading::Refused(words)) => differences.extend(same_text("/expect/text", words)),
        ("truncated", Reading::Truncated) => {
            if let Content::Text(text) = &completion.content {
                differences.extend(same_text("/expect/partial_text", text));
            }
        }
        ("content_filter", Reading::Filtered) | ("invalid_json", Reading::Invalid { .. }) => {}
        ("ok" | "refusal" | "truncated" | "content_filter" | "invalid_json" | "error", _) => {
            differences.push(Difference::new(outcome, format!("{got:?}")));
        }
        _ => return Err(format!("`/expect/outcome` is `{outcome}`, which is not known")),
    }
    differences.extend(judge_usage(case, completion.usage)?);
    Ok(differences)
}

/// What a completion gives; where no schema was asked for, any JSON is a value.
fn read(completion: &Completion, wanted: Option<&Wanted>) -> Reading {
    if let Some(wanted) = wanted {
        return completion::read(completion, &wanted.schema, &wanted.wire);
    }
    match (&completion.content, completion.finish) {
        (Content::Refusal(words), _) => Reading::Refused(words.clone()),
        (_, Finish::ContentFilter) => Reading::Filtered,
        (_, Finish::Length) => Reading::Truncated,
        (Content::Text(_) | Content::Calls(_), Finish::Stop) => match values(completion).into_iter().next() {
            Some(value) => Reading::Value { value, repairs: Vec::new() },
            None => Reading::Invalid { violations: Vec::new(), best: None },
        },
    }
}

/// The JSON of a text, or of each call.
fn values(completion: &Completion) -> Vec<Value> {
    let value = |text: &str| json::find(text).candidates.into_iter().next().map(|found| found.value);
    match &completion.content {
        Content::Text(text) => value(text).into_iter().collect(),
        Content::Calls(calls) => calls.iter().filter_map(|call| value(&call.arguments)).collect(),
        Content::Refusal(_) => Vec::new(),
    }
}

/// Compares the figures that the case names; null is one that the server does not give.
fn judge_usage(case: Case<'_>, usage: Option<Usage>) -> Result<Vec<Difference>, String> {
    type Figure = fn(Usage) -> u64;
    let figures: [(&str, Figure); 5] = [
        ("input_tokens", |usage| usage.input_tokens),
        ("cached_tokens", |usage| usage.cached_tokens),
        ("cache_write_tokens", |usage| usage.cache_write_tokens),
        ("output_tokens", |usage| usage.output_tokens),
        ("reasoning_tokens", |usage| usage.reasoning_tokens),
    ];
    let mut differences = Vec::new();
    for (name, figure) in figures {
        let Some(expected) = case.get(&format!("/expect/{name}")) else { continue };
        if !expected.is_null() && !expected.is_u64() {
            return Err(format!("no number of tokens at `/expect/{name}`"));
        }
        let got = usage.map_or(Value::Null, |usage| figure(usage).into());
        differences.extend(Difference::between(name, expected, &got));
    }
    Ok(differences)
}
