//! Bodies of success other than answers in the protocol that was spoken: answers in another form, which no other attempt would mend, and
//! web pages, which are an outage or a wrong address.

use serde_json::Value;

use super::{Protocol, openai_error, sse};
use crate::fault::{
    ANTHROPIC_FORM, CHAT_FORM, Fault, FaultKind, GEMINI_FORM, OLLAMA, OTHER_FORM, RESPONSES_FORM, WEB_PAGE,
};
use crate::request::Response;

/// The longest title of a page to be shown, in characters.
const LONGEST_TITLE: usize = 80;

/// The fault that stands for `fault`, with which an answer could not be read: the same, unless the body is known to be something else.
pub(super) fn instead(response: &Response, spoken: Protocol, fault: Fault) -> Fault {
    let is_unread = matches!(fault.kind, FaultKind::Server | FaultKind::Connection);
    let is_of_row = matches!(fault.kind, FaultKind::InvalidRequest | FaultKind::Unprocessable);
    if !response.is_success() && is_of_row && is_page(response) {
        // An interface refuses a request in its own form; a page is from something in front of it.
        return Fault { kind: FaultKind::Server, ..fault };
    }
    if !response.is_success() || !is_unread {
        return fault;
    }
    let expected = match spoken {
        Protocol::OpenAiChat => "a chat completion",
        Protocol::OpenAiResponses => "a response of OpenAI's Responses",
        Protocol::Anthropic => "a message of Anthropic's",
        Protocol::Gemini => "an answer of Gemini's",
    };
    if is_page(response) {
        let title = title(&response.body).map(|title| format!(" (`{title}`)")).unwrap_or_default();
        let words = format!("{WEB_PAGE}{title}, expected {expected}");
        return openai_error::in_success(response, fault.kind, words);
    }
    let Some(form) = first(response).and_then(|body| form(&body)).filter(|form| *form != own(spoken)) else {
        return fault;
    };
    let words = format!("the answer is in {form}, expected {expected}");
    openai_error::in_success(response, FaultKind::NotFound, words)
}

/// What answers in a protocol are called.
fn own(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::OpenAiChat => CHAT_FORM,
        Protocol::OpenAiResponses => RESPONSES_FORM,
        Protocol::Anthropic => ANTHROPIC_FORM,
        Protocol::Gemini => GEMINI_FORM,
    }
}

/// A body, or the first thing in it where it is a stream: of events, or Ollama's with a JSON text on each line.
fn first(response: &Response) -> Option<Value> {
    if sse::is_stream(response) {
        let event = sse::events(&response.body).next()?;
        return serde_json::from_str(&event.data).ok();
    }
    serde_json::Deserializer::from_slice(sse::without_mark(&response.body)).into_iter().next()?.ok()
}

/// The form of an answer, if it is one that is known.
fn form(body: &Value) -> Option<&'static str> {
    if let Some(items) = body.as_array() {
        let first = items.first()?;
        let is_error = first.get("error").is_some_and(|error| !openai_error::is_empty(error));
        return if is_error { None } else { Some(form(first).unwrap_or(OTHER_FORM)) };
    }
    let is_list = |pointer: &str| body.pointer(pointer).is_some_and(Value::is_array);
    let is_text = |field: &str| body.get(field).is_some_and(Value::is_string);
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    let has_said = body.get("message").is_some() || body.get("response").is_some();
    Some(if is_list("/choices") {
        CHAT_FORM
    } else if kind == "message" && is_list("/content") || kind == "message_start" {
        ANTHROPIC_FORM
    } else if is_list("/candidates") {
        GEMINI_FORM
    } else if is_list("/output") || kind.starts_with("response.") {
        RESPONSES_FORM
    } else if has_said && body.get("done").is_some_and(Value::is_boolean) {
        OLLAMA
    // Cohere's two, TGI's, and Bedrock's Converse.
    } else if is_list("/message/content")
        || is_text("generation_id")
        || is_text("generated_text")
        || is_list("/output/message/content")
    {
        OTHER_FORM
    } else {
        return None;
    })
}

/// Whether a body is a web page: it begins as one, or is called one and looks like one.
fn is_page(response: &Response) -> bool {
    let body = sse::without_mark(&response.body).trim_ascii_start();
    let begins =
        |with: &str| body.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()));
    let is_called_so =
        response.header("content-type").is_some_and(|media_type| media_type.contains("text/html"));
    begins("<!doctype html") || begins("<html") || is_called_so && body.starts_with(b"<")
}

/// What a page is called.
fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    // Only ASCII letters change, so that positions in one are positions in the other.
    let small = text.to_ascii_lowercase();
    let start = small.find("<title>")? + "<title>".len();
    let title = text.get(start..start + small.get(start..)?.find("</title>")?)?;
    let title: String =
        title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_TITLE).collect();
    (!title.is_empty()).then(|| title.replace('`', "'"))
}

#[cfg(test)]
mod tests;
