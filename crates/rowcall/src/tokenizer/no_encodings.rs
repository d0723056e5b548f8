//! The fallback when no encodings are compiled in.

use super::{Encoding, approximation};

/// Whether tokens can be counted with encodings.
pub(super) const ARE_AVAILABLE: bool = false;

impl Encoding {
    /// The tokens of a text, approximately.
    pub(super) fn text(self, text: &str) -> u64 {
        approximation::count(text)
    }
}
