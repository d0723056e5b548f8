//! What the simulator has seen and done, as shown by `GET /stats`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// The maximum number of repeats whose rows are kept.
const MOST_REPEATED: usize = 4_096;
/// The maximum number of characters kept of a row's text.
const MOST_OF_TEXT: usize = 100;

/// Counters since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Requests to a model, by type.
    pub requests: Requests,
    /// From the first request to the end of the last answer, in seconds.
    #[serde(rename = "seconds", serialize_with = "as_seconds")]
    pub lasted: Duration,
    /// Answers by HTTP status. A connection that failed before the answer's head has none.
    pub statuses: BTreeMap<u16, u64>,
    /// Faults that occurred, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests to a model in progress, from their head to the last byte of their answer.
    pub in_flight: Level,
    /// Open connections.
    pub connections: Level,
    /// Tokens of answered requests, estimated as a quarter of their bytes.
    pub tokens: Tokens,
    /// The charge for all requests, in picodollars; 0 unless the scenario has a bill.
    pub bill_picodollars: u64,
    /// Requests to the batch APIs.
    pub batch_requests: u64,
    /// Files that clients have uploaded and not deleted.
    pub uploaded_files: u64,
    /// Batches created.
    pub batches: u64,
    /// Requests executed in batches, which are not among the `requests`.
    pub batched: u64,
    /// Requests whose client left, or whose connection was broken on purpose, before the answer was complete.
    pub unfinished: u64,
    /// Requests identical, byte for byte, to one that was already answered completely and validly; `None` unless
    /// counted.
    pub repeats: Option<u64>,
    /// The rows of the first 4,096 repeats, one entry for each: the first 100 characters of the row's text. Empty
    /// unless counted.
    pub repeated: Vec<String>,
    /// Complete and valid answers by the tenth of a second in which they were sent, counted from the first request.
    /// Empty unless the scenario has outages; answers after half an hour are not counted.
    pub answers_by_tenth: Vec<u32>,
}

/// Answers are counted per tenth of a second, for this many tenths.
const MOST_TENTHS: usize = 18_000;

/// Requests to a model, by type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requests {
    /// All of them.
    pub all: u64,
    /// Admitted, for a row that had no admitted request before. Without faults and counting, rows are not remembered,
    /// and this counts all requests that are not re-asks.
    pub first: u64,
    /// Admitted, for a row that had an admitted request before, without an earlier answer about it in the
    /// conversation.
    pub again: u64,
    /// Admitted, in a conversation that continues after an answer about the row.
    pub re_ask: u64,
    /// Rejected by the quota, with 429, 503 or 529.
    pub refused: u64,
    /// Rejected for their content or their key.
    pub invalid: u64,
}

/// How many there are, and the maximum at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Level {
    /// At the moment.
    pub now: u64,
    /// The maximum at the same time.
    pub max: u64,
    /// In total.
    pub all: u64,
}

/// Tokens by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tokens {
    /// Of prompts.
    pub prompt: u64,
    /// Of answers.
    pub completion: u64,
}

impl Level {
    pub(crate) fn enter(&mut self) {
        self.now += 1;
        self.all += 1;
        self.max = self.max.max(self.now);
    }

    pub(crate) fn leave(&mut self) {
        self.now = self.now.saturating_sub(1);
    }

    /// Restarts with the current number.
    fn restart(&mut self) {
        *self = Self { now: self.now, max: self.now, all: self.now };
    }
}

impl Stats {
    /// Counts an answer sent at this time.
    pub(crate) fn answered_at(&mut self, now: Duration) {
        let tenth = usize::try_from(now.as_millis() / 100).unwrap_or(usize::MAX);
        if tenth < MOST_TENTHS {
            let tenths = self.answers_by_tenth.len().max(tenth + 1);
            self.answers_by_tenth.resize(tenths, 0);
            self.answers_by_tenth.iter_mut().skip(tenth).take(1).for_each(|answers| *answers += 1);
        }
    }

    /// Counts a request about `row` that repeats an answered one.
    pub(crate) fn repeat(&mut self, row: &str) {
        self.repeats = self.repeats.map(|repeats| repeats + 1);
        if self.repeated.len() < MOST_REPEATED {
            self.repeated.push(row.chars().take(MOST_OF_TEXT).collect());
        }
    }

    /// Restarts; what is in progress still counts as in progress.
    pub(crate) fn restart(&mut self) {
        let mut fresh = Self { in_flight: self.in_flight, connections: self.connections, ..Self::default() };
        fresh.in_flight.restart();
        fresh.connections.restart();
        fresh.repeats = self.repeats.map(|_| 0);
        *self = fresh;
    }
}

fn as_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_repeats_are_counted_and_a_bounded_number_listed() {
        let mut stats = Stats { repeats: Some(0), ..Stats::default() };
        (0..MOST_REPEATED + 2).for_each(|_| stats.repeat(&"é".repeat(MOST_OF_TEXT + 1)));
        assert_eq!(stats.repeats, Some(MOST_REPEATED as u64 + 2));
        assert_eq!(stats.repeated, vec!["é".repeat(MOST_OF_TEXT); MOST_REPEATED]);
    }
}
