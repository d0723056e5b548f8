//! Chat completions: a request's bytes to an answer's bytes. No clock, no socket, no counters.

pub(crate) mod answer;
pub(crate) mod body;
mod prompt_schema;
pub(crate) mod request;
mod wanted;

#[cfg(test)]
mod tests;
