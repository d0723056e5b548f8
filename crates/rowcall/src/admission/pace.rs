//! The rate of a server that does not advertise its limits, inferred from its refusals. The server's bucket is empty at each
//! refusal, so what it accepted between two refusals is its inflow. A little less than that is sent, and then more and more until
//! it refuses again.

use std::time::Duration;

use super::bucket::Bucket;

/// The share of the measured rate that is sent at first, so that a bucket in debt recovers.
const CAUTION: f64 = 0.98;

/// By how much the rate grows in the first second without a refusal. Each further second doubles that, up to the maximum.
const GROWTH: f64 = 0.02;
const MOST_GROWTH: f64 = 0.5;

/// Refusals closer together than this, or with less accepted between them than this many times what was refused, are no
/// measurement: at a refusal a bucket is not really empty, it only lacks something.
const SHORTEST: Duration = Duration::from_millis(100);
const LEAST_BETWEEN: f64 = 10.0;

/// The server's advertised limits are believed unless less than this share of them is measured, over at least this long: a
/// refusal or two may be due to attempts sent before anything was known.
const BELIEVED: f64 = 0.9;
const LEAST_PROOF: Duration = Duration::from_millis(500);

/// Refusals further apart than this belong to different series.
const SERIES: Duration = Duration::from_secs(2);

/// The factor by which the rate is reduced when a refusal comes too soon to be measured.
const EASE: f64 = 0.8;

/// The smallest share that is still sent: hundreds of simultaneous refusals show hardly more than a few dozen.
const LEAST_EASED: f64 = 0.05;

/// A waiter checks again after at most this long: the rate grows meanwhile, so the computed wait is too long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A pace that has grown to this many times the measured rate no longer matters, and is dropped.
const FORGOTTEN: f64 = 16.0;

/// The rate at which attempts are sent, in requests or tokens a second.
#[derive(Debug)]
pub(super) struct Pace {
    measured: f64,
    /// The share of it that is sent, after refusals that came too soon to measure.
    eased: f64,
    bucket: Bucket,
    /// The exponential growth rate, per second, of what a server accepts if it refuses because traffic grew too fast.
    trend: f64,
    /// The time over which `measured` was measured.
    over: Duration,
    /// The latest refusal, and the first of the series that it belongs to.
    latest: Refused,
    first: Refused,
}

/// Why a server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// All of an amount was used.
    Amount,
    /// Traffic grew too fast.
    Growth,
}

/// When a refusal came, and what had been accepted by then.
#[derive(Debug, Clone, Copy)]
struct Refused {
    at: Duration,
    accepted: f64,
}

impl Pace {
    /// A pace after the first refusal: everything accepted so far, over the time it took, is an upper bound.
    pub(super) fn first(accepted: f64, elapsed: Duration, now: Duration) -> Self {
        let measured = accepted.max(1.0) / elapsed.max(SHORTEST).as_secs_f64();
        let refused = Refused { at: now, accepted };
        Self {
            measured,
            eased: 1.0,
            bucket: empty(measured, now),
            trend: 0.0,
            over: elapsed,
            latest: refused,
            first: refused,
        }
    }

    /// A pace after isolated refusals: the rate is what was accepted since `from`. `accepted_from` and `accepted` are the totals then
    /// and now.
    pub(super) fn since(from: Duration, accepted_from: f64, accepted: f64, now: Duration) -> Self {
        let next = Self::first(accepted - accepted_from, now.saturating_sub(from), now);
        let latest = Refused { at: now, accepted };
        Self { latest, first: Refused { at: from, accepted: accepted_from }, ..next }
    }

    /// Updates the pace after a refusal of `amount`, when a total of `accepted` had been accepted.
    pub(super) fn refused(&mut self, amount: f64, accepted: f64, cause: Cause, now: Duration) {
        if now.saturating_sub(self.latest.at) > SERIES {
            self.first = self.latest;
        }
        let (between, elapsed) = (accepted - self.latest.accepted, now.saturating_sub(self.latest.at));
        if elapsed < SHORTEST || between < LEAST_BETWEEN * amount {
            self.eased = (self.eased * EASE).max(LEAST_EASED);
            self.bucket.set_level(self.bucket.level(now).min(0.0), now);
            return;
        }
        let latest = Refused { at: now, accepted };
        let next = Self::first(between, elapsed, now);
        let trend = match cause {
            Cause::Amount => 0.0,
            Cause::Growth => {
                let apart = (self.over + elapsed).as_secs_f64() / 2.0;
                ((next.measured / self.measured).ln() / apart).clamp(0.0, MOST_GROWTH)
            }
        };
        // The measurement is the rate in the middle of the time.
        let measured = next.measured * (trend * elapsed.as_secs_f64() / 2.0).exp();
        let bucket = empty(measured, now);
        *self = Self { measured, bucket, trend, latest, first: self.first, ..next };
    }

    /// Whether it is still useful at `now`.
    pub(super) fn holds(&self, now: Duration) -> bool {
        self.factor(now) < FORGOTTEN
    }

    /// How long until `amount` may be sent, or until it is worth checking again.
    pub(super) fn ready_in(&self, amount: f64, now: Duration) -> Duration {
        self.grown(now).ready_in(amount, now).min(LOOK_AGAIN)
    }

    /// Counts what is sent.
    pub(super) fn take(&mut self, amount: f64, now: Duration) {
        self.bucket = self.grown(now);
        self.bucket.take(amount, now);
    }

    /// The rate that is sent at `now`, per second.
    pub(super) fn per_second(&self, now: Duration) -> f64 {
        CAUTION * self.eased * self.measured * self.factor(now)
    }

    /// Whether the measured rate is clearly below the advertised one, so that the latter cannot be true.
    pub(super) fn contradicts(&self, advertised_per_second: f64) -> bool {
        let span = self.latest.at.saturating_sub(self.first.at);
        let measured = (self.latest.accepted - self.first.accepted) / span.as_secs_f64();
        span >= LEAST_PROOF && measured < BELIEVED * advertised_per_second
    }

    /// Whether less is sent now than was measured.
    pub(super) fn is_below_measured(&self, now: Duration) -> bool {
        CAUTION * self.eased * self.factor(now) < 1.0
    }

    fn grown(&self, now: Duration) -> Bucket {
        let rate = self.per_second(now);
        let mut bucket = self.bucket.clone();
        bucket.resize(rate, capacity(rate), now);
        bucket
    }

    /// Gives back what was counted in excess for an attempt sent at `sent`.
    pub(super) fn give(&mut self, amount: f64, sent: Duration, now: Duration) {
        self.bucket.give(amount, now);
        for refused in [&mut self.latest, &mut self.first] {
            if sent <= refused.at {
                refused.accepted -= amount;
            }
        }
    }

    /// How much the rate has grown since the last refusal.
    fn factor(&self, now: Duration) -> f64 {
        let elapsed = now.saturating_sub(self.latest.at).as_secs_f64();
        // The integral of GROWTH × 2^t, and then of the maximum.
        let until_most = (MOST_GROWTH / GROWTH).log2();
        let doubling = elapsed.min(until_most);
        let grown = GROWTH * (doubling.exp2() - 1.0) / std::f64::consts::LN_2;
        (self.trend * elapsed + grown + MOST_GROWTH * (elapsed - doubling)).exp()
    }
}

fn empty(rate: f64, now: Duration) -> Bucket {
    let mut bucket = Bucket::full(CAUTION * rate, capacity(rate), now);
    bucket.set_level(0.0, now);
    bucket
}

/// A twentieth of a second's worth: enough to be on time, too little to cause refusals.
fn capacity(rate: f64) -> f64 {
    rate / 20.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiter_does_not_wait_long_for_a_pace_near_zero() {
        let mut now = Duration::from_secs(1);
        let mut pace = Pace::first(1.0, now, now);
        for _ in 0..60 {
            now += SHORTEST;
            pace.refused(1.0, 1.0, Cause::Amount, now);
        }
        let refused_last = now;
        while pace.holds(now) && pace.ready_in(1.0, now) > Duration::ZERO {
            now += pace.ready_in(1.0, now);
            assert!(now < refused_last + Duration::from_secs(15), "{now:?}");
        }
    }
}
