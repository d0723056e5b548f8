//! Gemini's generateContent: a path and a request's bytes to an ask, an answer to bytes.

mod body;
mod contents;
pub(crate) mod error;
mod form;
mod grammar;
mod openapi;
mod request;
mod subset;
mod target;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use body::write;
pub(crate) use form::no_value;
pub(crate) use request::{Form, count, decode};
pub(crate) use target::{Delivery, Target};
