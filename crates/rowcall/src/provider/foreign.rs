//! Success bodies that are not answers in the protocol of the request: answers of another protocol, which a retry would not fix, and
//! web pages, which mean an outage or a wrong address.

use serde_json::Value;

use super::{Protocol, openai_error, sse};
use crate::fault::{AnswerForm, Fault, FaultCause, FaultKind};
use crate::request::Response;

/// The longest page title to show, in characters.
const LONGEST_TITLE: usize = 80;

/// The fault to report instead of `fault` for a body that could not be read: a more precise one if the body is recognised, else the same.
pub(super) fn instead(response: &Response, protocol: Protocol, fault: Fault) -> Fault {
    let is_unread = matches!(fault.kind, FaultKind::Server | FaultKind::Connection);
    let is_of_row = matches!(fault.kind, FaultKind::InvalidRequest | FaultKind::Unprocessable);
    let is_page = is_page(response);
    if !response.is_success() && is_page {
        // An API rejects a request in its own format; a page comes from something in front of it.
        let kind = if is_of_row { FaultKind::Server } else { fault.kind };
        return Fault { kind, ..fault }.caused_by(FaultCause::WebPage);
    }
    if !response.is_success() || !is_unread {
        return fault;
    }
    let expected = match protocol {
        Protocol::OpenAiChat => "a chat completion",
        Protocol::OpenAiResponses => "a response of OpenAI's Responses API",
        Protocol::Anthropic => "an Anthropic message",
        Protocol::Gemini => "a Gemini response",
    };
    if is_page {
        let title = title(&response.body).map(|title| format!(" (`{title}`)")).unwrap_or_default();
        let words = format!("the body is a web page{title}, expected {expected}");
        return openai_error::in_success(response, fault.kind, words).caused_by(FaultCause::WebPage);
    }
    let Some(form) = first(response).and_then(|body| form(&body)).filter(|form| *form != own(protocol))
    else {
        return fault;
    };
    let words = format!("the answer is in {}, expected {expected}", form.phrase());
    openai_error::in_success(response, FaultKind::NotFound, words).caused_by(FaultCause::OtherForm(form))
}

/// The form of a protocol's answers.
fn own(protocol: Protocol) -> AnswerForm {
    match protocol {
        Protocol::OpenAiChat => AnswerForm::Chat,
        Protocol::OpenAiResponses => AnswerForm::Responses,
        Protocol::Anthropic => AnswerForm::Anthropic,
        Protocol::Gemini => AnswerForm::Gemini,
    }
}

/// The body, or the first item if it is a stream: of events, or Ollama's with one JSON value per line.
fn first(response: &Response) -> Option<Value> {
    if sse::is_stream(response) {
        let event = sse::events(&response.body).next()?;
        return serde_json::from_str(&event.data).ok();
    }
    serde_json::Deserializer::from_slice(sse::without_mark(&response.body)).into_iter().next()?.ok()
}

/// The form of an answer, if it is a known one.
fn form(body: &Value) -> Option<AnswerForm> {
    if let Some(items) = body.as_array() {
        let first = items.first()?;
        let is_error = first.get("error").is_some_and(|error| !openai_error::is_empty(error));
        return if is_error { None } else { Some(form(first).unwrap_or(AnswerForm::Other)) };
    }
    let is_list = |pointer: &str| body.pointer(pointer).is_some_and(Value::is_array);
    let is_text = |field: &str| body.get(field).is_some_and(Value::is_string);
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    let has_said = body.get("message").is_some() || body.get("response").is_some();
    Some(if is_list("/choices") {
        AnswerForm::Chat
    } else if kind == "message" && is_list("/content") || kind == "message_start" {
        AnswerForm::Anthropic
    } else if is_list("/candidates") {
        AnswerForm::Gemini
    } else if is_list("/output") || kind.starts_with("response.") {
        AnswerForm::Responses
    } else if has_said && body.get("done").is_some_and(Value::is_boolean) {
        AnswerForm::Ollama
    // Cohere's two, TGI's, and Bedrock's Converse.
    } else if is_list("/message/content")
        || is_text("generation_id")
        || is_text("generated_text")
        || is_list("/output/message/content")
    {
        AnswerForm::Other
    } else {
        return None;
    })
}

/// Whether a body is a web page: it starts like one, or its media type says so and it starts with a tag.
fn is_page(response: &Response) -> bool {
    let body = sse::without_mark(&response.body).trim_ascii_start();
    let begins =
        |with: &str| body.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()));
    let is_called_so =
        response.header("content-type").is_some_and(|media_type| media_type.contains("text/html"));
    begins("<!doctype html") || begins("<html") || is_called_so && body.starts_with(b"<")
}

/// The title of a page.
fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    // Only ASCII letters change, so positions are the same in both.
    let small = text.to_ascii_lowercase();
    let start = small.find("<title>")? + "<title>".len();
    let title = text.get(start..start + small.get(start..)?.find("</title>")?)?;
    let title: String =
        title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_TITLE).collect();
    (!title.is_empty()).then(|| title.replace('`', "'"))
}

#[cfg(test)]
mod tests;
