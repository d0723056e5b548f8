//! A token bucket with signed debt, as a pure function of `now`. Its owner decides what it counts, requests or tokens.

use std::time::Duration;

/// An allowance that refills continuously, and may go into debt since amounts are taken by estimate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    /// The most it holds.
    capacity: f64,
    /// The inflow per second.
    rate: f64,
    /// What it held at `at`; negative is debt.
    level: f64,
    /// Time since the owner's epoch.
    at: Duration,
}

impl Bucket {
    /// A full bucket at `now` with an inflow of `per_second`. It holds `capacity`, and at least 1.
    pub(crate) fn full(per_second: f64, capacity: f64, now: Duration) -> Self {
        let capacity = capacity.max(1.0);
        Self { capacity, rate: per_second, level: capacity, at: now }
    }

    /// The inflow per second.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// The most it holds.
    pub(crate) fn capacity(&self) -> f64 {
        self.capacity
    }

    /// Changes rate and capacity from `now` on; the level stays, up to the new capacity.
    pub(crate) fn resize(&mut self, per_second: f64, capacity: f64, now: Duration) {
        self.level = self.level(now).min(capacity.max(1.0));
        self.at = self.at.max(now);
        self.rate = per_second;
        self.capacity = capacity.max(1.0);
    }

    /// Sets the level at `now`, up to the capacity.
    pub(crate) fn set_level(&mut self, level: f64, now: Duration) {
        self.level = level.min(self.capacity);
        self.at = self.at.max(now);
    }

    /// What it holds at `now`; negative is debt.
    pub(crate) fn level(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        (self.level + passed * self.rate).min(self.capacity)
    }

    /// How long until `amount` may be taken; zero if it may be taken now. An amount larger than the bucket may be taken
    /// when the bucket is full, and leaves debt.
    pub(crate) fn ready_in(&self, amount: f64, now: Duration) -> Duration {
        let lacking = amount.min(self.capacity) - self.level(now);
        if lacking <= 0.0 {
            return Duration::ZERO;
        }
        // Rounded up to a microsecond, so that the level has really been reached when the wait is over.
        Duration::try_from_secs_f64(lacking / self.rate)
            .map_or(Duration::MAX, |wait| wait + Duration::from_micros(1))
    }

    /// Takes `amount`, going into debt if necessary.
    pub(crate) fn take(&mut self, amount: f64, now: Duration) {
        self.level = self.level(now) - amount;
        self.at = self.at.max(now);
    }

    /// Gives back an excess or, if negative, takes a shortfall.
    pub(crate) fn give(&mut self, amount: f64, now: Duration) {
        self.level = (self.level(now) + amount).min(self.capacity);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A bucket that holds a tenth of a minute's inflow.
    fn per_minute(amount: f64, now: Duration) -> Bucket {
        Bucket::full(amount / 60.0, amount / 10.0, now)
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn an_oversize_amount_waits_for_a_full_bucket_and_leaves_debt() {
        let mut bucket = per_minute(60.0, Duration::ZERO);
        assert_eq!(bucket.ready_in(100.0, Duration::ZERO), Duration::ZERO);
        bucket.take(100.0, Duration::ZERO);
        assert!((bucket.level(Duration::ZERO) + 94.0).abs() < 1e-9);
        assert!(bucket.ready_in(1.0, Duration::ZERO) >= seconds(95.0));
    }

    #[test]
    fn a_clock_that_steps_back_neither_fills_nor_drains() {
        let mut bucket = per_minute(60.0, seconds(10.0));
        bucket.take(6.0, seconds(10.0));
        assert!(bucket.level(seconds(5.0)).abs() < 1e-9);
    }

    #[derive(Debug, Clone)]
    enum Action {
        Wait(f64),
        Ask(f64),
        /// The share of the last amount that was actually used.
        Settle(f64),
    }

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        let action = prop_oneof![
            (0.0..5.0_f64).prop_map(Action::Wait),
            (0.0..20.0_f64).prop_map(Action::Ask),
            (0.0..3.0_f64).prop_map(Action::Settle),
        ];
        proptest::collection::vec(action, 1..200)
    }

    proptest! {
        /// Over any history, the total used is at most burst + rate × time + outstanding debt.
        #[test]
        fn never_more_than_burst_and_rate_allow(rate in 1.0..6000.0_f64, actions in actions()) {
            let mut bucket = per_minute(rate, Duration::ZERO);
            let (capacity, rate) = (bucket.capacity, bucket.rate());
            let (mut now, mut used, mut last) = (0.0, 0.0, 0.0);
            for action in actions {
                match action {
                    Action::Wait(passed) => now += passed,
                    Action::Ask(amount) => {
                        if bucket.ready_in(amount, seconds(now)) == Duration::ZERO {
                            bucket.take(amount, seconds(now));
                            used += amount;
                            last = amount;
                        }
                    }
                    Action::Settle(share) => {
                        bucket.give(last * (1.0 - share), seconds(now));
                        used -= last * (1.0 - share);
                        last = 0.0;
                    }
                }
                let debt = (-bucket.level(seconds(now))).max(0.0);
                prop_assert!(used <= capacity + rate * now + debt + 1e-6 * (1.0 + now), "used {used} at {now}");
                prop_assert!(bucket.level(seconds(now)) <= capacity + 1e-9);
            }
        }

        /// After the reported wait an amount may be taken, and not much earlier.
        #[test]
        fn the_reported_wait_suffices(rate in 1.0..6000.0_f64, taken in 0.0..500.0_f64, amount in 0.0..500.0_f64) {
            let mut bucket = per_minute(rate, Duration::ZERO);
            bucket.take(taken, Duration::ZERO);
            let wait = bucket.ready_in(amount, Duration::ZERO);
            prop_assert_eq!(bucket.ready_in(amount, wait), Duration::ZERO);
            if wait > seconds(0.01) {
                prop_assert!(bucket.ready_in(amount, wait.saturating_sub(seconds(0.01))) > Duration::ZERO);
            }
        }
    }
}
