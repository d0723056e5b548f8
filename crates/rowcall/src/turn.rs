//! What is said, in neutral form: the turns of a prompt, and the completion that answers it. Each protocol writes them
//! in its own idiom (`provider/`); who speaks next is decided by `conversation.rs`.

use std::ops::AddAssign;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
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
    /// The provider's token with which an answer that it has paused is taken up again ([`Completion::continuation`]).
    pub continuation: Option<String>,
}

impl Prompt {
    /// These turns, with the run's own output limit.
    pub fn new(turns: Vec<Turn>) -> Self {
        Self { turns, output_limit: None, continuation: None }
    }

    /// What goes along with its questions, in their order.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.turns.iter().flat_map(|turn| match turn {
            Turn::User { text: _, attachments } => attachments.as_slice(),
            Turn::System(_) | Turn::Example(_) | Turn::Invalid { .. } => &[],
        })
    }

    /// The same, to be changed.
    pub(crate) fn attachments_mut(&mut self) -> impl Iterator<Item = &mut Attachment> {
        self.turns.iter_mut().flat_map(|turn| match turn {
            Turn::User { text: _, attachments } => attachments.as_mut_slice(),
            Turn::System(_) | Turn::Example(_) | Turn::Invalid { .. } => &mut [],
        })
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Turn {
    /// What holds for every row: role `developer` or `system`, or a field of its own, as the protocol has it.
    System(Arc<str>),
    /// A question of the same kind with its answer, for the model to go by.
    Example(Arc<Example>),
    /// What is asked about this row.
    User {
        /// In words.
        text: String,
        /// The images and documents that it is about; they go before the words.
        attachments: Vec<Attachment>,
    },
    /// An answer that gave no value, and why: replayed to the model in the protocol's own idiom for a correction.
    Invalid {
        /// The answer as the provider needs to see it again; see [`Completion::raw_turn`].
        raw_turn: Value,
        /// What was wrong with it.
        violations: Vec<Violation>,
    },
}

impl Turn {
    /// What is asked about this row, in words alone.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into(), attachments: Vec::new() }
    }
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What is asked, in the words in which a row is asked about.
    pub question: String,
    /// The value to give, in the form of the user's schema.
    pub value: Value,
}

/// An image or a document that goes along with a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is, such as `image/png` or `application/pdf`.
    pub media_type: String,
    /// Where it is.
    pub content: AttachmentContent,
}

/// Where an attachment's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentContent {
    /// At an address from which the provider fetches them.
    Url(String),
    /// In a file that has not been read yet. It is read before the first attempt; no protocol can send a path.
    File(PathBuf),
    /// Here, in Base64.
    Base64(Arc<str>),
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
    /// The tier by which it was served, in the server's own word, if it says so: what it costs depends on that.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// The model that answered, as the server names it.
    pub model: String,
    /// The assistant's turn exactly as the protocol must see it again in a re-ask (ids, signatures and all).
    pub raw_turn: Value,
    /// With [`Finish::Paused`], what the provider wants to see again to go on.
    pub continuation: Option<String>,
    /// The whole body of the response, as the provider sent it. It is not kept in a journal: empty for a completion from there.
    #[serde(skip)]
    pub body: Bytes,
}

impl Completion {
    /// The answer's words, or the arguments of the first tool that it calls.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Refusal(text) => Some(text),
            Content::Calls(calls) => calls.first().map(|call| call.arguments.as_str()),
            Content::Thoughts(_) => None,
        }
    }
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
    /// Nothing but thoughts, which are no answer.
    Thoughts(String),
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool's name as the model wrote it.
    pub name: String,
    /// Its arguments: JSON text, which may be broken.
    pub arguments: String,
    /// Whether they came as an object rather than as text. A server that parses what the model wrote also closes it, so
    /// that nothing shows where it was cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub came_parsed: bool,
}

/// Why a model stopped, in neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    /// It was done.
    Stop,
    /// The server does not say why, as some proxies leave it out.
    Unstated,
    /// It reached an output limit; what there is must not be completed by guessing.
    Length,
    /// The provider's filter cut it off.
    ContentFilter,
    /// The provider paused it, and the rest is to be had by asking again.
    Paused,
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
    /// Of those written, to be kept for long: an hour at Anthropic, twelve at OpenAI. They have a price of their own.
    #[serde(default)]
    pub cache_write_long_tokens: u64,
    /// All tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Of these, spent on reasoning.
    pub reasoning_tokens: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let Self {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            cache_write_long_tokens,
            output_tokens,
            reasoning_tokens,
        } = other;
        self.input_tokens = self.input_tokens.saturating_add(input_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(cached_tokens);
        self.cache_write_tokens = self.cache_write_tokens.saturating_add(cache_write_tokens);
        self.cache_write_long_tokens = self.cache_write_long_tokens.saturating_add(cache_write_long_tokens);
        self.output_tokens = self.output_tokens.saturating_add(output_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(reasoning_tokens);
    }
}
