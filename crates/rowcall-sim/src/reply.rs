//! An answer on its way to the client: status, headers, body, how long it takes and how it ends.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{ErrorBody, Moment, StatusFault};

/// What the server sends.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// Whether the length is left open, as for a stream.
    pub(crate) length: Length,
    /// How long the model takes before the first byte.
    pub(crate) delay: Duration,
    /// How many answers to any requests must have been sent before it.
    pub(crate) until_answered: u64,
    pub(crate) ending: Ending,
    /// The hash of the request's body, if this answer is complete and valid and such requests are counted.
    pub(crate) settles: Option<u64>,
    /// Whether it is a complete and valid answer of the model.
    pub(crate) is_answer: bool,
}

/// Whether a body's length is sent in advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Declared,
    Open,
}

/// How the answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    Fails(Moment, Failure),
}

/// What happens to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Reset,
    Cut,
    Stall,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
            length: Length::Declared,
            delay: Duration::ZERO,
            until_answered: 0,
            ending: Ending::Whole,
            settles: None,
            is_answer: false,
        }
    }

    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        Self::new(status, "application/json", body)
    }

    /// The HTTP error that a scenario specifies; `body` is the provider's own form of it.
    pub(crate) fn simulated(status: &StatusFault, body: &Value) -> Self {
        let message = status.message();
        match status.body {
            ErrorBody::Provider => Self::json(status.code, body.to_string().into_bytes()),
            ErrorBody::String => {
                Self::json(status.code, json!({ "error": message }).to_string().into_bytes())
            }
            ErrorBody::Empty => Self::new(status.code, "text/plain", Vec::new()),
            ErrorBody::Html => {
                let page = format!(
                    "<html><head><title>{} simulated</title></head><body>{message}</body></html>",
                    status.code
                );
                Self::new(status.code, "text/html", page.into_bytes())
            }
        }
    }

    pub(crate) fn with_headers(mut self, headers: Vec<(&'static str, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// OpenAI's and Anthropic's headers that say when to retry, as the scenario specifies.
pub(crate) fn retry_headers(status: &StatusFault) -> Vec<(&'static str, String)> {
    let header = |name, value: Option<String>| value.map(|value| (name, value));
    let headers = [
        header("retry-after", status.retry_after.map(|seconds| seconds.to_string())),
        header("retry-after-ms", status.retry_after_ms.map(|milliseconds| milliseconds.to_string())),
        header("x-should-retry", status.should_retry.map(|should| should.to_string())),
    ];
    headers.into_iter().flatten().collect()
}
