//! What an account allows: token buckets for requests and tokens, requests in flight, times when it is closed, and
//! how fast its traffic may grow. Pure in `now`, the time since the first request; knows nothing about HTTP.

mod bucket;
mod dimension;
mod limits;
mod ramp;
mod refusal;

use std::collections::VecDeque;
use std::time::Duration;

use bucket::Bucket;
pub use bucket::Standing;
pub use dimension::{Dimension, Need};
pub use limits::{Change, Closed, Growth, Headers, Limits};
use ramp::Ramp;
pub use refusal::{Refusal, Wait};

/// The result of [`Quota::admit`]. Nothing is charged unless the request is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// All dimensions were charged, and one slot in flight is taken until [`Quota::release`].
    Admitted,
    /// A dimension is exhausted.
    Refused(Refusal),
    /// Traffic grew too fast; the time until it has slowed down enough.
    TooFast(Duration),
    /// The account is closed for this long.
    Closed(Duration),
}

/// The state of one account.
#[derive(Clone, Debug)]
pub struct Quota {
    buckets: Vec<Bucket>,
    burst_seconds: f64,
    slots: Option<u64>,
    taken: u64,
    ramp: Option<Ramp>,
    closed: Vec<Closed>,
    /// Changes still to come, in order.
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
            slots: limits.of(Dimension::InFlight),
            taken: 0,
            ramp: limits.ramp.map(Ramp::new),
            closed: limits.closed.clone(),
            changes: changes.into(),
        }
    }

    /// Charges `need` at `now` (time since the first request) to every dimension, or to none.
    ///
    /// The caller returns the slot in flight with [`Quota::release`].
    pub fn admit(&mut self, now: Duration, need: Need) -> Admission {
        self.advance(now);
        if let Some(left) = self.closed.iter().filter_map(|closed| closed.left(now)).max() {
            return Admission::Closed(left);
        }
        if let Some(limit) = self.slots.filter(|limit| self.taken >= *limit) {
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

    /// Returns the slot in flight of an admitted request.
    pub fn release(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// The state of `dimension` at `now`; `None` if it is not limited or is not a bucket.
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
        self.slots = change.of(Dimension::InFlight).or(self.slots);
        for dimension in Dimension::BUCKETS {
            let Some(limit) = change.of(dimension) else { continue };
            match self.buckets.iter_mut().find(|bucket| bucket.dimension == dimension) {
                Some(bucket) => bucket.change(limit, change.at()),
                None => self.buckets.push(Bucket::full(dimension, limit, self.burst_seconds, change.at())),
            }
        }
    }
}

#[cfg(test)]
mod tests;
