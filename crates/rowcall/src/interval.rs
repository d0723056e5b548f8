//! What happened in one interval of a run: the difference of two states of the statistics. A run's intervals are the curves of a report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stats::Stats;

/// The resolution of latencies: the number of classes from a latency to its double.
const STEPS_PER_OCTAVE: f64 = 4.0;

/// What happened in one interval of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interval {
    /// When its run started, in milliseconds since 1970; the same in all intervals of a run.
    pub run_ms: i64,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// Its length in milliseconds.
    pub lasted_ms: u64,
    /// What happened.
    pub activity: Activity,
}

/// What a run did in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Rows that ended with a value.
    #[serde(skip_serializing_if = "is_zero")]
    pub done: u64,
    /// Rows that ended without one.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Of both, the rows that were known without a request.
    #[serde(skip_serializing_if = "is_zero")]
    pub known: u64,
    /// Requests sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Requests in flight at its end.
    #[serde(skip_serializing_if = "is_zero")]
    pub in_flight: u64,
    /// The concurrency limit at its end.
    #[serde(skip_serializing_if = "is_zero")]
    pub concurrency: u64,
    /// The limits known at its end: amounts per minute or day, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
    /// Prompts that asked again.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasks: u64,
    /// Requests that failed, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// For how many milliseconds requests waited, by what they waited for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub held_ms: BTreeMap<String, u64>,
    /// Tokens of prompts.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// Tokens of answers.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// What requests cost, as far as that is known, in picodollars.
    #[serde(skip_serializing_if = "is_zero")]
    pub cost_picousd: u64,
    /// The number of answers per latency class, see [`Activity::latency_ms`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub latencies: BTreeMap<u8, u64>,
}

impl Activity {
    /// What happened between two states of the statistics; `concurrency` is the limit in force.
    pub(crate) fn between(before: &Stats, now: &Stats, concurrency: usize) -> Self {
        let mut latencies = BTreeMap::new();
        for (microseconds, count) in now.latencies_since(before) {
            *latencies.entry(class(microseconds)).or_default() += count;
        }
        let faults = now.faults.iter().map(|(kind, count)| {
            (kind.name().to_owned(), count - before.faults.get(kind).copied().unwrap_or_default())
        });
        let held = now.held_back.iter().map(|(bound, held)| {
            let held = held.saturating_sub(before.held_back.get(bound).copied().unwrap_or_default());
            (bound.to_string(), u64::try_from(held.as_millis()).unwrap_or(u64::MAX))
        });
        let cost = |stats: &Stats| stats.cost.known.picodollars();
        Self {
            done: now.done.saturating_sub(before.done),
            failed: now.failures().saturating_sub(before.failures()),
            known: now.known.saturating_sub(before.known),
            requests: now.requests.saturating_sub(before.requests),
            in_flight: now.in_flight,
            concurrency: concurrency as u64,
            limits: BTreeMap::new(),
            reasks: now.reasks.saturating_sub(before.reasks),
            faults: faults.filter(|(_, count)| *count > 0).collect(),
            held_ms: held.filter(|(_, held)| *held > 0).collect(),
            input_tokens: now.usage.input_tokens.saturating_sub(before.usage.input_tokens),
            output_tokens: now.usage.output_tokens.saturating_sub(before.usage.output_tokens),
            cost_picousd: cost(now).saturating_sub(cost(before)),
            latencies,
        }
    }

    /// Whether nothing happened.
    pub(crate) fn is_idle(&self) -> bool {
        let unchanged = Self {
            in_flight: self.in_flight,
            concurrency: self.concurrency,
            limits: self.limits.clone(),
            ..Self::default()
        };
        *self == unchanged
    }

    /// Adds what happened next.
    pub fn extend(&mut self, next: &Self) {
        self.done += next.done;
        self.failed += next.failed;
        self.known += next.known;
        self.requests += next.requests;
        self.in_flight = next.in_flight;
        self.concurrency = next.concurrency;
        self.limits.clone_from(&next.limits);
        self.reasks += next.reasks;
        for (sum, added) in [(&mut self.faults, &next.faults), (&mut self.held_ms, &next.held_ms)] {
            for (name, count) in added {
                *sum.entry(name.clone()).or_default() += count;
            }
        }
        self.input_tokens += next.input_tokens;
        self.output_tokens += next.output_tokens;
        self.cost_picousd = self.cost_picousd.saturating_add(next.cost_picousd);
        for (class, count) in &next.latencies {
            *self.latencies.entry(*class).or_default() += count;
        }
    }

    /// The latency quantile in milliseconds, to about 10 %; `None` without answers.
    pub fn latency_ms(&self, share: f64) -> Option<f64> {
        let all: u64 = self.latencies.values().sum();
        let mut left = ((all as f64 * share).ceil() as u64).max(1);
        for (class, count) in &self.latencies {
            if left <= *count {
                // The middle of the class.
                return Some(((f64::from(*class) + 0.5) / STEPS_PER_OCTAVE).exp2() / 1_000.0);
            }
            left -= count;
        }
        None
    }
}

fn class(microseconds: u64) -> u8 {
    ((microseconds.max(1) as f64).log2() * STEPS_PER_OCTAVE).floor() as u8
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::event::{Event, EventKind};
    use crate::fault::{Fault, FaultKind};
    use crate::money::{Cost, Usd};
    use crate::outcome::Effort;
    use crate::turn::Usage;

    fn answered(stats: &mut Stats, ms: u64, fault: Option<FaultKind>) {
        let usage = Usage { input_tokens: 10, output_tokens: 3, ..Usage::default() };
        let result = fault.map_or(Ok(Some(usage)), |kind| Err(Arc::new(Fault::new(kind, "no"))));
        let cost = Cost::known(Usd::from_picodollars(7));
        let latency = Duration::from_millis(ms);
        let kinds = [
            EventKind::Sent { attempt: 1, prompt: 1, waited_for: None, waited: Duration::ZERO },
            EventKind::Answered { attempt: 1, latency, processing: None, result, cost },
        ];
        for kind in kinds {
            stats.apply(&Event { row: 0, kind });
        }
    }

    #[test]
    fn adjacent_intervals_add_up() {
        let mut stats = Stats::default();
        let start = stats.clone();
        answered(&mut stats, 100, None);
        answered(&mut stats, 400, Some(FaultKind::Server));
        let middle = stats.clone();
        answered(&mut stats, 1_600, None);
        stats.apply(&Event { row: 0, kind: EventKind::Ended { failure: None, effort: Effort::default() } });
        let mut first = Activity::between(&start, &middle, 4);
        let whole = Activity::between(&start, &stats, 8);
        assert_ne!(first, whole);
        first.extend(&Activity::between(&middle, &stats, 8));
        assert_eq!(first, whole);
        assert_eq!((whole.done, whole.requests, whole.input_tokens, whole.cost_picousd), (1, 3, 20, 21));
        assert_eq!(whole.faults["server"], 1);
        let text = serde_json::to_string(&whole).expect("JSON");
        assert_eq!(serde_json::from_str::<Activity>(&text).expect("the same"), whole);
        for (share, expected) in [(0.5, 100.0), (0.95, 1_600.0)] {
            let latency = whole.latency_ms(share).expect("answers");
            assert!((latency / expected - 1.0).abs() < 0.12, "{latency} for {expected}");
        }
        assert!(Activity::between(&stats, &stats, 8).is_idle());
        assert_eq!(Activity::default().latency_ms(0.5), None);
    }
}
