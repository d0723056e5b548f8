//! JSON Lines: one value per line. Blank lines are not records. `json_object.rs` reads the value.

use rowcall::{Problem, UnreadableKind};

use super::MAX_RECORD_BYTES;
use super::json_object::push_value;
use super::lines::{Line, Lines};
use super::parser::{Parser, Rows};
use super::rules::Rules;
use crate::record;

/// The JSON Lines parser.
#[derive(Debug)]
pub(crate) struct JsonLines {
    lines: Lines,
    rules: Rules,
}

impl JsonLines {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { lines: Lines::default(), rules }
    }
}

impl Parser for JsonLines {
    fn feed(&mut self, text: &[u8], rows: &mut Rows) -> Result<(), Problem> {
        self.lines.feed(text, |line| push_line(line, &self.rules, rows));
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        self.lines.end(|line| push_line(line, &self.rules, rows));
        Ok(())
    }
}

fn push_line(Line { number, text }: Line<'_>, rules: &Rules, rows: &mut Rows) {
    let place = format_args!("line {number}");
    match text.map(<[u8]>::trim_ascii) {
        Some([]) => {}
        // Lines that were cut out of an array still have their commas.
        Some([text @ .., b',']) if text.starts_with(b"{") => {
            push_value(text.trim_ascii_end(), place, rules, rows);
        }
        Some(text) => push_value(text, place, rules, rows),
        None => {
            let message = format!("{place} is longer than {MAX_RECORD_BYTES} bytes");
            rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
        }
    }
}
