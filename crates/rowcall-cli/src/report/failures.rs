//! Groups failed rows by kind and message, and invalid values by field and violation. Also counts the causes of re-asks, and faults.

use std::collections::BTreeMap;

use rowcall::journal::Placed;
use rowcall::{AttemptResult, Failure, Violation, message_pattern};
use serde::Serialize;

use super::field::{FieldViolation, field_at};
use super::sketch::Reservoir;
use super::story::Story;
use super::text::{Escaped, cut};
use crate::flags;

/// The maximum number of groups; further ones are counted together.
const MOST_GROUPS: usize = 100;

/// How many rows of a group are shown.
const EXAMPLES: usize = 5;

/// The maximum length of a shown message, in bytes.
const LONGEST_MESSAGE: usize = 300;

/// The maximum number of violations that define a group.
const MOST_VIOLATIONS: usize = 3;

/// Failed rows, re-asks and faults by their causes.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    failures: BTreeMap<(&'static str, String), Counted>,
    reasks: BTreeMap<String, Counted>,
    faults: BTreeMap<&'static str, FaultCount>,
    violations: BTreeMap<(String, String), FieldViolation>,
}

#[derive(Debug)]
struct Counted {
    count: u64,
    message: String,
    hint: Option<String>,
    fields: Vec<String>,
    rows: Reservoir,
}

/// Failed rows of one kind and message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailureGroup {
    pub(crate) kind: &'static str,
    /// The message of one of the rows.
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The fields that are wrong in the last answer.
    pub(crate) fields: Vec<String>,
    pub(crate) rows: u64,
    /// The share of all rows.
    pub(crate) share: f64,
    /// Example rows.
    pub(crate) examples: Vec<u64>,
    /// The stories of the examples; only the largest groups have them.
    pub(crate) stories: Vec<Story>,
}

/// Answers for which the model was asked again, by what was wrong with them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reask {
    pub(crate) message: String,
    pub(crate) fields: Vec<String>,
    pub(crate) answers: u64,
    pub(crate) examples: Vec<u64>,
}

/// Requests that failed, of rows that took several or failed.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct FaultCount {
    pub(crate) requests: u64,
    pub(crate) rows: u64,
}

impl Causes {
    /// Counts what went wrong for a row.
    pub(crate) fn add(&mut self, placed: &Placed) {
        let (outcome, row) = (&placed.outcome, placed.outcome.index);
        let mut kinds: Vec<&'static str> = Vec::new();
        for attempt in &outcome.history {
            match &attempt.result {
                AttemptResult::Fault { kind, message: _ } => {
                    let count = self.faults.entry(kind.name()).or_default();
                    count.requests += u64::from(attempt.times);
                    if !kinds.contains(&kind.name()) {
                        kinds.push(kind.name());
                        count.rows += 1;
                    }
                }
                AttemptResult::Rejected { answer: _, violations } => {
                    let cause = Cause::of(violations);
                    let message = if violations.is_empty() {
                        "the answer was cut or paused".to_owned()
                    } else {
                        cause.message
                    };
                    let counted = counted(&mut self.reasks, cause.pattern, String::new);
                    counted.add(row, &message, None, cause.fields);
                    self.violated(violations, row, 0);
                }
                AttemptResult::Answered => {}
            }
        }
        if let Err(failure) = &outcome.result {
            self.fail(failure, row);
            self.violated(&failure.violations, row, 1);
            if let Some(fault) = failure.fault.as_ref().filter(|_| outcome.history.is_empty()) {
                let count = self.faults.entry(fault.kind.name()).or_default();
                count.requests += u64::from(outcome.effort.attempts);
                count.rows += 1;
            }
        }
    }

    fn fail(&mut self, failure: &Failure, row: u64) {
        let kind = failure.kind.name();
        let cause = match &failure.violations[..] {
            [] => Cause {
                pattern: message_pattern(&failure.message),
                message: failure.message.clone(),
                fields: Vec::new(),
            },
            violations => Cause::of(violations),
        };
        let counted = counted(&mut self.failures, (kind, cause.pattern), || (kind, String::new()));
        counted.add(row, &cause.message, failure.hint().as_ref().map(flags::spelled), cause.fields);
    }

    fn violated(&mut self, violations: &[Violation], row: u64, failed_rows: u64) {
        for Violation { path, message } in violations {
            let key = (field_at(path), message_pattern(message));
            if self.violations.len() >= 10 * MOST_GROUPS && !self.violations.contains_key(&key) {
                continue;
            }
            let violation = self.violations.entry(key).or_insert_with(|| FieldViolation {
                message: cut(message, LONGEST_MESSAGE, Escaped::No).into_owned(),
                answers: 0,
                failed_rows: 0,
                example: row,
            });
            violation.answers += 1;
            violation.failed_rows += failed_rows;
        }
    }

    /// Failed rows in groups, the largest first; `rows` is the number of all rows.
    pub(crate) fn failure_groups(&mut self, rows: u64) -> Vec<FailureGroup> {
        let mut groups: Vec<_> = std::mem::take(&mut self.failures)
            .into_iter()
            .map(|((kind, _), counted)| FailureGroup {
                kind,
                message: counted.message,
                hint: counted.hint,
                fields: counted.fields,
                rows: counted.count,
                share: counted.count as f64 / rows.max(1) as f64,
                examples: counted.rows.draw(EXAMPLES),
                stories: Vec::new(),
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
        groups
    }

    /// Answers that led to a re-ask, by cause, the most frequent first.
    pub(crate) fn reasks(&mut self) -> Vec<Reask> {
        let mut reasks: Vec<_> = std::mem::take(&mut self.reasks)
            .into_values()
            .map(|counted| Reask {
                message: counted.message,
                fields: counted.fields,
                answers: counted.count,
                examples: counted.rows.draw(EXAMPLES),
            })
            .collect();
        reasks.sort_by_key(|reask| std::cmp::Reverse(reask.answers));
        reasks
    }

    /// Requests that failed, by kind.
    pub(crate) fn faults(&self) -> &BTreeMap<&'static str, FaultCount> {
        &self.faults
    }

    /// The violations of each field, the most frequent first.
    pub(crate) fn violations(self) -> BTreeMap<String, Vec<FieldViolation>> {
        let mut by_field: BTreeMap<String, Vec<FieldViolation>> = BTreeMap::new();
        for ((field, _), violation) in self.violations {
            by_field.entry(field).or_default().push(violation);
        }
        for violations in by_field.values_mut() {
            violations.sort_by_key(|violation| std::cmp::Reverse(violation.answers));
            violations.truncate(10);
        }
        by_field
    }
}

/// The count for `key`, or the one for all others once there are too many.
fn counted<K: Ord>(counts: &mut BTreeMap<K, Counted>, key: K, others: impl Fn() -> K) -> &mut Counted {
    let key = if counts.len() >= MOST_GROUPS && !counts.contains_key(&key) { others() } else { key };
    counts.entry(key).or_insert_with(|| Counted {
        count: 0,
        message: String::new(),
        hint: None,
        fields: Vec::new(),
        rows: Reservoir::new(EXAMPLES),
    })
}

impl Counted {
    fn add(&mut self, row: u64, message: &str, hint: Option<String>, fields: Vec<String>) {
        if self.count == 0 {
            self.message = cut(message, LONGEST_MESSAGE, Escaped::No).into_owned();
            (self.hint, self.fields) = (hint, fields);
        }
        self.count += 1;
        self.rows.add(row);
    }
}

/// What was wrong with an answer.
struct Cause {
    /// What all answers with this cause have in common.
    pattern: String,
    message: String,
    fields: Vec<String>,
}

impl Cause {
    fn of(violations: &[Violation]) -> Self {
        let mut cause = Self { pattern: String::new(), message: String::new(), fields: Vec::new() };
        for Violation { path, message } in violations.iter().take(MOST_VIOLATIONS) {
            let field = field_at(path);
            let pattern = format!("{field}: {}; ", message_pattern(message));
            // Several items of a list are often wrong in the same way.
            if cause.pattern.contains(&pattern) {
                continue;
            }
            cause.pattern.push_str(&pattern);
            if !cause.message.is_empty() {
                cause.message.push_str("; ");
            }
            cause.message.push_str(message);
            if !cause.fields.contains(&field) {
                cause.fields.push(field);
            }
        }
        cause
    }
}
