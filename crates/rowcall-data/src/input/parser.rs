//! The interface of every format's parser: a machine that is fed text as it arrives, split anywhere, and returns rows
//! as they become complete. It does not read, and it never holds back a complete row.

#[cfg(test)]
mod tests;

use std::fmt;

use rowcall::{Hint, Problem, Row, Unreadable, UnreadableKind, Violation};
use serde_json::{Map, Value};

/// A format.
pub(crate) trait Parser: Send {
    /// Takes the next piece of the text and adds the rows that are now complete.
    ///
    /// # Errors
    /// What makes the rest unreadable, such as a header with a repeated name. A bad record is a row.
    fn feed(&mut self, text: &[u8], rows: &mut Rows) -> Result<(), Problem>;

    /// Takes the end of the text and adds the remaining rows.
    ///
    /// # Errors
    /// As [`Parser::feed`], and a text that ends too early.
    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem>;

    /// The fields that every row has, as soon as they are known.
    fn header(&self) -> Option<&[String]> {
        None
    }
}

/// The complete rows, numbered in order.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    next: u64,
    waiting: Vec<Row>,
    /// What to do about the first field whose name the output adds.
    clash_hint: Option<Hint>,
}

impl Rows {
    /// Adds a row with its fields.
    pub(crate) fn push(&mut self, fields: Map<String, Value>, record: impl Into<Vec<u8>>) {
        self.add(Ok(fields), record.into());
    }

    /// Adds a row that cannot be asked about; the message says where it is.
    pub(crate) fn push_unreadable(
        &mut self,
        kind: UnreadableKind,
        message: impl Into<String>,
        record: impl Into<Vec<u8>>,
    ) {
        self.add(Err(Unreadable { kind, message: message.into(), violations: Vec::new() }), record.into());
    }

    /// Adds a row that cannot be asked about because of a field whose name the output adds.
    pub(crate) fn push_clash(
        &mut self,
        place: &dyn fmt::Display,
        problem: Problem,
        record: impl Into<Vec<u8>>,
    ) {
        self.push_unreadable(UnreadableKind::Clash, format!("{place}: {problem}"), record);
        self.clash_hint = self.clash_hint.take().or(problem.hint);
    }

    /// What to do about the first such field.
    pub(crate) fn clash_hint(&self) -> Option<Hint> {
        self.clash_hint.clone()
    }

    /// Adds a row that failed in an earlier step, with what was wrong with its value there; the message says where it
    /// is.
    pub(crate) fn push_failed(
        &mut self,
        message: String,
        violations: Vec<Violation>,
        record: impl Into<Vec<u8>>,
    ) {
        let kind = UnreadableKind::Input;
        self.add(Err(Unreadable { kind, message, violations }), record.into());
    }

    fn add(&mut self, fields: Result<Map<String, Value>, Unreadable>, record: Vec<u8>) {
        self.waiting.push(Row { index: self.next, fields, record: record.into() });
        self.next += 1;
    }

    /// The rows that were not taken yet.
    pub(crate) fn waiting(&self) -> &[Row] {
        &self.waiting
    }

    /// Takes the rows.
    pub(crate) fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.waiting)
    }
}
