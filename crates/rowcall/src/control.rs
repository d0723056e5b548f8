//! The user's control of a run that is under way: checks changes, applies them at once, and makes each an event and an entry in the
//! journal. Admission enforces limits and pauses; the run carries out the rest.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::adjustment::Adjustment;
use crate::admission::{Limit, Pause};
use crate::config::{Plan, check_adjustment};
use crate::error::{Error, Problem, Result};
use crate::event::{EventKind, Observers};
use crate::journal::Journal;
use crate::money::Usd;
use crate::standing::{Dimension, KnownLimit};
use crate::stats::Stats;
use crate::steering::{Command, Steering};

/// Steers the runs of an extractor while they are under way, from any thread: see [`Extractor::control`](crate::Extractor::control).
/// Changes take effect at once, also for what already waits to be sent.
///
/// A pause, the concurrency, the deadline, retries and the stop concern the runs of this extractor. Requests and tokens per minute and the
/// budget belong to the account, so they concern all extractors of the same client.
///
/// A pause, a stop and another deadline end with the runs they were ordered for: the next run begins as the extractor was built. Other
/// limits stay until they are changed again.
///
/// ```no_run
/// # async fn example(people: rowcall::Extractor<serde_json::Value>, texts: Vec<String>) -> rowcall::Result<()> {
/// let control = people.control();
/// let mut outcomes = people.as_completed(texts);
/// while let Some(outcome) = outcomes.next().await {
///     if outcome?.result.is_err() {
///         control.set_concurrency(Some(4))?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RunControl {
    steering: Arc<Steering>,
    observers: Observers,
    journal: Weak<Journal>,
    /// Why no budget could be kept, if so.
    no_budget: Option<Problem>,
    stats: Arc<Mutex<Stats>>,
    /// Whether what earlier runs of the journal have spent has a known maximum.
    is_bounded: bool,
    deadline: Option<Duration>,
}

/// The state of what can be adjusted.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// Whether it is paused. Requests that were in flight before are still awaited.
    pub is_paused: bool,
    /// Whether it is to stop or, if no run is under way, whether the latest one was stopped.
    pub is_stopping: bool,
    /// The most requests that may be in flight now.
    pub concurrency: usize,
    /// The limits per minute and day that are in force, the user's and the server's.
    pub limits: Vec<KnownLimit>,
    /// The budget, and the most that is spent or reserved of it.
    pub budget: Option<(Usd, Usd)>,
    /// How long the run may send requests, from its start.
    pub deadline: Option<Duration>,
}

impl RunControl {
    pub(crate) fn new(plan: &Plan) -> Self {
        let journal = plan.journal.as_ref();
        Self {
            steering: Arc::clone(&plan.steering),
            observers: plan.observers.clone(),
            journal: journal.map(Arc::downgrade).unwrap_or_default(),
            no_budget: plan.no_budget.clone(),
            stats: Arc::clone(&plan.stats),
            is_bounded: journal.is_none_or(|journal| journal.spent().ceiling().is_some()),
            deadline: plan.stops.deadline,
        }
    }

    /// Sends nothing new from now on; what is in flight is awaited.
    pub fn pause(&self) {
        self.make(Adjustment::Pause);
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.make(Adjustment::Resume);
    }

    /// Ends the runs: nothing new is sent, what is in flight is awaited, and what is done is released.
    pub fn stop(&self) {
        self.make(Adjustment::Stop);
    }

    /// Asks again about the rows that have failed so far, beside the others. Their new outcomes replace those in the journal; they are not
    /// released a second time.
    ///
    /// # Errors
    /// [`Error::Config`] without a journal that keeps records.
    pub fn retry_failed(&self) -> Result<()> {
        self.apply(&[Adjustment::RetryFailed])
    }

    /// The maximum number of attempts in flight; `None` adapts it to what the server accepts.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that is out of range.
    pub fn set_concurrency(&self, attempts: Option<usize>) -> Result<()> {
        self.apply(&[Adjustment::Concurrency(attempts)])
    }

    /// The maximum number of requests per minute; `None` for as many as the server allows.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that is out of range.
    pub fn set_requests_per_minute(&self, requests: Option<f64>) -> Result<()> {
        self.apply(&[Adjustment::Requests(requests)])
    }

    /// The maximum number of tokens per minute, input and output together; `None` for as many as the server allows.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that is out of range.
    pub fn set_tokens_per_minute(&self, tokens: Option<f64>) -> Result<()> {
        self.apply(&[Adjustment::Tokens(tokens)])
    }

    /// The most that all requests may cost together, including what is already spent; `None` for no budget.
    ///
    /// # Errors
    /// [`Error::Config`] if no budget can be kept, since the most that requests can cost is unknown.
    pub fn set_budget(&self, budget: Option<Usd>) -> Result<()> {
        self.apply(&[Adjustment::Budget(budget)])
    }

    /// How long the runs may send requests, from their start; `None` for no deadline.
    ///
    /// # Errors
    /// None so far.
    pub fn set_deadline(&self, deadline: Option<Duration>) -> Result<()> {
        self.apply(&[Adjustment::Deadline(deadline)])
    }

    /// Makes all these changes, or none of them.
    ///
    /// # Errors
    /// [`Error::Config`] for the first that cannot be made. Then nothing has changed.
    pub fn apply(&self, adjustments: &[Adjustment]) -> Result<()> {
        self.check(adjustments)?;
        for adjustment in adjustments {
            self.make(*adjustment);
        }
        Ok(())
    }

    /// Checks that all these changes can be made, without making them.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn check(&self, adjustments: &[Adjustment]) -> Result<()> {
        for (at, adjustment) in adjustments.iter().enumerate() {
            self.check_one(adjustment)?;
            let excludes = |other: &Adjustment| {
                let both = [other.name(), adjustment.name()];
                both[0] == both[1] || both == ["pause", "resume"] || both == ["resume", "pause"]
            };
            let earlier = adjustments.iter().take(at);
            if let Some(other) = earlier.clone().find(|other| excludes(other)) {
                let message = format!(
                    "`{}` and `{}` are given at the same time, expected one of them",
                    other.name(),
                    adjustment.name()
                );
                return Err(Error::Config(Problem::new(message)));
            }
        }
        Ok(())
    }

    /// The statistics of the extractor, as [`Extractor::stats`](crate::Extractor::stats).
    pub fn stats(&self) -> Stats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is in force now.
    pub fn settings(&self) -> RunSettings {
        let share = self.steering.share();
        RunSettings {
            is_paused: share.is_paused(),
            is_stopping: self.steering.has_stopped(),
            concurrency: share.concurrency(),
            limits: share.admission().known_limits(),
            budget: share.admission().budget(),
            deadline: self.steering.deadline(self.deadline),
        }
    }

    fn check_one(&self, adjustment: &Adjustment) -> Result<()> {
        check_adjustment(adjustment)?;
        match adjustment {
            Adjustment::Budget(Some(_)) => {
                if let Some(problem) = &self.no_budget {
                    return Err(Error::Config(problem.clone()));
                }
                if !(self.is_bounded && self.stats().cost.ceiling().is_some()) {
                    let message = "the cost of some requests so far is unknown, so no budget can be kept";
                    return Err(Error::Config(Problem::new(message)));
                }
                Ok(())
            }
            Adjustment::RetryFailed => {
                if !self.steering.can_retry() {
                    let message =
                        "failed rows are retried only during a run over an input, which this one is not";
                    return Err(Error::Config(Problem::new(message)));
                }
                if self.journal.upgrade().is_some_and(|journal| journal.has_records()) {
                    return Ok(());
                }
                let message =
                    "failed rows can be retried during a run only with a journal that keeps records";
                Err(Error::Config(Problem::new(message)))
            }
            Adjustment::Pause
            | Adjustment::Resume
            | Adjustment::Concurrency(_)
            | Adjustment::Requests(_)
            | Adjustment::Tokens(_)
            | Adjustment::InputTokens(_)
            | Adjustment::OutputTokens(_)
            | Adjustment::Budget(None)
            | Adjustment::Deadline(_)
            | Adjustment::Stop => Ok(()),
        }
    }

    /// Makes a change that was checked.
    fn make(&self, adjustment: Adjustment) {
        let share = self.steering.share();
        let limit = |limit| share.admission().apply(limit);
        match adjustment {
            Adjustment::Pause => share.set_pause(Pause::On),
            Adjustment::Resume => share.set_pause(Pause::Off),
            Adjustment::Concurrency(slots) => share.set_concurrency(slots),
            Adjustment::Requests(amount) => limit(Limit::PerMinute(Dimension::Requests, amount)),
            Adjustment::Tokens(amount) => limit(Limit::PerMinute(Dimension::Tokens, amount)),
            Adjustment::InputTokens(amount) => limit(Limit::PerMinute(Dimension::InputTokens, amount)),
            Adjustment::OutputTokens(amount) => limit(Limit::PerMinute(Dimension::OutputTokens, amount)),
            Adjustment::Budget(budget) => limit(Limit::Budget(budget)),
            Adjustment::Deadline(deadline) => self.steering.give(Command::Deadline(deadline)),
            Adjustment::RetryFailed => self.steering.give(Command::RetryFailed),
            Adjustment::Stop => self.steering.give(Command::Stop),
        }
        if let Some(journal) = self.journal.upgrade() {
            journal.adjusted(adjustment);
        }
        self.observers.emit(0, EventKind::Adjusted(adjustment));
    }
}

impl fmt::Debug for RunControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunControl").field("settings", &self.settings()).finish_non_exhaustive()
    }
}
