//! What is a value for a row: the schema, then the caller's type, then the user's own rule, each of which may have something against
//! it. What a row was answered, what an equal row was, and what a journal remembers are all judged here.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::check::{Authority, Check, Scope};
use crate::completion::Reading;
use crate::config::Plan;
use crate::number;
use crate::row::Row;
use crate::violation::Violation;

/// What is to be said of a value that another row, or this one in an earlier run, has been given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It is this row's value as well.
    Valid,
    /// It is not, but another row may accept it.
    InvalidForRow(Vec<Violation>),
    /// No row accepts it any more.
    InvalidForAll(Vec<Violation>),
}

/// The reading of an answer, once its value has been judged for the row that was asked about.
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

/// What the schema and the caller's type say of a value that was not asked for by its row.
pub(crate) fn without_check(plan: &Plan, value: &Value) -> Verdict {
    let has_last_word = plan.check.as_ref().is_some_and(|check| check.authority() == Authority::Check);
    let by_schema = if has_last_word { Vec::new() } else { plan.schema.violations(value) };
    let violations =
        if by_schema.is_empty() { (plan.misfit)(value).into_iter().collect() } else { by_schema };
    if violations.is_empty() { Verdict::Valid } else { Verdict::InvalidForAll(violations) }
}

/// A verdict on each of these values, which were not asked for by their rows: by the schema, the caller's type and the check.
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

/// Whether the check may accept for one row what it rejects for another that is asked the very same.
pub(crate) fn differs_by_row(plan: &Plan) -> bool {
    plan.check.as_ref().is_some_and(|check| check.scope() == Scope::RowAndValue)
}

/// Why a valid value does not deserialise as `T`, with the place, if it does not.
pub(crate) fn misfit<T: DeserializeOwned>(value: &Value) -> Option<Violation> {
    if number::deserialised::<T>(value).is_ok() {
        return None;
    }
    // Tracking the path costs, so it is done only for what failed without.
    let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
    Some(Violation::at(pointer(error.path()), error.into_inner().to_string()))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// What a check has found in each of the values that it was given.
async fn verdicts(check: &dyn Check, given: Vec<(Row, Value)>) -> Vec<Vec<Violation>> {
    let count = given.len();
    one_each(check.check(given).await, count)
}

/// A list for each of so many values. One of which a check says nothing it has not accepted, and what it says of none is said of the
/// last.
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
    fn a_check_that_does_not_say_that_a_value_is_valid_has_not_accepted_it() {
        let wrong = || Violation::at("/age", "is 7, expected at least 18");
        let none = || vec![Violation::whole("the check gave no verdict")];
        assert_eq!(one_each(vec![Vec::new()], 1), [Vec::new()]);
        assert_eq!(one_each(vec![vec![wrong()]], 1), [vec![wrong()]]);
        assert_eq!(one_each(vec![Vec::new(), vec![wrong()]], 1), [vec![wrong()]]);
        assert_eq!(one_each(vec![vec![wrong()]], 3), [vec![wrong()], none(), none()]);
        assert_eq!(one_each(Vec::new(), 1), [none()]);
    }
}
