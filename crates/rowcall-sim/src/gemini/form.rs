//! The form of answer that a Gemini request wants: MIME type and schema in its configuration, tools and their
//! configuration.

use serde_json::{Map, Value, json};

use super::words::{at, unknown};
use super::{openapi, subset};
use crate::ask::field::object;
use crate::ask::wanted::{Forced, Format, Tool, Wanted};
use crate::complaint::Complaint;
use crate::invalid::Invalid;
use crate::mode::Mode;
use crate::rules::Rules;
use crate::value::supported;

const CONFIG: &str = "generation_config";

/// Models whose functions cannot be combined with JSON.
const EITHER_OR: [&str; 2] = ["gemini-1", "gemini-2"];

/// The form that `responseMimeType` and a schema request.
pub(super) fn format(config: Option<&Map<String, Value>>, rules: Rules<'_>) -> Result<Format, Invalid> {
    let given = |field: &str| config.and_then(|config| config.get(field)).filter(|value| !value.is_null());
    let kind = given("responseMimeType").and_then(Value::as_str).unwrap_or("text/plain");
    let is_json = match kind {
        "application/json" => true,
        "text/plain" => false,
        "text/x.enum" => {
            return Err(at(
                &format!("{CONFIG}.response_mime_type"),
                "this simulator does not answer in `text/x.enum`",
            ));
        }
        _ => {
            let what = "allowed mimetypes are `text/plain`, `application/json`, and `text/x.enum`.";
            return Err(at(&format!("{CONFIG}.response_mime_type"), what));
        }
    };
    let (name, schema) = match (given("responseJsonSchema"), given("responseSchema")) {
        (Some(_), Some(_)) => {
            let what = "only one of response_schema and response_json_schema can be set";
            return Err(at(&format!("{CONFIG}.response_schema"), what));
        }
        (Some(schema), None) => ("responseJsonSchema", schema),
        (None, Some(schema)) => ("responseSchema", schema),
        (None, None) if !is_json => return Ok(Format::Text),
        (None, None) if rules.knows(Mode::JsonObject) => return Ok(Format::Object),
        (None, None) => return Err(unknown("responseMimeType", CONFIG)),
    };
    if !rules.knows(Mode::JsonSchema) {
        return Err(unknown(name, CONFIG));
    }
    if !is_json {
        let what = "must be `application/json` where there is a response schema";
        return Err(at(&format!("{CONFIG}.response_mime_type"), what));
    }
    match name {
        "responseSchema" => openapi_schema(schema, &format!("{CONFIG}.response_schema")),
        _ => json_schema(schema, &format!("{CONFIG}.response_json_schema")),
    }
    .map(Format::Schema)
}

fn json_schema(schema: &Value, location: &str) -> Result<Value, Invalid> {
    let judged = subset::check(schema).and_then(|()| supported(schema));
    judged.map(|()| schema.clone()).map_err(|complaint| refused(location, &complaint))
}

fn openapi_schema(schema: &Value, location: &str) -> Result<Value, Invalid> {
    let schema = openapi::json_schema(schema).map_err(|complaint| refused(location, &complaint))?;
    supported(&schema).map(|()| schema).map_err(|complaint| refused(location, &complaint))
}

/// The rejection of a schema for which no value was found.
pub(crate) fn no_value(wanted: &Wanted, complaint: &Complaint) -> Invalid {
    match wanted {
        Wanted::Tool(_) => refused("tools[0].function_declarations[0]", complaint),
        Wanted::Text | Wanted::Object { .. } | Wanted::Schema(_) => {
            refused("generation_config.response_json_schema", complaint)
        }
    }
}

fn refused(location: &str, complaint: &Complaint) -> Invalid {
    let within: Vec<&str> = [location].into_iter().chain(complaint.path.iter().map(String::as_str)).collect();
    at(&within.join("."), &complaint.what)
}

/// The function to call, if there is one.
pub(super) fn tool(
    body: &Map<String, Value>,
    model: &str,
    rules: Rules<'_>,
) -> Result<Option<Tool>, Invalid> {
    let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut offered = Vec::new();
    for (n, tool) in tools.iter().filter_map(Value::as_object).enumerate() {
        let functions = tool.get("functionDeclarations").and_then(Value::as_array);
        let Some(functions) = functions else {
            let what = "this simulator knows only function_declarations";
            return Err(at(&format!("tools[{n}]"), what));
        };
        for (m, function) in functions.iter().filter_map(Value::as_object).enumerate() {
            offered.push(declared(function, &format!("tools[{n}].function_declarations[{m}]"))?);
        }
    }
    let calling = object(body, "toolConfig").and_then(|config| object(config, "functionCallingConfig"));
    let mode = calling.and_then(|calling| calling.get("mode")).and_then(Value::as_str).unwrap_or("AUTO");
    let allowed = calling.and_then(|calling| calling.get("allowedFunctionNames")).and_then(Value::as_array);
    let allowed: Vec<&str> = allowed.into_iter().flatten().filter_map(Value::as_str).collect();
    let location = "tool_config.function_calling_config";
    if let Some(name) = allowed.iter().find(|name| !offered.iter().any(|(each, _)| each == *name)) {
        let what = format!("`{name}` is not the name of a declared function");
        return Err(at(&format!("{location}.allowed_function_names"), &what));
    }
    if !allowed.is_empty() && !matches!(mode, "ANY" | "VALIDATED") {
        let what = "can only be set when the function calling mode is ANY or VALIDATED.";
        return Err(at(&format!("{location}.allowed_function_names"), what));
    }
    if offered.is_empty() {
        return match mode {
            "ANY" => Err(at(
                &format!("{location}.mode"),
                "Function calling config is set without function_declarations.",
            )),
            _ => Ok(None),
        };
    }
    if !rules.knows(Mode::Tool) {
        return Err(unknown("tools", ""));
    }
    let config = object(body, "generationConfig");
    let kind = config.and_then(|config| config.get("responseMimeType")).and_then(Value::as_str);
    if kind == Some("application/json") && EITHER_OR.iter().any(|part| model.contains(part)) {
        let message = "Function calling with a response mime type: 'application/json' is unsupported";
        return Err(Invalid::new(message).at("generation_config.response_mime_type"));
    }
    let forced = match mode {
        "NONE" => return Ok(None),
        "ANY" if allowed.len() == 1 => Forced::Named,
        "ANY" => Forced::Any,
        _ => Forced::Free,
    };
    let chosen = offered.into_iter().find(|(name, _)| allowed.is_empty() || allowed.contains(&name.as_str()));
    Ok(chosen.map(|(name, parameters)| Tool { name, parameters, forced }))
}

/// The name of a declared function, and its parameters as JSON Schema.
fn declared(function: &Map<String, Value>, location: &str) -> Result<(String, Value), Invalid> {
    let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    if !begins || !plain || name.len() > 128 {
        let what = "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.";
        return Err(at(&format!("{location}.name"), what));
    }
    let given = |field: &str| function.get(field).filter(|value| !value.is_null());
    let parameters = match (given("parametersJsonSchema"), given("parameters")) {
        (Some(_), Some(_)) => {
            let what = "only one of parameters and parameters_json_schema can be set";
            return Err(at(&format!("{location}.parameters"), what));
        }
        (Some(schema), None) => json_schema(schema, &format!("{location}.parameters_json_schema"))?,
        (None, Some(schema)) => openapi_schema(schema, &format!("{location}.parameters"))?,
        (None, None) => json!({ "type": "object", "properties": {} }),
    };
    if parameters.get("type").is_none_or(|kind| kind != "object") {
        return Err(at(&format!("{location}.parameters"), "parameters must be of type OBJECT"));
    }
    Ok((name.to_owned(), parameters))
}
