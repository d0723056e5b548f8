//! When an attempt may start: one admission per account, all or nothing over a place among those in flight, requests and
//! tokens. It knows nothing of prompts and providers; what to do after a refusal is `retry.rs`' decision.
//!
//! Nobody polls and no task runs here: those who wait stand in a queue, and only its head waits for time to pass.

mod bucket;
mod estimate;
mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::bucket::Bucket;
use self::estimate::Estimate;
use self::queue::{Queue, Ticket};
use crate::turn::Usage;

/// How much of a limit per minute may be used at once: a tenth. The whole would let a run take twice its limit in the
/// first minute, and less would slow the start of small ones.
const BURST: Duration = Duration::from_secs(6);

/// Attempts in flight where nobody has set anything.
pub const DEFAULT_CONCURRENCY: usize = 64;

/// What an attempt is expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need {
    /// Bytes of the request's body, from which its tokens are estimated.
    pub(crate) bytes: usize,
    /// The most tokens that the answer may have, if that is limited.
    pub(crate) output_limit: Option<u32>,
}

/// How an attempt ended, as far as its permit is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// Its tokens are known.
    Exact(Usage),
    /// The account's limits turned it away, so that it used none; all wait as long as the server asked.
    Refused {
        /// The server's own time, if it gave one.
        retry_after: Option<Duration>,
    },
    /// It was answered, and may have used what was estimated.
    Unknown,
    /// No answer came; it may have used what was estimated.
    Unanswered,
}

/// A limit, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Attempts in flight at the same time.
    Concurrency(usize),
    /// Requests per minute.
    Requests(f64),
    /// Tokens per minute, in and out together.
    Tokens(f64),
}

/// Who sets a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The user: an upper bound.
    User,
    /// One of the extractors on the account, which may ask for more places than nobody's default.
    Extractor,
}

/// The account's admission.
#[derive(Debug)]
pub(crate) struct Admission {
    epoch: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    concurrency: usize,
    concurrency_by: Option<From>,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    estimate: Estimate,
    /// Nobody starts before; time since the epoch.
    closed_until: Duration,
    /// Since when the account has answered nothing but limits.
    limited_since: Option<Duration>,
    /// Whether it has answered anything at all.
    answered: bool,
    queue: Queue,
}

/// The right to make one attempt. Dropped without being settled, as a cancelled attempt's is, it keeps what it reserved and
/// gives back its place.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    need: Need,
    tokens: f64,
    settled: bool,
}

impl Admission {
    /// An admission without limits but the default number of places.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: Instant::now(),
            state: Mutex::new(State {
                in_flight: 0,
                concurrency: DEFAULT_CONCURRENCY,
                concurrency_by: None,
                requests: None,
                tokens: None,
                estimate: Estimate::default(),
                closed_until: Duration::ZERO,
                limited_since: None,
                answered: false,
                queue: Queue::default(),
            }),
        })
    }

    /// Sets a limit, at once.
    pub(crate) fn apply(&self, limit: Limit, from: From) {
        let now = self.now();
        let mut state = self.lock();
        match (limit, from) {
            (Limit::Concurrency(places), From::User) => {
                state.concurrency = places;
                state.concurrency_by = Some(from);
            }
            (Limit::Concurrency(places), From::Extractor) if state.concurrency_by != Some(From::User) => {
                state.concurrency = state.concurrency.max(places);
                state.concurrency_by = Some(from);
            }
            (Limit::Concurrency(_), From::Extractor) => {}
            (Limit::Requests(per_minute), From::User | From::Extractor) => {
                state.requests = Some(Bucket::per_minute(per_minute, BURST, now));
            }
            (Limit::Tokens(per_minute), From::User | From::Extractor) => {
                state.tokens = Some(Bucket::per_minute(per_minute, BURST, now));
            }
        }
        state.queue.wake_head();
    }

    /// Waits until an attempt that needs this much may start. First come, first served. Dropping the future gives up the
    /// place in the queue.
    pub(crate) async fn admit(self: &Arc<Self>, need: Need) -> Permit {
        if let Some(permit) = self.admit_at_once(need) {
            return permit;
        }
        let place = Place::join(self);
        loop {
            match place.admit(need) {
                Ok(permit) => return permit,
                Err(wait) => place.wait(wait).await,
            }
        }
    }

    fn admit_at_once(self: &Arc<Self>, need: Need) -> Option<Permit> {
        let mut state = self.lock();
        let now = self.now();
        (state.queue.is_empty() && state.ready_in(need, now) == Some(Duration::ZERO)).then(|| Permit {
            admission: Arc::clone(self),
            need,
            tokens: state.take(need, now),
            settled: false,
        })
    }

    /// The most attempts that may be in flight.
    pub(crate) fn concurrency(&self) -> usize {
        self.lock().concurrency
    }

    /// How long the account has answered nothing but limits.
    pub(crate) fn limited_for(&self) -> Duration {
        let now = self.now();
        self.lock().limited_since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Whether the account has answered anything at all.
    pub(crate) fn has_answered(&self) -> bool {
        self.lock().answered
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, given up on drop.
struct Place<'a> {
    admission: &'a Arc<Admission>,
    ticket: Ticket,
}

impl<'a> Place<'a> {
    fn join(admission: &'a Arc<Admission>) -> Self {
        Self { admission, ticket: admission.lock().queue.join() }
    }

    /// A permit, or how long to wait before asking again; `None` is until being woken.
    fn admit(&self, need: Need) -> Result<Permit, Option<Duration>> {
        let mut state = self.admission.lock();
        if !state.queue.is_head(&self.ticket) {
            return Err(None);
        }
        let now = self.admission.now();
        match state.ready_in(need, now) {
            Some(Duration::ZERO) => Ok(Permit {
                admission: Arc::clone(self.admission),
                need,
                tokens: state.take(need, now),
                settled: false,
            }),
            wait => Err(wait),
        }
    }

    async fn wait(&self, wait: Option<Duration>) {
        match wait {
            Some(wait) => drop(tokio::time::timeout(wait, self.ticket.woken()).await),
            None => self.ticket.woken().await,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        state.queue.leave(&self.ticket);
        state.queue.wake_head();
    }
}

impl State {
    /// How long until `need` can be met; `None` if that depends on others giving back their places.
    fn ready_in(&self, need: Need, now: Duration) -> Option<Duration> {
        if self.in_flight >= self.concurrency {
            return None;
        }
        let requests = self.requests.as_ref().map_or(Duration::ZERO, |bucket| bucket.ready_in(1.0, now));
        let tokens =
            self.tokens.as_ref().map_or(Duration::ZERO, |bucket| bucket.ready_in(self.tokens_for(need), now));
        Some(requests.max(tokens).max(self.closed_until.saturating_sub(now)))
    }

    /// Takes a place, a request and the estimated tokens, and tells how many those were.
    fn take(&mut self, need: Need, now: Duration) -> f64 {
        let tokens = self.tokens_for(need);
        self.in_flight += 1;
        if let Some(requests) = &mut self.requests {
            requests.take(1.0, now);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.take(tokens, now);
        }
        tokens
    }

    fn tokens_for(&self, need: Need) -> f64 {
        self.estimate.tokens(need.bytes, need.output_limit)
    }
}

impl Permit {
    /// Gives back the place and squares the account: what was reserved too much comes back, what was too little is charged.
    pub(crate) fn settle(mut self, settlement: Settlement) {
        self.settled = true;
        let now = self.admission.now();
        let mut state = self.admission.lock();
        state.in_flight -= 1;
        state.answered |= settlement != Settlement::Unanswered;
        let unused = match settlement {
            Settlement::Exact(usage) => {
                state.limited_since = None;
                state.estimate.learn(self.need.bytes, usage);
                self.tokens - (usage.input_tokens + usage.output_tokens) as f64
            }
            Settlement::Refused { retry_after } => {
                state.limited_since.get_or_insert(now);
                state.closed_until = state.closed_until.max(now + retry_after.unwrap_or_default());
                self.tokens
            }
            Settlement::Unknown => {
                state.limited_since = None;
                0.0
            }
            Settlement::Unanswered => 0.0,
        };
        if let Some(tokens) = &mut state.tokens {
            tokens.give(unused, now);
        }
        state.queue.wake_head();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            let mut state = self.admission.lock();
            state.in_flight -= 1;
            state.queue.wake_head();
        }
    }
}

#[cfg(test)]
mod tests;
