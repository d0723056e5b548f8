//! OpenAI's Responses: from a request's bytes to an ask, from an answer to bytes. Nothing is stored: earlier
//! responses cannot be referenced, and none is made in the background.

mod body;
mod format;
mod grammar;
mod input;
mod request;
mod stream;

#[cfg(test)]
mod tests;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::form::{Delivery, ResponsesForm};
use crate::written::Written;

pub(crate) use body::failed;
pub(crate) use request::{count, decode};
pub(crate) use stream::failure_frame;

/// The answer whole or as a stream.
pub(crate) fn write(envelope: Envelope, ask: &Ask, form: &ResponsesForm, answer: &Answer) -> Written {
    match form.delivery {
        Delivery::Whole => Written::json(&body::finished(envelope, ask, form, answer)),
        Delivery::Stream => Written::events(stream::frames(envelope, ask, form, answer)),
    }
}
