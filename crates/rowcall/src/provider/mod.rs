//! The protocols of the providers: a provider is data (`catalog.rs`), a protocol is code in a file of its own. Everything here is
//! pure: a prompt becomes a request, a response becomes a completion or a fault, without I/O or a clock.

mod anthropic;
mod anthropic_error;
mod approach;
pub mod batch;
mod body;
mod catalog;
mod day_quota;
mod foreign;
mod form;
mod gemini;
mod gemini_error;
pub(crate) mod limit_headers;
pub mod models;
mod offer;
mod openai_chat;
mod openai_error;
mod openai_responses;
mod refusal;
mod sse;
mod target;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use approach::{Adaptation, Approach, Change};
pub use catalog::{Address, Key, Provider, all, find, named};
pub use form::{Form, Forms, Means};
pub(crate) use limit_headers::standings;
pub use offer::Offer;
pub use target::{Parameters, Target};

use crate::fault::Fault;
use crate::request::Response;
use crate::schema::{Dialect, WireSchema};
use crate::turn::{Choice, Completion, Content, Finish, ToolCall};
use crate::violation::Violation;

/// The API that a provider is called through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenAI's Chat Completions, which most other providers offer as well.
    #[serde(rename = "chat")]
    OpenAiChat,
    /// OpenAI's Responses.
    #[serde(rename = "responses")]
    OpenAiResponses,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
}

/// What differs between servers of the same protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The request field for the output limit: OpenAI itself rejects `max_tokens` for current models, while most
    /// compatible servers know no other name.
    pub output_limit_field: &'static str,
    /// The role of the system message: most compatible servers do not know OpenAI's `developer`.
    pub system_role: &'static str,
    /// The nonstandard status with which the server reports that it is out of capacity, if it uses one.
    pub no_capacity_status: Option<u16>,
}

/// How a schema is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The provider's own structured output: the schema is a field of the request.
    #[default]
    Schema,
    /// One tool whose parameters are the schema; the model is forced to call it.
    Tool,
    /// The provider makes sure that the answer is a JSON object; the schema is in the prompt.
    Json,
    /// The schema is in the prompt, and the answer is extracted from the text.
    Prompt,
}

impl Mode {
    /// It in a word, as the user types it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Tool => "tool",
            Self::Json => "json",
            Self::Prompt => "prompt",
        }
    }

    /// A phrase for messages.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Schema => "structured output by schema",
            Self::Tool => "a forced tool",
            Self::Json => "a JSON object with the schema in the prompt",
            Self::Prompt => "the schema in the prompt alone",
        }
    }
}

/// The text that a re-ask replays, with a stand-in for a blank answer, which Mistral rejects.
fn said_or_nothing(said: &str) -> &str {
    if said.trim().is_empty() { "(no answer)" } else { said }
}

/// The content of an answer: its calls, or else its text. If the calls have no arguments and the text beside them may have a value,
/// the text counts.
fn called_or_said(calls: Vec<ToolCall>, said: String, thoughts: String) -> Content {
    let is_empty = |call: &ToolCall| {
        let inner = call.arguments.trim().trim_start_matches('{').trim_end_matches('}');
        matches!(inner.trim(), "" | "null")
    };
    if calls.is_empty() || (said.contains('{') && calls.iter().all(is_empty)) {
        return thoughts_alone(said, thoughts);
    }
    Content::Calls(calls)
}

/// The content of choices, the first of which is `first`: the only one that has any, or all.
fn chosen(first: Choice, others: Vec<Choice>) -> Choice {
    let mut choices: Vec<Choice> = others.into_iter().filter(|choice| !choice.content.is_blank()).collect();
    if choices.is_empty() {
        return first;
    }
    if !first.content.is_blank() {
        choices.insert(0, first);
    }
    match choices.as_slice() {
        [only] => only.clone(),
        [first, ..] => Choice { finish: first.finish, content: Content::Choices(choices) },
        [] => Choice { content: Content::Text(String::new()), finish: Finish::Stop },
    }
}

/// The text of an answer, or its thoughts if the text is blank.
fn thoughts_alone(said: String, thoughts: String) -> Content {
    if said.trim().is_empty() && !thoughts.trim().is_empty() {
        Content::Thoughts(thoughts)
    } else {
        Content::Text(said)
    }
}

/// Whether an answer that a provider reports as failed is complete. One that broke off before it reached the output limit would
/// break off again with a higher limit, so it does not count as an answer.
fn looks_whole(text: &str) -> bool {
    text.trim_ascii_end().ends_with(['}', ']', '>', '`'])
}

impl Protocol {
    /// The top-level request field for the output limit, if it is a top-level field.
    pub(crate) fn output_limit_field(self, quirks: Quirks) -> Option<&'static str> {
        match self {
            Self::OpenAiChat => Some(quirks.output_limit_field),
            Self::OpenAiResponses => Some(openai_responses::LIMIT_FIELD),
            Self::Anthropic => Some(anthropic::LIMIT_FIELD),
            Self::Gemini => None,
        }
    }

    /// Decodes a response, whether it is a single body or a stream of events.
    ///
    /// # Errors
    /// The classified fault that the response reports.
    pub fn decode(self, response: &Response) -> Result<Completion, Fault> {
        let answer = match self {
            Self::OpenAiChat => openai_chat::decode(response),
            Self::OpenAiResponses => openai_responses::decode(response),
            Self::Anthropic => anthropic::decode(response),
            Self::Gemini => gemini::decode(response),
        };
        answer.map_err(|fault| foreign::instead(response, self, fault))
    }

    /// The modes that the protocol supports, best first.
    pub fn modes(self) -> &'static [Mode] {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::Gemini => {
                &[Mode::Schema, Mode::Tool, Mode::Json, Mode::Prompt]
            }
            Self::Anthropic => &[Mode::Schema, Mode::Tool, Mode::Prompt],
        }
    }

    /// The dialects in which a schema may be sent in `mode` to a server that enforces the dialect `enforced`, best first. A schema
    /// that this dialect cannot express is sent unchanged in a dialect that is not enforced.
    pub fn dialects(self, mode: Mode, enforced: Dialect) -> Vec<Dialect> {
        match (mode, self) {
            (Mode::Schema, _) | (Mode::Tool, Self::Gemini) => vec![enforced],
            (Mode::Tool, Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic) => {
                vec![enforced, Dialect::Object]
            }
            (Mode::Json, _) => vec![Dialect::Object],
            (Mode::Prompt, _) => vec![Dialect::Text],
        }
    }

    /// The dialect that the protocol's own vendor enforces.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => Dialect::OpenAiStrict,
            Self::Anthropic => Dialect::Anthropic,
            Self::Gemini => Dialect::Gemini,
        }
    }

    /// It in a word, as the user types it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "chat",
            Self::OpenAiResponses => "responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// The header that carries the key, unless a provider uses another.
    pub fn key_header(self) -> KeyHeader {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => KeyHeader::Bearer,
            Self::Anthropic => KeyHeader::Named("x-api-key"),
            Self::Gemini => KeyHeader::Named("x-goog-api-key"),
        }
    }
}

/// The header that carries a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeader {
    /// `authorization`, with `Bearer` before the key.
    Bearer,
    /// The header of this lower-case name, with the bare key.
    Named(&'static str),
}

impl KeyHeader {
    /// The header's name.
    pub fn name(self) -> HeaderName {
        match self {
            Self::Bearer => http::header::AUTHORIZATION,
            Self::Named(name) => HeaderName::from_static(name),
        }
    }

    /// The header's value for this key, marked sensitive.
    ///
    /// # Errors
    /// If the key contains a character that a header may not contain.
    pub fn value(self, key: &SecretString) -> Result<HeaderValue, http::Error> {
        let key = key.expose_secret();
        let mut value = match self {
            Self::Bearer => HeaderValue::try_from(format!("Bearer {key}"))?,
            Self::Named(_) => HeaderValue::try_from(key)?,
        };
        value.set_sensitive(true);
        Ok(value)
    }
}

/// How long the server says it worked on the request: OpenAI's `openai-processing-ms`.
pub fn processing_time(response: &Response) -> Option<Duration> {
    response.header("openai-processing-ms")?.trim().parse().ok().map(Duration::from_millis)
}

/// The text of a re-ask, which lists the violations of the model's last answer.
fn correction(violations: &[Violation], wire: &WireSchema) -> String {
    let mut text = String::from("The answer is not valid:\n");
    for violation in violations {
        text.push_str("- ");
        text.push_str(&wire.expressed(violation).to_string());
        text.push('\n');
    }
    text.push_str("Give the whole answer again with all of this corrected, and nothing else.");
    text
}

/// Appends `,"name":value` to a JSON object that is being written.
fn push_field(body: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) {
    body.push(b',');
    push_json(body, name);
    body.push(b':');
    push_json(body, value);
}

/// Appends a value as JSON text.
fn push_json(body: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Writing strings, numbers and JSON values to memory cannot fail.
    let written = serde_json::to_writer(body, value);
    debug_assert!(written.is_ok(), "JSON could not be written to memory");
}

#[cfg(test)]
mod tests;
