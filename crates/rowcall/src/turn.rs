//! What is said, in neutral form: the turns of a prompt, and the completion that answers it. Each protocol writes them
//! in its own idiom (`provider/`); who speaks next is decided by `conversation.rs`.

use std::ops::AddAssign;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::violation::Violation;

/// The messages rendered for a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// In the order they are said.
    pub turns: Vec<Turn>,
    /// An output limit in tokens for this prompt in place of the run's, set when an answer was cut.
    pub output_limit: Option<u32>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Turn {
    /// What holds for every row: role `developer` or `system`, or a field of its own, as the protocol has it.
    System(Arc<str>),
    /// What is asked about this row.
    User(String),
    /// An answer that gave no value, and why: replayed to the model in the protocol's own idiom for a correction.
    Invalid {
        /// The answer as the provider needs to see it again; see [`Completion::raw_turn`].
        raw_turn: Value,
        /// What was wrong with it.
        violations: Vec<Violation>,
    },
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The answer itself.
    pub content: Content,
    /// Why the model stopped.
    pub finish: Finish,
    /// The finish reason in the provider's own word.
    pub finish_reason: String,
    /// What it took, or `None` where the server does not say.
    pub usage: Option<Usage>,
    /// The model that answered, as the server names it.
    pub model: String,
    /// The assistant's turn exactly as the protocol must see it again in a re-ask (ids, signatures and all).
    pub raw_turn: Value,
}

/// The substance of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Plain text, in which the value is looked for.
    Text(String),
    /// Calls of tools, in the order given, with text that came beside them ignored.
    Calls(Vec<ToolCall>),
    /// The model declined, in these words.
    Refusal(String),
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool's name as the model wrote it.
    pub name: String,
    /// Its arguments: JSON text, which may be broken.
    pub arguments: String,
}

/// Why a model stopped, in neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It reached an output limit; what there is must not be completed by guessing.
    Length,
    /// The provider's filter cut it off.
    ContentFilter,
}

/// Tokens, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All tokens of the prompt, cached and cache-written ones included.
    pub input_tokens: u64,
    /// Of these, read from the provider's prompt cache.
    pub cached_tokens: u64,
    /// Of these, written to the provider's prompt cache.
    pub cache_write_tokens: u64,
    /// All tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Of these, spent on reasoning.
    pub reasoning_tokens: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let Self { input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens } = other;
        self.input_tokens += input_tokens;
        self.cached_tokens += cached_tokens;
        self.cache_write_tokens += cache_write_tokens;
        self.output_tokens += output_tokens;
        self.reasoning_tokens += reasoning_tokens;
    }
}
