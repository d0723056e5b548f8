//! The form in which a request wants its answer, of those that its protocol has. How an answer is written in it is that
//! protocol's matter.

use serde_json::{Map, Value};

/// The form, by the protocol that is spoken.
#[derive(Debug)]
pub(crate) enum Form {
    Chat(ChatForm),
    Responses(Box<ResponsesForm>),
    Messages(Delivery),
    Gemini(GeminiForm),
}

/// Whether the answer is a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Stream,
}

/// What Chat Completions lets a request choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatForm {
    Whole,
    Stream,
    /// The last chunk tells the usage.
    StreamWithUsage,
}

/// What Responses lets a request choose, and what its answer repeats.
#[derive(Debug)]
pub(crate) struct ResponsesForm {
    pub(crate) delivery: Delivery,
    /// The fields of the request that an answer repeats, in their order.
    pub(crate) echo: Map<String, Value>,
}

/// What Gemini lets a request choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeminiForm {
    Whole,
    /// As server-sent events: `streamGenerateContent?alt=sse`.
    Events,
    /// As one JSON array: `streamGenerateContent`.
    Array,
}

/// What the arguments of a tool's call are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Text, which should be JSON.
    Text,
    /// An object.
    Object,
}

impl Form {
    pub(crate) fn arguments(&self) -> Arguments {
        match self {
            Self::Chat(_) | Self::Responses(_) => Arguments::Text,
            Self::Messages(_) | Self::Gemini(_) => Arguments::Object,
        }
    }
}
