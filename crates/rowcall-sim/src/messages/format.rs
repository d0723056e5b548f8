//! The form of answer that a Messages request wants: `output_config.format`, `tools` and `tool_choice`.

use serde_json::{Map, Value};

use super::model;
use super::subset::Size;
use super::words::at;
use crate::ask::field::text;
use crate::ask::wanted::{Forced, Format, Tool, Wanted};
use crate::complaint::Complaint;
use crate::invalid::Invalid;
use crate::mode::Mode;
use crate::rules::Rules;
use crate::value::supported;

/// The most strict tools in one request.
const MOST_STRICT_TOOLS: usize = 20;

/// The tool to call, if there is one, and the form that `output_config.format` requests.
pub(super) fn read(body: &Map<String, Value>, rules: Rules<'_>) -> Result<(Option<Tool>, Format), Invalid> {
    let mut size = Size::default();
    let tool = tool(body, rules, &mut size)?;
    Ok((tool, format(body, rules, &mut size)?))
}

/// The form that `output_config.format` requests, next to strict tools of this size.
fn format(body: &Map<String, Value>, rules: Rules<'_>, size: &mut Size) -> Result<Format, Invalid> {
    let format = body.get("output_config").and_then(|config| config.get("format"));
    let Some(schema) = format.and_then(|format| format.get("schema")) else { return Ok(Format::Text) };
    if !rules.knows(Mode::JsonSchema) {
        return Err(at("output_config.format", "Extra inputs are not permitted"));
    }
    if cites(body) {
        return Err(at("output_config.format", "citations cannot be enabled together with a format"));
    }
    size.add(schema)
        .and_then(|()| supported(schema))
        .map_err(|complaint| refused("output_config.format.schema", &complaint))?;
    Ok(Format::Schema(schema.clone()))
}

/// Whether one of the user's documents is to be cited.
fn cites(body: &Map<String, Value>) -> bool {
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let blocks = messages.filter_map(|message| message.get("content")?.as_array()).flatten();
    blocks.into_iter().any(|block| block.pointer("/citations/enabled") == Some(&Value::Bool(true)))
}

fn tool(body: &Map<String, Value>, rules: Rules<'_>, size: &mut Size) -> Result<Option<Tool>, Invalid> {
    let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let choice = body.get("tool_choice").and_then(Value::as_object);
    if tools.is_empty() {
        return match choice {
            None => Ok(None),
            Some(_) => Err(at("tool_choice", "may only be specified while providing `tools`.")),
        };
    }
    if !rules.knows(Mode::Tool) {
        return Err(at("tools", "Extra inputs are not permitted"));
    }
    judge(tools, size)?;
    let kind = choice.map_or("auto", |choice| text(choice, "type"));
    let forced = match kind {
        "none" => return Ok(None),
        "any" => Forced::Any,
        "tool" => Forced::Named,
        _ => Forced::Free,
    };
    if forced != Forced::Free && !model::can_be_forced(text(body, "model")) {
        let what = format!("`{kind}` is not supported on this model. Use `auto`, or `output_config.format`.");
        return Err(at("tool_choice.type", &what));
    }
    let named = choice.map(|choice| text(choice, "name")).unwrap_or_default();
    let chosen = tools
        .iter()
        .filter_map(Value::as_object)
        .find(|tool| forced != Forced::Named || text(tool, "name") == named);
    let tool = chosen
        .ok_or_else(|| at("tool_choice.name", &format!("Tool '{named}' not found in provided tools")))?;
    let parameters = tool.get("input_schema").cloned().unwrap_or_default();
    Ok(Some(Tool { name: text(tool, "name").to_owned(), parameters, forced }))
}

/// Checks the offered tools, and adds the strict ones to `size`.
fn judge(tools: &[Value], size: &mut Size) -> Result<(), Invalid> {
    let mut names = Vec::new();
    let mut strict = 0;
    for (n, tool) in tools.iter().filter_map(Value::as_object).enumerate() {
        let location = format!("tools.{n}.custom");
        let name = text(tool, "name");
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !plain || !(1..=128).contains(&name.len()) {
            let what = "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'";
            return Err(at(&format!("{location}.name"), what));
        }
        let schema = tool.get("input_schema").unwrap_or(&Value::Null);
        let location = format!("{location}.input_schema");
        match schema.get("type") {
            Some(kind) if kind == "object" => {}
            Some(_) => return Err(at(&format!("{location}.type"), "Input should be 'object'")),
            None => return Err(at(&format!("{location}.type"), "Field required")),
        }
        if tool.get("strict") == Some(&Value::Bool(true)) {
            strict += 1;
            size.add(schema).map_err(|complaint| refused(&location, &complaint))?;
        }
        supported(schema).map_err(|complaint| refused(&location, &complaint))?;
        names.push(name);
    }
    if strict > MOST_STRICT_TOOLS {
        return Err(at(
            "tools",
            &format!("at most {MOST_STRICT_TOOLS} strict tools are permitted, but got {strict}"),
        ));
    }
    names.sort_unstable();
    if names.windows(2).any(|two| two.first() == two.last()) {
        return Err(at("tools", "Tool names must be unique."));
    }
    Ok(())
}

/// The rejection of a schema for which no value was found.
pub(crate) fn no_value(wanted: &Wanted, complaint: &Complaint) -> Invalid {
    match wanted {
        Wanted::Tool(_) => refused("tools.0.custom.input_schema", complaint),
        Wanted::Text | Wanted::Object { .. } | Wanted::Schema(_) => {
            refused("output_config.format.schema", complaint)
        }
    }
}

/// The rejection of the schema at this path of the body; the path within the schema follows the problem.
fn refused(location: &str, complaint: &Complaint) -> Invalid {
    let within = complaint.path.join(".");
    let within = if within.is_empty() { String::new() } else { format!(" (at {within})") };
    at(location, &format!("{}{within}", complaint.what))
}
