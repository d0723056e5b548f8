//! OpenAI's Chat Completions: from a request's bytes to an ask, from an answer to bytes. No clock, no socket, no
//! counters.

mod body;
mod form;
mod grammar;
mod messages;
mod request;
mod stream;

#[cfg(test)]
mod tests;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::form::ChatForm;
use crate::written::Written;

pub(crate) use request::decode;

/// The answer whole or as a stream.
pub(crate) fn write(envelope: Envelope, ask: &Ask, form: ChatForm, answer: &Answer) -> Written {
    match form {
        ChatForm::Whole => Written::whole("application/json", body::completion(envelope, ask, answer)),
        ChatForm::Stream | ChatForm::StreamWithUsage => {
            Written::events(stream::frames(envelope, ask, form, answer))
        }
    }
}
