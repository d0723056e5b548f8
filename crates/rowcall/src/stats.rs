//! Folds events into numbers: progress bar, summary and every report read these and count nothing themselves. Rows are
//! counted for this process; requests and tokens include those of the journal's earlier runs.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::adjustment::Adjustment;
use crate::event::{BatchStep, Event, EventKind, KnownFrom};
use crate::fault::FaultKind;
use crate::money::{Cost, Usd};
use crate::outcome::{FailureKind, Reason};
use crate::reasons::Reasons;
use crate::standing::Bound;
use crate::turn::Usage;

/// One hour in microseconds; longer latencies count as this.
const LONGEST_LATENCY: u64 = 3_600_000_000;

/// The most notes that are kept; a run makes few.
const MOST_NOTES: usize = 32;

/// The statistics so far.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Rows taken from the source.
    pub taken: u64,
    /// Rows that ended with a value.
    pub done: u64,
    /// Rows that ended without one, by kind.
    pub failed: BTreeMap<FailureKind, u64>,
    /// The same rows by reason.
    pub reasons: Reasons,
    /// Of the done and failed rows, those that were not asked about since their outcomes were known.
    pub known: u64,
    /// Of the known rows, those that share the outcome of an equal row of the same run.
    pub duplicates: u64,
    /// Of the known rows, those whose values come from the cache.
    pub cached: u64,
    /// Rows that failed and were asked about again in the same run; they count once, as they ended last.
    pub retried: u64,
    /// Whether the run is paused.
    pub is_paused: bool,
    /// Rows that were taken and then abandoned because the run was stopped.
    pub abandoned: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests not answered yet.
    pub in_flight: u64,
    /// Requests that had to wait for admission, by the limit they waited for last.
    pub waits: BTreeMap<Bound, u64>,
    /// How long requests were held back, by the limit that the next one sent had waited for last. These times do not overlap,
    /// however many requests wait at once, so their sum is at most the duration of the run.
    pub held_back: BTreeMap<Bound, Duration>,
    /// The limit that the latest request had to wait for, if any.
    pub waits_now: Option<Bound>,
    /// Batches sent by this run, or resumed from an earlier one.
    pub batches: u64,
    /// Of those, batches whose results are collected.
    pub batches_collected: u64,
    /// Rows in batches that are not collected yet.
    pub in_batches: u64,
    /// Re-asks: prompts after an invalid answer, or one that was cut or paused.
    pub reasks: u64,
    /// Requests that failed, by kind.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Tokens of all answers that reported them.
    pub usage: Usage,
    /// Requests that may have been billed but reported no usage.
    pub unmetered: u64,
    /// What all requests cost, as far as known.
    pub cost: Cost,
    /// The part of `cost`, at most, that was spent before the first row: by earlier runs and by probing the server.
    pub cost_before: Usd,
    /// Rows that earlier runs asked about without recording an outcome: those requests may have been billed for nothing.
    pub possibly_paid: u64,
    /// What the server rejected in requests and what is sent instead, and other warnings; each once, at most 32.
    pub notes: Vec<String>,
    latencies: Histogram<u64>,
    last_sent: Option<Instant>,
}

/// How many answered requests took how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies {
    /// For each bound, how many requests took at most that long, to about 1 %.
    pub within: Vec<u64>,
    /// How many there are.
    pub count: u64,
    /// How long they took together, in seconds.
    pub seconds: f64,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            taken: 0,
            done: 0,
            failed: BTreeMap::new(),
            reasons: Reasons::default(),
            known: 0,
            duplicates: 0,
            cached: 0,
            retried: 0,
            is_paused: false,
            abandoned: 0,
            requests: 0,
            in_flight: 0,
            waits: BTreeMap::new(),
            held_back: BTreeMap::new(),
            waits_now: None,
            batches: 0,
            batches_collected: 0,
            in_batches: 0,
            reasks: 0,
            faults: BTreeMap::new(),
            usage: Usage::default(),
            unmetered: 0,
            cost: Cost::default(),
            cost_before: Usd::ZERO,
            possibly_paid: 0,
            notes: Vec::new(),
            latencies: Histogram::new_with_bounds(1, LONGEST_LATENCY, 2)
                .unwrap_or_else(|_| unreachable!("the bounds are in order, and two digits are allowed")),
            last_sent: None,
        }
    }
}

impl Stats {
    /// Counts one more event.
    pub fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Resumed { totals } => {
                self.requests = self.requests.saturating_add(totals.requests);
                self.reasks = self.reasks.saturating_add(totals.reasks);
                self.usage += totals.usage;
                self.unmetered = self.unmetered.saturating_add(totals.unmetered);
                self.cost += totals.cost;
                self.cost_before += totals.cost.ceiling().unwrap_or(totals.cost.known);
                self.possibly_paid = self.possibly_paid.saturating_add(totals.possibly_paid);
            }
            EventKind::Probed { effort } => {
                self.requests = self.requests.saturating_add(u64::from(effort.attempts));
                self.usage += effort.usage;
                self.unmetered = self.unmetered.saturating_add(u64::from(effort.unmetered));
                self.cost += effort.cost;
                self.cost_before += effort.cost.ceiling().unwrap_or(effort.cost.known);
            }
            EventKind::Taken => self.taken += 1,
            EventKind::Known { failure, from } => {
                self.known += 1;
                self.duplicates += u64::from(*from == KnownFrom::EqualRow);
                self.cached += u64::from(*from == KnownFrom::Cache);
                self.end(event.row, failure.as_ref());
            }
            EventKind::Sent { attempt: _, prompt: _, waited_for, waited } => {
                self.requests += 1;
                self.in_flight += 1;
                let now = Instant::now();
                if let Some(bound) = waited_for {
                    *self.waits.entry(*bound).or_default() += 1;
                    // Time before the previous request was sent counts for that one.
                    let since = self.last_sent.map_or(*waited, |last| now.duration_since(last));
                    *self.held_back.entry(*bound).or_default() += since.min(*waited);
                }
                self.last_sent = Some(now);
                self.waits_now = *waited_for;
            }
            EventKind::Answered { attempt: _, latency, processing: _, result, cost } => {
                self.cost += *cost;
                self.in_flight = self.in_flight.saturating_sub(1);
                match result {
                    Ok(usage) => {
                        self.latencies.saturating_record(latency.as_micros().try_into().unwrap_or(u64::MAX));
                        match usage {
                            Some(usage) => self.usage += *usage,
                            None => self.unmetered += 1,
                        }
                    }
                    Err(fault) => {
                        *self.faults.entry(fault.kind).or_default() += 1;
                        self.unmetered += u64::from(fault.may_be_billed());
                    }
                }
            }
            EventKind::Collected { attempt: _, result, cost } => {
                self.requests += 1;
                self.cost += *cost;
                match result {
                    Ok(Some(usage)) => self.usage += *usage,
                    Ok(None) => self.unmetered += 1,
                    Err(fault) => {
                        *self.faults.entry(fault.kind).or_default() += 1;
                        self.unmetered += u64::from(fault.may_be_billed());
                    }
                }
            }
            EventKind::Batch(news) => match &news.step {
                BatchStep::Sent | BatchStep::Resumed => {
                    self.batches += 1;
                    self.in_batches += news.rows;
                }
                BatchStep::Collected { .. } => {
                    self.batches_collected += 1;
                    self.in_batches = self.in_batches.saturating_sub(news.rows);
                }
                BatchStep::Dropped { .. } => self.in_batches = self.in_batches.saturating_sub(news.rows),
                BatchStep::Runs { .. } | BatchStep::Ended { .. } => {}
            },
            EventKind::Waits(_) => {}
            EventKind::Adapted(note) | EventKind::Warned(note) => {
                if self.notes.len() < MOST_NOTES && !self.notes.contains(note) {
                    self.notes.push(note.clone());
                }
            }
            EventKind::Reasked { violations: _ } => self.reasks += 1,
            EventKind::Ended { failure, effort: _ } => self.end(event.row, failure.as_ref()),
            EventKind::Abandoned => self.abandoned += 1,
            EventKind::Retried { failure } => {
                // It is taken and ends a second time.
                self.taken = self.taken.saturating_sub(1);
                self.retried += 1;
                if let Some(rows) = self.failed.get_mut(&failure.kind) {
                    *rows -= 1;
                    self.failed.retain(|_, rows| *rows > 0);
                }
                self.reasons.remove(failure);
            }
            EventKind::Adjusted(adjustment) => match adjustment {
                Adjustment::Pause => self.is_paused = true,
                Adjustment::Resume => self.is_paused = false,
                Adjustment::Concurrency(_)
                | Adjustment::Requests(_)
                | Adjustment::Tokens(_)
                | Adjustment::InputTokens(_)
                | Adjustment::OutputTokens(_)
                | Adjustment::Budget(_)
                | Adjustment::Deadline(_)
                | Adjustment::RetryFailed
                | Adjustment::Stop => {}
            },
        }
    }

    fn end(&mut self, row: u64, failure: Option<&Reason>) {
        match failure {
            None => self.done += 1,
            Some(reason) => {
                *self.failed.entry(reason.kind).or_default() += 1;
                self.reasons.add(row, reason);
            }
        }
    }

    /// The latencies of the requests answered since an earlier state of these statistics, in microseconds to about 1 %, each with its count.
    pub(crate) fn latencies_since(&self, before: &Self) -> Vec<(u64, u64)> {
        let counts = self.latencies.iter_recorded().map(|at| {
            let latency = at.value_iterated_to();
            (latency, at.count_at_value().saturating_sub(before.latencies.count_at(latency)))
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Rows that ended without a value.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Rows that ended, with or without a value.
    pub fn ended(&self) -> u64 {
        self.done + self.failures()
    }

    /// The distribution of the latencies of answered requests, by ascending bounds in seconds.
    pub fn latencies(&self, bounds: &[f64]) -> Latencies {
        let up_to = |bound: &f64| self.latencies.count_between(0, (bound * 1e6) as u64);
        let count = self.latencies.len();
        Latencies {
            within: bounds.iter().map(up_to).collect(),
            count,
            seconds: if count == 0 { 0.0 } else { self.latencies.mean() * count as f64 / 1e6 },
        }
    }

    /// The latency that this share (0 to 1) of the answered requests did not exceed, accurate to about 1 %; `None` before
    /// the first answer.
    pub fn latency(&self, share: f64) -> Option<Duration> {
        (!self.latencies.is_empty()).then(|| Duration::from_micros(self.latencies.value_at_quantile(share)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fault::Fault;
    use crate::outcome::Effort;

    fn folded(kinds: impl IntoIterator<Item = EventKind>) -> Stats {
        let mut stats = Stats::default();
        for kind in kinds {
            stats.apply(&Event { row: 0, kind });
        }
        stats
    }

    fn sent(held: Option<(Bound, u64)>) -> EventKind {
        let (waited_for, seconds) = held.unzip();
        let waited = Duration::from_secs(seconds.unwrap_or_default());
        EventKind::Sent { attempt: 1, prompt: 1, waited_for, waited }
    }

    fn answered(ms: u64, result: Result<Option<Usage>, Arc<Fault>>) -> EventKind {
        let cost = if result.is_ok() { Cost::known(Usd::from_picodollars(7)) } else { Cost::UNKNOWN };
        EventKind::Answered { attempt: 1, latency: Duration::from_millis(ms), processing: None, result, cost }
    }

    #[test]
    fn a_row_with_a_fault_and_a_reask_is_counted_once_as_done() {
        let usage = Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() };
        let timeout = Arc::new(Fault::new(FaultKind::Timeout, "too slow"));
        let stats = folded([
            EventKind::Taken,
            sent(None),
            answered(600_000, Err(timeout)),
            sent(None),
            answered(20, Ok(Some(usage))),
            EventKind::Reasked { violations: 2 },
            sent(None),
            answered(40, Ok(Some(usage))),
            EventKind::Ended { failure: None, effort: Effort::default() },
        ]);
        assert_eq!((stats.taken, stats.done, stats.requests, stats.in_flight, stats.reasks), (1, 1, 3, 0, 1));
        assert_eq!((stats.usage.input_tokens, stats.usage.output_tokens, stats.unmetered), (20, 10, 1));
        assert_eq!(stats.faults[&FaultKind::Timeout], 1);
        assert_eq!(stats.cost, Cost { known: Usd::from_picodollars(14), ..Cost::UNKNOWN });
        let median = stats.latency(0.5).expect("there are answers").as_secs_f64();
        assert!((median - 0.020).abs() < 0.0005, "{median}");
    }

    #[test]
    fn a_change_of_the_request_is_noted_once() {
        let change = "`temperature` is not sent any more";
        let stats = folded([EventKind::Adapted(change.to_owned()), EventKind::Adapted(change.to_owned())]);
        assert_eq!(stats.notes, [change]);
    }

    #[test]
    fn known_rows_are_counted_by_origin() {
        let known = |from| EventKind::Known { failure: None, from };
        let stats =
            folded([KnownFrom::Journal, KnownFrom::EqualRow, KnownFrom::Cache, KnownFrom::Cache].map(known));
        assert_eq!((stats.known, stats.duplicates, stats.cached), (4, 1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn overlapping_waits_are_counted_once() {
        let (mut stats, start) = (Stats::default(), Instant::now());
        // Three have waited since the start, and one was not held back.
        for (second, held) in [
            (2, Some((Bound::Refusals, 2))),
            (3, Some((Bound::Concurrency, 3))),
            (3, Some((Bound::Concurrency, 3))),
            (9, None),
            (10, Some((Bound::Concurrency, 0))),
        ] {
            tokio::time::sleep_until(start + Duration::from_secs(second)).await;
            stats.apply(&Event { row: 0, kind: sent(held) });
        }
        let held = BTreeMap::from([
            (Bound::Refusals, Duration::from_secs(2)),
            (Bound::Concurrency, Duration::from_secs(1)),
        ]);
        assert_eq!(stats.held_back, held);
    }

    #[test]
    fn there_is_no_latency_before_the_first_answer() {
        assert_eq!(Stats::default().latency(0.5), None);
    }
}
