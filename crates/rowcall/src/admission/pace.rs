//! What a server allows that does not tell it: read off its refusals. Between two of them it was given as much as flowed into its
//! bucket, which was empty at both; so that is the rate, and a little less is sent, and then more and more until it refuses again.

use std::time::Duration;

use super::bucket::Bucket;

/// How much of what was measured is sent at first, so that a bucket run into debt recovers.
const CAUTION: f64 = 0.98;

/// By how much the rate grows in the first second without a refusal. Each further second doubles that, up to the most.
const GROWTH: f64 = 0.02;
const MOST_GROWTH: f64 = 0.5;

/// Refusals nearer to one another than this, or with less accepted between them than so many times what was refused, tell
/// nothing: at a refusal a bucket is not empty, it only lacks something.
const SHORTEST: Duration = Duration::from_millis(100);
const LEAST_BETWEEN: f64 = 10.0;

/// What the server tells of its limits is believed unless less than this share of it is measured, over so long at the least: a
/// refusal or two may come of what was sent before anything was known.
const BELIEVED: f64 = 0.9;
const LEAST_PROOF: Duration = Duration::from_millis(500);

/// Refusals that are further apart than this belong to different troubles.
const SERIES: Duration = Duration::from_secs(2);

/// By how much less is sent when a refusal comes before it can be measured.
const EASE: f64 = 0.8;

/// What is sent of it at least: hundreds that are refused together show hardly more than some dozen do.
const LEAST_EASED: f64 = 0.05;

/// Whoever waits looks again after so long at the latest: what is sent grows meanwhile, by more than the wait could be told by.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A rate so many times what was measured binds no more, and is forgotten.
const FORGOTTEN: f64 = 16.0;

/// The rate at which attempts are sent, in requests or tokens a second.
#[derive(Debug)]
pub(super) struct Pace {
    measured: f64,
    /// What of it is sent, after refusals that came too soon to measure.
    eased: f64,
    bucket: Bucket,
    /// How fast what a server lets in grows, where it refuses because that was too fast: by so much per second, to the power of e.
    trend: f64,
    /// Over how long `measured` was.
    over: Duration,
    /// The latest refusal, and the first of the series that it belongs to.
    latest: Refused,
    first: Refused,
}

/// Why a server has refused.
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
    /// After the first refusal: all that was accepted, over the time that it took, is an upper bound.
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

    /// After refusals that came one at a time: the rate is what was accepted since `from`. `accepted_from` and `accepted` are the totals
    /// then and now.
    pub(super) fn since(from: Duration, accepted_from: f64, accepted: f64, now: Duration) -> Self {
        let next = Self::first(accepted - accepted_from, now.saturating_sub(from), now);
        let latest = Refused { at: now, accepted };
        Self { latest, first: Refused { at: from, accepted: accepted_from }, ..next }
    }

    /// After one more refusal, of so much, by when so much had been accepted.
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
        // What was measured is the rate in the middle of the time.
        let measured = next.measured * (trend * elapsed.as_secs_f64() / 2.0).exp();
        let bucket = empty(measured, now);
        *self = Self { measured, bucket, trend, latest, first: self.first, ..next };
    }

    /// Whether it is still of use at `now`.
    pub(super) fn holds(&self, now: Duration) -> bool {
        self.factor(now) < FORGOTTEN
    }

    /// How long until `amount` may be sent, or until it is worth another look.
    pub(super) fn ready_in(&self, amount: f64, now: Duration) -> Duration {
        self.grown(now).ready_in(amount, now).min(LOOK_AGAIN)
    }

    /// Counts what is sent.
    pub(super) fn take(&mut self, amount: f64, now: Duration) {
        self.bucket = self.grown(now);
        self.bucket.take(amount, now);
    }

    /// Whether it is clearly less than what the server tells, so that this cannot be true.
    pub(super) fn contradicts(&self, told_per_second: f64) -> bool {
        let span = self.latest.at.saturating_sub(self.first.at);
        let measured = (self.latest.accepted - self.first.accepted) / span.as_secs_f64();
        span >= LEAST_PROOF && measured < BELIEVED * told_per_second
    }

    /// Whether less is sent now than was measured.
    pub(super) fn is_below_measured(&self, now: Duration) -> bool {
        CAUTION * self.eased * self.factor(now) < 1.0
    }

    fn grown(&self, now: Duration) -> Bucket {
        let rate = CAUTION * self.eased * self.measured * self.factor(now);
        let mut bucket = self.bucket.clone();
        bucket.resize(rate, capacity(rate), now);
        bucket
    }

    /// Gives back what was counted too much for an attempt sent at `sent`.
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
        // The integral of GROWTH × 2^t, then on at the most.
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

/// A twentieth of a second's worth: enough to be on time, too little to be refused for.
fn capacity(rate: f64) -> f64 {
    rate / 20.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_that_has_come_to_nothing_is_soon_forgotten_by_whoever_waits_for_it() {
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
