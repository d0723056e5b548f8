//! OpenAI's Responses: a request's bytes to an ask, an answer to bytes. Nothing is stored: earlier responses cannot be
//! referred to, and none is made in the background.

mod body;
mod format;
mod grammar;
mod input;
mod request;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use body::{failed, write};
pub(crate) use request::{Form, count, decode};
pub(crate) use stream::failure_frame;
