//! What an account allows: token buckets over requests and tokens, requests in flight, times at which it is closed, and
//! how fast its traffic may grow. Pure in `now`, the time since the first request; knows nothing of HTTP.

mod bucket;
mod limits;
mod ramp;

use std::collections::VecDeque;
use std::time::Duration;

use bucket::Bucket;
pub use limits::{Change, Closed, Growth, Headers, Limits};
use ramp::Ramp;

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

impl Dimension {
    /// Those that a bucket limits.
    const BUCKETS: [Self; 5] =
        [Self::Requests, Self::Tokens, Self::InputTokens, Self::OutputTokens, Self::RequestsPerDay];
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

/// The answer to [`Quota::admit`]. Unless the request is admitted, nothing is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// All dimensions were charged and one place in flight is taken until [`Quota::release`].
    Admitted,
    /// A dimension lacks.
    Refused(Refusal),
    /// Traffic grew too fast; this is when it will have been slow enough.
    TooFast(Duration),
    /// Nobody is let in for this time.
    Closed(Duration),
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

/// How a dimension stands, as told in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit per minute, or per day.
    pub limit: u64,
    /// What is left now, rounded down.
    pub remaining: u64,
    /// Time until the bucket is full again.
    pub reset: Duration,
}

/// The state of one account.
#[derive(Clone, Debug)]
pub struct Quota {
    buckets: Vec<Bucket>,
    burst_seconds: f64,
    places: Option<u64>,
    taken: u64,
    ramp: Option<Ramp>,
    closed: Vec<Closed>,
    /// Yet to come, in their order.
    changes: VecDeque<Change>,
}

impl Quota {
    /// Full buckets for `limits`.
    pub fn new(limits: &Limits) -> Self {
        let burst_seconds = limits.burst_seconds;
        let full =
            |dimension| Some(Bucket::full(dimension, limits.of(dimension)?, burst_seconds, Duration::ZERO));
        let mut changes = limits.changes.clone();
        changes.sort_by(|one, other| one.after_seconds.total_cmp(&other.after_seconds));
        Self {
            buckets: Dimension::BUCKETS.into_iter().filter_map(full).collect(),
            burst_seconds,
            places: limits.of(Dimension::InFlight),
            taken: 0,
            ramp: limits.ramp.map(Ramp::new),
            closed: limits.closed.clone(),
            changes: changes.into(),
        }
    }

    /// Charges `need` at `now` (time since the first request) to every dimension, or to none.
    ///
    /// The caller returns the place in flight with [`Quota::release`].
    pub fn admit(&mut self, now: Duration, need: Need) -> Admission {
        self.advance(now);
        if let Some(left) = self.closed.iter().filter_map(|closed| closed.left(now)).max() {
            return Admission::Closed(left);
        }
        if let Some(limit) = self.places.filter(|limit| self.taken >= *limit) {
            let wait = Wait::ForAnotherToEnd;
            let dimension = Dimension::InFlight;
            return Admission::Refused(Refusal { dimension, limit, used: self.taken, requested: 1, wait });
        }
        let refusals = self.buckets.iter().filter_map(|bucket| bucket.refusal(need.of(bucket.dimension)));
        let refusal = refusals.max_by_key(|refusal| refusal.wait.length());
        let too_fast = self.ramp.as_ref().and_then(|ramp| ramp.wait(need.requests));
        match (refusal, too_fast) {
            (Some(refusal), too_fast) if too_fast.is_none_or(|wait| wait <= refusal.wait.length()) => {
                Admission::Refused(refusal)
            }
            (_, Some(wait)) => Admission::TooFast(wait),
            (_, None) => {
                self.charge(need);
                Admission::Admitted
            }
        }
    }

    fn charge(&mut self, need: Need) {
        for bucket in &mut self.buckets {
            bucket.take(need.of(bucket.dimension));
        }
        if let Some(ramp) = &mut self.ramp {
            ramp.take(need.requests);
        }
        self.taken += 1;
    }

    /// Returns the place in flight that an admitted request took.
    pub fn release(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// How `dimension` stands at `now`; `None` if it is not limited or is not a bucket.
    pub fn standing(&mut self, now: Duration, dimension: Dimension) -> Option<Standing> {
        self.advance(now);
        self.buckets.iter().find(|bucket| bucket.dimension == dimension).map(Bucket::standing)
    }

    /// Brings limits and levels to `now`.
    fn advance(&mut self, now: Duration) {
        while let Some(change) = self.changes.pop_front_if(|change| change.at() <= now) {
            self.change(&change);
        }
        for bucket in &mut self.buckets {
            bucket.refill(now);
        }
        if let Some(ramp) = &mut self.ramp {
            ramp.refill(now);
        }
    }

    fn change(&mut self, change: &Change) {
        self.places = change.of(Dimension::InFlight).or(self.places);
        for dimension in Dimension::BUCKETS {
            let Some(limit) = change.of(dimension) else { continue };
            match self.buckets.iter_mut().find(|bucket| bucket.dimension == dimension) {
                Some(bucket) => bucket.change(limit, change.at()),
                None => self.buckets.push(Bucket::full(dimension, limit, self.burst_seconds, change.at())),
            }
        }
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

#[cfg(test)]
mod tests;
