//! Why a call gets an error, in any protocol. The provider's `error.rs` words it.

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
    /// The quota is exhausted.
    Lacking(Refusal),
    /// Traffic grew too fast; the time until it has slowed down enough.
    TooFast(Duration),
    /// The account is closed for this long.
    Closed(Duration),
    /// The scenario says so.
    Simulated(&'t StatusFault),
}

/// What an error refers to: the request, by its id, and the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) id: &'a str,
    pub(crate) model: &'a str,
}
