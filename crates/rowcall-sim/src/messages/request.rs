//! A Messages request as read from its headers and body, or Anthropic's error for it.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::grammar::{COUNT_TOKENS, MESSAGES};
use super::words::at;
use super::{format, model, turns, words};
use crate::ask::conversation::Conversation;
use crate::ask::field::text;
use crate::ask::shape::{Shape, Spelling, judge};
use crate::ask::wanted::settle;
use crate::ask::{Ask, Thinking};
use crate::engine::Manner;
use crate::form::{Delivery, Form};
use crate::invalid::Invalid;
use crate::rules::Rules;
use crate::written::Written;

/// The version under which sampling parameters no longer exist.
const WITHOUT_SAMPLING: &str = "2026-10-21";
const VERSIONS: [&str; 2] = ["2023-06-01", WITHOUT_SAMPLING];
const SAMPLING: [&str; 3] = ["temperature", "top_p", "top_k"];

/// What is asked, or why the request is rejected.
pub(crate) fn decode(headers: &HeaderMap, sent: &[u8], rules: Rules<'_>) -> Result<Ask, Invalid> {
    let body = body(headers, sent, MESSAGES, rules)?;
    let conversation = read(&body)?;
    let model = text(&body, "model");
    let thinking = thinking(&body, model)?;
    let (tool, format) = format::read(&body, rules)?;
    let (wanted, row, re_ask) = settle(&conversation, tool, format);
    let is_streamed = body.get("stream") == Some(&Value::Bool(true));
    Ok(Ask {
        model: model.to_owned(),
        row,
        re_ask,
        prompt_tokens: conversation.tokens(),
        cached_tokens: 0,
        wanted,
        most_tokens: body.get("max_tokens").and_then(Value::as_u64),
        thinking,
        manner: Manner::default(),
        form: Form::Messages(if is_streamed { Delivery::Stream } else { Delivery::Whole }),
    })
}

/// The answer to `POST /v1/messages/count_tokens`.
pub(crate) fn count(headers: &HeaderMap, sent: &[u8], rules: Rules<'_>) -> Result<Written, Invalid> {
    let body = body(headers, sent, COUNT_TOKENS, rules)?;
    format::read(&body, rules)?;
    Ok(Written::json(&json!({ "input_tokens": read(&body)?.tokens() })))
}

fn body(
    headers: &HeaderMap,
    sent: &[u8],
    shape: Shape,
    rules: Rules<'_>,
) -> Result<Map<String, Value>, Invalid> {
    let version = headers.get("anthropic-version").and_then(|version| version.to_str().ok());
    let version = version.ok_or_else(|| at("anthropic-version", "header is required"))?;
    if !VERSIONS.contains(&version) {
        return Err(at("anthropic-version", &format!("\"{version}\" is not a valid version")));
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(sent) else {
        return Err(Invalid::new("The request body is not valid JSON: expected an object"));
    };
    let model = text(&body, "model");
    let without_sampling = version == WITHOUT_SAMPLING || !model::takes_sampling(model);
    let extra = |name: &str| rules.refuses(name) || without_sampling && SAMPLING.contains(&name);
    if let Some(name) = body.keys().find(|name| extra(name)) {
        return Err(at(name, "Extra inputs are not permitted"));
    }
    let mut body = Value::Object(body);
    judge(&mut body, shape, Spelling::Exact).map_err(|breach| words::invalid(&breach))?;
    match body {
        Value::Object(body) => Ok(body),
        _ => Err(at("messages", "Field required")),
    }
}

fn read(body: &Map<String, Value>) -> Result<Conversation, Invalid> {
    let enabled = body.get("thinking").and_then(|thinking| thinking.get("type"));
    let rule = match enabled.and_then(Value::as_str) {
        Some("enabled") => turns::Thinking::First,
        _ => turns::Thinking::AsGiven,
    };
    turns::read(body, rule)
}

fn thinking(body: &Map<String, Value>, model: &str) -> Result<Thinking, Invalid> {
    let config = body.get("thinking");
    let field = |name: &str| config.and_then(|config| config.get(name));
    let kind = field("type").and_then(Value::as_str);
    let shown = || match field("display").and_then(Value::as_str) {
        Some("omitted") => Thinking::Hidden,
        Some(_) | None => Thinking::Shown,
    };
    match kind {
        Some("disabled") if model::always_thinks(model) => {
            Err(at("thinking.type", "`disabled` is not supported on this model."))
        }
        None | Some("disabled" | "between_tools") if !model::always_thinks(model) => Ok(Thinking::Off),
        None | Some("between_tools") => Ok(Thinking::Hidden),
        Some("enabled") => {
            let budget = field("budget_tokens").and_then(Value::as_u64);
            if budget >= body.get("max_tokens").and_then(Value::as_u64) {
                let message = "`max_tokens` must be greater than `thinking.budget_tokens`.";
                return Err(Invalid::new(message));
            }
            let choice = body.get("tool_choice").and_then(|choice| choice.get("type"));
            if choice.is_some_and(|choice| choice == "any" || choice == "tool") {
                let message = "Thinking may not be enabled when tool_choice forces tool use.";
                return Err(Invalid::new(message));
            }
            Ok(shown())
        }
        Some(_) => Ok(shown()),
    }
}
