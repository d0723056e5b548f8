//! What every format's parser is: a machine that is fed text as it comes, cut anywhere, and gives rows as they
//! become whole. It does not read, and it holds back no row that is whole.

#[cfg(test)]
mod tests;

use rowcall::{Problem, Row, Unreadable, UnreadableKind, Violation};
use serde_json::{Map, Value};

/// A format.
pub(crate) trait Parser: Send {
    /// Takes the next piece of the text and adds the rows that are whole by now.
    ///
    /// # Errors
    /// What makes the rest unreadable, such as a header with a name twice; a bad record is a row.
    fn feed(&mut self, text: &[u8], rows: &mut Rows) -> Result<(), Problem>;

    /// Takes the end of the text and adds what was left of it.
    ///
    /// # Errors
    /// As [`Parser::feed`], and a text that ends too early.
    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem>;

    /// The fields that every row has, as soon as they are known.
    fn header(&self) -> Option<&[String]> {
        None
    }
}

/// The rows that are whole, numbered as they come.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    next: u64,
    waiting: Vec<Row>,
}

impl Rows {
    /// Adds a row with its fields.
    pub(crate) fn push(&mut self, fields: Map<String, Value>, record: impl Into<Vec<u8>>) {
        self.add(Ok(fields), record.into());
    }

    /// Adds a row that cannot be asked about; the message names the place.
    pub(crate) fn push_unreadable(
        &mut self,
        kind: UnreadableKind,
        message: impl Into<String>,
        record: impl Into<Vec<u8>>,
    ) {
        self.add(Err(Unreadable { kind, message: message.into(), violations: Vec::new() }), record.into());
    }

    /// Adds a row that failed in an earlier step, for what was wrong with its value there; the message names the place.
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

    /// The rows that wait to be taken.
    pub(crate) fn waiting(&self) -> &[Row] {
        &self.waiting
    }

    /// Takes them.
    pub(crate) fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.waiting)
    }
}
