//! What OpenAI's two protocols share: the wording of rejections, error bodies, the strict subset of JSON Schema, and
//! how functions are named.

pub(crate) mod error;
mod strict;
pub(crate) mod words;

use serde_json::{Map, Value};

use crate::ask::shape::{Field, Shape, nullable};
use crate::ask::wanted::{Forced, Tool, Wanted};
use crate::complaint::Complaint;
use crate::invalid::Invalid;
use crate::rules::Rules;
use crate::value::supported;

/// How the simulator signs its answers.
pub(crate) const FINGERPRINT: &str = "rowcall-simulator";

pub(crate) const TEMPERATURE: Shape = Shape::Number { least: 0.0, most: 2.0 };
pub(crate) const SHARE: Shape = Shape::Number { least: 0.0, most: 1.0 };
pub(crate) const COUNT: Shape = Shape::Integer { least: 1, most: i64::MAX };
pub(crate) const TOP_LOGPROBS: Shape = Shape::Integer { least: 0, most: 20 };
pub(crate) const EFFORT: Shape = Shape::Word(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]);
pub(crate) const VERBOSITY: Field = nullable("verbosity", Shape::Word(&["low", "medium", "high"]));
pub(crate) const RETENTION: Field =
    nullable("prompt_cache_retention", Shape::Word(&["in_memory", "in-memory", "24h"]));

/// A request's body, if it is an object without a parameter that the scenario rejects.
pub(crate) fn parse(sent: &[u8], rules: Rules<'_>) -> Result<Value, Invalid> {
    let Ok(Value::Object(body)) = serde_json::from_slice(sent) else {
        let message =
            "We could not parse the JSON body of your request. The OpenAI API expects a JSON object.";
        return Err(Invalid::new(message));
    };
    match body.keys().find(|name| rules.refuses(name)) {
        None => Ok(Value::Object(body)),
        Some(refused) => Err(refusal(refused)),
    }
}

/// The rejection of a parameter that the model does not accept.
pub(crate) fn refusal(param: &str) -> Invalid {
    let instead = if param == "max_tokens" { " Use 'max_completion_tokens' instead." } else { "" };
    let message = format!("Unsupported parameter: '{param}' is not supported with this model.{instead}");
    Invalid::new(message).at(param).with_code("unsupported_parameter")
}

/// The rejection of a mode that the server does not support; `kind` is the type of the parameter `param`.
pub(crate) fn unknown_mode(param: &str, kind: &str) -> Invalid {
    let message = format!("Invalid parameter: '{param}' of type '{kind}' is not supported with this model.");
    Invalid::new(message).at(param)
}

/// Checks that the schema may be used: by OpenAI's rules if `strict`, and by the simulator's own.
pub(crate) fn judged(schema: &Value, strict: Strict) -> Result<(), Complaint> {
    match strict {
        Strict::Yes => strict::check(schema)?,
        Strict::No => {}
    }
    supported(schema)
}

/// Checks that the schema may be used for a function's parameters, which must be an object.
pub(crate) fn judged_parameters(schema: &Value, strict: Strict) -> Result<(), Complaint> {
    strict::check_root(schema)?;
    judged(schema, strict)
}

/// Whether a schema must be followed exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strict {
    Yes,
    No,
}

/// An offered function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: Value,
}

/// What `tool_choice` says about the offered functions; `name_at` is the path of the chosen name in it.
pub(crate) fn chosen(
    choice: Option<&Value>,
    mut offered: Vec<Function>,
    name_at: &'static [&'static str],
) -> Result<Option<Tool>, Invalid> {
    let name = |choice: &Value| {
        let name = name_at.iter().try_fold(choice, |within, field| within.get(field));
        name.and_then(Value::as_str).map(str::to_owned)
    };
    let (named, forced) = match choice {
        None => (None, Forced::Free),
        Some(Value::String(word)) if word == "none" => return Ok(None),
        Some(Value::String(word)) if word == "auto" => (None, Forced::Free),
        Some(Value::String(word)) if word == "required" => (None, Forced::Any),
        Some(choice) if choice.get("type").is_some_and(|kind| kind == "function") => {
            let missing = || words::missing(&format!("tool_choice.{}", name_at.join(".")));
            (Some(name(choice).ok_or_else(missing)?), Forced::Named)
        }
        Some(choice) if choice.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            let allowed = choice.get("allowed_tools").unwrap_or(choice);
            let required = allowed.get("mode").is_some_and(|mode| mode == "required");
            let forced = if required { Forced::Any } else { Forced::Free };
            (allowed.pointer("/tools/0").and_then(name), forced)
        }
        Some(other) => {
            let message = format!(
                "Invalid value: {other}. Supported values are: 'none', 'auto', 'required', or an object that names a function."
            );
            return Err(Invalid::new(message).at("tool_choice").with_code("invalid_value"));
        }
    };
    let at = match &named {
        None => 0,
        Some(named) => offered.iter().position(|function| function.name == *named).ok_or_else(|| {
            let message = format!("Tool choice 'function' not found in 'tools' parameter: '{named}'.");
            Invalid::new(message).at("tool_choice")
        })?,
    };
    if at >= offered.len() {
        return Ok(None);
    }
    let Function { name, parameters } = offered.swap_remove(at);
    Ok(Some(Tool { name, parameters, forced }))
}

/// The rejection of a schema for which no value was found; `format` is the path of a format's schema.
pub(crate) fn no_value(wanted: &Wanted, complaint: &Complaint, format: &str) -> Invalid {
    match wanted {
        Wanted::Tool(Tool { name, .. }) => {
            Invalid::new(format!("Invalid schema for function '{name}': {complaint}")).at("tools")
        }
        Wanted::Text | Wanted::Object { .. } | Wanted::Schema(_) => {
            Invalid::new(format!("Invalid schema for response_format: {complaint}")).at(format)
        }
    }
}

/// Checks the name of a schema or a function at this path: 1 to 64 letters, digits, `_` and `-`.
pub(crate) fn name(name: &str, at: &str) -> Result<(), Invalid> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain && (1..=64).contains(&name.len()) {
        return Ok(());
    }
    let message = format!(
        "Invalid '{at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
    );
    Err(Invalid::new(message).at(at).with_code("invalid_value"))
}

/// How strictly a function or a format wants its schema followed; `otherwise` if it does not say.
pub(crate) fn strictness(object: &Map<String, Value>, otherwise: Strict) -> Strict {
    match object.get("strict") {
        None => otherwise,
        Some(Value::Bool(true)) => Strict::Yes,
        Some(_) => Strict::No,
    }
}

/// Whether a field that has been checked to be a flag is set.
pub(crate) fn is_set(object: &Map<String, Value>, field: &str) -> bool {
    object.get(field) == Some(&Value::Bool(true))
}
