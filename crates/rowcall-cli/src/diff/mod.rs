//! Compares two journals row by row: agreement of values, changes, cost and latency. The data of `rowcall diff`.

mod page;
mod pairs;

use std::collections::BTreeSet;
use std::path::Path;

use rowcall::{Cost, Error, Outcome, Problem, Result, Row};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::page::page;
use self::pairs::Pairs;
use crate::journal;
use crate::report::field::WHOLE;
use crate::report::known_dollars;
use crate::report::sketch::{Numbers, Reservoir};
use crate::report::text::{Escaped, cut};
use crate::report::verdict::percent;
use crate::summary::counted;

/// Examples of changed values of a field.
const EXAMPLES: usize = 5;

/// The most fields that are compared.
const MOST_FIELDS: usize = 200;

/// The maximum length of a shown value, in bytes.
const LONGEST_VALUE: usize = 200;

/// How rows of the two journals are matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// By a field of their records.
    Field(String),
    /// By their whole records.
    Record,
    /// By their positions in the input.
    Place,
}

/// Two journals, compared.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) by: By,
    /// The first and the second journal.
    pub(crate) sides: [Side; 2],
    pub(crate) rows: RowCounts,
    /// The fields of values, in their order.
    pub(crate) fields: Vec<FieldDifference>,
    /// Rows with a value in one journal and a failure in the other.
    pub(crate) failed_on_one_side: Vec<FailedOnce>,
}

/// One of the journals.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) journal: String,
    pub(crate) model: String,
    pub(crate) rows: u64,
    pub(crate) failed: u64,
    /// The number of rows that only this journal has.
    pub(crate) only_here: u64,
    /// Examples of those.
    pub(crate) only_here_examples: Vec<u64>,
    /// The cost of the rows that both journals have, as far as known; null if nothing of it is.
    pub(crate) cost_usd: Value,
    pub(crate) cost: String,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) requests: u64,
    pub(crate) latency_median_ms: Option<f64>,
    pub(crate) latency_p95_ms: Option<f64>,
}

/// The rows that both journals have.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RowCounts {
    pub(crate) both: u64,
    /// Rows whose two values are equal in all fields.
    pub(crate) same: u64,
    /// Rows whose two values differ.
    pub(crate) changed: u64,
    /// A value in the first journal only.
    pub(crate) only_first_has_value: u64,
    /// A value in the second journal only.
    pub(crate) only_second_has_value: u64,
    pub(crate) both_failed: u64,
}

/// A field, compared over all rows with two values.
#[derive(Debug, Serialize)]
pub(crate) struct FieldDifference {
    pub(crate) name: String,
    /// Rows with a value in both journals.
    pub(crate) rows: u64,
    pub(crate) same: u64,
    pub(crate) changed: u64,
    /// The share of rows with equal values of the field.
    pub(crate) agreement: f64,
    /// Changed rows whose value was null or missing before and no longer is.
    pub(crate) filled: u64,
    /// Changed rows whose value is null or missing now and was not before.
    pub(crate) emptied: u64,
    /// The mean change of numbers.
    pub(crate) mean_change: Option<f64>,
    pub(crate) examples: Vec<Change>,
}

/// A value that has changed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    /// The row's position in each journal.
    pub(crate) rows: [u64; 2],
    pub(crate) before: String,
    pub(crate) after: String,
}

/// A row that failed in one journal only.
#[derive(Debug, Serialize)]
pub(crate) struct FailedOnce {
    pub(crate) rows: [u64; 2],
    /// `first` or `second`.
    pub(crate) failed: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Comparison {
    /// Compares the journals at these paths, matching rows by a field of their records, or by the whole records.
    ///
    /// # Errors
    /// If one of them cannot be read, has no records, or has no row with the field.
    pub(crate) fn of(paths: [&Path; 2], field: Option<&str>) -> Result<Self> {
        let contents = [journal::open(paths[0])?, journal::open(paths[1])?];
        let have_records = contents[0].has_records()? && contents[1].has_records()?;
        let by = match (field, have_records) {
            (Some(field), true) => By::Field(field.to_owned()),
            (None, true) => By::Record,
            (None, false) => By::Place,
            (Some(field), false) => {
                let message = format!("rows cannot be recognised by `{field}`: a journal has no records");
                return Err(Error::Config(
                    Problem::new(message).hint("without `--key` their places in the input are compared"),
                ));
            }
        };
        let models = [&contents[0], &contents[1]].map(|contents| contents.identity().model.clone());
        let mut fold = Fold::default();
        let by_hand = [journal::open(paths[0])?, journal::open(paths[1])?];
        let [first, second] = contents;
        let mut pairs = Pairs::new(first.into_rows()?, second.into_rows()?, &by);
        while let Some((one, other)) = pairs.next()? {
            fold.pair(one, other);
        }
        let displaced = pairs.displaced();
        if let Some(problem) = lacking(field, paths, &displaced.lacks) {
            return Err(Error::Config(problem));
        }
        for [one, other] in displaced.pairs {
            if let (Some(one), Some(other)) = (by_hand[0].row_at(one)?, by_hand[1].row_at(other)?) {
                fold.pair((one.0, one.1.outcome), (other.0, other.1.outcome));
            }
        }
        let only = displaced.only;
        Ok(fold.done(by, paths, models, displaced.rows, only))
    }
}

/// The problem with a field to match rows by that no row of a journal has.
fn lacking(field: Option<&str>, paths: [&Path; 2], lacks: &[Option<BTreeSet<String>>; 2]) -> Option<Problem> {
    let field = field?;
    let (path, fields) =
        paths.into_iter().zip(lacks).find_map(|(path, lacks)| Some((path, lacks.as_ref()?)))?;
    let message = format!("no row of `{}` has the field `{field}`", path.display());
    let names: Vec<_> = fields.iter().map(|name| format!("`{name}`")).collect();
    Some(if names.is_empty() {
        Problem::new(message).hint("its rows have no fields: leave out `--key` to match whole records")
    } else {
        Problem::new(format!("{message}, expected one of {}", names.join(", ")))
    })
}

impl Comparison {
    /// The summary in a sentence.
    pub(crate) fn verdict(&self) -> String {
        let RowCounts { both, same, changed, .. } = self.rows;
        if both == 0 {
            return "The journals have no row in common.".to_owned();
        }
        let share = percent(same as f64 / (same + changed).max(1) as f64);
        let values = counted(same + changed, "row");
        format!("{} in both; of {values} with a value in both, {share} are the same.", counted(both, "row"))
    }
}

/// The counts of one journal.
#[derive(Debug, Default)]
struct Sum {
    failed: u64,
    cost: Cost,
    input_tokens: u64,
    output_tokens: u64,
    requests: u64,
    latencies: Numbers,
}

/// The pass over all pairs.
#[derive(Debug, Default)]
struct Fold {
    sums: [Sum; 2],
    rows: RowCounts,
    fields: Vec<(String, FieldSum)>,
    failed_on_one_side: Vec<FailedOnce>,
}

#[derive(Debug, Default)]
struct FieldSum {
    same: u64,
    changed: u64,
    filled: u64,
    emptied: u64,
    change: f64,
    numbers: u64,
    examples: Vec<Change>,
}

impl Fold {
    fn pair(&mut self, (one, first): (Row, Outcome), (other, second): (Row, Outcome)) {
        self.rows.both += 1;
        self.sums[0].add(&first);
        self.sums[1].add(&second);
        let rows = [one.index, other.index];
        match (&first.result, &second.result) {
            (Ok(before), Ok(after)) => {
                if self.values(rows, before, after) {
                    self.rows.same += 1;
                } else {
                    self.rows.changed += 1;
                }
            }
            (Ok(_), Err(failure)) => {
                self.rows.only_first_has_value += 1;
                self.fail(rows, "second", failure);
            }
            (Err(failure), Ok(_)) => {
                self.rows.only_second_has_value += 1;
                self.fail(rows, "first", failure);
            }
            (Err(_), Err(_)) => self.rows.both_failed += 1,
        }
    }

    fn fail(&mut self, rows: [u64; 2], failed: &'static str, failure: &rowcall::Failure) {
        if self.failed_on_one_side.len() < 20 {
            let message = cut(&failure.message, LONGEST_VALUE, Escaped::No).into_owned();
            self.failed_on_one_side.push(FailedOnce { rows, failed, kind: failure.kind.name(), message });
        }
    }

    /// Compares the fields of two values. Returns whether all are equal.
    fn values(&mut self, rows: [u64; 2], before: &Value, after: &Value) -> bool {
        let (Value::Object(one), Value::Object(other)) = (before, after) else {
            return self.field(WHOLE, rows, Some(before), Some(after));
        };
        let mut all_same = true;
        for name in one.keys() {
            all_same &= self.field(name, rows, one.get(name), other.get(name));
        }
        for name in other.keys().filter(|name| !one.contains_key(*name)) {
            all_same &= self.field(name, rows, None, other.get(name));
        }
        all_same
    }

    fn field(&mut self, name: &str, rows: [u64; 2], before: Option<&Value>, after: Option<&Value>) -> bool {
        let same = are_same(before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null));
        let at = match self.fields.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None if self.fields.len() >= MOST_FIELDS => return same,
            None => {
                self.fields.push((name.to_owned(), FieldSum::default()));
                self.fields.len() - 1
            }
        };
        let Some((_, sum)) = self.fields.get_mut(at) else { return same };
        if same {
            sum.same += 1;
            return true;
        }
        sum.changed += 1;
        let is_empty = |value: Option<&Value>| value.is_none_or(Value::is_null);
        sum.filled += u64::from(is_empty(before));
        sum.emptied += u64::from(is_empty(after));
        if let (Some(before), Some(after)) = (before.and_then(Value::as_f64), after.and_then(Value::as_f64)) {
            sum.change += after - before;
            sum.numbers += 1;
        }
        if sum.examples.len() < EXAMPLES {
            let shown = |value: Option<&Value>| {
                let text = value.map_or_else(|| "(missing)".to_owned(), Value::to_string);
                cut(&text, LONGEST_VALUE, Escaped::No).into_owned()
            };
            sum.examples.push(Change { rows, before: shown(before), after: shown(after) });
        }
        false
    }

    fn done(
        self,
        by: By,
        paths: [&Path; 2],
        models: [String; 2],
        rows: [u64; 2],
        only: [Reservoir; 2],
    ) -> Comparison {
        let sides = paths.into_iter().zip(models).zip(self.sums).zip(rows).zip(only);
        let sides: Vec<Side> = sides
            .map(|((((path, model), sum), rows), only)| Side {
                journal: path.display().to_string(),
                model,
                rows,
                failed: sum.failed,
                only_here: only.seen(),
                only_here_examples: only.draw(EXAMPLES),
                cost_usd: known_dollars(sum.cost),
                cost: sum.cost.to_string(),
                input_tokens: sum.input_tokens,
                output_tokens: sum.output_tokens,
                requests: sum.requests,
                latency_median_ms: sum.latencies.quantile(0.5),
                latency_p95_ms: sum.latencies.quantile(0.95),
            })
            .collect();
        let both_have_values = self.rows.same + self.rows.changed;
        let fields = self.fields.into_iter().map(|(name, mut sum)| {
            // What a value lacks on both sides is the same.
            sum.same = both_have_values - sum.changed;
            FieldDifference {
                name,
                rows: both_have_values,
                same: sum.same,
                changed: sum.changed,
                agreement: sum.same as f64 / both_have_values.max(1) as f64,
                filled: sum.filled,
                emptied: sum.emptied,
                mean_change: (sum.numbers > 0).then(|| sum.change / sum.numbers as f64),
                examples: sum.examples,
            }
        });
        let [first, second] = <[Side; 2]>::try_from(sides).unwrap_or_else(|_| unreachable!("there are two"));
        Comparison {
            by,
            sides: [first, second],
            rows: self.rows,
            fields: fields.collect(),
            failed_on_one_side: self.failed_on_one_side,
        }
    }
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        let effort = &outcome.effort;
        self.failed += u64::from(outcome.result.is_err());
        self.cost += effort.cost;
        self.input_tokens += effort.usage.input_tokens;
        self.output_tokens += effort.usage.output_tokens;
        self.requests += u64::from(effort.attempts);
        if effort.attempts > 0 {
            self.latencies.add(effort.latency.as_secs_f64() * 1_000.0);
        }
    }
}

/// Whether two values are equal, regardless of the spelling of numbers and the order of fields.
fn are_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one.total_cmp(&other).is_eq())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| are_same(value, other)))
        }
        (one, other) => one == other,
    }
}
