//! Failed rows grouped by reason, so that a run can report at its end why rows failed. A part of `stats.rs`.

use std::collections::BTreeMap;

use crate::message::pattern;
use crate::outcome::{FailureKind, Reason};

/// The most reasons that are counted separately; others are counted by their kind alone.
const MOST: usize = 100;

/// Failed rows by kind and message. Messages that differ only in quoted words and words with digits count as the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons(BTreeMap<(FailureKind, String), ReasonCount>);

/// A reason and the rows that failed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// The reason as reported for the example.
    pub reason: Reason,
    /// How many rows.
    pub rows: u64,
    /// The first of these rows, counted from 0.
    pub example: u64,
}

impl Reasons {
    /// Counts one more failed row.
    pub(crate) fn add(&mut self, row: u64, reason: &Reason) {
        let mut key = (reason.kind, pattern(&reason.message));
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            key.1.clear();
        }
        let count = self.0.entry(key).or_insert_with(|| ReasonCount {
            reason: reason.clone(),
            rows: 0,
            example: row,
        });
        count.rows += 1;
        if row < count.example {
            (count.reason, count.example) = (reason.clone(), row);
        }
    }

    /// Counts one failed row less, since it is asked about again.
    pub(crate) fn remove(&mut self, reason: &Reason) {
        let key = (reason.kind, pattern(&reason.message));
        let key = if self.0.contains_key(&key) { key } else { (reason.kind, String::new()) };
        if let Some(count) = self.0.get_mut(&key) {
            count.rows -= 1;
            if count.rows == 0 {
                self.0.remove(&key);
            }
        }
    }

    /// The reasons, most common first.
    pub fn by_rows(&self) -> Vec<&ReasonCount> {
        let mut counts: Vec<_> = self.0.values().collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.rows));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(kind: FailureKind, message: &str) -> Reason {
        Reason { kind, message: message.into(), hint: None }
    }

    #[test]
    fn rows_are_counted_by_kind_and_message() {
        let mut reasons = Reasons::default();
        for (row, kind, message) in [
            (4, FailureKind::Refusal, "declined: 'a'"),
            (2, FailureKind::Refusal, "declined: 'b'"),
            (3, FailureKind::Invalid, "declined: 'b'"),
        ] {
            reasons.add(row, &reason(kind, message));
        }
        let counts: Vec<_> = reasons.by_rows().iter().map(|count| (count.rows, count.example)).collect();
        assert_eq!(counts, [(2, 2), (1, 3)]);
        assert_eq!(&*reasons.by_rows()[0].reason.message, "declined: 'b'", "that of the first row");
    }

    #[test]
    fn the_number_of_reasons_is_bounded() {
        let mut reasons = Reasons::default();
        for row in 0..1_000 {
            let letters: String = format!("{row}").bytes().map(|digit| char::from(digit + 49)).collect();
            reasons.add(row, &reason(FailureKind::Invalid, &letters));
        }
        assert_eq!(reasons.by_rows().len(), MOST + 1);
        assert_eq!(reasons.by_rows().iter().map(|count| count.rows).sum::<u64>(), 1_000);
    }
}
