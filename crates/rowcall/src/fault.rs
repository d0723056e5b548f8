//! Why an attempt failed: one variant per kind, so that `retry.rs` can decide each. `provider/` makes them from a
//! response, `transport.rs` from a connection.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
}

/// How messages describe an answer in Ollama's own protocol.
pub(crate) const OLLAMA: &str = "Ollama's own form";

/// How messages describe answers in a different protocol from the one used.
pub(crate) const CHAT_FORM: &str = "the form of OpenAI's Chat Completions";
pub(crate) const ANTHROPIC_FORM: &str = "the form of Anthropic's Messages";
pub(crate) const GEMINI_FORM: &str = "the form of Gemini's generateContent";
pub(crate) const RESPONSES_FORM: &str = "the form of OpenAI's Responses";

/// How messages describe answers in a form that none of our protocols has: Cohere's, TGI's, Bedrock's.
pub(crate) const OTHER_FORM: &str = "a form of the server's own";

/// How messages begin if an answer was cut because prompt and answer together fill the model's context.
pub(crate) const CONTEXT_FULL: &str = "the model's context is full";

/// How a web page begins, in lower case. If it came with an error status, the fault's message is its beginning.
const PAGES: [&str; 2] = ["<!doctype html", "<html"];

/// How messages describe a web page that came with a success status.
pub(crate) const WEB_PAGE: &str = "the body is a web page";

/// The `param` of a fault where the server does not have the requested version of Gemini's API: it may serve `v1`, `v1beta` or both.
pub(crate) const GEMINI_VERSION: &str = "version of the API";

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
        }
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

    /// Whether a web page with a success status came instead of an answer.
    pub(crate) fn is_page(&self) -> bool {
        self.kind == FaultKind::Server && self.message.starts_with(WEB_PAGE)
    }

    /// Whether a web page with any status came instead of an answer: no row is ever answered with one.
    pub(crate) fn has_page(&self) -> bool {
        let start: String = self.message.chars().take(PAGES[0].len()).collect();
        self.is_page() || PAGES.iter().any(|words| start.to_ascii_lowercase().starts_with(words))
    }

    /// Whether an HTTPS server reports that it received plain HTTP.
    fn is_of_plain_http(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        ["plain http", "http request to an https", "requires tls"].iter().any(|words| message.contains(words))
    }

    /// Whether the server objects to the way in which a schema is sent.
    fn is_of_way_to_ask(&self) -> bool {
        let ways =
            ["response_format", "text.format", "tools", "tool_choice", "output_config", "generation_config"];
        self.param.as_deref().is_some_and(|param| ways.iter().any(|way| param.starts_with(way)))
    }

    /// What to do next, if the kind suggests something.
    pub fn hint(&self) -> Option<&'static str> {
        match self.kind {
            FaultKind::Auth => {
                Some("check the provider's key variable, and that the key belongs to the base URL")
            }
            FaultKind::Permission => Some("check what the key's project and region are allowed to use"),
            FaultKind::NotFound if self.message.contains(OLLAMA) => {
                Some("add `/v1` to the base URL for Ollama's OpenAI-compatible API")
            }
            FaultKind::NotFound if self.message.contains(ANTHROPIC_FORM) => {
                Some("use the server's protocol with `--protocol anthropic`, or another base URL")
            }
            FaultKind::NotFound if self.message.contains(GEMINI_FORM) => {
                Some("use the server's protocol with `--protocol gemini`, or another base URL")
            }
            FaultKind::NotFound if self.message.contains(RESPONSES_FORM) => {
                Some("use the server's protocol with `--protocol responses`, or another base URL")
            }
            FaultKind::NotFound if self.message.contains(CHAT_FORM) => {
                Some("use the server's protocol with `--protocol chat`, or another base URL")
            }
            FaultKind::NotFound if self.message.contains(OTHER_FORM) => Some(
                "use the base URL of the server's OpenAI-compatible API, which most servers have (it often ends in `/v1`)",
            ),
            FaultKind::NotFound if self.is_of_plain_http() => {
                Some("the server expects HTTPS: begin the base URL with `https://`")
            }
            FaultKind::NotFound if self.param.as_deref() == Some(GEMINI_VERSION) => Some(
                "check the model's name and the version of Gemini's API at the end of the base URL: `--base-url https://HOST/v1beta`",
            ),
            FaultKind::NotFound => Some("check the model's name and the base URL (most end in `/v1`)"),
            FaultKind::Quota => Some("raise the account's limit or wait until it resets, then run again"),
            FaultKind::InvalidSchema => Some(
                "see what is sent with `rowcall schema`, or leave out `--mode` to try the other modes in turn",
            ),
            FaultKind::UnsupportedParameter if self.is_of_way_to_ask() => Some(
                "leave out `--mode` to try every way of sending the schema, or describe it in the prompt with `--mode prompt`",
            ),
            FaultKind::UnsupportedParameter => {
                Some("leave the parameter out, or choose a model that accepts it")
            }
            FaultKind::ContextLength if self.message.starts_with(CONTEXT_FULL) => Some(
                "shorten the prompt, or give the server a larger context (Ollama's `num_ctx`, llama.cpp's `--ctx-size`, vLLM's `--max-model-len`)",
            ),
            FaultKind::ContextLength | FaultKind::TooLarge => {
                Some("shorten the row or choose a larger model")
            }
            FaultKind::RequestExceedsLimit => Some("lower `--max-output-tokens` or shorten the row"),
            FaultKind::Unreachable if self.message.contains("certificate") => {
                Some("give the authority that signed the server's certificate with `--ca-cert`")
            }
            FaultKind::Unreachable => Some("check the base URL and that the server is running"),
            FaultKind::Timeout => Some("raise `--timeout` if the model needs longer"),
            FaultKind::RateLimit => Some("run again later, or ask the provider for a higher limit"),
            FaultKind::Server if self.is_page() => {
                Some("check the base URL: most end in `/v1`, and other paths serve web pages")
            }
            FaultKind::Connection
            | FaultKind::Overloaded
            | FaultKind::Server
            | FaultKind::Conflict
            | FaultKind::ContentPolicy
            | FaultKind::Unprocessable
            | FaultKind::InvalidRequest => None,
        }
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
