//! A chat completions request as read from its body, or OpenAI's error for it.

use serde_json::{Map, Value};

use super::grammar::BODY;
use super::{form, messages};
use crate::ask::field::text;
use crate::ask::shape::{Breach, Spelling, Step, Wrong, judge};
use crate::ask::wanted::settle;
use crate::ask::{Ask, Thinking};
use crate::engine::Engine;
use crate::form::{ChatForm, Form};
use crate::invalid::Invalid;
use crate::openai::words::{self, missing, unsupported};
use crate::openai::{self, is_set};
use crate::rules::Rules;

/// What is asked, or why the request is rejected.
pub(crate) fn decode(sent: &[u8], rules: Rules<'_>) -> Result<Ask, Invalid> {
    let mut body = openai::parse(sent, rules)?;
    judge(&mut body, BODY, Spelling::Exact).map_err(|breach| refused(&breach))?;
    let Some(body) = body.as_object_mut() else { return Err(missing("messages")) };
    let model = text(body, "model").to_owned();
    if model.is_empty() {
        let message = "you must provide a model parameter";
        return Err(Invalid::new(message));
    }
    let conversation = messages::read(body.get("messages"))?;
    if let Some(n) = body.get("n").filter(|n| !n.is_null() && n.as_u64() != Some(1)) {
        return Err(unsupported("n", &format!("this simulator answers with one choice, but got {n}")));
    }
    let tool = form::tool(body, rules)?;
    let format = form::format(body, &conversation, rules)?;
    let limit = |name: &str| body.get(name).and_then(Value::as_u64);
    let most_tokens = [limit("max_completion_tokens"), limit("max_tokens")].into_iter().flatten().min();
    let (wanted, row, re_ask) = settle(&conversation, tool, format);
    Ok(Ask {
        model,
        row,
        re_ask,
        prompt_tokens: conversation.tokens(),
        cached_tokens: 0,
        wanted,
        most_tokens,
        thinking: thinking(body),
        manner: rules.engine().map(Engine::manner).unwrap_or_default(),
        form: Form::Chat(delivery(body)?),
    })
}

/// OpenAI words an unknown top-level field differently here, and names it only in the message.
fn refused(breach: &Breach) -> Invalid {
    match (&breach.wrong, breach.at.as_slice()) {
        (Wrong::Unknown, [Step::Name(name)]) => {
            Invalid::new(format!("Unrecognized request argument supplied: {name}"))
        }
        _ => words::invalid(breach),
    }
}

fn delivery(body: &Map<String, Value>) -> Result<ChatForm, Invalid> {
    let options = body.get("stream_options").and_then(Value::as_object);
    match (is_set(body, "stream"), options) {
        (false, Some(_)) => {
            let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            Err(Invalid::new(message).at("stream_options"))
        }
        (false, None) => Ok(ChatForm::Whole),
        (true, Some(options)) if is_set(options, "include_usage") => Ok(ChatForm::StreamWithUsage),
        (true, Some(_) | None) => Ok(ChatForm::Stream),
    }
}

/// The thoughts of a reasoning model are never shown.
fn thinking(body: &Map<String, Value>) -> Thinking {
    match body.get("reasoning_effort").and_then(Value::as_str) {
        None | Some("none") => Thinking::Off,
        Some(_) => Thinking::Hidden,
    }
}
