//! Parses an error body, whatever its format. What it means is decided in `openai_error.rs`.

use serde_json::Value;

use super::objection;
use crate::provider::sse;
use crate::request::Response;

/// The longest excerpt to show of a body that is not JSON, in characters.
const EXCERPT: usize = 200;

/// The longest message to keep, in characters: some servers repeat the whole request.
const LONGEST: usize = 2_000;

/// The parsed error body.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) message: String,
    /// Its codes: `code`, `type` and Azure's inner code.
    words: Vec<String>,
    /// The request field that the error is about.
    pub(super) param: Option<String>,
    /// That field, or one named in the message, if the server rejects the field itself.
    pub(super) refused: Option<String>,
}

impl Said {
    /// A message and nothing else.
    pub(super) fn of(message: String) -> Self {
        Self { message, ..Self::default() }
    }

    /// Reads `{"error":{…}}`, `{"error":"text"}`, the same without a wrapper (Mistral, older vLLM), FastAPI's `detail`, an error
    /// within a choice, and a proxy's HTML or plain text.
    pub(super) fn read(response: &Response) -> Self {
        // Some servers send the error for a stream as an event.
        let event = sse::events(&response.body).next().filter(|_| sse::is_stream(response));
        let body = match &event {
            Some(event) => event.data.as_bytes(),
            None => sse::without_mark(&response.body),
        };
        match serde_json::from_slice(body) {
            Ok(body) => Self::in_json(&body),
            Err(_) => Self::of(excerpt(body)),
        }
    }

    fn in_json(body: &Value) -> Self {
        let wrapped = |pointer| body.pointer(pointer).filter(|error| !is_empty(error));
        let error = ["/error", "/choices/0/error"].into_iter().find_map(wrapped).unwrap_or(body);
        let complaints = Complaints::within(error).or_else(|| Complaints::within(body));
        let words =
            error.as_str().or_else(|| error.get("message")?.as_str()).filter(|words| !words.is_empty());
        let mut message = match (words, &complaints) {
            (Some(words), _) => words.to_owned(),
            (None, Some(complaints)) => complaints.message.clone(),
            (None, None) => excerpt(body.to_string().as_bytes()),
        };
        // OpenRouter passes on its upstream's message.
        if let Some(upstream) = error.pointer("/metadata/raw").and_then(Value::as_str) {
            message = format!("{message}: {}", excerpt(upstream.as_bytes()));
        }
        let words = ["/code", "/type", "/innererror/code"];
        let words: Vec<_> = words.into_iter().filter_map(|pointer| word(error.pointer(pointer)?)).collect();
        let param = error.get("param").and_then(Value::as_str).filter(|param| !param.is_empty());
        let param = param.map(str::to_owned).or_else(|| complaints.as_ref()?.param.clone());
        let is_unknown = complaints.is_some_and(|complaints| complaints.is_unknown)
            || words.iter().any(|word| objection::CODES.contains(&word.as_str()));
        let refused = if is_unknown { param.clone() } else { None }
            .or_else(|| param.clone().filter(|param| objection::is_way_to_ask(param)))
            .or_else(|| objection::refused(&message));
        cut(&mut message, LONGEST);
        Self { message, words, param, refused }
    }

    /// Whether one of its codes is this one.
    pub(super) fn is(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }

    /// The status that the error would have outside a success body: OpenRouter passes on its upstream's status as the code.
    pub(super) fn status(&self) -> u16 {
        let by_number = |word: &String| word.parse().ok().filter(|status| (400..600).contains(status));
        let by_word = |word: &String| status_of(word);
        self.words.iter().find_map(by_number).or_else(|| self.words.iter().find_map(by_word)).unwrap_or(500)
    }
}

/// The status for one of OpenAI's codes or types; images come from the user's prompt.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "rate_limit_exceeded" | "rate_limit_error" | "resource_unavailable" | "slow_down" => 429,
        "server_is_overloaded" | "service_unavailable_error" | "overloaded_error" | "unavailable_error" => {
            503
        }
        "server_error" | "api_error" | "vector_store_timeout" | "failed_to_download_image" => 500,
        "authentication_error" | "invalid_api_key" => 401,
        "permission_error" | "data_residency_mismatch" => 403,
        "not_found_error" | "model_not_found" => 404,
        "timeout" | "timeout_error" => 408,
        "invalid_request_error"
        | "BadRequestError"
        | "context_length_exceeded"
        | "exceed_context_size_error"
        | "invalid_prompt"
        | "content_filter"
        | "bio_policy"
        | "misalignment_policy_violation" => 400,
        _ if word.contains("image") || word.starts_with("unsupported_") => 400,
        _ => return None,
    })
}

/// FastAPI's list of what is wrong with a request, as one message.
struct Complaints {
    message: String,
    param: Option<String>,
    /// Whether the first complaint is that the field is unknown.
    is_unknown: bool,
}

impl Complaints {
    /// The complaints in `detail`, which Mistral nests in the message; `detail` may also be plain text.
    fn within(error: &Value) -> Option<Self> {
        let detail = error.get("detail").or_else(|| error.pointer("/message/detail"))?;
        let list = match detail {
            Value::Array(list) => list.as_slice(),
            Value::String(words) => {
                return Some(Self { message: excerpt(words.as_bytes()), param: None, is_unknown: false });
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        let word =
            |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let complaints = list.iter().map(|complaint| match location(complaint) {
            Some(location) => format!("{location}: {}", word(complaint, "msg")),
            None => word(complaint, "msg"),
        });
        let message = complaints.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ");
        let kind = word(list.first()?, "type");
        Some(Self {
            message: excerpt(message.as_bytes()),
            param: list.first().and_then(location),
            is_unknown: ["extra_forbidden", "value_error.extra"].contains(&kind.as_str()),
        })
    }
}

/// The field that a complaint is about, from its `loc`.
fn location(complaint: &Value) -> Option<String> {
    let steps = complaint.get("loc")?.as_array()?.iter().filter_map(Value::as_str);
    let steps: Vec<_> = steps.skip_while(|step| *step == "body").collect();
    (!steps.is_empty()).then(|| steps.join("."))
}

/// Whether an `error` field means that there is no error.
pub(in crate::provider) fn is_empty(error: &Value) -> bool {
    match error {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(_) | Value::Array(_) => false,
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The start of a body, on one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return "no message".to_owned();
    }
    cut(&mut words, EXCERPT);
    words
}

/// Truncates a text to `longest` characters.
fn cut(text: &mut String, longest: usize) {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.truncate(end);
        text.push('…');
    }
}
