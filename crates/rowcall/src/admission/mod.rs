//! When an attempt may start: one admission per account, all or nothing over a place among those in flight and every limit. It
//! knows nothing of prompts and providers; what to do after a refusal is `retry.rs`' decision. `docs/admission.md` tells the policy.
//!
//! Nobody polls and no task runs here: those who wait stand in a queue, and only its head waits for time to pass.

mod bucket;
mod budget;
mod concurrency;
mod estimate;
mod ledger;
mod limits;
mod outage;
mod pace;
mod probe;
mod queue;
mod refusals;
mod share;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::ledger::{Granted, Ledger};
use self::queue::{Line, Ticket};
use crate::money::{Cost, Usd};
use crate::standing::{Bound, Dimension, LimitedBy, Standing};
use crate::turn::Usage;

pub(crate) use self::budget::{Denial, Purse, Stake};
pub use self::concurrency::DEFAULT_CONCURRENCY;
pub(crate) use self::outage::{Blame, Failing, Strikes};

/// What an attempt is expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need {
    /// Bytes of the request's body, from which its tokens are estimated.
    pub(crate) bytes: usize,
    /// The most tokens that the answer may have, if that is limited.
    pub(crate) output_limit: Option<u32>,
    /// What it takes from a budget, if there is one.
    pub(crate) stake: Stake,
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
    /// How many may be in flight, if the server says so when there are too many.
    pub(crate) places: Option<usize>,
}

/// A limit that the user sets.
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
    /// What all attempts may cost together.
    Budget(Usd),
}

/// The account's admission.
#[derive(Debug)]
pub(crate) struct Admission {
    epoch: Instant,
    ledger: Mutex<Ledger>,
}

/// The limit of one extractor on an account's attempts in flight. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    admission: Arc<Admission>,
    line: Line,
    places: usize,
}

impl Share {
    /// The most attempts of the extractor that may be in flight now.
    pub(crate) fn concurrency(&self) -> usize {
        let ledger = self.admission.lock();
        if ledger.shares.are_sole() { self.places } else { ledger.concurrency.limit().min(self.places) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.admission.lock().shares.close(self.line);
    }
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

    /// Sets a limit of the account, at once: an upper bound.
    pub(crate) fn apply(&self, limit: Limit) {
        let now = self.now();
        let mut ledger = self.lock();
        match limit {
            Limit::Concurrency(places) => ledger.concurrency.give(places),
            Limit::MostConcurrency(places) => ledger.concurrency.cap(places),
            Limit::Requests(per_minute) => ledger.limits.set(Dimension::Requests, per_minute, now),
            Limit::Tokens(per_minute) => ledger.limits.set(Dimension::Tokens, per_minute, now),
            Limit::Budget(budget) => ledger.budget.set(budget),
        }
        ledger.admit_waiting(now);
    }

    /// A limit on the attempts in flight of one extractor, which ends with what is returned.
    pub(crate) fn share(self: &Arc<Self>, places: usize) -> Share {
        let line = self.lock().shares.open(places);
        Share { admission: Arc::clone(self), line, places }
    }

    /// What runs before have spent, at the most, as the journal at this path records it: it counts against the budget.
    pub(crate) fn spent_before(&self, journal: &Path, at_most: Usd) -> Purse {
        self.lock().budget.open(journal, at_most)
    }

    /// A journal records what was spent, at the most, by requests that were sent before it was open.
    pub(crate) fn record(&self, purse: Purse, at_most: Usd) {
        self.lock().budget.record(purse, at_most);
    }

    /// Waits until an attempt that needs this much may start. First come, first served, but that a few who need little may
    /// overtake one who needs much. Dropping the future gives up the place in the queue. What an extractor with a limit of its own
    /// asks for names its `share`.
    ///
    /// # Errors
    /// If it can never start, as the budget does not allow it.
    pub(crate) async fn admit(self: &Arc<Self>, need: Need, share: Option<&Share>) -> Result<Permit, Denial> {
        let line = share.map(|share| share.line);
        if let Some(granted) = self.admit_at_once(need, line) {
            return Ok(self.permit(need, granted, None));
        }
        let mut place = Place::join(self, need, line);
        let mut waited_for = None;
        loop {
            match place.look() {
                Ok(granted) => return Ok(self.permit(need, granted, waited_for)),
                Err(Kept::Denied(denial)) => return Err(denial),
                Err(Kept::Waits(wait, bound)) => {
                    waited_for = bound.or(waited_for);
                    place.wait(wait).await;
                }
            }
        }
    }

    fn admit_at_once(&self, need: Need, line: Option<Line>) -> Option<Granted> {
        let mut ledger = self.lock();
        let now = self.now();
        ledger.begin(line);
        let is_free = ledger.served().is_none()
            && matches!(ledger.ready_in(line, need, now), (Some(Duration::ZERO), _));
        is_free.then(|| ledger.take(line, need, now))
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

/// What keeps one from starting.
enum Kept {
    Denied(Denial),
    /// How long to wait before looking again (`None` is until being woken), and for what.
    Waits(Option<Duration>, Option<Bound>),
}

/// A place in the queue, given up on drop.
struct Place<'a> {
    admission: &'a Arc<Admission>,
    ticket: Arc<Ticket<Need, Granted>>,
    is_admitted: bool,
}

impl<'a> Place<'a> {
    fn join(admission: &'a Arc<Admission>, need: Need, line: Option<Line>) -> Self {
        Self { admission, ticket: admission.lock().queues.join(line, need), is_admitted: false }
    }

    fn look(&mut self) -> Result<Granted, Kept> {
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.let_start(now);
        if let Some(granted) = self.ticket.take() {
            ledger.wake_head();
            self.is_admitted = true;
            return Ok(granted);
        }
        if let Some(denial) = ledger.denial(self.ticket.need) {
            return Err(Kept::Denied(denial));
        }
        let line = self.ticket.line;
        let (_, bound) = ledger.ready_in(line, self.ticket.need, now);
        // The head keeps watch for those who may overtake it as well.
        let watched = ledger.served().filter(|(_, queue)| queue.is_head(&self.ticket));
        let waits = watched.into_iter().flat_map(|(_, queue)| ledger.looked_at(queue));
        Err(Kept::Waits(waits.filter_map(|need| ledger.ready_in(line, *need, now).0).min(), bound))
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
        ledger.queues.leave(&self.ticket);
        match (self.is_admitted, self.ticket.take()) {
            (true, _) => {}
            // It may have been granted without having been told.
            (false, Some(granted)) => ledger.hand_back(self.ticket.need, granted, now),
            (false, None) => ledger.shares.end(self.ticket.line),
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
        ledger.hand_back(self.need, self.granted, now);
        ledger.admit_waiting(now);
    }

    /// Gives back the place and squares the account with what has happened and with what the server told of its limits.
    /// `strikes` are the row's; whom a failure is put down to is the answer, the row if it is none. What the attempt has cost is taken
    /// from the budget.
    pub(crate) fn settle(
        mut self,
        settlement: Settlement,
        cost: Cost,
        standings: &[Standing],
        strikes: &mut Strikes,
    ) -> Blame {
        self.settled = true;
        let now = self.admission.now();
        let mut ledger = self.admission.lock();
        ledger.budget.settle(self.need.stake, cost);
        ledger.settle(self.need, self.granted, settlement, standings, strikes, now)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            let mut ledger = self.admission.lock();
            let now = self.admission.now();
            ledger.budget.keep(self.need.stake);
            ledger.give_up(self.granted, now);
            ledger.admit_waiting(now);
        }
    }
}

#[cfg(test)]
mod tests;
