//! Why an attempt failed: one variant per kind, so that `retry.rs` can decide each. Who makes them: `provider/` from a
//! response, `transport.rs` from a connection.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::standing::LimitedBy;

/// What went wrong with one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The kind, on which decisions are made.
    pub kind: FaultKind,
    /// What the server or the connection said: a sentence fragment, never with a key in it.
    pub message: String,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// `x-should-retry`, with which a server overrides what the status would mean.
    pub should_retry: Option<bool>,
    /// What a refusal was about, if it is one and tells.
    pub limited_by: Option<LimitedBy>,
    /// How many requests may be in flight at a time, if it says so of too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<usize>,
    /// The request field that the server objects to, as it named it.
    pub param: Option<String>,
    /// The server's id of the request, to quote to its support.
    pub request_id: Option<String>,
}

/// What an answer in Ollama's own protocol is called.
pub(crate) const OLLAMA: &str = "Ollama's own form";

/// What answers in other protocols than the one that was spoken are called.
pub(crate) const CHAT_FORM: &str = "the form of OpenAI's Chat Completions";
pub(crate) const ANTHROPIC_FORM: &str = "the form of Anthropic's Messages";
pub(crate) const GEMINI_FORM: &str = "the form of Gemini's generateContent";
pub(crate) const RESPONSES_FORM: &str = "the form of OpenAI's Responses";

/// What answers in forms that no protocol of ours has are called: Cohere's, TGI's, Bedrock's.
pub(crate) const OTHER_FORM: &str = "a form of the server's own";

/// What a page begins with, in small letters; of one that came with an error, the message is its beginning.
const PAGES: [&str; 2] = ["<!doctype html", "<html"];

/// What a page that came with a status of success is called.
pub(crate) const WEB_PAGE: &str = "the body is a web page";

/// What a server objects to that does not know the version of Gemini's API that it was asked for: it is served as `v1`, as `v1beta` or
/// both.
pub(crate) const GEMINI_VERSION: &str = "version of the API";

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429: too many requests or tokens for now.
    RateLimit,
    /// 529, or a 503 that says so: the provider has no capacity for now.
    Overloaded,
    /// 408, 504, or no answer within the time allowed.
    Timeout,
    /// 5xx, and 200 with a body that no client could read.
    Server,
    /// No connection came about, so that nothing was sent.
    Unreachable,
    /// The connection broke before the answer was complete.
    Connection,
    /// 409: the resource was busy. 425: it was too early.
    Conflict,
    /// 429 that waiting does not mend: credit, spend limit or a day's allowance is used up.
    Quota,
    /// 401: the key was not accepted.
    Auth,
    /// 403: the account may not do this.
    Permission,
    /// 404: no such model or path. 3xx: it has moved, so the base URL is not right.
    NotFound,
    /// 400: the provider does not take the schema.
    InvalidSchema,
    /// 400: the model does not take a parameter or its value.
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
    /// A fault of `kind` that no response stands behind.
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

    /// Whether the attempt may have been billed although it reported no tokens: the request went out, and nothing that came
    /// back says that it was turned away. A gateway's 5xx says nothing of what the server behind it has done.
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

    /// Whether a web page came where an answer was expected, with a status of success.
    pub(crate) fn is_page(&self) -> bool {
        self.kind == FaultKind::Server && self.message.starts_with(WEB_PAGE)
    }

    /// Whether a web page came where an answer was expected, with whatever status: no row is answered so.
    pub(crate) fn has_page(&self) -> bool {
        let start: String = self.message.chars().take(PAGES[0].len()).collect();
        self.is_page() || PAGES.iter().any(|words| start.to_ascii_lowercase().starts_with(words))
    }

    /// Whether a server of HTTPS says that it was spoken to in plain HTTP.
    fn is_of_plain_http(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        ["plain http", "http request to an https", "requires tls"].iter().any(|words| message.contains(words))
    }

    /// Whether the server objects to a way of asking for a schema.
    fn is_of_way_to_ask(&self) -> bool {
        let ways =
            ["response_format", "text.format", "tools", "tool_choice", "output_config", "generation_config"];
        self.param.as_deref().is_some_and(|param| ways.iter().any(|way| param.starts_with(way)))
    }

    /// What to do next, where the kind tells.
    pub fn hint(&self) -> Option<&'static str> {
        match self.kind {
            FaultKind::Auth => {
                Some("check the provider's key variable, or that the base URL belongs to the key")
            }
            FaultKind::Permission => Some("check what the key's project and region are allowed to use"),
            FaultKind::NotFound if self.message.contains(OLLAMA) => {
                Some("add `/v1` to the base URL, where Ollama has its compatible interface")
            }
            FaultKind::NotFound if self.message.contains(ANTHROPIC_FORM) => {
                Some("speak the server's protocol with `--protocol anthropic`, or give another base URL")
            }
            FaultKind::NotFound if self.message.contains(GEMINI_FORM) => {
                Some("speak the server's protocol with `--protocol gemini`, or give another base URL")
            }
            FaultKind::NotFound if self.message.contains(RESPONSES_FORM) => {
                Some("speak the server's protocol with `--protocol responses`, or give another base URL")
            }
            FaultKind::NotFound if self.message.contains(CHAT_FORM) => {
                Some("speak the server's protocol with `--protocol chat`, or give another base URL")
            }
            FaultKind::NotFound if self.message.contains(OTHER_FORM) => Some(
                "give the base URL of the server's interface in OpenAI's form, which most have (it often ends in `/v1`)",
            ),
            FaultKind::NotFound if self.is_of_plain_http() => {
                Some("the server speaks HTTPS there: begin the base URL with `https://`")
            }
            FaultKind::NotFound if self.param.as_deref() == Some(GEMINI_VERSION) => Some(
                "check the model's name and the version of Gemini's API, which a base URL ends in: `--base-url https://HOST/v1beta`",
            ),
            FaultKind::NotFound => Some("check the model's name and the base URL (most end in `/v1`)"),
            FaultKind::Quota => Some("raise the account's limit or wait until it resets, then run again"),
            FaultKind::InvalidSchema => Some(
                "`rowcall schema` shows what is sent; without `--mode` the other modes are tried in turn",
            ),
            FaultKind::UnsupportedParameter if self.is_of_way_to_ask() => Some(
                "the server takes a schema in none of the ways that are tried; without `--mode` all of them are, and `--mode prompt` asks in words alone",
            ),
            FaultKind::UnsupportedParameter => {
                Some("leave the parameter out, or choose a model that takes it")
            }
            FaultKind::ContextLength | FaultKind::TooLarge => {
                Some("shorten the row or choose a larger model")
            }
            FaultKind::RequestExceedsLimit => Some("lower `--max-output-tokens` or shorten the row"),
            FaultKind::Unreachable if self.message.contains("certificate") => {
                Some("give the authority that signed the server's certificate with `--ca-cert`")
            }
            FaultKind::Unreachable => Some("check the base URL and that the server runs"),
            FaultKind::Timeout => Some("raise `--timeout` if the model needs longer"),
            FaultKind::RateLimit => Some("run again later, or ask the provider for a higher limit"),
            FaultKind::Server if self.is_page() => {
                Some("check the base URL: most end in `/v1`, and a page stands elsewhere")
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
