//! The form in which a request wants its answer, among those that its protocol has. The protocol writes it.

use serde_json::{Map, Value};

/// The form, by protocol.
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

/// The choices of a Chat Completions request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatForm {
    Whole,
    Stream,
    /// The last chunk reports the usage.
    StreamWithUsage,
}

/// The choices of a Responses request, and the fields that its answer repeats.
#[derive(Debug)]
pub(crate) struct ResponsesForm {
    pub(crate) delivery: Delivery,
    /// The fields of the request that an answer repeats, in order.
    pub(crate) echo: Map<String, Value>,
}

/// The choices of a Gemini request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeminiForm {
    Whole,
    /// As server-sent events: `streamGenerateContent?alt=sse`.
    Events,
    /// As one JSON array: `streamGenerateContent`.
    Array,
}

/// The form of a tool call's arguments on the wire.
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
