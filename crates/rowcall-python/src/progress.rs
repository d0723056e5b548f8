//! How far the calls of an extractor have come: rows in all, done and failed, the time that is left, and the last rows that
//! failed. Each call counts its own rows. What they cost is told by `stats.rs`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rowcall::{Failure, Outcome, Row};
use rowcall_data::Gauge;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Failed rows that are kept to be looked at; of more, the last ones.
const MOST_FAILURES: usize = 1000;

/// Bytes of an answer that are kept of a failed row.
const MOST_OF_ANSWER: usize = 4096;

/// How many rows a call has.
#[derive(Debug, Clone)]
pub(crate) enum InAll {
    Unknown,
    Rows(u64),
    /// As many as a file has, but no more than the second.
    File(Gauge, Option<u64>),
}

/// How far one call has come.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    in_all: InAll,
    done: AtomicU64,
    failed: AtomicU64,
    is_over: AtomicBool,
    calls: Arc<Calls>,
}

/// The calls of one extractor.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    under_way: Mutex<Vec<Weak<Progress>>>,
    /// How many have not ended and were not cancelled.
    running: AtomicUsize,
    failures: Mutex<VecDeque<Failed>>,
}

/// A row that failed.
#[derive(Debug)]
struct Failed {
    index: u64,
    kind: &'static str,
    message: String,
    field: Option<String>,
    answer: Option<String>,
}

impl Calls {
    /// A call over many rows begins.
    pub(crate) fn begin(self: &Arc<Self>, in_all: InAll) -> Arc<Progress> {
        let progress = self.begin_one(in_all);
        let mut under_way = self.under_way();
        under_way.retain(|call| call.upgrade().is_some_and(|call| !call.is_over()));
        under_way.push(Arc::downgrade(&progress));
        progress
    }

    /// A call begins whose end nobody waits for with a clock, such as one about a single row.
    pub(crate) fn begin_one(self: &Arc<Self>, in_all: InAll) -> Arc<Progress> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Arc::new(Progress {
            began: Instant::now(),
            in_all,
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            calls: Arc::clone(self),
        })
    }

    /// Whether any call has not ended and was not cancelled.
    pub(crate) fn are_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// How many rows of the calls under way are left, and how long the slowest will take at its rate so far. `None` if no call is under
    /// way, if one does not know how many rows it has, or before its first row is done.
    pub(crate) fn left(&self) -> Option<(u64, Duration)> {
        let calls: Vec<_> = self.under_way().iter().filter_map(Weak::upgrade).collect();
        let left: Option<Vec<_>> =
            calls.iter().filter(|call| !call.is_over()).map(|call| call.left()).collect();
        left?.into_iter().reduce(|(rows, time), (more, longer)| (rows + more, time.max(longer)))
    }

    /// The last rows that failed, the latest last.
    pub(crate) fn failures(&self) -> Value {
        let told =
            |failed: &Failed| json!([failed.index, failed.kind, failed.message, failed.field, failed.answer]);
        self.kept().iter().map(told).collect()
    }

    fn keep(&self, index: u64, failure: &Failure) {
        let mut kept = self.kept();
        if kept.len() >= MOST_FAILURES {
            kept.pop_front();
        }
        kept.push_back(Failed {
            index,
            kind: failure.kind.name(),
            message: failure.message.clone(),
            field: failure.violations.first().map(|violation| violation.path.clone()),
            answer: failure.completion.as_ref().and_then(|completion| completion.text()).map(beginning),
        });
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Weak<Progress>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Failed>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    /// Counts rows that have ended.
    pub(crate) fn count(&self, done: &[(Row, Outcome)]) {
        for (_, outcome) in done {
            self.count_one(outcome.index, outcome.result.as_ref().err().map(AsRef::as_ref));
        }
    }

    /// Counts a row that has ended, with or without a failure.
    pub(crate) fn count_one(&self, index: u64, failure: Option<&Failure>) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if let Some(failure) = failure {
            self.failed.fetch_add(1, Ordering::Relaxed);
            self.calls.keep(index, failure);
        }
    }

    /// Rows that have ended, and of these, those that failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// How many rows there are, as far as that is known by now.
    pub(crate) fn in_all(&self) -> Option<u64> {
        match &self.in_all {
            InAll::Unknown => None,
            InAll::Rows(rows) => Some(*rows),
            InAll::File(gauge, None) => Some(gauge.rows_in_all()?.number()),
            InAll::File(gauge, Some(most)) => {
                Some(gauge.rows_in_all()?.at_most(*most, self.counts().0).number())
            }
        }
    }

    /// The call has ended, or nobody waits for its end any more.
    pub(crate) fn end(&self) {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            self.calls.running.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn left(&self) -> Option<(u64, Duration)> {
        let (done, in_all) = (self.counts().0, self.in_all()?);
        let left = in_all.saturating_sub(done);
        let per_row = (done > 0).then(|| self.began.elapsed().as_secs_f64() / done as f64)?;
        Some((left, Duration::try_from_secs_f64(per_row * left as f64).ok()?))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends a call's progress when its work is dropped.
pub(crate) struct UnderWay(pub(crate) Arc<Progress>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at >= MOST_OF_ANSWER) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}
