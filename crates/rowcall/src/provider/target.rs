//! What every request of a run has in common: model, mode, schema and parameters. Together with a prompt it becomes a request.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Change, Form, Mode, Protocol, Quirks, anthropic, gemini, openai_chat, openai_responses, push_field,
};
use crate::fault::{Fault, FaultKind};
use crate::request::{Request, Response};
use crate::schema::WireSchema;
use crate::turn::{Completion, Prompt, Turn, Usage};

/// The user's generation parameters; the provider's default applies to each one that is not set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// Sampling temperature; sent only if the user sets it, since current models reject it.
    pub temperature: Option<f64>,
    /// The maximum number of tokens in an answer, including reasoning.
    pub max_output_tokens: Option<u32>,
    /// Further fields of the request body, under the provider's names.
    pub extra: Map<String, Value>,
}

impl Parameters {
    /// The same parameters, with an output limit that is set as the extra field `field` moved to `max_output_tokens`, so that it can be
    /// raised when an answer reaches it.
    pub(crate) fn with_limit_from(mut self, field: &str) -> Self {
        let limit = self.extra.get(field).and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
        if let Some(limit) = limit {
            self.extra.shift_remove(field);
            self.max_output_tokens = Some(limit);
        }
        self
    }

    /// All parameters that are set, by name; the extra fields win, as they do in a request.
    pub fn by_name(&self) -> Map<String, Value> {
        let Self { temperature, max_output_tokens, extra } = self;
        let set = [
            ("temperature", temperature.map(Value::from)),
            ("max_output_tokens", max_output_tokens.map(Value::from)),
        ];
        let set = set.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        set.chain(extra.clone()).collect()
    }
}

/// What every request of a run has in common.
#[derive(Debug, Clone)]
pub struct Target {
    /// The protocol.
    pub protocol: Protocol,
    /// The server's deviations from it.
    pub quirks: Quirks,
    /// The model's name as the server knows it.
    pub model: String,
    /// How the schema is requested.
    pub form: Form,
    /// The user's generation parameters.
    pub parameters: Parameters,
    /// The path of the requests, below the base URL.
    pub(super) path: Arc<str>,
    /// The description of the schema for the system message, in the modes that have it only in the prompt.
    instructions: Option<String>,
    /// The body's fields that do not depend on the prompt, as JSON text with a comma before each: written once per run, not once
    /// per request.
    pub(super) tail: Vec<u8>,
    /// The number of non-ASCII bytes in `tail`.
    non_ascii_in_tail: usize,
}

impl Target {
    /// Builds everything in a run's requests except the prompts.
    pub fn new(
        protocol: Protocol,
        quirks: Quirks,
        model: String,
        form: Form,
        parameters: Parameters,
    ) -> Self {
        let fields = match protocol {
            Protocol::OpenAiChat => openai_chat::fields(&form, &parameters),
            Protocol::OpenAiResponses => openai_responses::fields(&form, &parameters),
            Protocol::Anthropic => anthropic::fields(&form, &parameters),
            Protocol::Gemini => gemini::fields(&form, &parameters),
        };
        let path = match protocol {
            Protocol::OpenAiChat => openai_chat::PATH.into(),
            Protocol::OpenAiResponses => openai_responses::PATH.into(),
            Protocol::Anthropic => anthropic::PATH.into(),
            Protocol::Gemini => gemini::path(&model),
        };
        let instructions = match form.mode {
            Mode::Schema | Mode::Tool => None,
            Mode::Json | Mode::Prompt => Some(instructions(&form.wire)),
        };
        let mut tail = Vec::new();
        for (name, value) in &fields {
            push_field(&mut tail, name, value);
        }
        let non_ascii_in_tail = tail.iter().filter(|byte| !byte.is_ascii()).count();
        Self { protocol, quirks, model, form, parameters, path, instructions, tail, non_ascii_in_tail }
    }

    /// The output limit to send with `prompt` in the field `name`, unless the user's extra fields set it.
    pub(super) fn output_limit(&self, prompt: &Prompt, name: &str) -> Option<u32> {
        let limit = prompt.output_limit.or(self.parameters.max_output_tokens);
        limit.filter(|_| !self.parameters.extra.contains_key(name))
    }

    /// The output limit that is sent with `prompt`, if any.
    pub(crate) fn sent_limit(&self, prompt: &Prompt) -> Option<u32> {
        match self.protocol {
            Protocol::OpenAiChat => self.output_limit(prompt, self.quirks.output_limit_field),
            Protocol::OpenAiResponses => self.output_limit(prompt, openai_responses::LIMIT_FIELD),
            Protocol::Anthropic => anthropic::sent_limit(self, prompt),
            Protocol::Gemini => gemini::sent_limit(&self.parameters, prompt),
        }
    }

    /// The number of non-ASCII bytes in the fields that every request shares, above all in its schema.
    pub(crate) fn non_ascii_in_fields(&self) -> usize {
        self.non_ascii_in_tail
    }

    /// The schema's text, if a field of the request carries it instead of the prompt.
    pub(crate) fn schema_in_fields(&self) -> Option<String> {
        match self.form.mode {
            Mode::Schema | Mode::Tool => Some(self.form.wire.schema.to_string()),
            Mode::Json | Mode::Prompt => None,
        }
    }

    /// The request for `prompt`.
    pub fn encode(&self, prompt: &Prompt) -> Request {
        match self.protocol {
            Protocol::OpenAiChat => openai_chat::encode(self, prompt),
            Protocol::OpenAiResponses => openai_responses::encode(self, prompt),
            Protocol::Anthropic => anthropic::encode(self, prompt),
            Protocol::Gemini => gemini::encode(self, prompt),
        }
    }

    /// Decodes a response, whether it is a single body or a stream of events.
    ///
    /// # Errors
    /// The fault that it reports, classified by the protocol and by the statuses that are specific to this server.
    pub fn decode(&self, response: &Response) -> Result<Completion, Fault> {
        let completion = self.protocol.decode(response);
        let completion = completion.map(|read| {
            // An answer has tokens.
            let is_contradicted = |usage: &Usage| usage.output_tokens == 0 && read.has_answer();
            let usage = read.usage.filter(|usage| !is_contradicted(usage));
            Completion { body: response.body.clone(), usage, ..read }
        });
        completion.map_err(|fault| {
            let is_no_capacity = fault.status.is_some() && fault.status == self.quirks.no_capacity_status;
            if is_no_capacity && fault.kind == FaultKind::InvalidRequest {
                Fault { kind: FaultKind::Overloaded, ..fault }
            } else {
                fault
            }
        })
    }

    /// The turn of a model that has answered with this value as text, in the form of
    /// [`Completion::raw_turn`](crate::turn::Completion::raw_turn).
    pub(crate) fn said(&self, value: &Value) -> Value {
        let text = self.form.wire.express(value).to_string();
        match self.protocol {
            Protocol::OpenAiChat => json!({"role": "assistant", "content": text}),
            Protocol::OpenAiResponses => json!([{"type": "message", "role": "assistant", "content": text}]),
            Protocol::Anthropic => json!({"role": "assistant", "content": [{"type": "text", "text": text}]}),
            Protocol::Gemini => json!({"role": "model", "parts": [{"text": text}]}),
        }
    }

    /// The same target without the parameter that the server rejected under this name, and the change; `None` if the parameter can be
    /// neither dropped nor renamed.
    pub(super) fn without(&self, param: &str) -> Option<(Self, Change)> {
        // The part of a field that is ours, although the user may have set other parts of it.
        if ["text.format", "output_config.format", "generation_config.response"]
            .iter()
            .any(|ours| param.starts_with(ours))
        {
            return None;
        }
        // OpenAI names a nested field like `reasoning.effort`.
        let name = param.split(['.', '[']).next().unwrap_or(param);
        let mut parameters = self.parameters.clone();
        if parameters.extra.shift_remove(name).is_some()
            || name == "temperature" && parameters.temperature.take().is_some()
        {
            return Some((
                self.with(self.quirks, self.form.clone(), parameters),
                Change::Dropped(name.to_owned()),
            ));
        }
        let renamed = match (name == self.quirks.output_limit_field, name) {
            (true, "max_tokens") => "max_completion_tokens",
            (true, "max_completion_tokens") => "max_tokens",
            (true | false, _) => return None,
        };
        let quirks = Quirks { output_limit_field: renamed, ..self.quirks };
        Some((self.with(quirks, self.form.clone(), parameters), Change::Renamed(renamed)))
    }

    /// The same target for a base URL that already ends in the version of the API.
    pub(crate) fn below_version(self) -> Self {
        match self.path.strip_prefix("/v1/") {
            Some(rest) => Self { path: format!("/{rest}").into(), ..self },
            None => self,
        }
    }

    /// The same target at the other version of Gemini's API, unless it is there already.
    pub(super) fn of_other_version(&self) -> Option<Self> {
        let rest = self.path.strip_prefix("/v1/").filter(|_| self.protocol == Protocol::Gemini)?;
        Some(Self { path: format!("/v1beta/{rest}").into(), ..self.clone() })
    }

    /// Whether `param` names a field that requests a schema, in this mode or another: gateways may translate the request to another
    /// mode and name that mode's field.
    pub(super) fn asks_for_schema_by(&self, param: &str) -> bool {
        match self.form.mode {
            Mode::Schema | Mode::Json | Mode::Tool => is_way_to_ask(param),
            Mode::Prompt => false,
        }
    }

    /// The same target with the schema in another form.
    pub(super) fn with_form(&self, form: Form) -> Self {
        self.with(self.quirks, form, self.parameters.clone())
    }

    fn with(&self, quirks: Quirks, form: Form, parameters: Parameters) -> Self {
        let path = Arc::clone(&self.path);
        Self { path, ..Self::new(self.protocol, quirks, self.model.clone(), form, parameters) }
    }

    /// The system message: the description of the schema, if the prompt has to carry it, then the prompt's own system text. The part
    /// that never changes comes first, for the sake of providers' prompt caches.
    pub(crate) fn system<'a>(&'a self, prompt: &'a Prompt) -> Option<Cow<'a, str>> {
        let of_prompt = prompt.turns.iter().find_map(|turn| match turn {
            Turn::System(text) => Some(&**text),
            Turn::Example(_) | Turn::User { .. } | Turn::Invalid { .. } => None,
        });
        match (&self.instructions, of_prompt) {
            (None, None) => None,
            (None, Some(text)) => Some(Cow::Borrowed(text)),
            (Some(instructions), None) => Some(Cow::Borrowed(instructions)),
            (Some(instructions), Some(text)) => Some(Cow::Owned(format!("{instructions}\n\n{text}"))),
        }
    }
}

/// Whether `param` is a field with which some protocol requests a schema.
fn is_way_to_ask(param: &str) -> bool {
    let fields = [
        "response_format",
        "text",
        "output_config",
        "generation_config",
        "generationConfig",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "tool_config",
        "toolConfig",
    ];
    fields.contains(&param.split(['.', '[']).next().unwrap_or(param))
}

/// The description of the schema in a prompt. It contains the word JSON, without which OpenAI and DeepSeek reject their JSON
/// modes.
fn instructions(wire: &WireSchema) -> String {
    format!("Answer with JSON that satisfies this JSON Schema, and with nothing else:\n{}", wire.schema)
}
