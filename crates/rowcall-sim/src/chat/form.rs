//! The form of answer that a chat completions request wants: `response_format`, `tools` and `tool_choice`.

use serde_json::{Map, Value, json};

use crate::ask::conversation::Conversation;
use crate::ask::field::text;
use crate::ask::wanted::{Format, Tool};
use crate::engine::Engine;
use crate::invalid::Invalid;
use crate::mode::Mode;
use crate::openai::words::unsupported;
use crate::openai::{
    Function, Strict, chosen, judged, judged_parameters, name, refusal, strictness, unknown_mode,
};
use crate::rules::Rules;
use crate::value::supported;

/// The form that `response_format` requests.
pub(super) fn format(
    body: &mut Map<String, Value>,
    conversation: &Conversation,
    rules: Rules<'_>,
) -> Result<Format, Invalid> {
    let Some(Value::Object(mut format)) = body.remove("response_format") else {
        return Ok(Format::Text);
    };
    let known = |mode: Mode, kind: &str| {
        if rules.knows(mode) { Ok(()) } else { Err(unknown_mode("response_format", kind)) }
    };
    let inner = format.remove("json_schema");
    match (text(&format, "type"), inner) {
        ("json_object", _) => {
            known(Mode::JsonObject, "json_object")?;
            if conversation.says_json() {
                return Ok(Format::Object);
            }
            let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
            Err(Invalid::new(message).at("messages"))
        }
        ("json_schema", Some(Value::Object(mut inner))) => {
            known(Mode::JsonSchema, "json_schema")?;
            let called = text(&inner, "name").to_owned();
            name(&called, "response_format.json_schema.name")?;
            let schema = inner.remove("schema").unwrap_or_default();
            if let Some(engine) = rules.engine() {
                return by_engine(engine, &schema);
            }
            judged(&schema, strictness(&inner, Strict::No)).map_err(|complaint| {
                let message = format!("Invalid schema for response_format '{called}': {complaint}");
                Invalid::new(message).at("response_format")
            })?;
            Ok(Format::Schema(schema))
        }
        _ => Ok(Format::Text),
    }
}

/// What an engine enforces of the schema.
fn by_engine(engine: &Engine, schema: &Value) -> Result<Format, Invalid> {
    if engine.ignores_all() {
        return Ok(Format::Text);
    }
    let held = engine.held(schema).map_err(Invalid::new)?;
    let problem = |complaint| Invalid::new(format!("Grammar error: {complaint}"));
    supported(&held).map_err(problem)?;
    Ok(Format::Schema(held))
}

/// The tool to call, if there is one.
pub(super) fn tool(body: &mut Map<String, Value>, rules: Rules<'_>) -> Result<Option<Tool>, Invalid> {
    let choice = body.remove("tool_choice").filter(|choice| !choice.is_null());
    let Some(Value::Array(tools)) = body.remove("tools") else {
        if choice.as_ref().is_none_or(|choice| choice == "none") {
            return Ok(None);
        }
        let message = "'tool_choice' is only allowed when 'tools' are specified.";
        return Err(Invalid::new(message).at("tool_choice"));
    };
    if !rules.knows(Mode::Tool) {
        return Err(refusal("tools"));
    }
    let offered = tools.into_iter().enumerate().map(|(n, tool)| function(n, tool));
    chosen(choice.as_ref(), offered.collect::<Result<_, _>>()?, &["function", "name"])
}

/// One offered function.
fn function(n: usize, mut tool: Value) -> Result<Function, Invalid> {
    let at = format!("tools[{n}]");
    if let Some(kind) = tool.get("type").filter(|kind| *kind != "function") {
        let why = format!("this simulator knows only 'function', but got {kind}");
        return Err(unsupported(&format!("{at}.type"), &why));
    }
    let mut function = match tool.get_mut("function").map(Value::take) {
        Some(Value::Object(function)) => function,
        _ => Map::new(),
    };
    let called = text(&function, "name").to_owned();
    name(&called, &format!("{at}.function.name"))?;
    let parameters = function.remove("parameters").filter(|parameters| !parameters.is_null());
    let parameters = parameters.unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
    judged_parameters(&parameters, strictness(&function, Strict::No)).map_err(|complaint| {
        let message = format!("Invalid schema for function '{called}': {complaint}");
        Invalid::new(message).at(format!("{at}.function.parameters"))
    })?;
    Ok(Function { name: called, parameters })
}
