//! Anthropic's Messages: a request's headers and bytes to an ask, an answer to bytes.

mod body;
pub(crate) mod error;
mod format;
mod grammar;
mod model;
mod request;
mod stream;
mod subset;
mod turns;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use body::write;
pub(crate) use format::no_value;
pub(crate) use request::{Form, count, decode};
