//! `openai_chat.json`: requests, encoded where one of our modes can produce them, and the readings of their
//! responses.

use std::sync::Arc;

use rowcall::provider::{Form, Parameters, Protocol, Quirks, Target};
use rowcall::schema::{Dialect, WireSchema};
use rowcall::{Mode, Prompt, Schema, Turn};
use serde_json::{Map, Value};

use super::answers::{self, first_difference};
use super::case::{Case, Difference, Verdict};

/// Checks a case: its request if it is one that we could make, and its response.
pub(super) fn judge(case: Case<'_>) -> Result<Verdict, String> {
    let mut differences = request(case)?.unwrap_or_default();
    let wanted = case.get("/request").and_then(Wanted::of).map(|wanted| (wanted.schema, wanted.wire));
    differences.extend(answers::judge(case, Protocol::OpenAiChat, wanted.as_ref())?);
    Ok(Verdict::Judged(differences))
}

/// The differences between the request of a case and ours; `None` if it does not have the form of one of ours.
pub(super) fn request(case: Case<'_>) -> Result<Option<Vec<Difference>>, String> {
    let Some(request) = case.get("/request") else { return Ok(None) };
    let fields = request.as_object().ok_or("no object at `/request`")?;
    let Some(wanted) = Wanted::of(request) else { return Ok(None) };
    let Some((target, prompt)) = asked(fields, &wanted) else { return Ok(None) };
    let sent = serde_json::from_slice(&target.encode(&prompt).body).map_err(|error| error.to_string())?;
    Ok(Some(first_difference("the request", request, &sent).into_iter().collect()))
}

/// What a request wants from the model, in one of our modes.
struct Wanted {
    mode: Mode,
    /// The user's schema that would be sent this way.
    schema: Schema,
    wire: Arc<WireSchema>,
}

impl Wanted {
    /// Derives it from a request; `None` if we do not make such requests.
    fn of(request: &Value) -> Option<Self> {
        let (mode, described, schema_field) = match (request.get("response_format"), request.get("tools")) {
            (Some(format), None) if format.get("type")? == "json_schema" => {
                (Mode::Schema, format.get("json_schema")?, "schema")
            }
            (None, Some(Value::Array(tools))) if tools.len() == 1 => {
                (Mode::Tool, tools.first()?.get("function")?, "parameters")
            }
            (Some(_) | None, Some(_) | None) => return None,
        };
        let schema = Schema::from_json(described.get(schema_field)?.clone()).ok()?;
        let mut wire = schema.wire(Dialect::OpenAiStrict).ok()?;
        // Changes to a schema on its way are checked elsewhere.
        wire.schema = described.get(schema_field)?.clone();
        described.get("name")?.as_str()?.clone_into(&mut wire.name);
        wire.description = described.get("description").and_then(Value::as_str).map(str::to_owned);
        Some(Self { mode, schema, wire: Arc::new(wire) })
    }
}

/// The settings with which we would send the request; `None` if none of our requests has that form.
fn asked(request: &Map<String, Value>, wanted: &Wanted) -> Option<(Target, Prompt)> {
    const LIMITS: [&str; 2] = ["max_completion_tokens", "max_tokens"];
    const OURS: [&str; 6] =
        ["model", "messages", "response_format", "tools", "tool_choice", "parallel_tool_calls"];
    let is_strict = |field: &str, pointer: &str| {
        request.get(field).and_then(|value| value.pointer(pointer)) == Some(&Value::Bool(true))
    };
    let is_ours = match wanted.mode {
        Mode::Schema => is_strict("response_format", "/json_schema/strict"),
        // We do not send tools that the model need not call, or may call more than once.
        Mode::Tool => {
            is_strict("tools", "/0/function/strict")
                && request.get("tool_choice").is_some_and(Value::is_object)
                && request.get("parallel_tool_calls") == Some(&Value::Bool(false))
        }
        Mode::Json | Mode::Prompt => false,
    };
    // We never request a stream from chat.
    if !is_ours || request.contains_key("stream") {
        return None;
    }
    let mut system_role = None;
    let mut turns = Vec::new();
    for message in request.get("messages")?.as_array()? {
        let text = message.get("content")?.as_str()?;
        match message.get("role")?.as_str()? {
            "user" => turns.push(Turn::user(text)),
            role @ ("developer" | "system") => {
                system_role = Some(if role == "system" { "system" } else { "developer" });
                turns.push(Turn::System(text.into()));
            }
            _ => return None,
        }
    }
    let limit_field = LIMITS.into_iter().find(|field| request.contains_key(*field));
    let max_output_tokens = match limit_field.and_then(|field| request.get(field)) {
        Some(limit) => Some(u32::try_from(limit.as_u64()?).ok()?),
        None => None,
    };
    let is_extra = |name: &str| !OURS.contains(&name) && Some(name) != limit_field;
    let extra = request.iter().filter(|(name, _)| is_extra(name));
    let parameters = Parameters {
        temperature: None,
        max_output_tokens,
        extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    let quirks = Quirks {
        output_limit_field: limit_field.unwrap_or("max_tokens"),
        system_role: system_role.unwrap_or("developer"),
        no_capacity_status: None,
    };
    let model = request.get("model")?.as_str()?.to_owned();
    let form = Form { mode: wanted.mode, dialect: Dialect::OpenAiStrict, wire: Arc::clone(&wanted.wire) };
    Some((Target::new(Protocol::OpenAiChat, quirks, model, form, parameters), Prompt::new(turns)))
}
