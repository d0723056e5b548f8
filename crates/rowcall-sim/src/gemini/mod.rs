//! Gemini's generateContent: from a path and a request's bytes to an ask, from an answer to bytes.

mod body;
mod contents;
pub(crate) mod error;
mod form;
mod grammar;
mod openapi;
mod request;
mod signature;
mod stream;
mod subset;
mod target;
mod words;

#[cfg(test)]
mod tests;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::form::GeminiForm;
use crate::written::Written;

pub(crate) use form::no_value;
pub(crate) use request::{count, decode};
pub(crate) use stream::last_frame;
pub(crate) use target::Target;

const JSON: &str = "application/json; charset=UTF-8";

/// The answer whole or as a stream.
pub(crate) fn write(envelope: Envelope, ask: &Ask, form: GeminiForm, answer: &Answer) -> Written {
    let frames = || stream::frames(envelope, ask, form, answer);
    match form {
        GeminiForm::Whole => Written::whole(JSON, body::whole(envelope, ask, answer).to_string()),
        GeminiForm::Events => Written::stream("text/event-stream", frames()),
        GeminiForm::Array => Written::stream(JSON, frames()),
    }
}
