//! Why an attempt failed: one variant per kind, so that `retry.rs` can decide each. `provider/` makes them from a
//! response, `transport.rs` from a connection.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hint::{Hint, Setting};
use crate::standing::LimitedBy;

/// What went wrong with one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The kind, which decides how it is handled.
    pub kind: FaultKind,
    /// The message of the server or the connection: a sentence fragment, never including a key.
    pub message: String,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// `x-should-retry`, by which a server overrides the meaning of its status.
    pub should_retry: Option<bool>,
    /// The limit that was exceeded, if this is a limit and the server names it.
    pub limited_by: Option<LimitedBy>,
    /// How many requests may be in flight at a time, if the server says so when refusing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<usize>,
    /// The request field that the server objects to, as it named it.
    pub param: Option<String>,
    /// The server's request id, to quote to its support.
    pub request_id: Option<String>,
    /// What is known about the cause beyond the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<FaultCause>,
}

/// What causes some faults, as far as it decides what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultCause {
    /// A web page came instead of an answer.
    WebPage,
    /// The answer has the form of another protocol.
    OtherForm(AnswerForm),
    /// The server expects HTTPS and received plain HTTP.
    PlainHttp,
    /// The server does not have the requested version of Gemini's API: it may serve `v1`, `v1beta` or both.
    ApiVersion,
    /// The server's certificate is not trusted.
    Certificate,
    /// Prompt and answer together fill the model's context, so that the answer was cut.
    ContextFull,
}

/// The forms of answers that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnswerForm {
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's generateContent.
    Gemini,
    /// Ollama's own protocol.
    Ollama,
    /// A form that none of our protocols has: Cohere's, TGI's, Bedrock's.
    Other,
}

impl AnswerForm {
    /// The form as messages name it.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Chat => "the form of OpenAI's Chat Completions",
            Self::Responses => "the form of OpenAI's Responses",
            Self::Anthropic => "the form of Anthropic's Messages",
            Self::Gemini => "the form of Gemini's generateContent",
            Self::Ollama => "Ollama's own form",
            Self::Other => "a form of the server's own",
        }
    }

    /// What to do about a server that answers in this form.
    fn hint(self) -> Hint {
        let protocol = match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => {
                return Hint::from("add `/v1` to the base URL for Ollama's OpenAI-compatible API");
            }
            Self::Other => {
                return Hint::from(
                    "use the base URL of the server's OpenAI-compatible API, which most servers have (it often ends in `/v1`)",
                );
            }
        };
        Hint::from("use the server's protocol with ")
            .with(Setting::Protocol.exactly(protocol))
            .with(", or another base URL")
    }
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429: too many requests or tokens at the moment.
    RateLimit,
    /// 529, or a 503 that says so: the provider has no capacity at the moment.
    Overloaded,
    /// 408, 504, or no answer within the time allowed.
    Timeout,
    /// 5xx, and 200 with a body that no client could read.
    Server,
    /// No connection could be made, so nothing was sent.
    Unreachable,
    /// The connection broke before the answer was complete.
    Connection,
    /// 409: the resource was busy. 425: it was too early.
    Conflict,
    /// 429 that waiting does not resolve: credit, spend limit or a day's allowance is used up.
    Quota,
    /// 401: the key was not accepted.
    Auth,
    /// 403: the account may not do this.
    Permission,
    /// 404: no such model or path. 3xx: it has moved, so the base URL is not right.
    NotFound,
    /// 400: the provider does not accept the schema.
    InvalidSchema,
    /// 400: the model does not accept a parameter or its value.
    UnsupportedParameter,
    /// 400: the prompt is longer than the model's context.
    ContextLength,
    /// 400: the prompt was blocked by the provider's policy.
    ContentPolicy,
    /// 413: the request body is too large.
    TooLarge,
    /// 429: one request exceeds what the account is allowed in a whole minute.
    RequestExceedsLimit,
    /// 422: understood, but not processable.
    Unprocessable,
    /// Any other 4xx.
    InvalidRequest,
}

impl FaultKind {
    /// The kind as it is written in `_error.kind`, in events and in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Server => "server",
            Self::Unreachable => "unreachable",
            Self::Connection => "connection",
            Self::Conflict => "conflict",
            Self::Quota => "quota",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::InvalidSchema => "invalid_schema",
            Self::UnsupportedParameter => "unsupported_parameter",
            Self::ContextLength => "context_length",
            Self::ContentPolicy => "content_policy",
            Self::TooLarge => "too_large",
            Self::RequestExceedsLimit => "request_exceeds_limit",
            Self::Unprocessable => "unprocessable",
            Self::InvalidRequest => "invalid_request",
        }
    }
}

impl Fault {
    /// A fault of `kind` without a response.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            retry_after: None,
            should_retry: None,
            limited_by: None,
            places: None,
            param: None,
            request_id: None,
            cause: None,
        }
    }

    /// The same fault with its cause.
    pub(crate) fn caused_by(mut self, cause: FaultCause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Whether the attempt may have been billed although it reported no usage: the request was sent, and no response says
    /// that it was rejected. A gateway's 5xx says nothing about what the server behind it has done.
    pub fn may_be_billed(&self) -> bool {
        match self.kind {
            FaultKind::Timeout | FaultKind::Connection | FaultKind::Server => {
                self.status.is_none_or(|status| (200..300).contains(&status) || status >= 500)
            }
            FaultKind::Unreachable
            | FaultKind::RateLimit
            | FaultKind::Overloaded
            | FaultKind::Conflict
            | FaultKind::Quota
            | FaultKind::Auth
            | FaultKind::Permission
            | FaultKind::NotFound
            | FaultKind::InvalidSchema
            | FaultKind::UnsupportedParameter
            | FaultKind::ContextLength
            | FaultKind::ContentPolicy
            | FaultKind::TooLarge
            | FaultKind::RequestExceedsLimit
            | FaultKind::Unprocessable
            | FaultKind::InvalidRequest => false,
        }
    }

    /// Whether a web page with any status came instead of an answer: no row is ever answered with one.
    pub(crate) fn has_page(&self) -> bool {
        self.cause == Some(FaultCause::WebPage)
    }

    /// Whether a web page with a success status came instead of an answer.
    pub(crate) fn is_page(&self) -> bool {
        let is_success = self.status.is_some_and(|status| (200..300).contains(&status));
        self.kind == FaultKind::Server && self.has_page() && is_success
    }

    /// Whether the server objects to the way in which a schema is sent.
    fn is_of_way_to_ask(&self) -> bool {
        let ways =
            ["response_format", "text.format", "tools", "tool_choice", "output_config", "generation_config"];
        self.param.as_deref().is_some_and(|param| ways.iter().any(|way| param.starts_with(way)))
    }

    /// What to do next, if the kind suggests something.
    pub fn hint(&self) -> Option<Hint> {
        let hint = match (self.kind, self.cause) {
            (FaultKind::Auth, _) => {
                Hint::from("check the provider's key variable, and that the key belongs to the base URL")
            }
            (FaultKind::Permission, _) => {
                Hint::from("check what the key's project and region are allowed to use")
            }
            (FaultKind::NotFound, Some(FaultCause::OtherForm(form))) => form.hint(),
            (FaultKind::NotFound, Some(FaultCause::PlainHttp)) => {
                Hint::from("the server expects HTTPS: begin the base URL with `https://`")
            }
            (FaultKind::NotFound, Some(FaultCause::ApiVersion)) => Hint::from(
                "check the model's name and the version of Gemini's API at the end of the base URL: ",
            )
            .with(Setting::BaseUrl.exactly("https://HOST/v1beta")),
            (FaultKind::NotFound, _) => {
                Hint::from("check the model's name and the base URL (most end in `/v1`)")
            }
            (FaultKind::Quota, _) => {
                Hint::from("raise the account's limit or wait until it resets, then run again")
            }
            (FaultKind::InvalidSchema, _) => {
                Hint::from("see what is sent with `rowcall schema`, or leave out ")
                    .with(Setting::Mode)
                    .with(" to try the other modes in turn")
            }
            (FaultKind::UnsupportedParameter, _) if self.is_of_way_to_ask() => Hint::from("leave out ")
                .with(Setting::Mode)
                .with(" to try every way of sending the schema, or describe it in the prompt with ")
                .with(Setting::Mode.exactly("prompt")),
            (FaultKind::UnsupportedParameter, _) => {
                Hint::from("leave the parameter out, or choose a model that accepts it")
            }
            (FaultKind::ContextLength, Some(FaultCause::ContextFull)) => Hint::from(
                "shorten the prompt, or give the server a larger context (Ollama's `num_ctx`, llama.cpp's `--ctx-size`, vLLM's `--max-model-len`)",
            ),
            (FaultKind::ContextLength | FaultKind::TooLarge, _) => {
                Hint::from("shorten the row or choose a larger model")
            }
            (FaultKind::RequestExceedsLimit, _) => {
                Hint::from("lower ").with(Setting::MaxOutputTokens).with(" or shorten the row")
            }
            (FaultKind::Unreachable, Some(FaultCause::Certificate)) => {
                Hint::from("give the authority that signed the server's certificate with ")
                    .with(Setting::CaCert)
            }
            (FaultKind::Unreachable, _) => Hint::from("check the base URL and that the server is running"),
            (FaultKind::Timeout, _) => {
                Hint::from("raise ").with(Setting::Timeout).with(" if the model needs longer")
            }
            (FaultKind::RateLimit, _) => {
                Hint::from("run again later, or ask the provider for a higher limit")
            }
            (FaultKind::Server, _) if self.is_page() => {
                Hint::from("check the base URL: most end in `/v1`, and other paths serve web pages")
            }
            (
                FaultKind::Connection
                | FaultKind::Overloaded
                | FaultKind::Server
                | FaultKind::Conflict
                | FaultKind::ContentPolicy
                | FaultKind::Unprocessable
                | FaultKind::InvalidRequest,
                _,
            ) => return None,
        };
        Some(hint)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "{status} ")?;
        }
        write!(f, "{}: {}", self.kind.name(), self.message)?;
        match self.retry_after {
            Some(wait) if wait >= Duration::from_mins(1) => {
                write!(f, " (it asks to wait {} min)", wait.as_secs().div_ceil(60))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
