//! Plain text: one row per line, including blank ones, so that line and row numbers agree.

use rowcall::{Problem, TEXT_FIELD, UnreadableKind};
use serde_json::{Map, Value};

use super::MAX_RECORD_BYTES;
use super::lines::{Line, Lines};
use super::parser::{Parser, Rows};
use super::rules::Rules;
use crate::record;

/// The text parser.
#[derive(Debug)]
pub(crate) struct Text {
    header: Vec<String>,
    lines: Lines,
    rules: Rules,
}

impl Text {
    /// # Errors
    /// If the only field of a line has a reserved name.
    pub(crate) fn new(rules: Rules) -> Result<Self, Problem> {
        let header = vec![TEXT_FIELD.to_owned()];
        match rules.clash("the input's column", header.iter().map(String::as_str)) {
            Some(problem) => Err(problem),
            None => Ok(Self { header, lines: Lines::default(), rules }),
        }
    }
}

impl Parser for Text {
    fn feed(&mut self, text: &[u8], rows: &mut Rows) -> Result<(), Problem> {
        self.lines.feed(text, |line| push_line(line, &self.rules, rows));
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        self.lines.end(|line| push_line(line, &self.rules, rows));
        Ok(())
    }

    fn header(&self) -> Option<&[String]> {
        Some(&self.header)
    }
}

fn push_line(Line { number, text }: Line<'_>, rules: &Rules, rows: &mut Rows) {
    let Some(bytes) = text else {
        let message = format!("line {number} is longer than {MAX_RECORD_BYTES} bytes");
        return rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
    };
    let text = String::from_utf8_lossy(bytes);
    let record = format!("{{\"{TEXT_FIELD}\":{}}}", record::quoted(&text));
    if std::str::from_utf8(bytes).is_err() {
        rules.push_not_text(&format!("line {number}"), record, rows);
    } else {
        rows.push(Map::from_iter([(TEXT_FIELD.to_owned(), Value::String(text.into_owned()))]), record);
    }
}
