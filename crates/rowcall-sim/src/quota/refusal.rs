//! Why a request is not admitted, and when it would be.

use std::time::Duration;

use super::dimension::Dimension;

/// Why a request was not admitted, by the dimension that takes longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The exhausted dimension.
    pub dimension: Dimension,
    /// Its limit per minute (or per day, or concurrently).
    pub limit: u64,
    /// How much of the limit is in use.
    pub used: u64,
    /// How much the request needs.
    pub requested: u64,
    /// When it would fit.
    pub wait: Wait,
}

/// When a rejected request would be admitted, if no others came and the limits did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// After exactly this time.
    For(Duration),
    /// As soon as a request in flight ends.
    ForAnotherToEnd,
    /// Never: it needs more than the bucket can hold.
    Forever,
}

impl Wait {
    /// The wait as a duration, for comparing several.
    pub(super) fn length(self) -> Duration {
        match self {
            Self::For(time) => time,
            Self::ForAnotherToEnd => Duration::ZERO,
            Self::Forever => Duration::MAX,
        }
    }
}
