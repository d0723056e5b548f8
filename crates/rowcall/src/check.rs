//! The user's own rule in addition to the schema: its findings are violations, which the model sees like any other. The
//! path decides when it runs and what follows.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::number;
use crate::row::Row;
use crate::violation::Violation;

/// Who has the last word on a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The schema and the check: a value must satisfy both.
    Both,
    /// The check alone: what it accepts is valid, whatever the schema says. For data models that the schema only approximates.
    Check,
}

/// What a check's verdict on a value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The row as well: it may accept a value for one row and reject it for another, even if both have the same request.
    RowAndValue,
    /// The value alone: if one row got no valid answer, that applies to all rows with the same request.
    Value,
}

/// A rule for values that satisfy the schema. Every row's value is checked for that row, whether it was asked for, shared with an equal row
/// or found in a journal; a rejected value is asked for again. It gets rows in batches, so that a check across a boundary (another thread,
/// another language) need not be called for each row.
pub trait Check: Send + Sync {
    /// Returns the violations of each value: exactly one list for each, in the order given, and an empty one for a valid value. A
    /// value without a list counts as invalid.
    fn check<'a>(
        &'a self,
        rows: Vec<(Row, Value)>,
    ) -> Pin<Box<dyn Future<Output = Vec<Vec<Violation>>> + Send + 'a>>;

    /// Who has the last word. A check that has it is also called for values that do not satisfy the schema.
    fn authority(&self) -> Authority {
        Authority::Both
    }

    /// What its verdict depends on. [`Scope::RowAndValue`] is always correct, but sends more requests than [`Scope::Value`] if
    /// rows with the same request get no valid answer.
    fn scope(&self) -> Scope {
        Scope::RowAndValue
    }
}

/// A closure as a check on values of `T`.
pub(crate) struct Closure<T, F> {
    rule: F,
    scope: Scope,
    value: PhantomData<fn(T)>,
}

impl<T, F> Closure<T, F> {
    pub(crate) fn new(rule: F, scope: Scope) -> Self {
        Self { rule, scope, value: PhantomData }
    }
}

impl<T, F> Check for Closure<T, F>
where
    T: DeserializeOwned,
    F: Fn(&Row, &T) -> Vec<Violation> + Send + Sync,
{
    fn check<'a>(
        &'a self,
        rows: Vec<(Row, Value)>,
    ) -> Pin<Box<dyn Future<Output = Vec<Vec<Violation>>> + Send + 'a>> {
        let violations = rows.into_iter().map(|(row, value)| match number::deserialised::<T>(&value) {
            Ok(value) => (self.rule)(&row, &value),
            Err(error) => vec![Violation::whole(error.to_string())],
        });
        Box::pin(std::future::ready(violations.collect()))
    }

    fn scope(&self) -> Scope {
        self.scope
    }
}
