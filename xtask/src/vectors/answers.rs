//! What responses give: a value, a refusal, a truncated answer, or a fault; in any protocol, as one body or as a
//! stream.

use std::sync::Arc;

use rowcall::completion::{self, Reading, json};
use rowcall::provider::Protocol;
use rowcall::retry::Decision;
use rowcall::schema::WireSchema;
use rowcall::{Completion, Content, Finish, Schema, Usage};
use serde_json::Value;

use super::case::{Case, Difference, Verdict, decision, retried};

/// The first location, in the order of the expected text, where two JSON texts differ.
pub(super) fn first_difference(path: &str, expected: &Value, got: &Value) -> Option<Difference> {
    let absent = || "nothing".to_owned();
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let in_both = expected.iter().find_map(|(name, expected)| {
                let path = format!("{path}/{name}");
                match got.get(name) {
                    Some(got) => first_difference(&path, expected, got),
                    None => Some(Difference::new(format!("{path} {expected}"), absent())),
                }
            });
            let more = || got.iter().find(|(name, _)| !expected.contains_key(*name));
            in_both.or_else(|| {
                more().map(|(name, got)| Difference::new(format!("{path}/{name} {}", absent()), got))
            })
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            let mut pairs = expected.iter().zip(got).enumerate();
            pairs.find_map(|(at, (expected, got))| first_difference(&format!("{path}/{at}"), expected, got))
        }
        _ => Difference::between(path, expected, got),
    }
}

/// A schema, and its form on the wire.
pub(super) type Wanted = (Schema, Arc<WireSchema>);

/// Checks a case that has only a response, or whose request is checked by the protocol's own tests.
pub(super) fn response(case: Case<'_>, protocol: Protocol) -> Result<Verdict, String> {
    if case.get("/expect/outcome").is_none() {
        return Ok(Verdict::Skipped("no answer to a prompt".to_owned()));
    }
    Ok(Verdict::Judged(judge(case, protocol, None)?))
}

/// The differences between the expected reading of a response and ours.
pub(super) fn judge(
    case: Case<'_>,
    protocol: Protocol,
    wanted: Option<&Wanted>,
) -> Result<Vec<Difference>, String> {
    let outcome = case.text("/expect/outcome")?;
    let completion = match protocol.decode(&case.response(None)?) {
        Ok(completion) => completion,
        // A response to be fetched later is not an answer to us.
        Err(_) if outcome == "pending" => {
            return Ok(vec![Difference::new("a response to fetch later", "a fault")]);
        }
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
        ("ok_after_repair", Reading::Value { repairs, .. }) if repairs.is_empty() => {
            differences.push(Difference::new(outcome, "a value without a repair".to_owned()));
        }
        ("ok" | "ok_after_repair", Reading::Value { value, .. }) => {
            let (what, expected, got) = match (case.get("/expect/values"), case.get("/expect/value")) {
                (Some(expected), _) => ("the values", expected, &Value::Array(values(&completion.content))),
                (None, Some(expected)) => ("the value", expected, value),
                (None, None) => return Err("neither `value` nor `values` in `/expect`".to_owned()),
            };
            differences.extend(first_difference(what, expected, got));
        }
        // All of several values are read; the protocol does not choose one of them for the row.
        ("ok", Reading::Invalid { .. }) if case.get("/expect/values").is_some() => {
            let expected = case.get("/expect/values").unwrap_or(&Value::Null);
            differences.extend(first_difference(
                "the values",
                expected,
                &Value::Array(values(&completion.content)),
            ));
        }
        ("refusal", Reading::Refused(words)) => differences.extend(same_text("/expect/text", words)),
        ("truncated" | "incomplete", Reading::Truncated) => {
            if let Content::Text(text) = &completion.content {
                differences.extend(same_text("/expect/partial_text", text));
            }
        }
        ("content_filter", Reading::Filtered)
        | ("invalid_json" | "invalid_value", Reading::Invalid { .. })
        | ("continue", Reading::Paused) => {}
        (
            "ok" | "ok_after_repair" | "refusal" | "truncated" | "incomplete" | "content_filter"
            | "invalid_json" | "invalid_value" | "error" | "continue" | "pending",
            _,
        ) => {
            differences.push(Difference::new(outcome, format!("{got:?}")));
        }
        _ => return Err(format!("`/expect/outcome` is `{outcome}`, which is not known")),
    }
    differences.extend(judge_usage(case, completion.usage)?);
    Ok(differences)
}

/// The reading of a completion; if no schema was requested, any JSON is a value.
fn read(completion: &Completion, wanted: Option<&Wanted>) -> Reading {
    if let Some((schema, wire)) = wanted {
        return completion::read(completion, schema, wire);
    }
    match (&completion.content, completion.finish) {
        (Content::Refusal(words), _) => Reading::Refused(words.clone()),
        (_, Finish::Paused) => Reading::Paused,
        (_, Finish::ContentFilter) => Reading::Filtered,
        (_, Finish::Length) => Reading::Truncated,
        (
            Content::Text(_) | Content::Calls(_) | Content::Thoughts(_) | Content::Choices(_),
            Finish::Stop | Finish::Unstated,
        ) => match values(&completion.content).into_iter().next() {
            Some(value) => Reading::Value { value, repairs: Vec::new() },
            None => Reading::Invalid { violations: Vec::new(), best: None },
        },
    }
}

/// The JSON of a text, or of each call or choice.
fn values(content: &Content) -> Vec<Value> {
    let value = |text: &str| json::find(text, &[]).candidates.into_iter().next().map(|found| found.value);
    match content {
        Content::Text(text) => value(text).into_iter().collect(),
        Content::Calls(calls) => calls.iter().filter_map(|call| value(&call.arguments)).collect(),
        Content::Choices(choices) => choices.iter().flat_map(|choice| values(&choice.content)).collect(),
        Content::Refusal(_) | Content::Thoughts(_) => Vec::new(),
    }
}

/// Compares the numbers in the case; null means that the server does not give one.
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
