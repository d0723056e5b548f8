//! Traffic that must not grow too fast: a bucket of requests whose rate grows exponentially while it is used.

use std::f64::consts::LN_2;
use std::time::Duration;

use super::limits::Growth;

/// After this many e-folding times there is nothing left to limit, and numbers stay finite.
const MOST_GROWTH: f64 = 40.0;
/// How much rounding may take from a whole request.
const ROUNDING: f64 = 1e-9;

/// The current allowance, and since when it has been growing.
#[derive(Clone, Debug)]
pub(super) struct Ramp {
    /// Requests per second at first.
    from: f64,
    /// Seconds in which the rate grows by a factor of e.
    efold: f64,
    /// After this many seconds without use, it starts over.
    patience: f64,
    since: Duration,
    /// Requests that may arrive at once.
    level: f64,
    filled: Duration,
    used: Option<Duration>,
}

impl Ramp {
    pub(super) fn new(growth: Growth) -> Self {
        let Growth { from_per_second: from, doubling_seconds } = growth;
        let (since, filled, used) = (Duration::ZERO, Duration::ZERO, None);
        let efold = doubling_seconds / LN_2;
        Self { from, efold, patience: doubling_seconds, since, level: from.max(1.0), filled, used }
    }

    /// The allowed rate at `now`, in requests per second.
    fn rate(&self, now: Duration) -> f64 {
        let growth = now.saturating_sub(self.since).as_secs_f64() / self.efold;
        self.from * growth.min(MOST_GROWTH).exp()
    }

    pub(super) fn refill(&mut self, now: Duration) {
        let unused = self.used.map_or(0.0, |used| now.saturating_sub(used).as_secs_f64());
        if unused > self.patience {
            (self.since, self.filled, self.used, self.level) = (now, now, None, self.from.max(1.0));
        }
        // The integral of an exponential is itself.
        let gained = self.efold * (self.rate(now) - self.rate(self.filled));
        // It holds a second's worth, but at least one request.
        self.level = (self.level + gained.max(0.0)).min(self.rate(now).max(1.0));
        self.filled = self.filled.max(now);
    }

    /// How long `requested` must wait at the time of the last refill, if at all.
    pub(super) fn wait(&self, requested: u64) -> Option<Duration> {
        let lacking = requested as f64 - self.level;
        if lacking <= ROUNDING {
            return None;
        }
        let seconds = self.efold * (lacking / (self.efold * self.rate(self.filled))).ln_1p();
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Some(wait.saturating_add(Duration::from_nanos(1)))
    }

    pub(super) fn take(&mut self, requested: u64) {
        self.level -= requested as f64;
        self.used = Some(self.filled);
    }
}
