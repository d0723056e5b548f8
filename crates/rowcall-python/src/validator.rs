//! The Python threads that validate, and how they take turns: one works at a time, and when one value occupies it for
//! long, another continues with the values of other calls. `validation.rs` does the validating.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use pyo3::prelude::*;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::rows::Shown;
use crate::runtime;
use crate::validation::{Keep, Rules, Verdict};

/// The longest that the interpreter's lock is held at a time, unless a single value takes longer.
const TURN: Duration = Duration::from_millis(1);

/// How long one value may occupy a thread before another continues with the values of other calls: longer than any
/// validation that only computes, short compared with a request.
const STUCK: Duration = Duration::from_millis(20);

/// Threads that may be stuck before calls have to wait for them, apart from those that a stuck thread may be waiting
/// for.
const MOST_STUCK: usize = 16;

/// The queue of values for the threads that validate.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Validator(Arc<Queue>);

impl Validator {
    /// The end of the queue that values are pushed into.
    pub(crate) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.0)
    }
}

/// The waiting values, and the busy threads.
#[derive(Default)]
pub(crate) struct Queue {
    jobs: Mutex<Jobs>,
    more: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// Verdicts that were not sent to their callers yet.
    done: Vec<Answer>,
    busy: Vec<Busy>,
    closed: bool,
    /// Threads that exist or are about to.
    threads: usize,
    /// Of these, the idle ones.
    idle: usize,
    /// Whether an idle thread is watching the busy ones.
    is_watched: bool,
}

type Answer = (oneshot::Sender<Verdict>, Verdict);

/// A value, and the channel for its verdict.
pub(crate) struct Job {
    pub(crate) call: Arc<Rule>,
    pub(crate) json: Vec<u8>,
    /// The row, if validation uses it.
    pub(crate) row: Option<Box<Shown>>,
    pub(crate) reply: oneshot::Sender<Verdict>,
}

/// The rules for the values of one call, which are validated one at a time.
pub(crate) struct Rule {
    rules: Py<Rules>,
    keep: Keep,
    began: Instant,
}

impl Rule {
    /// The rule of a call that starts now.
    pub(crate) fn new(rules: Py<Rules>, keep: Keep) -> Self {
        Self { rules, keep, began: Instant::now() }
    }
}

/// A thread that is validating a value.
struct Busy {
    thread: ThreadId,
    call: Arc<Rule>,
    since: Instant,
    /// Whether it is known to wait for another call.
    waits: bool,
}

impl Busy {
    /// How long until it counts as stuck.
    fn patience(&self) -> Duration {
        if self.waits { Duration::ZERO } else { STUCK.saturating_sub(self.since.elapsed()) }
    }
}

/// The next job of a thread.
struct Claim {
    job: Job,
    /// Whether no thread is left to take over.
    is_last: bool,
}

#[pymethods]
impl Validator {
    #[new]
    fn new() -> Self {
        let jobs = Jobs { threads: 1, ..Jobs::default() };
        Self(Arc::new(Queue { jobs: Mutex::new(jobs), more: Condvar::new() }))
    }

    /// Validates values until the queue is closed: the work of a thread. `begin` starts another such thread.
    fn serve(&self, py: Python<'_>, begin: &Bound<'_, PyAny>) {
        let mut is_turn_over = false;
        loop {
            let claim = py.detach(|| {
                self.0.send();
                if is_turn_over {
                    runtime::pause();
                }
                self.0.claim()
            });
            let Some(Claim { mut job, is_last }) = claim else { return };
            if is_last && begin.call0().is_err() {
                // No thread could be started, as when the interpreter is about to end. The next claim tries again.
                self.0.jobs().threads -= 1;
            }
            let turn = Instant::now();
            loop {
                let Job { call, json, row, reply } = job;
                let answer = (!reply.is_closed())
                    .then(|| (reply, call.rules.get().apply(py, &json, row.as_deref(), call.keep)));
                is_turn_over = turn.elapsed() > TURN;
                match self.0.next_after(answer, is_turn_over) {
                    Some(next) => job = next,
                    None => break,
                }
            }
        }
    }

    /// Lets its threads end. Waiting values are dropped.
    fn close(&self) {
        let mut jobs = self.0.jobs();
        jobs.closed = true;
        let waiting = std::mem::take(&mut jobs.waiting);
        drop(jobs);
        // Without the lock: dropping runs the user's code, which may do anything.
        drop(waiting);
        self.0.more.notify_all();
    }
}

impl Jobs {
    /// How long until all busy threads are stuck.
    fn patience(&self) -> Duration {
        self.busy.iter().map(Busy::patience).max().unwrap_or_default()
    }

    /// The first value that may be validated now. The values of a call are validated one at a time. Once many threads
    /// are stuck, only calls that they may be waiting for are admitted, which are those that began later.
    fn next(&mut self) -> Option<Job> {
        let first = self.busy.iter().map(|busy| busy.since).min();
        let is_full = self.busy.len() >= MOST_STUCK;
        let at = self.waiting.iter().position(|job| {
            let is_free = !self.busy.iter().any(|busy| Arc::ptr_eq(&busy.call, &job.call));
            is_free && (!is_full || first.is_some_and(|first| job.call.began >= first))
        })?;
        let job = self.waiting.remove(at)?;
        let (thread, call) = (std::thread::current().id(), Arc::clone(&job.call));
        self.busy.push(Busy { thread, call, since: Instant::now(), waits: false });
        Some(job)
    }
}

impl Queue {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds values to validate.
    pub(crate) fn push(&self, new: impl IntoIterator<Item = Job>) {
        let mut jobs = self.jobs();
        if jobs.closed {
            return;
        }
        jobs.waiting.extend(new);
        let is_for_others = jobs.patience().is_zero();
        drop(jobs);
        if is_for_others {
            self.more.notify_one();
        }
    }

    /// Sends the verdicts. Called while the interpreter's lock is released.
    fn send(&self) {
        let done = std::mem::take(&mut self.jobs().done);
        for (reply, verdict) in done {
            // A cancelled row has no receiver any more.
            let _ = reply.send(verdict);
        }
    }

    /// Waits for this thread's turn; `None` if the thread is no longer needed.
    fn claim(&self) -> Option<Claim> {
        let mut jobs = self.jobs();
        loop {
            if jobs.closed {
                jobs.threads -= 1;
                return None;
            }
            let patience = jobs.patience();
            if patience.is_zero() {
                if let Some(job) = jobs.next() {
                    let is_last = jobs.busy.len() >= jobs.threads;
                    jobs.threads += usize::from(is_last);
                    let is_unwatched = !jobs.is_watched && jobs.idle > 0;
                    drop(jobs);
                    if is_unwatched {
                        self.more.notify_one();
                    }
                    return Some(Claim { job, is_last });
                }
                if !jobs.done.is_empty() {
                    // From a thread that is stuck in its next value.
                    drop(jobs);
                    self.send();
                    jobs = self.jobs();
                    continue;
                }
            }
            let has_nothing = patience.is_zero() || jobs.is_watched;
            if has_nothing && jobs.idle >= MOST_STUCK {
                jobs.threads -= 1;
                return None;
            }
            jobs.idle += 1;
            jobs = if has_nothing {
                self.more.wait(jobs).unwrap_or_else(PoisonError::into_inner)
            } else {
                jobs.is_watched = true;
                let waited = self.more.wait_timeout(jobs, patience);
                let mut jobs = waited.unwrap_or_else(PoisonError::into_inner).0;
                jobs.is_watched = false;
                jobs
            };
            jobs.idle -= 1;
        }
    }

    /// Keeps this thread's verdict; returns the next job, unless its turn is over.
    fn next_after(&self, answer: Option<Answer>, is_turn_over: bool) -> Option<Job> {
        let here = std::thread::current().id();
        let mut jobs = self.jobs();
        jobs.done.extend(answer);
        jobs.busy.retain(|busy| busy.thread != here);
        if is_turn_over || jobs.closed { None } else { jobs.next() }
    }

    /// If this thread is validating a value, marks it as about to wait for another call.
    pub(crate) fn waits_here(&self) {
        let here = std::thread::current().id();
        for busy in self.jobs().busy.iter_mut().filter(|busy| busy.thread == here) {
            busy.waits = true;
        }
    }
}
