//! A request to a model in neutral form: the question, the row, and the form and length of the answer. Each protocol
//! reads it from its own format and writes the answer.

pub(crate) mod conversation;
pub(crate) mod encoded;
pub(crate) mod field;
mod prompt_schema;
pub(crate) mod row;
pub(crate) mod shape;
pub(crate) mod wanted;

use crate::engine::Manner;
use crate::form::Form;
use row::Row;
use wanted::Wanted;

/// What the simulator needs to know about a request.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "a re-ask is the project's word for it")]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) row: Row,
    /// Whether the conversation continues after an answer about this row.
    pub(crate) re_ask: bool,
    pub(crate) prompt_tokens: u64,
    /// Of these, those that come from the cache.
    pub(crate) cached_tokens: u64,
    pub(crate) wanted: Wanted,
    /// The maximum number of output tokens, including thinking.
    pub(crate) most_tokens: Option<u64>,
    pub(crate) thinking: Thinking,
    /// How the model answers behind an engine.
    pub(crate) manner: Manner,
    /// The form of the answer.
    pub(crate) form: Form,
}

/// Whether the model thinks before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thinking {
    #[default]
    Off,
    /// Its thoughts are counted but not shown.
    Hidden,
    Shown,
}
