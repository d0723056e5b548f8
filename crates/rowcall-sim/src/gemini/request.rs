//! A generateContent request as read from its body, or Google's error for it.

use serde_json::{Map, Value, json};

use super::grammar::{COUNT_TOKENS, GENERATE};
use super::target::Target;
use super::{contents, form, words};
use crate::ask::field::object;
use crate::ask::shape::{Shape, Spelling, judge, snake_case};
use crate::ask::wanted::settle;
use crate::ask::{Ask, Thinking};
use crate::engine::Manner;
use crate::form::Form;
use crate::invalid::Invalid;
use crate::rules::Rules;
use crate::written::Written;

/// What is asked, or why the request is rejected.
pub(crate) fn decode(target: &Target, sent: &[u8], rules: Rules<'_>) -> Result<Ask, Invalid> {
    let body = body(sent, GENERATE, rules)?;
    let conversation = contents::read(&body, &target.model)?;
    let config = object(&body, "generationConfig");
    let format = form::format(config, rules)?;
    let tool = form::tool(&body, &target.model, rules)?;
    let (wanted, row, re_ask) = settle(&conversation, tool, format);
    let number = |field: &str| config.and_then(|config| config.get(field)).and_then(Value::as_u64);
    if number("candidateCount").is_some_and(|count| count > 1) {
        return Err(Invalid::new("Multiple candidates is not enabled for this model")
            .at("generation_config.candidate_count"));
    }
    if body.get("continuationToken").is_some_and(|token| !token.is_null()) {
        return Err(words::at("continuation_token", "is unknown: this simulator gives none out"));
    }
    Ok(Ask {
        model: target.model.clone(),
        row,
        re_ask,
        prompt_tokens: conversation.tokens(),
        cached_tokens: 0,
        wanted,
        most_tokens: number("maxOutputTokens"),
        thinking: thinking(config),
        manner: Manner::default(),
        form: Form::Gemini(target.form),
    })
}

/// The answer of `:countTokens`.
pub(crate) fn count(target: &Target, sent: &[u8], rules: Rules<'_>) -> Result<Written, Invalid> {
    let body = body(sent, COUNT_TOKENS, rules)?;
    let whole = object(&body, "generateContentRequest").unwrap_or(&body);
    let tokens = contents::read(whole, &target.model)?.tokens();
    Ok(Written::json(&json!({
        "totalTokens": tokens, "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": tokens }],
    })))
}

fn body(sent: &[u8], shape: Shape, rules: Rules<'_>) -> Result<Map<String, Value>, Invalid> {
    let Ok(Value::Object(body)) = serde_json::from_slice(sent) else {
        return Err(Invalid::new("Invalid JSON payload received. Expected an object."));
    };
    let refused = |name: &&String| rules.refuses(name) || rules.refuses(&snake_case(name));
    let config = ["generationConfig", "generation_config"].into_iter().find_map(|name| object(&body, name));
    if let Some(name) = config.and_then(|config| config.keys().find(refused)) {
        return Err(words::unknown(name, "generation_config"));
    }
    if let Some(name) = body.keys().find(refused) {
        return Err(words::unknown(name, ""));
    }
    let mut body = Value::Object(body);
    judge(&mut body, shape, Spelling::CamelOrSnake).map_err(|breach| words::invalid(&breach))?;
    match body {
        Value::Object(body) => Ok(body),
        _ => Err(words::at("contents", "contents is not specified")),
    }
}

fn thinking(config: Option<&Map<String, Value>>) -> Thinking {
    let Some(thinking) = config.and_then(|config| object(config, "thinkingConfig")) else {
        return Thinking::Off;
    };
    match (thinking.get("thinkingBudget").and_then(Value::as_i64), thinking.get("includeThoughts")) {
        (Some(0), _) => Thinking::Off,
        (_, Some(Value::Bool(true))) => Thinking::Shown,
        _ => Thinking::Hidden,
    }
}
