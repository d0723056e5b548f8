//! The contents of an output line, whatever its format: the record's fields, the value's, `_error` and `_meta`; and
//! whether they clash. The encoders spell it.

use std::borrow::Cow;
use std::collections::HashSet;

use rowcall::{Effort, Error, Failure, FailureKind, Outcome, Problem, Result, Row, Usage, Usd, Violation};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::layout::{Layout, META_FIELDS, Meta, Place, Rest, VALUE_FIELD, Values, rest_field};
use crate::record::{self, Field};

/// Up to this many names are compared one by one.
const FEW: usize = 16;

/// Which names must be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// The fields of a line.
    OfFields,
    /// The columns of a table.
    OfColumns,
}

/// One line of the output.
#[derive(Debug)]
pub(crate) struct OutputRow<'a> {
    /// The record's text, if all its fields are among `fields`, so that it can be written unchanged.
    pub record: Option<&'a str>,
    /// The record's fields, except those called `_error` or `_meta`.
    pub fields: Vec<Field<'a>>,
    /// The value's fields; empty if there is an error.
    pub value: Vec<(&'a str, &'a Value)>,
    /// The value's fields that the layout does not name, under one name, where one of them is also in the record.
    pub rest: Option<(String, Map<String, Value>)>,
    pub error: Option<ErrorText<'a>>,
    /// Whether the value is unvalidated, if the layout marks such values; a row without a value has no mark.
    pub unvalidated: Option<Value>,
    /// The values of [`META_FIELDS`].
    pub meta: Option<[Value; META_FIELDS.len()]>,
}

/// A failure as it is written to `_error`.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorText<'a> {
    pub kind: &'a str,
    pub message: Cow<'a, str>,
    pub violations: &'a [Violation],
}

/// The text of the row's record, or the row's fields if it has none.
pub(crate) fn record_text(row: &Row) -> Result<Cow<'_, str>> {
    if !row.record.is_empty() {
        return std::str::from_utf8(&row.record).map(Cow::Borrowed).map_err(|_| no_object(row.index));
    }
    Ok(match &row.fields {
        Ok(fields) => Cow::Owned(serde_json::to_string(fields).map_err(|_| no_object(row.index))?),
        Err(_) => Cow::Borrowed(record::EMPTY),
    })
}

impl<'a> OutputRow<'a> {
    /// # Errors
    /// [`Error::Sink`] for a record that is not the text of an object, which comes from a source with other records.
    pub(crate) fn new(
        record: &'a str,
        outcome: &'a Outcome,
        layout: &'a Layout,
        names: Names,
    ) -> Result<Self> {
        let record = record.trim_ascii();
        let mut fields = record::fields(record).map_err(|_| no_object(outcome.index))?;
        let taken: Vec<_> = fields.extract_if(.., |field| layout.adds(&field.name)).collect();
        let (value, rest, error) = match &outcome.result {
            Err(failure) => (Vec::new(), None, Some(ErrorText::of(failure))),
            Ok(value) => {
                let value = value_fields(value, layout);
                // With many fields on both sides, a lookup is faster than comparing all pairs.
                let known: Option<HashSet<&str>> = (fields.len() > FEW && value.len() > FEW)
                    .then(|| fields.iter().map(|field| &*field.name).collect());
                let is_known = |name: &str| match &known {
                    Some(known) => known.contains(name),
                    None => fields.iter().any(|field| field.name == name),
                };
                let twice = |name: &str| layout.adds(name) || is_known(name);
                let mut collisions = match (names, layout.rest) {
                    // The other fields share one column, and the input has none of the named ones.
                    (Names::OfColumns, Rest::Column) => Vec::new(),
                    (Names::OfFields, _) | (Names::OfColumns, Rest::LeftOut) => {
                        value.iter().map(|(name, _)| *name).filter(|name| twice(name)).collect()
                    }
                };
                let has_collisions = !collisions.is_empty();
                collisions.retain(|name| layout.value_columns().iter().any(|column| column == name));
                match (taken.first().map(|field| &*field.name).or(collisions.first().copied()), names) {
                    (Some(name), _) => (Vec::new(), None, Some(ErrorText::clash(name))),
                    (None, Names::OfFields) if has_collisions => {
                        let (value, rest) = apart(value, layout);
                        let is_free =
                            |name: &str| !twice(name) && value.iter().all(|(other, _)| *other != name);
                        let name = rest_field(is_free);
                        (value, Some((name, rest)), None)
                    }
                    (None, Names::OfFields | Names::OfColumns) => (value, None, None),
                }
            }
        };
        let meta = (layout.meta == Meta::Shown).then(|| meta(outcome));
        let mark = if error.is_some() { Value::Null } else { true.into() };
        let unvalidated = (layout.values == Values::Unvalidated).then_some(mark);
        Ok(Self { record: taken.is_empty().then_some(record), fields, value, rest, error, unvalidated, meta })
    }
}

impl<'a> OutputRow<'a> {
    /// Takes the list in this field of the value out of it, to write each of its elements. For an empty list, leaves the field
    /// out, so that its row is not lost.
    pub(crate) fn take_list(&mut self, field: &str) -> Option<(&'a str, &'a [Value])> {
        let at = self.value.iter().position(|(name, _)| *name == field)?;
        let (name, Value::Array(list)) = *self.value.get(at)? else { return None };
        self.value.remove(at);
        (!list.is_empty()).then_some((name, list.as_slice()))
    }
}

impl<'a> ErrorText<'a> {
    fn of(failure: &'a Failure) -> Self {
        Self {
            kind: failure.kind.name(),
            message: Cow::Borrowed(&failure.message),
            violations: &failure.violations,
        }
    }

    fn clash(name: &str) -> Self {
        let message =
            format!("the field `{name}` of the record or the value would appear twice in the output");
        Self { kind: FailureKind::Clash.name(), message: Cow::Owned(message), violations: &[] }
    }
}

/// The value's fields that the layout names, and the others.
fn apart<'a>(
    value: Vec<(&'a str, &'a Value)>,
    layout: &Layout,
) -> (Vec<(&'a str, &'a Value)>, Map<String, Value>) {
    let named: HashSet<&str> = layout.value_columns().iter().map(String::as_str).collect();
    let (value, rest): (Vec<_>, Vec<_>) = value.into_iter().partition(|(name, _)| named.contains(name));
    (value, rest.into_iter().map(|(name, field)| (name.to_owned(), field.clone())).collect())
}

fn value_fields<'a>(value: &'a Value, layout: &'a Layout) -> Vec<(&'a str, &'a Value)> {
    match (&layout.place, value) {
        (Place::Under(name), value) => vec![(name, value)],
        (Place::Beside(_), Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.as_str(), value)).collect()
        }
        (Place::Beside(_), value) => vec![(VALUE_FIELD, value)],
    }
}

/// What a row took, by the names used in `_meta`.
pub fn took(outcome: &Outcome) -> Vec<(&'static str, Value)> {
    META_FIELDS.into_iter().zip(meta(outcome)).collect()
}

/// Tokens are null if attempts may have used some but reported none, and so is their cost.
fn meta(outcome: &Outcome) -> [Value; META_FIELDS.len()] {
    let Effort { attempts, prompts, usage, unmetered, cost, latency } = outcome.effort;
    let tokens =
        |count: u64| if unmetered > 0 && usage == Usage::default() { Value::Null } else { count.into() };
    let usd = (cost.unknown == 0 || cost.known > Usd::ZERO).then(|| exact_number(cost.known));
    let milliseconds = (latency.as_secs_f64() * 1000.0).round();
    [
        attempts.into(),
        prompts.into(),
        tokens(usage.input_tokens),
        tokens(usage.cached_tokens),
        tokens(usage.output_tokens),
        usd.into(),
        cost.unknown.into(),
        (milliseconds / 1000.0).into(),
        outcome.model.clone().into(),
        outcome.finish_reason.clone().into(),
        outcome.from_cache.into(),
    ]
}

/// An amount with all its digits, as a JSON number.
fn exact_number(amount: Usd) -> Value {
    serde_json::from_str(&amount.decimal()).unwrap_or_default()
}

fn no_object(index: u64) -> Error {
    Error::Sink(Problem::new(format!("the record of row {index} is not the text of a JSON object")))
}
