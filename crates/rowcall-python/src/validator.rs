//! The threads of Python's that validate, and how they take turns: one at a time does, and when one value keeps it for long,
//! another goes on with the values of other calls. What validating is, is `validation.rs`.

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

/// How long the interpreter's lock is held at a time, at most, if single values do not take longer.
const TURN: Duration = Duration::from_millis(1);

/// How long one value may keep a thread before another goes on with the values of other calls: longer than any validation takes
/// that only computes, short beside a request.
const STUCK: Duration = Duration::from_millis(20);

/// Threads that may be stuck before calls have to wait for them, but for those that a stuck one may wait for.
const MOST_STUCK: usize = 16;

/// Where values wait for the threads that validate.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Validator(Arc<Queue>);

impl Validator {
    /// The end that values are pushed into.
    pub(crate) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.0)
    }
}

/// What waits, and who is busy with it.
#[derive(Default)]
pub(crate) struct Queue {
    jobs: Mutex<Jobs>,
    more: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// What was found, before whoever waits for it is told.
    done: Vec<Answer>,
    busy: Vec<Busy>,
    closed: bool,
    /// Threads that there are, or are about to be.
    threads: usize,
    /// Of these, those that have nothing to do.
    idle: usize,
    /// Whether one of the idle looks after those that are busy.
    is_watched: bool,
}

type Answer = (oneshot::Sender<Verdict>, Verdict);

/// A value, and who waits for what comes of it.
pub(crate) struct Job {
    pub(crate) call: Arc<Rule>,
    pub(crate) json: Vec<u8>,
    /// The row, if it is shown to whoever validates.
    pub(crate) row: Option<Box<Shown>>,
    pub(crate) reply: oneshot::Sender<Verdict>,
}

/// What the values of one call must satisfy. They are validated one at a time.
pub(crate) struct Rule {
    rules: Py<Rules>,
    keep: Keep,
    began: Instant,
}

impl Rule {
    /// Of a call that begins now.
    pub(crate) fn new(rules: Py<Rules>, keep: Keep) -> Self {
        Self { rules, keep, began: Instant::now() }
    }
}

/// A thread in the middle of a value.
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

/// What a thread gets to do.
struct Claim {
    job: Job,
    /// Whether no thread is left that could take over.
    is_last: bool,
}

#[pymethods]
impl Validator {
    #[new]
    fn new() -> Self {
        let jobs = Jobs { threads: 1, ..Jobs::default() };
        Self(Arc::new(Queue { jobs: Mutex::new(jobs), more: Condvar::new() }))
    }

    /// Validates what comes until it is closed: the work of a thread. `begin` starts another such thread.
    fn serve(&self, py: Python<'_>, begin: &Bound<'_, PyAny>) {
        let mut is_turn_over = false;
        loop {
            let claim = py.detach(|| {
                self.0.tell();
                if is_turn_over {
                    runtime::pause();
                }
                self.0.claim()
            });
            let Some(Claim { mut job, is_last }) = claim else { return };
            if is_last && begin.call0().is_err() {
                // No thread can be had, as when the interpreter is about to end. The next claim tries again.
                self.0.jobs().threads -= 1;
            }
            let turn = Instant::now();
            loop {
                let Job { call, json, row, reply } = job;
                let answer = (!reply.is_closed())
                    .then(|| (reply, call.rules.get().apply(py, &json, row.as_deref(), call.keep)));
                is_turn_over = turn.elapsed() > TURN;
                match self.0.go_on(answer, is_turn_over) {
                    Some(next) => job = next,
                    None => break,
                }
            }
        }
    }

    /// Lets its threads end. What waits is dropped.
    fn close(&self) {
        let mut jobs = self.0.jobs();
        jobs.closed = true;
        let waiting = std::mem::take(&mut jobs.waiting);
        drop(jobs);
        // Without the lock: what is let go of here may be the user's, and so may what that does.
        drop(waiting);
        self.0.more.notify_all();
    }
}

impl Jobs {
    /// How long until all that are busy are stuck.
    fn patience(&self) -> Duration {
        self.busy.iter().map(Busy::patience).max().unwrap_or_default()
    }

    /// The first that may be validated now: the values of a call come one at a time, and once many threads are stuck, only
    /// calls are let in that those may be waiting for, which are those that began later.
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

    /// Tells what was found. It is done while the interpreter's lock is free.
    fn tell(&self) {
        let done = std::mem::take(&mut self.jobs().done);
        for (reply, verdict) in done {
            // Nobody waits any more for a row that was given up.
            let _ = reply.send(verdict);
        }
    }

    /// Waits for this thread's turn; `None` if there is none for it any more.
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
                    // Found by a thread that is stuck in its next value.
                    drop(jobs);
                    self.tell();
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

    /// Keeps what this thread has found; gives it the next job, unless its turn is over.
    fn go_on(&self, answer: Option<Answer>, is_turn_over: bool) -> Option<Job> {
        let here = std::thread::current().id();
        let mut jobs = self.jobs();
        jobs.done.extend(answer);
        jobs.busy.retain(|busy| busy.thread != here);
        if is_turn_over || jobs.closed { None } else { jobs.next() }
    }

    /// If this thread is in the middle of a value, then it is about to wait for another call.
    pub(crate) fn waits_here(&self) {
        let here = std::thread::current().id();
        for busy in self.jobs().busy.iter_mut().filter(|busy| busy.thread == here) {
            busy.waits = true;
        }
    }
}
