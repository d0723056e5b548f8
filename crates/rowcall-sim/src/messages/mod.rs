//! Anthropic's Messages: from a request's headers and bytes to an ask, from an answer to bytes.

mod body;
pub(crate) mod error;
mod format;
mod grammar;
mod model;
mod request;
mod signature;
mod stream;
mod subset;
mod turns;
mod words;

#[cfg(test)]
mod tests;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::form::Delivery;
use crate::written::Written;

pub(crate) use format::no_value;
pub(crate) use request::{count, decode};

/// The answer whole or as a stream.
pub(crate) fn write(envelope: Envelope, ask: &Ask, form: Delivery, answer: &Answer) -> Written {
    match form {
        Delivery::Whole => Written::json(&body::whole(envelope, ask, answer)),
        Delivery::Stream => Written::events(stream::frames(envelope, ask, answer)),
    }
}
