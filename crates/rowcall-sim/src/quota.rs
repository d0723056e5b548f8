//! What an account allows: token buckets over requests and tokens, and requests in flight.
//! Pure in `now`, the time since the quota began; knows nothing of HTTP.

use std::time::Duration;

use serde::Deserialize;

const MINUTE: u128 = 60_000_000_000;
const DAY: u128 = 24 * 60 * MINUTE;

/// The limits of an account; what is absent is not limited.
///
/// A bucket starts full, refills continuously at its limit per minute, and holds what `burst_seconds` of that
/// rate give (but at least one request or token).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute, prompt and answer together.
    pub tokens_per_minute: Option<u64>,
    /// Prompt tokens a minute.
    pub input_tokens_per_minute: Option<u64>,
    /// Answer tokens a minute.
    pub output_tokens_per_minute: Option<u64>,
    /// Requests a day; its bucket always holds a whole day's.
    pub requests_per_day: Option<u64>,
    /// Requests at the same time.
    pub in_flight: Option<u64>,
    /// How many seconds' worth a per-minute bucket holds; 60 unless said otherwise.
    pub burst_seconds: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: None,
            tokens_per_minute: None,
            input_tokens_per_minute: None,
            output_tokens_per_minute: None,
            requests_per_day: None,
            in_flight: None,
            burst_seconds: 60.0,
        }
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Prompt tokens a minute.
    InputTokens,
    /// Answer tokens a minute.
    OutputTokens,
    /// Requests a day.
    RequestsPerDay,
    /// Requests at the same time.
    InFlight,
}

/// What one request asks of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Requests, usually 1.
    pub requests: u64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Answer tokens.
    pub output_tokens: u64,
}

impl Need {
    fn of(self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests | Dimension::RequestsPerDay => self.requests,
            Dimension::Tokens => self.input_tokens.saturating_add(self.output_tokens),
            Dimension::InputTokens => self.input_tokens,
            Dimension::OutputTokens => self.output_tokens,
            Dimension::InFlight => 1,
        }
    }
}

/// The answer to [`Quota::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// All dimensions were charged and one place in flight is taken until [`Quota::release`].
    Admitted,
    /// Nothing was charged.
    Refused(Refusal),
}

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

/// When a refused request would be admitted if nobody else came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// After exactly this time.
    For(Duration),
    /// As soon as a request in flight ends.
    ForAnotherToEnd,
    /// Never: it asks for more than its bucket can hold.
    Forever,
}

/// How a dimension stands, as told in `x-ratelimit-*` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit per minute, or per day.
    pub limit: u64,
    /// What is left now, rounded down.
    pub remaining: u64,
    /// Time until the bucket is full again.
    pub reset: Duration,
}

/// The buckets of one account.
#[derive(Clone, Debug)]
pub struct Quota {
    buckets: Vec<Bucket>,
    places: Option<u64>,
    taken: u64,
}

impl Quota {
    /// Full buckets for `limits`.
    pub fn new(limits: &Limits) -> Self {
        let burst = (limits.burst_seconds.max(0.0) * 1e9) as u128;
        let minute = |dimension, limit: Option<u64>| Some(Bucket::full(dimension, limit?, MINUTE, burst));
        let buckets = [
            minute(Dimension::Requests, limits.requests_per_minute),
            minute(Dimension::Tokens, limits.tokens_per_minute),
            minute(Dimension::InputTokens, limits.input_tokens_per_minute),
            minute(Dimension::OutputTokens, limits.output_tokens_per_minute),
            limits.requests_per_day.map(|limit| Bucket::full(Dimension::RequestsPerDay, limit, DAY, DAY)),
        ];
        Self { buckets: buckets.into_iter().flatten().collect(), places: limits.in_flight, taken: 0 }
    }

    /// Charges `need` at `now` (time since the quota began) to every dimension, or to none.
    ///
    /// The caller returns the place in flight with [`Quota::release`].
    pub fn admit(&mut self, now: Duration, need: Need) -> Admission {
        if let Some(limit) = self.places.filter(|limit| self.taken >= *limit) {
            let wait = Wait::ForAnotherToEnd;
            let dimension = Dimension::InFlight;
            return Admission::Refused(Refusal { dimension, limit, used: self.taken, requested: 1, wait });
        }
        let refusals = self.buckets.iter_mut().filter_map(|bucket| {
            bucket.refill(now);
            bucket.refusal(need.of(bucket.dimension))
        });
        if let Some(refusal) = refusals.max_by_key(|refusal| refusal.wait.length()) {
            return Admission::Refused(refusal);
        }
        for bucket in &mut self.buckets {
            bucket.level -= u128::from(need.of(bucket.dimension)) * bucket.period;
        }
        self.taken += 1;
        Admission::Admitted
    }

    /// Returns the place in flight that an admitted request took.
    pub fn release(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// How `dimension` stands at `now`; `None` if it is not limited or is not a bucket.
    pub fn standing(&mut self, now: Duration, dimension: Dimension) -> Option<Standing> {
        let bucket = self.buckets.iter_mut().find(|bucket| bucket.dimension == dimension)?;
        bucket.refill(now);
        Some(Standing {
            limit: bucket.limit,
            remaining: (bucket.level / bucket.period) as u64,
            reset: bucket.time_for(bucket.capacity - bucket.level),
        })
    }
}

impl Wait {
    fn length(self) -> Duration {
        match self {
            Self::For(time) => time,
            Self::ForAnotherToEnd => Duration::ZERO,
            Self::Forever => Duration::MAX,
        }
    }
}

/// One bucket in whole numbers, so that waiting `retry_after` is enough to the nanosecond:
/// every nanosecond adds `limit` to the level, and one request or token costs `period`.
#[derive(Clone, Debug)]
struct Bucket {
    dimension: Dimension,
    limit: u64,
    period: u128,
    capacity: u128,
    level: u128,
    filled: u128,
}

impl Bucket {
    fn full(dimension: Dimension, limit: u64, period: u128, burst: u128) -> Self {
        let capacity = u128::from(limit).saturating_mul(burst).max(period);
        Self { dimension, limit, period, capacity, level: capacity, filled: 0 }
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.as_nanos().saturating_sub(self.filled);
        let gained = u128::from(self.limit).saturating_mul(passed);
        self.level = self.level.saturating_add(gained).min(self.capacity);
        self.filled += passed;
    }

    fn refusal(&self, requested: u64) -> Option<Refusal> {
        let cost = u128::from(requested) * self.period;
        let lacking = cost.saturating_sub(self.level);
        if lacking == 0 {
            return None;
        }
        let wait = if cost > self.capacity || self.limit == 0 {
            Wait::Forever
        } else {
            Wait::For(self.time_for(lacking))
        };
        let used = (self.capacity - self.level).div_ceil(self.period) as u64;
        Some(Refusal { dimension: self.dimension, limit: self.limit, used, requested, wait })
    }

    /// How long the bucket takes to gain `amount`.
    fn time_for(&self, amount: u128) -> Duration {
        let nanos = amount.div_ceil(u128::from(self.limit).max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(tokens: u64) -> Need {
        Need { requests: 1, input_tokens: tokens, output_tokens: 0 }
    }

    #[test]
    fn a_refusal_names_the_dimension_that_takes_longest() {
        let limits = Limits {
            requests_per_minute: Some(60),
            tokens_per_minute: Some(6_000),
            burst_seconds: 1.0,
            ..Limits::default()
        };
        let mut quota = Quota::new(&limits);
        assert_eq!(quota.admit(Duration::ZERO, one(100)), Admission::Admitted);
        let Admission::Refused(refusal) = quota.admit(Duration::from_millis(300), one(80)) else {
            panic!("the bucket was empty")
        };
        assert_eq!(refusal.dimension, Dimension::Requests);
        assert_eq!(refusal.wait, Wait::For(Duration::from_millis(700)));
        assert_eq!((refusal.limit, refusal.used, refusal.requested), (60, 1, 1));

        let Admission::Refused(refusal) = quota.admit(Duration::from_secs(9), one(101)) else {
            panic!("more than the bucket holds")
        };
        assert_eq!((refusal.dimension, refusal.wait), (Dimension::Tokens, Wait::Forever));
    }

    #[test]
    fn a_place_in_flight_is_free_again_once_released() {
        let mut quota = Quota::new(&Limits { in_flight: Some(1), ..Limits::default() });
        assert_eq!(quota.admit(Duration::ZERO, one(1)), Admission::Admitted);
        assert!(matches!(quota.admit(Duration::ZERO, one(1)), Admission::Refused(_)));
        quota.release();
        assert_eq!(quota.admit(Duration::ZERO, one(1)), Admission::Admitted);
    }

    #[test]
    fn standing_tells_the_limit_per_minute_and_the_time_until_full() {
        let mut quota = Quota::new(&Limits { requests_per_minute: Some(600), ..Limits::default() });
        for _ in 0..30 {
            quota.admit(Duration::ZERO, one(1));
        }
        let standing = quota.standing(Duration::from_secs(1), Dimension::Requests).unwrap();
        assert_eq!((standing.limit, standing.remaining, standing.reset), (600, 580, Duration::from_secs(2)));
        assert_eq!(quota.standing(Duration::from_secs(1), Dimension::Tokens), None);
    }

    proptest! {
        #[test]
        fn no_interval_admits_more_than_the_bucket_and_its_refill(
            limit in 1_u64..5_000,
            burst in 1_u32..90,
            arrivals in prop::collection::vec((0_u64..3_000, 1_u64..60), 1..120),
        ) {
            let limits =
                Limits { tokens_per_minute: Some(limit), burst_seconds: f64::from(burst), ..Limits::default() };
            let mut quota = Quota::new(&limits);
            let capacity = (limit as f64 * f64::from(burst) / 60.0).max(1.0);
            let (mut now, mut taken) = (Duration::ZERO, vec![]);
            for (pause, tokens) in arrivals {
                now += Duration::from_millis(pause);
                if quota.admit(now, one(tokens)) == Admission::Admitted {
                    taken.push((now, tokens));
                }
            }
            for (first, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (until, tokens) in &taken[first..] {
                    sum += tokens;
                    let refill = limit as f64 / 60.0 * until.saturating_sub(*from).as_secs_f64();
                    prop_assert!(sum as f64 <= capacity + refill + 1e-6);
                }
            }
        }

        #[test]
        fn waiting_as_told_is_enough_and_a_nanosecond_less_is_not(
            limit in 1_u64..5_000_000,
            needs in prop::collection::vec(1_u64..400, 1..60),
            per_day in prop::option::of(1_u64..40),
        ) {
            let limits = Limits {
                tokens_per_minute: Some(limit), requests_per_day: per_day, burst_seconds: 3.5, ..Limits::default()
            };
            let mut quota = Quota::new(&limits);
            let mut now = Duration::ZERO;
            for tokens in needs {
                if let Admission::Refused(refusal) = quota.admit(now, one(tokens)) {
                    let Wait::For(time) = refusal.wait else {
                        prop_assert_eq!(refusal.wait, Wait::Forever);
                        continue;
                    };
                    let early = (now + time).saturating_sub(Duration::from_nanos(1));
                    prop_assert_ne!(quota.clone().admit(early, one(tokens)), Admission::Admitted);
                    now += time;
                    prop_assert_eq!(quota.admit(now, one(tokens)), Admission::Admitted);
                }
            }
        }
    }
}
