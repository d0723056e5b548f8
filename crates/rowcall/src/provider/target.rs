//! What is the same in every request of a run: model, mode, schema and parameters. With a prompt it becomes a request.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Change, Form, Mode, Protocol, Quirks, anthropic, gemini, openai_chat, openai_responses, push_field,
};
use crate::fault::{Fault, FaultKind};
use crate::request::{Request, Response};
use crate::schema::WireSchema;
use crate::turn::{Completion, Prompt, Turn};

/// What the user sets about the answer; a provider's own default holds for whatever is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// Sampling temperature; never sent unless the user asks, since current models refuse it.
    pub temperature: Option<f64>,
    /// The most tokens an answer may have, reasoning included.
    pub max_output_tokens: Option<u32>,
    /// Further fields of the request body, as the provider names them.
    pub extra: Map<String, Value>,
}

impl Parameters {
    /// The same with an output limit that is set among the further fields, as `field`, in its own place: one that is reached can
    /// then be raised.
    pub(crate) fn with_limit_from(mut self, field: &str) -> Self {
        let limit = self.extra.get(field).and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
        if let Some(limit) = limit {
            self.extra.shift_remove(field);
            self.max_output_tokens = Some(limit);
        }
        self
    }

    /// All that is set, by name: the user's own fields win, as they do in a request.
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

/// What is the same in every request of a run.
#[derive(Debug, Clone)]
pub struct Target {
    /// The language.
    pub protocol: Protocol,
    /// The server's deviations from it.
    pub quirks: Quirks,
    /// The model's name as the server knows it.
    pub model: String,
    /// How the schema is asked for.
    pub form: Form,
    /// What the user sets about the answer.
    pub parameters: Parameters,
    /// Where the requests go, below the base URL.
    pub(super) path: Arc<str>,
    /// What the system part says of the answer's form, in the modes in which only the prompt says it.
    instructions: Option<String>,
    /// The body's fields that no prompt changes, as JSON text with a comma in front of each: written once a run, not once a
    /// request.
    pub(super) tail: Vec<u8>,
    /// How many bytes of `tail` are of characters beyond ASCII.
    non_ascii_in_tail: usize,
}

impl Target {
    /// Everything about a run's requests but the prompts.
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

    /// The output limit to send with `prompt` in the field `name`, unless the user has set that field himself.
    pub(super) fn output_limit(&self, prompt: &Prompt, name: &str) -> Option<u32> {
        let limit = prompt.output_limit.or(self.parameters.max_output_tokens);
        limit.filter(|_| !self.parameters.extra.contains_key(name))
    }

    /// The output limit that goes along with `prompt`, if one does.
    pub(crate) fn sent_limit(&self, prompt: &Prompt) -> Option<u32> {
        match self.protocol {
            Protocol::OpenAiChat => self.output_limit(prompt, self.quirks.output_limit_field),
            Protocol::OpenAiResponses => self.output_limit(prompt, openai_responses::LIMIT_FIELD),
            Protocol::Anthropic => anthropic::sent_limit(self, prompt),
            Protocol::Gemini => gemini::sent_limit(&self.parameters, prompt),
        }
    }

    /// How many bytes of what is the same in every request, its schema above all, are of characters beyond ASCII.
    pub(crate) fn non_ascii_in_fields(&self) -> usize {
        self.non_ascii_in_tail
    }

    /// The schema's text where a field of the request has it and not the prompt.
    pub(crate) fn schema_in_fields(&self) -> Option<String> {
        match self.form.mode {
            Mode::Schema | Mode::Tool => Some(self.form.wire.schema.to_string()),
            Mode::Json | Mode::Prompt => None,
        }
    }

    /// The request that asks `prompt`.
    pub fn encode(&self, prompt: &Prompt) -> Request {
        match self.protocol {
            Protocol::OpenAiChat => openai_chat::encode(self, prompt),
            Protocol::OpenAiResponses => openai_responses::encode(self, prompt),
            Protocol::Anthropic => anthropic::encode(self, prompt),
            Protocol::Gemini => gemini::encode(self, prompt),
        }
    }

    /// What a response means, be it one body or a stream of events.
    ///
    /// # Errors
    /// The fault that it reports, classified by the protocol and by the statuses that only this server has.
    pub fn decode(&self, response: &Response) -> Result<Completion, Fault> {
        let completion = self.protocol.decode(response);
        let completion = completion.map(|read| Completion { body: response.body.clone(), ..read });
        completion.map_err(|fault| {
            let is_its_own = fault.status.is_some() && fault.status == self.quirks.no_capacity_status;
            if is_its_own && fault.kind == FaultKind::InvalidRequest {
                Fault { kind: FaultKind::Overloaded, ..fault }
            } else {
                fault
            }
        })
    }

    /// The turn of a model that has answered with this value, as [`Completion::raw_turn`](crate::turn::Completion::raw_turn) would
    /// have it of one that answers in words.
    pub(crate) fn said(&self, value: &Value) -> Value {
        let text = self.form.wire.express(value).to_string();
        match self.protocol {
            Protocol::OpenAiChat => json!({"role": "assistant", "content": text}),
            Protocol::OpenAiResponses => json!([{"type": "message", "role": "assistant", "content": text}]),
            Protocol::Anthropic => json!({"role": "assistant", "content": [{"type": "text", "text": text}]}),
            Protocol::Gemini => json!({"role": "model", "parts": [{"text": text}]}),
        }
    }

    /// The same target without the parameter that a server has refused by this name, and what that changes; `None` if it can be
    /// neither left out nor named otherwise.
    pub(super) fn without(&self, param: &str) -> Option<(Self, Change)> {
        // What is ours in a field that the user has set things in as well.
        if ["text.format", "output_config.format", "generation_config.response"]
            .iter()
            .any(|ours| param.starts_with(ours))
        {
            return None;
        }
        // OpenAI names what is within a field as `reasoning.effort`.
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

    /// The same target where the address that it is asked at ends in the version of the API.
    pub(crate) fn below_version(self) -> Self {
        match self.path.strip_prefix("/v1/") {
            Some(rest) => Self { path: format!("/{rest}").into(), ..self },
            None => self,
        }
    }

    /// The same target at the other version of Gemini's API, if it is not there yet.
    pub(super) fn of_other_version(&self) -> Option<Self> {
        let rest = self.path.strip_prefix("/v1/").filter(|_| self.protocol == Protocol::Gemini)?;
        Some(Self { path: format!("/v1beta/{rest}").into(), ..self.clone() })
    }

    /// Whether `param` is the name of what asks for a schema, in this mode or in another: gateways ask for it in another way than they are
    /// asked, and name that one.
    pub(super) fn asks_for_schema_by(&self, param: &str) -> bool {
        match self.form.mode {
            Mode::Schema | Mode::Json | Mode::Tool => is_way_to_ask(param),
            Mode::Prompt => false,
        }
    }

    /// The same target asking for the schema in another form.
    pub(super) fn with_form(&self, form: Form) -> Self {
        self.with(self.quirks, form, self.parameters.clone())
    }

    fn with(&self, quirks: Quirks, form: Form, parameters: Parameters) -> Self {
        let path = Arc::clone(&self.path);
        Self { path, ..Self::new(self.protocol, quirks, self.model.clone(), form, parameters) }
    }

    /// All that holds for every row in one text: what the answer's form is, if that must be said, then the system's part. What
    /// never changes comes first, so that providers' prompt caches find it.
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

/// Whether `param` is the name of a field by which some protocol asks for a schema.
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

/// What a prompt says of the answer's form where nothing else does. It has the word JSON in it, without which OpenAI and DeepSeek
/// refuse their JSON modes.
fn instructions(wire: &WireSchema) -> String {
    format!("Answer with JSON that satisfies this JSON Schema, and with nothing else:\n{}", wire.schema)
}
