//! A span of time, by its beginning and its length. It counts from the first request.

use std::time::Duration;

use serde::Deserialize;

/// A span of time in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// When it begins.
    pub from_seconds: f64,
    /// How long it lasts.
    pub for_seconds: f64,
}

impl Span {
    /// Whether `now` is within it.
    pub(crate) fn is_at(self, now: Duration) -> bool {
        let now = now.as_secs_f64();
        (self.from_seconds..self.from_seconds + self.for_seconds).contains(&now)
    }
}
