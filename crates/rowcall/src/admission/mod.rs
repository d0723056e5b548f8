//! When an attempt may start: one admission per account, all or nothing over a place among those in flight and every limit. It
//! knows nothing of prompts and providers; what to do after a refusal is `retry.rs`' decision. `docs/admission.md` tells the policy.
//!
//! Nobody polls and no task runs here: those who wait stand in a queue, and only its head waits for time to pass.

mod bucket;
mod concurrency;
mod estimate;
mod ledger;
mod limits;
mod outage;
mod pace;
mod probe;
mod queue;
mod refusals;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::ledger::{Granted, Ledger};
use self::queue::{Queue, Ticket};
use crate::standing::{Bound, Dimension, LimitedBy, Standing};
use crate::turn::Usage;

pub use self::concurrency::DEFAULT_CONCURRENCY;
pub(crate) use self::outage::{Blame, Failing, Strikes};

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
    /// The server turned it away, so that it used none.
    Refused(Refusal),
    /// It was answered, and may have used what was estimated.
    Unknown,
    /// It failed as others may as well.
    Failed {
        /// How it failed.
        failing: Failing,
        /// The server's own time, if it gave one.
        retry_after: Option<Duration>,
    },
}

/// What a server says that turns an attempt away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The server's own time, if it gave one: all wait as long.
    pub(crate) retry_after: Option<Duration>,
    /// What it was about, if that is told.
    pub(crate) by: Option<LimitedBy>,
    /// The server has no capacity, whatever the account is allowed.
    pub(crate) overloaded: bool,
    /// How many may be in flight, if it says so of too many.
    pub(crate) places: Option<usize>,
}

/// A limit, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Attempts in flight at the same time.
    Concurrency(usize),
    /// Attempts in flight that there are connections for.
    MostConcurrency(usize),
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
    ledger: Mutex<Ledger>,
}

/// The right to make one attempt. Dropped without being settled, as a cancelled attempt's is, it keeps what it reserved and
/// gives back its place.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    need: Need,
    granted: Granted,
    waited_for: Option<Bound>,
    settled: bool,
}

impl Admission {
    /// An admission without limits, which finds out how many may be in flight.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { epoch: Instant::now(), ledger: Mutex::new(Ledger::new()) })
    }

    /// Sets a limit, at once.
    pub(crate) fn apply(&self, limit: Limit, from: From) {
        let now = self.now();
        let mut ledger = self.lock();
        match (limit, from) {
            (Limit::Concurrency(places), From::User) => ledger.concurrency.give(places),
            (Limit::Concurrency(places), From::Extractor) => ledger.concurrency.ask(places),
            (Limit::MostConcurrency(places), From::User | From::Extractor) => ledger.concurrency.cap(places),
            (Limit::Requests(per_minute), From::User | From::Extractor) => {
                ledger.limits.set(Dimension::Requests, per_minute, now);
            }
            (Limit::Tokens(per_minute), From::User | From::Extractor) => {
                ledger.limits.set(Dimension::Tokens, per_minute, now);
            }
        }
        ledger.admit_waiting(now);
    }

    /// Waits until an attempt that needs this much may start. First come, first served, but that a few who need little may
    /// overtake one who needs much. Dropping the future gives up the place in the queue.
    pub(crate) async fn admit(self: &Arc<Self>, need: Need) -> Permit {
        if let Some(granted) = self.admit_at_once(need) {
            return self.permit(need, granted, None);
        }
        let place = Place::join(self, need);
        let mut waited_for = None;
        loop {
            match place.look() {
                Ok(granted) => return self.permit(need, granted, waited_for),
                Err((wait, bound)) => {
                    waited_for = bound.or(waited_for);
                    place.wait(wait).await;
                }
            }
        }
    }

    fn admit_at_once(&self, need: Need) -> Option<Granted> {
        let mut ledger = self.lock();
        let now = self.now();
        let is_free =
            ledger.queue.is_empty() && matches!(ledger.ready_in(need, now), (Some(Duration::ZERO), _));
        is_free.then(|| ledger.take(need, now))
    }

    fn permit(self: &Arc<Self>, need: Need, granted: Granted, waited_for: Option<Bound>) -> Permit {
        Permit { admission: Arc::clone(self), need, granted, waited_for, settled: false }
    }

    /// The most attempts that may be in flight now.
    pub(crate) fn concurrency(&self) -> usize {
        self.lock().concurrency.limit()
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

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        // No code that holds the lock can panic half-way through a change.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, given up on drop.
struct Place<'a> {
    admission: &'a Arc<Admission>,
    ticket: Arc<Ticket<Need, Granted>>,
}

impl<'a> Place<'a> {
    fn join(admission: &'a Arc<Admission>, need: Need) -> Self {
        Self { admission, ticket: admission.lock().queue.join(need) }
    }

    /// What was granted, or how long to wait before looking again (`None` is until being woken) and for what.
    fn look(&self) -> Result<Granted, (Option<Duration>, Option<Bound>)> {
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.let_start(now);
        if let Some(granted) = self.ticket.take() {
            ledger.queue.wake_head();
            return Ok(granted);
        }
        let (_, bound) = ledger.ready_in(self.ticket.need, now);
        // The head keeps watch for those who may overtake it as well.
        let watched = ledger.queue.is_head(&self.ticket).then_some(&ledger.queue);
        let waits = watched.into_iter().flat_map(Queue::candidates);
        Err((waits.filter_map(|need| ledger.ready_in(*need, now).0).min(), bound))
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
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.queue.leave(&self.ticket);
        // It may have been granted without having been told.
        if let Some(granted) = self.ticket.take() {
            ledger.hand_back(granted, now);
        }
        ledger.admit_waiting(now);
    }
}

impl Permit {
    /// What the attempt had to wait for last, if it had to wait.
    pub(crate) fn waited_for(&self) -> Option<Bound> {
        self.waited_for
    }

    /// Gives it back whole: nothing was sent.
    pub(crate) fn hand_back(mut self) {
        self.settled = true;
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.hand_back(self.granted, now);
        ledger.admit_waiting(now);
    }

    /// Gives back the place and squares the account with what has happened and with what the server told of its limits.
    /// `strikes` are the row's; whom a failure is put down to is the answer, the row if it is none.
    pub(crate) fn settle(
        mut self,
        settlement: Settlement,
        standings: &[Standing],
        strikes: &mut Strikes,
    ) -> Blame {
        self.settled = true;
        let now = self.admission.now();
        self.admission.lock().settle(self.need, self.granted, settlement, standings, strikes, now)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            let mut ledger = self.admission.lock();
            let now = self.admission.now();
            ledger.give_up(self.granted, now);
            ledger.admit_waiting(now);
        }
    }
}

#[cfg(test)]
mod tests;
