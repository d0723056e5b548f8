//! A journal's runs over time. Idle time is left out: the curves cover the time in which a run did something.

use std::collections::BTreeMap;

use rowcall::journal::Adjusted;
use rowcall::{Activity, Interval, Usd};
use serde::Serialize;
use serde_json::Value;

use super::{dollars, time};

/// What runs did, interval by interval.
#[derive(Debug, Serialize)]
pub(crate) struct Curves {
    pub(crate) intervals: Vec<Point>,
    /// What the user changed while runs were under way.
    pub(crate) adjustments: Vec<Adjustment>,
    /// What held requests back, and for how many milliseconds in total.
    pub(crate) held_ms: BTreeMap<String, u64>,
}

/// A change during a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Adjustment {
    /// In UTC.
    pub(crate) at: String,
    /// When, in milliseconds of active time.
    pub(crate) after_ms: u64,
    pub(crate) name: String,
    /// The change in words.
    pub(crate) change: String,
}

/// What a run did in one interval.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Point {
    /// Which run it belongs to, counted from 1.
    pub(crate) run: usize,
    /// In UTC.
    pub(crate) started_at: String,
    /// Its start, in milliseconds of active time.
    pub(crate) after_ms: u64,
    pub(crate) lasted_ms: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// Of both, rows that needed no request.
    pub(crate) known: u64,
    pub(crate) rows_per_second: f64,
    pub(crate) requests: u64,
    /// Requests in flight at its end.
    pub(crate) in_flight: u64,
    /// The concurrency limit at its end.
    pub(crate) concurrency: u64,
    pub(crate) reasks: u64,
    /// The limits known at its end, by name.
    pub(crate) limits: BTreeMap<String, u64>,
    /// Requests that failed, by kind.
    pub(crate) faults: BTreeMap<String, u64>,
    /// For how long requests were held back, by what.
    pub(crate) held_ms: BTreeMap<String, u64>,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// The known part; null if nothing of the journal's cost is known.
    pub(crate) cost_usd: Value,
    /// The latency quantile of answered requests, to about 10 %.
    pub(crate) latency_p50_ms: Option<f64>,
    pub(crate) latency_p95_ms: Option<f64>,
}

impl Curves {
    pub(crate) fn of(intervals: &[Interval], adjusted: &[Adjusted]) -> Self {
        let adjustments = adjusted.iter().map(|adjusted| Adjustment {
            at: time::utc(adjusted.at_ms),
            after_ms: active_by(intervals, adjusted.at_ms),
            name: adjusted.name.clone(),
            change: adjusted.change.clone(),
        });
        let mut curves = Self {
            intervals: Vec::with_capacity(intervals.len()),
            adjustments: adjustments.collect(),
            held_ms: BTreeMap::new(),
        };
        let (mut run, mut before) = (0, None);
        let mut after_ms = 0;
        for interval in intervals {
            run += usize::from(before != Some(interval.run_ms));
            before = Some(interval.run_ms);
            curves.intervals.push(Point::of(interval, run, after_ms));
            after_ms += interval.lasted_ms;
            for (bound, held) in &interval.activity.held_ms {
                *curves.held_ms.entry(bound.clone()).or_default() += held;
            }
        }
        curves
    }

    /// Makes the cost of each interval unknown: intervals only record what is known.
    pub(crate) fn forget_cost(&mut self) {
        for point in &mut self.intervals {
            point.cost_usd = Value::Null;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// The active time of all runs.
    pub(crate) fn active_ms(&self) -> u64 {
        self.intervals.last().map_or(0, |last| last.after_ms + last.lasted_ms)
    }
}

/// The active time by this time.
fn active_by(intervals: &[Interval], at_ms: i64) -> u64 {
    let of = |interval: &Interval| {
        let since = u64::try_from(at_ms.saturating_sub(interval.started_ms)).unwrap_or_default();
        since.min(interval.lasted_ms)
    };
    intervals.iter().map(of).sum()
}

impl Point {
    fn of(interval: &Interval, run: usize, after_ms: u64) -> Self {
        let Interval { run_ms: _, started_ms, lasted_ms, activity } = interval;
        let Activity { done, failed, known, requests, in_flight, concurrency, reasks, .. } = *activity;
        let ended = (done + failed) as f64;
        Self {
            run,
            started_at: time::utc(*started_ms),
            after_ms,
            lasted_ms: *lasted_ms,
            done,
            failed,
            known,
            rows_per_second: ended * 1_000.0 / (*lasted_ms).max(1) as f64,
            requests,
            in_flight,
            concurrency,
            reasks,
            limits: activity.limits.clone(),
            faults: activity.faults.clone(),
            held_ms: activity.held_ms.clone(),
            input_tokens: activity.input_tokens,
            output_tokens: activity.output_tokens,
            cost_usd: dollars(Usd::from_picodollars(activity.cost_picousd)),
            latency_p50_ms: activity.latency_ms(0.5),
            latency_p95_ms: activity.latency_ms(0.95),
        }
    }
}
