//! Why a request is not admitted, and when it would be.

use std::time::Duration;

use super::dimension::Dimension;

/// Why a request was not admitted, by the dimension that takes longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The dimension that lacks.
    pub dimension: Dimension,
    /// Its limit per minute (per day, or at the same time).
    pub limit: u64,
    /// How much of the limit is in use.
    pub used: u64,
    /// What was asked of it.
    pub requested: u64,
    /// When it would fit.
    pub wait: Wait,
}

/// When a refused request would be admitted if nobody else came and the limits stayed as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// After exactly this time.
    For(Duration),
    /// As soon as a request in flight ends.
    ForAnotherToEnd,
    /// Never: it asks for more than its bucket can hold.
    Forever,
}

impl Wait {
    /// The same as a time, for telling which of several is longest.
    pub(super) fn length(self) -> Duration {
        match self {
            Self::For(time) => time,
            Self::ForAnotherToEnd => Duration::ZERO,
            Self::Forever => Duration::MAX,
        }
    }
}
