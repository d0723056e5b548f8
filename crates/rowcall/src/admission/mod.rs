//! When an attempt may start: one admission per account, which grants a slot and room in every limit, all or nothing. It knows
//! nothing about prompts and providers; `retry.rs` decides what to do after a refusal. `docs/admission.md` describes the policy.
//!
//! There is no polling and no background task: waiters are in a queue, and only its head waits for time to pass.

mod amounts;
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
use crate::standing::{Bound, Dimension, KnownLimit, LimitedBy, Standing};
use crate::turn::Usage;

pub(crate) use self::budget::{Denial, Purse, Stake};
pub use self::concurrency::DEFAULT_CONCURRENCY;
pub(crate) use self::outage::{Blame, Failing, Strikes};

/// What an attempt is expected to use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need {
    /// Bytes of the request's body, from which its tokens are estimated.
    pub(crate) bytes: usize,
    /// The most tokens that the answer may have, if limited.
    pub(crate) output_limit: Option<u32>,
    /// What it reserves of a budget, if there is one.
    pub(crate) stake: Stake,
}

/// How an attempt ended, as far as its permit is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// It was answered, and its tokens are known.
    Exact(Usage),
    /// The server refused it, so it used no tokens.
    Refused(Refusal),
    /// It was answered, and may have used the estimated tokens.
    Unknown,
    /// It failed in a way in which others may fail as well.
    Failed {
        /// How it failed.
        failing: Failing,
        /// The wait that the server requested, if any.
        retry_after: Option<Duration>,
    },
}

/// What a server says when it refuses an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The wait that the server requested, if any: the whole account waits.
    pub(crate) retry_after: Option<Duration>,
    /// The limit it was about, if the server names it.
    pub(crate) by: Option<LimitedBy>,
    /// Whether the server has no capacity, regardless of the account's limits.
    pub(crate) overloaded: bool,
    /// How many attempts may be in flight, if the server says so when there are too many.
    pub(crate) slots: Option<usize>,
}

/// A limit that the user sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Attempts in flight.
    Concurrency(usize),
    /// Attempts in flight for which there are connections.
    MostConcurrency(usize),
    /// How much of this per minute; `None` for no limit of the user's.
    PerMinute(Dimension, Option<f64>),
    /// The most that all attempts may cost together; `None` for no budget.
    Budget(Option<Usd>),
}

/// The account's admission.
#[derive(Debug)]
pub(crate) struct Admission {
    epoch: Instant,
    ledger: Mutex<Ledger>,
}

/// One extractor on the account: the limit on its attempts in flight, if it has one, and whether it is paused. Dropping it removes both.
#[derive(Debug)]
pub(crate) struct Share {
    admission: Arc<Admission>,
    line: Line,
}

impl Share {
    /// The most attempts of the extractor that may be in flight now.
    pub(crate) fn concurrency(&self) -> usize {
        let ledger = self.admission.lock();
        match ledger.shares.slots(self.line) {
            Some(slots) if ledger.shares.are_sole() => slots,
            Some(slots) => ledger.concurrency.limit().min(slots),
            None => ledger.concurrency.limit(),
        }
    }

    /// The extractor's own limit, if it has one.
    pub(crate) fn slots(&self) -> Option<usize> {
        self.admission.lock().shares.slots(self.line)
    }

    /// Whether the extractor is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.admission.lock().shares.bound(Some(self.line)) == Some(Bound::Pause)
    }

    /// Pauses the extractor, or ends a pause, with immediate effect on what waits. What is in flight goes on.
    pub(crate) fn set_pause(&self, pause: Pause) {
        let now = self.admission.now();
        let mut ledger = self.admission.lock();
        match pause {
            Pause::On => ledger.pause(self.line, now),
            Pause::Off => ledger.resume(self.line, now),
        }
    }

    /// Changes the limit on attempts in flight, with immediate effect on what waits; `None` removes it, and the account adapts.
    pub(crate) fn set_concurrency(&self, slots: Option<usize>) {
        let now = self.admission.now();
        self.admission.lock().steer(self.line, slots, now);
    }

    /// The account's admission.
    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }
}

/// Whether an extractor is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    On,
    Off,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.admission.lock().shares.close(self.line);
    }
}

/// The right to make one attempt. If dropped without being settled, as in a cancelled attempt, it gives back its slot but
/// not what it reserved.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    need: Need,
    granted: Granted,
    waited_for: Option<Bound>,
    /// The tier in which it was served, if that is not the one asked for.
    unasked_tier: Option<Arc<str>>,
    settled: bool,
}

impl Admission {
    /// An admission without limits, which adapts its concurrency.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { epoch: Instant::now(), ledger: Mutex::new(Ledger::new()) })
    }

    /// Sets an upper limit of the account, with immediate effect.
    pub(crate) fn apply(&self, limit: Limit) {
        let now = self.now();
        let mut ledger = self.lock();
        match limit {
            Limit::Concurrency(slots) => ledger.concurrency.set(slots),
            Limit::MostConcurrency(slots) => ledger.concurrency.cap(slots),
            Limit::PerMinute(dimension, Some(amount)) => ledger.limits.set(dimension, amount, now),
            Limit::PerMinute(dimension, None) => ledger.limits.unset(dimension),
            Limit::Budget(Some(budget)) => ledger.budget.set(budget),
            Limit::Budget(None) => ledger.budget.unset(),
        }
        ledger.admit_waiting(now);
    }

    /// Registers an extractor until the result is dropped, with a limit on its attempts in flight if there is one.
    pub(crate) fn share(self: &Arc<Self>, slots: impl Into<Option<usize>>) -> Share {
        let line = self.lock().shares.open(slots.into());
        Share { admission: Arc::clone(self), line }
    }

    /// The limits in force, as far as known.
    pub(crate) fn known_limits(&self) -> Vec<KnownLimit> {
        let now = self.now();
        self.lock().known_limits(now)
    }

    /// The budget, and the most that is spent or reserved of it; `None` without a budget.
    pub(crate) fn budget(&self) -> Option<(Usd, Usd)> {
        self.lock().budget.used()
    }

    /// Counts against the budget the most that earlier runs may have spent, as the journal at this path records it.
    pub(crate) fn spent_before(&self, journal: &Path, spent: Cost) -> Purse {
        self.lock().budget.open(journal, spent)
    }

    /// Notes that a journal records the most that requests sent before it was open may have spent.
    pub(crate) fn record(&self, purse: Purse, at_most: Usd) {
        self.lock().budget.record(purse, at_most);
    }

    /// Waits until an attempt that needs this much may start. First come, first served, except that a few small ones may overtake
    /// a large one. Dropping the future leaves the queue. `share` is the limit of the extractor that asks, if it has one.
    ///
    /// # Errors
    /// If it can never start because the budget does not allow it.
    pub(crate) async fn admit(self: &Arc<Self>, need: Need, share: Option<&Share>) -> Result<Permit, Denial> {
        let line = share.map(|share| share.line);
        if let Some(granted) = self.admit_at_once(need, line) {
            return Ok(self.permit(need, granted, None));
        }
        let mut waiter = Waiter::join(self, need, line);
        let mut waited_for = None;
        loop {
            match waiter.look() {
                Ok(granted) => return Ok(self.permit(need, granted, waited_for)),
                Err(Blocked::Denied(denial)) => return Err(denial),
                Err(Blocked::Waits(wait, bound)) => {
                    waited_for = bound.or(waited_for);
                    waiter.wait(wait).await;
                }
            }
        }
    }

    /// Reserves what a request of a batch can cost. Unlike [`admit`](Self::admit) it does not wait: a batch has its own limits, and
    /// can be sent with fewer rows. Returns whether the budget covers it.
    ///
    /// # Errors
    /// If it never can.
    pub(crate) fn reserve(&self, stake: Stake) -> Result<bool, Denial> {
        let mut ledger = self.lock();
        if ledger.budget.fits(stake) {
            ledger.budget.reserve(stake);
            return Ok(true);
        }
        ledger.budget.denial(stake).map_or(Ok(false), Err)
    }

    /// Reserves what a request can cost that an earlier run has sent in a batch.
    pub(crate) fn reserve_sent(&self, stake: Stake) {
        self.lock().budget.reserve(stake);
    }

    /// Gives back the reservation of a request in a batch that was not sent or that this run no longer waits for.
    pub(crate) fn release(&self, stake: Stake) {
        let mut ledger = self.lock();
        ledger.budget.release(stake);
        ledger.admit_waiting(self.now());
    }

    /// Replaces the reservation of a request in a batch by what it cost.
    pub(crate) fn settle_reserved(&self, stake: Stake, cost: Cost) {
        let mut ledger = self.lock();
        ledger.budget.settle(stake, cost, None);
        ledger.admit_waiting(self.now());
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
        Permit { admission: Arc::clone(self), need, granted, waited_for, unasked_tier: None, settled: false }
    }

    /// How long the account has been answering nothing but limits.
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

/// Why an attempt cannot start yet.
enum Blocked {
    Denied(Denial),
    /// How long to wait before checking again (`None` means until woken), and for which limit.
    Waits(Option<Duration>, Option<Bound>),
}

/// A position in the queue, given up on drop.
struct Waiter<'a> {
    admission: &'a Arc<Admission>,
    ticket: Arc<Ticket<Need, Granted>>,
    is_admitted: bool,
}

impl<'a> Waiter<'a> {
    fn join(admission: &'a Arc<Admission>, need: Need, line: Option<Line>) -> Self {
        Self { admission, ticket: admission.lock().queues.join(line, need), is_admitted: false }
    }

    fn look(&mut self) -> Result<Granted, Blocked> {
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.start_ready(now);
        if let Some(granted) = self.ticket.take() {
            ledger.wake_head();
            self.is_admitted = true;
            return Ok(granted);
        }
        // A pause is a time to raise the budget.
        if ledger.shares.bound(self.ticket.line) != Some(Bound::Pause)
            && let Some(denial) = ledger.denial(self.ticket.need)
        {
            return Err(Blocked::Denied(denial));
        }
        let line = self.ticket.line;
        let (_, bound) = ledger.ready_in(line, self.ticket.need, now);
        // The head also checks for those who may overtake it.
        let watched = ledger.served().filter(|(_, queue)| queue.is_head(&self.ticket));
        let waits = watched.into_iter().flat_map(|(_, queue)| ledger.candidates(queue));
        Err(Blocked::Waits(waits.filter_map(|need| ledger.ready_in(line, *need, now).0).min(), bound))
    }

    async fn wait(&self, wait: Option<Duration>) {
        match wait {
            Some(wait) => drop(tokio::time::timeout(wait, self.ticket.woken()).await),
            None => self.ticket.woken().await,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.queues.leave(&self.ticket);
        match (self.is_admitted, self.ticket.take()) {
            (true, _) => {}
            // It may have been granted without having noticed yet.
            (false, Some(granted)) => ledger.hand_back(self.ticket.need, granted, now),
            (false, None) => ledger.shares.end(self.ticket.line),
        }
        ledger.admit_waiting(now);
    }
}

impl Permit {
    /// The limit that the attempt waited for last, if it had to wait.
    pub(crate) fn waited_for(&self) -> Option<Bound> {
        self.waited_for
    }

    /// Notes the tier in which the attempt was served, if that is not the one asked for.
    pub(crate) fn served_in(&mut self, unasked_tier: Option<&str>) {
        self.unasked_tier = unasked_tier.map(Arc::from);
    }

    /// Gives everything back: nothing was sent.
    pub(crate) fn hand_back(mut self) {
        self.settled = true;
        let mut ledger = self.admission.lock();
        let now = self.admission.now();
        ledger.hand_back(self.need, self.granted, now);
        ledger.admit_waiting(now);
    }

    /// Gives back the slot and updates the account with what happened and with the limits that the server advertised. What the attempt
    /// cost is taken from the budget. `strikes` are the row's. Returns what a failure is blamed on; for other attempts, the row.
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
        ledger.budget.settle(self.need.stake, cost, self.unasked_tier.as_ref());
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
