//! The cost of probing the server before the first row, kept until a run counts it and a journal records it.

use std::sync::{Mutex, PoisonError};

use crate::outcome::Effort;

/// What it took to probe the server: counted by the first run, and recorded by the first journal.
#[derive(Debug, Default)]
pub(crate) struct Probing {
    uncounted: Mutex<Option<Effort>>,
    unrecorded: Mutex<Option<Effort>>,
}

impl Probing {
    pub(super) fn new(effort: Option<Effort>) -> Self {
        Self { uncounted: Mutex::new(effort), unrecorded: Mutex::new(effort) }
    }

    /// Returns the effort to count, once.
    pub(crate) fn take_uncounted(&self) -> Option<Effort> {
        self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns the effort that a journal should record, once.
    pub(crate) fn take_unrecorded(&self) -> Option<Effort> {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
