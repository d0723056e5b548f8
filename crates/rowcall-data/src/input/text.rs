//! Plain text: a row a line, blank ones too, so that line and row have one number.

use rowcall::{Problem, TEXT_FIELD, UnreadableKind};
use serde_json::{Map, Value};

use super::lines::{Line, Lines};
use super::parser::{Parser, Rows};
use super::{MAX_RECORD_BYTES, clash};
use crate::record;

/// The parser of text.
#[derive(Debug)]
pub(crate) struct Text {
    header: Vec<String>,
    lines: Lines,
}

impl Text {
    /// # Errors
    /// If the one name that a line has is reserved.
    pub(crate) fn new(reserved: &[String]) -> Result<Self, Problem> {
        let header = vec![TEXT_FIELD.to_owned()];
        match clash(&header, reserved) {
            Some(problem) => Err(problem),
            None => Ok(Self { header, lines: Lines::default() }),
        }
    }
}

impl Parser for Text {
    fn feed(&mut self, text: &[u8], rows: &mut Rows) -> Result<(), Problem> {
        self.lines.feed(text, |line| push_line(line, rows));
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        self.lines.end(|line| push_line(line, rows));
        Ok(())
    }

    fn header(&self) -> Option<&[String]> {
        Some(&self.header)
    }
}

fn push_line(Line { number, text }: Line<'_>, rows: &mut Rows) {
    let Some(bytes) = text else {
        let message = format!("line {number} is longer than {MAX_RECORD_BYTES} bytes");
        return rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
    };
    let text = String::from_utf8_lossy(bytes);
    let record = format!("{{\"{TEXT_FIELD}\":{}}}", record::quoted(&text));
    if std::str::from_utf8(bytes).is_err() {
        rows.push_unreadable(UnreadableKind::Input, format!("line {number} is not UTF-8"), record);
    } else {
        rows.push(Map::from_iter([(TEXT_FIELD.to_owned(), Value::String(text.into_owned()))]), record);
    }
}
