//! The batch APIs of providers as pure code: what is uploaded and sent, and what a batch's state and its result lines say. When a
//! batch is created, looked for and collected is decided in `batch/`.

mod anthropic;
mod gemini;
mod mistral;
mod openai;
mod terms;
mod together;
mod upload;

use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

pub use terms::Terms;
pub use upload::{UploadStep, Uploaded};

use super::anthropic::SAMPLING_VERSION;
use super::{Protocol, anthropic_error, gemini_error, openai_error};
use crate::fault::{Fault, FaultKind};
use crate::price::day;
use crate::request::{Call, Request, Response};

/// The form of a provider's batch API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchApi {
    /// OpenAI's files and batches, which Azure and Groq offer as well.
    OpenAi,
    /// Together's files and batches: as OpenAI's, but without labels and counts, and with an upload in three requests.
    Together,
    /// Anthropic's Message Batches: the requests are in the create itself.
    Anthropic,
    /// Google's `batchGenerateContent`. It also takes requests in the create, but returns their results in the batch object, which would have
    /// to be read whole; so they are in a file.
    Gemini,
    /// Mistral's jobs over files.
    Mistral,
}

/// How the requests of a batch travel to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// In the create itself.
    Create,
    /// In a file that is uploaded before.
    File,
}

impl Carrier {
    /// What separates the lines of a spool.
    pub fn separator(self) -> &'static [u8] {
        match self {
            Self::Create => b",\n",
            Self::File => b"\n",
        }
    }
}

/// The requests of a batch, as they are about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// The file with one line for each request.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
    /// The name for it at the provider, and the label of the batch.
    pub label: String,
    /// The SHA-256 hash of the file in hexadecimal digits, which Together asks for.
    pub checksum: String,
}

/// What a batch is created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation<'a> {
    /// The requests.
    pub spool: &'a Spool,
    /// The id of the uploaded file, for an API that takes files.
    pub file: Option<&'a str>,
    /// The path that each request is for, such as `/v1/chat/completions`.
    pub endpoint: &'a str,
    /// The model's name.
    pub model: &'a str,
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is being validated, waits or runs.
    Running,
    /// It will not change any more. Whatever results it names can be read, however it ended.
    Ended,
    /// Its state is a word that we do not know, and nothing else says that it has ended.
    Unknown,
}

/// Where results of an ended batch are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Results {
    /// In a file of this id.
    File(String),
    /// At the batch's own path for results.
    OfBatch,
    /// In the batch object itself.
    Inline(Value),
}

/// A batch as the provider describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteBatch {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub phase: Phase,
    /// The provider's word for that.
    pub state: String,
    /// The label that it was created with, if the API keeps one.
    pub label: Option<String>,
    /// The file that it was created from.
    pub file: Option<String>,
    /// How many requests it has, if the provider says so.
    pub rows: Option<u64>,
    /// How many of them are done.
    pub done: Option<u64>,
    /// The share of them that is done, in percent, from a provider that does not count them.
    pub percent: Option<f64>,
    /// When it was created, in seconds since 1970.
    pub created: Option<i64>,
    /// Where its results are.
    pub results: Vec<Results>,
    /// Why it failed as a whole, if it did.
    pub problem: Option<Rejected>,
}

/// Why a provider rejected a batch as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The provider's code.
    pub code: String,
    /// Its message.
    pub message: String,
}

impl RemoteBatch {
    /// How many of its requests are done, of this many.
    pub fn done_of(&self, rows: u64) -> Option<u64> {
        let share = |percent: f64| (rows as f64 * percent.clamp(0.0, 100.0) / 100.0) as u64;
        self.done.or_else(|| self.percent.map(share))
    }

    /// Whether it ended before all its requests were executed, by the providers' words for that. Those without a result were then not
    /// executed, and are not billed.
    pub fn was_cut_short(&self) -> bool {
        let state = self.state.to_ascii_lowercase();
        ["expired", "cancel", "failed", "timeout"].iter().any(|word| state.contains(word))
    }
}

impl Rejected {
    /// Whether too many tokens are enqueued at the moment, so that the same batch may be accepted later or in parts. The codes are
    /// OpenAI's and Azure's.
    pub fn is_queue_full(&self) -> bool {
        ["token_limit_exceeded", "EnqueuedTokenLimit", "token_limit", "enqueued_token_limit_exceeded"]
            .iter()
            .any(|code| self.code.eq_ignore_ascii_case(code))
    }
}

/// Which request a result line answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineId {
    /// The one with this `custom_id` or key.
    Custom(String),
    /// The one at this position in the batch, for results that come without a key.
    Position(usize),
}

/// One line of results.
#[derive(Debug, Clone)]
pub struct ResultLine {
    /// Which request it answers.
    pub id: LineId,
    /// The response as it would have come online, or why there is none.
    pub result: Result<Response, Fault>,
}

impl BatchApi {
    /// The path that each request of a batch names, for an API whose lines have one.
    pub fn endpoint(protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::OpenAiChat => "/v1/chat/completions",
            Protocol::OpenAiResponses => "/v1/responses",
            Protocol::Anthropic => "/v1/messages",
            Protocol::Gemini => "",
        }
    }

    /// Headers of every request to the API: Anthropic wants to know its version.
    fn headers(self) -> &'static [(HeaderName, HeaderValue)] {
        match self {
            Self::Anthropic => &SAMPLING_VERSION,
            Self::OpenAi | Self::Together | Self::Gemini | Self::Mistral => &[],
        }
    }

    /// How the requests travel to it.
    pub fn carrier(self) -> Carrier {
        match self {
            Self::OpenAi | Self::Together | Self::Mistral | Self::Gemini => Carrier::File,
            Self::Anthropic => Carrier::Create,
        }
    }

    /// Whether the API keeps a label by which a batch can be found again.
    pub fn keeps_label(self) -> bool {
        match self {
            Self::OpenAi | Self::Mistral | Self::Gemini => true,
            Self::Anthropic | Self::Together => false,
        }
    }

    /// One request of a batch, without a line end.
    pub fn line(self, carrier: Carrier, id: &str, endpoint: &str, request: &Request) -> Vec<u8> {
        match self {
            Self::OpenAi | Self::Together => openai::line(id, endpoint, &request.body),
            Self::Anthropic => anthropic::line(id, &request.body),
            Self::Gemini => gemini::line(carrier, id, &request.body),
            Self::Mistral => mistral::line(id, &request.body),
        }
    }

    /// The request that creates a batch.
    pub fn create(self, creation: &Creation<'_>) -> Call {
        self.with_headers(match self {
            Self::OpenAi => openai::create(creation),
            Self::Together => together::create(creation),
            Self::Anthropic => anthropic::create(creation),
            Self::Gemini => gemini::create(creation),
            Self::Mistral => mistral::create(creation),
        })
    }

    /// The batch in a response to a create, a look or a cancel.
    ///
    /// # Errors
    /// The fault that the response reports.
    pub fn described(self, response: &Response) -> Result<RemoteBatch, Fault> {
        let body = self.body(response)?;
        self.read(&body).ok_or_else(|| unreadable("a batch", response))
    }

    /// The batch that this JSON describes, if it does.
    pub fn read(self, body: &Value) -> Option<RemoteBatch> {
        match self {
            Self::OpenAi => openai::read(body),
            Self::Together => together::read(body),
            Self::Anthropic => anthropic::read(body),
            Self::Gemini => gemini::read(body),
            Self::Mistral => mistral::read(body),
        }
    }

    /// The request for the state of a batch.
    pub fn look(self, id: &str) -> Call {
        self.with_headers(Call::empty(Method::GET, self.path(id)))
    }

    /// The request to cancel a batch.
    pub fn cancel(self, id: &str) -> Call {
        let path = self.path(id);
        let path = match self {
            Self::OpenAi | Self::Together | Self::Anthropic | Self::Mistral => format!("{path}/cancel"),
            Self::Gemini => format!("{path}:cancel"),
        };
        self.with_headers(Call::empty(Method::POST, path))
    }

    fn path(self, id: &str) -> String {
        match self {
            Self::OpenAi | Self::Together => format!("/batches/{id}"),
            Self::Anthropic => format!("/v1/messages/batches/{id}"),
            Self::Gemini => format!("/v1/{id}"),
            Self::Mistral => format!("/batch/jobs/{id}"),
        }
    }

    /// The request for a page of the account's batches: the first, or the one at this cursor.
    pub fn list(self, cursor: Option<&str>) -> Call {
        let path = match (self, cursor) {
            (Self::OpenAi, None) => "/batches?limit=100".to_owned(),
            // It has no pages.
            (Self::Together, _) => "/batches".to_owned(),
            (Self::OpenAi, Some(after)) => format!("/batches?limit=100&after={after}"),
            (Self::Anthropic, None) => "/v1/messages/batches?limit=100".to_owned(),
            (Self::Anthropic, Some(after)) => format!("/v1/messages/batches?limit=100&after_id={after}"),
            (Self::Gemini, None) => "/v1/batches?pageSize=100".to_owned(),
            (Self::Gemini, Some(token)) => format!("/v1/batches?pageSize=100&pageToken={token}"),
            (Self::Mistral, page) => {
                format!("/batch/jobs?page_size=100&page={}&order_by=-created", page.unwrap_or("0"))
            }
        };
        self.with_headers(Call::empty(Method::GET, path))
    }

    /// The batches of a page, and the cursor of the next one. `cursor` is that of this page.
    ///
    /// # Errors
    /// The fault that the response reports.
    pub fn listed(
        self,
        response: &Response,
        cursor: Option<&str>,
    ) -> Result<(Vec<RemoteBatch>, Option<String>), Fault> {
        let body = self.body(response)?;
        let all = match self {
            Self::Together if body.is_array() => &body,
            Self::OpenAi | Self::Together | Self::Anthropic | Self::Mistral => &body["data"],
            Self::Gemini => &body["operations"],
        };
        let batches: Vec<_> =
            all.as_array().into_iter().flatten().filter_map(|each| self.read(each)).collect();
        let next = match self {
            Self::OpenAi | Self::Anthropic => {
                let last = body["last_id"].as_str().map(str::to_owned);
                let last = last.or_else(|| batches.last().map(|batch| batch.id.clone()));
                last.filter(|_| body["has_more"] == true)
            }
            Self::Gemini => {
                body["nextPageToken"].as_str().filter(|token| !token.is_empty()).map(str::to_owned)
            }
            Self::Together => None,
            Self::Mistral => (batches.len() >= 100).then(|| {
                let page: u64 = cursor.and_then(|page| page.parse().ok()).unwrap_or_default();
                (page + 1).to_string()
            }),
        };
        Ok((batches, next))
    }

    /// The request for results that are not in the batch object itself.
    pub fn results(self, id: &str, results: &Results) -> Option<Call> {
        let path = match (self, results) {
            (_, Results::Inline(_)) => return None,
            (Self::OpenAi | Self::Together | Self::Mistral | Self::Anthropic, Results::File(file)) => {
                format!("/files/{file}/content")
            }
            (Self::Gemini, Results::File(file)) => format!("/v1/{file}:download?alt=media"),
            (_, Results::OfBatch) => format!("{}/results", self.path(id)),
        };
        Some(self.with_headers(Call::empty(Method::GET, path)))
    }

    /// The result lines in a batch object.
    pub fn inline(self, results: &Value, received: SystemTime) -> Vec<ResultLine> {
        match self {
            Self::Gemini => gemini::inline(results, received),
            Self::Mistral => mistral::inline(results, received),
            Self::OpenAi | Self::Together | Self::Anthropic => Vec::new(),
        }
    }

    /// What one line of a result or error file says, received at this time; `None` if it cannot be read, as if it had been cut.
    pub fn result(self, line: &[u8], received: SystemTime) -> Option<ResultLine> {
        let line: Value = serde_json::from_slice(line).ok()?;
        match self {
            Self::OpenAi | Self::Together | Self::Mistral => openai::result(&line, received),
            Self::Anthropic => anthropic::result(&line, received),
            Self::Gemini => gemini::result(&line, received),
        }
    }

    /// The fault that a response reports.
    pub fn fault(self, response: &Response) -> Fault {
        match self {
            Self::OpenAi | Self::Together | Self::Mistral => openai_error::classify(response),
            Self::Anthropic => anthropic_error::classify(response),
            Self::Gemini => gemini_error::classify(response),
        }
    }

    fn with_headers(self, call: Call) -> Call {
        let own = self.headers().iter().cloned();
        Call { headers: call.headers.into_iter().chain(own).collect(), ..call }
    }

    fn body(self, response: &Response) -> Result<Value, Fault> {
        if !response.is_success() {
            return Err(self.fault(response));
        }
        serde_json::from_slice(&response.body).map_err(|_| unreadable("JSON", response))
    }
}

fn unreadable(expected: &str, response: &Response) -> Fault {
    let start: String = String::from_utf8_lossy(&response.body).chars().take(80).collect();
    let message = format!("the answer does not describe {expected}: {start}");
    Fault { status: Some(response.status), ..Fault::new(FaultKind::Server, message) }
}

/// The response of a result line as it would have come online.
fn response(status: u16, body: &Value, received: SystemTime) -> Response {
    Response { status, headers: HeaderMap::new(), body: Bytes::from(body.to_string()), received }
}

/// Why a batch failed as a whole, by an error object with its code in the field `code`; `None` if it is not an object.
fn rejected(error: &Value, code: &str) -> Option<Rejected> {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    error.is_object().then(|| Rejected { code: text(code), message: text("message") })
}

/// The seconds since 1970 of a time such as `2026-11-22T10:00:00.104512Z`.
fn seconds(time: &str) -> Option<i64> {
    let (date, clock) = time.split_once('T')?;
    let clock = clock.split(['.', 'Z', '+']).next()?;
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    Some(day(date)? * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The fault of a request that the provider did not execute, because the batch expired or was cancelled: it is not billed.
pub(crate) fn not_executed(message: impl Into<String>) -> Fault {
    Fault { status: Some(408), ..Fault::new(FaultKind::Timeout, message) }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
