//! The subject of a request: the row's text, and the source of chance for its answers.

use crate::chance::{Chance, hash};

/// The subject of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The user's text, without a schema in it.
    pub(crate) text: String,
    /// A hash of the images and documents sent with it; 0 without any.
    pub(crate) attached: u64,
}

impl Row {
    /// The source of all draws for this row.
    pub(crate) fn chance(&self, seed: u64) -> Chance {
        Chance::of(seed ^ self.attached, &self.text)
    }

    /// A hash that identifies it.
    pub(crate) fn hash(&self) -> u64 {
        hash(self.attached, self.text.as_bytes())
    }
}
