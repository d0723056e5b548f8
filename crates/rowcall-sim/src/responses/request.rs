//! A Responses request as read from its body, or OpenAI's error for it.

use serde_json::{Map, Value, json};

use super::grammar::BODY;
use super::{format, input};
use crate::ask::field::text;
use crate::ask::shape::{Spelling, judge};
use crate::ask::wanted::settle;
use crate::ask::{Ask, Thinking};
use crate::engine::Manner;
use crate::form::{Delivery, Form, ResponsesForm};
use crate::invalid::Invalid;
use crate::openai::words::{self, missing, unsupported};
use crate::openai::{self, is_set};
use crate::rules::Rules;
use crate::written::Written;

/// Fields that would require storage.
const STORED: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// What is asked, or why the request is rejected.
pub(crate) fn decode(sent: &[u8], rules: Rules<'_>) -> Result<Ask, Invalid> {
    let mut body = openai::parse(sent, rules)?;
    input::name_messages(&mut body);
    judge(&mut body, BODY, Spelling::Exact).map_err(|breach| words::invalid(&breach))?;
    let Some(body) = body.as_object_mut() else { return Err(missing("input")) };
    let set = |field: &&str| body.get(*field).is_some_and(|value| !value.is_null());
    if let Some(field) = STORED.into_iter().find(set) {
        return Err(unsupported(field, "this simulator stores nothing"));
    }
    if is_set(body, "background") {
        return Err(unsupported("background", "this simulator answers at once"));
    }
    if body.get("stream_options").is_some_and(|options| !options.is_null()) && !is_set(body, "stream") {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Invalid::new(message).at("stream_options"));
    }
    let conversation = input::read(body)?;
    let format = format::format(body, &conversation, rules)?;
    let tool = format::tool(body, rules)?;
    let (wanted, row, re_ask) = settle(&conversation, tool, format);
    let delivery = if is_set(body, "stream") { Delivery::Stream } else { Delivery::Whole };
    Ok(Ask {
        model: text(body, "model").to_owned(),
        row,
        re_ask,
        prompt_tokens: conversation.tokens(),
        cached_tokens: 0,
        wanted,
        most_tokens: body.get("max_output_tokens").and_then(Value::as_u64),
        thinking: thinking(body),
        manner: Manner::default(),
        form: Form::Responses(Box::new(ResponsesForm { delivery, echo: echo(body) })),
    })
}

/// The answer to `POST /v1/responses/input_tokens`.
pub(crate) fn count(sent: &[u8], rules: Rules<'_>) -> Result<Written, Invalid> {
    let ask = decode(sent, rules)?;
    Ok(Written::json(&json!({ "object": "response.input_tokens", "input_tokens": ask.prompt_tokens })))
}

fn thinking(body: &Map<String, Value>) -> Thinking {
    let reasoning = |field: &str| {
        let value = body.get("reasoning").and_then(|reasoning| reasoning.get(field));
        value.and_then(Value::as_str)
    };
    match (reasoning("effort"), reasoning("summary")) {
        (None | Some("none"), _) => Thinking::Off,
        (Some(_), None) => Thinking::Hidden,
        (Some(_), Some(_)) => Thinking::Shown,
    }
}

/// The fields of the request that an answer repeats, with OpenAI's defaults for missing ones.
fn echo(body: &Map<String, Value>) -> Map<String, Value> {
    let given = |field: &str, otherwise: Value| {
        let value = body.get(field).filter(|value| !value.is_null());
        (field.to_owned(), value.cloned().unwrap_or(otherwise))
    };
    let within = |field: &str, inner: &str, otherwise: Value| {
        let value = body.get(field).and_then(|value| value.get(inner)).filter(|value| !value.is_null());
        value.cloned().unwrap_or(otherwise)
    };
    let reasoning = json!({
        "effort": within("reasoning", "effort", json!("none")),
        "summary": within("reasoning", "summary", Value::Null),
    });
    let text = json!({
        "format": described(within("text", "format", json!({ "type": "text" }))),
        "verbosity": within("text", "verbosity", json!("medium")),
    });
    let fields = [
        given("instructions", Value::Null),
        given("max_output_tokens", Value::Null),
        given("max_tool_calls", Value::Null),
        given("model", Value::Null),
        given("parallel_tool_calls", json!(true)),
        given("previous_response_id", Value::Null),
        given("prompt_cache_key", Value::Null),
        ("reasoning".to_owned(), reasoning),
        given("safety_identifier", Value::Null),
        ("service_tier".to_owned(), json!("default")),
        given("temperature", json!(1.0)),
        ("text".to_owned(), text),
        given("tool_choice", json!("auto")),
        given("tools", json!([])),
        given("top_logprobs", json!(0)),
        given("top_p", json!(1.0)),
        given("truncation", json!("disabled")),
        given("user", Value::Null),
        given("metadata", json!({})),
    ];
    fields.into_iter().collect()
}

/// A format with a schema is repeated with its description, whether it had one or not.
fn described(mut format: Value) -> Value {
    if let Some(format) = format.as_object_mut().filter(|format| format.contains_key("schema")) {
        format.entry("description").or_insert(Value::Null);
        format.entry("strict").or_insert(json!(false));
    }
    format
}
