//! The language of each provider: a provider is data (`catalog.rs`), a protocol is code, one file each. All of it is pure:
//! a prompt becomes a request, a response becomes a completion or a fault, with no I/O and no clock.

mod anthropic;
mod catalog;
pub(crate) mod limit_headers;
mod openai_chat;
mod openai_error;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use catalog::{Key, Provider, find};
pub(crate) use limit_headers::standings;

use crate::fault::Fault;
use crate::request::{Request, Response};
use crate::schema::WireSchema;
use crate::turn::{Completion, Prompt};
use crate::violation::Violation;

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OpenAI's Chat Completions, which most others speak as well.
    OpenAiChat,
    /// Anthropic's Messages.
    Anthropic,
}

/// What differs among servers that speak the same protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The request field for the output limit: OpenAI itself refuses `max_tokens` for current models, and most
    /// compatible servers know nothing else.
    pub output_limit_field: &'static str,
    /// The role of what holds for every row: OpenAI's `developer` is unknown to most compatible servers.
    pub system_role: &'static str,
}

/// How a schema is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The provider's own structured output: the schema goes along as such.
    #[default]
    Schema,
    /// One tool whose parameters are the schema, and the model is made to call it.
    Tool,
}

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
    pub mode: Mode,
    /// The schema in the form that the provider takes.
    pub wire: Arc<WireSchema>,
    /// What the user sets about the answer.
    pub parameters: Parameters,
    /// The body's fields that no prompt changes, as JSON text with a comma in front of each: written once a run, not once a
    /// request.
    tail: Vec<u8>,
}

impl Target {
    /// Everything about a run's requests but the prompts.
    pub fn new(
        protocol: Protocol,
        quirks: Quirks,
        model: String,
        mode: Mode,
        wire: Arc<WireSchema>,
        parameters: Parameters,
    ) -> Self {
        let mut fields = match protocol {
            Protocol::OpenAiChat => openai_chat::fields(mode, &wire),
            Protocol::Anthropic => anthropic::fields(mode, &wire),
        };
        if let Some(temperature) = parameters.temperature {
            fields.insert("temperature".to_owned(), temperature.into());
        }
        // The user's own fields come last and win.
        fields.extend(parameters.extra.clone());
        let mut tail = Vec::new();
        for (name, value) in &fields {
            push_field(&mut tail, name, value);
        }
        Self { protocol, quirks, model, mode, wire, parameters, tail }
    }

    /// The output limit to send with `prompt` in the field `name`, unless the user has set that field himself.
    fn output_limit(&self, prompt: &Prompt, name: &str) -> Option<u32> {
        let limit = prompt.output_limit.or(self.parameters.max_output_tokens);
        limit.filter(|_| !self.parameters.extra.contains_key(name))
    }

    /// The request that asks `prompt`.
    pub fn encode(&self, prompt: &Prompt) -> Request {
        match self.protocol {
            Protocol::OpenAiChat => openai_chat::encode(self, prompt),
            Protocol::Anthropic => anthropic::encode(self, prompt),
        }
    }
}

impl Protocol {
    /// What a response means.
    ///
    /// # Errors
    /// The fault that it tells of, classified.
    pub fn decode(self, response: &Response) -> Result<Completion, Fault> {
        match self {
            Self::OpenAiChat => openai_chat::decode(response),
            Self::Anthropic => anthropic::decode(response),
        }
    }

    /// The headers that every request carries beside its content type: the key in the protocol's own header, marked
    /// sensitive, and a version where the protocol wants one.
    ///
    /// # Errors
    /// If the key has a character that no header may have.
    pub fn headers(self, key: Option<&SecretString>) -> Result<Vec<(HeaderName, HeaderValue)>, http::Error> {
        let mut headers = match self {
            Self::OpenAiChat => Vec::new(),
            Self::Anthropic => {
                vec![(
                    HeaderName::from_static("anthropic-version"),
                    HeaderValue::from_static(anthropic::VERSION),
                )]
            }
        };
        if let Some(key) = key {
            let (name, value) = match self {
                Self::OpenAiChat => (http::header::AUTHORIZATION, format!("Bearer {}", key.expose_secret())),
                Self::Anthropic => (HeaderName::from_static("x-api-key"), key.expose_secret().to_owned()),
            };
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(true);
            headers.push((name, value));
        }
        Ok(headers)
    }
}

/// How long the server itself says that it worked on the request: OpenAI's `openai-processing-ms`.
pub fn processing_time(response: &Response) -> Option<Duration> {
    response.header("openai-processing-ms")?.trim().parse().ok().map(Duration::from_millis)
}

/// The sentence with which a re-ask tells the model what was wrong with its last answer.
fn correction(violations: &[Violation]) -> String {
    let mut text = String::from("The answer is not valid:\n");
    for violation in violations {
        text.push_str("- ");
        text.push_str(&violation.to_string());
        text.push('\n');
    }
    text.push_str("Give the whole answer again with all of this corrected, and nothing else.");
    text
}

/// Appends `"name":value` to a JSON object that is being written, with a comma in front.
fn push_field(body: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) {
    body.push(b',');
    push_json(body, name);
    body.push(b':');
    push_json(body, value);
}

/// Appends a value as JSON text.
fn push_json(body: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Writing strings, numbers and JSON values to memory has no way to fail.
    let written = serde_json::to_writer(body, value);
    debug_assert!(written.is_ok(), "JSON could not be written to memory");
}

#[cfg(test)]
mod tests;
