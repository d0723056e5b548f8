//! What a request is about: the row's text, and from what its answers are drawn.

use crate::chance::{Chance, hash};

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The user's text, without a schema that stands in it.
    pub(crate) text: String,
    /// A hash of the images and documents that go with it; 0 without any.
    pub(crate) attached: u64,
}

impl Row {
    /// From what everything about this row is drawn.
    pub(crate) fn chance(&self, seed: u64) -> Chance {
        Chance::of(seed ^ self.attached, &self.text)
    }

    /// By what it is known again.
    pub(crate) fn hash(&self) -> u64 {
        hash(self.attached, self.text.as_bytes())
    }
}
