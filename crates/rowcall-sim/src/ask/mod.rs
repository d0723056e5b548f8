//! A request to a model in neutral form: what is asked about which row, how the answer is to look, how much it may be.
//! How a protocol writes it is that protocol's matter; so is how it answers.

pub(crate) mod conversation;
pub(crate) mod encoded;
mod prompt_schema;
pub(crate) mod shape;
pub(crate) mod wanted;

use serde_json::{Map, Value};

use crate::chance::{Chance, hash};
use crate::protocol::Form;
use wanted::Wanted;

/// What the simulator needs to know of a request.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "a re-ask is the project's word for it")]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) row: Row,
    /// Whether the conversation goes on after an answer about this row.
    pub(crate) re_ask: bool,
    pub(crate) prompt_tokens: u64,
    pub(crate) wanted: Wanted,
    /// At most so many tokens of output, thinking included.
    pub(crate) most_tokens: Option<u64>,
    pub(crate) thinking: Thinking,
    /// How the answer is to be written.
    pub(crate) form: Form,
}

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The user's text, without a schema that stands in it.
    pub(crate) text: String,
    /// A hash of the images and documents that go with it; 0 without any.
    pub(crate) attached: u64,
}

impl Row {
    /// From what everything about this row is drawn.
    pub(crate) fn chance(&self, seed: u64) -> Chance {
        Chance::of(seed ^ self.attached, &self.text)
    }

    /// By what it is known again.
    pub(crate) fn hash(&self) -> u64 {
        hash(self.attached, self.text.as_bytes())
    }
}

/// Whether the model thinks before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thinking {
    #[default]
    Off,
    /// Its thoughts are counted and not shown.
    Hidden,
    Shown,
}

/// Why a request is answered with an error of its own making, in the provider's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// The HTTP status, nearly always 400.
    pub(crate) status: u16,
    pub(crate) message: String,
    /// The parameter at fault, where the provider names it apart.
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into(), param: None, code: None }
    }

    pub(crate) fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }
}

/// The text of a field of a body that has been, or will be, judged; empty if there is none.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// What a content says: the text that it is, or those of its parts together.
pub(crate) fn texts(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten();
    let texts = content.as_str().into_iter().chain(parts.filter_map(|part| part.get("text")?.as_str()));
    texts.collect()
}

/// An honest estimate of tokens: a quarter of the bytes, rounded up, at least 1.
pub(crate) fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4).max(1)
}
