//! The progress of an extractor's calls: rows in total, done and failed, the remaining time, and the latest failures.
//! Each call counts its own rows. `stats.rs` has the costs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rowcall::{Failure, Outcome, Row};
use rowcall_data::Gauge;
use serde_json::{Value, json};
use tokio::time::Instant;

/// The most failed rows kept for inspection; the latest stay.
const MOST_FAILURES: usize = 1000;

/// Bytes of a failed row's answer that are kept.
const MOST_OF_ANSWER: usize = 4096;

/// How many rows a call has.
#[derive(Debug, Clone)]
pub(crate) enum InAll {
    Unknown,
    Rows(u64),
    /// As many as the file has, but at most the second number.
    File(Gauge, Option<u64>),
}

/// The progress of one call.
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
    /// How many calls have neither ended nor been cancelled.
    running: AtomicUsize,
    failures: Mutex<VecDeque<Failed>>,
}

/// A failed row.
#[derive(Debug)]
struct Failed {
    index: u64,
    kind: &'static str,
    message: String,
    field: Option<String>,
    answer: Option<String>,
}

impl Calls {
    /// Starts counting a call over many rows.
    pub(crate) fn begin(self: &Arc<Self>, in_all: InAll) -> Arc<Progress> {
        let progress = self.begin_one(in_all);
        let mut under_way = self.under_way();
        under_way.retain(|call| call.upgrade().is_some_and(|call| !call.is_over()));
        under_way.push(Arc::downgrade(&progress));
        progress
    }

    /// Starts counting a call for which no remaining time is shown, such as one about a single row.
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

    /// Whether a call is running, that is, neither ended nor cancelled.
    pub(crate) fn are_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// How many rows the running calls have left, and how long the slowest will take at its rate so far. `None` if no
    /// call is running, if one does not know its number of rows, or before its first row is done.
    pub(crate) fn left(&self) -> Option<(u64, Duration)> {
        let calls: Vec<_> = self.under_way().iter().filter_map(Weak::upgrade).collect();
        let left: Option<Vec<_>> =
            calls.iter().filter(|call| !call.is_over()).map(|call| call.left()).collect();
        left?.into_iter().reduce(|(rows, time), (more, longer)| (rows + more, time.max(longer)))
    }

    /// The latest failed rows, the last one latest.
    pub(crate) fn failures(&self) -> Value {
        let item =
            |failed: &Failed| json!([failed.index, failed.kind, failed.message, failed.field, failed.answer]);
        self.kept().iter().map(item).collect()
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

    /// How many rows there are, if known yet.
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

    /// The call has ended or was cancelled.
    pub(crate) fn end(&self) {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            self.calls.running.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
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
