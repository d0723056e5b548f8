//! OpenAI's Chat Completions: a request's bytes to an ask, an answer to bytes. No clock, no socket, no counters.

mod body;
mod form;
mod grammar;
mod messages;
mod request;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use body::write;
pub(crate) use request::{Form, decode};
