//! The form of answer that a Responses request wants: `text.format`, `tools` and `tool_choice`.

use serde_json::{Map, Value, json};

use crate::ask::conversation::Conversation;
use crate::ask::field::text;
use crate::ask::wanted::{Format, Tool};
use crate::invalid::Invalid;
use crate::mode::Mode;
use crate::openai::{
    Function, Strict, chosen, judged, judged_parameters, name, refusal, strictness, unknown_mode,
};
use crate::rules::Rules;

/// The form that `text.format` requests.
pub(super) fn format(
    body: &Map<String, Value>,
    conversation: &Conversation,
    rules: Rules<'_>,
) -> Result<Format, Invalid> {
    let format = body.get("text").and_then(|text| text.get("format")).and_then(Value::as_object);
    let Some(format) = format else { return Ok(Format::Text) };
    let known = |mode: Mode, kind: &str| {
        if rules.knows(mode) { Ok(()) } else { Err(unknown_mode("text.format", kind)) }
    };
    match text(format, "type") {
        "json_object" => {
            known(Mode::JsonObject, "json_object")?;
            if conversation.says_json() {
                return Ok(Format::Object);
            }
            let message = "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.";
            Err(Invalid::new(message).at("input"))
        }
        "json_schema" => {
            known(Mode::JsonSchema, "json_schema")?;
            let called = text(format, "name");
            name(called, "text.format.name")?;
            let schema = format.get("schema").cloned().unwrap_or_default();
            judged(&schema, strictness(format, Strict::No)).map_err(|complaint| {
                let message = format!("Invalid schema for response_format '{called}': {complaint}");
                Invalid::new(message).at("text.format.schema").with_code("invalid_json_schema")
            })?;
            Ok(Format::Schema(schema))
        }
        _ => Ok(Format::Text),
    }
}

/// The tool to call, if there is one.
pub(super) fn tool(body: &Map<String, Value>, rules: Rules<'_>) -> Result<Option<Tool>, Invalid> {
    let choice = body.get("tool_choice").filter(|choice| !choice.is_null());
    let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if tools.is_empty() {
        if choice.is_none_or(|choice| choice == "none" || choice == "auto") {
            return Ok(None);
        }
        let message = "Tool choice other than 'auto' or 'none' requires 'tools'.";
        return Err(Invalid::new(message).at("tool_choice"));
    }
    if !rules.knows(Mode::Tool) {
        return Err(refusal("tools"));
    }
    let offered = tools.iter().filter_map(Value::as_object).enumerate().map(|(n, tool)| function(n, tool));
    chosen(choice, offered.collect::<Result<_, _>>()?, &["name"])
}

/// One offered function. It is strict by default, as OpenAI's documentation says.
fn function(n: usize, tool: &Map<String, Value>) -> Result<Function, Invalid> {
    let called = text(tool, "name");
    name(called, &format!("tools[{n}].name"))?;
    let parameters = tool.get("parameters").filter(|parameters| !parameters.is_null());
    let none =
        || json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let parameters = parameters.cloned().unwrap_or_else(none);
    judged_parameters(&parameters, strictness(tool, Strict::Yes)).map_err(|complaint| {
        let message = format!("Invalid schema for function '{called}': {complaint}");
        Invalid::new(message).at(format!("tools[{n}].parameters")).with_code("invalid_function_parameters")
    })?;
    Ok(Function { name: called.to_owned(), parameters })
}
