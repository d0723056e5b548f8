//! What stands in the path and the query of a call of Gemini: the model, the form of the answer, perhaps the key.

use serde_json::Value;

/// Whom a call asks, and how it wants the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) model: String,
    pub(crate) delivery: Delivery,
    /// The query's `key`.
    pub(crate) key: Option<String>,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// As server-sent events: `streamGenerateContent?alt=sse`.
    Events,
    /// As one JSON array: `streamGenerateContent`.
    Array,
}

impl Delivery {
    /// The frames of a stream of these chunks.
    pub(super) fn frames(self, chunks: &[Value]) -> Vec<String> {
        match self {
            Self::Whole => chunks.iter().map(Value::to_string).collect(),
            Self::Events => chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect(),
            Self::Array => {
                let chunk = |(n, chunk)| format!("{}{chunk}", if n == 0 { "[" } else { ",\r\n" });
                chunks.iter().enumerate().map(chunk).chain(["]\n".to_owned()]).collect()
            }
        }
    }

    /// The frame with which a stream ends that has begun.
    pub(crate) fn last_frame(self, chunk: &Value) -> String {
        match self {
            Self::Whole => chunk.to_string(),
            Self::Events => format!("data: {chunk}\r\n\r\n"),
            Self::Array => format!(",\r\n{chunk}]\n"),
        }
    }
}
