//! Decides whether a value is valid for a row: by the schema, then the caller's type, then the user's own rule. This applies alike
//! to a row's own answer, to that of an equal row, and to a value from a journal or cache.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::check::{Authority, Check, Scope};
use crate::completion::Reading;
use crate::config::Plan;
use crate::number;
use crate::row::Row;
use crate::violation::{Violation, escaped};

/// The verdict on a value that another row, or this one in an earlier run, was given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It is valid for this row as well.
    Valid,
    /// It is not valid for this row, but may be for another.
    InvalidForRow(Vec<Violation>),
    /// It is no longer valid for any row.
    InvalidForAll(Vec<Violation>),
}

/// The reading of an answer after validating its value for the row that was asked about.
pub(crate) async fn of_answer(plan: &Plan, row: &Row, reading: Reading) -> Reading {
    let (value, repairs) = match (reading, &plan.check) {
        (Reading::Value { value, repairs }, _) => (value, repairs),
        (Reading::Invalid { best: Some(value), .. }, Some(check))
            if check.authority() == Authority::Check =>
        {
            (value, Vec::new())
        }
        (reading, _) => return reading,
    };
    let violations = match (&plan.check, (plan.misfit)(&value)) {
        (_, Some(misfit)) => vec![misfit],
        (None, None) => Vec::new(),
        (Some(check), None) => {
            verdicts(&**check, vec![(row.clone(), value.clone())]).await.pop().unwrap_or_default()
        }
    };
    if violations.is_empty() {
        return Reading::Value { value, repairs };
    }
    Reading::Invalid { violations, best: Some(value) }
}

/// The verdict of the schema and the caller's type on a value that the row was not asked for.
pub(crate) fn without_check(plan: &Plan, value: &Value) -> Verdict {
    let has_last_word = plan.check.as_ref().is_some_and(|check| check.authority() == Authority::Check);
    let by_schema = if has_last_word { Vec::new() } else { plan.schema.violations(value) };
    let violations =
        if by_schema.is_empty() { (plan.misfit)(value).into_iter().collect() } else { by_schema };
    if violations.is_empty() { Verdict::Valid } else { Verdict::InvalidForAll(violations) }
}

/// The verdicts of the schema, the caller's type and the check on values that their rows were not asked for.
pub(crate) async fn of_known(plan: &Plan, known: Vec<(Row, Value)>) -> Vec<Verdict> {
    let mut judged: Vec<Verdict> = known.iter().map(|(_, value)| without_check(plan, value)).collect();
    let Some(check) = &plan.check else { return judged };
    let unchecked: Vec<_> = known
        .into_iter()
        .zip(&judged)
        .filter(|(_, verdict)| **verdict == Verdict::Valid)
        .map(|(one, _)| one)
        .collect();
    if unchecked.is_empty() {
        return judged;
    }
    let of_values = judged.iter_mut().filter(|verdict| **verdict == Verdict::Valid);
    for (verdict, violations) in of_values.zip(verdicts(&**check, unchecked).await) {
        if !violations.is_empty() {
            *verdict = match check.scope() {
                Scope::RowAndValue => Verdict::InvalidForRow(violations),
                Scope::Value => Verdict::InvalidForAll(violations),
            };
        }
    }
    judged
}

/// Whether the check may accept a value for one row and reject it for another with the same request.
pub(crate) fn differs_by_row(plan: &Plan) -> bool {
    plan.check.as_ref().is_some_and(|check| check.scope() == Scope::RowAndValue)
}

/// Why a valid value does not deserialise as `T`, with the location; `None` if it does.
pub(crate) fn misfit<T: DeserializeOwned>(value: &Value) -> Option<Violation> {
    if number::deserialised::<T>(value).is_ok() {
        return None;
    }
    // Tracking the path is expensive, so it is done only after a failure.
    let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
    Some(Violation::at(pointer(error.path()), error.into_inner().to_string()))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escaped(key)),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// What the check finds in each of these values.
async fn verdicts(check: &dyn Check, given: Vec<(Row, Value)>) -> Vec<Vec<Violation>> {
    let count = given.len();
    one_each(check.check(given).await, count)
}

/// Exactly `count` lists. A value without a list counts as rejected, and surplus violations go to the last value.
fn one_each(mut found: Vec<Vec<Violation>>, count: usize) -> Vec<Vec<Violation>> {
    let beyond: Vec<_> = found.drain(count.min(found.len())..).flatten().collect();
    found.resize_with(count, || vec![Violation::whole("the check gave no verdict")]);
    if let Some(last) = found.last_mut() {
        last.extend(beyond);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_verdict_of_the_check_is_not_accepted() {
        let wrong = || Violation::at("/age", "is 7, expected at least 18");
        let none = || vec![Violation::whole("the check gave no verdict")];
        assert_eq!(one_each(vec![Vec::new()], 1), [Vec::new()]);
        assert_eq!(one_each(vec![vec![wrong()]], 1), [vec![wrong()]]);
        assert_eq!(one_each(vec![Vec::new(), vec![wrong()]], 1), [vec![wrong()]]);
        assert_eq!(one_each(vec![vec![wrong()]], 3), [vec![wrong()], none(), none()]);
        assert_eq!(one_each(Vec::new(), 1), [none()]);
    }
}
