//! The form of answer that a request asks for: text, JSON, a schema's value, a tool's call.
//! Owns `response_format`, `tools` and `tool_choice`; the messages are its neighbour's.

use serde_json::{Map, Value};

use super::prompt_schema;
use super::request::{Invalid, Messages, missing, unsupported, wrong_type};
use crate::complaint::Complaint;
use crate::strict;
use crate::value::supported;

/// The form of the answer.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Free text.
    Text,
    /// Any JSON object, or a value for the schema that stands in the prompt.
    Object { in_prompt: Option<Value> },
    /// A value for a schema.
    Schema(Value),
    /// A call of the tool with arguments for the schema.
    Tool { name: String, parameters: Value, forced: Forced },
}

/// Whether the tool was named; OpenAI then says `stop`, not `tool_calls`, as the finish reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forced {
    Named,
    Free,
}

/// The form of the answer, and the row's text without a schema that stands in it.
pub(super) fn read(body: &mut Map<String, Value>, messages: &Messages) -> Result<(Wanted, String), Invalid> {
    let row_at = messages.row();
    let row = || messages.texts.get(row_at).map_or_else(String::new, |(_, text)| text.clone());
    let tool = tool(body)?;
    let format = response_format(body, messages)?;
    match (tool, format) {
        // A tool that is not forced leaves the answer to the schema.
        (None | Some(Wanted::Tool { forced: Forced::Free, .. }), Format::Schema(schema)) => {
            Ok((Wanted::Schema(schema), row()))
        }
        (Some(tool), _) => Ok((tool, row())),
        (None, Format::Object) => {
            Ok(with_prompt_schema(messages, row_at, row(), |in_prompt| Wanted::Object { in_prompt }))
        }
        (None, Format::Text) => {
            Ok(with_prompt_schema(messages, row_at, row(), |in_prompt| match in_prompt {
                Some(schema) => Wanted::Object { in_prompt: Some(schema) },
                None => Wanted::Text,
            }))
        }
    }
}

fn with_prompt_schema(
    messages: &Messages,
    row_at: usize,
    row: String,
    wanted: impl Fn(Option<Value>) -> Wanted,
) -> (Wanted, String) {
    let found =
        messages.texts.iter().enumerate().find_map(|(at, (_, text))| Some((at, prompt_schema::find(text)?)));
    match found {
        None => (wanted(None), row),
        Some((at, found)) => {
            let mut row = row;
            if at == row_at {
                row.replace_range(found.range, "");
            }
            (wanted(Some(found.schema)), row)
        }
    }
}

enum Format {
    Text,
    Object,
    Schema(Value),
}

fn response_format(body: &mut Map<String, Value>, messages: &Messages) -> Result<Format, Invalid> {
    let mut format = match body.remove("response_format") {
        None | Some(Value::Null) => return Ok(Format::Text),
        Some(Value::Object(format)) => format,
        Some(other) => return Err(wrong_type("response_format", "an object", &other)),
    };
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => {
            let says_json = |(_, text): &(String, String)| {
                text.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"))
            };
            if messages.texts.iter().any(says_json) {
                return Ok(Format::Object);
            }
            let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
            Err(Invalid { message: message.to_owned(), param: Some("messages".to_owned()), code: None })
        }
        Some("json_schema") => {
            let Some(Value::Object(mut inner)) = format.remove("json_schema") else {
                return Err(missing("response_format.json_schema"));
            };
            let name = name(&inner, "response_format.json_schema")?;
            let schema =
                inner.remove("schema").ok_or_else(|| missing("response_format.json_schema.schema"))?;
            let strict = inner.get("strict") == Some(&Value::Bool(true));
            judged(&schema, strict).map_err(|complaint| Invalid {
                message: format!("Invalid schema for response_format '{name}': {complaint}"),
                param: Some("response_format".to_owned()),
                code: None,
            })?;
            Ok(Format::Schema(schema))
        }
        Some(other) => {
            let message = format!(
                "Invalid value: '{other}'. Supported values are: 'json_object', 'json_schema', and 'text'."
            );
            Err(Invalid {
                message,
                param: Some("response_format.type".to_owned()),
                code: Some("invalid_value"),
            })
        }
        None => Err(missing("response_format.type")),
    }
}

/// The schema may be used: by OpenAI's rules if `strict`, and by the simulator's own.
fn judged(schema: &Value, strict: bool) -> Result<(), Complaint> {
    if strict {
        strict::check(schema)?;
    }
    supported(schema)
}

/// The tool to call, if one is to be called.
fn tool(body: &mut Map<String, Value>) -> Result<Option<Wanted>, Invalid> {
    let choice = body.remove("tool_choice").filter(|choice| !choice.is_null());
    let tools = match body.remove("tools") {
        None | Some(Value::Null) if choice.as_ref().is_some_and(|choice| choice != "none") => {
            let message = "'tool_choice' is only allowed when 'tools' are specified.";
            return Err(Invalid {
                message: message.to_owned(),
                param: Some("tool_choice".to_owned()),
                code: None,
            });
        }
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(tools)) => tools,
        Some(other) => return Err(wrong_type("tools", "an array of objects", &other)),
    };
    let mut offered =
        tools.into_iter().enumerate().map(|(n, tool)| function(n, tool)).collect::<Result<Vec<_>, _>>()?;
    let chosen = |choice: &Value| choice.pointer("/function/name").and_then(Value::as_str).map(str::to_owned);
    let (named, forced) = match &choice {
        None => (None, Forced::Free),
        Some(Value::String(word)) if word == "none" => return Ok(None),
        Some(Value::String(word)) if word == "auto" || word == "required" => (None, Forced::Free),
        Some(choice) if choice.get("type").is_some_and(|kind| kind == "function") => {
            (Some(chosen(choice).ok_or_else(|| missing("tool_choice.function.name"))?), Forced::Named)
        }
        Some(choice) if choice.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            (choice.pointer("/allowed_tools/tools/0").and_then(chosen), Forced::Free)
        }
        Some(other) => {
            let message = format!(
                "Invalid value: {other}. Supported values are: 'none', 'auto', 'required', or an object that names a function."
            );
            return Err(Invalid {
                message,
                param: Some("tool_choice".to_owned()),
                code: Some("invalid_value"),
            });
        }
    };
    let at = match &named {
        None => 0,
        Some(named) => offered.iter().position(|(name, _)| name == named).ok_or_else(|| Invalid {
            message: format!("Tool choice 'function' not found in 'tools' parameter: '{named}'."),
            param: Some("tool_choice".to_owned()),
            code: None,
        })?,
    };
    if at >= offered.len() {
        return Ok(None);
    }
    let (name, parameters) = offered.swap_remove(at);
    Ok(Some(Wanted::Tool { name, parameters, forced }))
}

/// One offered function as its name and the schema of its parameters.
fn function(n: usize, tool: Value) -> Result<(String, Value), Invalid> {
    let at = format!("tools[{n}]");
    let Value::Object(mut tool) = tool else { return Err(wrong_type(&at, "an object", &tool)) };
    if let Some(kind) = tool.get("type").filter(|kind| *kind != "function") {
        return Err(unsupported(
            &format!("{at}.type"),
            &format!("this simulator knows only 'function', but got {kind}"),
        ));
    }
    let Some(Value::Object(mut function)) = tool.remove("function") else {
        return Err(missing(&format!("{at}.function")));
    };
    let name = name(&function, &format!("{at}.function"))?;
    let parameters = function
        .remove("parameters")
        .unwrap_or_else(|| serde_json::json!({ "type": "object", "properties": {} }));
    let strict = function.get("strict") == Some(&Value::Bool(true));
    judged(&parameters, strict).map_err(|complaint| Invalid {
        message: format!("Invalid schema for function '{name}': {complaint}"),
        param: Some(format!("{at}.function.parameters")),
        code: None,
    })?;
    Ok((name, parameters))
}

/// The name of a schema or a function: 1 to 64 letters, digits, `_` and `-`.
fn name(object: &Map<String, Value>, at: &str) -> Result<String, Invalid> {
    let at = format!("{at}.name");
    let name = match object.get("name") {
        Some(Value::String(name)) => name,
        Some(other) => return Err(wrong_type(&at, "a string", other)),
        None => return Err(missing(&at)),
    };
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain && (1..=64).contains(&name.len()) {
        return Ok(name.clone());
    }
    let message = format!(
        "Invalid '{at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
    );
    Err(Invalid { message, param: Some(at), code: Some("invalid_value") })
}
