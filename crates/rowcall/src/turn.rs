//! The protocol-neutral form of a conversation: the turns of a prompt, and the completion that answers it. Each
//! protocol encodes them in its own way (`provider/`); `conversation.rs` decides what comes next.

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
    /// The turns, in order.
    pub turns: Vec<Turn>,
    /// An output limit in tokens for this prompt in place of the run's, set after an answer was cut.
    pub output_limit: Option<u32>,
    /// The provider's token for continuing an answer that it has paused ([`Completion::continuation`]).
    pub continuation: Option<String>,
}

impl Prompt {
    /// A prompt of these turns, with the run's output limit.
    pub fn new(turns: Vec<Turn>) -> Self {
        Self { turns, output_limit: None, continuation: None }
    }

    /// The attachments of its user turns, in order.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.turns.iter().flat_map(|turn| match turn {
            Turn::User { text: _, attachments } => attachments.as_slice(),
            Turn::System(_) | Turn::Example(_) | Turn::Invalid { .. } => &[],
        })
    }

    /// The same, mutable.
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
    /// The instructions for every row: a message with role `developer` or `system`, or a separate field, depending on the
    /// protocol.
    System(Arc<str>),
    /// A question of the same kind with its answer, as an example for the model.
    Example(Arc<Example>),
    /// The question about this row.
    User {
        /// The text.
        text: String,
        /// The images and documents that it is about; they are sent before the text.
        attachments: Vec<Attachment>,
    },
    /// An invalid answer and its violations: replayed to the model in the protocol's own form of correction.
    Invalid {
        /// The answer as the provider needs to see it again; see [`Completion::raw_turn`].
        raw_turn: Value,
        /// What was wrong with it.
        violations: Vec<Violation>,
    },
}

impl Turn {
    /// A question about this row, as text only.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into(), attachments: Vec::new() }
    }
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The question, rendered with the same template as a row's.
    pub question: String,
    /// The right value, in the form of the user's schema.
    pub value: Value,
}

/// An image or a document that is sent with a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The media type, such as `image/png` or `application/pdf`.
    pub media_type: String,
    /// The contents, or where they are.
    pub content: AttachmentContent,
}

/// Where an attachment's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentContent {
    /// At a URL from which the provider fetches them.
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
    /// The finish reason in the provider's own words.
    pub finish_reason: String,
    /// What it took, or `None` if the server does not report it, or reports counts that contradict one another.
    pub usage: Option<Usage>,
    /// The service tier, as the server names it, if it does; the cost depends on it.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// The model that answered, as the server names it.
    pub model: String,
    /// The assistant's turn exactly as the protocol must see it again in a re-ask, with ids and signatures.
    pub raw_turn: Value,
    /// With [`Finish::Paused`], the provider's token for continuing the answer.
    pub continuation: Option<String>,
    /// The whole body of the response, as the provider sent it. A journal does not keep it, so it is empty for a completion
    /// from there.
    #[serde(skip)]
    pub body: Bytes,
}

impl Completion {
    /// The answer's text, or the arguments of its first tool call.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Refusal(text) => Some(text),
            Content::Calls(calls) => calls.first().map(|call| call.arguments.as_str()),
            Content::Choices(choices) => match choices.first().map(|choice| &choice.content) {
                Some(Content::Text(text) | Content::Refusal(text)) => Some(text),
                Some(Content::Calls(_) | Content::Thoughts(_) | Content::Choices(_)) | None => None,
            },
            Content::Thoughts(_) => None,
        }
    }

    /// Whether the model has written anything. A refusal may be the provider's own.
    pub(crate) fn has_answer(&self) -> bool {
        !matches!(self.content, Content::Refusal(_)) && self.content.length() > 0
    }

    /// Why the model stopped. Without a reason, an answer that reached the output limit in tokens that was sent was cut off there. A
    /// server that does not report usage either is believed if the answer has fewer bytes than the limit has tokens, since a token is
    /// almost never shorter than a byte.
    pub(crate) fn finish_within(&self, limit: Option<u32>) -> Finish {
        let Some(limit) = limit.map(u64::from).filter(|_| self.finish == Finish::Unstated) else {
            return self.finish;
        };
        let used = match self.usage {
            Some(usage) => usage.output_tokens,
            None => self.content.length() as u64,
        };
        if used >= limit { Finish::Length } else { Finish::Unstated }
    }
}

/// The content of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Plain text that contains the value.
    Text(String),
    /// Tool calls, in the order given; text beside them is ignored.
    Calls(Vec<ToolCall>),
    /// The model declined, in these words.
    Refusal(String),
    /// Only thoughts, which are not an answer.
    Thoughts(String),
    /// Several choices with content, although one was asked for.
    Choices(Vec<Choice>),
}

/// One of several choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its content.
    pub content: Content,
    /// Why the model stopped.
    pub finish: Finish,
}

impl Content {
    /// Its length in bytes.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Text(text) | Self::Refusal(text) | Self::Thoughts(text) => text.len(),
            Self::Calls(calls) => calls.iter().map(|call| call.arguments.len()).sum(),
            Self::Choices(choices) => choices.iter().map(|choice| choice.content.length()).sum(),
        }
    }

    /// Whether it has neither text nor a call.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Thoughts(_) => true,
            Self::Calls(_) | Self::Refusal(_) | Self::Choices(_) => false,
        }
    }
}

/// A tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool's name as the model wrote it.
    pub name: String,
    /// Its arguments: JSON text, which may be broken.
    pub arguments: String,
    /// Whether the arguments came as an object rather than as text. A server that parses the model's text also closes
    /// open brackets, so that a cut is not visible.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub came_parsed: bool,
}

/// Why a model stopped, in neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    /// The answer is complete.
    Stop,
    /// The server does not say why; some proxies leave the reason out.
    Unstated,
    /// It reached an output limit; the partial answer must not be completed by guessing.
    Length,
    /// The provider's filter cut it off.
    ContentFilter,
    /// The provider paused it; asking again returns the rest.
    Paused,
}

/// Tokens, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All tokens of the prompt, cached and cache-written ones included.
    pub input_tokens: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cached_tokens: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cache_write_tokens: u64,
    /// Of those written, tokens kept for longer: an hour at Anthropic, twelve at OpenAI. They have a separate price.
    #[serde(default)]
    pub cache_write_long_tokens: u64,
    /// All tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// These counts, unless they cannot be right: a prompt has tokens, and a part is not larger than the whole. What a request with
    /// such counts cost is not known.
    pub(crate) fn plausible(self) -> Option<Self> {
        let Self {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            cache_write_long_tokens,
            output_tokens,
            reasoning_tokens,
        } = self;
        let is_plausible = input_tokens > 0
            && cached_tokens.checked_add(cache_write_tokens).is_some_and(|parts| parts <= input_tokens)
            && cache_write_long_tokens <= cache_write_tokens
            && reasoning_tokens <= output_tokens;
        is_plausible.then_some(self)
    }
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
