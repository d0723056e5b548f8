//! Why a call gets no answer, whatever its protocol. How a provider says so is its `error.rs`'s matter.

use std::time::Duration;

use crate::fault::StatusFault;
use crate::invalid::Invalid;
use crate::quota::Refusal;

/// Why a call gets an error instead of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble<'t> {
    Invalid(&'t Invalid),
    /// No key was given, or not the right one.
    Key(Option<&'t str>),
    TooLarge,
    /// The quota lacks.
    Lacking(Refusal),
    /// Traffic grew too fast; this is when it will have been slow enough.
    TooFast(Duration),
    /// Nobody is let in for this time.
    Closed(Duration),
    /// The scenario wants it so.
    Simulated(&'t StatusFault),
}

/// What an error names: the request, by its id, and the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) id: &'a str,
    pub(crate) model: &'a str,
}
