//! One token bucket in integers, so that waiting as advertised is enough to the nanosecond.

use std::time::Duration;

use super::dimension::Dimension;
use super::refusal::{Refusal, Wait};

const MINUTE: u128 = 60_000_000_000;
const DAY: u128 = 24 * 60 * MINUTE;

/// The state of a dimension, as reported in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit per minute, or per day.
    pub limit: u64,
    /// What remains now, rounded down.
    pub remaining: u64,
    /// Time until the bucket is full again.
    pub reset: Duration,
}

/// Every nanosecond adds `limit` to the level; one request or token costs `period`, the nanoseconds of a minute or a
/// day.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) dimension: Dimension,
    limit: u64,
    period: u128,
    /// Its capacity in nanoseconds of refill.
    burst: u128,
    level: u128,
    filled: u128,
}

impl Bucket {
    /// A full bucket at `now`. A daily one holds a whole day's worth, any other `burst_seconds`.
    pub(super) fn full(dimension: Dimension, limit: u64, burst_seconds: f64, now: Duration) -> Self {
        let (period, burst) = match dimension {
            Dimension::RequestsPerDay => (DAY, DAY),
            Dimension::Requests
            | Dimension::Tokens
            | Dimension::InputTokens
            | Dimension::OutputTokens
            | Dimension::InFlight => (MINUTE, (burst_seconds.max(0.0) * 1e9) as u128),
        };
        let mut bucket = Self { dimension, limit, period, burst, level: 0, filled: now.as_nanos() };
        bucket.level = bucket.capacity();
        bucket
    }

    fn capacity(&self) -> u128 {
        u128::from(self.limit).saturating_mul(self.burst).max(self.period)
    }

    pub(super) fn refill(&mut self, now: Duration) {
        let passed = now.as_nanos().saturating_sub(self.filled);
        let gained = u128::from(self.limit).saturating_mul(passed);
        self.level = self.level.saturating_add(gained).min(self.capacity());
        self.filled += passed;
    }

    /// A new limit from `now` on; the level is cut to the bucket's new capacity.
    pub(super) fn change(&mut self, limit: u64, now: Duration) {
        self.refill(now);
        self.limit = limit;
        self.level = self.level.min(self.capacity());
    }

    pub(super) fn take(&mut self, requested: u64) {
        self.level = self.level.saturating_sub(u128::from(requested) * self.period);
    }

    /// Why `requested` cannot be taken at the time of the last refill, if so.
    pub(super) fn refusal(&self, requested: u64) -> Option<Refusal> {
        let cost = u128::from(requested) * self.period;
        let lacking = cost.saturating_sub(self.level);
        if lacking == 0 {
            return None;
        }
        let wait = if cost > self.capacity() || self.limit == 0 {
            Wait::Forever
        } else {
            Wait::For(self.time_for(lacking))
        };
        let used = (self.capacity() - self.level).div_ceil(self.period) as u64;
        Some(Refusal { dimension: self.dimension, limit: self.limit, used, requested, wait })
    }

    /// The state at the time of the last refill.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            limit: self.limit,
            remaining: (self.level / self.period) as u64,
            reset: self.time_for(self.capacity() - self.level),
        }
    }

    /// How long the bucket takes to gain `amount`.
    fn time_for(&self, amount: u128) -> Duration {
        let nanos = amount.div_ceil(u128::from(self.limit).max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
