//! JSON Lines: an object a line; blank lines are no records. The object itself is `json_object.rs`'s business.

use std::collections::HashSet;

use rowcall::{Problem, UnreadableKind};

use super::MAX_RECORD_BYTES;
use super::json_object::push_object;
use super::lines::{Line, Lines};
use super::parser::{Parser, Rows};
use crate::record;

/// The parser of JSON Lines.
#[derive(Debug)]
pub(crate) struct JsonLines {
    lines: Lines,
    reserved: HashSet<String>,
}

impl JsonLines {
    pub(crate) fn new(reserved: Vec<String>) -> Self {
        Self { lines: Lines::default(), reserved: reserved.into_iter().collect() }
    }
}

impl Parser for JsonLines {
    fn feed(&mut self, text: &[u8], rows: &mut Rows) -> Result<(), Problem> {
        self.lines.feed(text, |line| push_line(line, &self.reserved, rows));
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        self.lines.end(|line| push_line(line, &self.reserved, rows));
        Ok(())
    }
}

fn push_line(Line { number, text }: Line<'_>, reserved: &HashSet<String>, rows: &mut Rows) {
    let place = format_args!("line {number}");
    match text.map(<[u8]>::trim_ascii) {
        Some([]) => {}
        Some(text) => push_object(text, place, reserved, rows),
        None => {
            let message = format!("{place} is longer than {MAX_RECORD_BYTES} bytes");
            rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
        }
    }
}
